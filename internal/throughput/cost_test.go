//go:build !race

// Under the race detector sync.Pool drops buffers on purpose, so that allocations cannot be counted.

package throughput

import (
	"runtime"
	"testing"
)

// TestNothingPerObject: an object through a track.Published and a track.Subscribed costs no allocation and no
// goroutine. What is allocated is QUIC's, by the packet, and a little by the stream.
func TestNothingPerObject(t *testing.T) {
	const size, total, streams = 64, 8 << 20, 8
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			base := allocations(bare(t, streams), total)
			before := runtime.NumGoroutine()
			with := allocations(objects(t, c.choice, size, streams), total)
			goroutines := runtime.NumGoroutine() - before
			each := (float64(with) - float64(base)) / (total / size)
			t.Logf("%d objects: %d allocations, %d for the same bytes without objects; %d goroutines more", total/size,
				with, base, goroutines)
			if each > 0.05 {
				t.Errorf("%.3f allocations per object", each)
			}
			if goroutines > 100 {
				t.Errorf("%d goroutines for %d objects on %d streams", goroutines, total/size, streams)
			}
		})
	}
}

// allocations counts those of one transfer, after one that finds the buffers' sizes.
func allocations(m mover, total int) uint64 {
	var before, after runtime.MemStats
	m(total)
	runtime.ReadMemStats(&before)
	m(total)
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}
