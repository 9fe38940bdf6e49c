package reference

import (
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// publishTo makes a session subscribe to the track by PUBLISH, as its SUBSCRIBE_TRACKS (up to 17 SUBSCRIBE_NAMESPACE)
// asks for. It returns when that subscription has ended. ranges are the filters for its objects.
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
