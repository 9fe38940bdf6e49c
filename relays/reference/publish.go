package reference

import (
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// publish serves a PUBLISH. It always accepts; then others can subscribe to the track.
func (p *peer) publish(req *moqt.Request) error {
	r, d, ctx := p.relay, p.session.Draft(), req.Context()
	m := req.Message().(*wire.Publish)
	if name, bad := r.unknownMandatory(d, m.Properties); bad {
		return refuse(moqt.RejectUnsupportedExtension, "the track has the mandatory property 0x%x", name)
	}
	if p.uplink != nil && r.provides(m.TrackNamespace, m.TrackName) { // it may well be from here
		return refuse(moqt.RejectDuplicateSubscription, "the track is published here")
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
	if _, twice := t.coming[p]; twice || t.bringsFrom(p) {
		t.mu.Unlock()
		return refuse(moqt.RejectDuplicateSubscription, "the session publishes the track already")
	}
	t.coming[p] = struct{}{}
	want := len(t.waiters) > 0
	for _, s := range t.subscribers {
		want = want || s.forward
	}
	t.mu.Unlock()
	ok := &wire.RequestOK{}
	if d <= wire.Draft19 && (want || asked == 1 && !r.quirks[publishPaused]) {
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
		delete(t.coming, p)
		t.changed()
	}
	sub, err := req.AcceptPublish(ctx, ok)
	if err != nil {
		came()
		return err
	}
	u := t.newUpstream(p, false)
	u.sub, u.priority = sub, info.priority
	u.forward = asked == 1 || want && d <= wire.Draft19 || r.faults[publishStaysPaused]
	if r.quirks[publishPaused] && d <= wire.Draft19 {
		u.forward = want
	}
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
