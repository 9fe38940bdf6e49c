package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// Kind says how a case differs between two runs.
type Kind string

// The kinds.
const (
	// Broken: the case passed before and does not now, or nothing was wrong before (it was skipped, or only broke a
	// SHOULD) and now something is. A failure that was expected (see matrix.Expectations) is Changed instead: somebody
	// has given a reason for it.
	Broken Kind = "broken"
	// Fixed: the case passes now and did not before.
	Fixed Kind = "fixed"
	// Changed: the case passes in neither run, but for different reasons; or a whole cell negotiated another draft.
	Changed Kind = "changed"
	// New: only the second run has the case, or a result of it. Gone: only the first run has it.
	New  Kind = "new"
	Gone Kind = "gone"
	// Slower: the case passes in both runs, and the second took longer than CompareOptions allow.
	Slower Kind = "slower"
)

// Kinds lists all of them, in the order in which they are shown.
var Kinds = []Kind{Broken, Fixed, Changed, New, Gone, Slower}

// CompareOptions say what is compared, and what counts as slower.
type CompareOptions struct {
	// Common leaves out cells that only one of the runs has, as when the other ran only a part of the plan.
	Common bool
	// SlowerFactor is how many times as long a case must take to be slower; 0 means 2.
	SlowerFactor float64
	// SlowerMS is how many milliseconds more it must take besides; 0 means 250.
	SlowerMS int64
}

// State is the result of a case in one run.
type State struct {
	Status matrix.Status `json:"status"`
	// Layer is where it failed, Reason says why it is no pass.
	Layer      string `json:"layer,omitempty"`
	Reason     string `json:"reason,omitempty"`
	DurationMS int64  `json:"duration_ms"`
	// Known is why the failure was expected; empty when it was not.
	Known string `json:"known,omitempty"`
}

// Change is a case that differs between two runs.
type Change struct {
	Kind Kind `json:"kind"`
	// Cell is client/relay/endpoint/draft/transport, without the draft when drafts are compared. Case is empty for the
	// cell as a whole.
	Cell string `json:"cell"`
	Case string `json:"case,omitempty"`
	// Before and After are nil where the run does not have the case.
	Before *State `json:"before,omitempty"`
	After  *State `json:"after,omitempty"`
}

// Comparison is how two runs differ.
type Comparison struct {
	// A and B name what is compared.
	A string `json:"a"`
	B string `json:"b"`
	// Same counts the cases that did not change.
	Same int `json:"same"`
	// Changes are sorted by kind, in the order of Kinds, then by cell and case.
	Changes []Change `json:"changes"`
}

// Count gives the number of changes of a kind.
func (c *Comparison) Count(k Kind) (n int) {
	for i := range c.Changes {
		if c.Changes[i].Kind == k {
			n++
		}
	}
	return n
}

// ExitCode gives the exit code of a program that compares: 1 when something broke, else 0.
func (c *Comparison) ExitCode() int {
	if c.Count(Broken) > 0 {
		return 1
	}
	return 0
}

// Compare says how b differs from a. Cells are the same by their IDs, or, where an endpoint or a command has no name of
// its own and is another one now, by client, relay, draft and transport. Reasons that differ only in random names,
// durations or local ports count as the same.
func Compare(a, b *matrix.Run, o CompareOptions) *Comparison {
	names := aliases(a, b)
	id := func(c *matrix.CellResult) (string, bool) { return c.ID, true }
	before := func(c *matrix.CellResult) (string, bool) { return renamed(names, c.ID), true }
	return compare(a, b, a.ID, b.ID, before, id, o)
}

