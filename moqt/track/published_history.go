package track

import (
	"math"
	"slices"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// history is what a Published keeps to answer FETCH with. The track's mutex guards it.
type history struct {
	maxGroups, maxBytes int

	groups map[uint64]*keptGroup
	order  []uint64 // group IDs, in the order in which they began
	bytes  int
	// unknown are groups of which something is not kept, or not kept any more.
	unknown spans.Set
}

// keptGroup holds the objects of one group, ascending.
type keptGroup struct {
	objects []*moqt.Object
	bytes   int
	holes   spans.Set // Object IDs that existed and were not kept
}

// add keeps a copy of an object; o is nil for one that is not to be kept.
func (h *history) add(at wire.Location, o *moqt.Object, subgroup uint64, priority uint8) {
	if h.unknown.Has(at.Group) {
		return
	}
	g := h.groups[at.Group]
	if g == nil {
		g = &keptGroup{}
		h.groups[at.Group] = g
		h.order = append(h.order, at.Group)
	}
	if o == nil {
		g.holes.Add(at.Object)
	} else {
		c := o.Clone()
		c.GroupID, c.SubgroupID, c.Priority, c.DefaultPriority = at.Group, subgroup, priority, false
		i, _ := slices.BinarySearchFunc(g.objects, at.Object, func(x *moqt.Object, id uint64) int {
			if x.ObjectID < id {
				return -1
			}
			return 1
		})
		g.objects = slices.Insert(g.objects, i, c)
		size := len(c.Payload) + len(c.Properties)
		g.bytes += size
		h.bytes += size
	}
	for len(h.order) > 1 && (len(h.order) > h.maxGroups || h.bytes > h.maxBytes) {
		h.drop(h.order[0])
	}
	if h.bytes > h.maxBytes { // one group alone is too large
		h.drop(h.order[0])
	}
}

// drop forgets the group that began first.
func (h *history) drop(id uint64) {
	h.bytes -= h.groups[id].bytes
	delete(h.groups, id)
	h.order = h.order[1:]
	h.unknown.Add(id)
}

// piece is a part of an answer: an object, or the end of a range that is unknown, in the order of the answer.
type piece struct {
	object  *moqt.Object
	unknown wire.Location
}

// cut gives what is known between two locations, groups ascending or descending and objects ascending in each (draft-19
// §10.12.3); whole says that nothing in between is unknown.
func (h *history) cut(start, end wire.Location, descending bool) (pieces []piece, whole bool) {
	whole = true
	for id, g := range h.groups {
		if id < start.Group || id > end.Group {
			continue
		}
		lo, hi := uint64(0), uint64(math.MaxUint64)
		if id == start.Group {
			lo = start.Object
		}
		if id == end.Group {
			hi = end.Object
		}
		for _, o := range g.objects {
			if lo <= o.ObjectID && o.ObjectID <= hi {
				pieces = append(pieces, piece{object: o})
			}
		}
		for _, s := range g.holes {
			if s.Last >= lo && s.First <= hi {
				pieces, whole = append(pieces, piece{unknown: wire.Location{Group: id, Object: min(s.Last, hi)}}), false
			}
		}
	}
	for _, s := range h.unknown {
		if s.Last < start.Group || s.First > end.Group {
			continue
		}
		at := wire.Location{Group: s.Last, Object: math.MaxUint64}
		switch {
		case descending:
			at.Group = max(s.First, start.Group)
		case at.Compare(end) > 0:
			at = end
		}
		pieces, whole = append(pieces, piece{unknown: at}), false
	}
	slices.SortFunc(pieces, func(a, b piece) int {
		x, y := a.location(), b.location()
		if descending && x.Group != y.Group {
			x, y = y, x
		}
		return x.Compare(y)
	})
	return pieces, whole
}

func (p piece) location() wire.Location {
	if p.object != nil {
		return p.object.Location()
	}
	return p.unknown
}
