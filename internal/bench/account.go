package bench

import (
	"math/bits"
	"slices"

	"github.com/moqinterop/moq-interop-client/internal/spans"
)

// The window is how far the numbers that come may be apart before the lower ones count as lost. What comes still later
// is taken off the lost again. Where there are many subscribers it is small, since each has a bit for each number.
const (
	window      = 1 << 20
	smallWindow = 1 << 14
)

// mostRuns bounds how many runs of lost numbers are remembered. Of what is forgotten only the count stays, and if it
// comes after all it counts as a duplicate.
const mostRuns = 1 << 16

// account knows which numbers have come, exactly, in little memory.
type account struct {
	lowest, top uint64 // the numbers from lowest up to but not including top are expected
	base        uint64 // what is below has come or is in lost
	bits        []uint64
	had         uint64
	duplicates  uint64
	lost        spans.Set
	lostBelow   uint64 // how many are lost below base
	forgotten   gaps   // runs that are not in lost any more
	open        bool   // the first number that comes is the lowest, roughly
	window      uint64 // a multiple of 64
}

// gaps counts runs of lost numbers.
type gaps struct{ runs, longest uint64 }

func (g *gaps) add(n uint64) {
	g.runs++
	g.longest = max(g.longest, n)
}

// newAccount makes an account of numbers from 0 on, or, if open, from about the first one on that comes.
func newAccount(open bool, window uint64) *account {
	return &account{open: open, window: window, bits: make([]uint64, window/64)}
}

// add takes a number. It reports false for one that does not count: it has come before.
func (a *account) add(n uint64) bool {
	if n == a.base && n == a.top && a.had > 0 { // in order, nothing open
		a.base++
		a.top++
		a.had++
		return true
	}
	if a.had == 0 && a.duplicates == 0 && a.open {
		a.lowest, a.top = n, n
		a.base = n - min(n, a.window/2)
	}
	switch {
	case n < a.base:
		if !a.lost.Has(n) {
			if !a.open || n >= a.lowest { // else it is far before the first that came, and not expected
				a.duplicates++
			}
			return false
		}
		a.lost.Remove(n, n)
		a.lostBelow--
		a.had++
		return true
	case n-a.base >= a.window:
		a.slide(n - a.window + 1)
	}
	word, bit := n%a.window/64, uint64(1)<<(n%64)
	if a.bits[word]&bit != 0 {
		a.duplicates++
		return false
	}
	a.bits[word] |= bit
	a.had++
	a.lowest = min(a.lowest, n)
	a.top = max(a.top, n+1)
	for a.base < a.top && a.has(a.base) {
		a.clear(a.base)
		a.base++
	}
	return true
}

func (a *account) has(n uint64) bool { return a.bits[n%a.window/64]&(1<<(n%64)) != 0 }
func (a *account) clear(n uint64)    { a.bits[n%a.window/64] &^= 1 << (n % 64) }

// slide gives up what has not come below a number.
func (a *account) slide(to uint64) {
	end := min(to, a.top)
	a.missing(a.base, end, func(first, last uint64) {
		a.lost.AddRun(first, last)
		a.lostBelow += last - first + 1
	})
	for n := a.base; n < end; n++ {
		a.clear(n)
	}
	if first := max(end, a.lowest); first < to {
		a.lost.AddRun(first, to-1)
		a.lostBelow += to - first
	}
	a.base = to
	a.top = max(a.top, to)
	if len(a.lost) > mostRuns {
		for _, run := range a.lost[:mostRuns/2] {
			a.forgotten.add(run.Last - run.First + 1)
		}
		a.lost = slices.Delete(a.lost, 0, mostRuns/2)
	}
}

// gap reports whether something is missing that may still come.
func (a *account) gap() bool { return a.top-a.lowest != a.had+a.lostBelow }

// missing calls f for every run of expected numbers from first up to but not including end, all within the window, that
// have not come.
func (a *account) missing(first, end uint64, f func(first, last uint64)) {
	for n := max(first, a.lowest); n < end; {
		if word := a.bits[n%a.window/64] >> (n % 64); word != 0 {
			if skip := uint64(bits.TrailingZeros64(word)); skip == 0 {
				n += uint64(bits.TrailingZeros64(^word))
				continue
			}
		}
		start := n
		for n < end && !a.has(n) {
			n++
		}
		f(start, n-1)
	}
}

// expect says how many numbers there were, where that is known: those up to total.
func (a *account) expect(total uint64) {
	if total > a.top {
		if total-a.base > a.window {
			a.slide(total - a.window)
		}
		a.top = total
	}
}

// result gives what is lost, and in how many runs.
func (a *account) result() (lost uint64, g gaps) {
	g = a.forgotten
	lost = a.lostBelow
	runs := slices.Clone(a.lost)
	a.missing(a.base, a.top, func(first, last uint64) {
		lost += last - first + 1
		runs.AddRun(first, last)
	})
	for _, run := range runs {
		g.add(run.Last - run.First + 1)
	}
	return lost, g
}

// expected is how many numbers there are up to the largest that came or was told of.
func (a *account) expected() uint64 { return a.top - a.lowest }
