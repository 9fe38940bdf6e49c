package cases

import (
	"fmt"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// item is one object of a track as its publisher plans it.
type item struct {
	group, subgroup, object uint64
	// priority is the Publisher Priority, said in the subgroup header.
	priority   uint8
	payload    []byte
	properties wire.Properties
	// first and last: the object begins and ends its subgroup. The stream is opened before the one and ends with FIN
	// after the other. extended: some object of the subgroup has properties, which the stream's header says for all.
	first, last, extended bool
	// datagram: it travels as a datagram, not in a subgroup.
	datagram bool
	// status other than Normal goes without payload and properties; 16 and later have no form for it in a fetch stream.
	status wire.ObjectStatus
	// endOfGroup: nothing follows in the group, which the header of its datagram says, or that of its subgroup's
	// stream: closing stands at every object of that.
	endOfGroup, closing bool
}

// location is where it stands in the track.
func (i *item) location() wire.Location { return wire.Location{Group: i.group, Object: i.object} }

// layout is a track's objects, in the order in which they are published.
type layout []item

// layoutOptions vary a grid of objects; the zero value is one subgroup 0 a group, priority 128.
type layoutOptions struct {
	// payload gives an object's payload; nil gives one that names the track and the object.
	payload func(group, object uint64) []byte
	// priority gives a group's Publisher Priority; nil gives 128.
	priority func(group uint64) uint8
	// subgroup gives an object's subgroup; nil gives 0.
	subgroup func(object uint64) uint64
	// properties gives an object's properties; nil gives none.
	properties func(group, object uint64) wire.Properties
}

// newLayout is every object of every group, group by group.
func newLayout(groups, objects []uint64, o layoutOptions) layout {
	var l layout
	for _, g := range groups {
		for _, n := range objects {
			x := item{group: g, object: n, priority: 128}
			if o.priority != nil {
				x.priority = o.priority(g)
			}
			if o.subgroup != nil {
				x.subgroup = o.subgroup(n)
			}
			if o.payload != nil {
				x.payload = o.payload(g, n)
			}
			if o.properties != nil {
				x.properties = o.properties(g, n)
			}
			l = append(l, x)
		}
	}
	l.mark()
	return l
}

// mark finds the first and last object of every subgroup, and the subgroups with properties.
func (l layout) mark() {
	type stream struct{ group, subgroup uint64 }
	last, extended, closing := map[stream]int{}, map[stream]bool{}, map[stream]bool{}
	for i, x := range l {
		if x.datagram {
			continue
		}
		s := stream{x.group, x.subgroup}
		_, open := last[s]
		l[i].first, l[i].last = !open, false
		last[s] = i
		extended[s] = extended[s] || len(x.properties) > 0
		closing[s] = closing[s] || x.endOfGroup
	}
	for _, i := range last {
		l[i].last = true
	}
	for i, x := range l {
		s := stream{x.group, x.subgroup}
		l[i].extended, l[i].closing = extended[s], closing[s]
	}
}

// span counts from first to last.
func span(first, last uint64) []uint64 {
	var all []uint64
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

// within gives the objects from start to end, inclusive.
func (l layout) within(start, end wire.Location) layout {
	var some layout
	for _, x := range l {
		if at := x.location(); at.Compare(start) >= 0 && at.Compare(end) <= 0 {
			some = append(some, x)
		}
	}
	return some
}

// String names the objects for people: "15 objects: groups 0-2, objects 0-4 each", or a list of locations where they
// form no grid.
func (l layout) String() string {
	if len(l) == 0 {
		return "no objects"
	}
	objects := map[uint64][]uint64{}
	var groups []uint64
	for _, x := range l {
		if _, seen := objects[x.group]; !seen {
			groups = append(groups, x.group)
		}
		objects[x.group] = append(objects[x.group], x.object)
	}
	grid := numbers(objects[groups[0]])
	for _, g := range groups {
		if numbers(objects[g]) != grid {
			var at []wire.Location
			for _, x := range l {
				at = append(at, x.location())
			}
			return fmt.Sprintf("%d objects: %s", len(l), locations(at))
		}
	}
	if len(groups) == 1 {
		return fmt.Sprintf("%d objects: group %d, objects %s", len(l), groups[0], grid)
	}
	return fmt.Sprintf("%d objects: groups %s, objects %s each", len(l), numbers(groups), grid)
}

// numbers writes ascending runs short: "0-2", "0, 2, 4".
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

// maxListed bounds the locations that one sentence names.
const maxListed = 8

// locations lists where objects stand, the first few of them.
func locations(at []wire.Location) string {
	var parts []string
	for i, l := range at {
		if i == maxListed {
			parts = append(parts, fmt.Sprintf("and %d more", len(at)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("{%d, %d}", l.Group, l.Object))
	}
	return strings.Join(parts, ", ")
}
