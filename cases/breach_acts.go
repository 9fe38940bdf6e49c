package cases

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What breaches are made of: messages and bytes, and where they are sent.

// put sends bytes, with a line in the transcript.
func (s *scene) put(to transport.SendStream, kind wire.StreamKind, b []byte) error {
	s.show(kind, b)
	return s.x.write(to, b)
}

// show writes bytes to the transcript.
func (s *scene) show(kind wire.StreamKind, b []byte) {
	if s.offending {
		s.x.breaks(s.b.rule, s.b.what, kind, b)
	} else {
		s.x.note("-> (raw, the good twin) " + hexText(b))
	}
}

// frame is a message's bytes. edit, if there is one, changes the body behind type and length.
func (s *scene) frame(m wire.Message, kind wire.StreamKind, edit []bodyEdit) ([]byte, error) {
	b, err := wire.AppendUnchecked(nil, s.draft(), m, kind)
	if err != nil {
		return nil, err
	}
	for _, e := range edit {
		code, n := wire.Varint(b, s.draft())
		body := e(s.draft(), slices.Clone(b[n+2:]))
		b = binary.BigEndian.AppendUint16(wire.AppendVarint(nil, s.draft(), code), uint16(len(body)))
		b = append(b, body...)
	}
	return b, nil
}

// bodyEdit changes the body of a message.
type bodyEdit func(d wire.Draft, body []byte) []byte

// asks sends a request.
func asks(build func(s *scene) wire.Message, edit ...bodyEdit) act {
	return func(ctx context.Context, s *scene) (*asked, error) {
		m := build(s)
		q := &asked{id: idOf(m), kind: m.Kind(), after: s.x.seen()}
		if raw, ok := m.(*wire.Raw); ok { // which kind it resembles does not matter: it opens a stream where they do
			q.kind = wire.KindSubscribe
			_ = raw
		}
		var err error
		if q.on, err = s.x.open(ctx, q.kind); err != nil {
			return nil, err
		}
		b, err := s.frame(m, streamKind(q.on), edit)
		if err != nil {
			return nil, err
		}
		return q, s.put(s.x.to(q.on), streamKind(q.on), b)
	}
}

// controls sends a message on the control stream.
func controls(build func(s *scene) wire.Message, edit ...bodyEdit) act {
	return func(_ context.Context, s *scene) (*asked, error) {
		b, err := s.frame(build(s), wire.ControlStream, edit)
		if err != nil {
			return nil, err
		}
		return nil, s.put(s.x.control, wire.ControlStream, b)
	}
}

// adds sends a message that belongs to the offender's own request, such as an update. Its answer is waited for where
// there is one.
func adds(build func(s *scene) wire.Message, edit ...bodyEdit) act {
	return onRequest(func(s *scene) *asked { return s.mine }, build, edit)
}

// replies sends a message that belongs to the peer's request, such as the answer to it.
func replies(build func(s *scene) wire.Message, edit ...bodyEdit) act {
	return onRequest(func(s *scene) *asked { return s.theirs }, build, edit)
}

func onRequest(of func(s *scene) *asked, build func(s *scene) wire.Message, edit []bodyEdit) act {
	return func(_ context.Context, s *scene) (*asked, error) {
		m, on := build(s), of(s)
		var q *asked
		if m.Kind() == wire.KindRequestUpdate && s.draft() >= wire.Draft15 {
			q = &asked{id: idOf(m), kind: m.Kind(), on: on.on, after: s.x.seen()}
		}
		b, err := s.frame(m, streamKind(on.on), edit)
		if err != nil {
			return nil, err
		}
		return q, s.put(s.x.to(on.on), streamKind(on.on), b)
	}
}

// ending is how a stream ends behind what was sent on it.
type ending uint8

const (
	fin ending = iota
	open
	reset
)

