package bench

import (
	"testing"

	"pgregory.net/rapid"
)

// The account says what a plain set says, in whatever order numbers come, come again or stay away.
func TestAccountIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const window = 256
		a := newAccount(false, window)
		seen := map[uint64]bool{}
		duplicates := uint64(0)
		// jumps beyond the window, and steps back
		at := uint64(0)
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]int64{1, 1, 1, 1, 2, 5, 70, -3, -1, 0, 200, -150,
			window - 1, window + 3}), 1, 400).Draw(t, "steps") {
			at = uint64(max(0, int64(at)+step))
			if fresh := a.add(at); fresh == seen[at] {
				t.Fatalf("%d: counted %v, and had come %v", at, fresh, seen[at])
			}
			if seen[at] {
				duplicates++
			}
			seen[at] = true
		}
		total := a.top + rapid.SampledFrom([]uint64{0, 1, 77, window + 9}).Draw(t, "tail")
		a.expect(total)
		lost, g := a.result()
		if a.had != uint64(len(seen)) || a.duplicates != duplicates || lost != total-uint64(len(seen)) {
			t.Fatalf("had %d, duplicates %d, lost %d; want %d, %d, %d", a.had, a.duplicates, lost, len(seen),
				duplicates, total-uint64(len(seen)))
		}
		if a.expected() != a.had+lost {
			t.Fatalf("expected %d is not %d and %d", a.expected(), a.had, lost)
		}
		runs, longest := uint64(0), uint64(0)
		for n, run := uint64(0), uint64(0); n < total; n++ { // one by one
			if seen[n] {
				run = 0
				continue
			}
			if run++; run == 1 {
				runs++
			}
			longest = max(longest, run)
		}
		if g.runs != runs || g.longest != longest {
			t.Fatalf("%+v; want %d runs, the longest %d", g, runs, longest)
		}
	})
}

// Who joins in the middle expects nothing of before, whichever of the streams that flow then comes first.
func TestAccountOpensInTheMiddle(t *testing.T) {
	a := newAccount(true, window)
	for _, n := range []uint64{5_000_010, 5_000_008, 5_000_012} {
		a.add(n)
	}
	lost, g := a.result()
	if a.had != 3 || lost != 2 || g.runs != 2 || a.expected() != 5 {
		t.Errorf("had %d, lost %d, %+v, expected %d", a.had, lost, g, a.expected())
	}
	if a.add(7) || a.duplicates != 0 {
		t.Error("what came long before counts")
	}
}

// More runs than are remembered: the count stays exact.
func TestAccountForgetsRunsNotCounts(t *testing.T) {
	const window = 256
	a := newAccount(false, window)
	const n = 2 * (window + 2*mostRuns)
	for i := uint64(0); i < n; i += 2 {
		a.add(i)
	}
	if lost, g := a.result(); lost != n/2-1 || g.runs != n/2-1 || g.longest != 1 {
		t.Errorf("lost %d, %+v; want %d", lost, g, n/2-1)
	}
	if len(a.lost) > mostRuns {
		t.Errorf("%d runs are kept", len(a.lost))
	}
}
