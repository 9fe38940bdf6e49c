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

// acceptBidi takes the peer's bidirectional streams.
func (s *Session) acceptBidi() {
	for {
		stream, err := s.conn.AcceptStream(s.ctx)
		if err != nil {
			s.failAccept(err)
			return
		}
		spare, over, err := s.admitStream() // where it waits, QUIC's limit of streams pushes back
		if err != nil || !s.Go(func() {
			defer over()
			s.serveBidi(stream, spare)
		}) {
			return
		}
	}
}

// serveBidi reads a bidirectional stream of the peer's: the control stream of a client up to 16, else a request's.
// spare says that there is no room for it.
func (s *Session) serveBidi(stream transport.Stream, spare bool) {
	in := s.newMessageReader(stream)
	in.owes = true
	defer in.resize(0)
	if spare {
		in.room = spareRoom{room{s, HeldMessages}}
	}
	frame, err := s.firstMessage(stream, in)
	if err != nil {
		s.unreadBidi(stream, err)
		return
	}
	if s.draft <= wire.Draft16 && s.side == wire.ServerSide && s.takeControl(stream, frame) {
		in.unread(len(frame))
		s.readControl(stream, in)
		return
	}
	if s.draft <= wire.Draft15 { // draft-14 §3.3: MAY be closed with PROTOCOL_VIOLATION; it is
		s.fail(s.breach("bidirectional stream", wire.ProtocolViolation, rules.MessageStream,
			"%s has one bidirectional stream only", s.draft))
		return
	}
	m, err := s.decodeWithin(in.room, frame, stream.StreamID(), nil)
	switch {
	case errors.As(err, new(*TooMuchError)):
		s.unreadBidi(stream, err)
		return
	case err != nil:
		s.fail(err)
		return
	case !m.Kind().Opens(), s.draft == wire.Draft16 && m.Kind() != wire.KindSubscribeNamespace: // draft-19 §3.3
		s.fail(s.breach(wire.NameOf(s.draft, m), wire.ProtocolViolation, rules.RequestStream,
			"a bidirectional stream may not begin with it"))
		return
	}
	if !s.waitSetup(stream) {
		return
	}
	own := s.newOwnStream(stream)
	r, err := s.receiveRequest(m, own)
	if err != nil {
		s.fail(err)
		return
	}
	own.watch(r)
	s.readRequest(r, in)
}

// firstMessage reads what a bidirectional stream begins with.
func (s *Session) firstMessage(stream transport.Stream, in *messageReader) ([]byte, error) {
	defer s.watches.watch(in, func(why error) {
		s.trace(Event{Type: EventDropped, Stream: wire.RequestStream, StreamID: stream.StreamID(), Err: why})
		stream.Stop(ResetCancelled.Number(s.draft))
	})()
	return in.frame()
}

// unreadBidi judges a stream that ended before its first message was whole.
func (s *Session) unreadBidi(stream transport.Stream, err error) {
	var reset *transport.StreamError
	switch {
	case s.ctx.Err() != nil:
	case errors.As(err, new(*TooMuchError)):
		s.trace(Event{Type: EventDropped, Stream: wire.RequestStream, StreamID: stream.StreamID(), Err: err})
		s.ids.excuse()
		stream.Stop(ResetExcessiveLoad.Number(s.draft))
		stream.Reset(ResetExcessiveLoad.Number(s.draft))
	case errors.As(err, &reset):
		if reset.Remote {
			s.trace(Event{Type: EventReset, Stream: wire.RequestStream, StreamID: reset.StreamID, Code: reset.Code})
		}
		s.ids.excuse()
		stream.Reset(ResetCancelled.Number(s.draft))
	case err == io.EOF: // opened and closed again: nothing was asked for
		s.trace(Event{Type: EventFin, Stream: wire.RequestStream, StreamID: stream.StreamID()})
		s.ids.excuse()
		stream.Reset(ResetCancelled.Number(s.draft))
	default:
		s.fail(s.cutMessage(err))
	}
}

// takeControl claims a stream that begins with CLIENT_SETUP as the control stream. A second one is none.
func (s *Session) takeControl(stream transport.Stream, frame []byte) bool {
	const typeClientSetup = 0x20
	if code, _ := wire.Varint(frame, s.draft); code != typeClientSetup && s.draft == wire.Draft16 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.setup.controlSeen {
		return false
	}
	s.setup.controlSeen = true
	s.control = newMessageWriter(s, stream, wire.ControlStream)
	return true
}

