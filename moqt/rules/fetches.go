package rules

// Fetches, as the code names them.
const (
	FetchFillTimeout  ID = "fetch-fill-timeout"
	FetchPause        ID = "fetch-pause"
	Fetch             ID = "fetch"
	FetchOrder        ID = "fetch-order"
	FetchEnd          ID = "fetch-end"
	FetchEndBound     ID = "fetch-end-bound"
	FetchType         ID = "fetch-type"
	FetchInvalidRange ID = "fetch-invalid-range"
	FetchUpstream     ID = "fetch-upstream"
	FetchCancel       ID = "fetch-cancel"
	FetchCancelStream ID = "fetch-cancel-stream"
	Join              ID = "join"
	JoiningFetch      ID = "joining-fetch"
	JoiningFilter     ID = "joining-filter"
	JoiningForward    ID = "joining-forward"
	Fill              ID = "fill"
	FillCancel        ID = "fill-cancel"
	FillFailure       ID = "fill-failure"
	FillTimeout       ID = "fill-timeout"
	TrackStatus       ID = "track-status"
)

// fetches are the rules of FETCH, of joining and of TRACK_STATUS.
var fetches = []Rule{
	{
		ID: Fetch, Binds: Publisher, Level: Must, By: Cases,
		Says: "FETCH returns exactly the objects of its range, on one stream that ends with FIN.",
		In: "14 9.16 9.16.3; 15-16 9.16 9.16.3 5.2/1; 17 9.14 9.14.3 5.2/1; 18-19 10.12 10.12.3 5.2/1; 20 10.13 " +
			"5.2; 21 3.2 9.11; 22 3.2 3.2.1 3.2.2",
	},
	{
		ID: FetchOrder, Binds: Publisher, Level: Must, By: Session | Cases,
		Says: "FETCH returns groups in the order that was asked for.",
		In:   "14-16 9.16.3/4; 17 9.14.3/4; 18-19 10.12.3/4; 20 10.13; 21 9.11; 22 3.2.1",
	},
	{
		ID: FetchEnd, Binds: Publisher, Level: Must, By: Cases,
		Says: "FETCH_OK tells where the answer ends.",
		In:   "14-16 9.17/1; 17 9.15/1; 18-19 10.13/1; 20 10.14 10.13; 21 9.12 9.11; 22 3.2 9.12",
	},
	{
		ID: FetchEndBound, Binds: Publisher | Subscriber, Level: Must, By: Session | Cases,
		Says: "A FETCH_OK whose end is before the start of the FETCH closes the session.",
		In:   "14-16 9.17/2; 17 9.15/2; 18-19 10.13/2; 20 10.14; 21-22 9.12",
	},
	{
		ID: FetchType, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A FETCH of an unknown type closes the session.",
		In:   "14-16 9.16/1; 17 9.14/1; 18-19 10.12/1",
	},
	{
		ID: "fetch-range", Binds: Subscriber, Level: Must, By: Cases,
		Says: "The end of a FETCH is not before its start.",
		In:   "14-16 9.16.3/2; 17 9.14.3/2; 18-19 10.12.3/2",
	},
	{
		ID: FetchInvalidRange, Binds: Publisher, Level: Must, By: Cases,
		Says: "A FETCH that starts after the Largest Object is refused with INVALID_RANGE.",
		In:   "14-16 9.16.3/3; 17 9.14.3/3; 18-19 10.12.3/3; 20 10.13; 21 9.11; 22 3.2",
	},
	{
		ID: "fetch-unknown-status", Binds: OriginalPublisher, Level: Must, By: Cases,
		Says: "A FETCH over objects whose status the original publisher does not know is refused with " +
			"UNKNOWN_STATUS_IN_RANGE.",
		Unwatched: "It binds original publishers, and a relay is none.",
		In:        "14-15 9.16.3/5",
	},
	{
		ID: FetchUpstream, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay asks a publisher for what it does not hold: it may up to 19, and must from 20 on.",
		In:   "14 8.4; 15-17 8.5; 18-19 9.5; 20 9.5 10.13; 21 7.5 9.11; 22 3.2.3 7.6",
	},
	{
		ID: FetchPause, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay that serves a FETCH from its cache stops before an object that it does not know, until its " +
			"publisher has told.",
		In: "14-16 9.16.3/1; 17 9.14.3/1; 18-19 10.12.3/1",
	},
	{
		ID: FetchFillTimeout, Binds: Relay, Level: Must, By: Cases,
		Says: "With FILL_TIMEOUT 0 a relay sends what it has, and marks the rest as unknown (from 20 on: as timed " +
			"out).",
		In: "18-19 10.2.5/1; 20 10.2.5; 21 9.20.6; 22 9.20.5",
	},
	{
		ID: FetchCancel, Binds: Publisher, Level: Must, By: Cases,
		Says: "A FETCH may be cancelled at any time; the publisher then resets its stream.",
		In:   "14 9.19 5.1/4; 15-16 5.2/3 9.18; 17-19 5.2/3; 20 5.2; 21 3.2.1; 22 3.2.4",
	},
	{
		ID: FetchCancelStream, Binds: Subscriber, Level: Must, By: Cases,
		Says: "A subscriber that cancels a FETCH stops its request stream, not the data stream alone.",
		In:   "14 5.1/3; 15-19 5.2/2; 20 5.2; 21 3.2.1; 22 3.2.4",
	},
	{
		ID: Join, Binds: Publisher, Level: Must, By: Cases,
		Says: "A subscriber joins a live track with a joining FETCH up to 19, from 20 on with a fill, and misses " +
			"nothing between.",
		In: "14-16 9.16.2; 17 9.14.2; 18-19 10.12.2; 20 5.1.3 5.1.6; 21-22 3.4 3.5",
	},
	{
		ID: JoiningFetch, Binds: Publisher, Level: Must, By: Cases,
		Says: "A joining FETCH names a subscription of the session, and has a range only when objects were " +
			"published.",
		In: "14-16 9.16.2/1,2; 17 9.14.2/2,3; 18-19 10.12.2/2,3",
	},
	{
		ID: JoiningFilter, Binds: Publisher, Level: Must, By: Session | Cases,
		Says: "A joining FETCH joins a subscription whose filter is Largest Object; another one closes the " +
			"session.",
		In: "14-16 9.16.2",
	},
	{
		ID: JoiningForward, Binds: Publisher, Level: Must, By: Cases,
		Says: "A joining FETCH of a subscription with Forward State 0 is refused with INVALID_RANGE; in 17 it " +
			"closes the session.",
		In: "17 9.14.2/1; 18-19 10.12.2/1",
	},
	{
		ID: Fill, Binds: Publisher, Level: Must, By: Cases,
		Says: "A fill returns the objects of its range on a stream of its own; an empty fill has no stream.",
		In:   "20 5.1.3; 21-22 3.4 3.4.1",
	},
	{
		ID: TrackStatus, Binds: Publisher, Level: Must, By: Cases,
		Says: "TRACK_STATUS is answered with what SUBSCRIBE_OK would say.",
		In:   "14 9.20; 15-16 9.19; 17 9.16; 18-19 10.14; 20 10.15; 21-22 9.13",
	},
	{
		ID: FillCancel, Binds: Publisher, Level: Must, By: Cases,
		Says: "When a subscription is cancelled, its fills are reset.",
		In:   "20 5.1.3; 21-22 3.4.1",
	},
	{
		ID: FillFailure, Binds: Publisher, Level: Must, By: Cases,
		Says: "A fill that fails is a stream that is reset, if need be behind its header.",
		In:   "20 5.1.3; 21-22 3.4.1",
	},
	{
		ID: FillTimeout, Binds: Relay, Level: Should, By: Cases,
		Says: "A relay waits for upstream objects no longer than FILL_TIMEOUT, then tells which ones did not " +
			"come.",
		In: "18-20 10.2.5; 21 9.20.6; 22 9.20.5",
	},
}