// CompareDrafts says how the results with draft b ("draft-18") differ from those with draft a, in one run. A cell
// belongs to the draft that was pinned, else to the one negotiated, else to the one predicted. When the run has no cell
// of a draft, the error says so and lists the drafts it has.
func CompareDrafts(run *matrix.Run, a, b string, o CompareOptions) (*Comparison, error) {
	known := make(map[string]int)
	for i := range run.Cells {
		known[draftOf(&run.Cells[i])] = 0
	}
	for _, d := range []string{a, b} {
		if _, ok := known[d]; !ok {
			return nil, fmt.Errorf("report: run %s has no cell of %s; it has %s", run.ID, d,
				strings.Join(number(known), ", "))
		}
	}
	of := func(draft string) func(c *matrix.CellResult) (string, bool) {
		return func(c *matrix.CellResult) (string, bool) { return withoutDraft(c), draftOf(c) == draft }
	}
	return compare(run, run, a, b, of(a), of(b), o), nil
}

// withoutDraft is the cell's identity on any draft.
func withoutDraft(c *matrix.CellResult) string {
	return strings.Join([]string{c.Client, c.Relay, c.Endpoint, c.Transport}, "/")
}

// unknownDraft stands for the draft of a cell that nobody knows.
const unknownDraft = "unknown"

// draftOf gives the draft under which a cell is shown: the one that was pinned (a label that contradicts it is an error
// of its own), else the one negotiated, else the one predicted.
func draftOf(c *matrix.CellResult) string {
	return cmp.Or(c.Draft, c.Label.Draft, c.Predicted, unknownDraft)
}

// cellKey gives the name under which a cell is compared, and whether it is compared at all.
type cellKey func(*matrix.CellResult) (key string, take bool)

func compare(a, b *matrix.Run, nameA, nameB string, keyA, keyB cellKey, o CompareOptions) *Comparison {
	o.SlowerFactor = cmp.Or(o.SlowerFactor, 2)
	o.SlowerMS = cmp.Or(o.SlowerMS, 250)
	out := &Comparison{A: nameA, B: nameB, Changes: []Change{}}
	before := make(map[string]*matrix.CellResult, len(a.Cells))
	for i := range a.Cells {
		if key, ok := keyA(&a.Cells[i]); ok {
			before[key] = &a.Cells[i]
		}
	}
	seen := make(map[string]bool, len(b.Cells))
	for i := range b.Cells {
		if key, ok := keyB(&b.Cells[i]); ok && !seen[key] && (before[key] != nil || !o.Common) {
			seen[key] = true
			out.cells(key, before[key], &b.Cells[i], o)
		}
	}
	for i := range a.Cells {
		if key, ok := keyA(&a.Cells[i]); ok && !seen[key] && !o.Common {
			seen[key] = true
			out.cells(key, before[key], nil, o)
		}
	}
	slices.SortFunc(out.Changes, func(x, y Change) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds, x.Kind), slices.Index(Kinds, y.Kind)),
			cmp.Compare(x.Cell, y.Cell), cmp.Compare(x.Case, y.Case))
	})
	return out
}

