package rules

// Requests, as the code names them.
const (
	OneAnswer     ID = "one-answer"
	AnswerType    ID = "answer-type"
	NotSupported  ID = "not-supported"
	UnknownTrack  ID = "unknown-track"
	CancelRequest ID = "cancel-request"
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
		ID: NotSupported, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A request whose type the receiver does not support is refused with NOT_SUPPORTED.",
		In:   "14 9.9 9.15 9.18 9.30; 15-16 9.8; 17 9.7; 18-20 10.6.2; 21-22 9.4.2",
	},
	{
		ID: UnknownTrack, Binds: Publisher, Level: Must, By: Cases,
		Says: "A request for a track that does not exist is refused.",
		In:   "14 9.9 9.18; 15-16 9.8; 17 9.7; 18-20 10.6.2; 21-22 9.4.2",
	},
	{
		ID: CancelRequest, Binds: Endpoint, Level: May, By: Cases,
		Says: "Either end may cancel a request, by ending both directions of its stream abruptly.",
		In:   "17 3.3.1; 18 3.3.2; 19-20 3.3.3; 21-22 6.4.2.3",
	},
}
