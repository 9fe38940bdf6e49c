package moqt

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// ownStream is a bidirectional stream for one request: all from 17 on, and SUBSCRIBE_NAMESPACE in 16.
type ownStream struct {
	stream transport.Stream
	out    *messageWriter
}

func (s *Session) newOwnStream(stream transport.Stream) *ownStream {
	return &ownStream{stream: stream, out: newMessageWriter(s, stream, wire.RequestStream)}
}

func (c *ownStream) send(ctx context.Context, r *Request, m wire.Message, fin bool) error {
	if err := c.out.acquire(ctx); err != nil {
		return err
	}
	b, err := c.out.encode(m)
	if err != nil {
		c.out.release()
		return err
	}
	if fin {
		c.out.finish() // this call has the turn: FIN goes out behind the message
	}
	_, err = c.out.send(ctx, m, b, r.id, false)
	return err
}

func (c *ownStream) update(ctx context.Context, r *Request, m *wire.RequestUpdate, u *ownUpdate) error {
	return r.s.numbered(ctx, c.out, func(id uint64) (wire.Message, error) {
		m.RequestID = id
		r.noteUpdate(u, id)
		return m, nil
	}, func() { r.dropUpdate(u) }, r)
}

func (c *ownStream) cancelWord(*Request, requestState) string { return "RESET_STREAM" }

// cancel ends both directions (draft-19 §3.3.3).
func (c *ownStream) cancel(r *Request, _ requestState, code uint64) {
	e := Event{Sent: true, Stream: wire.RequestStream, StreamID: c.stream.StreamID(), RequestID: r.id, Code: code}
	c.stream.Reset(code)
	e.Type = EventReset
	r.s.trace(e)
	c.stream.Stop(code)
	e.Type = EventStop
	r.s.trace(e)
}

func (c *ownStream) abandon(code uint64) {
	c.stream.Reset(code)
	c.stream.Stop(code)
}

func (c *ownStream) closeSend() { c.out.finish() }

func (c *ownStream) streamID() uint64 { return c.stream.StreamID() }

// watch hands STOP_SENDING on our direction to the request.
func (c *ownStream) watch(r *Request) {
	context.AfterFunc(c.stream.Context(), func() {
		stopped, ok := context.Cause(c.stream.Context()).(*transport.StreamError)
		if !ok || !stopped.Remote || !stopped.Stop {
			return
		}
		r.s.Go(func() {
			r.s.trace(Event{Type: EventStop, Stream: wire.RequestStream, StreamID: stopped.StreamID, RequestID: r.id,
				Code: stopped.Code})
			r.peerStopped(stopped)
		})
	})
}
