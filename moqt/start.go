package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Start sends a request of any kind and does not wait for the answer. m has the newest draft's shape, except a Fetch up
// to 19, which has fields of its own. Start fills in the Request ID. Up to 16 it waits until the peer's MAX_REQUEST_ID
// allows the request, and sends REQUESTS_BLOCKED once meanwhile; if the context ends first, the error is a
// *NoRequestIDError. From 17 on it waits until the peer's limit of streams allows another one, and the error is a
// *NoStreamError. A *wire.Error says what the draft cannot encode; nothing is sent then.
//
// A *wire.Raw is sent as it is, from 17 on as the first message of a new stream. Messages that come back wait for Next;
// they must be well formed, and are not judged further.
//
// Data streams that answer a request made with Start are stopped. Use StartSubscribe, StartFetch and the like to
// receive them.
func (s *Session) Start(ctx context.Context, m wire.Message) (*Request, error) {
	return s.startRequest(ctx, m, nil)
}

// startRequest is Start with what stands on the request; h is told of it before it is sent.
func (s *Session) startRequest(ctx context.Context, m wire.Message, h startHook) (*Request, error) {
	raw := m.Kind() == wire.KindRaw
	if !m.Kind().Opens() && !raw {
		return nil, fmt.Errorf("%s is not a request", m.Kind())
	}
	r := s.newRequest(m, false)
	var out *messageWriter
	var stream transport.Stream
	if s.draft >= wire.Draft17 || s.draft == wire.Draft16 && r.kind == wire.KindSubscribeNamespace {
		var err error
		if stream, err = s.conn.OpenStream(ctx); err != nil {
			err = s.notOpened(false, err)
			r.cancel(err)
			return nil, err
		}
		own := s.newOwnStream(stream)
		r.carrier, out = own, own.out
		r.bound()
	} else {
		r.carrier, out = sharedStream{s}, s.control
	}
	if raw {
		return s.startRaw(ctx, r, out, stream)
	}
	err := s.numbered(ctx, out, func(id uint64) (wire.Message, error) {
		r.id, r.message = id, withRequestID(m, id)
		if h != nil {
			r.hook = h
			if err := h.starting(r); err != nil {
				return nil, err
			}
		}
		s.mu.Lock()
		s.requests[id] = r
		s.mu.Unlock()
		return r.message, nil
	}, func() { s.forget(r) }, r)
	if err != nil {
		r.cancel(err)
		if stream != nil {
			stream.Reset(ResetCancelled.Number(s.draft))
			stream.Stop(ResetCancelled.Number(s.draft))
		}
		if h != nil {
			h.over(err)
		}
		return nil, err
	}
	if own, ok := r.carrier.(*ownStream); ok {
		own.watch(r)
		s.Go(func() { s.readRequest(r, s.newMessageReader(own.stream)) })
	}
	return r, nil
}

// startHook is a hook that is told of its request before it is sent, so that nothing that answers it can come too
// early. It may set the message's fields.
type startHook interface {
	hook
	starting(r *Request) error
}

// startRaw sends a raw message as if it were a request.
func (s *Session) startRaw(ctx context.Context, r *Request, out *messageWriter, stream transport.Stream) (*Request,
	error) {
	if err := out.write(ctx, r.message, 0); err != nil {
		r.cancel(err)
		return nil, err
	}
	if stream != nil {
		r.carrier.(*ownStream).watch(r)
		s.Go(func() { s.readRequest(r, s.newMessageReader(stream)) })
	}
	return r, nil
}

// readRequest reads the peer's messages on a request's own stream to the end.
func (s *Session) readRequest(r *Request, in *messageReader) {
	defer r.keep()()
	defer in.resize(0)
	defer s.watches.watch(in, func(why error) {
		s.trace(Event{Type: EventDropped, Stream: wire.RequestStream, StreamID: r.carrier.streamID(), RequestID: r.id,
			Err: why})
		r.Cancel(ResetCancelled)
	})()
	for {
		frame, err := in.frame()
		switch {
		case errors.As(err, new(*TooMuchError)):
			r.overfull(err)
			return
		case err != nil && s.ctx.Err() == nil:
			r.streamEnded(s.cutMessage(err))
			return
		case err != nil:
			return
		}
		m, err := s.decodeWithin(in.room, frame, r.carrier.streamID(), r)
		switch {
		case errors.As(err, new(*TooMuchError)):
			r.overfull(err)
			return
		case err == nil:
			err = r.take(m)
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// take takes a message of the peer on the request's own stream once there is room for it. The error closes the session.
func (r *Request) take(m wire.Message) error {
	cost := int64(messageCost(m))
	if err := (room{r.s, HeldMessages}).Wait(cost); err != nil {
		r.overfull(err)
		return nil
	}
	defer r.s.account.Give(HeldMessages, cost) // where it waits to be taken it is counted again
	if r.kind == wire.KindRaw {
		r.deliver(m)
		return nil
	}
	return r.receive(m)
}

// overfull cancels a request for whose next message there is no room.
func (r *Request) overfull(err error) {
	r.s.trace(Event{Type: EventDropped, Stream: wire.RequestStream, StreamID: r.carrier.streamID(), RequestID: r.id,
		Err: err})
	r.Cancel(ResetExcessiveLoad)
}

// cutMessage makes FIN inside a message a breach: the message is shorter than its length (draft-19 §10).
func (s *Session) cutMessage(err error) error {
	if err == io.ErrUnexpectedEOF {
		return s.breach("message", wire.ProtocolViolation, rules.MessageType, "the stream ended inside a message")
	}
	return err
}

// SendControl sends any message on the control channel, also one that is illegal there.
func (s *Session) SendControl(ctx context.Context, m wire.Message) error {
	return s.control.write(ctx, m, 0)
}

// newRequest prepares a request; it is not registered.
func (s *Session) newRequest(m wire.Message, incoming bool) *Request {
	r := &Request{s: s, kind: m.Kind(), message: m, incoming: incoming, responded: make(chan struct{}),
		updated:       make(chan struct{}),
		paramsChanged: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancelCause(s.ctx)
	r.params = lasting(parametersOf(m))
	r.bounds.begin(r.params)
	r.inbox.Held, r.replies.Held = s.holdMessages, s.holdMessages
	return r
}

// bound limits what waits for a request on a stream of its own. On the shared stream of 14-16 the peer's request ids
// bound it.
func (r *Request) bound() {
	r.inbox.MaxItems, r.replies.MaxItems = r.s.limits.QueuedMessages, r.s.limits.QueuedMessages
}
