package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// judgedRun is a run of one relay on draft 18, with some cases.
func judgedRun(cases ...matrix.CaseResult) *matrix.Run {
	cell := matrix.CellResult{Status: matrix.Fail, Cases: cases}
	cell.ID, cell.Client, cell.Relay, cell.Transport = "1", "builtin", "a relay", "quic"
	cell.Label.Draft = "draft-18"
	return &matrix.Run{ID: "one", Started: time.Unix(0, 0), Cells: []matrix.CellResult{cell}}
}

// A rule is kept by the cases that pass, broken by those that fail in the session, and else not tried: a path that
// fails, a skip, and a client that does not say what it judges are no verdict.
func TestRules(t *testing.T) {
	const sections = "draft-18 §10.7"
	run := judgedRun(
		matrix.CaseResult{Name: "namespace-overlap", Status: matrix.Fail, Layer: "request", Sections: sections},
		matrix.CaseResult{Name: "subscribe-error", Status: matrix.Pass},
		matrix.CaseResult{Name: "goaway-twice", Status: matrix.Fail, Layer: "udp", Sections: sections},
		matrix.CaseResult{Name: "track-status", Status: matrix.Skip},
		matrix.CaseResult{Name: "rendezvous-timeout", Status: matrix.Todo, Sections: sections},
	)
	found := Rules(run)
	if len(found) != 1 || len(found[0].Drafts) != 1 || found[0].Drafts[0].Draft != "draft-18" {
		t.Fatalf("%+v", found)
	}
	d := found[0].Drafts[0]
	states := map[rules.ID]RuleState{}
	counts := map[RuleState]int{}
	for _, r := range d.Rules {
		states[r.ID] = r.State
		counts[r.State]++
	}
	for id, want := range map[rules.ID]RuleState{"prefix-overlap": RuleBroken, "unknown-track": Kept,
		"goaway-once": NotTried, "datagram-form": "", "resource-limit": "", "rendezvous": RuleBroken} {
		if states[id] != want {
			t.Errorf("%s is %q, want %q", id, states[id], want)
		}
	}
	if counts[Kept] != d.Kept || counts[RuleBroken] != d.Broken || counts[NotTried] != d.NotTried || d.Kept == 0 {
		t.Errorf("%d kept, %d broken, %d not tried; states %v", d.Kept, d.Broken, d.NotTried, counts)
	}
	other := judgedRun(matrix.CaseResult{Name: "datagram", Status: matrix.Pass})
	other.Cells[0].Client = "another"
	if got := Rules(other); len(got) != 0 {
		t.Errorf("a client that does not say what it judges counts: %v", got)
	}
}

// Every form shows the rules: JSON, the relay's page with links to those of its cases, and the summary.
func TestRulesInAllForms(t *testing.T) {
	run := judgedRun(matrix.CaseResult{Name: "namespace-overlap", Status: matrix.Fail, Layer: "request",
		Sections: "draft-18 §10.18"})
	dir := t.TempDir()
	stale := filepath.Join(dir, RulesFolder, "7-gone.html")
	if err := os.MkdirAll(filepath.Dir(stale), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stale, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, run, Options{}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		HTMLFile:                   `<a href="rules/0-a-relay.html">a relay</a><td class="num">0 ✓ <b>`,
		"rules/0-a-relay.html":     casePages + "namespace-overlap.md",
		MarkdownFile:               "| a relay | draft-18 | 0 | ",
		RulesFile:                  `"id": "prefix-overlap"`,
		"rules/0-a-relay.html#two": "<code>prefix-overlap</code>",
	} {
		name, _, _ := strings.Cut(file, "#")
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s does not have %q: %v", name, want, err)
		}
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("the page of a relay that is gone is still there")
	}
	var b bytes.Buffer
	var back struct{ Relays []RelayRules }
	if err := WriteRules(&b, run); err != nil || json.Unmarshal(b.Bytes(), &back) != nil || len(back.Relays) != 1 {
		t.Errorf("%v\n%s", err, b.Bytes())
	}
}
