package rules

import "github.com/moqinterop/moq-interop-client/moqt/wire"

// Sessions.
const (
	Setup      ID = "setup"
	Close      ID = "close"
	RequestID  ID = "request-id"
	Goaway     ID = "goaway"
	GoawayOnce ID = "goaway-once"
	GoawayURI  ID = "goaway-uri"
	Token      ID = "token"
	TokenAlias ID = "token-alias"
	TokenCache ID = "token-cache"
)

// Requests.
const (
	OneAnswer     ID = "one-answer"
	AnswerType    ID = "answer-type"
	NotSupported  ID = "not-supported"
	UnknownTrack  ID = "unknown-track"
	CancelRequest ID = "cancel-request"
)

// Namespaces.
const (
	PublishNamespace   ID = "publish-namespace"
	WithdrawNamespace  ID = "withdraw-namespace"
	SubscribeNamespace ID = "subscribe-namespace"
	PrefixMatch        ID = "prefix-match"
	PrefixOverlap      ID = "prefix-overlap"
	TracksOverlap      ID = "tracks-overlap"
	SubscribeTracks    ID = "subscribe-tracks"
	SkippedTracks      ID = "skipped-tracks"
	TracksParameters   ID = "tracks-parameters"
)

// Publishing.
const (
	Routing            ID = "routing"
	Upstream           ID = "upstream"
	Publish            ID = "publish"
	Rendezvous         ID = "rendezvous"
	MultiplePublishers ID = "multiple-publishers"
	FurtherPublisher   ID = "further-publisher"
	PublishDone        ID = "publish-done"
)

// Subscriptions.
const (
	Unsubscribe    ID = "unsubscribe"
	TrackAlias     ID = "track-alias"
	LargestObject  ID = "largest-object"
	LocationFilter ID = "location-filter"
	RangeFilter    ID = "range-filter"
	ForwardState   ID = "forward-state"
	Update         ID = "update"
)

// Objects.
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

// Fetches.
const (
	Fetch             ID = "fetch"
	FetchOrder        ID = "fetch-order"
	FetchEnd          ID = "fetch-end"
	FetchInvalidRange ID = "fetch-invalid-range"
	FetchUpstream     ID = "fetch-upstream"
	FetchCancel       ID = "fetch-cancel"
	Join              ID = "join"
	JoiningFetch      ID = "joining-fetch"
	Fill              ID = "fill"
	TrackStatus       ID = "track-status"
)

// columns are the sections in the drafts 14 to 22.
type columns = [wire.Newest - wire.Oldest + 1]string

