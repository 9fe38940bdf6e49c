package rules

// Subscriptions, as the code names them.
const (
	Unsubscribe    ID = "unsubscribe"
	TrackAlias     ID = "track-alias"
	LargestObject  ID = "largest-object"
	LocationFilter ID = "location-filter"
	RangeFilter    ID = "range-filter"
	ForwardState   ID = "forward-state"
	Update         ID = "update"
)

// subscriptions are the rules of SUBSCRIBE and of what it may ask for.
var subscriptions = []Rule{
	{
		ID: Unsubscribe, Binds: Publisher, Level: Must, By: Cases,
		Says: "A subscriber may leave at any time; the publisher then resets the subscription's streams.",
		In:   "14 9.11; 15-16 5.1.1/1 9.12; 17-19 5.1.1/1; 20 5.1.1; 21-22 3.1.2 6.4.2.3",
	},
	{
		ID: TrackAlias, Binds: Publisher, Level: Must, By: Session,
		Says: "A Track Alias stands for one track at a time in a session.",
		In:   "14-16 10.1 9.13/1; 17 10.1 9.11/1; 18-19 11.1/1; 20 11.1; 21-22 3.1.3",
	},
	{
		ID: LargestObject, Binds: Publisher, Level: Must, By: Cases,
		Says: "A publisher that has published objects tells the Largest Object.",
		In: "14 9.8; 15 5.1.2 9.2.1.9/1; 16 5.1.2 9.2.2.7/1; 17 5.1.2 9.3.9/1; 18 5.1.2 10.2.11/1; 19 5.1.2 " +
			"10.2.16/1; 20 5.1.2 10.2.17; 21 3.1.4 9.20.18; 22 3.1.4 9.20.17",
	},
	{
		ID: LocationFilter, Binds: Publisher, Level: Must, By: Cases,
		Says: "A publisher sends nothing outside of the range that a subscription asks for.",
		In:   "14 5.1 9.7/6; 15 5.1.2 9.9/3; 16 5.1.2 9.9/2; 17 5.1.2 9.8/2; 18-19 5.1.2/3; 20 5.1.2; 21-22 3.3.1",
	},
	{
		ID: RangeFilter, Binds: Publisher, Level: Must, By: Cases,
		Says: "A publisher sends only objects that pass a subscription's range filters.",
		In:   "19 5.1.3 5.1.4/1; 20 5.1.4; 21-22 3.3.2",
	},
	{
		ID: ForwardState, Binds: Relay | Publisher, Level: Must, By: Cases,
		Says: "No object is sent with Forward State 0; with 1 the relay has an upstream subscription that brings " +
			"them.",
		In: "14 5.1 8.4/3; 15-17 5.1 8.2 8.5/3; 18-19 5.1 9.5/3; 20 5.1 9.5; 21-22 3.1.1 7.2 7.6",
	},
	{
		ID: Update, Binds: Publisher, Level: Must, By: Cases,
		Says: "A subscriber changes its subscription with an update, which the publisher heeds and from 15 on " +
			"answers.",
		In: "14 9.10; 15 9.11/2; 16 9.11.1 9.11/1; 17 9.10.1 9.10/1; 18 10.9.1 10.9/1; 19 10.9.1 10.9/2; 20 " +
			"10.9.1; 21-22 9.5.1",
	},
}
