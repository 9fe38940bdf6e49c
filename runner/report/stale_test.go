package report

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// TestWhatIsStaleIsNoResult: cells that were filled from an earlier run count as results of this run nowhere.
func TestWhatIsStaleIsNoResult(t *testing.T) {
	run := hand(2)
	matrix.FillStale(run, hand(1))
	const id = "aiomoqt/moqtail/local/draft-18/webtransport"
	filled := false
	for i := range run.Cells {
		filled = filled || run.Cells[i].ID == id && run.Cells[i].Status == matrix.Stale && len(run.Cells[i].Cases) > 0
	}
	if !filled {
		t.Fatal("nothing is stale")
	}
	want := Compare(hand(1), hand(2), CompareOptions{})
	if got := Compare(hand(1), run, CompareOptions{}); got.Count(Broken) != want.Count(Broken) ||
		got.Same != want.Same {
		t.Errorf("compared: %s; want %s", got.Summary(), want.Summary())
	}
	if got := Compare(run, hand(1), CompareOptions{}); got.Count(New) < 2 {
		t.Errorf("compared with a run that has results again: %s", got.Summary())
	}
	xml := text(t, func(w io.Writer) error { return WriteJUnit(w, run) })
	if !strings.Contains(xml, `<testcase classname="`+id+`" name="(cell)" time="0.000">`+"\n"+
		`      <error message="no result since nightly-11-20" type="stale"/>`) {
		t.Errorf("JUnit: %s", xml)
	}
	table, err := ByDraft(run, "moqtail")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table[0].Rows {
		if r.Client == "aiomoqt" && r.Transport == "webtransport" && r.States[0].Status != matrix.Stale {
			t.Errorf("by draft: %+v", r.States[0])
		}
	}
	dir := t.TempDir()
	if err := WriteHTML(dir, run, Options{Notices: []string{"expected to fail, and passed: x"}}); err != nil {
		t.Fatal(err)
	}
	page := content(t, filepath.Join(dir, HTMLFile))
	if rows := grid(t, page, "draft-18 · WebTransport"); rows[1][1] != "◷✓" || rows[1][3] != "0/1" {
		t.Errorf("the page: %q", rows)
	}
	if !strings.Contains(page, "expected to fail, and passed: x") {
		t.Error("the notice is not there")
	}
}

func TestAmounted(t *testing.T) {
	for _, c := range []struct {
		cases string
		want  matrix.Status
	}{
		{"", matrix.NotApplicable},
		{"not-applicable", matrix.NotApplicable},
		{"skip not-applicable", matrix.Skip},
		{"too-slow skip", matrix.TooSlow},
		{"skip too-slow todo", matrix.Todo},
		{"skip todo", matrix.Todo},
		{"todo skip", matrix.Todo},
		{"todo skip pass", matrix.Pass},
		{"pass todo skip", matrix.Pass},
		{"pass flaky pass", matrix.Flaky},
		{"missing flaky fail pass", matrix.Fail},
	} {
		var cases []matrix.CaseResult
		for _, s := range strings.Fields(c.cases) {
			cases = append(cases, matrix.CaseResult{Status: matrix.Status(s)})
		}
		if got := amounted(cases); got != c.want {
			t.Errorf("%s: %s, want %s", c.cases, got, c.want)
		}
	}
}
