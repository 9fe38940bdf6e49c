package rules

// Subscriptions, as the code names them.
const (
	DynamicGroupsKept           ID = "dynamic-groups-kept"
	PendingSubscription         ID = "pending-subscription"
	NoObjectsAfterError         ID = "no-objects-after-error"
	Unsubscribe                 ID = "unsubscribe"
	SubscribeOKFirst            ID = "subscribe-ok-first"
	TrackAlias                  ID = "track-alias"
	TrackAliasDuplicate         ID = "track-alias-duplicate"
	PublishAliasDuplicate       ID = "publish-alias-duplicate"
	LargestObject               ID = "largest-object"
	RelayLargestObject          ID = "relay-largest-object"
	JoiningLocation             ID = "joining-location"
	LocationFilter              ID = "location-filter"
	RangeFilter                 ID = "range-filter"
	RangeFilterBound            ID = "range-filter-bound"
	RangeFilterRepeated         ID = "range-filter-repeated"
	RangeFilterLimit            ID = "range-filter-limit"
	ForwardState                ID = "forward-state"
	ForwardUpstream             ID = "forward-upstream"
	ForwardReply                ID = "forward-reply"
	PastRange                   ID = "past-range"
	DuplicateSubscriptionCloses ID = "duplicate-subscription-closes"
	SelfSubscription            ID = "self-subscription"
	DuplicateSubscription       ID = "duplicate-subscription"
	MatchingSubscriptions       ID = "matching-subscriptions"
	StateNotifyValues           ID = "state-notify-values"
	StateNotifyLargest          ID = "state-notify-largest"
)