// receiveRequest takes a new request of the peer's: judges, registers and dispatches it. The error closes the session.
func (s *Session) receiveRequest(m wire.Message, c carrier) (*Request, error) {
	id := requestIDIn(m)
	if err := s.ids.peer(m, id); err != nil {
		return nil, err
	}
	r := s.newRequest(m, true)
	r.id, r.carrier = id, c
	room := r.hold(requestCost+int64(messageCost(m)), false)
	if _, own := c.(*ownStream); own {
		r.bound()
	}
	s.mu.Lock()
	s.requests[id] = r
	s.mu.Unlock()
	if err := s.checkRequest(r); err != nil {
		return nil, err
	}
	tokens, err := s.resolve(wire.NameOf(s.draft, m), parametersOf(m).Tokens(), false)
	r.tokens = tokens
	var refused *messageRefused
	if err != nil && !errors.As(err, &refused) {
		return nil, err
	}
	invalid := s.checkFilters(nil, parametersOf(m))
	switch {
	case refused != nil:
		s.refuse(r, refused.code, refused.reason)
	case invalid != "":
		s.refuse(r, RejectInvalidFilter, invalid)
	case !room:
		r.message, r.params = withRequestID(bare(m), id), nil // what there is no room for
		s.overload(r, "this end holds too much for the session")
	case s.goingAway():
		s.refuse(r, RejectGoingAway, "this end has sent GOAWAY")
	case !s.required(m):
		s.refuse(r, RejectTimeout, "the request that it requires did not come")
	default:
		s.dispatch(r)
	}
	s.ids.deliveredTo(id)
	return r, nil
}

// required waits for the request that one of 17 depends on; it is on a stream of its own, which may come later
// (draft-17 §9.2).
func (s *Session) required(m wire.Message) bool {
	delta := requiredDelta(m)
	return s.draft != wire.Draft17 || delta == 0 || s.ids.awaitRequired(requestIDIn(m)-2*delta)
}

// refuse rejects a request that does not reach the application, in the background: readers must not wait for writers.
func (s *Session) refuse(r *Request, code RejectCode, reason string) {
	s.Go(func() {
		_ = r.Reject(s.ctx, code, reason)
		s.ids.took()
	})
}

// dispatch hands a request to a namespace subscription (14, 15), to the handler, or to AcceptRequest.
func (s *Session) dispatch(r *Request) {
	if s.names.announced(r) {
		return
	}
	if s.cfg.Handler == nil {
		if !s.incoming.Add(r, 1) {
			s.overload(r, "too many requests wait")
		}
		return
	}
	s.mu.Lock()
	busy := s.handlers >= s.limits.QueuedRequests
	if !busy {
		s.handlers++
	}
	s.mu.Unlock()
	if busy {
		s.overload(r, "too many requests wait")
		return
	}
	s.Go(func() {
		defer func() {
			s.mu.Lock()
			s.handlers--
			s.mu.Unlock()
		}()
		s.ids.took()
		s.cfg.Handler(r)
		s.unanswered(r)
	})
}

// unanswered refuses a request that the handler has returned from without an answer: nobody else can have it.
func (s *Session) unanswered(r *Request) {
	r.mu.Lock()
	forgotten := !r.answering && !r.ended
	r.mu.Unlock()
	if !forgotten {
		return
	}
	s.trace(Event{Type: EventDropped, RequestID: r.id, Err: fmt.Errorf("%s refused: the handler returned without an "+
		"answer", r.kind)})
	_ = r.Reject(s.ctx, RejectInternalError, "the request was left unanswered") // or the session has ended
}

// overload rejects the newest request when too many wait, or there is no room for it.
func (s *Session) overload(r *Request, why string) {
	s.trace(Event{Type: EventDropped, RequestID: r.id, Err: fmt.Errorf("%s refused: %s", r.kind, why)})
	s.refuse(r, RejectExcessiveLoad, why)
}

// AcceptRequest waits for the next request of the peer. A request that the peer has already cancelled comes too; its
// context has ended. With Config.Handler set no request comes. The error is the context's cause, or a *SessionError.
func (s *Session) AcceptRequest(ctx context.Context) (*Request, error) {
	r, err := s.incoming.Take(ctx, s.ctx)
	if err != nil {
		return nil, err
	}
	s.ids.took()
	return r, nil
}