var table = []Rule{
	// Sessions
	{
		ID:   Setup,
		Says: "The session begins with a setup message from each side, and each side reads the other's.",
		sections: columns{"3.3 9.3", "3.3 9.3", "3.3 9.3", "3.3 9.4", "3.3 10.3",
			"3.3 10.3", "3.3 10.3", "6.3 9.1", "6.3 9.1"},
	},
	{
		ID:       Close,
		Says:     "A session is closed with a code that says why; NO_ERROR when there was no error.",
		sections: columns{"3.4", "3.4", "3.4", "3.5", "3.5", "3.5", "3.5", "6.6", "6.6"},
	},
	{
		ID: RequestID,
		Says: "The peer's limit of Request IDs is kept; an ID that is over it, or not the next one, closes the " +
			"session.",
		sections: columns{"9.5 9.1", "9.5 9.1", "9.5 9.1", "", "", "", "", "", ""},
	},
	{
		ID:   Goaway,
		Says: "GOAWAY announces the end of a session and ends no subscription by itself.",
		sections: columns{"3.5 9.4", "3.5 9.4", "3.5 9.4", "3.6 9.5", "3.6 10.4",
			"3.6 10.4", "3.6 10.4", "6.6.1 9.2", "6.6.1 9.2"},
	},
	{
		ID:       GoawayOnce,
		Says:     "A second GOAWAY on a stream closes the session with PROTOCOL_VIOLATION.",
		sections: columns{"9.4", "9.4", "9.4", "9.5", "10.4", "10.4", "10.4", "9.2", "9.2"},
	},
	{
		ID:       GoawayURI,
		Says:     "A server that gets a GOAWAY with a URI closes the session with PROTOCOL_VIOLATION.",
		sections: columns{"9.4", "9.4", "9.4", "9.5", "10.4", "10.4", "10.4", "9.2", "9.2"},
	},
	{
		ID:       Token,
		Says:     "A token that was registered under an alias counts as if it had been sent again.",
		sections: columns{"9.2.1.1", "9.2.1.1", "9.2.2.1", "9.3.2", "10.2.2", "10.2.2", "10.2.2", "8.9", "8.9"},
	},
	{
		ID:       TokenAlias,
		Says:     "Registering a token alias that is in use closes the session with DUPLICATE_AUTH_TOKEN_ALIAS.",
		sections: columns{"9.2.1.1", "9.2.1.1", "9.2.2.1", "9.3.2", "10.2.2", "10.2.2", "10.2.2", "8.9", "8.9"},
	},
	{
		ID:       TokenCache,
		Says:     "Registering more than the peer stores closes the session with AUTH_TOKEN_CACHE_OVERFLOW.",
		sections: columns{"9.2.1.1", "9.2.1.1", "9.2.2.1", "9.3.2", "10.2.2", "10.2.2", "10.2.2", "8.9", "8.9"},
	},

	// Requests
	{
		ID:       OneAnswer,
		Says:     "SUBSCRIBE and PUBLISH get exactly one answer: an OK or an error.",
		sections: columns{"5.1", "5.1", "5.1", "5.1", "5.1", "5.1", "5.1", "3.1", "3.1"},
	},
	{
		ID:       AnswerType,
		Says:     "The answer to a request is the message that the draft names for it.",
		sections: columns{"9", "9.7", "9.7", "9.6", "10.5", "10.5", "10.5", "9.3", "9.3"},
	},
	{
		ID:       NotSupported,
		Says:     "A request whose type the receiver does not support is refused with NOT_SUPPORTED.",
		sections: columns{"9.9 9.15 9.18 9.30", "9.8", "9.8", "9.7", "10.6.2", "10.6.2", "10.6.2", "9.4.2", "9.4.2"},
	},
	{
		ID:       UnknownTrack,
		Says:     "A request for a track that does not exist is refused.",
		sections: columns{"9.9 9.18", "9.8", "9.8", "9.7", "10.6.2", "10.6.2", "10.6.2", "9.4.2", "9.4.2"},
	},
	{
		ID:       CancelRequest,
		Says:     "Either end may cancel a request, by ending both directions of its stream abruptly.",
		sections: columns{"", "", "", "3.3.1", "3.3.2", "3.3.3", "3.3.3", "6.4.2.3", "6.4.2.3"},
	},

	// Namespaces
	{
		ID: PublishNamespace,
		Says: "A publisher tells with PUBLISH_NAMESPACE where it has tracks, and the relay accepts or refuses " +
			"it.",
		sections: columns{"6.2 9.23", "6.2 9.20", "6.2 9.20", "6.2 9.17", "6.2 10.15",
			"6.2 10.15", "6.2 10.16", "4.1 9.14", "4.1 9.14"},
	},
	{
		ID:   WithdrawNamespace,
		Says: "A publisher may withdraw a namespace at any time; the session goes on.",
		sections: columns{"6.2 9.26", "6.2 9.21", "6.2 9.22", "6.2 3.3.1", "6.2 3.3.2",
			"6.2 3.3.3", "6.2 3.3.3", "4.1 6.4.2.3", "4.1 6.4.2.3"},
	},
	{
		ID:   SubscribeNamespace,
		Says: "A namespace subscriber is told of each namespace under its prefix, and when it goes.",
		sections: columns{"6.1 9.28", "6.1 9.23", "6.1 9.25", "6.1 9.20", "6.1 10.18",
			"6.1 10.18", "6.1 10.19", "4.2 9.15", "4.2 9.15"},
	},
	{
		ID:       PrefixMatch,
		Says:     "A prefix matches a namespace field by field.",
		sections: columns{"8.4", "8.5", "8.5", "8.5", "9.5", "9.5", "9.5", "2.4.2", "2.4.2"},
	},
	{
		ID: PrefixOverlap,
		Says: "A second SUBSCRIBE_NAMESPACE whose prefix shares a common prefix with the first is refused with " +
			"PREFIX_OVERLAP.",
		sections: columns{"9.28", "9.23", "9.25", "9.20", "10.18", "10.18", "10.19", "4.2", "4.2"},
	},
	{
		ID: TracksOverlap,
		Says: "A second SUBSCRIBE_TRACKS whose prefix shares a common prefix with the first is refused with " +
			"PREFIX_OVERLAP.",
		sections: columns{"", "", "", "", "10.19", "10.19", "10.20", "3.6", "3.6"},
	},
	{
		ID: SubscribeTracks,
		Says: "A relay sends PUBLISH for each matching track to those who asked for the tracks of its " +
			"namespace (14 to 17: with SUBSCRIBE_NAMESPACE).",
		sections: columns{"8.4 9.28", "8.5 9.23", "8.5 9.25", "8.5 9.20", "9.5 10.19",
			"9.5 10.19", "9.5 10.20", "3.6 7.6", "3.6 7.6"},
	},
	{
		ID: SkippedTracks,
		Says: "A track for which no PUBLISH can be sent is named to the subscriber (17 and 18: " +
			"PUBLISH_BLOCKED; later PUBLISH_SKIPPED).",
		sections: columns{"", "", "", "9.21", "10.20", "10.20", "10.21", "3.6.3 9.19", "3.6.3 9.19"},
	},
	{
		ID:       TracksParameters,
		Says:     "The parameters of SUBSCRIBE_TRACKS stand in the PUBLISHes that it leads to.",
		sections: columns{"", "", "", "", "10.19", "10.19.1", "10.20.1", "3.6.2", "3.6.2"},
	},

	// Publishing
	{
		ID: Routing,
		Says: "A relay sends SUBSCRIBE to every publisher of the track or of a prefix of its namespace, and to " +
			"no other.",
		sections: columns{"8.4", "8.5", "8.5", "8.5", "9.5", "9.5", "9.5", "7.6 2.4.2", "7.6 2.4.2"},
	},
	{
		ID:       Upstream,
		Says:     "A relay has an upstream subscription before it sends SUBSCRIBE_OK.",
		sections: columns{"8.3", "8.4", "8.4", "8.4", "9.4", "9.4", "9.4", "7.4", "7.4"},
	},
	{
		ID:   Publish,
		Says: "A track is announced with PUBLISH, and the relay accepts or refuses it.",
		sections: columns{"8.4 9.13", "8.5 9.13", "8.5 9.13", "8.5 9.11", "9.5 10.10",
			"9.5 10.10", "9.5 10.11", "7.6 9.8", "7.6 9.8"},
	},
	{
		ID: Rendezvous,
		Says: "A SUBSCRIBE with RENDEZVOUS_TIMEOUT waits that long for a publisher, and ends with TIMEOUT when " +
			"none comes.",
		sections: columns{"", "", "", "9.3.4", "10.2.6", "10.2.6", "10.2.6", "9.20.7", "9.20.6"},
	},
	{
		ID:   MultiplePublishers,
		Says: "A relay asks every publisher of a track, and forwards the objects of each.",
		sections: columns{"8.2 8.4", "8.3 8.5", "8.3 8.5", "8.3 8.5", "9.3 9.5",
			"9.3 9.5", "9.3 9.5", "7.3 7.6", "7.3 7.6"},
	},
	{
		ID:       FurtherPublisher,
		Says:     "A relay may refuse a further publisher of a track or namespace, or give one up.",
		sections: columns{"8.2", "8.3", "8.3", "8.3", "9.3", "9.3", "9.3", "7.3", "7.3"},
	},
	{
		ID:       PublishDone,
		Says:     "PUBLISH_DONE comes when all streams of a subscription are closed, and counts them.",
		sections: columns{"9.12", "9.15", "9.15", "9.13", "10.11", "10.11", "10.12", "9.9", "9.9"},
	},

	// Subscriptions
	{
		ID:   Unsubscribe,
		Says: "A subscriber may leave at any time; the publisher then resets the subscription's streams.",
		sections: columns{"9.11", "5.1.1 9.12", "5.1.1 9.12", "5.1.1", "5.1.1",
			"5.1.1", "5.1.1", "3.1.2 6.4.2.3", "3.1.2 6.4.2.3"},
	},
	{
		ID:       TrackAlias,
		Says:     "A Track Alias stands for one track at a time in a session.",
		sections: columns{"10.1", "10.1", "10.1", "10.1", "11.1", "11.1", "11.1", "3.1.3", "3.1.3"},
	},
	{
		ID:   LargestObject,
		Says: "A publisher that has published objects tells the Largest Object.",
		sections: columns{"9.8", "5.1.2 9.2.1.9", "5.1.2 9.2.2.7", "5.1.2 9.3.9", "5.1.2 10.2.11",
			"5.1.2 10.2.16", "5.1.2 10.2.17", "3.1.4 9.20.18", "3.1.4 9.20.17"},
	},
	{
		ID:       LocationFilter,
		Says:     "A publisher sends nothing outside of the range that a subscription asks for.",
		sections: columns{"5.1 9.7", "5.1.2", "5.1.2", "5.1.2", "5.1.2", "5.1.2", "5.1.2", "3.3.1", "3.3.1"},
	},
	{
		ID:       RangeFilter,
		Says:     "A publisher sends only objects that pass a subscription's range filters.",
		sections: columns{"", "", "", "", "", "5.1.3", "5.1.4", "3.3.2", "3.3.2"},
	},
	{
		ID: ForwardState,
		Says: "No object is sent with Forward State 0; with 1 the relay has an upstream subscription that " +
			"brings them.",
		sections: columns{"5.1 8.4", "5.1 8.2 8.5", "5.1 8.2 8.5", "5.1 8.2 8.5", "5.1 9.5",
			"5.1 9.5", "5.1 9.5", "3.1.1 7.2 7.6", "3.1.1 7.2 7.6"},
	},
	{
		ID: Update,
		Says: "A subscriber changes its subscription with an update, which the publisher heeds and from 15 on " +
			"answers.",
		sections: columns{"9.10", "9.11", "9.11.1", "9.10.1", "10.9.1", "10.9.1", "10.9.1", "9.5.1", "9.5.1"},
	},

	// Objects
	{
		ID: Forwarding,
		Says: "A relay forwards every object that a subscription lets pass, and neither drops nor reorders any " +
			"on a stream.",
		sections: columns{"8.3", "8.4", "8.4", "8.4", "9.4", "9.4", "9.4", "7.4", "7.4"},
	},
	{
		ID:       ObjectFields,
		Says:     "A relay does not change the fields and the payload of an object.",
		sections: columns{"8.5", "8.6", "8.7", "8.7", "9.7", "9.7", "9.7", "7.8 2.1.1", "7.8 2.1.1"},
	},
	{
		ID:       Subgroups,
		Says:     "The objects of a subgroup travel on one stream.",
		sections: columns{"2.2", "2.2", "2.2", "2.2", "2.2", "2.2", "2.2", "2.2", "2.2"},
	},
	{
		ID:       SubgroupEnd,
		Says:     "The stream of a complete subgroup ends with FIN; one that lacks objects is reset.",
		sections: columns{"10.4.3", "10.4.3", "10.4.3", "10.4.3", "11.4.3", "11.4.3", "11.4.3", "11.3.2", "11.3.2"},
	},
	{
		ID:   ObjectStatus,
		Says: "An object with a status says where a group or a track ends.",
		sections: columns{"10.2.1.1", "10.2.1.1", "10.2.1.1", "10.2.1.1", "11.2.1.1",
			"11.2.1.1", "11.2.1.1", "11.1.2", "11.1.1"},
	},
	{
		ID:       DeliveryMode,
		Says:     "An object published as a datagram is forwarded as a datagram.",
		sections: columns{"8.5", "8.6", "8.7", "8.7", "9.7", "9.7", "9.7", "2.1.1", "2.1.1"},
	},
	{
		ID:       ObjectProperties,
		Says:     "A relay forwards properties that it does not know.",
		sections: columns{"10.2.1.2", "10.2.1.2", "2.5", "2.5", "2.5", "2.5", "2.5", "8.4", "8.4"},
	},
	{
		ID:   ImmutableProperties,
		Says: "A relay changes nothing in Immutable Properties.",
		sections: columns{"11.2", "11.2", "11.1 2.5", "11.6 2.5", "2.5 12.7",
			"2.5 12.7", "2.5 12.7", "8.4 10.7", "8.4 10.7"},
	},
	{
		ID:       TrackProperties,
		Says:     "A relay passes on all properties of a track.",
		sections: columns{"", "", "8.6", "8.6", "9.6", "9.6", "9.6", "7.7", "7.7"},
	},
	{
		ID: MandatoryProperties,
		Says: "A track with a Mandatory Track Property that the relay does not understand is refused with " +
			"UNSUPPORTED_EXTENSION.",
		sections: columns{"", "", "", "", "2.5.1", "2.5.1", "2.5.1", "3.7", "3.7"},
	},
	{
		ID:       Priorities,
		Says:     "When not all can be sent, what has the higher priority is sent first.",
		sections: columns{"7.2", "7.2", "7.2", "7.2", "7.2", "7.2", "7.2", "5.1.2", "5.1.2"},
	},
	{
		ID: DeliveryTimeouts,
		Says: "An object that has waited longer than the delivery timeout is not sent, and its stream is " +
			"reset.",
		sections: columns{"9.2.1.2", "9.2.1.2", "9.2.2.2", "9.3.3", "8", "8", "8", "5.2", "5.2"},
	},
	{
		ID:       TooFarBehind,
		Says:     "A publisher may give up a subscriber that reads too slowly, with TOO_FAR_BEHIND.",
		sections: columns{"9.12", "9.15", "9.15", "9.13", "8 10.11", "8 10.11", "8 10.12", "5.2 9.9", "5.2 9.9"},
	},

	// Fetches
	{
		ID:   Fetch,
		Says: "FETCH returns exactly the objects of its range, on one stream that ends with FIN.",
		sections: columns{"9.16 9.16.3", "9.16 9.16.3", "9.16 9.16.3", "9.14 9.14.3", "10.12 10.12.3",
			"10.12 10.12.3", "10.13", "3.2 3.2.1 3.2.2", "3.2 3.2.1 3.2.2"},
	},
	{
		ID:       FetchOrder,
		Says:     "FETCH returns groups in the order that was asked for.",
		sections: columns{"9.16.3", "9.16.3", "9.16.3", "9.14.3", "10.12.3", "10.12.3", "10.13", "3.2.1", "3.2.1"},
	},
	{
		ID:       FetchEnd,
		Says:     "FETCH_OK tells where the answer ends.",
		sections: columns{"9.17", "9.17", "9.17", "9.15", "10.13", "10.13", "10.14", "3.2 9.12", "3.2 9.12"},
	},
	{
		ID:       FetchInvalidRange,
		Says:     "A FETCH that starts after the Largest Object is refused with INVALID_RANGE.",
		sections: columns{"9.16.3", "9.16.3", "9.16.3", "9.14.3", "10.12.3", "10.12.3", "10.13", "3.2", "3.2"},
	},
	{
		ID:       FetchUpstream,
		Says:     "A relay asks a publisher for what it does not hold: it may up to 19, and must from 20 on.",
		sections: columns{"8.4", "8.5", "8.5", "8.5", "9.5", "9.5", "9.5", "3.2.3 7.6", "3.2.3 7.6"},
	},
	{
		ID:       FetchCancel,
		Says:     "A FETCH may be cancelled at any time; the publisher then resets its stream.",
		sections: columns{"9.19", "5.2 9.18", "5.2 9.18", "5.2", "5.2", "5.2", "5.2", "3.2.4", "3.2.4"},
	},
	{
		ID: Join,
		Says: "A subscriber joins a live track with a joining FETCH up to 19, from 20 on with a fill, and " +
			"misses nothing between.",
		sections: columns{"9.16.2", "9.16.2", "9.16.2", "9.14.2", "10.12.2",
			"10.12.2", "5.1.3 5.1.6", "3.4 3.5", "3.4 3.5"},
	},
	{
		ID: JoiningFetch,
		Says: "A joining FETCH names a subscription of the session, and has a range only when objects were " +
			"published.",
		sections: columns{"9.16.2", "9.16.2", "9.16.2", "9.14.2", "10.12.2", "10.12.2", "", "", ""},
	},
	{
		ID:       Fill,
		Says:     "A fill returns the objects of its range on a stream of its own; an empty fill has no stream.",
		sections: columns{"", "", "", "", "", "", "5.1.3", "3.4 3.4.1", "3.4 3.4.1"},
	},
	{
		ID:       TrackStatus,
		Says:     "TRACK_STATUS is answered with what SUBSCRIBE_OK would say.",
		sections: columns{"9.20", "9.19", "9.19", "9.16", "10.14", "10.14", "10.15", "9.13", "9.13"},
	},
}
