package reference

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// offer is a track that the relay sends to a session with PUBLISH because of its SUBSCRIBE_TRACKS (up to 17
// SUBSCRIBE_NAMESPACE).
type offer struct {
	tracks *tracksSubscriber
	sub    *subscriber
	// publish describes the track as it was when sub joined it.
	publish *wire.Publish
}

// offer makes a session join the track before it is asked, so that it gets what comes from now on. ranges are the
// filters for its objects. It returns nil if the session has a SUBSCRIBE of its own (draft-18 §9.5). The caller holds
// the relay's lock.
func (t *track) offer(ts *tracksSubscriber, ranges moqt.RangeFilters) *offer {
	p := ts.peer
	p.mu.Lock()
	own := p.subscribesTo(t.key)
	p.mu.Unlock()
	if own != nil && !t.relay.faults[publishDoubled] {
		return nil
	}
	o := &offer{ts, t.newSubscriber(p.ctx, p), &wire.Publish{TrackNamespace: t.namespace, TrackName: t.name,
		Parameters: ts.defaults()}}
	o.sub.ranges = ranges
	t.mu.Lock()
	defer t.mu.Unlock()
	t.join(o.sub, o.publish.Parameters)
	t.say(p.session.Draft(), &o.publish.Parameters, &o.publish.Properties)
	if ts.bare {
		o.publish.Properties = nil
	}
	return o
}

// serve sends the PUBLISH and serves the subscription to its end.
func (o *offer) serve() {
	ts, s := o.tracks, o.sub
	p, t := ts.peer, s.track
	if p.subscribes() != nil {
		t.leave(s)
		ts.skip(t)
		return
	}
	defer p.unsubscribed()
	pub, err := p.session.StartPublish(p.ctx, o.publish, moqt.ManualUpdates())
	if err != nil {
		t.leave(s)
		ts.skip(t)
		return
	}
	p.register(pub.Request())
	if p.holds(p.ctx, t.key, pub.Request(), 0) == nil {
		defer p.drops(t.key, pub.Request())
	}
	defer p.settle(pub.Request(), nil)
	ctx, cancel := context.WithTimeout(p.ctx, t.relay.limits.Fetch)
	err = pub.Ready(ctx)
	cancel()
	if err != nil {
		pub.Request().Cancel(moqt.ResetCancelled)
		t.leave(s)
		t.relay.log.Debug("PUBLISH not accepted", "track", t.name, "session", p.id, "error", err)
		return
	}
	if p.session.Draft() <= wire.Draft19 { // what PUBLISH_OK says, of the track as PUBLISH described it
		t.mu.Lock()
		s.set(pub.Parameters(), s.joining, s.hasJoining)
		t.mu.Unlock()
	}
	t.wantForward()
	p.settle(pub.Request(), s)
	s.serve(pub)
}
