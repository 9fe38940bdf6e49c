package rules

// Objects, as the code names them.
const (
	Forwarding          ID = "forwarding"
	ObjectFields        ID = "object-fields"
	Subgroups           ID = "subgroups"
	SubgroupEnd         ID = "subgroup-end"
	ObjectStatus        ID = "object-status"
	DeliveryMode        ID = "delivery-mode"
	ObjectProperties    ID = "object-properties"
	ImmutableProperties ID = "immutable-properties"
	TrackProperties     ID = "track-properties"
	MandatoryProperties ID = "mandatory-properties"
	Priorities          ID = "priorities"
	DeliveryTimeouts    ID = "delivery-timeouts"
	TooFarBehind        ID = "too-far-behind"
)

// objects are the rules of what travels in subgroups and datagrams.
var objects = []Rule{
	{
		ID: Forwarding, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay forwards every object that a subscription lets pass, and neither drops nor reorders any on " +
			"a stream.",
		In: "14 8.3/3; 15-17 8.4/3; 18-19 9.4/3; 20 9.4; 21-22 7.4",
	},
	{
		ID: ObjectFields, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay does not change the fields and the payload of an object.",
		In:   "14 8.5/1; 15 8.6/1; 16-17 8.7/1; 18-19 9.7/1; 20 9.7; 21-22 7.8 2.1.1",
	},
	{
		ID: Subgroups, Binds: Publisher, Level: Must, By: Cases,
		Says: "The objects of a subgroup travel on one stream.",
		In:   "14-19 2.2/1; 20-22 2.2",
	},
	{
		ID: SubgroupEnd, Binds: Publisher, Level: Must, By: Cases,
		Says: "The stream of a complete subgroup ends with FIN; one that lacks objects is reset.",
		In:   "14 10.4.3/1; 15-17 10.4.3/1,2; 18-19 11.4.3/1,2; 20 11.4.3; 21-22 11.3.2",
	},
	{
		ID: ObjectStatus, Binds: Publisher, Level: Must, By: Codec | Cases,
		Says: "An object with a status says where a group or a track ends.",
		In:   "14-17 10.2.1.1; 18-20 11.2.1.1; 21 11.1.2; 22 11.1.1",
	},
	{
		ID: DeliveryMode, Binds: Publisher, Level: Must, By: Cases,
		Says: "An object published as a datagram is forwarded as a datagram.",
		In:   "14 8.5 10.2.1/1; 15 8.6 10.2.1/1; 16-17 8.7 10.2.1/1; 18-19 9.7 11.2.1/1; 20 9.7; 21-22 2.1.1",
	},
	{
		ID: ObjectProperties, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay forwards properties that it does not know.",
		In:   "14 10.2.1.2/2; 15 10.2.1.2/3; 16-19 2.5/1; 20 2.5; 21-22 8.4",
	},
	{
		ID: ImmutableProperties, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay changes nothing in Immutable Properties.",
		In:   "14-15 11.2/1; 16 11.1/1 2.5; 17 11.6/1 2.5; 18-19 2.5 12.7/1; 20 2.5 12.7; 21-22 8.4 10.7",
	},
	{
		ID: TrackProperties, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay passes on all properties of a track.",
		In:   "16-17 8.6/1; 18-19 9.6/1; 20 9.6; 21-22 7.7",
	},
	{
		ID: MandatoryProperties, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A track with a Mandatory Track Property that the relay does not understand is refused with " +
			"UNSUPPORTED_EXTENSION.",
		In: "18-19 2.5.1/3; 20 2.5.1; 21-22 3.7",
	},
	{
		ID: Priorities, Binds: Publisher, Level: Should, By: Cases,
		Says: "When not all can be sent, what has the higher priority is sent first.",
		In:   "14-20 7.2; 21-22 5.1.2",
	},
	{
		ID: DeliveryTimeouts, Binds: Publisher, Level: Must, By: Cases,
		Says: "An object that has waited longer than the delivery timeout is not sent, and its stream is reset.",
		In:   "14-15 9.2.1.2; 16 9.2.2.2; 17 9.3.3; 18-19 8/2; 20 8; 21-22 5.2",
	},
	{
		ID: TooFarBehind, Binds: Publisher, Level: May, By: Cases,
		Says: "A publisher may give up a subscriber that reads too slowly, with TOO_FAR_BEHIND.",
		In:   "14 9.12; 15-16 9.15; 17 9.13; 18-19 8 10.11; 20 8 10.12; 21-22 5.2 9.9",
	},
}
