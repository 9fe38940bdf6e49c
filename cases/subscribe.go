package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// SubscribeWith subscribes to a track with more parameters and ends the case unless the relay accepts it. It is skipped
// when the relay says NOT_SUPPORTED.
func (s *Session) SubscribeWith(ctx context.Context, p *Publisher, more ...wire.Parameter) *moqt.Subscription {
	m := s.SubscribeMessage(p.Namespace, p.Name)
	for _, x := range more {
		m.Parameters.Set(x)
	}
	sub, err := s.Session.Subscribe(ctx, m)
	if err != nil {
		s.Refused(ctx, err, "SUBSCRIBE_OK at the "+s.Role, p)
	}
	return sub
}

// SubscribeMessage is a SUBSCRIBE for everything from now on, with the user's token.
func (s *Session) SubscribeMessage(ns wire.TrackNamespace, name string) *wire.Subscribe {
	return &wire.Subscribe{TrackNamespace: ns, TrackName: name, Parameters: s.e.Parameters()}
}

// SubscribeTo subscribes to a track and ends the case unless the relay accepts it.
func (s *Session) SubscribeTo(ctx context.Context, p *Publisher) *moqt.Subscription {
	sub, err := s.Session.Subscribe(ctx, s.SubscribeMessage(p.Namespace, p.Name))
	if err != nil {
		panic(s.unanswered(ctx, err, "SUBSCRIBE_OK at the "+s.Role, p))
	}
	return sub
}
