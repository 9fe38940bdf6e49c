package cases

import (
	"context"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// offer publishes the track itself, with PUBLISH, and ends the case unless the relay accepts it: as skipped when it
// says NOT_SUPPORTED. From 20 on the Forward State is what our PUBLISH says, 1; before, PUBLISH_OK says it (draft-18
// §9.12, draft-20 §10.11).
func (p *publisher) offer(ctx context.Context) *subscription {
	s := p.s
	m := &wire.Publish{TrackNamespace: p.ns, TrackName: p.name, Parameters: s.e.Parameters(), Properties: p.properties}
	if s.Draft() >= wire.Draft20 {
		m.Parameters.SetUint(wire.ParamForward, 1)
	}
	p.mu.Lock()
	p.offered = true
	p.mu.Unlock()
	pub, err := s.StartPublish(ctx, m, moqt.ManualUpdates())
	s.Check(ctx, err, transport.LayerRequest, "PUBLISH to be sent")
	if err := pub.Ready(ctx); err != nil {
		s.skipUnsupported(err)
		s.Check(ctx, err, transport.LayerRequest, s.okName(wire.KindPublish)+" for PUBLISH")
	}
	p.mu.Lock()
	sub := &subscription{pub: pub, next: len(p.log)}
	sub.largest, sub.has = p.largest()
	sub.filter, _ = pub.Parameters().Filter()
	p.mu.Unlock()
	s.e.Go(pub.Context(), func(ctx context.Context) { p.follow(ctx, sub, pub, nil) })
	s.Check(ctx, p.wait(ctx, func() bool { return slices.Contains(p.subscriptions, sub) }), transport.LayerRequest,
		"an answer to PUBLISH")
	return sub
}

// duplicate reports whether a SUBSCRIBE of the relay is one too many: in 16 to 18 a track that the session has
// published with PUBLISH takes no other subscription (draft-16 §5.1, draft-18 §5.1).
func (p *publisher) duplicate() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.s.Draft()
	return p.offered && !p.ended && d >= wire.Draft16 && d <= wire.Draft18
}

// emit publishes objects, pace apart, each of them only while a subscription wants objects: its Forward State is 1. It
// ends the case when none does in time.
func (p *publisher) emit(ctx context.Context, l layout, pace time.Duration) {
	for i, x := range l {
		if i > 0 {
			p.s.e.Sleep(ctx, pace)
		}
		p.flowing(ctx)
		p.publish(ctx, layout{x}, 0)
	}
}

// flowing waits until some subscription has Forward State 1. It ends the case when none has in time, and when all of
// them are over.
func (p *publisher) flowing(ctx context.Context) {
	ctx, cancel := p.s.e.Step(ctx)
	defer cancel()
	flows, over := false, false
	err := p.wait(ctx, func() bool {
		over = len(p.subscriptions) > 0
		for _, sub := range p.subscriptions {
			flows = flows || !sub.done && sub.pub.Forward()
			over = over && sub.done
		}
		return flows || over
	})
	const expected = "a subscription with Forward State 1 at the publisher"
	p.s.Check(ctx, err, transport.LayerRequest, expected)
	if !flows {
		p.mu.Lock()
		cause := context.Cause(p.subscriptions[0].pub.Context())
		p.mu.Unlock()
		p.s.Check(ctx, cause, transport.LayerRequest, expected)
	}
}

// finish says that the track has ended and waits until every subscription has had PUBLISH_DONE.
func (p *publisher) finish(ctx context.Context) {
	p.end()
	err := p.wait(ctx, func() bool {
		for _, sub := range p.subscriptions {
			if !sub.done {
				return false
			}
		}
		return true
	})
	p.s.Check(ctx, err, transport.LayerData, "the relay to take the objects and PUBLISH_DONE")
}
