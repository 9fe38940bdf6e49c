package spans_test

import (
	"math"
	"slices"
	"testing"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"pgregory.net/rapid"
)

// TestSpanRuns compares a set of runs with a plain set, near both ends of the numbers.
func TestSpanRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom([]uint64{0, 1 << 40, math.MaxUint64 - 63}).Draw(t, "base")
		number := rapid.Uint64Range(0, 63)
		var s spans.Set
		var plain [64]bool
		for range rapid.IntRange(0, 30).Draw(t, "adds") {
			a, b := number.Draw(t, "a"), number.Draw(t, "b")
			a, b = min(a, b), max(a, b)
			s.AddRun(base+a, base+b)
			for i := a; i <= b; i++ {
				plain[i] = true
			}
		}
		for i := range s {
			if s[i].First > s[i].Last || i > 0 && s[i-1].Last+1 >= s[i].First {
				t.Fatalf("runs touch or are turned: %v", s)
			}
		}
		a, b := number.Draw(t, "from"), number.Draw(t, "to")
		a, b = min(a, b), max(a, b)
		var got, want []uint64
		touches := false
		s.Missing(base+a, base+b, func(r spans.Run) bool {
			for n := r.First; ; n++ {
				got = append(got, n-base)
				if n == r.Last {
					return true
				}
			}
		})
		for i := a; i <= b; i++ {
			if !plain[i] {
				want = append(want, i)
			}
			touches = touches || plain[i]
			if s.Has(base+i) != plain[i] {
				t.Fatalf("has %d: %t", i, !plain[i])
			}
		}
		if !slices.Equal(got, want) || s.Touches(base+a, base+b) != touches {
			t.Fatalf("between %d and %d of %v: missing %v, want %v", a, b, s, got, want)
		}
	})
}
