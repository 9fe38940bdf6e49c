package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// text gives what a function writes.
func text(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMarkdown(t *testing.T) {
	run, o := hand(2), Options{History: []*matrix.Run{hand(1)}}
	got := text(t, func(w io.Writer) error { return WriteMarkdown(w, run, o) })
	// The numbers of rules change with the table of rules; TestRulesInAllForms looks at them.
	before, rest, _ := strings.Cut(got, "## Rules of the drafts\n")
	_, after, found := strings.Cut(rest, "## Failures by cause")
	if !found {
		t.Fatal(got)
	}
	golden(t, "summary.md", before+"## Failures by cause"+after)
}

func TestJUnit(t *testing.T) {
	got := text(t, func(w io.Writer) error { return WriteJUnit(w, hand(2)) })
	golden(t, "junit.xml", got)
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Cases []struct {
				Failure, Error, Skipped *struct{}
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(strings.NewReplacer("<failure", "<Failure", "</failure", "</Failure", "<error ",
		"<Error ", "<skipped", "<Skipped").Replace(got)), &suites); err != nil {
		t.Fatal(err)
	}
	var n, failures, errs, skipped int
	for _, s := range suites.Suites {
		for _, k := range s.Cases {
			n++
			failures, errs, skipped = failures+there(k.Failure), errs+there(k.Error), skipped+there(k.Skipped)
		}
	}
	if n != suites.Tests || failures != suites.Failures || errs != suites.Errors || skipped != suites.Skipped ||
		failures*errs*skipped == 0 {
		t.Errorf("%d cases, %d failures, %d errors, %d skipped; it says %+v", n, failures, errs, skipped, suites)
	}
}

func there(p *struct{}) int { return zeroOne(p != nil) }

func TestBadges(t *testing.T) {
	dir := t.TempDir()
	if err := WriteBadges(dir, hand(2)); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(e.Name() + " " + string(text))
	}
	golden(t, "badges.txt", b.String())
}

func TestBadgesOfNamesThatAreAlike(t *testing.T) {
	run := hand(1)
	run.Cells[0].Relay, run.Cells[1].Relay, run.Cells[2].Relay = "../A b", "..-a B", "///"
	dir := t.TempDir()
	if err := WriteBadges(dir, run); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"relay-a-b.json", "relay-a-b-2.json", "relay-unnamed.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestBadgeColour(t *testing.T) {
	for _, c := range []struct {
		pass, of int
		want     string
	}{{0, 0, "lightgrey"}, {0, 3, "red"}, {1, 3, "orange"}, {3, 4, "yellow"}, {999, 1000, "yellow"},
		{4, 4, "brightgreen"}} {
		if b := badgeOf("x", sum{pass: c.pass, of: c.of}); b.Color != c.want {
			t.Errorf("%d of %d: %s, want %s", c.pass, c.of, b.Color, c.want)
		}
	}
	if b := badgeOf("x", sum{of: 2, status: matrix.Skip}); b.Color != "lightgrey" || b.Message != "skipped" ||
		b.IsError {
		t.Errorf("nothing but skipped: %+v", b)
	}
}

func TestCompareForms(t *testing.T) {
	c := Compare(hand(1), hand(2), CompareOptions{})
	golden(t, "compare.txt", text(t, c.WriteText))
	golden(t, "compare.md", text(t, c.WriteMarkdown))
	golden(t, "compare.json", text(t, c.WriteJSON))
	d, err := CompareDrafts(hand(1), "draft-16", "draft-18", CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "compare-drafts.txt", text(t, d.WriteText))
	if _, err := CompareDrafts(hand(1), "draft-16", "draft-17", CompareOptions{}); err == nil ||
		!strings.Contains(err.Error(), "no cell of draft-17; it has draft-16, draft-18") {
		t.Errorf("a draft that is not there: %v", err)
	}
}

func TestByDraftForms(t *testing.T) {
	table, err := ByDraft(hand(2), "embedded")
	if err != nil {
		t.Fatal(err)
	}
	if all, err := ByDraft(hand(2)); err != nil || len(all) != 3 || all[2].Relay != "moqx" ||
		!strings.Contains(text(t, all.WriteText), "\n\nmoqx in run") {
		t.Errorf("all relays: %v %+v", err, all)
	}
	golden(t, "bydraft.txt", text(t, table.WriteText))
	golden(t, "bydraft.md", text(t, table.WriteMarkdown))
	golden(t, "bydraft.json", text(t, table.WriteJSON))
	if _, err := ByDraft(hand(2), "nobody"); err == nil ||
		!strings.Contains(err.Error(), `no relay "nobody"; it has embedded, moqtail, moqx`) {
		t.Errorf("a relay that is not there: %v", err)
	}
}