// subscriptions are the rules of SUBSCRIBE and of what it may ask for.
var subscriptions = []Rule{
	{
		ID: Unsubscribe, Binds: Publisher, Level: Must, By: Cases,
		Says: "A subscriber may leave at any time; the publisher then resets the subscription's streams.",
		In:   "14 9.11 5.1/4; 15-16 5.1.1/1 9.12; 17-19 5.1.1/1; 20 5.1.1; 21 3.1.1 6.4.2.3; 22 3.1.2 6.4.2.3",
	},
	{
		ID: SubscribeOKFirst, Binds: Publisher, Level: Must, By: Cases,
		Says: "A successful SUBSCRIBE is answered with SUBSCRIBE_OK.",
		In:   "14 9.7/5; 15 9.9/2; 16 9.9/1; 17 9.8/1; 18-19 10.7/1; 20 10.7; 21-22 9.6",
	},
	{
		ID: DuplicateSubscription, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A session has one subscription to a track in each role; a second one is refused with " +
			"DUPLICATE_SUBSCRIPTION.",
		In: "14 9.7/1; 15 9.9/1; 16-18 5.1/4",
	},
	{
		ID: PendingSubscription, Binds: Endpoint, Level: Must, By: Cases,
		Says: "While a track is being asked for, a second SUBSCRIBE is refused, and a PUBLISH takes the place of " +
			"one's own SUBSCRIBE.",
		In: "16-18 5.1/5",
	},
	{
		ID: MatchingSubscriptions, Binds: Publisher, Level: Must, By: Cases,
		Says: "An object is sent once for each subscription that it matches.",
		In:   "19 5.1/4; 20 5.1; 21-22 3.1",
	},
	{
		ID: TrackAlias, Binds: Publisher, Level: Must, By: Session | Cases,
		Says: "A Track Alias stands for one track at a time in a session.",
		In: "14 10.1 9.8/1 9.13/1; 15-16 10.1 9.10/1 9.13/1; 17 10.1 9.9/1 9.11/1; 18-19 11.1/1; 20 11.1; 21 " +
			"3.1.2; 22 3.1.3",
	},
	{
		ID: TrackAliasDuplicate, Binds: Subscriber, Level: Must, By: Session | Cases,
		Says: "A SUBSCRIBE_OK with an alias that is in use for another track closes the session with " +
			"DUPLICATE_TRACK_ALIAS.",
		In: "14 9.8/1; 15-16 9.10/1; 17 9.9/1; 18-19 11.1/1; 20 11.1; 21 3.1.2; 22 3.1.3",
	},
	{
		ID: PublishAliasDuplicate, Binds: Subscriber, Level: Must, By: Session | Cases,
		Says: "A PUBLISH with an alias that is in use for another track closes the session with " +
			"DUPLICATE_TRACK_ALIAS.",
		In: "14-16 9.13/1; 17 9.11/1; 18-19 11.1/1; 20 11.1; 21 3.1.2; 22 3.1.3",
	},
	{
		ID: SelfSubscription, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay serves a SUBSCRIBE for a track that the subscriber itself publishes.",
		In:   "14-19 5.1",
	},
	{
		ID: JoiningLocation, Binds: Publisher, Level: Must, By: Cases,
		Says: "A publisher keeps the Largest Object that it told a subscription, for joining fetches.",
		In:   "15-19 5.1/2",
	},
	{
		ID: LargestObject, Binds: Publisher, Level: Must, By: Cases,
		Says: "A publisher that has published objects tells the Largest Object.",
		In: "14 9.8; 15 5.1.2 9.2.1.9/1; 16 5.1.2 9.2.2.7/1; 17 5.1.2 9.3.9/1; 18 5.1.2 10.2.11/1; 19 5.1.2 " +
			"10.2.16/1; 20 5.1.2 10.2.17; 21 3.1.3 9.20.18; 22 3.1.4 9.20.17",
	},
	{
		ID: RelayLargestObject, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay tells the largest of what it was told and what it has received.",
		In:   "18 10.2.11/2; 19 10.2.16/2; 20 10.2.17; 21 9.20.18; 22 9.20.17",
	},
	{
		ID: LocationFilter, Binds: Publisher, Level: Must, By: Cases,
		Says: "A publisher sends nothing outside of the range that a subscription asks for.",
		In:   "14 5.1 9.7/6; 15 5.1.2 9.9/3; 16 5.1.2 9.9/2; 17 5.1.2 9.8/2; 18-19 5.1.2/3; 20 5.1.2; 21-22 3.3.1",
	},
	{
		ID: RangeFilter, Binds: Publisher, Level: Must, By: Cases,
		Says: "A publisher sends only objects that pass a subscription's range filters.",
		In:   "19 5.1.3 5.1.4/1; 20 5.1.4 5.1.5; 21-22 3.3.2 3.3.3",
	},
	{
		ID: RangeFilterBound, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A range filter past the largest number is refused with INVALID_FILTER.",
		In:   "19 5.1.3/1; 20 5.1.4; 21-22 8.6",
	},
	{
		ID: RangeFilterRepeated, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A range filter that repeats type, set and property in a message is refused with INVALID_FILTER.",
		In:   "19 5.1.3/2; 20 5.1.4; 21-22 3.3.2",
	},
	{
		ID: RangeFilterLimit, Binds: Endpoint, Level: Must, By: Cases,
		Says: "More ranges than MAX_FILTER_RANGES allows are refused with INVALID_FILTER.",
		In:   "19 5.1.3/3 10.3.1.6/1; 20 5.1.4 10.3.1.6; 21-22 3.3.2 9.1.6",
	},
	{
		ID: "priority-filter-bound", Binds: Endpoint, Level: Must, By: Cases,
		Says: "A priority filter above 255 is refused with INVALID_FILTER.",
		In:   "19 10.2.12/1; 20 10.2.12; 21 9.20.13; 22 9.20.12",
	},
	{
		ID: "property-filter-type", Binds: Endpoint, Level: Must, By: Cases,
		Says: "A property filter of a property that is no number is refused with INVALID_FILTER.",
		In:   "19 10.2.13/1 10.2.14/1; 20 10.2.13 10.2.14; 21 9.20.14 9.20.15; 22 9.20.13 9.20.14",
	},
	{
		ID: ForwardState, Binds: Relay | Publisher, Level: Must, By: Cases,
		Says: "No object is sent with Forward State 0; with 1 the relay has an upstream subscription that brings " +
			"them.",
		In: "14 5.1 8.4/3; 15-17 5.1 8.2 8.5/3; 18-19 5.1 9.5/3; 20 5.1 9.5; 21 3.1 7.2 7.5; 22 3.1.1 7.2 7.6",
	},
	{
		ID: ForwardUpstream, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay with a subscriber that wants objects has Forward State 1 upstream.",
		In:   "19 9.2/1; 20 9.2; 21-22 7.2",
	},
	{
		ID: ForwardReply, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay whose subscriber wants objects lets a PUBLISH bring them: by Forward State 1 in " +
			"PUBLISH_OK, from 20 on by an update.",
		In: "14 8.4/5; 15-17 8.5/5; 18-19 9.5/5; 20 9.5; 21 7.5; 22 7.6",
	},
	{
		ID: DynamicGroupsKept, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay passes DYNAMIC_GROUPS on as its publisher said it.",
		In:   "15 9.2.1.11/1",
	},
	{
		ID: NoObjectsAfterError, Binds: Publisher, Level: Must, By: Cases,
		Says: "A request that ended with an error brings no objects.",
		In:   "14 5.1/6; 15-19 5.1.1/3; 20 5.1.1; 21 3.1.1; 22 3.1.2",
	},
	{
		ID: "state-notify-who", Binds: Publisher | Subscriber, Level: Must, By: Session | Cases,
		Says: "PUBLISH_STATE_NOTIFY comes from the publisher of a subscription; another one closes the session.",
		In:   "20 10.10; 21-22 9.10",
	},
	{
		ID: StateNotifyValues, Binds: Publisher, Level: Must, By: Cases,
		Says: "A publisher changes what its subscriber controls only when asked to.",
		In:   "20 10.10; 21-22 9.10",
	},
	{
		ID: StateNotifyLargest, Binds: Publisher, Level: Must, By: Cases,
		Says: "PUBLISH_STATE_NOTIFY has the Largest Object, when it is known.",
		In:   "20 10.10; 21-22 9.10",
	},
	{
		ID: PastRange, Binds: Publisher, Level: Should, By: Cases,
		Says: "A filter whose range is over, or that cannot be met, is refused with INVALID_RANGE.",
		In:   "15-16 9.9; 17 9.8; 18-19 5.1.2",
	},
	{
		ID: DuplicateSubscriptionCloses, Binds: Publisher, Level: Should, By: Session | Cases,
		Says: "A second subscription to a track closes the session.",
		In:   "14 9.7; 15 9.9",
	},
	{
		ID: "uninterested", Binds: Subscriber, Level: Should, By: Cases,
		Says:      "A PUBLISH that is not wanted is refused with UNINTERESTED, and its streams are not read.",
		Unwatched: "A relay may wish for every PUBLISH, and nothing that a publisher does makes one unwanted.",
		In:        "14-16 9.13; 17 9.11; 18-19 10.10; 20 10.11; 21-22 9.8",
	},
}
