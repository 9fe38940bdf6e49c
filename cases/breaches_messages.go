package cases

import (
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// unknownType is a message type that no draft defines, and none reserves to be ignored.
const unknownType = 0x3F

// breachesOfMessages are breaches of the rules of messages, their types, lengths and places (draft-18 §10, draft-22
// §9).
var breachesOfMessages = []breach{
	lengthBreach("subscribe", "SUBSCRIBE", aSubscribe(), false),
	lengthBreach("subscribe", "SUBSCRIBE", aSubscribe(), true),
	lengthBreach("publish-namespace", "PUBLISH_NAMESPACE", aNamespace, false),
	lengthBreach("publish-namespace", "PUBLISH_NAMESPACE", aNamespace, true),
	lengthBreach("track-status", "TRACK_STATUS", aStatus(), false),
	lengthBreach("track-status", "TRACK_STATUS", aStatus(), true),
	lengthBreach("fetch", "FETCH", aFetch(), false),
	lengthBreach("fetch", "FETCH", aFetch(), true),
	lengthBreach("subscribe-namespace", "SUBSCRIBE_NAMESPACE", aPrefix, false),
	lengthBreach("subscribe-namespace", "SUBSCRIBE_NAMESPACE", aPrefix, true),
	{
		rule: rules.MessageType, of: "goaway-long", what: "GOAWAY with one byte more than its fields",
		as: asClient, want: violation,
		good: asks(aNamespace),
		bad:  controls(func(*scene) wire.Message { return &wire.Goaway{} }, oneMore),
	},
	{
		rule: rules.MessageType, of: "empty", what: "SUBSCRIBE without a body", as: asClient, want: violation,
		good: asks(aSubscribe()),
		bad:  asks(aSubscribe(), func(wire.Draft, []byte) []byte { return nil }),
	},
	{
		rule: rules.MessageType, of: "unknown", what: "a message of an unknown type in place of a request",
		as: asClient, want: anyClose,
		good: asks(aNamespace),
		bad:  asks(func(*scene) wire.Message { return &wire.Raw{Type: unknownType} }),
	},
	{
		rule: rules.MessageType, of: "unknown-control", what: "a message of an unknown type on the control stream",
		as: asClient, want: anyClose,
		good: asks(aNamespace),
		bad:  controls(func(*scene) wire.Message { return &wire.Raw{Type: unknownType, Body: []byte{1, 2, 3}} }),
	},
	{
		rule: rules.MessageType, of: "gone-publish-ok", what: "a message of type 0x1E, which the draft has no more",
		first: wire.Draft18, as: asClient, want: anyClose,
		good: asks(aNamespace),
		bad:  asks(func(*scene) wire.Message { return &wire.Raw{Type: 0x1E, Body: []byte{0}} }),
	},
	{
		rule: rules.MessageType, of: "gone-client-setup", what: "a message of type 0x20, which the draft has no more",
		first: wire.Draft17, as: asClient, want: anyClose,
		good: asks(aNamespace),
		bad:  controls(func(*scene) wire.Message { return &wire.Raw{Type: 0x20, Body: []byte{0}} }),
	},
	{
		rule: rules.MessageStream, of: "subscribe-on-control", what: "SUBSCRIBE on the control stream",
		first: wire.Draft17, as: asClient, want: violation, level: Probe,
		good: asks(aSubscribe()),
		bad:  controls(aSubscribe()),
	},
	{
		rule: rules.MessageStream, of: "setup-on-request", what: "SETUP in place of a request", first: wire.Draft17,
		last: wire.Draft17, as: asClient, want: violation, level: Probe,
		good: asks(aNamespace),
		bad:  asks(func(s *scene) wire.Message { return s.x.setupMessage() }),
	},
	{
		rule: rules.RequestStream, of: "setup", what: "SETUP as the first message of a bidirectional stream",
		first: wire.Draft17, as: asClient, want: violation, seen: rules.MessageStream,
		good: asks(aNamespace),
		bad:  asks(func(s *scene) wire.Message { return s.x.setupMessage() }),
	},
	{
		rule: rules.RequestStream, of: "ok", what: "REQUEST_OK as the first message of a bidirectional stream",
		first: wire.Draft17, as: asClient, want: violation,
		good: asks(aNamespace),
		bad:  asks(func(*scene) wire.Message { return &wire.RequestOK{Answers: wire.KindPublishNamespace} }),
	},
	{
		rule: rules.RequestStream, of: "update", what: "REQUEST_UPDATE as the first message of a bidirectional stream",
		first: wire.Draft17, as: asClient, want: violation,
		good: asks(aNamespace),
		bad:  asks(func(s *scene) wire.Message { return &wire.RequestUpdate{RequestID: s.x.id()} }),
	},
	{
		rule: rules.RequestStream, also: []rules.ID{rules.MessageStream}, of: "subscribe",
		what:  "SUBSCRIBE on a bidirectional stream of its own",
		first: wire.Draft16, last: wire.Draft16, as: asClient, want: violation, seen: rules.MessageStream,
		good: asks(aPrefix),
		bad:  onOwnStream(aSubscribe()),
	},
	{
		rule: "message-first", what: "a second SUBSCRIBE on the stream of a first one", as: asSubscriber,
		seen: rules.MessageStream,
		want: anyClose, level: Should,
		good: asks(aSubscribe()),
		bad:  adds(aSubscribe()),
	},
	{
		rule: "integer-code-point", what: "an integer whose first byte is 0xFC in SUBSCRIBE", as: asClient,
		want: violation,
		good: asks(aSubscribe()),
		bad: asks(aSubscribe(), func(_ wire.Draft, body []byte) []byte {
			return append([]byte{0xFC, 0, 0, 0, 0, 0, 0}, body[1:]...)
		}),
	},
	{
		rule: rules.ReasonLength, of: "publish-done", what: "a reason phrase of 1025 bytes in PUBLISH_DONE",
		as: asPublisher, want: violation,
		bad: replies(func(s *scene) wire.Message {
			return &wire.PublishDone{RequestID: s.theirs.id, Reason: long(1025)}
		}),
	},
	{
		rule: rules.ReasonLength, of: "request-error", what: "a reason phrase of 1025 bytes in answer to SUBSCRIBE",
		as: asAsked, want: violation,
		bad: replies(func(s *scene) wire.Message {
			return &wire.RequestError{RequestID: s.theirs.id, Answers: wire.KindSubscribe, Reason: long(1025)}
		}),
	},
}

// lengthBreach is a request whose Message Length is one too many or too few for its fields (draft-18 §10).
func lengthBreach(of, name string, build func(*scene) wire.Message, more bool) breach {
	b := breach{rule: rules.MessageType, of: of + "-short", what: name + " with one byte less than its fields",
		as: asClient, want: violation, good: asks(build), bad: asks(build, oneLess)}
	if more {
		b.of, b.what = of+"-long", name+" with one byte more than its fields"
		b.bad = asks(build, oneMore)
	}
	return b
}

func oneLess(_ wire.Draft, body []byte) []byte { return body[:len(body)-1] }
func oneMore(_ wire.Draft, body []byte) []byte { return append(body, 0) }
