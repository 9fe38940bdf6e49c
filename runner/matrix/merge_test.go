package matrix

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner"
)

func TestMergeDirs(t *testing.T) {
	p := planOf(t, 4, []relays.Draft{"draft-14", "draft-16", "draft-18"}, nil, Builtin())
	mixed := fake(func(_ context.Context, r Request, c cases.Case) runner.Result {
		if r.Cell.Relay == "relay01" && c.ID == "announce-only" {
			return runner.Result{Status: runner.Fail, Message: "no", Transcript: []string{"> X"},
				Sessions: passed(r).Sessions}
		}
		return passed(r)
	})
	root := t.TempDir()
	var dirs []string
	for i := range 3 {
		part, err := p.Part(Shard{i + 1, 3})
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, filepath.Join(root, "part"+string(rune('0'+i))))
		execute(t, part, Options{Dir: dirs[i], Builtin: mixed, Versions: map[string]string{"go": "1.26",
			"shard": string(rune('1' + i))}})
	}
	dirs[0], dirs[2] = dirs[2], dirs[0] // the order does not matter
	whole := execute(t, p, Options{Builtin: mixed})
	dir := filepath.Join(root, "all")
	x := &Expectations{Name: "known", List: []Expectation{{Relay: "relay01", Case: "announce-only", Reason: "#1"}}}
	got, err := MergeDirs(dir, x, dirs...)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, valid(t, dir)); d != "" {
		t.Errorf("run.json is another run (-returned +written):\n%s", d)
	}
	if got.ID != "all" || got.Versions["go"] != "1.26" || len(got.Versions["shard"]) != len("1, 2, 3") ||
		len(got.Merged) != 3 || got.Plan.Shard != nil {
		t.Errorf("%+v", got)
	}
	for i := range whole.Cells {
		x.Mark(&whole.Cells[i])
	}
	if d := cmp.Diff(whole.Cells, got.Cells, shape); d != "" {
		t.Errorf("cells (-whole +merged):\n%s", d)
	}
	if d := cmp.Diff(whole.LeftOut, got.LeftOut, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("left out (-whole +merged):\n%s", d)
	}
	for _, c := range got.Cells {
		for _, f := range []string{c.Files.TAP, c.Files.Transcript} {
			if f == "" {
				continue
			}
			if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
				t.Error(err)
			}
		}
	}
	if j := Judge(got, x); !j.Pass || j.Known != 3 {
		t.Errorf("%+v", j)
	}
	if _, err := MergeDirs(dir, nil, dirs...); err == nil || !strings.Contains(err.Error(), "a run already") {
		t.Errorf("overwritten: %v", err)
	}
	if _, err := MergeDirs(filepath.Join(root, "more"), nil, filepath.Join(root, "nobody")); err == nil {
		t.Error("merged what is not there")
	}
}

// partsOf gives runs of all shards, made up.
func partsOf(t *testing.T, p *Plan, n int) []*Run {
	t.Helper()
	var parts []*Run
	for i := 1; i <= n; i++ {
		part, err := p.Part(Shard{i, n})
		if err != nil {
			t.Fatal(err)
		}
		r := &Run{Format: Format, ID: "run" + string(rune('0'+i)), Plan: part.ref()}
		for _, c := range part.Cells {
			r.Cells = append(r.Cells, CellResult{Cell: c, Status: Pass})
		}
		parts = append(parts, r)
	}
	return parts
}

func TestMergeRefuses(t *testing.T) {
	p := planOf(t, 3, []relays.Draft{"draft-16", "draft-18"}, nil, Builtin())
	q := planOf(t, 4, []relays.Draft{"draft-16", "draft-18"}, nil, Builtin())
	three := partsOf(t, p, 3)
	for name, test := range map[string]struct {
		parts func() []*Run
		want  string
	}{
		"nothing":         {func() []*Run { return nil }, "no runs"},
		"a gap":           {func() []*Run { return []*Run{three[0], three[2]} }, "no run of shard 2/3"},
		"two gaps":        {func() []*Run { return three[1:2] }, "no run of shard 1/3, 3/3"},
		"a shard twice":   {func() []*Run { return append(three[:3:3], three[1]) }, "run2 and run2 are both shard 2/3"},
		"other plans":     {func() []*Run { return []*Run{three[0], partsOf(t, q, 3)[1], three[2]} }, "is of plan"},
		"other divisions": {func() []*Run { return []*Run{three[0], partsOf(t, p, 2)[1], three[2]} }, "shard 2/2"},
		"a whole run": {func() []*Run {
			w := *three[0]
			w.Plan.Shard = nil
			return []*Run{three[1], &w}
		}, "is no shard"},
		"a cell less": {func() []*Run {
			w := *three[0]
			w.Cells = w.Cells[1:]
			return []*Run{&w, three[1], three[2]}
		}, "a part was changed or cut"},
		"a cell of another shard": {func() []*Run {
			w := *three[0]
			w.Cells = append(w.Cells[:len(w.Cells):len(w.Cells)], three[1].Cells[0])
			return []*Run{&w, three[1], three[2]}
		}, "is in run1 and in run2"},
		"a cell changed": {func() []*Run {
			w := *three[0]
			w.Cells = append([]CellResult{}, w.Cells...)
			w.Cells[0].Predicted = "draft-22"
			return []*Run{&w, three[1], three[2]}
		}, "a part was changed or cut"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Merge("all", test.parts()...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
	got, err := Merge("all", three[2], three[0], three[1])
	if err != nil || len(got.Cells) != 6 {
		t.Errorf("%v %+v", err, got)
	}
}

func TestFillStale(t *testing.T) {
	code := 0
	cell := func(id string, s Status) CellResult {
		return CellResult{Cell: Cell{ID: id}, Status: s, Reason: id, ExitCode: &code, Files: Files{TAP: "x"}}
	}
	old := &Run{ID: "monday", Cells: []CellResult{cell("a", Fail), cell("b", Pass), cell("c", Missing),
		cell("d", Stale)}}
	old.Cells[3].StaleFrom = "sunday"
	now := &Run{ID: "tuesday", Cells: []CellResult{cell("a", Pass), cell("b", Missing), cell("c", Missing),
		cell("d", Missing), cell("e", Missing)}}
	FillStale(now, old)
	var got []string
	for _, c := range now.Cells {
		b, _ := json.Marshal(c.Files)
		got = append(got, c.ID+" "+string(c.Status)+" "+c.StaleFrom+" "+string(b))
	}
	want := []string{`a pass  {"tap":"x"}`, `b stale monday {}`, `c missing  {"tap":"x"}`, `d stale sunday {}`,
		`e missing  {"tap":"x"}`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
