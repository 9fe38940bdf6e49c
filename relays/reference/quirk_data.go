package reference

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The quirks of objects. They are looked up where the faults of objects are.

// quirkyObjects reports whether objects are changed on their way.
func (q *quirkSet) quirkyObjects() bool {
	return q[objectsUnknownProperties]
}

// quirkyHeader changes the header of a stream towards a subscriber.
func (q *quirkSet) quirkyHeader(h *wire.SubgroupHeader) {
	if q[subgroupIDsShort] && h.IDMode == wire.SubgroupIDPresent && h.SubgroupID == 0 {
		h.IDMode = wire.SubgroupIDZero
	}
	if q[objectsUnknownProperties] {
		h.HasProperties = true
	}
}

// quirkyObject changes an object towards a subscriber.
func (q *quirkSet) quirkyObject(o *moqt.Object) {
	if !q[objectsUnknownProperties] || o.Status != wire.StatusNormal {
		return
	}
	props, err := o.DecodeProperties()
	if err != nil {
		return
	}
	d := o.Draft
	if d == 0 {
		d = wire.Newest
	}
	changed := *o
	changed.Properties = nil // EncodeProperties would write into what others have
	if changed.EncodeProperties(d, greased(props)) == nil {
		*o = changed
	}
}

// quirkyReopen resets a stream once what is on it has arrived, so that what follows needs another one.
func (o *outflow) quirkyReopen() {
	s := o.sub
	if !s.track.relay.quirks[subgroupsReopened] || o.w == nil || o.objects < 2 ||
		s.waits() || !s.reopened.CompareAndSwap(false, true) {
		return
	}
	_ = o.w.Flush()
	pause(s.ctx, 150*time.Millisecond)
	o.w.Reset(moqt.ResetCancelled.Number(s.draft))
	o.set(nil)
}

// waits reports whether much of the track waits for s.
func (s *subscriber) waits() bool {
	s.track.mu.Lock()
	defer s.track.mu.Unlock()
	return s.lag > 1<<16
}

// quirkyFetch waits before a fetch stream begins.
func (f *retrieval) quirkyFetch() {
	if f.peer.relay.quirks[fetchesLate] {
		pause(f.ctx, 400*time.Millisecond)
	}
}
