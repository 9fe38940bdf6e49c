package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// The page says which relays pass a case, which rule a failure breaks, where the sources are, and counts a known
// failure once.
func TestViewsByCaseAndByRule(t *testing.T) {
	run := dayOf("a", "c", "one", matrix.Fail)
	run.Repositories = map[string]string{"r": "https://git.example/r", "other": "javascript:alert(1)"}
	run.Cells[0].Cases[1].Known = "issue 7"
	v := newView(run, nil)
	p := v.page(Options{})
	if len(p.Cases) != 2 || p.Cases[0].Name != "setup-only" || p.Cases[1].Total != "0/2" ||
		p.Cases[1].Slots[0].Count != "0/2" {
		t.Errorf("%+v", p.Cases)
	}
	if len(p.BrokenRules) == 0 || p.BrokenRules[0].Broken[0] != "r" || p.BrokenRules[0].Text == "" {
		t.Errorf("%+v", p.BrokenRules)
	}
	if p.Known != 1 || len(p.Counts) != 1 || p.Counts[0].N != 1 {
		t.Errorf("%d known, %+v", p.Known, p.Counts)
	}
	var b bytes.Buffer
	if err := WritePage(&b, run, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<a href="https://git.example/r">r</a>`, `data-case="fetch"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(b.String(), "javascript:") {
		t.Error("an address that is none")
	}
}

// results/latest leads to the latest run, and takes nobody's place.
func TestLatest(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"one", "two"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := Latest(filepath.Join(dir, name)); err != nil {
			t.Skipf("no links here: %v", err)
		}
		if to, err := os.Readlink(filepath.Join(dir, LatestName)); err != nil || to != name {
			t.Errorf("%s, %v", to, err)
		}
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, LatestName), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Latest(filepath.Join(other, "run")); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(filepath.Join(other, LatestName)); string(b) != "mine" {
		t.Error("a file of somebody's is gone")
	}
}
