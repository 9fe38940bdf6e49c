package report

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// save writes a run to its folder below dir, and gives that.
func save(t testing.TB, dir string, run *matrix.Run) string {
	t.Helper()
	text, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, run.ID+"/"+RunFile, string(text))
	return filepath.Join(dir, run.ID)
}

func TestLoad(t *testing.T) {
	for _, run := range []*matrix.Run{hand(1), hand(2), {Format: matrix.Format, ID: "empty"}} {
		dir := save(t, t.TempDir(), run)
		for _, path := range []string{dir, filepath.Join(dir, RunFile)} {
			got, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(run, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":           {"", "EOF"},
		"a list":            {"[]", "not a run: begins with ["},
		"another format":    {`{"format":2,"id":"x","cells":[]}`, "format 2; this program reads 1"},
		"no id":             {`{"format":1,"cells":[]}`, "it has no id"},
		"cells of no list":  {`{"format":1,"id":"x","cells":{}}`, "cells: not a list"},
		"a cell cut short":  {`{"format":1,"id":"x","cells":[{"id":"a"},{"id":`, "cell 1: "},
		"no end":            {`{"format":1,"id":"x","cells":[{"id":"a"}]`, "EOF"},
		"a time that is no": {`{"format":1,"id":"x","started":"yesterday","cells":[]}`, "yesterday"},
	} {
		dir := t.TempDir()
		write(t, dir, RunFile, c.text)
		_, err := Load(dir)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, want the path and %q", name, err, c.want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "nowhere")); err == nil ||
		!strings.Contains(err.Error(), "no run at") {
		t.Errorf("no file: %v", err)
	}
}

func TestLoadHistory(t *testing.T) {
	root := t.TempDir()
	s := shape{clients: 2, relays: 2, drafts: 2, cases: 4, full: true}
	var paths []string
	for _, day := range []int{3, 1, 2, 5, 4} { // 5 is later than the run, 4 is it
		s.day = day
		paths = append(paths, save(t, root, generate(t, s, "")))
	}
	s.day = 4
	current := generate(t, s, "")
	current.Cells[3].Status = matrix.Missing
	current.Cells[3].Cases = nil
	runs, err := LoadHistory(paths, current)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i, r := range runs {
		ids = append(ids, r.ID)
		for j, c := range r.Cells {
			if has := len(c.Cases) > 0; has != (i == 2 || j == 3) {
				t.Errorf("%s, cell %d: cases %v", r.ID, j, has)
			}
		}
		if c := r.Cells[3].Cases[0]; c.Sections == "" {
			t.Errorf("%s: the details of a cell that the run lacks are gone", r.ID)
		}
	}
	if diff := cmp.Diff([]string{"nightly-2026-11-02", "nightly-2026-11-03", "nightly-2026-11-04"}, ids); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// What is left says the same as whole runs do.
	s.day = 3
	whole := Compare(generate(t, s, ""), current, CompareOptions{})
	if diff := cmp.Diff(whole, Compare(runs[2], current, CompareOptions{})); diff != "" {
		t.Errorf("-whole +slim:\n%s", diff)
	}
	all, err := LoadHistory([]string{root}, current)
	if diff := cmp.Diff(runs, all); err != nil || diff != "" {
		t.Errorf("the folder of all runs: %v (-want +got):\n%s", err, diff)
	}
	if _, err := LoadHistory([]string{t.TempDir()}, current); err == nil {
		t.Error("no run, no error")
	}
}
