package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// failures are the failures of one relay that have the same cause, as far as can be seen: the same layer and the same
// words.
type failures struct {
	Relay  string
	Status matrix.Status
	Layer  string
	// Text, Expected and Received are those of the first failure. Expected and Received are empty where Text has both.
	Text, Expected, Received string
	// Known is the reason given for an expected failure.
	Known string
	// Count is the number of cases, or of cells that have none.
	Count int
	// Cell is the id of the first cell.
	Cell                               string
	Cases, Clients, Drafts, Transports []string
	cases, clients, drafts, transports map[string]int
}

// failing groups everything that failed, was flaky or could not be judged; what fails most comes first, expected
// failures last.
func (v *view) failing() []*failures {
	type key struct {
		relay, status, layer, text string
		known                      bool
	}
	groups := make(map[key]*failures)
	var list []*failures
	texts := make(map[string]string) // most texts come many times
	alike := func(text string) string {
		t, ok := texts[text]
		if !ok {
			t = same(text)
			texts[text] = t
		}
		return t
	}
	note := func(c *shown, k *matrix.CaseResult, status matrix.Status, layer, text string) {
		if c.Status == matrix.Missing {
			text = "" // why a run ended is one cause, whatever the cell says
		}
		id := key{c.Relay, string(status), layer, alike(text), k.Known != ""}
		g := groups[id]
		if g == nil {
			g = &failures{
				Relay: c.Relay, Status: status, Layer: layer, Text: line(cmp.Or(text, c.Reason)), Known: line(k.Known),
				Cell:  c.ID,
				cases: map[string]int{}, clients: map[string]int{}, drafts: map[string]int{},
				transports: map[string]int{},
			}
			if !told(k) {
				g.Expected, g.Received = line(k.Expected), line(k.Received)
			}
			groups[id] = g
			list = append(list, g)
		}
		g.Count++
		g.clients[c.Client], g.drafts[c.draft], g.transports[c.Transport] = 0, 0, 0
		if k.Name != "" {
			g.cases[k.Name] = 0
		}
	}
	for i := range v.cells {
		c := &v.cells[i]
		if c.Status == matrix.Stale {
			continue
		}
		found := false
		for j := range c.Cases {
			if k := &c.Cases[j]; bad(k.Status) {
				note(c, k, k.Status, k.Layer, reasonOf(k))
				found = true
			}
		}
		if bad(c.Status) && (!found || c.Status == matrix.Error && c.Blamed()) {
			note(c, &matrix.CaseResult{Known: c.Known}, c.Status, c.Layer, c.Reason)
		}
	}
	for _, g := range list {
		g.Cases, g.Clients, g.Drafts, g.Transports = number(g.cases), number(g.clients), number(g.drafts),
			number(g.transports)
		slices.Reverse(g.Drafts)
	}
	slices.SortStableFunc(list, func(a, b *failures) int {
		return cmp.Or(cmp.Compare(zeroOne(a.Known != ""), zeroOne(b.Known != "")),
			cmp.Compare(rank[a.Status], rank[b.Status]), -cmp.Compare(a.Count, b.Count),
			cmp.Compare(a.Relay, b.Relay), cmp.Compare(a.Text, b.Text))
	})
	return list
}

// told reports whether a case's message already says what was expected and what was received, as most messages do.
func told(k *matrix.CaseResult) bool {
	return strings.Contains(k.Message, k.Expected) && strings.Contains(k.Message, k.Received)
}

func zeroOne(b bool) int {
	if b {
		return 1
	}
	return 0
}

// reasons counts why combinations were left out of the plan, most frequent first.
type reason struct {
	Text  string
	Count int
	// Example is one of the combinations.
	Example matrix.LeftOut
}

func leftOut(list []matrix.LeftOut) []reason {
	at := make(map[string]int)
	var out []reason
	for _, l := range list {
		i, ok := at[same(l.Reason)]
		if !ok {
			i = len(out)
			at[same(l.Reason)] = i
			out = append(out, reason{Text: line(l.Reason), Example: l})
		}
		out[i].Count++
	}
	slices.SortStableFunc(out, func(a, b reason) int { return -cmp.Compare(a.Count, b.Count) })
	return out
}
