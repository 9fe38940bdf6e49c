package reference

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A publisher that comes back may publish other contents under the same names. So the log keeps its objects by reigns.
// A new reign begins with a publisher that comes when none from before is left. Until it sends an object that
// contradicts one of an earlier reign, fetches are answered from the older objects; then these are dropped.
type reign struct {
	number uint32
	// publishers are the sessions that have brought the track in this reign, but for some that have ended.
	publishers []*peer
	// largest is the largest location known in this reign, covered is where the reign began.
	largest    wire.Location
	hasLargest bool
	covered    wire.Location
}

// reigns counts a session as a publisher of the track. there are the sessions that publish its namespace now. The
// caller holds the track's lock.
func (t *track) reigns(p *peer, there []*peer, info trackInfo) {
	stays := slices.ContainsFunc(t.upstreams, func(u *upstream) bool { return t.reign.has(u.peer) }) ||
		t.reign.has(p) ||
		slices.ContainsFunc(there, t.reign.has)
	if !stays {
		t.reign = reign{number: t.reign.number + 1, largest: info.largest, hasLargest: info.hasLargest}
		if info.hasLargest {
			t.reign.covered = after(info.largest)
		}
	}
	if !t.reign.has(p) {
		ended := func(p *peer) bool { return p.ctx.Err() != nil }
		t.reign.publishers = append(slices.DeleteFunc(t.reign.publishers, ended), p)
	}
}

// has reports whether a session has brought the track in the reign.
func (r *reign) has(p *peer) bool { return slices.Contains(r.publishers, p) }

// leaveGrace is how long a contradiction waits for the publisher from before. Its close and the first object of the
// one that takes over come on two connections, and the object may be seen first.
const leaveGrace = 250 * time.Millisecond

// succeeds is asked when an object from p contradicts one of the same reign. It reports whether all others that brought
// the track in this reign have left; a new reign has begun then, and the object may be put into the log again.
func (t *track) succeeds(ctx context.Context, p *peer) bool {
	grace := time.NewTimer(leaveGrace)
	defer grace.Stop()
	for {
		t.mu.Lock()
		others := slices.DeleteFunc(slices.Clone(t.reign.publishers), func(x *peer) bool { return x == p })
		there := slices.IndexFunc(others, func(x *peer) bool { return x.ctx.Err() == nil })
		if len(others) > 0 && there < 0 {
			t.reign = reign{number: t.reign.number + 1, publishers: []*peer{p}}
		}
		t.mu.Unlock()
		if there < 0 {
			return len(others) > 0
		}
		select {
		case <-others[there].ctx.Done():
		case <-grace.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// raise raises largest.
func (r *reign) raise(loc wire.Location) {
	if !r.hasLargest || loc.Compare(r.largest) > 0 {
		r.largest, r.hasLargest = loc, true
	}
}

// agreed puts something that came from p into the log. Where it contradicts what another publisher has brought, it is
// put in again once that one has left. The error is what put gives.
func (t *track) agreed(ctx context.Context, p *peer, put func() error) error {
	locked := func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		return put()
	}
	err := locked()
	if err != nil && t.succeeds(ctx, p) {
		return locked()
	}
	return err
}

// takeOver drops what earlier reigns have left.
func (l *trackLog) takeOver() {
	for _, g := range slices.Collect(l.all()) {
		g.forgetOlder(l.reign.number)
	}
	l.empty, l.hasFinal = nil, l.hasFinal && l.finalReign == l.reign.number
	l.largest, l.hasLargest, l.covered = l.reign.largest, l.reign.hasLargest, l.reign.covered
}

// forgetOlder drops the objects of earlier reigns, and what was known about their groups.
func (g *group) forgetOlder(reign uint32) {
	var freed int64
	g.objects = slices.DeleteFunc(slices.Clone(g.objects), func(e *entry) bool {
		if e.reign == reign {
			return false
		}
		freed += e.charge
		e.home = nowhere
		return true
	})
	g.known, g.hasFinal, g.whole = nil, false, false
	for _, e := range g.objects {
		g.learn(&e.Object)
	}
	g.log.cache.shrink(g, freed)
	g.inflows = slices.DeleteFunc(g.inflows, func(in *inflow) bool {
		if in.state == flowing || in.reign == reign {
			return false
		}
		in.evict(math.MaxUint64)
		return true
	})
	if len(g.objects) == 0 && g.open == 0 {
		g.log.drop(g)
	}
}

// orphaned starts the search for tracks that nobody publishes any more; what is left of them is dropped after
// Limits.Forget. Call it when a publisher has gone, without holding locks.
func (r *Relay) orphaned() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forgetting || r.closed {
		return
	}
	r.forgetting = true
	r.tasks.Go(r.forgetOrphans)
}

// forgetOrphans looks at all tracks now and then until none is without a publisher.
func (r *Relay) forgetOrphans() {
	every := time.NewTicker(max(r.limits.Forget/20, time.Millisecond))
	defer every.Stop()
	for others := true; others; others = r.lookForOrphans() {
		select {
		case <-every.C:
		case <-r.ctx.Done():
			return
		}
	}
}

// lookForOrphans drops what is left of tracks that have been without a publisher for long enough, and reports whether
// there are others.
func (r *Relay) lookForOrphans() (others bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, t := range r.tracks {
		published := len(r.namespaces.prefixes(t.namespace)) > 0
		t.mu.Lock()
		switch {
		case published || len(t.upstreams) > 0 || len(t.coming) > 0:
			t.orphan = time.Time{}
		case t.orphan.IsZero():
			t.orphan = now
			others = true
		case now.Sub(t.orphan) < r.limits.Forget:
			others = true
		default:
			t.reset()
		}
		t.mu.Unlock()
		r.forget(t)
	}
	r.forgetting = others
	return others
}
