package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// SubscribeMessage is a SUBSCRIBE for everything from now on, with the user's token.
func (s *Session) SubscribeMessage(ns wire.TrackNamespace, name string) *wire.Subscribe {
	return &wire.Subscribe{TrackNamespace: ns, TrackName: name, Parameters: s.e.Parameters()}
}

// SubscribeTo subscribes to a track, with the given parameters, and ends the case unless the relay accepts it. No code
// excuses a refusal: a relay that has accepted the track's PUBLISH_NAMESPACE or PUBLISH must route subscriptions to it.
func (s *Session) SubscribeTo(ctx context.Context, p *Publisher, more ...wire.Parameter) *moqt.Subscription {
	m := s.SubscribeMessage(p.Namespace, p.Name)
	for _, x := range more {
		m.Parameters.Set(x)
	}
	sub, err := s.Session.Subscribe(ctx, m)
	if err != nil {
		panic(s.unanswered(ctx, err, "SUBSCRIBE_OK at the "+s.Role, p))
	}
	return sub
}
