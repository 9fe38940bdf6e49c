package track

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/internal/spans"
)

// TestIDSet compares the set with a plain one, where IDs come in order, take turns, or come anyhow, across pages and at
// the end of the numbers.
func TestIDSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom([]uint64{0, pageBits - 50, math.MaxUint64 - 2*pageBits + 1}).Draw(t, "base")
		var s idSet
		plain := map[uint64]bool{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			first := rapid.Uint64Range(0, 600).Draw(t, "first")
			n := rapid.Uint64Range(1, 120).Draw(t, "n")
			step := rapid.Uint64Range(1, 9).Draw(t, "step")
			if step == 1 && rapid.Bool().Draw(t, "run") {
				fresh := true
				for i := range n {
					fresh = fresh && !plain[first+i]
				}
				if s.addRun(base+first, base+first+n-1) {
					if !fresh {
						t.Fatalf("a run from %d was entered over others", first)
					}
					for i := range n {
						plain[first+i] = true
					}
				}
				continue
			}
			for i := range n {
				id := first + i*step
				if got, want := s.add(base+id), !plain[id]; got != want {
					t.Fatalf("add %d: %t, want %t", id, got, want)
				}
				plain[id] = true
			}
		}
		lo, hi := rapid.Uint64Range(0, 800).Draw(t, "lo"), rapid.Uint64Range(0, 2*pageBits-60).Draw(t, "hi")
		lo, hi = min(lo, hi), max(lo, hi)
		var got, want []uint64
		s.missing(base+lo, base+hi, func(r spans.Run) bool {
			for id := r.First; ; id++ {
				got = append(got, id-base)
				if id == r.Last {
					return true
				}
			}
		})
		for id := lo; id <= hi; id++ {
			if !plain[id] {
				want = append(want, id)
			}
			if s.has(base+id) != plain[id] {
				t.Fatalf("has %d: %t", id, !plain[id])
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("missing %v, want %v", got, want)
		}
		var top uint64
		for id := range plain {
			top = max(top, id)
		}
		if len(plain) > 0 && s.top != base+top {
			t.Fatalf("top %d, want %d", s.top-base, top)
		}
	})
}

// TestIDSetFull: pages whose IDs have all come are given up.
func TestIDSetFull(t *testing.T) {
	var s idSet
	for first := range uint64(8) {
		for id := first; id < 5*pageBits; id += 8 {
			s.add(id)
		}
	}
	if len(s.pages) != 0 || len(s.runs) != 1 || s.runs[0] != (spans.Run{First: 0, Last: 5*pageBits - 1}) {
		t.Errorf("%d pages, runs %v", len(s.pages), s.runs)
	}
}
