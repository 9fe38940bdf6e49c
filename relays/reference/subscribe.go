package reference

import (
	"context"
	"slices"
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

// publish serves a PUBLISH: it is always accepted, and the track can then be subscribed to.
func (p *peer) publish(req *moqt.Request) error {
	r, d, ctx := p.relay, p.session.Draft(), req.Context()
	m := req.Message().(*wire.Publish)
	if name, bad := r.unknownMandatory(d, m.Properties); bad {
		return refuse(moqt.RejectUnsupportedExtension, "the track has the mandatory property 0x%x", name)
	}
	if err := p.publishes(); err != nil {
		return err
	}
	defer p.unpublished()
	t := r.acquire(m.TrackNamespace, m.TrackName)
	defer r.release(t)
	info := infoOf(d, m.Parameters, m.Properties)
	asked := m.Parameters.UintOr(wire.ParamForward, 1)
	t.mu.Lock()
	if slices.ContainsFunc(t.upstreams, func(u *upstream) bool { return u.peer == p }) {
		t.mu.Unlock()
		return refuse(moqt.RejectDuplicateSubscription, "the session publishes the track already")
	}
	t.coming++
	want := t.waiting > 0
	for _, s := range t.subscribers {
		want = want || s.forward
	}
	t.mu.Unlock()
	ok := &wire.RequestOK{}
	if d <= wire.Draft19 && (want || asked == 1) {
		ok.Parameters.SetUint(wire.ParamForward, 1)
	} else if d <= wire.Draft19 {
		ok.Parameters.SetUint(wire.ParamForward, 0) // draft-18 §9.5: nobody wants the track yet
	}
	if r.faults[publishStaysPaused] {
		ok.Parameters.SetUint(wire.ParamForward, 0)
	}
	came := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.coming--
		t.changed()
	}
	sub, err := req.AcceptPublish(ctx, ok)
	if err != nil {
		came()
		return err
	}
	u := t.newUpstream(p, sub, info)
	u.forward = asked == 1 || want && d <= wire.Draft19 || r.faults[publishStaysPaused]
	if r.faults[publishNotRouted] {
		came()
		<-p.ctx.Done()
		u.cancel()
		return nil
	}
	err = t.attach(u, info)
	came()
	if err != nil {
		u.cancel()
		sub.Unsubscribe()
		return nil
	}
	t.wantForward()
	pub := &publication{track: t, peer: p, properties: info.properties}
	r.announceTrack(pub)
	u.run()
	r.withdrawTrack(pub)
	if r.faults[doneClosesSession] && p.ctx.Err() == nil {
		p.session.Abort(wire.ProtocolViolation, "fault")
	}
	return nil
}

// trackStatus serves a TRACK_STATUS, from what the relay knows or by asking a publisher.
func (p *peer) trackStatus(req *moqt.Request) error {
	r, d, ctx := p.relay, p.session.Draft(), req.Context()
	if r.faults[statusSilent] {
		<-ctx.Done()
		return nil
	}
	t := r.acquire(req.TrackNamespace(), req.TrackName())
	defer r.release(t)
	ok := &wire.RequestOK{Answers: wire.KindTrackStatus}
	t.mu.Lock()
	live := t.live
	if live {
		t.say(d, &ok.Parameters, &ok.Properties)
	}
	t.mu.Unlock()
	if !live {
		answer, err := t.askStatus(ctx)
		if err != nil {
			return asRefusal(err)
		}
		answer.say(d, &ok.Parameters, &ok.Properties)
	}
	if largest, has := ok.Parameters.Largest(); has && r.faults[statusWrong] {
		ok.Parameters.SetLargest(wire.Location{Group: largest.Group + 1, Object: largest.Object})
	}
	if req.Parameters().UintOr(wire.ParamIncludeProperties, 1) == 0 {
		ok.Properties = nil
	}
	return req.Accept(ctx, ok)
}

// askStatus asks publishers one after the other for the state of a track. The answer is a track that nobody but the caller knows.
func (t *track) askStatus(ctx context.Context) (*track, error) {
	ctx, cancel := context.WithTimeout(ctx, t.relay.limits.Fetch)
	defer cancel()
	var failed error = refuse(moqt.RejectDoesNotExist, "nobody publishes this track")
	for i, p := range t.relay.publishers(t.namespace) {
		ok, err := p.session.TrackStatus(ctx, &wire.TrackStatus{TrackNamespace: t.namespace, TrackName: t.name})
		if err == nil {
			info := infoOf(p.session.Draft(), ok.Parameters, ok.Properties)
			return &track{trackLog: trackLog{largest: info.largest, hasLargest: info.hasLargest}, properties: info.properties}, nil
		}
		if i == 0 {
			failed = err
		}
	}
	return nil, failed
}

// publishTo makes a session subscribe to the track by PUBLISH, as its SUBSCRIBE_TRACKS (up to 17 SUBSCRIBE_NAMESPACE) asks for. It returns when that
// subscription has ended. ranges are the filters for its objects.
func (t *track) publishTo(ts *tracksSubscriber, ranges moqt.RangeFilters) {
	p, r := ts.peer, t.relay
	d := p.session.Draft()
	if p.subscribes() != nil {
		ts.skip(t)
		return
	}
	defer p.unsubscribed()
	p.mu.Lock()
	again := p.subscribesTo(t.key)
	p.mu.Unlock()
	if again {
		return // draft-18 §9.5: it has its own SUBSCRIBE
	}
	s := t.newSubscriber(p.ctx, p)
	m := &wire.Publish{TrackNamespace: t.namespace, TrackName: t.name, Parameters: ts.defaults()}
	s.ranges = ranges
	t.mu.Lock()
	t.join(s, m.Parameters)
	t.say(d, &m.Parameters, &m.Properties)
	t.mu.Unlock()
	if ts.bare {
		m.Properties = nil
	}
	pub, err := p.session.StartPublish(p.ctx, m, moqt.ManualUpdates())
	if err != nil {
		t.leave(s)
		ts.skip(t)
		return
	}
	p.register(pub.Request())
	if p.holds(t.key, pub.Request()) == nil {
		defer p.drops(t.key, pub.Request())
	}
	defer p.settle(pub.Request(), nil)
	if err := pub.Ready(p.ctx); err != nil {
		t.leave(s)
		r.log.Debug("PUBLISH not accepted", "track", t.name, "session", p.id, "error", err)
		return
	}
	if d <= wire.Draft19 { // what PUBLISH_OK says, of the track as PUBLISH described it
		t.mu.Lock()
		s.set(pub.Parameters(), s.joining, s.hasJoining)
		t.mu.Unlock()
	}
	t.wantForward()
	p.settle(pub.Request(), s)
	s.serve(pub)
}
