package moqt

import "slices"

// spans is a set of numbers as sorted runs that do not touch: what is added in order costs no memory.
type spans []span

// span is the numbers from first up to and including last.
type span struct{ first, last uint64 }

// find gives the index of the first run that ends at n or later.
func (s spans) find(n uint64) int {
	if k := len(s); k == 0 || s[k-1].last < n { // what comes is mostly new
		return k
	}
	i, _ := slices.BinarySearchFunc(s, n, func(r span, n uint64) int {
		if r.last < n {
			return -1
		}
		return 1
	})
	return i
}

// has reports whether n is in the set.
func (s spans) has(n uint64) bool { return s.touches(n, n) }

// touches reports whether any number from first to last is in the set.
func (s spans) touches(first, last uint64) bool {
	i := s.find(first)
	return i < len(s) && s[i].first <= last
}

// add adds n.
func (s *spans) add(n uint64) { s.addAll(n, n) }

// addAll adds the numbers from first to last.
func (s *spans) addAll(first, last uint64) {
	i := s.find(first)
	if i > 0 && (*s)[i-1].last+1 == first {
		i--
	}
	j := i
	for ; j < len(*s) && ((*s)[j].first <= last || (*s)[j].first == last+1); j++ {
		first, last = min(first, (*s)[j].first), max(last, (*s)[j].last)
	}
	if j == i+1 {
		(*s)[i] = span{first, last}
		return
	}
	*s = slices.Replace(*s, i, j, span{first, last})
}

// missing calls f for every run between first and last that is not in the set, in order, until f returns false.
func (s spans) missing(first, last uint64, f func(span) bool) {
	for i := s.find(first); first <= last; i++ {
		if i == len(s) || s[i].first > last {
			f(span{first, last})
			return
		}
		if s[i].first > first && !f(span{first, s[i].first - 1}) || s[i].last >= last {
			return
		}
		first = max(first, s[i].last+1)
	}
}

// gaps counts the numbers below n that are not in the set.
func (s spans) gaps(n uint64) int {
	count := 0
	if n > 0 {
		s.missing(0, n-1, func(r span) bool { count += int(r.last - r.first + 1); return true })
	}
	return count
}
