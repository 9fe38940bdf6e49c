package track

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// account is what a Subscribed knows of the track's objects: which have come, which do not exist, where groups end. The
// track's mutex guards it.
type account struct {
	draft     wire.Draft
	maxGroups int
	again     func(wire.Location) // ReadOptions.Again

	groups map[uint64]*groupAccount
	lowest uint64    // groups below it are not remembered
	known  spans.Set // groups that were seen or do not exist
	pages  int       // of all groups
	first  wire.Location
	end    wire.Location // the first location after the track, once hasEnd
	hasEnd bool
	report Report
}

// groupAccount is one group.
type groupAccount struct {
	seen   idSet     // Object IDs that came
	top    uint64    // the largest of objects with status Normal
	some   bool      // there is one
	none   spans.Set // that do not exist
	low    uint64
	cut    uint64 // behind the largest object that began to come and did not come whole
	end    uint64 // the first Object ID after the group, once hasEnd
	hasEnd bool
	open   int // streams
	fins   int // streams that have ended with FIN
}

// Report says which objects a Subscribed has got so far.
type Report struct {
	// Objects counts the objects with status Normal that have come, each once. Bytes is the sum of their payloads.
	Objects, Bytes uint64
	// Duplicates is how many objects came again; they are not handed out.
	Duplicates uint64
	// Late is how many objects came after a later one was handed out (InOrder only); they are not handed out.
	Late uint64
	// Skipped is how many objects were longer than Limits.MaxObjectSize.
	Skipped uint64
	// Resets is how many streams ended with RESET_STREAM, Dropped how many datagrams were dropped for lack of room.
	Resets, Dropped uint64
	// Missing is how many objects are known to be missing: they are below the largest of their group that came, or
	// below the end of the group if the publisher has told it, or they began to come and were broken off. Gaps has at
	// most the first 256 runs of them, in order.
	Missing uint64
	Gaps    []Gap
	// MissingGroups is how many groups between those that came are missing as a whole.
	MissingGroups uint64
	// Largest is the largest location that came, if any has.
	Largest    wire.Location
	HasLargest bool
}

// Gap is a run of missing objects in one group.
type Gap struct {
	Group       uint64
	First, Last uint64 // Object IDs
}

// String is for people: "{3, 4} to {3, 6}".
func (g Gap) String() string {
	if g.First == g.Last {
		return fmt.Sprintf("{%d, %d}", g.Group, g.First)
	}
	return fmt.Sprintf("{%d, %d} to {%d, %d}", g.Group, g.First, g.Group, g.Last)
}

const maxGaps = 256

// maxPages bounds the memory for Object IDs, of 512 bytes each.
const maxPages = 8192

// MalformedError says why a track is malformed (draft-19 §2.4.2). Its subscription and fetches have been cancelled.
type MalformedError struct {
	// Location is that of the object that contradicts what the track has said before.
	Location wire.Location
	Reason   string
}

// Error names location and reason.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("malformed track at %s: %s", e.Location, e.Reason)
}

// group finds or makes the account of a group; nil for one that is not remembered any more.
func (a *account) group(id uint64) *groupAccount {
	if g := a.groups[id]; g != nil {
		return g
	}
	if id < a.lowest {
		return nil
	}
	g := &groupAccount{}
	if id == a.first.Group {
		g.low = a.first.Object
	}
	a.groups[id] = g
	a.known.Add(id)
	for len(a.groups) > a.maxGroups {
		a.forget()
	}
	return a.groups[id]
}

// forget gives up the lowest group, whose gaps are counted for good.
func (a *account) forget() {
	least := uint64(math.MaxUint64)
	for id := range a.groups {
		least = min(least, id)
	}
	a.groups[least].gaps(least, a.report.addGap)
	a.pages -= a.groups[least].seen.weight()
	delete(a.groups, least)
	a.lowest = least + 1
	if first := a.known[0].First; first < least { // the groups up to here are counted for good, and kept as one run
		a.known.Missing(first, least, a.report.addGroups)
		a.known.AddRun(first, least)
	}
}

// addGroups counts groups that are missing.
func (r *Report) addGroups(s spans.Run) bool {
	r.MissingGroups += s.Last - s.First + 1
	return true
}

func (r *Report) addGap(g Gap) {
	if n := g.Last - g.First + 1; r.Missing+n >= r.Missing {
		r.Missing += n
	} else {
		r.Missing = math.MaxUint64
	}
	if len(r.Gaps) < maxGaps {
		r.Gaps = append(r.Gaps, g)
	}
}

