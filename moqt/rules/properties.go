package rules

// Properties, as the code names them.
const (
	PropertiesKnown       ID = "properties-known"
	ObjectGapKept         ID = "object-gap-kept"
	GroupGapKept          ID = "group-gap-kept"
	ObjectProperties      ID = "object-properties"
	PropertiesOpaque      ID = "properties-opaque"
	MandatoryNotForwarded ID = "mandatory-not-forwarded"
	MandatoryProperties   ID = "mandatory-properties"
	TrackProperties       ID = "track-properties"
	ImmutableProperties   ID = "immutable-properties"
	MandatoryPublish      ID = "mandatory-publish"
	MandatoryFetchOK      ID = "mandatory-fetch-ok"
	IncludeProperties     ID = "include-properties"
)

// properties are the rules of the properties of tracks and objects.
var properties = []Rule{
	{
		ID: ObjectProperties, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay forwards properties that it does not know.",
		In:   "14 10.2.1.2/2; 15 10.2.1.2/3; 16-19 2.5/1; 20 2.5; 21-22 8.4",
	},
	{
		ID: PropertiesOpaque, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay passes on properties of applications that it does not know, and reads nothing into them.",
		In:   "17-18 2.5/2; 19 2.5/3; 20 2.5; 21-22 8.4",
	},
	{
		ID: PropertiesKnown, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay treats a property that it knows as the property says, and passes it on unless that says " +
			"otherwise.",
		In: "19 2.5/2; 20 2.5; 21-22 8.4",
	},
	{
		ID: "properties-repeated", Binds: Outsider, Level: Must,
		Says: "A property says whether an object may have it several times.",
		Why:  "It binds authors of specifications.",
		In:   "15 10.2.1.2/2",
	},
	{
		ID: "mandatory-scope", Binds: OriginalPublisher | Outsider, Level: Must, By: Cases,
		Says: "A Mandatory Track Property belongs to a track; on an object it makes the track malformed.",
		In:   "18-19 2.5.1/1 15.8/2; 20 2.5.1 15.8; 21 3.6 16.8; 22 3.7 16.8",
	},
	{
		ID: MandatoryNotForwarded, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A track with a Mandatory Track Property that is not understood is neither processed nor forwarded.",
		In:   "18-19 2.5.1/2; 20 2.5.1; 21 3.6; 22 3.7",
	},
	{
		ID: MandatoryPublish, Binds: Subscriber, Level: Must, By: Cases,
		Says: "A PUBLISH with an unknown Mandatory Track Property is refused with UNSUPPORTED_EXTENSION.",
		In:   "18-19 2.5.1/3; 20 2.5.1; 21 3.6; 22 3.7",
	},
	{
		ID: MandatoryProperties, Binds: Relay | Subscriber, Level: Must, By: Cases,
		Says: "When SUBSCRIBE_OK has an unknown Mandatory Track Property, the subscription is cancelled, and " +
			"those who wait for it are refused with UNSUPPORTED_EXTENSION.",
		In: "18-19 2.5.1/4; 20 2.5.1; 21 3.6; 22 3.7",
	},
	{
		ID: MandatoryFetchOK, Binds: Relay | Subscriber, Level: Must, By: Cases,
		Says: "When FETCH_OK has an unknown Mandatory Track Property, the fetch is cancelled, and who waits for it " +
			"is refused with UNSUPPORTED_EXTENSION or its stream reset.",
		In: "18-19 2.5.1/5; 20 2.5.1; 21 3.6; 22 3.7",
	},
	{
		ID: TrackProperties, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay passes on all properties of a track.",
		In:   "16-17 8.6/1; 18-19 9.6/1; 20 9.6; 21 7.6; 22 7.7",
	},
	{
		ID: ImmutableProperties, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay changes nothing in Immutable Properties.",
		In:   "14-15 11.2/1; 16 11.1/1 2.5; 17 11.6/1 2.5; 18-19 2.5 12.7/1; 20 2.5 12.7; 21-22 8.4 10.7",
	},
	{
		ID: "immutable-search", Binds: Endpoint, Level: Must, By: Cases,
		Says: "A property is looked for among Immutable Properties too.",
		In:   "17 11.6/2; 18-19 12.7/2; 20 12.7; 21-22 10.7",
	},
	{
		ID: "immutable-once", Binds: OriginalPublisher, Level: Must, By: Cases,
		Says: "An object has Immutable Properties once.",
		In:   "15 11.2/2; 16 11.1/2; 17 11.6/3; 18-19 12.7/3; 20 12.7; 21-22 10.7",
	},
	{
		ID: GroupGapKept, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay does not add a Prior Group ID Gap, and passes one on, unless a FETCH tells the gap by " +
			"itself.",
		In: "14-15 11.1/1; 16 11.2/1; 17 11.7/1; 18-19 12.8/1; 20 12.8; 21-22 10.8",
	},
	{
		ID: "group-gap-once", Binds: OriginalPublisher, Level: Must, By: Cases,
		Says: "An object has a Prior Group ID Gap once.",
		In:   "15 11.1/2; 16 11.2/2; 17 11.7/2; 18-19 12.8/2; 20 12.8; 21-22 10.8",
	},
	{
		ID: ObjectGapKept, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay does not add a Prior Object ID Gap, and passes one on, unless a FETCH tells the gap by " +
			"itself.",
		In: "14-16 11.3/1; 17 11.8/1; 18-19 12.9/1; 20 12.9; 21-22 10.9",
	},
	{
		ID: "object-gap-once", Binds: OriginalPublisher, Level: Must, By: Cases,
		Says: "An object has a Prior Object ID Gap once.",
		In:   "15-16 11.3/2; 17 11.8/2; 18-19 12.9/2; 20 12.9; 21-22 10.9",
	},
	{
		ID: "properties-replaced", Binds: Relay, Level: Should, By: Cases,
		Says: "The unknown properties that came last take the place of those in the cache.",
		Unwatched: "A relay need not read an object again that it has: it may drop what comes twice, or give up " +
			"the track over it, and then has no set that came last.",
		In: "16-20 2.5; 21-22 8.4",
	},
	{
		ID: IncludeProperties, Binds: Publisher, Level: Should, By: Cases,
		Says: "With INCLUDE_PROPERTIES 0 an answer has no track properties.",
		In:   "20 10.2.21; 21 9.20.22; 22 9.20.21",
	},
}
