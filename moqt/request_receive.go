package moqt

import (
	"errors"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// receive takes a message of the peer on the request, behind the request itself. The error closes the session.
func (r *Request) receive(m wire.Message) error {
	switch x := m.(type) {
	case *wire.SubscribeOK, *wire.FetchOK, *wire.RequestOK:
		return r.receiveOK(m)
	case *wire.RequestError:
		return r.receiveError(x)
	case *wire.RequestUpdate:
		return r.receiveUpdate(x)
	case *wire.PublishDone:
		return r.receiveDone(x)
	case *wire.PublishStateNotify:
		if !r.fromPublisher() {
			return r.misplaced(m) // draft-20 and later: only the publisher of a subscription sends it
		}
		return r.pass(m, onNotify)
	case *wire.Namespace:
		return r.receiveNamespace(m, x.Suffix, onNamespace)
	case *wire.NamespaceDone:
		return r.receiveNamespace(m, x.Suffix, onNamespaceDone)
	case *wire.PublishSkipped:
		if r.incoming || r.kind != wire.KindSubscribeTracks && !(r.kind == wire.KindSubscribeNamespace &&
			r.s.draft == wire.Draft17) {
			return r.misplaced(m)
		}
		return r.pass(m, onNames)
	case *wire.Goaway:
		r.mu.Lock()
		next, err := r.s.checkGoaway(r.goaway, x)
		r.goaway = next
		r.mu.Unlock()
		if err != nil {
			return err
		}
		return r.pass(m, onGoaway)
	}
	return r.misplaced(m)
}

// misplaced is the breach of a message on a request that has no place for it.
func (r *Request) misplaced(m wire.Message) error {
	return r.s.breach(wire.NameOf(r.s.draft, m), wire.ProtocolViolation, rules.MessageStream,
		"it may not come on the stream of a %s from the %s", r.kind, r.sender())
}

// sender is who made the request.
func (r *Request) sender() wire.Side {
	if r.incoming {
		return r.s.peerSide()
	}
	return r.s.side
}

// fromPublisher reports whether the peer is the publisher of a subscription.
func (r *Request) fromPublisher() bool {
	return r.kind == wire.KindSubscribe && !r.incoming || r.kind == wire.KindPublish && r.incoming
}

// pass judges an event by the state, and delivers the message unless the request is over.
func (r *Request) pass(m wire.Message, e requestEvent) error {
	if err := r.step(e); err != nil {
		return err
	}
	r.deliver(m)
	return nil
}

// receiveOK takes an OK: the answer to the request, or to an update of ours.
func (r *Request) receiveOK(m wire.Message) error {
	if u, ok := r.answered(m); ok {
		if err := wire.MayAnswer(r.s.draft, m, wire.KindRequestUpdate); err != nil {
			return err
		}
		if err := r.step(onAnswer); err != nil {
			return err
		}
		ok := m.(*wire.RequestOK)
		r.mu.Lock()
		r.setParams(MergeParameters(r.params, u.params))
		r.mu.Unlock()
		u.resolve(ok, nil)
		return nil
	}
	if r.incoming || r.isAnswered() && m.Kind() != answerKind(r.kind) {
		return r.step2(m, onOK)
	}
	if err := r.mayAnswer(m); err != nil {
		return err
	}
	if err := r.step(onOK); err != nil {
		return err
	}
	r.mu.Lock()
	if r.ended {
		r.mu.Unlock()
		r.answeredLate(m, nil)
		return nil
	}
	switch x := m.(type) {
	case *wire.SubscribeOK:
		largest, ok := x.Parameters.Largest()
		r.bounds.establish(r.s.draft, r.params, largest, ok)
	case *wire.RequestOK:
		r.publishOK(x)
	}
	h := r.hook
	r.mu.Unlock()
	if err := r.s.checkOK(r, m); err != nil {
		return err
	}
	if h != nil {
		h.received(m)
	}
	r.hold(int64(messageCost(m)), true)
	r.mu.Lock()
	if !r.ended {
		r.response = m
		close(r.responded)
	}
	stopped := r.stopped
	r.mu.Unlock()
	if f, ok := h.(*Fetch); ok {
		f.settle()
	}
	switch {
	case r.kind == wire.KindTrackStatus:
		r.carrier.closeSend()
		r.finish(io.EOF, stateDone)
	case r.kind == wire.KindPublish && stopped != nil:
		r.stoppedBy(stopped)
	}
	return nil
}

// mayAnswer judges whether the response is one that the draft has for the request. The error closes the session.
func (r *Request) mayAnswer(m wire.Message) error {
	switch {
	case r.kind != wire.KindRaw:
		return wire.MayAnswer(r.s.draft, m, r.kind)
	case m.Kind() != wire.KindRequestOK && m.Kind() != wire.KindRequestError:
		return r.misplaced(m)
	}
	return nil
}

// answeredLate takes the answer to a PUBLISH of ours that our PUBLISH_DONE has overtaken.
func (r *Request) answeredLate(m wire.Message, refused error) {
	r.mu.Lock()
	awaited := r.awaited()
	if awaited {
		r.response, r.refused = m, refused
		close(r.responded)
	}
	r.mu.Unlock()
	if awaited {
		r.s.forget(r)
	}
}

// step2 judges a response that answers nothing: the second to one request (draft-19 §6.2), unless the request was
// cancelled.
func (r *Request) step2(m wire.Message, e requestEvent) error {
	r.mu.Lock()
	state, late := r.state, r.lateAnswers > 0
	if late {
		r.lateAnswers--
	}
	r.mu.Unlock()
	switch {
	case state == stateCancelled, late:
		return nil
	case r.incoming:
		return r.misplaced(m)
	case state == stateDone:
		return nil // an answer to an update may cross PUBLISH_DONE
	}
	return r.step(e)
}

// isAnswered reports whether the request has had its response.
func (r *Request) isAnswered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state != statePending
}

