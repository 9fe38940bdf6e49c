package rules

// Publishing, as the code names them.
const (
	Routing            ID = "routing"
	Upstream           ID = "upstream"
	Publish            ID = "publish"
	Rendezvous         ID = "rendezvous"
	MultiplePublishers ID = "multiple-publishers"
	FurtherPublisher   ID = "further-publisher"
	PublishDone        ID = "publish-done"
)

// publishing are the rules of how a relay finds publishers, and of PUBLISH.
var publishing = []Rule{
	{
		ID: Routing, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay sends SUBSCRIBE to every publisher of the track or of a prefix of its namespace, and to no " +
			"other.",
		In: "14 8.4/2; 15-17 8.5/2; 18-19 9.5/2; 20 9.5; 21-22 7.6 2.4.2",
	},
	{
		ID: Upstream, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay has an upstream subscription before it sends SUBSCRIBE_OK.",
		In:   "14 8.3/2; 15-17 8.4/2; 18-19 9.4/2; 20 9.4; 21-22 7.4",
	},
	{
		ID: Publish, Binds: Relay, Level: Must, By: Cases,
		Says: "A track is announced with PUBLISH, and the relay accepts or refuses it.",
		In:   "14 8.4 9.13; 15-16 8.5 9.13; 17 8.5 9.11; 18-19 9.5 10.10; 20 9.5 10.11; 21-22 7.6 9.8",
	},
	{
		ID: Rendezvous, Binds: Relay, Level: Should, By: Cases,
		Says: "A SUBSCRIBE with RENDEZVOUS_TIMEOUT waits that long for a publisher, and ends with TIMEOUT when " +
			"none comes.",
		In: "17 9.3.4; 18-20 10.2.6; 21 9.20.7; 22 9.20.6",
	},
	{
		ID: MultiplePublishers, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay asks every publisher of a track, and forwards the objects of each.",
		In:   "14 8.2/1 8.4; 15-17 8.3/1 8.5; 18-19 9.3/1 9.5; 20 9.3 9.5; 21-22 7.3 7.6",
	},
	{
		ID: FurtherPublisher, Binds: Relay, Level: May, By: Cases,
		Says: "A relay may refuse a further publisher of a track or namespace, or give one up.",
		In:   "14 8.2; 15-17 8.3; 18-20 9.3; 21-22 7.3",
	},
	{
		ID: PublishDone, Binds: Publisher, Level: Must, By: Cases,
		Says: "PUBLISH_DONE comes when all streams of a subscription are closed, and counts them.",
		In:   "14 9.12/1; 15-16 9.15/1; 17 9.13/1; 18-19 10.11/1; 20 10.12; 21-22 9.9",
	},
}
