package rules

// Delivery, as the code names them.
const (
	TimeoutsUpstream    ID = "timeouts-upstream"
	PrioritiesUpstream  ID = "priorities-upstream"
	CacheFields         ID = "cache-fields"
	Priorities          ID = "priorities"
	DeliveryTimeouts    ID = "delivery-timeouts"
	TooFarBehind        ID = "too-far-behind"
	SubgroupTimeout     ID = "delivery-timeout-subgroup"
	MaxCacheDuration    ID = "max-cache-duration"
	PrioritiesRespected ID = "priorities-respected"
	ControlFirst        ID = "control-first"
	PriorityUpdate      ID = "priority-update"
)

// delivery are the rules of priorities, timeouts and caches.
var delivery = []Rule{
	{
		ID: Priorities, Binds: Publisher, Level: Should, By: Cases,
		Says: "When not all can be sent, what has the higher priority is sent first.",
		In:   "14-20 7.2; 21-22 5.1.2",
	},
	{
		ID: DeliveryTimeouts, Binds: Publisher, Level: Must, By: Cases,
		Says: "An object that has waited longer than the delivery timeout is not sent, and its stream is reset.",
		In:   "14-15 9.2.1.2/1; 16 9.2.2.2/2; 17 9.3.3/1; 18-19 8/2; 20 8; 21-22 5.2",
	},
	{
		ID: "delivery-timeout-clock", Binds: Publisher, Level: Must,
		Says: "An object's time counts from its first payload byte.",
		Why: "When a publisher has an object's first byte is seen only through the timeout itself, which " +
			"delivery-timeouts judges.",
		In: "18-19 8/1; 20 8; 21-22 5.2",
	},
	{
		ID: "delivery-timeout-datagram", Binds: Publisher, Level: Must,
		Says: "A datagram older than the object's timeout is dropped.",
		Why:  "Nothing that a client does keeps a datagram waiting in a relay, and any path may lose one.",
		In:   "18-19 8/3; 20 8; 21-22 5.2",
	},
	{
		ID: SubgroupTimeout, Binds: Publisher, Level: Must, By: Cases,
		Says: "A subgroup that is complete and not delivered within its timeout is reset.",
		In:   "18-19 8/4; 20 8; 21-22 5.2",
	},
	{
		ID: TooFarBehind, Binds: Publisher, Level: May, By: Cases,
		Says: "A publisher may give up a subscriber that reads too slowly, with TOO_FAR_BEHIND.",
		Unwatched: "It may be done and left undone. A relay that gives up a subscriber that reads promptly " +
			"fails whatever case it is in, and cases whose subscriber lags accept both.",
		In: "14 9.12; 15-16 9.15; 17 9.13; 18-19 8 10.11; 20 8 10.12; 21-22 5.2 9.9",
	},
	{
		ID: MaxCacheDuration, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay does not begin to forward an object that is older than MAX_CACHE_DURATION.",
		In:   "14-15 9.2.1.3/1; 16 11/2; 17 11.2/1; 18-19 12.3/1; 20 12.3; 21-22 10.3",
	},
	{
		ID: CacheFields, Binds: Relay, Level: Must, By: Cases,
		Says: "A cache keeps all fields of an object.",
		In:   "14-17 8.1/2; 18-19 9.1/2; 20 9.1; 21-22 7.1",
	},
	{
		ID: PrioritiesRespected, Binds: Relay, Level: Should, By: Cases,
		Says: "A relay heeds the priorities of its subscribers and of the original publisher.",
		In:   "14-20 7.3; 21-22 5.1.3",
	},
	{
		ID: PrioritiesUpstream, Binds: Relay, Level: Should, By: Cases,
		Says: "A relay does not ask upstream with the Subscriber Priority or Group Order of one subscriber.",
		In:   "14-20 7.3; 21-22 5.1.3",
	},
	{
		ID: PriorityUpdate, Binds: Publisher, Level: Should, By: Cases,
		Says: "A new Subscriber Priority counts for all that has not been scheduled yet.",
		In:   "14-20 7.1; 21-22 5.1.1",
	},
	{
		ID: ControlFirst, Binds: Endpoint, Level: Should, By: Cases,
		Says: "Control streams go before requests, and requests before objects.",
		In:   "17-20 7.2; 21-22 5.1.2",
	},
	{
		ID: TimeoutsUpstream, Binds: Relay, Level: Should, By: Cases,
		Says: "A delivery timeout of one subscriber is not passed on upstream.",
		In:   "14-15 9.2.1.2; 16 9.2.2.2; 17 9.3.3; 18-20 10.2.3 10.2.4; 21 9.20.4 9.20.5; 22 9.20.3 9.20.4",
	},
}