// receiveError takes an error: the answer to the request, or to an update of ours.
func (r *Request) receiveError(m *wire.RequestError) error {
	if err := r.s.checkRedirect(m); err != nil {
		return err
	}
	if u, ok := r.answered(m); ok {
		if err := r.step(onAnswer); err != nil {
			return err
		}
		u.resolve(nil, r.s.requestError(wire.KindRequestUpdate, m, r.s.peerSide()))
		return nil
	}
	r.mu.Lock()
	overtaken := r.ended && r.awaited()
	r.mu.Unlock()
	if overtaken || !r.incoming && !r.isAnswered() {
		if err := r.mayAnswer(m); err != nil {
			return err
		}
	}
	if overtaken {
		r.answeredLate(nil, r.s.requestError(r.kind, m, r.s.peerSide()))
		return nil
	}
	if r.incoming || r.isAnswered() {
		return r.step2(m, onError)
	}
	if err := r.step(onError); err != nil {
		return err
	}
	r.carrier.closeSend()
	r.finish(r.s.requestError(r.kind, m, r.s.peerSide()), stateRefused)
	return nil
}

// checkRedirect: a server is not told where to connect to (draft-19 §10.6.1).
func (s *Session) checkRedirect(m *wire.RequestError) error {
	if m.Redirect != nil && m.Redirect.ConnectURI != "" && s.side == wire.ServerSide {
		return s.breach("REQUEST_ERROR", wire.ProtocolViolation, rules.RedirectURI,
			"a Redirect with a Connect URI from a client")
	}
	return nil
}

// receiveDone takes PUBLISH_DONE.
func (r *Request) receiveDone(m *wire.PublishDone) error {
	if !r.fromPublisher() {
		return r.misplaced(m)
	}
	r.mu.Lock()
	cancelled := r.state == stateCancelled
	err := r.stepLocked(onDone)
	r.mu.Unlock()
	if err != nil || cancelled {
		return err
	}
	r.mu.Lock()
	owing := r.incoming && !r.answering
	r.mu.Unlock()
	r.deliver(m)
	if !owing {
		r.carrier.closeSend() // draft-19 §3.3.2: the other end SHOULD then send a FIN too
	}
	r.finish(io.EOF, stateDone)
	return nil
}

// receiveNamespace takes NAMESPACE and NAMESPACE_DONE (draft-19 §10.18).
func (r *Request) receiveNamespace(m wire.Message, suffix wire.TrackNamespace, e namespaceEvent) error {
	if r.incoming || r.kind != wire.KindSubscribeNamespace {
		return r.misplaced(m)
	}
	if err := r.step(onNames); err != nil {
		return err
	}
	key := r.namePrefix().Join(suffix...).Key()
	r.mu.Lock()
	if r.state == stateCancelled {
		r.mu.Unlock()
		return nil
	}
	before := len(r.names)
	next, err := namespaceMachine.next(r.names[key], e)
	if next == namespaceUnknown {
		delete(r.names, key)
	} else {
		if r.names == nil {
			r.names = make(map[string]namespaceState)
		}
		r.names[key] = next
	}
	more := int64(len(r.names)-before) * int64(messageOverhead+2*len(key)) // here, and with who asked
	tooMany := len(r.names) > maxNames
	r.mu.Unlock()
	tooMany = !r.hold(more, false) || tooMany
	if err != nil {
		return r.s.breach("NAMESPACE_DONE", wire.ProtocolViolation, rules.NamespaceDoneOrder, "%s: %s",
			err.(*wire.Error).Reason, suffix)
	}
	if tooMany {
		r.Cancel(ResetExcessiveLoad)
		return nil
	}
	r.deliver(m)
	return nil
}

