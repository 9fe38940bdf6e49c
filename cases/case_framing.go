package cases

import (
	"context"
	"errors"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// How bytes come: one by one, many messages at once, with padding between, with what nobody has registered.

// framingCase is a case of that.
func framingCase(id, title string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "framing")
}

var byteByByte = framingCase("byte-by-byte",
	"Messages, stream headers and objects that come byte by byte are understood",
	[]Fault{
		dataFault("short-reads-break", "0x3 PROTOCOL_VIOLATION"),
		dataFault("drop-object", "3 of 4 objects came, {0, 0}"),
	}, func(ctx context.Context, e *Env) error {
		p := e.Dial(ctx, "publisher").Publisher(e.Namespace(), e.TrackName())
		s := e.Dial(ctx, "subscriber")
		p.Session.conn.chopped.Store(true)
		s.conn.chopped.Store(true)
		step, cancel := e.Step(ctx)
		defer cancel()
		p.Session.Announce(step, p.Namespace)
		l := NewLayout(Span(0, 0), Span(0, 3), LayoutOptions{Payload: e.NamedPayload, Properties: unknownProperties})
		a := s.Follow(ctx, p, l, Checks{Priority: true}) // object-properties judges the properties
		p.WaitForward(ctx)
		p.Deliver(ctx, l, 0, a)
		return nil
	}, rules.Forwarding, rules.ObjectFields, rules.OneAnswer)

// together is how many messages are sent at once.
const together = 16

var messagesTogether = framingCase("messages-together",
	fmt.Sprintf("%d requests that come at once are each answered", together),
	[]Fault{
		requestFault("announce-in-a-row-lost", "nothing"),
		requestFault("announce-silent", "nothing for 5000 ms after PUBLISH_NAMESPACE"),
	}, func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "publisher")
		step, cancel := e.Step(ctx)
		defer cancel()
		var all []*moqt.Announcement
		for i := range together {
			a, err := s.StartPublishNamespace(step, e.Namespace(fmt.Sprint(i)), e.Parameters())
			s.Check(step, err, transport.LayerRequest, "PUBLISH_NAMESPACE to be sent")
			all = append(all, a)
		}
		for i, a := range all {
			s.Check(step, a.Ready(step), transport.LayerRequest, fmt.Sprintf("%s for PUBLISH_NAMESPACE %d of %d",
				s.OKName(wire.KindPublishNamespace), i+1, together))
		}
		return nil
	}, rules.PublishNamespace).among("publisher")

var padding = framingCase("padding",
	"Padding streams and padding datagrams are thrown away",
	[]Fault{
		dataFault("padding-closes", "0x3 PROTOCOL_VIOLATION"),
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
	}, func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := e.Groups(0, 1)
		a := e.Follow(ctx, "subscriber", p, l, Checks{})
		p.WaitForward(ctx)
		for _, s := range []*Session{p.Session, a.Session} {
			s.pad(ctx)
			s.Healthy(ctx, transport.LayerData)
		}
		p.Deliver(ctx, l, ObjectPace, a)
		return nil
	}, rules.PaddingStream, rules.PaddingDatagram).from(wire.Draft18)

// pad sends padding in a stream and in a datagram.
func (s *Session) pad(ctx context.Context) {
	const expected = "the relay to take padding"
	stream, err := s.Conn().OpenUniStream(ctx)
	s.Check(ctx, err, transport.LayerData, expected)
	zeros := make([]byte, 200)
	_, err = stream.Write(append(wire.AppendVarint(nil, s.Draft(), wire.TypePaddingStream), zeros...))
	s.Check(ctx, err, transport.LayerData, expected)
	s.Check(ctx, stream.Close(), transport.LayerData, expected)
	err = s.Conn().SendDatagram(append(wire.AppendVarint(nil, s.Draft(), wire.TypePaddingDatagram), zeros...))
	s.Check(ctx, err, transport.LayerData, expected)
}

// unknownSetup are setup options that nobody has registered: two grease values, one a number, one bytes (draft-18 §14).
var unknownSetup = wire.Properties{{Type: 0x9D, Bytes: []byte("grease")}, {Type: 0x7F + 0x9D, Uint: 1 << 40}}

var greaseSetup = func() Case {
	c := framingCase("setup-unknown-options", "Setup options that the relay cannot know are ignored",
		[]Fault{
			setupFault("setup-option-closes", "0x3 PROTOCOL_VIOLATION").until(wire.Draft16),
			// Both sides send SETUP at once: who closes at ours may do so before its own has come.
			requestFault("setup-option-closes", "0x3 PROTOCOL_VIOLATION").from(wire.Draft17).or(transport.LayerSetup),
			requestFault("announce-silent", "nothing for 5000 ms after PUBLISH_NAMESPACE"),
		}, func(ctx context.Context, e *Env) error {
			s := e.Dial(ctx, "publisher")
			step, cancel := e.Step(ctx)
			defer cancel()
			s.Announce(step, e.Namespace())
			return nil
		}, rules.SetupOptionUnknown, rules.SetupOptionDuplicates, rules.Grease, rules.Setup).among("publisher")
	c.Setup = unknownSetup
	return c
}()

// unknownCode is an error code that nobody has registered, a grease value (draft-18 §14).
const unknownCode = 3*0x7F + 0x9D

var unknownCodes = framingCase("unknown-error-code",
	"A publisher that refuses with an unknown code ends nothing but the request",
	[]Fault{
		requestFault("unknown-code-closes", "0x3 PROTOCOL_VIOLATION"),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
	}, func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		p.Refuses = unknownCode
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		_, err := s.Session.Subscribe(step, s.SubscribeMessage(p.Namespace, p.Name))
		var refused *moqt.RequestError
		if err == nil {
			e.Fail(transport.LayerRequest, "a request error, since the publisher has refused", "SUBSCRIBE_OK")
		} else if !errors.As(err, &refused) {
			s.Check(step, err, transport.LayerRequest, "a request error, since the publisher has refused")
		}
		e.Annotate("%s", RefusalText(refused))
		p.Session.Healthy(ctx, transport.LayerRequest)
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	}, rules.GreaseErrors, rules.Grease, rules.OneAnswer).from(wire.Draft18)
