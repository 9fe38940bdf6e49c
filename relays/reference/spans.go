package reference

import (
	"math"
	"slices"
	"sort"
)

// span is an inclusive range of Object IDs.
type span struct{ first, last uint64 }

// spans is a set of Object IDs as ascending ranges that neither overlap nor touch. The zero value is empty.
type spans []span

// all is every Object ID.
var all = span{0, math.MaxUint64}

// at finds the first range that ends at or after id.
func (s spans) at(id uint64) int {
	if n := len(s); n > 0 && s[n-1].first <= id { // objects arrive in order: mostly the last one
		if s[n-1].last >= id {
			return n - 1
		}
		return n
	}
	return sort.Search(len(s), func(i int) bool { return s[i].last >= id })
}

// add puts a range into the set.
func (s *spans) add(r span) {
	from := r.first
	if from > 0 {
		from-- // a range that ends right before r grows
	}
	i := s.at(from)
	j := i
	for j < len(*s) && (r.last == math.MaxUint64 || (*s)[j].first <= r.last+1) {
		r.first, r.last = min(r.first, (*s)[j].first), max(r.last, (*s)[j].last)
		j++
	}
	if j == i+1 {
		(*s)[i] = r
		return
	}
	*s = slices.Replace(*s, i, j, r)
}

// remove takes a range out of the set.
func (s *spans) remove(r span) {
	i := s.at(r.first)
	var left []span
	j := i
	for j < len(*s) && (*s)[j].first <= r.last {
		if x := (*s)[j]; x.first < r.first {
			left = append(left, span{x.first, r.first - 1})
		}
		if x := (*s)[j]; x.last > r.last {
			left = append(left, span{r.last + 1, x.last})
		}
		j++
	}
	*s = slices.Replace(*s, i, j, left...)
}

// has reports whether id is in the set, and the end of the range it is in.
func (s spans) has(id uint64) (last uint64, ok bool) {
	i := s.at(id)
	if i == len(s) || s[i].first > id {
		return 0, false
	}
	return s[i].last, true
}

// next is the first id of the set at or after id.
func (s spans) next(id uint64) (uint64, bool) {
	i := s.at(id)
	if i == len(s) {
		return 0, false
	}
	return max(id, s[i].first), true
}

// covers reports whether all of r is in the set.
func (s spans) covers(r span) bool {
	last, ok := s.has(r.first)
	return ok && last >= r.last
}
