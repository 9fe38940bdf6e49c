package report

import (
	"slices"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// benchTable has the figures of a bench beside the verdicts.
type benchTable struct {
	Load    string
	Columns []string
	Rows    []benchRow
}

// benchRow is a relay: how many of its cells pass, if the run has any of it, and its figures.
type benchRow struct {
	Relay, Verdict string
	Class          string // ok or no
	Figures        []string
}

// bench puts the figures of a bench beside what the run says of the relays; nil when there are none.
func (v *view) bench(b *Bench) *benchTable {
	if b == nil {
		return nil
	}
	t := &benchTable{Load: line(b.Load)}
	for _, c := range b.Columns {
		t.Columns = append(t.Columns, line(c))
	}
	for _, words := range b.Rows {
		if len(words) == 0 {
			continue
		}
		row := benchRow{Relay: line(words[0])}
		for _, w := range words[1:] {
			row.Figures = append(row.Figures, line(w))
		}
		if slices.Contains(v.relays, words[0]) {
			var s sum
			for i := range v.cells {
				if c := &v.cells[i]; c.Relay == words[0] && c.Status != matrix.NotApplicable {
					if s.of++; c.Status == matrix.Pass {
						s.pass++
					}
				}
			}
			if row.Verdict, row.Class = fraction(s), "no"; s.pass == s.of {
				row.Class = "ok"
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