// streams sends bytes on a unidirectional stream of its own.
func streams(build func(s *scene) []byte, end ending) act {
	return func(ctx context.Context, s *scene) (*asked, error) {
		u, err := s.x.conn.OpenUniStream(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.put(u, wire.UniStream, build(s)); err != nil {
			return nil, err
		}
		switch end {
		case fin:
			return nil, u.Close()
		case reset:
			u.Reset(0)
		}
		return nil, nil
	}
}

// datagrams sends bytes as a datagram.
func datagrams(build func(s *scene) []byte) act {
	return func(_ context.Context, s *scene) (*asked, error) {
		b := build(s)
		s.show(wire.DatagramStream, b)
		return nil, s.x.conn.SendDatagram(b)
	}
}

// inTurn does one thing, waits for the answer to it, and does another.
func inTurn(a, b act) act {
	return func(ctx context.Context, s *scene) (*asked, error) {
		q, err := a(ctx, s)
		if err == nil && q != nil {
			_, err = s.x.answer(ctx, q)
		}
		if err != nil {
			return nil, err
		}
		return b(ctx, s)
	}
}

// answersAnother has the innocent session subscribe to another track of the offender's, and answers the peer's
// SUBSCRIBE
// for it.
func answersAnother(build func(s *scene, theirs *asked) wire.Message) act {
	return func(ctx context.Context, s *scene) (*asked, error) {
		s.twins++
		name := s.track + "-" + string(rune('a'+s.twins))
		s.e.Go(ctx, func(ctx context.Context) {
			_, _ = s.innocent.Subscribe(ctx, s.innocent.SubscribeMessage(s.namespace, name))
		})
		q, _, err := s.x.incoming(ctx, func(m wire.Message) bool {
			sub, ok := m.(*wire.Subscribe)
			return ok && sub.TrackName == name
		})
		if err != nil {
			return nil, err
		}
		b, err := s.frame(build(s, q), streamKind(q.on), nil)
		if err != nil {
			return nil, err
		}
		return nil, s.put(s.x.to(q.on), streamKind(q.on), b)
	}
}

// The good messages that breaches differ from.

func (s *scene) publishNamespace() *wire.PublishNamespace {
	return &wire.PublishNamespace{RequestID: s.x.id(), TrackNamespace: s.another(), Parameters: s.parameters()}
}

func (s *scene) subscribeTo(ns wire.TrackNamespace, name string, ps ...wire.Parameter) *wire.Subscribe {
	m := s.subscribeMessage(ns, name)
	for _, p := range ps {
		m.Parameters.Add(p)
	}
	return m
}

// unknown is a SUBSCRIBE to a track that nobody publishes, which is answered with an error.
func (s *scene) unknown(ps ...wire.Parameter) *wire.Subscribe {
	return s.subscribeTo(s.another(), "t", ps...)
}

func (s *scene) trackStatus(ps ...wire.Parameter) *wire.TrackStatus {
	return (*wire.TrackStatus)(s.unknown(ps...))
}

func (s *scene) publish(ps ...wire.Parameter) *wire.Publish {
	s.twins++
	m := &wire.Publish{RequestID: s.x.id(), TrackNamespace: s.namespace.Join("published"),
		TrackName: wire.TrackNamespace{"t", string(rune('a' + s.twins))}.String(), TrackAlias: uint64(100 + s.twins),
		Parameters: s.parameters()}
	for _, p := range ps {
		m.Parameters.Add(p)
	}
	return m
}

func (s *scene) fetchOf(ns wire.TrackNamespace, name string, ps ...wire.Parameter) *wire.Fetch {
	m := &wire.Fetch{RequestID: s.x.id(), Type: wire.FetchStandalone, TrackNamespace: ns,
		TrackName: name, End: wire.Location{Group: 0, Object: 0}, Parameters: s.parameters()}
	for _, p := range ps {
		m.Parameters.Add(p)
	}
	if s.draft() >= wire.Draft20 {
		if _, ok := m.Parameters.Filter(); !ok {
			m.Parameters.SetFilter(wire.LocationFilter{Form: wire.FilterGroupEnd})
		}
	}
	return m
}

func (s *scene) subscribeNamespace() *wire.SubscribeNamespace {
	return &wire.SubscribeNamespace{RequestID: s.x.id(), Prefix: s.another(), Options: s.namespacesOnly(),
		Parameters: s.parameters()}
}

func (s *scene) subscribeTracks() *wire.SubscribeTracks {
	return &wire.SubscribeTracks{RequestID: s.x.id(), Prefix: s.another(), Parameters: s.parameters()}
}

func (s *scene) update(ps ...wire.Parameter) *wire.RequestUpdate {
	m := &wire.RequestUpdate{RequestID: s.x.id(), ExistingRequestID: s.mine.id}
	if s.draft() == wire.Draft14 {
		m.Parameters.SetFilter(wire.LocationFilter{Form: wire.FilterAbsoluteStart})
	}
	for _, p := range ps {
		m.Parameters.Set(p)
	}
	return m
}

// number is an integer parameter.
func number(t wire.ParameterType, v uint64) wire.Parameter { return wire.Parameter{Type: t, Uint: v} }

// fields is a namespace of n fields of one byte.
func fields(n int) wire.TrackNamespace { return slices.Repeat(wire.TrackNamespace{"f"}, n) }

// long is a text of n bytes.
func long(n int) string { return strings.Repeat("x", n) }

// What the tables of breaches build messages with.

func aSubscribe(ps ...wire.Parameter) func(*scene) wire.Message {
	return func(s *scene) wire.Message { return s.unknown(ps...) }
}

func aStatus(ps ...wire.Parameter) func(*scene) wire.Message {
	return func(s *scene) wire.Message { return s.trackStatus(ps...) }
}

func aPublish(ps ...wire.Parameter) func(*scene) wire.Message {
	return func(s *scene) wire.Message { return s.publish(ps...) }
}

func aFetch(ps ...wire.Parameter) func(*scene) wire.Message {
	return func(s *scene) wire.Message { return s.fetchOf(s.another(), "t", ps...) }
}

func anUpdate(ps ...wire.Parameter) func(*scene) wire.Message {
	return func(s *scene) wire.Message { return s.update(ps...) }
}

func aNamespace(s *scene) wire.Message { return s.publishNamespace() }
func aPrefix(s *scene) wire.Message    { return s.subscribeNamespace() }

// onOwnStream sends a message as the first one of a bidirectional stream, whatever the draft.
func onOwnStream(build func(s *scene) wire.Message) act {
	return func(ctx context.Context, s *scene) (*asked, error) {
		on, err := s.x.conn.OpenStream(ctx)
		if err != nil {
			return nil, err
		}
		s.x.read(on, on, false)
		b, err := s.frame(build(s), wire.RequestStream, nil)
		if err != nil {
			return nil, err
		}
		return nil, s.put(on, wire.RequestStream, b)
	}
}
