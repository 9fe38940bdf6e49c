package reference

import (
	"context"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// tracksSubscriber is a SUBSCRIBE_TRACKS, or up to 17 a SUBSCRIBE_NAMESPACE for publishes. Tracks published under the
// prefix are sent to it with PUBLISH. The relay's lock guards prefix and ranges.
type tracksSubscriber struct {
	peer       *peer
	req        *moqt.Request // nil where the relay's parent is told without having asked
	ctx        context.Context
	prefix     wire.TrackNamespace
	parameters wire.Parameters
	ranges     moqt.RangeFilters
	bare       bool // INCLUDE_PROPERTIES 0
	// accepted is closed when the request is accepted. Nothing is sent before.
	accepted chan struct{}
}

// announceTrack adds a published track, and sends a PUBLISH to each session that asked for it.
func (r *Relay) announceTrack(pub *publication) {
	r.mu.Lock()
	r.published.add(pub.track.namespace, pub)
	r.counters.Publications.Add(1)
	for _, ts := range r.tracking.prefixes(pub.track.namespace) {
		r.pass(pub, ts)
	}
	r.mu.Unlock()
	pub.track.published()
}

// withdrawTrack removes a published track.
func (r *Relay) withdrawTrack(pub *publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.published.remove(pub.track.namespace, pub)
	r.counters.Publications.Add(-1)
}

// track begins to publish tracks to ts, and starts with those that exist already.
func (r *Relay) track(ts *tracksSubscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trackFrom(ts)
}

// trackFrom is track for a caller that holds the relay's lock.
func (r *Relay) trackFrom(ts *tracksSubscriber) {
	r.tracking.add(ts.prefix, ts)
	r.published.below(ts.prefix, func(_ wire.TrackNamespace, pubs []*publication) {
		for _, pub := range pubs {
			r.pass(pub, ts)
		}
	})
}

func (r *Relay) untrack(ts *tracksSubscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tracking.remove(ts.prefix, ts)
}

// pass publishes a track to ts. It leaves out a track that does not pass the filters (draft-19 §5.1.3), and from 18 on
// the session's own tracks (draft-18 §6.1). The subscription that follows outlives the SUBSCRIBE_TRACKS. The caller
// holds the relay's lock.
func (r *Relay) pass(pub *publication, ts *tracksSubscriber) {
	own := pub.peer == ts.peer && (ts.peer.session.Draft() >= wire.Draft18 || ts.peer.uplink != nil)
	if own && !r.faults[ownTracksEchoed] || ts.peer.ctx.Err() != nil {
		return
	}
	ranges, passes := ts.ranges.ForTrack(pub.properties)
	if !passes && !r.faults[rangeFilterIgnored] {
		return
	}
	o := pub.track.offer(ts, ranges)
	if o == nil {
		return
	}
	pub.track.users++
	r.tasks.Go(func() {
		defer r.release(pub.track)
		select {
		case <-ts.accepted:
			o.serve()
		case <-ts.ctx.Done():
			if r.faults[tracksCancelIgnored] {
				o.serve()
				return
			}
			pub.track.leave(o.sub)
		}
	})
}

// refilter applies the range filters of an update: tracks that pass now and did not before are published.
func (r *Relay) refilter(ts *tracksSubscriber, ps wire.Parameters) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := ts.ranges
	ts.ranges = before.Updated(ps)
	r.published.below(ts.prefix, func(_ wire.TrackNamespace, pubs []*publication) {
		for _, pub := range pubs {
			if _, passed := before.ForTrack(pub.properties); !passed {
				r.pass(pub, ts)
			}
		}
	})
}

// skip says that a track cannot be published: PUBLISH_SKIPPED, in 17 and 18 PUBLISH_BLOCKED.
func (ts *tracksSubscriber) skip(t *track) {
	d := ts.peer.session.Draft()
	ts.peer.relay.mu.Lock()
	n := len(ts.prefix)
	ts.peer.relay.mu.Unlock()
	ts.peer.relay.log.Info("track skipped", "track", t.name, "session", ts.peer.id)
	if ts.req != nil && d >= wire.Draft17 && len(t.namespace) >= n {
		ts.req.Send(ts.req.Context(), &wire.PublishSkipped{Suffix: t.namespace[n:], TrackName: t.name})
	}
}

// defaults are the parameters of a PUBLISH that the request leads to. From 20 on these are all of the request's but its
// tokens (draft-20 §10.20.1); before, they are the Forward State and, in 19, the group order.
func (ts *tracksSubscriber) defaults() wire.Parameters {
	d := ts.peer.session.Draft()
	allowed := []wire.ParameterType{wire.ParamForward}
	switch {
	case d == wire.Draft19:
		allowed = append(allowed, wire.ParamGroupOrder)
	case d >= wire.Draft20:
		allowed = append(allowed, wire.ParamGroupOrder, wire.ParamObjectDeliveryTimeout,
			wire.ParamSubgroupDeliveryTimeout,
			wire.ParamSubscriberPriority, wire.ParamLocationFilter)
	}
	var ps wire.Parameters
	if ts.peer.relay.faults[tokenCopied] && ts.req != nil {
		for _, token := range ts.req.Tokens() {
			token.AliasType = wire.TokenUseValue
			ps.Add(wire.Parameter{Type: wire.ParamAuthorizationToken, Token: token})
		}
	}
	for _, p := range ts.parameters {
		if !p.Raw && slices.Contains(allowed, p.Type) {
			ps.Add(p)
		}
	}
	return ps
}
