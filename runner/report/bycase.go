package report

import (
	"slices"
	"strconv"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// mostCaseSlots bounds the table of cases and relays: a page stays small whatever the run holds.
const mostCaseSlots = 6000

// caseRow is a case: how it went with each relay, over all clients, drafts and transports.
type caseRow struct {
	Name  string
	Slots []slot
	Total string
}

// ruleRow is a rule that a case which failed rests on.
type ruleRow struct {
	ID, Text string
	// Cases judge it; Broken are the relays with which one of them failed, Holds counts those with which all passed.
	Cases, Broken []string
	Holds         int
}

// met is how a case went with a relay.
type met struct {
	pass, of int
	worst    matrix.Status
	layer    string
}

// byCase sums up each case with each relay; the index of a relay is that of v.relays.
func (v *view) byCase() (names []string, all map[string][]met) {
	all = make(map[string][]met)
	at := make(map[string]int, len(v.relays))
	for i, r := range v.relays {
		at[r] = i
	}
	for i := range v.cells {
		c := &v.cells[i]
		if c.Status == matrix.Stale {
			continue
		}
		for j := range c.Cases {
			k := &c.Cases[j]
			if k.Status == matrix.NotApplicable {
				continue
			}
			row := all[k.Name]
			if row == nil {
				row = make([]met, len(v.relays))
				all[k.Name] = row
				names = append(names, k.Name)
			}
			m := &row[at[c.Relay]]
			if m.of++; k.Status == matrix.Pass {
				m.pass++
			}
			if m.worst == "" || worse(k.Status, m.worst) {
				m.worst, m.layer = k.Status, k.Layer
			}
		}
	}
	order := make(map[string]int)
	for i, c := range cases.All() {
		order[c.ID] = i + 1
	}
	slices.SortStableFunc(names, func(a, b string) int {
		if order[a] == 0 || order[b] == 0 {
			return order[b] - order[a] // a client's own come last
		}
		return order[a] - order[b]
	})
	return names, all
}

// caseViews fills in the views by case and by rule.
func (v *view) caseViews(p *page) {
	names, all := v.byCase()
	p.BrokenRules = v.byRule(names, all)
	if len(names)*len(v.relays) > mostCaseSlots {
		p.MoreCases = len(names)
		return
	}
	for _, name := range names {
		row := caseRow{Name: line(name)}
		pass, of := 0, 0
		for _, m := range all[name] {
			pass, of = pass+m.pass, of+m.of
			row.Slots = append(row.Slots, m.slot())
		}
		row.Total = strconv.Itoa(pass) + "/" + strconv.Itoa(of)
		p.Cases = append(p.Cases, row)
	}
}

// slot shows how a case went with a relay.
func (m met) slot() slot {
	if m.of == 0 {
		return slot{}
	}
	s := slotOf(sum{status: m.worst, layer: m.layer})
	if m.pass < m.of && m.of > 1 {
		s.Count = strconv.Itoa(m.pass) + "/" + strconv.Itoa(m.of)
	}
	return s
}

// byRule gives the rules of the cases that failed, those that most relays break first.
func (v *view) byRule(names []string, all map[string][]met) (list []ruleRow) {
	of := make(map[rules.ID][]string)
	var ids []rules.ID
	for _, name := range names {
		c, ok := cases.Find(name)
		if !ok {
			continue
		}
		for _, id := range c.Rules {
			if of[id] == nil {
				ids = append(ids, id)
			}
			of[id] = append(of[id], name)
		}
	}
	for _, id := range ids {
		rule, ok := rules.Find(id)
		if !ok {
			continue
		}
		row := ruleRow{ID: string(id), Text: rule.Says, Cases: of[id]}
		for i, relay := range v.relays {
			broken, seen := false, 0
			for _, name := range of[id] {
				m := all[name][i]
				seen += m.of
				broken = broken || m.of > 0 && (m.worst == matrix.Fail || m.worst == matrix.Flaky ||
					m.worst == matrix.Todo)
			}
			if broken {
				row.Broken = append(row.Broken, line(relay))
			} else if seen > 0 {
				row.Holds++
			}
		}
		if len(row.Broken) > 0 {
			list = append(list, row)
		}
	}
	slices.SortStableFunc(list, func(a, b ruleRow) int { return len(b.Broken) - len(a.Broken) })
	return list
}
