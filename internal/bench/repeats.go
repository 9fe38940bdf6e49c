package bench

import (
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// mostRepeats bounds how many locations are remembered. The earliest are forgotten, and only counted.
const mostRepeats = 1 << 14

// repeats knows which objects came again. One of the warm-up may come again when the window has begun, one of the
// window before its first object is looked at, and the object that ends the track is not measured: only the location
// tells what counts.
type repeats struct {
	mu        sync.Mutex
	at        []wire.Location
	forgotten uint64
}

// add takes the location of an object that came again. It may be called while others read.
func (r *repeats) add(at wire.Location) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.at) == mostRepeats {
		r.at = append(r.at[:0], r.at[mostRepeats/2:]...)
		r.forgotten += mostRepeats / 2
	}
	r.at = append(r.at, at)
}

// begin notes that the window has begun: what is forgotten of before does not count.
func (r *repeats) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten = 0
}

// between counts those from first to last; what is forgotten counts too.
func (r *repeats) between(first, last wire.Location) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.forgotten
	for _, at := range r.at {
		if at.Compare(first) >= 0 && at.Compare(last) <= 0 {
			n++
		}
	}
	return n
}
