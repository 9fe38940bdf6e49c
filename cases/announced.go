package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Announced dials the publisher of a track, in the role "publisher", and publishes the track's namespace. The
// properties are the track's (16 and later).
func (e *Env) Announced(ctx context.Context, properties ...wire.Property) *Publisher {
	s := e.Dial(ctx, "publisher")
	p := s.Publisher(e.Namespace(), e.TrackName())
	p.Properties = properties
	step, cancel := e.Step(ctx)
	defer cancel()
	s.Announce(step, p.Namespace)
	return p
}

// Announce publishes a namespace and ends the case unless the relay accepts it. If the relay has subscribed to a prefix
// of it, Announce also sends it NAMESPACE.
func (s *Session) Announce(ctx context.Context, ns wire.TrackNamespace) *moqt.Announcement {
	a, err := s.PublishNamespace(ctx, ns, s.e.Parameters())
	s.Check(ctx, err, transport.LayerRequest, s.OKName(wire.KindPublishNamespace)+" for PUBLISH_NAMESPACE")
	s.peer.announce(ns)
	return a
}

// Withdraw withdraws a namespace.
func (s *Session) Withdraw(a *moqt.Announcement, ns wire.TrackNamespace) {
	a.Withdraw()
	s.peer.withdraw(ns)
}

// History is a live track with a past: its publisher has published groups 0 to 2 of 5 objects each. A subscriber has
// received all of them and goes on reading. It dials the roles "publisher" and "subscriber".
func (e *Env) History(ctx context.Context) *Publisher {
	p := e.Announced(ctx)
	step, cancel := e.Step(ctx)
	defer cancel()
	s := e.Dial(step, "subscriber")
	sub := s.SubscribeTo(step, p)
	p.WaitForward(step)
	l := e.Groups(0, 2)
	k := NewChecker(l, Checks{})
	r := s.Read(ctx, "SUBSCRIBE", k, sub.Next)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	step, cancel = e.Step(ctx)
	defer cancel()
	s.Gather(step, k, r)
	if what := k.Corrupted(); what != "" {
		e.Fail(transport.LayerData, l.String()+" at the subscriber", what)
	}
	if what := k.Problem(); what != "" {
		e.Note("subscriber: %s", what) // more than was published; the cases of the data plane judge that
	}
	return p
}
