package rules

// Objects, as the code names them.
const (
	PayloadOpaque     ID = "payload-opaque"
	Forwarding        ID = "forwarding"
	ObjectFields      ID = "object-fields"
	Subgroups         ID = "subgroups"
	FirstObject       ID = "first-object"
	ObjectStatus      ID = "object-status"
	StatusEmpty       ID = "status-empty"
	StatusProperties  ID = "status-properties"
	DeliveryMode      ID = "delivery-mode"
	StatusUnknown     ID = "status-unknown"
	Deduplicated      ID = "deduplicated"
	GoneObjects       ID = "gone-objects"
	IncompleteObjects ID = "incomplete-objects"
)

// objects are the rules of what an object is and how it is forwarded.
var objects = []Rule{
	{
		ID: "object-unchanging", Binds: OriginalPublisher, Level: Must,
		Says: "The content of an object does not change over time.",
		Why:  "It binds who makes the track; a relay's part is object-fields and payload-opaque.",
		In:   "14-19 2.1/1; 20-22 2.1",
	},
	{
		ID: PayloadOpaque, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay neither splits, joins nor changes payloads.",
		In:   "14 2.1/2 8.5/2; 15 2.1/2 8.6/2; 16-17 2.1/2 8.7/2; 18 2.1/2 9.7/2; 19 9.7/2; 20 9.7; 21 7.7; 22 7.8",
	},
	{
		ID: Forwarding, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay forwards every object that a subscription lets pass, and neither drops nor reorders any on " +
			"a stream.",
		In: "14 8.3/3; 15-17 8.4/3; 18-19 9.4/3; 20 9.4; 21-22 7.4",
	},
	{
		ID: ObjectFields, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay does not change the fields and the payload of an object.",
		In:   "14 8.5/1; 15 8.6/1; 16-17 8.7/1; 18-19 9.7/1; 20 9.7; 21 7.7 11.1.1; 22 7.8 2.1.1",
	},
	{
		ID: Subgroups, Binds: Publisher, Level: Must, By: Cases,
		Says: "The objects of a subgroup travel on one stream.",
		In:   "14-19 2.2/1; 20-22 2.2",
	},
	{
		ID: FirstObject, Binds: Publisher, Level: Must, By: Cases,
		Says: "A stream that begins with the first object of its subgroup says so, at the relay too.",
		In:   "18-19 2.2/2; 20-22 2.2",
	},
	{
		ID: ObjectStatus, Binds: Publisher, Level: Must, By: Codec | Cases,
		Says: "An object with a status says where a group or a track ends.",
		In:   "14-15 10.2.1.1/1; 16-17 10.2.1.1; 18-20 11.2.1.1; 21 11.1.2; 22 11.1.1",
	},
	{
		ID: StatusEmpty, Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "An object with a status has no payload.",
		In:   "14-15 10.2.1.1/2; 16-17 10.2.1.1/1; 18-19 11.2.1.1/1; 20 11.2.1.1; 21 11.1.2; 22 11.1.1",
	},
	{
		ID: "status-payload-registered", Binds: Outsider, Level: Must,
		Says: "A new Object Status says whether it may have a payload.",
		Why:  "It binds authors of specifications.",
		In:   "19 15.9/1; 20 15.9; 21-22 16.9",
	},
	{
		ID: StatusProperties, Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "An object with a status has no properties; otherwise the session is closed.",
		In:   "14-17 10.2.1.2/1; 18-19 11.2.1.2/1; 20 11.2.1.2; 21 11.1.3; 22 11.1.2",
	},
	{
		ID: DeliveryMode, Binds: Publisher, Level: Must, By: Cases,
		Says: "An object published as a datagram is forwarded as a datagram.",
		In: "14 8.5 10.2.1/1; 15 8.6 10.2.1/1; 16-17 8.7 10.2.1/1; 18-19 9.7 11.2.1/1; 20 11.2.1 9.7; 21 11.1.1 " +
			"7.7; 22 2.1.1",
	},
	{
		ID: "forwarding-preference-mixed", Binds: OriginalPublisher, Level: Must,
		Says: "A track has one forwarding preference.",
		Why:  "It binds who makes the track; what a relay does with a mixed one is malformed-track.",
		In:   "14-15 10/2",
	},
	{
		ID: Deduplicated, Binds: Relay, Level: Should, By: Cases,
		Says: "An object that comes from several publishers is forwarded once.",
		In:   "14 8.2; 15-17 8.3; 18-20 9.3; 21-22 7.3",
	},
	{
		ID: IncompleteObjects, Binds: Publisher, Level: Should, By: Cases,
		Says: "Sending an object begins before all of it is there.",
		In:   "14 8.5; 15-20 5.1; 21-22 3.1",
	},
	{
		ID: StatusUnknown, Binds: Endpoint, Level: Should, By: Codec | Cases,
		Says: "An unknown Object Status closes the session.",
		In:   "14-17 10.2.1.1; 18-20 11.2.1.1; 21 11.1.2; 22 11.1.1",
	},
	{
		ID: GoneObjects, Binds: Relay, Level: Should, By: Cases,
		Says: "An object that is known not to exist is neither cached nor forwarded when it comes after all.",
		In:   "18-20 9.1; 21-22 7.1",
	},
}
