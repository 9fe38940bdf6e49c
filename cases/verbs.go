package cases

import (
	"context"
	"errors"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// dialBeside dials a role beside the case, as soon as the case has a connection: a relay that has room for one alone
// gives it to the case's first role. The function that it gives waits for the session and ends the case when there is
// none; before that nothing is said of it.
func (e *Env) dialBeside(ctx context.Context, role string) func() *Session {
	type end struct {
		s *Session
		o *outcome
	}
	ended := make(chan end, 1)
	e.Go(ctx, func(ctx context.Context) {
		select {
		case <-e.connected:
		case <-ctx.Done():
		}
		var s *Session
		o := guard(func() error { s = e.Dial(ctx, role); return nil })
		e.mu.Lock()
		over := e.over
		e.mu.Unlock()
		if over && s != nil { // too late for those that the case closes
			s.finish()
		}
		ended <- end{s, o}
	})
	return func() *Session {
		x := <-ended // not later than ctx ends
		if x.o != nil {
			panic(x.o)
		}
		return x.s
	}
}

// okName is the draft's name of the message that accepts a kind of request.
func (s *Session) okName(kind wire.Kind) string {
	switch kind {
	case wire.KindSubscribe:
		return wire.NameOf(s.Draft(), &wire.SubscribeOK{})
	case wire.KindFetch:
		return wire.NameOf(s.Draft(), &wire.FetchOK{})
	}
	return wire.NameOf(s.Draft(), &wire.RequestOK{Answers: kind})
}

// Announce publishes a namespace and ends the case unless the relay accepts it.
func (s *Session) Announce(ctx context.Context, ns wire.TrackNamespace) *moqt.Announcement {
	a, err := s.PublishNamespace(ctx, ns, s.e.Parameters())
	s.Check(ctx, err, transport.LayerRequest, s.okName(wire.KindPublishNamespace)+" for PUBLISH_NAMESPACE")
	s.peer.announce(ns)
	return a
}

// Withdraw takes a namespace back.
func (s *Session) Withdraw(a *moqt.Announcement, ns wire.TrackNamespace) {
	a.Withdraw()
	s.peer.withdraw(ns)
}

// subscribeMessage is a SUBSCRIBE for everything from now on.
func (s *Session) subscribeMessage(ns wire.TrackNamespace, name string) *wire.Subscribe {
	return &wire.Subscribe{TrackNamespace: ns, TrackName: name, Parameters: s.e.Parameters()}
}

// SubscribeTo subscribes to a published track and ends the case unless the relay accepts it.
func (s *Session) SubscribeTo(ctx context.Context, p *publisher) *moqt.Subscription {
	sub, err := s.Session.Subscribe(ctx, s.subscribeMessage(p.ns, p.name))
	if err != nil {
		panic(s.unanswered(ctx, err, "SUBSCRIBE_OK at the "+s.Role, p))
	}
	return sub
}

// unanswered is the failure of a request that got no OK. It says what the publisher has seen, for that tells where the
// request got lost.
func (s *Session) unanswered(ctx context.Context, err error, expected string, p *publisher) *outcome {
	o := s.e.classify(ctx, err, s, transport.LayerRequest, expected)
	if o.layer == transport.LayerRequest && o.expected == expected && !o.quiet {
		return failed(o.layer, o.expected, o.received+" (the publisher has seen "+p.saw()+")")
	}
	return o
}

// refused ends the case because a request got no OK: as skipped when the relay says NOT_SUPPORTED, else as failed.
func (s *Session) refused(ctx context.Context, err error, expected string, p *publisher) {
	s.skipUnsupported(err)
	panic(s.unanswered(ctx, err, expected, p))
}

// skipUnsupported ends the case as skipped when err says that the relay does not support the request.
func (s *Session) skipUnsupported(err error) {
	var refused *moqt.RequestError
	if errors.As(err, &refused) {
		if name, ok := wire.RequestErrorCode(refused.Code).Meaning(s.Draft(), refused.Kind); ok &&
			name == wire.NameNotSupported {
			s.e.Skip("%s: %s", refused.Kind, refusal(refused))
		}
	}
}