// maxNames bounds the namespaces that one SUBSCRIBE_NAMESPACE keeps track of; past it, and past what the session may
// hold, the request is cancelled with EXCESSIVE_LOAD.
const maxNames = 1 << 17

// cancelledBy takes a cancellation by the peer, and reports whether it ended the request.
func (r *Request) cancelledBy(how string, code uint64, hasCode bool, reason string) bool {
	e := &CancelError{Side: r.s.peerSide(), Kind: r.kind, How: how, Code: code, HasCode: hasCode, Reason: reason}
	switch {
	case !hasCode:
	case how == "PUBLISH_NAMESPACE_CANCEL":
		e.Name = RejectName(r.s.draft, wire.KindPublishNamespace, code)
	default:
		e.Name = ResetName(r.s.draft, code)
	}
	r.mu.Lock()
	decided := r.decided
	r.mu.Unlock()
	return !decided && r.finish(e, stateCancelled)
}

// streamEnded takes the end of the peer's direction of the request's own stream.
func (r *Request) streamEnded(err error) {
	var reset *transport.StreamError
	switch {
	case errors.As(err, &reset):
		if !reset.Remote {
			return // our own Stop
		}
		r.s.trace(Event{Type: EventReset, Stream: wire.RequestStream, StreamID: reset.StreamID, RequestID: r.id,
			Code: reset.Code})
		if r.cancelledBy("RESET_STREAM", reset.Code, true, "") {
			r.carrier.abandon(reset.Code)
		}
	case err == io.EOF:
		r.s.trace(Event{Type: EventFin, Stream: wire.RequestStream, StreamID: r.carrier.streamID(), RequestID: r.id})
		r.finished()
	default:
		r.s.fail(err)
	}
}

// peerStopped takes STOP_SENDING on our direction. From the one who asks it is a cancellation (draft-18 §5.1), and so
// it is from the subscriber of an established PUBLISH. From the one who answers it says only that it reads no more,
// which some stacks say whenever they have refused or accepted: a cancellation ends both directions (draft-22
// §6.4.2.3). So it counts once the other direction has ended, and when no answer follows within stopGrace. To a FETCH
// that has its FETCH_OK it never counts: the data stream goes on, and only its end, a reset or REQUEST_ERROR ends the
// fetch (draft-18 §5.2).
func (r *Request) peerStopped(e *transport.StreamError) {
	r.mu.Lock()
	var cancels bool
	switch {
	case r.ended:
	case r.incoming:
		cancels = r.kind != wire.KindPublish || r.finCame
	case r.kind == wire.KindFetch && r.state == stateEstablished:
	case r.kind == wire.KindPublish:
		cancels = r.state == stateEstablished || r.finCame
	default:
		cancels = r.finCame
	}
	if !cancels {
		r.stopped = e
	}
	pending := !cancels && !r.incoming && r.state == statePending
	r.mu.Unlock()
	switch {
	case cancels:
		r.stoppedBy(e)
	case pending:
		r.awaitAnswer(e)
	}
}

// stopGrace is how long the answer may take to follow a STOP_SENDING of the one who answers.
const stopGrace = time.Second

// awaitAnswer takes a STOP_SENDING as a cancellation when no answer follows it.
func (r *Request) awaitAnswer(e *transport.StreamError) {
	wait := time.NewTimer(stopGrace)
	defer wait.Stop()
	select {
	case <-r.responded:
	case <-r.ctx.Done():
	case <-wait.C:
		if !r.isAnswered() {
			r.stoppedBy(e)
		}
	}
}

func (r *Request) stoppedBy(e *transport.StreamError) {
	if r.cancelledBy("STOP_SENDING", e.Code, true, "") {
		r.carrier.abandon(e.Code)
	}
}

// finished takes FIN. It ends a request of the peer that it cancels (up to 18), and one that still lacks a message it
// must have (draft-19 §3.3.2: "treats the request as failed"). Otherwise the peer has only no more to say.
func (r *Request) finished() {
	r.mu.Lock()
	state, stopped := r.state, r.stopped
	r.finCame = true
	r.mu.Unlock()
	failed := state == statePending && !r.incoming || // no response
		r.fromPublisher() && state != stateDone && state != stateRefused // no PUBLISH_DONE
	switch {
	case stopped != nil && state == stateEstablished && r.kind != wire.KindFetch:
		r.stoppedBy(stopped)
	case r.incoming && finCancels(r.s.draft, r.kind), failed:
		if r.cancelledBy("FIN", 0, false, "") {
			r.carrier.abandon(ResetCancelled.Number(r.s.draft))
		}
	case !r.incoming && (r.kind == wire.KindSubscribeNamespace || r.kind == wire.KindSubscribeTracks) &&
		state == stateEstablished:
		r.carrier.closeSend() // draft-18 §6.1: the publisher's FIN is as if all namespaces were done
		r.finish(io.EOF, stateDone)
	default:
		r.inbox.End(io.EOF)
	}
}
