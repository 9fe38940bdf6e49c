package report

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// A relay's rules stand by section, in the order of the text, with what was broken first; none is lost.
func TestRulesBySection(t *testing.T) {
	d := Rules(judgedRun(
		matrix.CaseResult{Name: "namespace-overlap", Status: matrix.Fail, Layer: "request", Sections: "draft-18 §10"},
		matrix.CaseResult{Name: "subscribe-error", Status: matrix.Pass}))[0].Drafts[0]
	var names []string
	kept, broken, tried, n := 0, 0, 0, 0
	for _, s := range d.BySection() {
		names = append(names, s.Section)
		kept, broken, tried, n = kept+s.Kept, broken+s.Broken, tried+s.NotTried, n+len(s.Rules)
		if s.Broken > 0 && s.Rules[0].State != RuleBroken {
			t.Errorf("§%s begins with %s", s.Section, s.Rules[0].State)
		}
	}
	if kept != d.Kept || broken != d.Broken || tried != d.NotTried || n != len(d.Rules) || broken == 0 {
		t.Errorf("%d kept, %d broken, %d not tried, %d in all of %d", kept, broken, tried, n, len(d.Rules))
	}
	if !slices.IsSortedFunc(names, inText) || !slices.Contains(names, "10") {
		t.Error(names)
	}
}

func TestOrderOfSections(t *testing.T) {
	want := []string{"2", "9.1", "9.1.2", "9.12", "10", "10.3", "A", "B.1"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, inText)
	if !slices.Equal(got, want) {
		t.Error(got)
	}
}

// Relays stand beside each other, rule by rule: those that they do differently come first.
func TestRelaysByRule(t *testing.T) {
	run := judgedRun(
		matrix.CaseResult{Name: "namespace-overlap", Status: matrix.Fail, Layer: "request", Sections: "draft-18 §10"},
		matrix.CaseResult{Name: "rendezvous-timeout", Status: matrix.Fail, Layer: "request", Sections: "draft-18 §10"})
	other := judgedRun(matrix.CaseResult{Name: "namespace-overlap", Status: matrix.Pass},
		matrix.CaseResult{Name: "rendezvous-timeout", Status: matrix.Skip}).Cells[0]
	other.ID, other.Relay = "2", "another"
	third := judgedRun(matrix.CaseResult{Name: "subscribe-error", Status: matrix.Pass}).Cells[0]
	third.ID, third.Relay, third.Label.Draft = "3", "third", "draft-16"
	run.Cells = append(run.Cells, other, third)

	list := compareRules(Rules(run), newView(run, nil).drafts)
	if len(list) != 2 || list[0].Draft != "draft-18" || len(list[0].Relays) != 2 || len(list[1].Relays) != 1 {
		t.Fatalf("%+v", list)
	}
	find := func(rows []ruleCompared, id string) []RuleState {
		for _, r := range rows {
			if string(r.ID) == id {
				return r.States
			}
		}
		return nil
	}
	c := list[0]
	if got := find(c.Differ, "prefix-overlap"); !slices.Equal(got, []RuleState{RuleBroken, Kept}) &&
		!slices.Equal(got, []RuleState{Kept, RuleBroken}) {
		t.Errorf("prefix-overlap: %v", got)
	}
	if got := find(c.Broken, "rendezvous"); !slices.Contains(got, NotTried) || !slices.Contains(got, RuleBroken) {
		t.Errorf("rendezvous: %v", got)
	}
	if got := find(c.Alike, "unknown-track"); len(got) != 2 {
		t.Errorf("unknown-track: %v", got)
	}

	dir := t.TempDir()
	if err := WriteHTML(dir, run, Options{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		HTMLFile:              {`<a href="rules/draft-18.html">`, `<a href="rules/draft-16.html">`},
		"rules/draft-18.html": {"Relays differ", `href="../rules/0-a-relay.html#draft-18"`, `title="broken">✗`},
		"rules/0-a-relay.html": {`id="draft-18-10"`, `<a href="#draft-18-10">§10</a>`, `href="draft-18.html"`,
			"✗ broken"},
	} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(b), w) {
				t.Errorf("%s does not have %q", name, w)
			}
		}
	}
}
