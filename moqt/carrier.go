package moqt

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// carrier moves the messages of one request: on a stream of its own, or on the control stream that all share up to 16.
type carrier interface {
	// send sends a message of ours, with fin as the last one.
	send(ctx context.Context, r *Request, m wire.Message, fin bool) error
	// update numbers an update and sends it.
	update(ctx context.Context, r *Request, m *wire.RequestUpdate, u *ownUpdate) error
	// cancelWord is the means of a cancellation in that state, for people.
	cancelWord(r *Request, state requestState) string
	// cancel tells the peer.
	cancel(r *Request, state requestState, code uint64)
	// abandon ends what is still open when the peer has cancelled.
	abandon(code uint64)
	closeSend()
	streamID() uint64
}

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
		c.out.fin.Store(true)
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

func (c *ownStream) closeSend()       { c.out.finish() }
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

// sharedStream is the control stream of 14-16.
type sharedStream struct{ s *Session }

func (c sharedStream) send(ctx context.Context, r *Request, m wire.Message, _ bool) error {
	return c.s.control.write(ctx, m, r.id)
}

func (c sharedStream) update(ctx context.Context, r *Request, m *wire.RequestUpdate, u *ownUpdate) error {
	return c.s.numbered(ctx, c.s.control, func(id uint64) (wire.Message, error) {
		m.RequestID = id
		r.noteUpdate(u, id)
		return m, nil
	}, func() { r.dropUpdate(u) }, r)
}

func (c sharedStream) abandon(uint64)   {}
func (c sharedStream) closeSend()       {}
func (c sharedStream) streamID() uint64 { return c.s.control.stream.StreamID() }

func (c sharedStream) cancelWord(r *Request, state requestState) string {
	if m := c.cancelMessage(r, state); m != nil {
		return wire.NameOf(c.s.draft, m)
	}
	return "nothing"
}

// cancelTime bounds how long a cancellation waits for the shared stream.
const cancelTime = 5 * time.Second

func (c sharedStream) cancel(r *Request, state requestState, _ uint64) {
	m := c.cancelMessage(r, state)
	if m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.s.ctx, cancelTime)
	defer cancel()
	_ = c.s.control.write(ctx, m, r.id)
}

// cancelMessage is the message by which 14-16 end a request, nil where there is none: TRACK_STATUS, and a FETCH or a
// namespace subscription by its publisher.
func (c sharedStream) cancelMessage(r *Request, state requestState) wire.Message {
	if r.incoming && state == statePending {
		return &wire.RequestError{Answers: r.kind, RequestID: r.id, Code: RejectInternalError.Number(c.s.draft, r.kind),
			Reason: "cancelled"}
	}
	switch r.kind {
	case wire.KindSubscribe, wire.KindPublish:
		if (r.kind == wire.KindSubscribe) != r.incoming { // this end is the subscriber
			return &wire.Unsubscribe{RequestID: r.id}
		}
		count := wire.StreamCountUnknown(c.s.draft)
		r.mu.Lock()
		if p, ok := r.hook.(*Publication); ok {
			count = p.StreamCount()
		}
		r.mu.Unlock()
		return &wire.PublishDone{RequestID: r.id, StatusCode: DoneInternalError.Number(c.s.draft), StreamCount: count,
			Reason: "cancelled"}
	case wire.KindFetch:
		if !r.incoming {
			return &wire.FetchCancel{RequestID: r.id}
		}
	case wire.KindPublishNamespace:
		ns := r.message.(*wire.PublishNamespace).TrackNamespace
		if r.incoming {
			return &wire.PublishNamespaceCancel{RequestID: r.id, TrackNamespace: ns,
				Code: RejectInternalError.Number(c.s.draft, r.kind), Reason: "cancelled"}
		}
		return &wire.PublishNamespaceDone{RequestID: r.id, TrackNamespace: ns}
	case wire.KindSubscribeNamespace:
		if !r.incoming {
			return &wire.UnsubscribeNamespace{RequestID: r.id, Prefix: r.message.(*wire.SubscribeNamespace).Prefix}
		}
	}
	return nil
}
