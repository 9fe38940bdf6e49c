package moqt

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// rawPeer is the other end of a session by hand: it sends any bytes, and sees what comes.
type rawPeer struct {
	t       *testing.T
	ctx     context.Context
	draft   wire.Draft
	side    wire.Side // of the peer
	conn    *memconn.Conn
	control transport.SendStream
	in      *messageReader // the session's control messages
	session *Session       // the end under test
}

// newRawPeer makes a session of cfg at the side opposite to side, and a peer that has exchanged setup messages with it.
func newRawPeer(t *testing.T, d wire.Draft, side wire.Side, cfg Config, options ...wire.Property) *rawPeer {
	t.Helper()
	p := unsetPeer(t, d, side, cfg)
	if d <= wire.Draft16 && len(options) == 0 {
		options = []wire.Property{{Type: wire.OptionMaxRequestID, Uint: 1000}}
	}
	p.sendSetup(&wire.Setup{Sender: side, Versions: []uint64{d.Version()}, SelectedVersion: d.Version(),
		Options: options})
	<-p.session.setup.done
	return p
}

// unsetPeer stops before the peer's setup message.
func unsetPeer(t *testing.T, d wire.Draft, side wire.Side, cfg Config) *rawPeer {
	t.Helper()
	return unsetPeerOver(t, d, side, cfg, memInfo(d))
}

func unsetPeerOver(t *testing.T, d wire.Draft, side wire.Side, cfg Config, info transport.Info) *rawPeer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	a, b := memconn.Pair(memconn.Options{Info: info})
	p := &rawPeer{t: t, ctx: ctx, draft: d, side: side, conn: a}
	far, role := transport.Conn(b), wire.ServerSide
	if side == wire.ServerSide {
		p.conn, far, role = b, a, wire.ClientSide
	}
	s, err := newSession(far, cfg, role)
	noError(t, err)
	p.session = s
	t.Cleanup(func() {
		s.Close(wire.NoError, "")
		cancel()
	})
	s.begin(ctx)
	switch {
	case d >= wire.Draft17:
		p.control = must[transport.SendStream](t)(p.conn.OpenUniStream(ctx))
		in := must[transport.ReceiveStream](t)(p.conn.AcceptUniStream(ctx))
		p.in = &messageReader{in: in, draft: d}
	case side == wire.ClientSide:
		stream := must[transport.Stream](t)(p.conn.OpenStream(ctx))
		p.control, p.in = stream, &messageReader{in: stream, draft: d}
	default:
		stream := must[transport.Stream](t)(p.conn.AcceptStream(ctx))
		p.control, p.in = stream, &messageReader{in: stream, draft: d}
	}
	return p
}

func (p *rawPeer) sendSetup(m *wire.Setup) {
	p.t.Helper()
	p.send(p.control, m)
	if got := p.receive(); got.Kind() != wire.KindSetup {
		p.t.Fatalf("got %s, want a setup message", got.Kind())
	}
}

// encode gives the bytes of messages on a stream.
func (p *rawPeer) encode(stream wire.StreamKind, ms ...wire.Message) (b []byte) {
	p.t.Helper()
	for _, m := range ms {
		var err error
		if b, err = wire.AppendMessage(b, p.draft, m, stream); err != nil {
			p.t.Fatal(err)
		}
	}
	return b
}

// send writes messages to a stream, as control messages if it is the control stream.
func (p *rawPeer) send(w transport.SendStream, ms ...wire.Message) {
	p.t.Helper()
	kind := wire.RequestStream
	if w == p.control {
		kind = wire.ControlStream
	}
	p.write(w, p.encode(kind, ms...))
}

// write sends bytes. The session may have closed, or stopped the stream, in the meantime.
func (p *rawPeer) write(w io.Writer, b []byte) {
	p.t.Helper()
	var stopped *transport.StreamError
	if _, err := w.Write(b); err != nil && !errors.As(err, new(*transport.CloseError)) &&
		!(errors.As(err, &stopped) && stopped.Stop) {
		p.t.Fatal(err)
	}
}

// receive takes the session's next control message.
func (p *rawPeer) receive() wire.Message {
	p.t.Helper()
	return p.receiveFrom(p.in, wire.ControlStream, wire.KindNone)
}

func (p *rawPeer) receiveFrom(in *messageReader, kind wire.StreamKind, answers wire.Kind) wire.Message {
	p.t.Helper()
	frame, err := in.frame()
	noError(p.t, err)
	m, _, err := wire.ParseMessage(frame, p.draft, kind, wire.Options{Answers: answers})
	noError(p.t, err)
	return m
}

// request sends a request where the draft has its place. The stream is nil when that is the control stream.
func (p *rawPeer) request(m wire.Message) transport.Stream {
	p.t.Helper()
	if p.draft <= wire.Draft15 || p.draft == wire.Draft16 && m.Kind() != wire.KindSubscribeNamespace {
		p.send(p.control, m)
		return nil
	}
	stream := must[transport.Stream](p.t)(p.conn.OpenStream(p.ctx))
	p.send(stream, m)
	return stream
}

// on gives where further messages of a request go.
func (p *rawPeer) on(stream transport.Stream) transport.SendStream {
	if stream == nil {
		return p.control
	}
	return stream
}

// next is the i-th Request ID of the peer.
func (p *rawPeer) id(i uint64) uint64 {
	if p.side == wire.ServerSide {
		return 2*i + 1
	}
	return 2 * i
}

// accept takes the session's next stream with a request, and gives the request and a reader of what follows.
func (p *rawPeer) accept() (wire.Message, transport.Stream, *messageReader) {
	p.t.Helper()
	stream := must[transport.Stream](p.t)(p.conn.AcceptStream(p.ctx))
	in := &messageReader{in: stream, draft: p.draft}
	return p.receiveFrom(in, wire.RequestStream, wire.KindNone), stream, in
}

// take takes the session's next request wherever it comes.
func (p *rawPeer) take(kind wire.Kind) (wire.Message, transport.Stream) {
	p.t.Helper()
	var m wire.Message
	var stream transport.Stream
	if p.draft <= wire.Draft15 || p.draft == wire.Draft16 && kind != wire.KindSubscribeNamespace {
		m = p.receive()
	} else {
		m, stream, _ = p.accept()
	}
	if m.Kind() != kind {
		p.t.Fatalf("got %s, want %s", m.Kind(), kind)
	}
	return m, stream
}

// closed waits for the session to close, and checks who closed with which code.
func (p *rawPeer) closed(code wire.SessionError) *SessionError {
	p.t.Helper()
	select {
	case <-p.conn.Context().Done():
	case <-p.ctx.Done():
		p.t.Fatalf("the session is open, want %s", code.In(p.draft))
	}
	e := p.session.Err().(*SessionError)
	if !e.Local || e.Code != code {
		p.t.Fatalf("%v, want %s", e, code.In(p.draft))
	}
	var seen *transport.CloseError
	if errors.As(context.Cause(p.conn.Context()), &seen); seen == nil || !seen.Remote || seen.Code != uint64(code) {
		p.t.Fatalf("the peer saw %v", context.Cause(p.conn.Context()))
	}
	return e
}

// open checks that the session is still open when nothing moves any more.
func (p *rawPeer) open() {
	p.t.Helper()
	settle()
	if err := p.session.Err(); err != nil {
		p.t.Fatalf("the session closed: %v", err)
	}
}
