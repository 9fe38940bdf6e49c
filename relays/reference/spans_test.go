package reference

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestSpans holds the set of ranges against a plain set of ids.
func TestSpans(t *testing.T) {
	const limit = 40
	rapid.Check(t, func(t *rapid.T) {
		var s spans
		model := make(map[uint64]bool)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			first := rapid.Uint64Range(0, limit-1).Draw(t, "first")
			r := span{first, rapid.Uint64Range(first, limit-1).Draw(t, "last")}
			add := rapid.Bool().Draw(t, "add")
			if add {
				s.add(r)
			} else {
				s.remove(r)
			}
			for id := r.first; id <= r.last; id++ {
				model[id] = add
			}
			compare(t, s, model, limit)
		}
	})
}

func compare(t *rapid.T, s spans, model map[uint64]bool, limit uint64) {
	for i := 1; i < len(s); i++ {
		if s[i-1].last >= s[i].first || s[i-1].last+1 == s[i].first {
			t.Fatalf("ranges overlap or touch: %v", s)
		}
	}
	for id := range limit {
		last, ok := s.has(id)
		if ok != model[id] {
			t.Fatalf("has(%d) = %v in %v, want %v", id, ok, s, model[id])
		}
		end := id
		for model[end] && model[end+1] {
			end++
		}
		if ok && last != end {
			t.Fatalf("has(%d) says that the range ends at %d in %v, want %d", id, last, s, end)
		}
		next, found := s.next(id)
		want := id
		for want < limit && !model[want] {
			want++
		}
		if found != (want < limit) || found && next != want {
			t.Fatalf("next(%d) = %d, %v in %v, want %d", id, next, found, s, want)
		}
	}
}

func TestSpansAtTheEnds(t *testing.T) {
	var s spans
	s.add(span{math.MaxUint64, math.MaxUint64})
	s.add(span{0, 0})
	if s.covers(all) || len(s) != 2 {
		t.Fatalf("two ids are %v", s)
	}
	s.add(all)
	if !s.covers(all) || len(s) != 1 {
		t.Fatalf("everything is %v", s)
	}
	s.remove(span{math.MaxUint64, math.MaxUint64})
	if last, ok := s.has(5); !ok || last != math.MaxUint64-1 {
		t.Fatalf("without the last id: %v", s)
	}
	s.remove(all)
	if len(s) != 0 {
		t.Fatalf("nothing is %v", s)
	}
}
