package reference

import (
	"container/list"
	"errors"
	"iter"
	"maps"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// trackLog is what the relay holds of one track: its objects by group, the cache from which fetches are answered, and
// its subgroup streams as they came, which subscribers follow with cursors. Only the cache's bound removes objects: a
// subscriber that is too slow finds its position gone.
type trackLog struct {
	mu     sync.Mutex
	cache  *cache
	groups map[uint64]*group
	ids    []uint64 // of groups, ascending
	// empty are groups that are known not to exist.
	empty spans.Set
	// largest is the largest location known: received, or told by a publisher (draft-18 §10.2.11).
	largest    wire.Location
	hasLargest bool
	// seq counts what subscriptions brought.
	seq uint64
	// covered is the start of the part of the track that subscriptions have followed without a break. live: they still
	// do.
	covered wire.Location
	live    bool
	// reign is the current one, see takeover.go.
	reign reign
	// ended: the track is complete, largest is its final object.
	ended bool
	// final is where END_OF_TRACK stands, if hasFinal: nothing of the track is behind it (draft-18 §2.4.2).
	final      wire.Location
	hasFinal   bool
	finalReign uint32
	// takesGone: a fault has objects pass that do not exist.
	takesGone bool
}

// group is what the log holds of one group.
type group struct {
	log     *trackLog
	id      uint64
	objects []*entry // by Object ID
	// known are the Object IDs of which the relay knows whether they exist. objects has those that do.
	known spans.Set
	// gone are those of them that a publisher has said do not exist: Prior Object ID Gaps.
	gone spans.Set
	// final is the ID after which the group has nothing, if hasFinal.
	final      uint64
	hasFinal   bool
	finalReign uint32
	// whole: every stream of the group was followed from its start, and none was reset.
	whole   bool
	open    int // streams that have not ended
	inflows []*inflow
	flowing []*inflow // those of them that have not ended

	place *list.Element // in the cache's order; guarded by the cache's lock
	bytes int64
}

// These are the causes when a track turns out to be malformed (draft-18 §2.4.2).
var (
	errMalformed = errors.New("malformed track: an object came twice with different contents")
	errBehindEnd = errors.New("malformed track: an object came behind the end of its group or track")
)

func (l *trackLog) init(c *cache) {
	l.cache, l.groups = c, make(map[uint64]*group)
}

// group finds or makes a group. The caller holds mu, as for all methods of logs, groups and inflows unless they say
// otherwise.
func (l *trackLog) group(id uint64) *group {
	if g := l.groups[id]; g != nil {
		return g
	}
	g := &group{log: l, id: id, whole: l.live && l.covered.Compare(wire.Location{Group: id}) <= 0}
	l.groups[id] = g
	i, _ := slices.BinarySearch(l.ids, id)
	l.ids = slices.Insert(l.ids, i, id)
	l.empty.Remove(id, id)
	return g
}

// all gives the groups.
func (l *trackLog) all() iter.Seq[*group] { return maps.Values(l.groups) }

// drop forgets a group.
func (l *trackLog) drop(g *group) {
	delete(l.groups, g.id)
	if i, ok := slices.BinarySearch(l.ids, g.id); ok {
		l.ids = slices.Delete(l.ids, i, i+1)
	}
}

// follow notes that a subscription follows the track from after a location on. No location means that nothing was
// published.
func (l *trackLog) follow(largest wire.Location, has bool) {
	l.raise(largest, has)
	if l.live {
		return
	}
	l.live, l.ended, l.covered = true, false, wire.Location{}
	if l.hasLargest {
		l.covered = after(l.largest)
	}
}

// unfollow notes that no subscription follows the track any more. ended: its publisher called it complete.
func (l *trackLog) unfollow(ended bool) {
	if ended && l.hasLargest {
		l.ended = true
		if g := l.groups[l.largest.Group]; g != nil {
			g.settle()
		}
	}
	l.pause()
}

// pause notes that nothing is forwarded to the relay for now.
func (l *trackLog) pause() {
	l.live = false
	for _, g := range l.groups {
		g.whole = g.whole && g.known.Covers(0, math.MaxUint64)
	}
}

// raise raises largest.
func (l *trackLog) raise(loc wire.Location, has bool) {
	if has {
		l.reign.raise(loc)
	}
	if !has || l.hasLargest && loc.Compare(l.largest) <= 0 {
		return
	}
	before := l.largest.Group
	moved := l.hasLargest && loc.Group > before
	l.largest, l.hasLargest = loc, true
	if g := l.groups[before]; moved && g != nil {
		g.settle()
	}
}

// reset forgets everything because a publisher began anew.
func (l *trackLog) reset() {
	for _, g := range l.groups {
		g.unhouse(g.objects)
		g.objects = nil
		l.cache.shrink(g, 0)
		for _, in := range slices.Clone(g.inflows) {
			in.evict(math.MaxUint64)
			in.finish(aborted, moqt.ResetInternalError)
		}
	}
	clear(l.groups)
	l.ids, l.empty, l.hasLargest, l.largest, l.ended, l.live = nil, nil, false, wire.Location{}, false, false
	l.hasFinal = false
	l.reign.largest, l.reign.hasLargest, l.reign.covered = wire.Location{}, false, wire.Location{}
}

// add puts an object into the log, which need not be whole, and reports whether it is new. With live it came by a
// subscription, and is new unless a subscription brought it before. Without, it came by a fetch. The error is
// errMalformed or errBehindEnd.
func (l *trackLog) add(e *entry, live bool) (fresh bool, err error) {
	e.reign = l.reign.number
	g := l.group(e.GroupID)
	if l.hasFinal && l.finalReign < e.reign && e.Location().Compare(l.final) > 0 ||
		g.hasFinal && g.finalReign < e.reign && e.ObjectID > g.final || g.contradicts(e) {
		l.takeOver()
		g = l.group(e.GroupID)
	}
	i := len(g.objects)
	if i > 0 && g.objects[i-1].ObjectID >= e.ObjectID {
		i = sort.Search(len(g.objects), func(i int) bool { return g.objects[i].ObjectID >= e.ObjectID })
	}
	if i < len(g.objects) && g.objects[i].ObjectID == e.ObjectID {
		old := g.objects[i]
		if !old.agrees(e) || live && old.seq > 0 && old.reign == e.reign && !old.alike(e) {
			return false, errMalformed
		}
		if old.reign == e.reign && (old.seq > 0 || !live) {
			return false, nil
		}
		if !e.whole() {
			e.older = old
		}
		g.objects[i] = e
		l.cache.grow(g, -old.charge)
		old.home = nowhere
	} else {
		if g.hasFinal && e.ObjectID > g.final || l.hasFinal && e.Location().Compare(l.final) > 0 {
			return false, errBehindEnd
		}
		if g.gone.Has(e.ObjectID) && !l.takesGone {
			return false, nil // draft-18 §9.1: not to be cached or forwarded
		}
		g.objects = slices.Insert(g.objects, i, e)
	}
	e.home = cached
	l.recharge(e)
	if live {
		l.seq++
		e.seq = l.seq
		l.raise(e.Location(), e.Status == wire.StatusNormal) // with the first byte (draft-22 §3.1.4)
	}
	if e.whole() {
		e.end = e.seq
	}
	g.learn(&e.Object)
	return true, nil
}

// contradicts reports whether an object differs from the one that an earlier reign left in its place.
func (g *group) contradicts(e *entry) bool {
	old := g.find(e.ObjectID)
	return old != nil && old.reign < e.reign && !old.agrees(e)
}

// find gives the object with an ID; nil if there is none.
func (g *group) find(id uint64) *entry {
	i := sort.Search(len(g.objects), func(i int) bool { return g.objects[i].ObjectID >= id })
	if i == len(g.objects) || g.objects[i].ObjectID != id {
		return nil
	}
	return g.objects[i]
}

// learn notes what an object says about others.
func (g *group) learn(o *moqt.Object) {
	g.known.AddRun(o.ObjectID, o.ObjectID)
	if gap, ok := o.Property(wire.PropPriorObjectIDGap); ok && gap.Uint > 0 && gap.Uint <= o.ObjectID {
		g.known.AddRun(o.ObjectID-gap.Uint, o.ObjectID-1)
		g.gone.AddRun(o.ObjectID-gap.Uint, o.ObjectID-1)
	}
	if gap, ok := o.Property(wire.PropPriorGroupIDGap); ok && gap.Uint > 0 && gap.Uint <= o.GroupID {
		g.log.lacks(spans.Run{First: o.GroupID - gap.Uint, Last: o.GroupID - 1})
	}
	switch {
	case o.Status == wire.StatusEndOfTrack:
		g.end(o.ObjectID) // only the status itself is there
		g.log.end(o.Location())
	case o.Status == wire.StatusEndOfGroup:
		g.end(o.ObjectID)
	case o.EndOfGroup:
		g.end(o.ObjectID)
	}
}

// lacks notes that groups do not exist.
func (l *trackLog) lacks(groups spans.Run) {
	i, _ := slices.BinarySearch(l.ids, groups.First)
	if i < len(l.ids) && l.ids[i] <= groups.Last {
		return // contradicts what was received
	}
	l.empty.AddRun(groups.First, groups.Last)
}

// end notes that nothing follows an Object ID in the group.
func (g *group) end(last uint64) {
	if n := len(g.objects); n > 0 && g.objects[n-1].ObjectID > last {
		return // contradicts what was received
	}
	g.final, g.hasFinal, g.finalReign = last, true, g.log.reign.number
	if last < math.MaxUint64 {
		g.known.AddRun(last+1, math.MaxUint64)
	}
}

// end notes that nothing follows a location in the track.
func (l *trackLog) end(last wire.Location) {
	if !l.hasLargest || l.largest.Compare(last) <= 0 { // otherwise it contradicts what was received
		l.final, l.hasFinal, l.finalReign = last, true, l.reign.number
	}
}

// settle concludes that the objects of a group that have not come do not exist: all of its streams were followed from
// start to FIN, and the track has gone on or ended.
func (g *group) settle() {
	l := g.log
	if g.whole && g.open == 0 && slices.ContainsFunc(g.inflows, (*inflow).live) && (l.largest.Group > g.id || l.ended) {
		g.known.AddRun(0, math.MaxUint64)
	}
}

// evict drops objects, lowest IDs first, until it has freed so many bytes of the cache.
func (g *group) evict(bytes int64) {
	var freed int64
	n := 0
	for n < len(g.objects) && freed < bytes {
		freed += g.objects[n].charge
		n++
	}
	if n > 0 {
		last := g.objects[n-1].ObjectID
		g.unhouse(g.objects[:n])
		clear(g.objects[:n])
		g.objects = g.objects[n:] // appending moves what is left to a new array once this one is full
		g.known.Remove(0, last)
		g.whole = false
		for _, in := range g.inflows {
			in.evict(last)
		}
		g.inflows = slices.DeleteFunc(g.inflows, func(in *inflow) bool {
			return in.state != flowing && in.evicted == len(in.entries)
		})
		g.log.cache.counters.Evicted.Add(uint64(n))
	}
	g.log.cache.shrink(g, freed)
	if len(g.objects) == 0 && g.open == 0 {
		g.log.drop(g)
	}
}

// unhouse notes that objects are in the cache no more; their memory is not counted there from then on.
func (g *group) unhouse(objects []*entry) {
	for _, e := range objects {
		e.home = nowhere
	}
}

// lose drops an object that will not become whole.
func (g *group) lose(e *entry) {
	g.objects = slices.DeleteFunc(g.objects, func(x *entry) bool { return x == e })
	g.known.Remove(e.ObjectID, e.ObjectID)
	g.whole = false
	e.home = nowhere
	g.log.cache.shrink(g, e.charge)
}
