package bench

import (
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Only measured objects that come again count: not one of the warm-up, even behind the first measured one, nor the
// object that ends the track, but one that came again before its first copy was looked at.
func TestRepeatsOfTheWindow(t *testing.T) {
	at := func(object uint64) wire.Location { return wire.Location{Group: 3, Object: object} }
	r := newReceiver(newClock(), newLatencies(), false, window)
	r.measuredAt.Store(1)
	r.repeats.add(at(14))
	for n := range uint64(200) { // behind a warm-up that ends with 3.4
		o := &moq.Object{GroupID: 3 + (5+n)/100, ObjectID: (5 + n) % 100}
		r.takeMeasured(o, header{phase: phaseMeasured, number: n}, 100)
		if n == 0 {
			r.repeats.add(at(4))
		}
	}
	r.repeats.add(wire.Location{Group: 5, Object: 4})
	r.repeats.add(wire.Location{Group: 5, Object: 5}) // the end
	if n := r.repeats.between(r.low, r.high); n != 2 {
		t.Errorf("%d came again, want 2", n)
	}
}

// Of very many the earliest are only counted, and those of the warm-up not even that.
func TestRepeatsForgotten(t *testing.T) {
	var r repeats
	for range 3 * mostRepeats {
		r.add(wire.Location{})
	}
	r.begin()
	for n := range uint64(2 * mostRepeats) {
		r.add(wire.Location{Group: 1, Object: n})
	}
	n := r.between(wire.Location{Group: 1}, wire.Location{Group: 1, Object: 2 * mostRepeats})
	if over := n - 2*mostRepeats; n < 2*mostRepeats || over > mostRepeats {
		t.Errorf("%d of %d", n, 2*mostRepeats)
	}
}
