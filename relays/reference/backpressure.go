package reference

import (
	"context"
	"time"
)

// roomy wakes the publishers that wait for a subscriber to catch up. The caller holds the track's lock.
func (t *track) roomy() {
	t.impatient = false
	close(t.room)
	t.room = make(chan struct{})
}

// lags counts n bytes more that a client has not got, less if n is negative, in sum. The caller holds the track's lock.
func (t *track) lags(sum *int64, n int64) {
	limit := t.relay.limits.SubscriberBytes
	before := *sum > limit
	*sum += n
	switch now := *sum > limit; {
	case now && !before:
		t.crowded++
	case before && !now:
		t.crowded--
		t.roomy()
	}
	if n < 0 {
		t.taken -= n
	}
}

// stalled reports whether every client that follows a stream is far behind. The caller holds the track's lock.
func (t *track) stalled(in *inflow) bool {
	if t.crowded == 0 || t.impatient || in == nil || len(in.followers) == 0 {
		return false
	}
	for _, f := range in.followers {
		if f.to.lag() <= t.relay.limits.SubscriberBytes {
			return false
		}
	}
	return true
}

// gate makes a publisher's stream wait while every subscriber that follows it is far behind, as long as one of them
// reads something now and then. So a slow subscriber slows down a fast publisher, and a subscriber that reads nothing
// stops nobody.
func (t *track) gate(ctx context.Context, src *source) {
	const progress = 64 << 10
	for ctx.Err() == nil {
		t.mu.Lock()
		wait, room, taken := t.stalled(src.in), t.room, t.taken
		t.mu.Unlock()
		if !wait {
			return
		}
		timer := time.NewTimer(t.relay.limits.Patience)
		select {
		case <-room:
		case <-ctx.Done():
		case <-timer.C:
			t.mu.Lock()
			t.impatient = t.impatient || t.taken-taken < progress
			t.mu.Unlock()
		}
		timer.Stop()
	}
}
