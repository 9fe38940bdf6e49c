package rules

// Requests, as the code names them.
const (
	UpdateEachAnswer    ID = "update-each-answer"
	OneAnswer           ID = "one-answer"
	AnswerType          ID = "answer-type"
	NotSupported        ID = "not-supported"
	UnknownTrack        ID = "unknown-track"
	CancelRequest       ID = "cancel-request"
	RequestOKProperties ID = "request-ok-properties"
	RedirectURI         ID = "redirect-uri"
	RedirectName        ID = "redirect-name"
	Update              ID = "update"
	UpdateRequest       ID = "update-request"
	UpdateWho           ID = "update-who"
	UpdateLimitExceeded ID = "update-limit-exceeded"
	UpdateNarrows       ID = "update-narrows"
	UpdateRange         ID = "update-range"
)

// requests are the rules that all requests have.
var requests = []Rule{
	{
		ID: OneAnswer, Binds: Publisher | Subscriber, Level: Must, By: Session | Cases,
		Says: "SUBSCRIBE and PUBLISH get exactly one answer: an OK or an error.",
		In:   "14 5.1/2; 15-19 5.1/1; 20 5.1; 21-22 3.1",
	},
	{
		ID: AnswerType, Binds: Endpoint, Level: Must, By: Session,
		Says: "The answer to a request is the message that the draft names for it.",
		In:   "14 9; 15-16 9.7; 17 9.6; 18-20 10.5; 21-22 9.3",
	},
	{
		ID: NotSupported, Binds: Endpoint, Level: Should, By: Cases,
		Says: "A request whose type the receiver does not support is refused with NOT_SUPPORTED.",
		In:   "14 9.9 9.15 9.18 9.30; 15-16 9.8; 17 9.7; 18-19 10.6.2; 20 4 10.6.2; 21 1.5 12.3; 22 1.6 12.3",
	},
	{
		ID: UnknownTrack, Binds: Publisher, Level: Must, By: Cases,
		Says: "A request for a track that does not exist is refused.",
		In:   "14 9.9 9.18; 15-16 9.8; 17 9.7; 18-20 10.6.2; 21-22 12.3",
	},
	{
		ID: CancelRequest, Binds: Endpoint, Level: May, By: Cases,
		Says: "Either end may cancel a request, by ending both directions of its stream abruptly.",
		In:   "17 3.3.1; 18 3.3.2; 19-20 3.3.3; 21-22 6.4.2.3",
	},
	{
		ID: "graceful-fin", Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "A direction of a request stream ends with FIN only behind all that the request demands of it.",
		In:   "19 3.3.2/1; 20 3.3.2; 21-22 6.4.2.2",
	},
	{
		ID: RequestOKProperties, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A REQUEST_OK has track properties only as the answer to TRACK_STATUS; otherwise they close the " +
			"session.",
		In: "18-19 10.5/1; 20 10.5; 21-22 9.3",
	},
	{
		ID: RedirectURI, Binds: Server, Level: Must, By: Codec | Cases,
		Says: "A redirect to a server has no URI; one with a URI closes the session.",
		In:   "18-19 10.6.1/1; 20 10.6.1; 21-22 9.4.1",
	},
	{
		// What a relay makes of one is not tried: no text has a relay ask its clients for namespaces.
		ID: RedirectName, Binds: Endpoint, Level: Must, By: Codec,
		Says: "A redirect of a request for namespaces has no track name; one with a name closes the session.",
		In:   "18-19 10.6.1/2; 20 10.6.1; 21-22 9.4.1",
	},
	{
		ID: Update, Binds: Publisher, Level: Must, By: Session | Cases,
		Says: "A subscriber changes its subscription with an update, which the publisher heeds and from 15 on " +
			"answers.",
		In: "14 9.10; 15 9.11/2; 16 9.11.1 9.11/1; 17 9.10.1 9.10/1; 18 10.9.1 10.9/1; 19 10.9.1 10.9/2; 20 " +
			"10.9.1 10.9; 21-22 9.5.1 9.5",
	},
	{
		ID: "update-failed", Binds: Publisher, Level: Must, By: Cases,
		Says: "A failed update ends its request: the subscription with UPDATE_FAILED, the fetch with a reset, the " +
			"rest by closing the stream.",
		In: "16 9.11.1/1; 17 9.10.1/1; 18-19 10.9.1/1; 20 10.9.1; 21-22 9.5.1",
	},
	{
		ID: UpdateEachAnswer, Binds: Endpoint, Level: Must, By: Cases,
		Says: "Each successful update is answered, also when several were handled as one.",
		In:   "18-19 10.9.1/2; 20 10.9.1; 21-22 9.5.1",
	},
	{
		ID: UpdateRequest, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "An update names a request that exists, with parameters that the request takes; otherwise the " +
			"session is closed.",
		In: "14 9.10/3; 15 9.11/4; 16 9.11/2",
	},
	{
		ID: UpdateWho, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "An update comes from whom the draft allows to send one; another one closes the session.",
		In:   "14 9.10; 15-16 9.11; 17 9.10; 18 10.9; 19 10.9/1; 20 10.9; 21-22 9.5",
	},
	{
		ID: "update-limit", Binds: Endpoint, Level: Must, By: Session,
		Says: "No more updates of a request are outstanding than the peer allows.",
		In:   "19 10.3.1.7/1; 20 10.3.1.7; 21-22 9.1.7",
	},
	{
		ID: UpdateLimitExceeded, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "More outstanding updates of a request than are allowed close the session with " +
			"TOO_MANY_REQUEST_UPDATES.",
		Unwatched: "A relay that answers each update as it comes never has too many outstanding, and the text " +
			"allows that (draft-19 §10.3.1.7). Whether it keeps to our limit is update-limit.",
		In: "19 10.3.1.7/2; 20 10.3.1.7; 21-22 9.1.7",
	},
	{
		ID: UpdateNarrows, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "An update does not move the start of a subscription back; one that does closes the session.",
		In:   "14 9.10/1; 15 9.11/1",
	},
	{
		ID: UpdateRange, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "In an update, too, the end group is not before the start.",
		In:   "14 9.10/2; 15 9.11/3",
	},
}
