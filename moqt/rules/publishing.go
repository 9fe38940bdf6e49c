package rules

// Publishing, as the code names them.
const (
	ForwardEager        ID = "forward-eager"
	NewGroupSupport     ID = "new-group-support"
	UpstreamEstablished ID = "upstream-established"
	Routing             ID = "routing"
	Upstream            ID = "upstream"
	Publish             ID = "publish"
	Rendezvous          ID = "rendezvous"
	MultiplePublishers  ID = "multiple-publishers"
	FurtherPublisher    ID = "further-publisher"
	PublishDone         ID = "publish-done"
	StreamCount         ID = "stream-count"
	DoneCode            ID = "done-code"
	LatePublisher       ID = "late-publisher"
	PublishDoneAlways   ID = "publish-done-always"
	NewGroupUpstream    ID = "new-group-upstream"
	NewGroupUpdate      ID = "new-group-update"
	RendezvousZero      ID = "rendezvous-zero"
	DoneFin             ID = "done-fin"
)

// publishing are the rules of how a relay finds publishers, of PUBLISH and PUBLISH_DONE.
var publishing = []Rule{
	{
		ID: Routing, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay sends SUBSCRIBE to every publisher of the track or of a prefix of its namespace, and to no " +
			"other.",
		In: "14 8.4/2; 15-17 8.5/2; 18-19 9.5/2; 20 9.5; 21 7.5; 22 7.6 2.4.2",
	},
	{
		ID: Upstream, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay has an upstream subscription before it sends SUBSCRIBE_OK.",
		In:   "14 8.3/2; 15-17 8.4/2; 18-19 9.4/2; 20 9.4; 21-22 7.4",
	},
	{
		ID: UpstreamEstablished, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay answers SUBSCRIBE with SUBSCRIBE_OK at once when it has the track from upstream already.",
		In:   "14 8.4/3; 15-17 8.5/3; 18-19 9.5/3; 20 9.5; 21 7.5; 22 7.6",
	},
	{
		ID: LatePublisher, Binds: Relay, Level: Must, By: Cases,
		Says: "A publisher that comes late gets a SUBSCRIBE for each subscription that waits under its namespace, " +
			"or PUBLISH_OK for its track.",
		In: "14 8.4/5; 15-17 8.5/5; 18-19 9.5/5; 20 9.5; 21 7.5; 22 7.6",
	},
	{
		ID: Publish, Binds: Relay, Level: Must, By: Cases,
		Says: "A track is announced with PUBLISH, and the relay accepts or refuses it.",
		In:   "14 8.4 9.13; 15-16 8.5 9.13; 17 8.5 9.11; 18-19 9.5 10.10; 20 9.5 10.11; 21 7.5 9.8; 22 7.6 9.8",
	},
	{
		ID: Rendezvous, Binds: Relay, Level: Should, By: Cases,
		Says: "A SUBSCRIBE with RENDEZVOUS_TIMEOUT waits that long for a publisher, and ends with TIMEOUT when " +
			"none comes.",
		In: "17 9.3.4; 18-20 10.2.6; 21 9.20.7; 22 9.20.6",
	},
	{
		ID: RendezvousZero, Binds: Relay, Level: Must, By: Cases,
		Says: "RENDEZVOUS_TIMEOUT 0 is refused at once with DOES_NOT_EXIST when no publisher is there.",
		In:   "17 9.3.4/1; 18-19 10.2.6/1; 20 10.2.6; 21 9.20.7; 22 9.20.6",
	},
	{
		ID: MultiplePublishers, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay asks every publisher of a track, and forwards the objects of each.",
		In:   "14 8.2/1 8.4; 15-17 8.3/1 8.5; 18-19 9.3/1 9.5; 20 9.3 9.5; 21 7.3 7.5; 22 7.3 7.6",
	},
	{
		ID: FurtherPublisher, Binds: Relay, Level: May, By: Cases,
		Says: "A relay may refuse a further publisher of a track or namespace, or give one up.",
		Unwatched: "It may be done and left undone. Cases with two publishers accept both, and end as skipped " +
			"where one is refused.",
		In: "14 8.2; 15-17 8.3; 18-20 9.3; 21-22 7.3",
	},
	{
		ID: PublishDone, Binds: Publisher, Level: Must, By: Cases,
		Says: "PUBLISH_DONE comes when all streams of a subscription are closed, and counts them.",
		In: "14 9.12/1 5.1/5; 15-16 9.15/1 5.1.1/2; 17 9.13/1 5.1.1/2; 18-19 10.11/1 5.1.1/2; 20 10.12 5.1.1; 21 " +
			"9.9 3.1.1; 22 9.9 3.1.2",
	},
	{
		ID: PublishDoneAlways, Binds: Publisher, Level: Must, By: Cases,
		Says: "A subscription that its publisher ends, ends with PUBLISH_DONE.",
		In:   "14 9.12/2; 15-16 9.15/2; 17 9.13/2; 18-19 10.11/2; 20 10.12; 21-22 9.9",
	},
	{
		ID: StreamCount, Binds: Publisher, Level: Must, By: Cases,
		Says: "PUBLISH_DONE has the number of streams opened, 0 when there was none, and the largest number when " +
			"it is not known.",
		In: "14 9.12/3; 15-16 9.15/3; 17 9.13/3; 18-19 10.11/3; 20 10.12; 21-22 9.9",
	},
	{
		ID: NewGroupUpstream, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay without an upstream subscription passes NEW_GROUP_REQUEST on in its SUBSCRIBE.",
		In: "15 9.2.1.12/2; 16 9.2.2.9/2; 17 9.3.11/2; 18 10.2.13/2; 19 10.2.18/2; 20 10.2.19; 21 9.20.20; 22 " +
			"9.20.19",
	},
	{
		ID: NewGroupUpdate, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay passes a NEW_GROUP_REQUEST above the Largest Group on in an update, unless one is on its " +
			"way.",
		In: "15 9.2.1.12/3; 16 9.2.2.9/3; 17 9.3.11/3; 18 10.2.13/3; 19 10.2.18/3; 20 10.2.19; 21 9.20.20; 22 " +
			"9.20.19",
	},
	{
		ID: NewGroupSupport, Binds: Subscriber, Level: Must, By: Cases,
		Says: "NEW_GROUP_REQUEST is sent only for tracks that have dynamic groups, except in SUBSCRIBE.",
		In: "15 9.2.1.12/1; 16 9.2.2.9/1; 17 9.3.11/1; 18 10.2.13/1; 19 10.2.18/1; 20 10.2.19; 21 9.20.20; 22 " +
			"9.20.19",
	},
	{
		ID: "exact-publisher", Binds: Relay | Subscriber, Level: Should,
		Says: "When a publisher's namespace is exactly the track's, the track is asked for from such publishers " +
			"alone.",
		Why: "A relay must ask the publishers of a prefix too (routing); that one is judged.",
		In:  "14-20 6.2; 21 4.2; 22 4.1",
	},
	{
		ID: ForwardEager, Binds: Relay, Level: Should, By: Cases,
		Says: "A new subscription upstream has Forward State 1, whatever the subscriber's.",
		In:   "14 9.7; 15-17 8.2; 18 9.2",
	},
	{
		ID: DoneCode, Binds: Publisher, Level: Should, By: Cases,
		Says: "The code of PUBLISH_DONE says why the subscription ended.",
		In:   "14 9.12; 15-16 9.15; 17 9.13; 18-19 10.11; 20 10.12; 21 9.9; 22 9.9 12.4",
	},
	{
		ID: DoneFin, Binds: Publisher, Level: Should, By: Cases,
		Says: "FIN follows PUBLISH_DONE at once.",
		In:   "18 10.11; 19-20 3.3.2; 21-22 6.4.2.2",
	},
}
