package runner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/printable"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// treeForm prints the results of one run as a tree, once all are there: section of the draft, rule, verdicts. Totals of
// the sections follow, then the failures as in the short form.
type treeForm struct {
	*shortForm
	plan, came int
	sections   map[string]*section
	outside    int // results of rules that the draft does not have
}

// section is one section of the draft, with the rules that it has in the order of their first result.
type section struct {
	rules  []rules.ID
	lines  map[rules.ID][]string
	counts [4]int
}

// The columns of a section's totals.
const (
	countOK = iota
	countBroken
	countShould
	countSkipped
)

func newTree(o *Options) *treeForm {
	return &treeForm{shortForm: newShort(o), plan: len(o.Cases), sections: map[string]*section{}}
}

func (t *treeForm) result(c cases.Case, r Result) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	first, _ := r.established()
	t.headerLocked(first)
	if t.came++; t.Width > 0 {
		t.print("\r%d of %d", t.came, t.plan)
	}
	word, color, count := "ok", green, countOK
	switch r.Status {
	case Pass:
	case Todo:
		word, color, count = "SHOULD", yellow, countShould
	case Skip, NotApplicable:
		word, color, count = "skip", yellow, countSkipped
	default:
		word, color, count = "NOT OK", red, countBroken
	}
	if r.Status == Fail || r.Status == Todo {
		t.broken = append(t.broken, r)
	}
	number, rule := placeOf(c, r)
	if number == "" {
		t.outside++
		return t.err
	}
	s := t.sections[number]
	if s == nil {
		s = &section{lines: map[rules.ID][]string{}}
		t.sections[number] = s
	}
	if !slices.Contains(s.rules, rule) {
		s.rules = append(s.rules, rule)
	}
	line := c.Title
	if count == countSkipped {
		line += " (" + printable.OneLine(r.Reason) + ")"
	}
	s.lines[rule] = append(s.lines[rule], t.paint(color, fmt.Sprintf("%-6s", word))+"  "+t.cut(line, 14))
	s.counts[count]++
	return t.err
}

// placeOf is the section where the negotiated draft has the first rule of a case, and that rule; "" for a case that is
// not of the draft.
func placeOf(c cases.Case, r Result) (number string, rule rules.ID) {
	draft, _, ok := strings.Cut(strings.TrimPrefix(r.Sections, "draft-"), " ")
	d, err := strconv.Atoi(draft)
	if !ok || err != nil {
		return "", ""
	}
	for _, id := range c.Rules {
		if rule, _ := rules.Find(id); len(rule.Sections(d)) > 0 {
			return rule.Sections(d)[0], id
		}
	}
	return "", ""
}

// cut shortens a line to the terminal's width less what stands before it.
func (s *shortForm) cut(line string, before int) string {
	if room := s.Width - before; s.Width > 0 && room > 20 && len([]rune(line)) > room {
		return string([]rune(line)[:room-1]) + "…"
	}
	return line
}

// tree prints what has come.
func (t *treeForm) tree() {
	if t.Width > 0 && t.came > 0 {
		t.print("\r%s\r", strings.Repeat(" ", 20))
	}
	order := slices.SortedFunc(maps.Keys(t.sections), bySection)
	for _, number := range order {
		s := t.sections[number]
		t.print("%s\n", t.paint(bold, t.draft+" §"+number))
		for _, id := range s.rules {
			rule, _ := rules.Find(id)
			t.print("  %s\n", t.cut(string(id)+": "+rule.Says, 2))
			for _, line := range s.lines[id] {
				t.print("    %s\n", line)
			}
		}
		t.print("\n")
	}
	t.print("%-16s %6s %7s %7s %8s\n", "section", "ok", "not ok", "SHOULD", "skipped")
	for _, number := range order {
		n := t.sections[number].counts
		line := fmt.Sprintf("%-16s %6d %7d %7d %8d", "§"+number, n[countOK], n[countBroken], n[countShould],
			n[countSkipped])
		if n[countBroken] > 0 {
			line = t.paint(red, line)
		}
		t.print("%s\n", line)
	}
	if t.outside > 0 {
		t.print("%d cases are not of this draft.\n", t.outside)
	}
}

// bySection orders "9.5" before "10.2".
func bySection(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		m, _ := strconv.Atoi(x)
		n, _ := strconv.Atoi(y)
		return cmp.Compare(m, n)
	})
}

func (t *treeForm) bail(reason string) error {
	t.mu.Lock()
	t.headerLocked(Session{})
	t.tree()
	t.mu.Unlock()
	return t.shortForm.bail(reason)
}

func (t *treeForm) close(r *Report) error {
	t.mu.Lock()
	t.headerLocked(Session{})
	t.tree()
	t.mu.Unlock()
	return t.shortForm.close(r)
}
