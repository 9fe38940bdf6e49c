package reference

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// subscribe serves a SUBSCRIBE.
func (p *peer) subscribe(req *moqt.Request) error {
	r, d, ctx := p.relay, p.session.Draft(), req.Context()
	if err := p.subscribes(); err != nil {
		return err
	}
	defer p.unsubscribed()
	t := r.acquire(req.TrackNamespace(), req.TrackName())
	defer r.release(t)
	if err := p.holds(ctx, t.key, req, overtaken); err != nil {
		return err
	}
	defer p.drops(t.key, req)
	ps := req.Message().(*wire.Subscribe).Parameters
	wait := time.Duration(0)
	if d >= wire.Draft17 {
		wait = oneOf(r.limits.Rendezvous, ps.UintOr(wire.ParamRendezvousTimeout, 0))
	}
	if r.faults[rendezvousIgnored] || r.faults[subscribeBeforeSilent] {
		wait = 0
	}
	if err := p.spoilNames(t); err != nil {
		return err
	}
	if r.faults[rendezvousZeroWaits] && ps.UintOr(wire.ParamRendezvousTimeout, 1) == 0 {
		<-ctx.Done()
		return nil
	}
	if spoilt, err := p.spoilSubscribe(ctx, t, req); spoilt {
		return err
	}
	// draft-14 §5.1, draft-16 §5.1.2
	if f, _ := ps.Filter(); f.Form == wire.FilterGroupEnd && f.EndGroup < f.StartGroup {
		return refuse(moqt.RejectInvalidRange, "the end group %d is before the start group %d", f.EndGroup,
			f.StartGroup)
	}
	sub := t.newSubscriber(p.ctx, p)
	ok := &wire.SubscribeOK{}
	past := false
	join := func() {
		f, given := ps.Filter()
		refuses := d <= wire.Draft19 && !r.faults[pastRangeAccepted] || r.faults[pastRangeRefused]
		past = given && refuses && f.Form == wire.FilterGroupEnd && t.hasLargest && f.EndGroup < t.largest.Group
		if !past {
			t.join(sub, ps)
			t.say(d, &ok.Parameters, &ok.Properties)
		}
	}
	err := t.establish(ctx, ps, wait, join)
	switch {
	case err != nil && r.faults[subscribeBeforeSilent]:
		<-ctx.Done()
		return err
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil && r.faults[subscribeErrorZero]:
		return refuse(0, "fault")
	case err != nil:
		return asRefusal(err)
	case past:
		sub.cancel()
		return refuse(moqt.RejectInvalidRange, "all of the range was published before") // draft-18 §5.1.2
	}
	t.wantForward()
	t.newGroup(ps)
	r.spoilSubscribeOK(ok)
	r.quirkyOK(d, ok)
	if ps.UintOr(wire.ParamIncludeProperties, 1) == 0 && !r.faults[propertiesAlways] {
		ok.Properties = nil
	}
	options := append(r.quirkyPublication(), moqt.ManualUpdates())
	if r.faults[duplicateAlias] {
		options = append(options, moqt.WithTrackAlias(7))
	}
	sub.spoilEarly(ctx)
	pub, err := req.AcceptSubscribe(ctx, ok, options...)
	if err != nil {
		t.leave(sub)
		return err
	}
	sub.pub = pub
	p.settle(req, sub)
	if fill, ok := ps.Get(wire.ParamFillParameters); ok && d >= wire.Draft20 {
		sub.fill(req.ID(), fill.Inner, sub.joining, sub.hasJoining)
	}
	sub.serve(pub)
	return nil
}
