package reference

import (
	"sync/atomic"
	"time"
)

// histogram counts values by size. Observing takes no lock and allocates nothing. Its values are whole numbers, of
// nanoseconds or bytes.
type histogram struct {
	bounds []int64 // ascending, inclusive; what is above the last is counted behind it
	counts []atomic.Uint64
	sum    atomic.Int64
}

func newHistogram(bounds []int64) histogram {
	return histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

func (h *histogram) observe(v int64) {
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(v)
}

// metric fills in a Metric. unit is what the values are divided by.
func (h *histogram) metric(m Metric, unit float64) Metric {
	m.Kind, m.Value = Distribution, float64(h.sum.Load())/unit
	for i, bound := range h.bounds {
		m.Count += h.counts[i].Load()
		m.Buckets = append(m.Buckets, Bucket{Upper: float64(bound) / unit, Count: m.Count})
	}
	m.Count += h.counts[len(h.bounds)].Load()
	return m
}

// delays and sizes are the bounds of the histograms of the relay.
var (
	delays = in(time.Microsecond, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000,
		500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000)
	sizes = in(1, 0, 64, 256, 1<<10, 4<<10, 16<<10, 64<<10, 256<<10, 1<<20, 4<<20, 16<<20, 64<<20)
)

// in gives bounds in a unit.
func in(unit time.Duration, bounds ...int64) []int64 {
	for i := range bounds {
		bounds[i] *= int64(unit)
	}
	return bounds
}
