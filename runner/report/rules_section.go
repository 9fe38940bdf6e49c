package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// sectionRules are the rules of one section of a draft, with what was seen of them.
type sectionRules struct {
	// Section is the number of the whole section: "10" for §10.7.
	Section                string
	Kept, Broken, NotTried int
	Rules                  []RuleFound
}

// BySection groups the rules by the section in which the draft has them first; those that were broken come first.
func (d DraftRules) BySection() []sectionRules {
	at := make(map[string]int)
	var list []sectionRules
	for _, r := range d.Rules {
		name := r.section()
		i, ok := at[name]
		if !ok {
			i = len(list)
			at[name] = i
			list = append(list, sectionRules{Section: name})
		}
		s := &list[i]
		s.Rules = append(s.Rules, r)
		switch r.State {
		case RuleBroken:
			s.Broken++
		case Kept:
			s.Kept++
		default:
			s.NotTried++
		}
	}
	slices.SortFunc(list, func(a, b sectionRules) int { return inText(a.Section, b.Section) })
	return list
}

// section is the number of the whole section that has the rule.
func (r RuleFound) section() string {
	first, _, _ := strings.Cut(r.Sections, ",")
	whole, _, _ := strings.Cut(strings.TrimPrefix(first, "§"), ".")
	return whole
}

// inText compares sections by where they stand: §9 before §10, appendices last.
func inText(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		n, errN := strconv.Atoi(x[i])
		m, errM := strconv.Atoi(y[i])
		switch {
		case errN == nil && errM == nil && n != m:
			return n - m
		case (errN == nil) != (errM == nil):
			return cmp.Compare(zeroOne(errN != nil), zeroOne(errM != nil))
		case x[i] != y[i]:
			return cmp.Compare(x[i], y[i])
		}
	}
	return len(x) - len(y)
}

// ruleCompared is a rule of a draft with what was seen of it at each relay.
type ruleCompared struct {
	RuleFound
	// States are in the order of the relays; empty where a relay was not asked on this draft.
	States []RuleState
	Broken int
}

// draftCompared puts the relays of a run side by side, rule by rule.
type draftCompared struct {
	Draft  string
	Relays []RelayRules
	// Differ are the rules that some relays keep and some break, Broken those that nobody keeps and somebody breaks;
	// Alike are the others.
	Differ, Broken, Alike []ruleCompared
}

// compareRules makes the comparison of each draft on which a relay was asked.
func compareRules(relays []RelayRules, drafts []string) (list []draftCompared) {
	for _, draft := range drafts {
		c := draftCompared{Draft: draft}
		var all [][]RuleFound
		for _, r := range relays {
			for _, d := range r.Drafts {
				if d.Draft == draft {
					c.Relays, all = append(c.Relays, r), append(all, d.Rules)
				}
			}
		}
		if len(all) == 0 {
			continue
		}
		at := make(map[string]int)
		var rows []ruleCompared
		for _, f := range all[0] { // each relay has every rule of the draft
			at[string(f.ID)] = len(rows)
			rows = append(rows, ruleCompared{RuleFound: f, States: make([]RuleState, len(all))})
		}
		for i, found := range all {
			for _, f := range found {
				row := &rows[at[string(f.ID)]]
				if row.States[i] = f.State; f.State == RuleBroken {
					row.Broken++
				}
			}
		}
		slices.SortStableFunc(rows, func(a, b ruleCompared) int {
			return inText(strings.TrimLeft(a.Sections, "§"), strings.TrimLeft(b.Sections, "§"))
		})
		for _, row := range rows {
			switch kept := slices.Contains(row.States, Kept); {
			case row.Broken > 0 && kept:
				c.Differ = append(c.Differ, row)
			case row.Broken > 0:
				c.Broken = append(c.Broken, row)
			default:
				c.Alike = append(c.Alike, row)
			}
		}
		list = append(list, c)
	}
	return list
}

// Groups are the tables of the page.
func (c draftCompared) Groups() []ruleGroup {
	return []ruleGroup{
		{"Relays differ", "some keep it, some break it", c.Differ, true},
		{"Nobody keeps it", "some break it, the others were not tried", c.Broken, true},
		{"Nobody breaks it", "all that were tried keep it", c.Alike, false},
	}
}

// ruleGroup is a table of the page that compares relays.
type ruleGroup struct {
	Name, Means string
	Rules       []ruleCompared
	Open        bool
}

// ruleMark is how a state is shown: never by colour alone.
func ruleMark(s RuleState) mark {
	switch s {
	case Kept:
		return mark{Class: "p", Symbol: "✓", Word: "kept"}
	case RuleBroken:
		return mark{Class: "f3", Symbol: "✗", Word: "broken"}
	}
	return mark{Class: "m", Symbol: "?", Word: "not tried"}
}