// gaps tells of every run of the group that is missing.
func (g *groupAccount) gaps(id uint64, tell func(Gap)) {
	var end uint64 // exclusive
	if g.seen.some {
		end = g.seen.top
	}
	if end = max(end, g.cut); g.hasEnd {
		end = max(end, g.end)
	}
	if end == 0 || end <= g.low {
		return
	}
	g.seen.missing(g.low, end-1, func(r spans.Run) bool {
		g.none.Missing(r.First, r.Last, func(r spans.Run) bool {
			tell(Gap{Group: id, First: r.First, Last: r.Last})
			return true
		})
		return true
	})
}

// missing reports whether anything between two Object IDs has neither come nor been said not to exist.
func (g *groupAccount) missing(first, last uint64) (any bool) {
	if first > last {
		return false
	}
	g.seen.missing(first, last, func(r spans.Run) bool {
		g.none.Missing(r.First, r.Last, func(spans.Run) bool { any = true; return false })
		return !any
	})
	return any
}

// take enters the objects of a batch, and takes out of it those that came before, and markers. The error is a
// *MalformedError.
func (a *account) take(b *batch) error {
	objects := b.objects
	if b.src == nil || b.src.fetch == nil {
		// the usual: a run of new objects, which costs little
		if len(objects) > 1 && !b.odd && a.takeRun(objects, b.bytes) {
			return nil
		}
	}
	kept := objects[:0]
	for i := range objects {
		o := &objects[i]
		again, err := a.takeOne(b, o)
		if err != nil {
			return err
		}
		if !again {
			kept = append(kept, *o)
		}
	}
	clear(objects[len(kept):])
	b.objects = kept
	return nil
}

// takeRun enters objects of one subgroup stream at once, which say nothing of others, if their IDs follow on each other
// and all are new. bytes is the sum of their payloads.
func (a *account) takeRun(objects []moqt.Object, bytes int) bool {
	n := len(objects)
	first, last := &objects[0], &objects[n-1]
	if last.ObjectID-first.ObjectID != uint64(n-1) {
		return false
	}
	g := a.group(first.GroupID)
	if g == nil || g.hasEnd && last.ObjectID >= g.end || a.hasEnd || !g.seen.addRun(first.ObjectID, last.ObjectID) {
		return false
	}
	g.top, g.some = max(g.top, last.ObjectID), true
	a.count(last, uint64(n), uint64(bytes))
	return true
}

// count counts objects, of which o is the largest.
func (a *account) count(o *moqt.Object, objects, bytes uint64) {
	if o.Status != wire.StatusNormal {
		return
	}
	a.report.Objects += objects
	a.report.Bytes += bytes
	if at := o.Location(); !a.report.HasLargest || at.Compare(a.report.Largest) > 0 {
		a.report.Largest, a.report.HasLargest = at, true
	}
}

// takeOne enters one object, and reports whether it came before, or is a marker, so that it is not handed out.
func (a *account) takeOne(b *batch, o *moqt.Object) (again bool, err error) {
	if b.src != nil && b.src.fetch != nil {
		a.between(b.src, o)
	}
	if o.Range != wire.NoRange {
		return true, nil
	}
	g := a.group(o.GroupID)
	switch {
	case g == nil: // too old to be told from what came
		a.count(o, 1, uint64(len(o.Payload)))
		return false, nil
	case !a.enter(g, o.ObjectID):
		a.report.Duplicates++
		if a.again != nil {
			a.again(o.Location())
		}
		return true, nil
	case g.hasEnd && o.ObjectID >= g.end && o.Status == wire.StatusNormal:
		return false, &MalformedError{o.Location(), fmt.Sprintf("its group ends before object %d", g.end)}
	case a.hasEnd && o.Location().Compare(a.end) >= 0 && o.Status == wire.StatusNormal:
		return false, &MalformedError{o.Location(), fmt.Sprintf("the track ends before %s", a.end)}
	}
	if o.Status == wire.StatusNormal {
		g.top, g.some = max(g.top, o.ObjectID), true
	}
	a.count(o, 1, uint64(len(o.Payload)))
	if len(o.Properties) > 0 {
		a.priorGaps(g, o)
	}
	return false, a.endOf(g, o)
}

// enter notes that an object came, and reports whether it is new. Groups are forgotten where IDs are so far apart that
// they take too much memory.
func (a *account) enter(g *groupAccount, id uint64) bool {
	before := g.seen.weight()
	fresh := g.seen.add(id)
	a.pages += g.seen.weight() - before
	for a.pages > maxPages {
		a.forget()
	}
	return fresh
}

