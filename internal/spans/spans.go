// Package spans keeps a set of numbers as runs, for instance the groups that a track has, or the request ids that were
// used. Numbers added in order share one run.
package spans

import (
	"math"
	"slices"
)

// Set is a set of numbers as ascending runs that neither overlap nor touch. The zero value is empty. Not safe for
// concurrent use.
type Set []Run

// Run is the numbers from First up to and including Last.
type Run struct{ First, Last uint64 }

// All is every number.
var All = Run{0, math.MaxUint64}

// Find gives the index of the first run that ends at n or later.
func (s Set) Find(n uint64) int {
	if k := len(s); k == 0 || s[k-1].Last < n { // what comes is mostly new
		return k
	}
	i, _ := slices.BinarySearchFunc(s, n, func(r Run, n uint64) int {
		if r.Last < n {
			return -1
		}
		return 1
	})
	return i
}

// Has reports whether n is in the set.
func (s Set) Has(n uint64) bool { return s.Touches(n, n) }

// Touches reports whether any number from first to last is in the set.
func (s Set) Touches(first, last uint64) bool {
	i := s.Find(first)
	return i < len(s) && s[i].First <= last
}

// Add adds n.
func (s *Set) Add(n uint64) { s.AddRun(n, n) }

// AddRun adds the numbers from first to last.
func (s *Set) AddRun(first, last uint64) {
	i := s.Find(first)
	if i > 0 && (*s)[i-1].Last+1 == first {
		i--
	}
	j := i
	for ; j < len(*s) && ((*s)[j].First <= last || (*s)[j].First == last+1); j++ {
		first, last = min(first, (*s)[j].First), max(last, (*s)[j].Last)
	}
	if j == i+1 {
		(*s)[i] = Run{first, last}
		return
	}
	*s = slices.Replace(*s, i, j, Run{first, last})
}

// missing calls f for every run between first and last that is not in the set, in order, until f returns false.
func (s Set) Missing(first, last uint64, f func(Run) bool) {
	for i := s.Find(first); first <= last; i++ {
		if i == len(s) || s[i].First > last {
			f(Run{first, last})
			return
		}
		if s[i].First > first && !f(Run{first, s[i].First - 1}) || s[i].Last >= last {
			return
		}
		first = max(first, s[i].Last+1)
	}
}

// Gaps counts the numbers below n that are not in the set.
func (s Set) Gaps(n uint64) int {
	count := 0
	if n > 0 {
		s.Missing(0, n-1, func(r Run) bool { count += int(r.Last - r.First + 1); return true })
	}
	return count
}

// Remove takes the numbers from first to last out of the set.
func (s *Set) Remove(first, last uint64) {
	i := s.Find(first)
	var left [2]Run // of the first and of the last that it touches
	n, j := 0, i
	for ; j < len(*s) && (*s)[j].First <= last; j++ {
		if x := (*s)[j]; x.First < first {
			left[n] = Run{x.First, first - 1}
			n++
		}
		if x := (*s)[j]; x.Last > last {
			left[n] = Run{last + 1, x.Last}
			n++
		}
	}
	*s = slices.Replace(*s, i, j, left[:n]...)
}

// End gives the last number of the run that n is in. ok is false where n is not in the set.
func (s Set) End(n uint64) (last uint64, ok bool) {
	i := s.Find(n)
	if i == len(s) || s[i].First > n {
		return 0, false
	}
	return s[i].Last, true
}

// Next gives the first number of the set at or after n, if there is one.
func (s Set) Next(n uint64) (uint64, bool) {
	i := s.Find(n)
	if i == len(s) {
		return 0, false
	}
	return max(n, s[i].First), true
}

// Covers reports whether all numbers from first to last are in the set.
func (s Set) Covers(first, last uint64) bool {
	end, ok := s.End(first)
	return ok && end >= last
}
