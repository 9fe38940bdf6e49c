package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// DraftTable puts the drafts of one relay side by side.
type DraftTable struct {
	Run   string `json:"run"`
	Relay string `json:"relay"`
	// Drafts are those of the columns, newest first.
	Drafts []string `json:"drafts"`
	// Rows are in the order of clients, endpoints and transports, with their cases in the order of the run.
	Rows []DraftRow `json:"rows"`
}

// DraftRow is one case of one client, at one endpoint over one transport.
type DraftRow struct {
	Client    string `json:"client"`
	Endpoint  string `json:"endpoint"`
	Transport string `json:"transport"`
	// Case is empty for cells that have no cases.
	Case string `json:"case,omitempty"`
	// States has one state for each draft, nil where the run has none.
	States []*State `json:"states"`
	// Differs is true when the case did not end alike on all drafts that it applies to.
	Differs bool `json:"differs"`
}

// DraftTables are the tables of several relays.
type DraftTables []*DraftTable

// ByDraft makes a table for each of the named relays, or for every relay of the run when none is named. When the run
// has no such relay, the error says so and lists those it has.
func ByDraft(run *matrix.Run, relays ...string) (DraftTables, error) {
	v := newView(run, nil)
	if len(relays) == 0 {
		relays = v.relays
	}
	tables := DraftTables{}
	for _, relay := range relays {
		if !slices.Contains(v.relays, relay) {
			return nil, fmt.Errorf("report: run %s has no relay %q; it has %s", run.ID, relay,
				strings.Join(v.relays, ", "))
		}
		tables = append(tables, v.byDraft(relay))
	}
	return tables, nil
}

