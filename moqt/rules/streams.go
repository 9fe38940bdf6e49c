package rules

// Streams, as the code names them.
const (
	FetchDatagramBit        ID = "fetch-datagram-bit"
	SubgroupUnknownNext     ID = "subgroup-unknown-next"
	DatagramPropertiesEmpty ID = "datagram-properties-empty"
	DatagramTypeBits        ID = "datagram-type-bits"
	SubgroupTypeBits        ID = "subgroup-type-bits"
	SubgroupObjectBound     ID = "subgroup-object-bound"
	SubgroupEnd             ID = "subgroup-end"
	FetchFlags              ID = "fetch-flags"
	EndOfRange              ID = "end-of-range"
	FetchFirstObject        ID = "fetch-first-object"
	FetchGroupBound         ID = "fetch-group-bound"
	FetchObjectBound        ID = "fetch-object-bound"
	StreamCut               ID = "stream-cut"
	SubgroupEarlyEnd        ID = "subgroup-early-end"
	SubgroupNextObject      ID = "subgroup-next-object"
	SubgroupStopped         ID = "subgroup-stopped"
	SubgroupOneStream       ID = "subgroup-one-stream"
)

// streams are the rules of subgroup streams, fetch streams and datagrams.
var streams = []Rule{
	{
		ID: DatagramPropertiesEmpty, Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "A datagram that says it has properties has some; otherwise the session is closed.",
		In:   "14-17 10.3.1/1; 18-19 11.3.1/1; 20 11.3.1; 21-22 11.2.1",
	},
	{
		ID: DatagramTypeBits, Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "A datagram whose type has bits that do not go together closes the session.",
		In:   "14-15 10.3.1; 16-17 10.3.1/2; 18-19 11.3.1/2; 20 11.3.1; 21-22 11.2.1",
	},
	{
		ID: "datagram-status-properties", Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "A datagram with a status and properties closes the session.",
		In:   "17 10.3.1/3; 18-19 11.3.1/3; 20 11.3.1; 21-22 11.2.1",
	},
	{
		ID: SubgroupTypeBits, Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "A subgroup whose type has bits that do not go together closes the session.",
		In:   "14-15 10.4.2; 16-17 10.4.2/2; 18-19 11.4.2/2; 20 11.4.2; 21-22 11.3.1",
	},
	{
		ID: SubgroupObjectBound, Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "An Object ID past the largest number closes the session.",
		In:   "14-17 10.4.2; 18-19 11.4.2/3; 20 11.4.2; 21-22 11.3.1",
	},
	{
		ID: SubgroupEnd, Binds: Publisher, Level: Must, By: Cases,
		Says: "The stream of a complete subgroup ends with FIN; one that lacks objects is reset.",
		In:   "14-17 10.4.3/1,2; 18-19 11.4.3/1,2; 20 11.4.3; 21-22 11.3.2",
	},
	{
		ID: SubgroupNextObject, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay sends an object on an open subgroup stream only when it is the next one of the subgroup.",
		In:   "14-17 10.4.3/3; 18-19 11.4.3/3; 20 11.4.3; 21-22 11.3.2",
	},
	{
		ID: SubgroupUnknownNext, Binds: Relay, Level: Must, By: Cases,
		Says: "When a relay does not know whether an object is the next one, it resets the stream and opens " +
			"another.",
		In: "14-17 10.4.3/4; 18-19 11.4.3/4; 20 11.4.3; 21-22 11.3.2",
	},
	{
		ID: SubgroupEarlyEnd, Binds: Publisher, Level: Must, By: Cases,
		Says: "A subgroup stream that ends early for any other reason is reset.",
		In:   "14-17 10.4.3/5; 18-19 11.4.3/5; 20 11.4.3; 21-22 11.3.2",
	},
	{
		ID: FetchFlags, Binds: Publisher, Level: Must, By: Codec,
		Says: "A fetch stream and its objects have types and flags that the draft defines.",
		In:   "14-17 10.4.4; 18-20 11.4.4; 21-22 11.4.1",
	},
	{
		ID: EndOfRange, Binds: Publisher, Level: Must, By: Codec,
		Says: "The marker of a range that is not there has a location, and nothing behind it.",
		In:   "16-17 10.4.4.2; 18-20 11.4.4.2; 21-22 11.4.1.2",
	},
	{
		ID: FetchFirstObject, Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "The first object of a fetch stream refers to no object before it; otherwise the session is closed.",
		In:   "15 10.4.4/1; 16-17 10.4.4.1/1; 18-19 11.4.4.1/1; 20 11.4.4.1; 21-22 11.4.1.1",
	},
	{
		ID: FetchGroupBound, Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "A Group ID of a fetch stream below 0 or past the largest number closes the session.",
		In:   "18-19 11.4.4.1/2; 20 11.4.4.1; 21-22 11.4.1.1",
	},
	{
		ID: FetchObjectBound, Binds: Publisher | Subscriber, Level: Must, By: Codec | Cases,
		Says: "An Object ID of a fetch stream past the largest number closes the session.",
		In:   "15 10.4.4; 16-17 10.4.4.1; 18-19 11.4.4.1/3; 20 11.4.4.1; 21-22 11.4.1.1",
	},
	{
		ID: FetchDatagramBit, Binds: Publisher, Level: Must, By: Cases,
		Says: "An object that was published as a datagram is marked so on a fetch stream.",
		In:   "16-17 10.4.4.1/2; 18-19 11.4.4.1/4; 20 11.4.4.1; 21-22 11.4.1.1",
	},
	{
		ID: SubgroupOneStream, Binds: Publisher, Level: Should, By: Cases,
		Says: "Not more than one stream of a subgroup is open at a time.",
		In:   "14-17 10.4; 18-20 11.4; 21-22 11.3",
	},
	{
		ID: SubgroupStopped, Binds: Publisher, Level: Should, By: Cases,
		Says: "A stream that the subscriber stops is reset, and no other one is opened for its subgroup.",
		In:   "16-17 10.4.3; 18-20 11.4.3; 21-22 11.3.2",
	},
	{
		ID: StreamCut, Binds: Endpoint, Level: Should, By: Codec | Cases,
		Says: "A stream that ends within an object closes the session.",
		In:   "14-17 10.4; 18-20 11.4; 21-22 11.3",
	},
	{
		ID: "reset-at-header", Binds: Publisher, Level: Should, By: Cases,
		Says: "A stream that is reset still brings its header.",
		Unwatched: "RESET_STREAM_AT is an extension of QUIC. Of a stream that is reset without a header nobody " +
			"can tell whether its sender had sent one.",
		In: "14-17 10.4.3; 18-20 11.4.3; 21-22 11.3.2",
	},
	{
		ID: EarlyStreams, Binds: Endpoint, Level: Should, By: Cases,
		Says: "Streams that come before the control stream are kept until the session is set up.",
		In:   "16-20 3.3; 21-22 6.3",
	},
}
