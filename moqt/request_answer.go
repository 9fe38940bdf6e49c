package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Accept answers a request of the peer with its OK: *wire.SubscribeOK, *wire.FetchOK or *wire.RequestOK. It fills in
// the ids; nil stands for an empty OK. End of a FETCH_OK has the draft's own meaning here. A request can be answered
// once. Use AcceptSubscribe, AcceptPublish or AcceptFetch to send or receive its objects too.
func (r *Request) Accept(ctx context.Context, ok wire.Message) error {
	if err := r.accept(ctx, ok); err != nil {
		return err
	}
	r.releaseAlias() // nobody takes the data of a PUBLISH
	return nil
}

func (r *Request) accept(ctx context.Context, ok wire.Message) error {
	if isNil(ok) {
		switch answerKind(r.kind) {
		case wire.KindSubscribeOK:
			ok = &wire.SubscribeOK{}
		case wire.KindFetchOK:
			ok = &wire.FetchOK{}
		default:
			ok = &wire.RequestOK{}
		}
	}
	if ok.Kind() != answerKind(r.kind) {
		return fmt.Errorf("%s is answered with %s, not with %s", r.kind, answerKind(r.kind), ok.Kind())
	}
	if err := r.answer(); err != nil {
		return err
	}
	r.mu.Lock()
	// draft-17 §9.16: FIN after the answer; or PUBLISH_DONE came first
	last := r.kind == wire.KindTrackStatus || r.state == stateDone
	r.mu.Unlock()
	r.accepted(ok)
	if err := r.carrier.send(ctx, r, r.addressed(ok), last); err != nil {
		r.unanswer(err)
		return err
	}
	r.step(onOK)
	if r.kind == wire.KindTrackStatus {
		r.finish(io.EOF, stateDone)
	}
	return nil
}

// RejectOption adds to the error of a Reject.
type RejectOption func(*wire.RequestError)

// RetryAfter says that the peer may ask again after some time, in whole milliseconds (16 and later; not sent before).
// Without it the peer should not.
func RetryAfter(d time.Duration) RejectOption {
	return func(m *wire.RequestError) { m.RetryInterval = uint64(max(0, d.Milliseconds())) + 1 }
}

// RedirectTo says whom or what to ask instead; it goes with RejectRedirect (18 and later).
func RedirectTo(to wire.Redirect) RejectOption {
	return func(m *wire.RequestError) { m.Redirect = &to }
}

// Reject answers a request of the peer with an error. From 17 on FIN follows.
func (r *Request) Reject(ctx context.Context, code RejectCode, reason string, opts ...RejectOption) error {
	m := &wire.RequestError{Code: code.Number(r.s.draft, r.kind), Reason: reason}
	for _, o := range opts {
		o(m)
	}
	if err := r.answer(); err != nil {
		return err
	}
	before := r.decide(stateRefused)
	if err := r.carrier.send(ctx, r, r.addressed(m), true); err != nil {
		r.undecide(before, err)
		r.unanswer(err)
		return err
	}
	if !r.finish(r.s.requestError(r.kind, m, r.s.side), stateRefused) {
		r.releaseAlias() // PUBLISH_DONE had come first
	}
	return nil
}

// releaseAlias takes an incoming PUBLISH that was not accepted off its Track Alias.
func (r *Request) releaseAlias() {
	if m, ok := r.message.(*wire.Publish); ok && r.incoming {
		r.s.data.unbind(m.TrackAlias, r, nil)
	}
}

// answer claims the right to answer.
func (r *Request) answer() error {
	if !r.incoming {
		return fmt.Errorf("%s %d is a request of this end, which the peer answers", r.kind, r.id)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ended && r.state == stateCancelled:
		return context.Cause(r.ctx)
	case r.answering:
		return fmt.Errorf("%s %d has been answered", r.kind, r.id)
	case r.s.ctx.Err() != nil:
		return context.Cause(r.s.ctx)
	}
	r.answering = true
	return nil
}

// decide notes how our last message ends the request, before it is sent: what the peer does in answer to it changes
// nothing any more.
func (r *Request) decide(state requestState) (before requestState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before = r.state
	if !r.ended {
		r.state, r.decided = state, true
	}
	return before
}

// undecide takes it back when nothing was sent.
func (r *Request) undecide(before requestState, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var e *wire.Error
	if errors.As(err, &e) && !r.ended {
		r.state, r.decided = before, false
	}
}

// unanswer gives the right back after an answer that could not be encoded.
func (r *Request) unanswer(err error) {
	var e *wire.Error
	if !errors.As(err, &e) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answering = false
}

// accepted takes over what our OK says.
func (r *Request) accepted(ok wire.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch x := ok.(type) {
	case *wire.RequestOK:
		r.publishOK(x)
	case *wire.SubscribeOK:
		largest, ok := x.Parameters.Largest()
		r.bounds.establish(r.s.draft, r.params, largest, ok)
	}
}

// publishOK takes over what PUBLISH_OK says: up to 19 it sets the subscription's parameters (draft-19 §10.5), later
// EXPIRES only. The caller holds mu.
func (r *Request) publishOK(ok *wire.RequestOK) {
	if r.kind != wire.KindPublish || r.s.draft > wire.Draft19 {
		return
	}
	ps := MergeParameters(r.params, ok.Parameters)
	// left out it is 1, whatever PUBLISH said (draft-19 §10.2.17)
	ps.SetUint(wire.ParamForward, ok.Parameters.UintOr(wire.ParamForward, 1))
	r.setParams(ps)
	largest, has := r.message.(*wire.Publish).Parameters.Largest()
	r.bounds.establish(r.s.draft, r.params, largest, has)
}

func isNil(m wire.Message) bool {
	switch x := m.(type) {
	case nil:
		return true
	case *wire.SubscribeOK:
		return x == nil
	case *wire.FetchOK:
		return x == nil
	case *wire.RequestOK:
		return x == nil
	}
	return false
}

// requestError is a refusal as an error; side is who refused.
func (s *Session) requestError(kind wire.Kind, m *wire.RequestError, side wire.Side) *RequestError {
	return &RequestError{Side: side, Kind: kind, Code: m.Code, Name: RejectName(s.draft, kind, m.Code),
		Reason:        m.Reason,
		RetryInterval: m.RetryInterval, Redirect: m.Redirect, Draft: s.draft}
}