func (v *view) byDraft(relay string) *DraftTable {
	type way struct{ client, endpoint, transport string }
	cells := make(map[way]map[string]*matrix.CellResult)
	var ways []way
	t := &DraftTable{Run: v.run.ID, Relay: relay, Rows: []DraftRow{}}
	for i := range v.cells {
		c := &v.cells[i]
		if c.Relay != relay {
			continue
		}
		w := way{c.Client, c.Endpoint, c.Transport}
		if cells[w] == nil {
			cells[w] = make(map[string]*matrix.CellResult)
			ways = append(ways, w)
		}
		if other := cells[w][c.draft]; other == nil || worse(c.Status, other.Status) {
			cells[w][c.draft] = c.CellResult
		}
		if !slices.Contains(t.Drafts, c.draft) {
			t.Drafts = append(t.Drafts, c.draft)
		}
	}
	slices.SortFunc(t.Drafts, func(a, b string) int {
		return cmp.Compare(slices.Index(v.drafts, a),
			slices.Index(v.drafts, b))
	})
	slices.SortFunc(ways, func(a, b way) int {
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.endpoint, b.endpoint),
			cmp.Compare(a.transport, b.transport))
	})
	for _, w := range ways {
		for _, name := range caseNames(cells[w], t.Drafts) {
			row := DraftRow{Client: w.client, Endpoint: w.endpoint, Transport: w.transport, Case: name}
			for _, d := range t.Drafts {
				row.States = append(row.States, stateOn(cells[w][d], name))
			}
			row.Differs = differ(row.States)
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// caseNames gives the cases of all drafts' cells, in the order of the newest draft.
func caseNames(cells map[string]*matrix.CellResult, drafts []string) []string {
	var names []string
	seen := make(map[string]bool)
	for _, d := range drafts {
		if c := cells[d]; c != nil {
			for i := range c.Cases {
				if name := c.Cases[i].Name; !seen[name] {
					seen[name] = true
					names = append(names, name)
				}
			}
		}
	}
	if len(names) == 0 {
		return []string{""}
	}
	return names
}

// stateOn gives the state of a case in a cell, also when the case does not apply.
func stateOn(c *matrix.CellResult, name string) *State {
	if c != nil && c.Status == matrix.Stale {
		return &State{Status: c.Status, Reason: "no result since " + c.StaleFrom}
	}
	cases := byName(c)
	if k := cases[name]; k != nil && k.Status == matrix.NotApplicable {
		return &State{Status: k.Status, Reason: reasonOf(k)}
	}
	return stateIn(c, cases, name)
}

func differ(states []*State) bool {
	var first *State
	for _, s := range states {
		switch {
		case s == nil || s.Status == matrix.NotApplicable:
		case first == nil:
			first = s
		case s.Status != first.Status || s.Layer != first.Layer || same(s.Reason) != same(first.Reason):
			return true
		}
	}
	return false
}

// WriteText writes the table for a terminal. A star marks rows in which the drafts differ; a legend below explains the
// signs.
func (t *DraftTable) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in run %s\n", line(t.Relay), line(t.Run))
	wide := 0
	for _, r := range t.Rows {
		wide = max(wide, 4+utf8.RuneCountInString(r.name()), utf8.RuneCountInString(r.way()))
	}
	last := ""
	for _, r := range t.Rows {
		if r.way() != last {
			last = r.way()
			heads := make([]string, len(t.Drafts))
			for i, d := range t.Drafts {
				heads[i] = strings.TrimPrefix(line(d), "draft-")
			}
			b.WriteString("\n" + columns(last, wide+2, heads))
		}
		star := "  "
		if r.Differs {
			star = "* "
		}
		signs := make([]string, len(r.States))
		for i, s := range r.States {
			signs[i] = signOf(s)
		}
		b.WriteString(columns("  "+star+r.name(), wide+2, signs))
	}
	fmt.Fprintf(&b, "\n%s\n", t.legend())
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *DraftRow) name() string { return cmp.Or(line(r.Case), wholeCell) }
func (r *DraftRow) way() string  { return line(r.Client + " · " + r.Endpoint + " · " + r.Transport) }

// legend explains the signs that the table has.
func (t *DraftTable) legend() string {
	used := make(map[matrix.Status]bool)
	parts := []string{"* drafts differ"}
	for _, r := range t.Rows {
		for _, s := range r.States {
			if s != nil {
				used[s.Status] = true
			}
		}
	}
	for _, s := range matrix.Statuses {
		if used[s] {
			parts = append(parts, markOf(s).Symbol+" "+markOf(s).Word)
		}
	}
	return strings.Join(parts, "   ")
}

func signOf(s *State) string {
	if s == nil {
		return ""
	}
	text := markOf(s.Status).Symbol
	if s.Layer != "" && s.Status != matrix.Pass {
		text += " " + layerOf(s.Layer).short
	}
	return line(text)
}

// columns makes a line of a first column that is wide characters wide, and the other columns.
func columns(first string, wide int, rest []string) string {
	text := pad(first, wide)
	for _, r := range rest {
		text += pad(r, 9)
	}
	return strings.TrimRight(text, " ") + "\n"
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s))) }

// WriteMarkdown writes the table in GitHub's dialect; rows in which the drafts differ are bold.
func (t *DraftTable) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s by draft\n\nRun **%s**.\n\n| Client | Case |", markdown(t.Relay), markdown(t.Run))
	for _, d := range t.Drafts {
		b.WriteString(" " + markdown(strings.TrimPrefix(d, "draft-")) + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(t.Drafts)) + "\n")
	for _, r := range t.Rows {
		name := markdown(r.name())
		if r.Differs {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&b, "| %s | %s |", markdown(r.way()), name)
		for _, s := range r.States {
			if s != nil {
				b.WriteString(" " + markOf(s.Status).emoji)
				if s.Layer != "" && s.Status != matrix.Pass {
					b.WriteString(" " + markdown(layerOf(s.Layer).short))
				}
			}
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteText writes the tables for a terminal; see DraftTable.WriteText.
func (ts DraftTables) WriteText(w io.Writer) error {
	for i, t := range ts {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := t.WriteText(w); err != nil {
			return err
		}
	}
	return nil
}

// WriteMarkdown writes the tables in GitHub's dialect.
func (ts DraftTables) WriteMarkdown(w io.Writer) error {
	for _, t := range ts {
		if err := t.WriteMarkdown(w); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes the tables as a list.
func (ts DraftTables) WriteJSON(w io.Writer) error { return writeJSON(w, ts) }

// ExitCode is always 0: a difference between drafts is no regression.
func (ts DraftTables) ExitCode() int { return 0 }