// breakOff notes that an object began to come, and that the rest of it does not.
func (a *account) breakOff(at wire.Location) {
	if g := a.group(at.Group); g != nil && at.Object < math.MaxUint64 {
		g.cut = max(g.cut, at.Object+1)
	}
}

// priorGaps takes what an object's properties say of objects and groups before it (draft-19 §12.8, §12.9).
func (a *account) priorGaps(g *groupAccount, o *moqt.Object) {
	if p, ok := o.Property(wire.PropPriorObjectIDGap); ok && p.Uint > 0 && p.Uint <= o.ObjectID {
		g.none.AddRun(o.ObjectID-p.Uint, o.ObjectID-1)
	}
	if p, ok := o.Property(wire.PropPriorGroupIDGap); ok && p.Uint > 0 && p.Uint <= o.GroupID {
		a.known.AddRun(o.GroupID-p.Uint, o.GroupID-1)
	}
}

// endOf takes what an object's status says of what comes after it. Up to 15 an end stands one past the last object,
// later at the first that does not exist.
func (a *account) endOf(g *groupAccount, o *moqt.Object) error {
	switch {
	case o.Status == wire.StatusDoesNotExist:
		g.none.Add(o.ObjectID)
	case o.Status == wire.StatusEndOfTrack:
		a.end, a.hasEnd = o.Location(), true
		if o.ObjectID > 0 {
			return a.groupEnd(g, o.GroupID, o.ObjectID)
		}
	case o.Status == wire.StatusEndOfGroup:
		return a.groupEnd(g, o.GroupID, o.ObjectID)
	case o.Datagram && o.EndOfGroup && o.ObjectID < math.MaxUint64:
		return a.groupEnd(g, o.GroupID, o.ObjectID+1)
	}
	return nil
}

// groupEnd notes that Object IDs from end on do not exist in a group. The object that says so has the ID end itself.
func (a *account) groupEnd(g *groupAccount, group, end uint64) error {
	if g.some && g.top >= end {
		return &MalformedError{wire.Location{Group: group, Object: g.top},
			fmt.Sprintf("its group ends before object %d", end)}
	}
	if !g.hasEnd || end < g.end {
		g.end, g.hasEnd = end, true
		g.none.AddRun(end, math.MaxUint64)
	}
	return nil
}

// between takes what a fetch stream says of what lies before an object or marker on it: in ascending order, and without
// range filters, it does not exist (draft-19 §10.12.3), unless a marker says that it is unknown.
func (a *account) between(s *source, o *moqt.Object) {
	at := o.Location()
	from, told := s.next, s.told
	s.next, s.told = following(at), true
	switch {
	case !told || s.fetch.Descending() || s.filtered:
	case o.Range == wire.NoRange:
		a.absent(from, at)
	case o.Range == wire.NonExistentRange:
		a.absent(from, s.next)
	}
}

// complete takes the good end of a fetch stream: up to its end nothing more exists.
func (a *account) complete(s *source) {
	if s.told && !s.filtered && !s.fetch.Descending() && s.until != (wire.Location{}) {
		a.absent(s.next, s.until)
	}
}

// following is the next location after one.
func following(l wire.Location) wire.Location {
	if l.Object == math.MaxUint64 {
		return wire.Location{Group: l.Group + 1}
	}
	return wire.Location{Group: l.Group, Object: l.Object + 1}
}

// absent notes that nothing exists from one location up to, but not including, another.
func (a *account) absent(from, to wire.Location) {
	if from.Compare(to) >= 0 {
		return
	}
	last := uint64(math.MaxUint64)
	if from.Group == to.Group {
		last = to.Object - 1
	}
	if g := a.group(from.Group); g != nil {
		g.none.AddRun(from.Object, last)
	}
	if from.Group == to.Group {
		return
	}
	if from.Group+1 < to.Group {
		a.known.AddRun(from.Group+1, to.Group-1)
	}
	if g := a.group(to.Group); g != nil && to.Object > 0 {
		g.none.AddRun(0, to.Object-1)
	}
}

// total is the report as of now.
func (a *account) total() Report {
	r := a.report
	r.Gaps = slices.Clone(r.Gaps)
	for _, id := range slices.Sorted(maps.Keys(a.groups)) {
		a.groups[id].gaps(id, r.addGap)
	}
	if n := len(a.known); n > 0 {
		a.known.Missing(a.known[0].First, a.known[n-1].Last, r.addGroups)
	}
	return r
}
