package rules

// Names, as the code names them.
const (
	NameFieldEmpty          ID = "name-field-empty"
	NameFieldCount          ID = "name-field-count"
	NameLength              ID = "name-length"
	PrefixFieldCount        ID = "prefix-field-count"
	TracksPrefixFieldCount  ID = "tracks-prefix-field-count"
	MalformedDuplicate      ID = "malformed-duplicate"
	MalformedTrack          ID = "malformed-track"
	ReservedDot             ID = "reserved-dot"
	SessionNamespace        ID = "session-namespace"
	SessionNamespaceEmpty   ID = "session-namespace-empty"
	SessionNamespaceUnknown ID = "session-namespace-unknown"
)

// names are the rules of namespaces, track names and malformed tracks.
var names = []Rule{
	{
		ID: NameFieldEmpty, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A field of a namespace has at least one byte; an empty one closes the session.",
		In:   "16-19 2.4.1/1; 20 2.4.1; 21-22 8.7",
	},
	{
		ID: NameFieldCount, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A namespace has no more than 32 fields, and up to 16 at least one; otherwise the session is " +
			"closed.",
		In: "14-15 2.4.1/1; 16-19 2.4.1/2; 20 2.4.1; 21-22 8.7",
	},
	{
		ID: NameLength, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A namespace with its track name has no more than 4,096 bytes; more close the session.",
		In:   "14-15 2.4.1/2; 16-19 2.4.1/3; 20 2.4.1; 21-22 8.7",
	},
	{
		ID: PrefixFieldCount, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A namespace prefix has no more than 32 fields, and in 14 and 15 at least one; otherwise the " +
			"session is closed.",
		In: "14 9.28/1; 15 9.23/1; 16 9.25/1; 17 9.20/1; 18-19 10.18/1; 20 10.19; 21-22 8.7",
	},
	{
		ID: TracksPrefixFieldCount, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "The prefix of SUBSCRIBE_TRACKS has no more than 32 fields; more close the session.",
		In:   "18-19 10.19/1; 20 10.20; 21-22 8.7",
	},
	{
		ID: "names-unique", Binds: OriginalPublisher, Level: Must,
		Says: "Two tracks of a scope that differ in content differ in name.",
		Why:  "It binds who names tracks; two publishers with one name look like one track to a relay.",
		In:   "14 2.5.1/1; 15-19 2.4.3/1; 20 2.4.3; 21-22 2.5",
	},
	{
		ID: MalformedTrack, Binds: Relay | Subscriber, Level: Must, By: Cases,
		Says: "A track that contradicts itself is given up: its subscriptions end with MALFORMED_TRACK and its " +
			"fetches are reset.",
		In: "14 2.5/1; 15-19 2.4.2/1; 20 2.4.2; 21-22 12.1",
	},
	{
		ID: MalformedDuplicate, Binds: Endpoint, Level: Must, By: Cases,
		Says: "An object that comes a second time with other fields or payload makes its track malformed.",
		In:   "14-17 8.1/1; 18-19 9.1/1; 20 9.1; 21-22 7.1",
	},
	{
		ID: "reserved-namespace", Binds: Endpoint, Level: Must, By: Cases,
		Says: "A namespace that begins with a period is not used unless it is registered, and a request for one " +
			"goes to the application.",
		In: "18-19 3.2.1/1; 20 3.2.1; 21 2.4.2; 22 2.4.3",
	},
	{
		ID: ReservedDot, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A namespace whose first field is one period is refused with DOES_NOT_EXIST.",
		In:   "18-19 3.2.1/2; 20 3.2.1; 21 2.4.2; 22 2.4.3",
	},
	{
		ID: SessionNamespace, Binds: Relay, Level: Must, By: Cases,
		Says: "What is asked for under .session is not passed on to another session.",
		In:   "18-19 3.2.2/1; 20 3.2.2; 21-22 6.5",
	},
	{
		ID: SessionNamespaceEmpty, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A request for the empty track name under .session is refused with DOES_NOT_EXIST.",
		In:   "18-19 3.2.2/2; 20 3.2.2; 21-22 6.5",
	},
	{
		ID: SessionNamespaceUnknown, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A request for an unknown track or namespace under .session is refused with DOES_NOT_EXIST.",
		In:   "18-19 3.2.2/3; 20 3.2.2; 21-22 6.5",
	},
}
