package rules

// Namespaces, as the code names them.
const (
	PublishNamespace    ID = "publish-namespace"
	WithdrawNamespace   ID = "withdraw-namespace"
	SubscribeNamespace  ID = "subscribe-namespace"
	NamespaceDoneOrder  ID = "namespace-done-order"
	PrefixMatch         ID = "prefix-match"
	PrefixOverlap       ID = "prefix-overlap"
	TracksOverlap       ID = "tracks-overlap"
	SubscribeTracks     ID = "subscribe-tracks"
	SkippedTracks       ID = "skipped-tracks"
	TracksParameters    ID = "tracks-parameters"
	PrefixUpdateOverlap ID = "prefix-update-overlap"
)

// namespaces are the rules of PUBLISH_NAMESPACE, SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS.
var namespaces = []Rule{
	{
		ID: PublishNamespace, Binds: Subscriber, Level: Must, By: Session | Cases,
		Says: "A publisher tells with PUBLISH_NAMESPACE where it has tracks, and the relay accepts or refuses it.",
		In: "14 6.2/2 9.23; 15-16 6.2/2 9.20; 17 6.2/2 9.17; 18-19 6.2/2 10.15; 20 6.2 10.16; 21 4.2 9.14; 22 4.1 " +
			"9.14",
	},
	{
		ID: WithdrawNamespace, Binds: Publisher, Level: May, By: Cases,
		Says: "A publisher may withdraw a namespace at any time; the session goes on.",
		In: "14 6.2 9.26; 15 6.2 9.21; 16 6.2 9.22; 17 6.2 3.3.1; 18 6.2 3.3.2; 19-20 6.2 3.3.3; 21 4.2 6.4.2.3; " +
			"22 4.1 6.4.2.3",
	},
	{
		ID: "revoke-namespace", Binds: Publisher, Level: May, By: Cases,
		Says: "Who has accepted a namespace may revoke that with PUBLISH_NAMESPACE_CANCEL; the session goes on.",
		Unwatched: "On 16 a relay tells of namespaces with NAMESPACE, on the stream of a SUBSCRIBE_NAMESPACE, " +
			"and PUBLISH_NAMESPACE_CANCEL does not end that.",
		In: "14 6.2 9.27; 15 6.2 9.22; 16 6.2 9.24",
	},
	{
		ID: SubscribeNamespace, Binds: Publisher, Level: Must, By: Cases,
		Says: "A namespace subscriber is told of each namespace under its prefix, and when it goes.",
		In: "14 6.1 9.28 6.2/1; 15 6.1 9.23 6.2/1; 16 6.1 9.25 6.2/1; 17 6.1 9.20 6.2/1; 18-19 6.1 10.18 6.2/1; " +
			"20 6.2 10.19; 21-22 4.2 9.15",
	},
	{
		ID: "namespace-first-answer", Binds: Publisher, Level: Must, By: Session,
		Says: "The first message in answer to a namespace request is an OK or an error; another one closes the " +
			"session.",
		In: "14-16 6.1/1; 17 6.1/1 9.20/2; 18-19 6.1/1 10.18/2 10.19/2; 20 6.1 10.19 10.20; 21 4.1 9.15 9.18; 22 " +
			"4.2 3.6",
	},
	{
		ID: NamespaceDoneOrder, Binds: Publisher, Level: Must, By: Session,
		Says: "NAMESPACE_DONE comes behind its NAMESPACE; one without closes the session.",
		In:   "16 9.25/4; 17 9.20/5; 18-19 10.18/5; 20 10.19; 21 9.15; 22 4.2",
	},
	{
		ID: PrefixMatch, Binds: Relay, Level: Must, By: Cases,
		Says: "A prefix matches a namespace field by field.",
		In:   "14 8.4; 15-17 8.5; 18-20 9.5; 21 7.5; 22 2.4.2",
	},
	{
		ID: PrefixOverlap, Binds: Publisher, Level: Must, By: Cases,
		Says: "A second SUBSCRIBE_NAMESPACE whose prefix shares a common prefix with the first is refused with " +
			"PREFIX_OVERLAP.",
		In: "14 9.28/2; 15 9.23/2; 16 9.25/2; 17 9.20/3; 18-19 10.18/3; 20 10.19; 21 9.15; 22 4.2",
	},
	{
		ID: TracksOverlap, Binds: Publisher, Level: Must, By: Cases,
		Says: "A second SUBSCRIBE_TRACKS whose prefix shares a common prefix with the first is refused with " +
			"PREFIX_OVERLAP.",
		In: "18-19 10.19/3; 20 10.20; 21 9.18; 22 3.6",
	},
	{
		ID: PrefixUpdateOverlap, Binds: Publisher, Level: Must, By: Cases,
		Says: "An update to a prefix that overlaps another one of the session is refused with PREFIX_OVERLAP.",
		In:   "18 10.2.14/1 10.9.2/1; 19 10.2.19/1 10.9.2/1; 20 10.9.2 10.2.20; 21 9.5.2 9.20.21; 22 9.5.2 9.20.20",
	},
	{
		ID: SubscribeTracks, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay sends PUBLISH for each matching track to those who asked for the tracks of its namespace " +
			"(14 to 17: with SUBSCRIBE_NAMESPACE).",
		In: "14 8.4/4 9.28; 15 8.5/4 9.23; 16 8.5/4 9.25; 17 8.5/4 9.20; 18-19 9.5/4 10.19; 20 9.5 10.20; 21 7.5 " +
			"9.18; 22 3.6 7.6",
	},
	{
		ID: SkippedTracks, Binds: Publisher, Level: Must, By: Cases,
		Says: "A track for which no PUBLISH can be sent is named to the subscriber (17 and 18: PUBLISH_BLOCKED; " +
			"later PUBLISH_SKIPPED).",
		In: "17 9.21 6.1/2; 18-19 10.20 6.1/2; 20 10.21 6.1; 21 9.19 4.1; 22 3.6.3 9.19",
	},
	{
		ID: TracksParameters, Binds: Publisher, Level: Must, By: Cases,
		Says: "The parameters of SUBSCRIBE_TRACKS are in the PUBLISHes that it leads to.",
		In:   "18 10.19; 19 10.19.1; 20 10.20.1; 21 9.18.1; 22 3.6.2",
	},
}
