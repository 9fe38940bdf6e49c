package cases

import (
	"context"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Offer announces the track with PUBLISH and ends the case unless the relay accepts it. The case is skipped when the
// relay answers NOT_SUPPORTED. Up to 19 PUBLISH_OK sets the Forward State; from 20 on our PUBLISH sets it to 1
// (draft-17 §9.12, draft-18 §10.2.12, draft-20 §10.11).
func (p *Publisher) Offer(ctx context.Context) *moqt.Publication { return p.offer(ctx, false) }

// OfferFurther is Offer for a track that another session publishes already. The case is skipped when the relay refuses
// it, with whatever code (draft-18 §9.3).
func (p *Publisher) OfferFurther(ctx context.Context) *moqt.Publication { return p.offer(ctx, true) }

func (p *Publisher) offer(ctx context.Context, further bool) *moqt.Publication {
	s := p.Session
	m := &wire.Publish{TrackNamespace: p.Namespace, TrackName: p.Name, Parameters: s.e.Parameters(),
		Properties: p.Properties}
	if s.Draft() >= wire.Draft20 {
		m.Parameters.SetUint(wire.ParamForward, 1)
	}
	p.mu.Lock()
	p.offered = true
	p.mu.Unlock()
	pub, err := s.StartPublish(ctx, m, moqt.ManualUpdates())
	s.Check(ctx, err, transport.LayerRequest, "PUBLISH to be sent")
	if err := pub.Ready(ctx); err != nil {
		if further {
			s.MayRefuse(err, "the PUBLISH of a second publisher", rules.FurtherPublisher)
		}
		s.SkipUnsupported(err)
		s.Check(ctx, err, transport.LayerRequest, s.OKName(wire.KindPublish)+" for PUBLISH")
	}
	p.mu.Lock()
	sub := &subscription{pub: pub, next: len(p.log)}
	sub.largest, sub.has = p.largest()
	sub.filter, _ = pub.Parameters().Filter()
	p.mu.Unlock()
	s.e.Go(pub.Context(), func(ctx context.Context) { p.follow(ctx, sub, pub, nil) })
	s.Check(ctx, p.wait(ctx, func() bool { return slices.Contains(p.subscriptions, sub) }), transport.LayerRequest,
		"an answer to PUBLISH")
	return pub
}

// duplicate reports whether a SUBSCRIBE of the relay is one too many. From 16 to 18 a track published with PUBLISH
// takes no second subscription on the same session (draft-16 §5.1, draft-18 §5.1).
func (p *Publisher) duplicate() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.Session.Draft()
	return p.offered && !p.ended && d >= wire.Draft16 && d <= wire.Draft18
}

// Emit publishes objects with a pause between them, and only while some subscription has Forward State 1. It ends the
// case if none has for a whole step.
func (p *Publisher) Emit(ctx context.Context, l Layout, pace time.Duration) {
	for i, x := range l {
		if i > 0 {
			p.Session.e.Sleep(ctx, pace)
		}
		p.WaitAnyForward(ctx)
		p.Publish(ctx, Layout{x}, 0)
	}
}

// WaitAnyForward waits until some subscription has Forward State 1. It ends the case if that takes too long, and if all
// subscriptions are over.
func (p *Publisher) WaitAnyForward(ctx context.Context) {
	ctx, cancel := p.Session.e.Step(ctx)
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
	p.Session.Check(ctx, err, transport.LayerRequest, expected)
	if !flows {
		p.mu.Lock()
		cause := context.Cause(p.subscriptions[0].pub.Context())
		p.mu.Unlock()
		p.Session.Check(ctx, cause, transport.LayerRequest, expected)
	}
}

// waitFlow waits until some subscription has Forward State 1, whichever are over. It ends the case if that takes too
// long.
func (p *Publisher) waitFlow(ctx context.Context) {
	err := p.wait(ctx, func() bool {
		return slices.ContainsFunc(p.subscriptions, func(sub *subscription) bool {
			return !sub.done && sub.pub.Forward()
		})
	})
	p.Session.Check(ctx, err, transport.LayerRequest, "a subscription with Forward State 1 at the publisher, since "+
		"the relay has accepted one")
}

// Finish ends the track and waits until every subscription has been sent PUBLISH_DONE.
func (p *Publisher) Finish(ctx context.Context) {
	p.End()
	err := p.wait(ctx, func() bool {
		for _, sub := range p.subscriptions {
			if !sub.done {
				return false
			}
		}
		return true
	})
	p.Session.Check(ctx, err, transport.LayerData, "the relay to take the objects and PUBLISH_DONE")
}

// OfferBeside starts Offer and returns, since a relay may ask its own subscribers before it answers. The returned
// function waits until the relay has accepted.
func (p *Publisher) OfferBeside(ctx context.Context) func(ctx context.Context) {
	done := make(chan struct{})
	p.Session.e.Go(ctx, func(ctx context.Context) {
		step, cancel := p.Session.e.Step(ctx)
		defer cancel()
		p.Offer(step)
		close(done)
	})
	return func(ctx context.Context) {
		select {
		case <-done:
		case <-ctx.Done():
			p.Session.Check(ctx, context.Cause(ctx), transport.LayerRequest,
				p.Session.OKName(wire.KindPublish)+" for PUBLISH")
		}
	}
}
