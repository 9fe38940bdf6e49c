package track

import (
	"math"
	"math/bits"
	"slices"

	"github.com/moqinterop/moq-interop-client/internal/spans"
)

const (
	// maxRuns is how many runs an idSet keeps before it turns to pages of bits.
	maxRuns  = 16
	pageBits = 4096
)

// idSet is the Object IDs of one group that have come. IDs that come in order cost no memory; those of several
// subgroups that take turns cost a bit each, until their page is full.
type idSet struct {
	runs  spans.Set
	pages map[uint64]*idPage // by ID / pageBits; nil until there are many runs
	last  *idPage            // the one that was used last
	no    uint64             // its number
	top   uint64             // the largest ID
	some  bool
}

// idPage is pageBits IDs.
type idPage struct {
	bits [pageBits / 64]uint64
	n    int
}

// has reports whether an ID is in the set.
func (s *idSet) has(id uint64) bool {
	if !s.some || id > s.top {
		return false
	}
	if p := s.page(id / pageBits); p != nil && p.bits[id%pageBits/64]&(1<<(id%64)) != 0 {
		return true
	}
	return s.runs.Has(id)
}

// page finds a page, nil if there is none.
func (s *idSet) page(no uint64) *idPage {
	if s.pages == nil {
		return nil
	}
	if s.last == nil || s.no != no {
		s.last, s.no = s.pages[no], no
	}
	return s.last
}

// add adds an ID, and reports whether it is new.
func (s *idSet) add(id uint64) bool {
	fresh := !s.has(id)
	if !fresh {
		return false
	}
	s.top, s.some = max(s.top, id), true
	if s.pages == nil {
		s.runs.Add(id)
		if len(s.runs) > maxRuns {
			s.pages = make(map[uint64]*idPage)
		}
		return true
	}
	no := id / pageBits
	p := s.page(no)
	if p == nil {
		p = s.newPage(no)
	}
	p.bits[id%pageBits/64] |= 1 << (id % 64)
	if p.n++; p.n == pageBits {
		s.runs.AddRun(no*pageBits, no*pageBits+pageBits-1)
		delete(s.pages, no)
		s.last = nil
	}
	return true
}

// newPage makes a page with what the runs have of it.
func (s *idSet) newPage(no uint64) *idPage {
	p := new(idPage)
	first, last := no*pageBits, no*pageBits+pageBits-1
	for i := s.runs.Find(first); i < len(s.runs) && s.runs[i].First <= last; i++ {
		for id := max(first, s.runs[i].First); ; id++ {
			p.bits[id%pageBits/64] |= 1 << (id % 64)
			p.n++
			if id == min(last, s.runs[i].Last) {
				break
			}
		}
	}
	s.pages[no], s.last, s.no = p, p, no
	return p
}

// addRun adds the IDs from first to last if all of them are beyond those in the set, and reports whether it did.
func (s *idSet) addRun(first, last uint64) bool {
	if s.some && first <= s.top || s.pages != nil {
		return false
	}
	s.runs.AddRun(first, last)
	s.top, s.some = last, true
	if len(s.runs) > maxRuns {
		s.pages = make(map[uint64]*idPage)
	}
	return true
}

// missing calls f for every run between first and last that is not in the set, in order, until f returns false.
func (s *idSet) missing(first, last uint64, f func(spans.Run) bool) {
	if len(s.pages) == 0 {
		s.runs.Missing(first, last, f)
		return
	}
	var numbers []uint64
	for no := range s.pages {
		if no >= first/pageBits && no <= last/pageBits {
			numbers = append(numbers, no)
		}
	}
	slices.Sort(numbers)
	whole := slices.Clone(s.runs)
	for _, no := range numbers {
		p := s.pages[no]
		for w, word := range p.bits {
			for word != 0 { // run by run
				from := bits.TrailingZeros64(word)
				n := bits.TrailingZeros64(^(word >> from))
				at := no*pageBits + uint64(w)*64 + uint64(from)
				whole.AddRun(at, at+uint64(n)-1)
				if from+n >= 64 {
					break
				}
				word &= math.MaxUint64 << (from + n)
			}
		}
	}
	whole.Missing(first, last, f)
}

// weight is how many pages the set holds.
func (s *idSet) weight() int { return len(s.pages) }
