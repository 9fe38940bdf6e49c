package moqt

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

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

func (c sharedStream) abandon(uint64) {}

func (c sharedStream) closeSend() {}

func (c sharedStream) streamID() uint64 { return c.s.control.stream.StreamID() }

func (c sharedStream) cancelWord(r *Request, state requestState) string {
	if m := c.cancelMessage(r, state); m != nil {
		return wire.NameOf(c.s.draft, m)
	}
	return "nothing"
}

// cancel does not wait: if somebody else writes, the message goes out behind that, and before what is sent next.
func (c sharedStream) cancel(r *Request, state requestState, _ uint64) {
	if m := c.cancelMessage(r, state); m != nil {
		c.s.control.post(m, r.id)
	}
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
