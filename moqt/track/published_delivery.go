package track

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// delivery is what a subscriber of a Published wants from some moment on. It is immutable.
type delivery struct {
	// Every object needs these, so they are next to each other.
	since      uint64 // objects whose number in the track is greater
	start, end wire.Location
	forward    bool
	open       bool // there is no end
	ranged     bool // there are ranges
	ranges     moqt.RangeFilters

	// scope counts the changes of forward and the location filter.
	scope  int
	filter wire.LocationFilter
	// joining is the Largest Object that the subscriber was told when objects began to flow: where a joining FETCH ends
	// (draft-19 §5.1).
	joining    wire.Location
	hasJoining bool
	// timeout and lifetime are the subscriber's delivery timeouts, 0 = none.
	timeout, lifetime time.Duration
}

// deliveryOf reads the parameters in effect of a subscription, whose filter is relative to the Largest Object given.
func deliveryOf(d wire.Draft, ps wire.Parameters, largest wire.Location, hasLargest bool) *delivery {
	v := &delivery{forward: ps.UintOr(wire.ParamForward, 1) == 1, ranges: moqt.RangeFiltersOf(ps)}
	v.ranged = !v.ranges.Empty()
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

// next takes over what an update changes: the filter is resolved anew only where the update has one, and what was
// published up to number is not delivered when objects flow again.
func (v *delivery) next(d wire.Draft, ps, changed wire.Parameters, largest wire.Location, hasLargest bool,
	number uint64) *delivery {
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
