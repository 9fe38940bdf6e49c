package reference

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// after is the location after loc. The last location of all has none; it stays.
func after(loc wire.Location) wire.Location {
	switch {
	case loc.Object < math.MaxUint64:
		loc.Object++
	case loc.Group < math.MaxUint64:
		loc = wire.Location{Group: loc.Group + 1}
	}
	return loc
}

// before is the location before loc, which is not {0, 0}.
func before(loc wire.Location) wire.Location {
	if loc.Object > 0 {
		return wire.Location{Group: loc.Group, Object: loc.Object - 1}
	}
	return lastOf(loc.Group - 1)
}

// lastOf is the last location that a group can have.
func lastOf(group uint64) wire.Location {
	return wire.Location{Group: group, Object: math.MaxUint64}
}

func least(a, b wire.Location) wire.Location {
	if a.Compare(b) <= 0 {
		return a
	}
	return b
}

// knownFrom gives the last location, at most to, up to which everything from pos on is known; ok is false if pos itself
// is not.
func (l *trackLog) knownFrom(pos, to wire.Location) (last wire.Location, ok bool) {
	for pos.Compare(to) <= 0 {
		g := l.groups[pos.Group]
		if g == nil {
			end, known := l.empty.End(pos.Group)
			if !known {
				return last, ok
			}
			last, ok = least(lastOf(end), to), true
		} else {
			end, known := g.known.End(pos.Object)
			if !known {
				return last, ok
			}
			last, ok = least(wire.Location{Group: pos.Group, Object: end}, to), true
			if end < math.MaxUint64 {
				return last, true
			}
		}
		next := after(last)
		if next == last {
			return last, true
		}
		pos = next
	}
	return last, ok
}

// nextKnown gives the last location of the gap that starts at pos: the one before the next known location, at most to.
func (l *trackLog) nextKnown(pos, to wire.Location) wire.Location {
	if g := l.groups[pos.Group]; g != nil {
		if id, ok := g.known.Next(pos.Object); ok {
			return least(wire.Location{Group: pos.Group, Object: id - 1}, to)
		}
	}
	if pos.Group == math.MaxUint64 {
		return to
	}
	next, found := uint64(math.MaxUint64), false
	if i, _ := slices.BinarySearch(l.ids, pos.Group+1); i < len(l.ids) {
		next, found = l.ids[i], true
	}
	if id, ok := l.empty.Next(pos.Group + 1); ok && id <= next {
		next, found = id, true
	}
	if !found {
		return to
	}
	g := l.groups[next]
	if g == nil {
		return least(lastOf(next-1), to)
	}
	if id, ok := g.known.Next(0); ok && id > 0 {
		return least(wire.Location{Group: next, Object: id - 1}, to)
	}
	return least(lastOf(next-1), to)
}

// lastGap gives the first and the last of the locations from pos to to of which the relay does not know whether they
// exist; ok is false if it knows of all.
func (l *trackLog) lastGap(pos, to wire.Location) (first, last wire.Location, ok bool) {
	for pos.Compare(to) <= 0 {
		end, known := l.knownFrom(pos, to)
		if !known {
			end = l.nextKnown(pos, to)
			if !ok {
				first = pos
			}
			last, ok = end, true
		}
		next := after(end)
		if next == end {
			break
		}
		pos = next
	}
	return first, last, ok
}

// read gives objects from pos to to in ascending order, at least one and as many as fit into that many bytes, and the
// last location up to which it has answered. known is false if pos is not known.
func (l *trackLog) read(pos, to wire.Location, bytes int64) (objects []*entry, last wire.Location, known bool) {
	last, known = l.knownFrom(pos, to)
	if !known {
		return nil, pos, false
	}
	i, _ := slices.BinarySearch(l.ids, pos.Group)
	for ; i < len(l.ids) && l.ids[i] <= last.Group; i++ {
		g := l.groups[l.ids[i]]
		from := uint64(0)
		if g.id == pos.Group {
			from = pos.Object
		}
		for k := sort.Search(len(g.objects),
			func(k int) bool { return g.objects[k].ObjectID >= from }); k < len(g.objects); k++ {
			e := g.objects[k]
			if e.Location().Compare(last) > 0 {
				break
			}
			if bytes -= e.size(); bytes < 0 && len(objects) > 0 {
				return objects, objects[len(objects)-1].Location(), true
			}
			objects = append(objects, e)
		}
	}
	return objects, last, true
}

// maxEmpty bounds how many ranges of groups that do not exist are remembered.
const maxEmpty = 4096

// confirm notes that of the locations from a to b only those in the log exist.
func (l *trackLog) confirm(a, b wire.Location) {
	if a.Compare(b) > 0 {
		return
	}
	i, _ := slices.BinarySearch(l.ids, a.Group)
	next := a.Group
	for ; i < len(l.ids) && l.ids[i] <= b.Group; i++ {
		g := l.groups[l.ids[i]]
		l.confirmEmpty(a, b, next, g.id)
		next = g.id + 1
		r := spans.All
		if g.id == a.Group {
			r.First = a.Object
		}
		if g.id == b.Group {
			r.Last = b.Object
		}
		if len(g.objects) > 0 || g.open > 0 {
			g.known.AddRun(r.First, r.Last)
		}
		if next == 0 {
			return
		}
	}
	if b.Object == math.MaxUint64 && b.Group < math.MaxUint64 {
		l.confirmEmpty(a, b, next, b.Group+1)
	} else {
		l.confirmEmpty(a, b, next, b.Group)
	}
}

// confirmEmpty notes that groups from next to before end do not exist. If only a part of the first group was asked for,
// that says nothing about the whole group.
func (l *trackLog) confirmEmpty(a, b wire.Location, next, end uint64) {
	if next == a.Group && a.Object > 0 {
		next++
	}
	if next < end && len(l.empty) < maxEmpty {
		l.empty.AddRun(next, end-1)
	}
}

// covers reports whether subscriptions have followed the track at a location. What has not come from there probably
// does not exist.
func (l *trackLog) covers(loc wire.Location) bool {
	return l.hasLargest && l.covered.Compare(loc) <= 0 && loc.Compare(l.largest) <= 0
}

// lastIn gives the largest Object ID of a group, if it is known.
func (l *trackLog) lastIn(group uint64) (uint64, bool) {
	g := l.groups[group]
	if g == nil || len(g.objects) == 0 {
		return 0, false
	}
	for i := len(g.objects) - 1; i >= 0; i-- {
		if g.objects[i].Status == wire.StatusNormal {
			return g.objects[i].ObjectID, g.known.Covers(g.objects[i].ObjectID, math.MaxUint64)
		}
	}
	return 0, false
}

// expire drops the groups whose newest object is older than the track's MAX_CACHE_DURATION, since their objects must
// not be sent any more (draft-18 §12.3). It returns the streams towards subscribers that had not got them yet.
func (l *trackLog) expire(now time.Time, age time.Duration) (lost []*place) {
	for _, id := range slices.Clone(l.ids) {
		g := l.groups[id]
		n := len(g.objects)
		if n == 0 || now.Sub(g.objects[n-1].at) <= age || g.open > 0 {
			continue
		}
		inflows := slices.Clone(g.inflows)
		g.evict(math.MaxInt64)
		for _, in := range inflows {
			lost = append(lost, in.lose(math.MaxInt64, false)...)
		}
	}
	return lost
}
