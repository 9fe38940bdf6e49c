package cases

import (
	"fmt"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Item is one planned object of a track.
type Item struct {
	Group, Subgroup, Object uint64
	// Priority is the Publisher Priority, sent in the subgroup header.
	Priority   uint8
	Payload    []byte
	Properties wire.Properties
	// first and last: the object begins and ends its subgroup. The stream is opened before the first and ends with FIN
	// after the last. extended: some object of the subgroup has properties, so the stream's header allows them.
	first, last, extended bool
	// Datagram: the object is sent as a datagram, not in a subgroup.
	Datagram bool
	// Status: an object with a Status other than Normal has no payload and no properties. From 16 on a fetch stream
	// cannot carry one.
	Status wire.ObjectStatus
	// EndOfGroup: nothing follows in the group. The header of the object's datagram or of its subgroup's stream says
	// so; closing is set for every object of that stream.
	EndOfGroup, closing bool
}

// Location is the item's place in the track.
func (i *Item) Location() wire.Location { return wire.Location{Group: i.Group, Object: i.Object} }

// Layout is a track's objects, in the order in which they are published.
type Layout []Item

// LayoutOptions vary a grid of objects. The zero value gives each group one subgroup, 0, with priority 128 and no
// payloads.
type LayoutOptions struct {
	// Payload gives an object's payload; nil gives none.
	Payload func(group, object uint64) []byte
	// Priority gives a group's Publisher Priority; nil gives 128.
	Priority func(group uint64) uint8
	// Subgroup gives an object's subgroup; nil gives 0.
	Subgroup func(object uint64) uint64
	// Properties gives an object's properties; nil gives none.
	Properties func(group, object uint64) wire.Properties
}

// NewLayout is every object of every group, group by group.
func NewLayout(groups, objects []uint64, o LayoutOptions) Layout {
	var l Layout
	for _, g := range groups {
		for _, n := range objects {
			x := Item{Group: g, Object: n, Priority: 128}
			if o.Priority != nil {
				x.Priority = o.Priority(g)
			}
			if o.Subgroup != nil {
				x.Subgroup = o.Subgroup(n)
			}
			if o.Payload != nil {
				x.Payload = o.Payload(g, n)
			}
			if o.Properties != nil {
				x.Properties = o.Properties(g, n)
			}
			l = append(l, x)
		}
	}
	l.Mark()
	return l
}

// Mark notes where each subgroup begins and ends, and which subgroups have properties. NewLayout calls it; call it
// again after changing items.
func (l Layout) Mark() {
	type stream struct{ group, subgroup uint64 }
	last, extended, closing := map[stream]int{}, map[stream]bool{}, map[stream]bool{}
	for i, x := range l {
		if x.Datagram {
			continue
		}
		s := stream{x.Group, x.Subgroup}
		_, open := last[s]
		l[i].first, l[i].last = !open, false
		last[s] = i
		extended[s] = extended[s] || len(x.Properties) > 0
		closing[s] = closing[s] || x.EndOfGroup
	}
	for _, i := range last {
		l[i].last = true
	}
	for i, x := range l {
		s := stream{x.Group, x.Subgroup}
		l[i].extended, l[i].closing = extended[s], closing[s]
	}
}

// Span gives the numbers from first to last, inclusive.
func Span(first, last uint64) []uint64 {
	var all []uint64
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

// Within gives the objects from start to end, inclusive.
func (l Layout) Within(start, end wire.Location) Layout {
	var some Layout
	for _, x := range l {
		if at := x.Location(); at.Compare(start) >= 0 && at.Compare(end) <= 0 {
			some = append(some, x)
		}
	}
	return some
}

// String names the objects for people: "15 objects: groups 0-2, objects 0-4 each", or a list of locations if they form
// no grid.
func (l Layout) String() string {
	if len(l) == 0 {
		return "no objects"
	}
	objects := map[uint64][]uint64{}
	var groups []uint64
	for _, x := range l {
		if _, seen := objects[x.Group]; !seen {
			groups = append(groups, x.Group)
		}
		objects[x.Group] = append(objects[x.Group], x.Object)
	}
	grid := numbers(objects[groups[0]])
	for _, g := range groups {
		if numbers(objects[g]) != grid {
			var at []wire.Location
			for _, x := range l {
				at = append(at, x.Location())
			}
			return fmt.Sprintf("%d objects: %s", len(l), locations(at))
		}
	}
	switch {
	case len(l) == 1:
		return fmt.Sprintf("1 object: group %d, object %s", groups[0], grid)
	case len(groups) == 1:
		return fmt.Sprintf("%d objects: group %d, objects %s", len(l), groups[0], grid)
	}
	return fmt.Sprintf("%d objects: groups %s, objects %s each", len(l), numbers(groups), grid)
}

// numbers shortens ascending runs: "0-2", "0, 2, 4".
func numbers(all []uint64) string {
	var parts []string
	for i := 0; i < len(all); {
		j := i
		for j+1 < len(all) && all[j+1] == all[j]+1 {
			j++
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d-%d", all[i], all[j]))
		} else {
			parts = append(parts, fmt.Sprint(all[i]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// maxListed bounds how many locations one sentence names.
const maxListed = 8

// locations lists the first few locations. Three or more consecutive ones in a group are shortened: "{3, 1} to {3, 3}".
func locations(at []wire.Location) string {
	var parts []string
	for i := 0; i < len(at); {
		if len(parts) == maxListed {
			parts = append(parts, fmt.Sprintf("and %d more", len(at)-i))
			break
		}
		n := 1
		for i+n < len(at) && at[i+n].Group == at[i].Group && at[i+n].Object == at[i].Object+uint64(n) {
			n++
		}
		if n < 3 {
			n = 1
		}
		text := locationText(at[i])
		if n > 1 {
			text += " to " + locationText(at[i+n-1])
		}
		parts = append(parts, text)
		i += n
	}
	return strings.Join(parts, ", ")
}

func locationText(l wire.Location) string { return fmt.Sprintf("{%d, %d}", l.Group, l.Object) }
