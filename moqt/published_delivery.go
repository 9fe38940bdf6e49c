package moqt

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// delivery is what a subscriber of a PublishedTrack wants from some moment on. It is not changed once made.
type delivery struct {
	since   uint64 // objects whose number in the track is greater
	forward bool
	// scope counts the changes of forward and the location filter.
	scope      int
	filter     wire.LocationFilter
	start, end wire.Location
	open       bool // there is no end
	sets       []filterSet
	// joining is the Largest Object that the subscriber was told when objects began to flow: where a joining FETCH ends (draft-19 §5.1).
	joining    wire.Location
	hasJoining bool
	// timeout and lifetime are the subscriber's delivery timeouts, 0 = none.
	timeout, lifetime time.Duration
}

// filterSet is the range filters with one SetID: all must hold (draft-19 §5.1.3).
type filterSet struct {
	id      uint8
	filters []wire.Parameter
}

// deliveryOf reads the parameters in effect of a subscription, whose filter is relative to the Largest Object given.
func deliveryOf(d wire.Draft, ps wire.Parameters, largest wire.Location, hasLargest bool) *delivery {
	v := &delivery{forward: ps.UintOr(wire.ParamForward, 1) == 1, sets: filterSets(ps)}
	v.filter, _ = ps.Filter()
	if d == wire.Draft14 && v.filter.Form == wire.FilterNone { // 14 cannot say "unfiltered"
		v.filter.Form = wire.FilterNextObject
	}
	v.start, v.end, v.open = v.filter.Bounds(largest, hasLargest)
	v.joining, v.hasJoining = largest, hasLargest
	v.timeout = milliseconds(ps.UintOr(wire.ParamObjectDeliveryTimeout, 0))
	if d >= wire.Draft18 {
		v.lifetime = milliseconds(ps.UintOr(wire.ParamSubgroupDeliveryTimeout, 0))
	}
	return v
}

// milliseconds is a duration from the wire; one that is too long for a time.Duration is none.
func milliseconds(v uint64) time.Duration {
	if v > uint64(1<<63-1)/uint64(time.Millisecond) {
		return 0
	}
	return time.Duration(v) * time.Millisecond
}

// sooner is the smaller of two timeouts, of which 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// next takes over what an update changes: the filter is resolved anew only where the update has one, and what was published up to number is not delivered
// when objects flow again.
func (v *delivery) next(d wire.Draft, ps, changed wire.Parameters, largest wire.Location, hasLargest bool, number uint64) *delivery {
	n := deliveryOf(d, ps, largest, hasLargest)
	n.since, n.scope, n.joining, n.hasJoining = v.since, v.scope, v.joining, v.hasJoining
	if _, refiltered := changed.Filter(); !refiltered {
		n.filter, n.start, n.end, n.open = v.filter, v.start, v.end, v.open
	}
	if n.forward && !v.forward {
		n.since, n.joining, n.hasJoining = number, largest, hasLargest
	}
	if n.forward != v.forward || n.start != v.start || n.end != v.end || n.open != v.open {
		n.scope++
	}
	return n
}

// covers reports whether the location filter lets a location pass.
func (v *delivery) covers(at wire.Location) bool {
	return at.Compare(v.start) >= 0 && (v.open || at.Compare(v.end) <= 0)
}

// filterSets gathers the range filters of a subscription or fetch by SetID.
func filterSets(ps wire.Parameters) (sets []filterSet) {
next:
	for _, p := range ps {
		if p.Type < wire.ParamSubgroupFilter || p.Type > wire.ParamObjectPropertyFilter || p.Raw || p.Ranges.Remove {
			continue
		}
		for i := range sets {
			if sets[i].id == p.Ranges.SetID {
				sets[i].filters = append(sets[i].filters, p)
				continue next
			}
		}
		sets = append(sets, filterSet{p.Ranges.SetID, []wire.Parameter{p}})
	}
	return sets
}

// passes judges an object by the range filters: one of the sets must hold, if there are any. A datagram has no Subgroup ID, so none is in range. d is the draft whose form
// the object's properties have where the object does not say.
func passes(sets []filterSet, d wire.Draft, o *Object, subgroup uint64, priority uint8) bool {
	if len(sets) == 0 {
		return true
	}
	for _, s := range sets {
		if s.holds(d, o, subgroup, priority) {
			return true
		}
	}
	return false
}

func (s *filterSet) holds(d wire.Draft, o *Object, subgroup uint64, priority uint8) bool {
	for i := range s.filters {
		r := &s.filters[i].Ranges
		var ok bool
		switch s.filters[i].Type {
		case wire.ParamSubgroupFilter:
			ok = !o.Datagram && r.Contains(subgroup)
		case wire.ParamObjectIDFilter:
			ok = r.Contains(o.ObjectID)
		case wire.ParamPriorityFilter:
			ok = r.Contains(uint64(priority))
		default:
			if o.Draft.Valid() {
				d = o.Draft
			}
			p, has := wire.LookupProperty(o.Properties, d, r.PropertyType)
			ok = has && r.Contains(p.Uint)
		}
		if !ok {
			return false
		}
	}
	return true
}
