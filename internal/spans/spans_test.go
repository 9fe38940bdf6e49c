package spans_test

import (
	"math"
	"testing"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"pgregory.net/rapid"
)

// TestSpans holds the set of ranges against a plain set of ids.
func TestSpans(t *testing.T) {
	const limit = 40
	rapid.Check(t, func(t *rapid.T) {
		var s spans.Set
		model := make(map[uint64]bool)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			first := rapid.Uint64Range(0, limit-1).Draw(t, "first")
			r := spans.Run{first, rapid.Uint64Range(first, limit-1).Draw(t, "last")}
			add := rapid.Bool().Draw(t, "add")
			if add {
				s.AddRun(r.First, r.Last)
			} else {
				s.Remove(r.First, r.Last)
			}
			for id := r.First; id <= r.Last; id++ {
				model[id] = add
			}
			compare(t, s, model, limit)
		}
	})
}

func compare(t *rapid.T, s spans.Set, model map[uint64]bool, limit uint64) {
	for i := 1; i < len(s); i++ {
		if s[i-1].Last >= s[i].First || s[i-1].Last+1 == s[i].First {
			t.Fatalf("ranges overlap or touch: %v", s)
		}
	}
	for id := range limit {
		last, ok := s.End(id)
		if ok != model[id] {
			t.Fatalf("End(%d) = %v in %v, want %v", id, ok, s, model[id])
		}
		end := id
		for model[end] && model[end+1] {
			end++
		}
		if ok && last != end {
			t.Fatalf("End(%d) says that the range ends at %d in %v, want %d", id, last, s, end)
		}
		next, found := s.Next(id)
		want := id
		for want < limit && !model[want] {
			want++
		}
		if found != (want < limit) || found && next != want {
			t.Fatalf("Next(%d) = %d, %v in %v, want %d", id, next, found, s, want)
		}
	}
}

func TestSpansAtTheEnds(t *testing.T) {
	var s spans.Set
	s.AddRun(math.MaxUint64, math.MaxUint64)
	s.AddRun(0, 0)
	if s.Covers(0, math.MaxUint64) || len(s) != 2 {
		t.Fatalf("two ids are %v", s)
	}
	s.AddRun(0, math.MaxUint64)
	if !s.Covers(0, math.MaxUint64) || len(s) != 1 {
		t.Fatalf("everything is %v", s)
	}
	s.Remove(math.MaxUint64, math.MaxUint64)
	if last, ok := s.End(5); !ok || last != math.MaxUint64-1 {
		t.Fatalf("without the last id: %v", s)
	}
	s.Remove(0, math.MaxUint64)
	if len(s) != 0 {
		t.Fatalf("nothing is %v", s)
	}
}
