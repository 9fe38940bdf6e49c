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
	if err := p.holds(t.key, req); err != nil {
		return err
	}
	defer p.drops(t.key, req)
	ps := req.Message().(*wire.Subscribe).Parameters
	wait := time.Duration(0)
	if d >= wire.Draft17 {
		wait = oneOf(r.limits.Rendezvous, ps.UintOr(wire.ParamRendezvousTimeout, 0))
	}
	if r.faults[rendezvousIgnored] {
		wait = 0
	}
	if spoilt, err := p.spoilSubscribe(ctx, t, req); spoilt {
		return err
	}
	if r.faults[subscribeBeforeSilent] {
		if err := t.establish(ctx, ps, 0); err != nil {
			<-ctx.Done()
			return err
		}
	}
	if err := t.establish(ctx, ps, wait); err != nil {
		if ctx.Err() != nil {
			return err
		}
		no := asRefusal(err)
		if r.faults[subscribeErrorZero] {
			no = refuse(0, "fault")
		}
		return no
	}
	s := t.newSubscriber(p.ctx, p)
	ok := &wire.SubscribeOK{}
	t.mu.Lock()
	f, given := ps.Filter()
	refuses := d <= wire.Draft19 && !r.faults[pastRangeAccepted] || r.faults[pastRangeRefused]
	past := given && refuses && f.Form == wire.FilterGroupEnd && t.hasLargest && f.EndGroup < t.largest.Group
	if !past {
		t.join(s, ps)
		t.say(d, &ok.Parameters, &ok.Properties)
	}
	t.mu.Unlock()
	t.settle()
	if past {
		s.cancel()
		return refuse(moqt.RejectInvalidRange, "all of the range was published before") // draft-18 §5.1.2
	}
	t.wantForward()
	t.newGroup(ps)
	r.spoilSubscribeOK(ok)
	if ps.UintOr(wire.ParamIncludeProperties, 1) == 0 {
		ok.Properties = nil
	}
	options := []moqt.PublicationOption{moqt.ManualUpdates()}
	if r.faults[duplicateAlias] {
		options = append(options, moqt.WithTrackAlias(7))
	}
	pub, err := req.AcceptSubscribe(ctx, ok, options...)
	if err != nil {
		t.leave(s)
		return err
	}
	s.pub = pub
	p.settle(req, s)
	if fill, ok := ps.Get(wire.ParamFillParameters); ok && d >= wire.Draft20 {
		s.fill(req.ID(), fill.Inner, s.joining, s.hasJoining)
	}
	s.serve(pub)
	return nil
}