// cells compares two cells, one of which may be nil.
func (c *Comparison) cells(key string, a, b *matrix.CellResult, o CompareOptions) {
	if label(a) != "" && label(b) != "" && label(a) != label(b) && a.Draft == b.Draft {
		c.Changes = append(c.Changes, Change{
			Kind: Changed, Cell: key,
			Before: &State{Status: a.Status, Reason: "negotiated " + label(a), DurationMS: a.DurationMS},
			After:  &State{Status: b.Status, Reason: "negotiated " + label(b), DurationMS: b.DurationMS},
		})
	}
	inA, inB := byName(a), byName(b)
	names := make([]string, 0, len(inA))
	for name := range inA {
		names = append(names, name)
	}
	for name := range inB {
		if _, both := inA[name]; !both {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		names = append(names, "") // neither has cases: the cells as such
	}
	for _, name := range names {
		c.add(key, name, stateIn(a, inA, name), stateIn(b, inB, name), o)
	}
}

// label gives the draft that was negotiated; empty when the client did not report one.
func label(c *matrix.CellResult) string {
	if c == nil || c.Label.Source != matrix.Negotiated {
		return ""
	}
	return c.Label.Draft
}

// byName gives a cell's cases by name; of several with the same name, the worst.
func byName(c *matrix.CellResult) map[string]*matrix.CaseResult {
	if c == nil {
		return nil
	}
	m := make(map[string]*matrix.CaseResult, len(c.Cases))
	for i := range c.Cases {
		k := &c.Cases[i]
		if other, twice := m[k.Name]; !twice || worse(k.Status, other.Status) {
			m[k.Name] = k
		}
	}
	return m
}

// stateIn gives the state of a case in a cell; nil when there is nothing to compare. When something is wrong with the
// cell and the case is not in it, the case has the cell's state: the client ended before it.
func stateIn(c *matrix.CellResult, cases map[string]*matrix.CaseResult, name string) *State {
	switch {
	case c == nil:
		return nil
	case c.Status == matrix.Stale:
		return &State{Status: matrix.Missing, Reason: "no result since " + c.StaleFrom}
	case cases[name] != nil:
		k := cases[name]
		switch {
		case k.Status == matrix.NotApplicable:
			return nil
		case c.Status == matrix.Error && (!bad(k.Status) || strings.HasPrefix(c.Reason, matrix.RelayDied)):
			// What passed there may have been another draft, or another relay.
			return &State{Status: matrix.Error, Layer: c.Layer, Reason: c.Reason, DurationMS: k.DurationMS}
		}
		return &State{Status: k.Status, Layer: k.Layer, Reason: reasonOf(k), DurationMS: k.DurationMS, Known: k.Known}
	case name != "" && len(cases) > 0:
		if !bad(c.Status) || c.Status == matrix.Flaky {
			return nil
		}
		return &State{Status: matrix.Missing, Layer: c.Layer, Reason: c.Reason}
	case name != "" && !bad(c.Status), c.Status == matrix.NotApplicable:
		return nil
	}
	return &State{Status: c.Status, Layer: c.Layer, Reason: c.Reason, DurationMS: c.DurationMS, Known: c.Known}
}

// reasonOf says in a line why a case is no pass.
func reasonOf(k *matrix.CaseResult) string {
	if k.Status == matrix.Pass {
		return ""
	}
	return cmp.Or(k.Message, k.Reason, k.Received)
}

func (c *Comparison) add(cell, name string, a, b *State, o CompareOptions) {
	kind := kindOf(a, b, o)
	if kind == "" {
		if a != nil || b != nil {
			c.Same++
		}
		return
	}
	c.Changes = append(c.Changes, Change{Kind: kind, Cell: cell, Case: name, Before: a, After: b})
}

// kindOf says how b differs from a; empty when it does not. When the first run has no result of a case, the case is
// new. When the second has none, a case that passed is broken.
func kindOf(a, b *State, o CompareOptions) Kind {
	switch {
	case a == nil && b == nil:
		return ""
	case a == nil:
		return New
	case b == nil:
		return Gone
	case a.Status == matrix.Missing && b.Status == matrix.Missing:
		return ""
	case a.Status == matrix.TooSlow && b.Status == matrix.TooSlow:
		return ""
	case a.Status == matrix.Missing, a.Status == matrix.TooSlow: // nothing was known
		return New
	case b.Status == matrix.TooSlow:
		return Changed
	case a.Status == matrix.Pass && b.Status == matrix.Pass:
		if more := b.DurationMS - a.DurationMS; more >= o.SlowerMS &&
			float64(b.DurationMS) >= o.SlowerFactor*float64(a.DurationMS) {
			return Slower
		}
		return ""
	case b.Status == matrix.Pass:
		return Fixed
	case a.Status == matrix.Pass, bad(b.Status) && !bad(a.Status):
		if b.Known != "" {
			return Changed
		}
		return Broken
	case a.Status != b.Status, a.Layer != b.Layer,
		a.Reason != b.Reason && same(a.Reason) != same(b.Reason):
		return Changed
	}
	return ""
}
