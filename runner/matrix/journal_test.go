package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/moqinterop/moq-interop-client/relays"
)

// shape is a result without what differs from time to time.
var shape = cmp.Options{
	cmpopts.IgnoreFields(CellResult{}, "Started", "DurationMS"),
	cmpopts.IgnoreFields(CaseResult{}, "DurationMS"),
	cmpopts.EquateEmpty(),
}

// A run of 200 cells, each a recorded document that a command replays, is killed at 20 random points and resumed. In
// the end it is what it would have been, no cell has run after its result was known, and in between all cores were
// busy.
func TestKilledAndResumed(t *testing.T) {
	root := t.TempDir()
	recorded, err := filepath.Glob("testdata/replay/*.tap")
	if err != nil || len(recorded) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	drafts := []relays.Draft{"draft-14", "draft-15", "draft-16", "draft-17", "draft-18", "draft-19", "draft-20",
		"draft-22"}
	docs := make(map[string]string)
	for i, d := range drafts {
		b, err := os.ReadFile(recorded[i%len(recorded)])
		if err != nil {
			t.Fatal(err)
		}
		docs[string(d)] = string(b)
		if err := os.WriteFile(filepath.Join(root, string(d)+".tap"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	replay := asClient("replay", "cat", root)
	if cat, err := exec.LookPath("cat"); err == nil { // cheaper than the test binary, above all with the race detector
		replay.Command = []string{cat}
	}
	replay.Command = append(replay.Command, filepath.Join(root, "{draft}.tap"))
	p := planOf(t, 25, drafts, nil, replay)
	if len(p.Cells) != 200 {
		t.Fatalf("%d cells", len(p.Cells))
	}
	if err := writeFile(filepath.Join(root, "plan.json"), p.WriteJSON); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "run")
	known := make(map[string]CellResult)
	check := func() { // what was known stays, and nothing stands there twice
		b, err := os.ReadFile(filepath.Join(dir, journalFile))
		if err != nil {
			return // before the beginning, or after the end
		}
		read, err := readJournal(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		now := make(map[string]CellResult)
		for _, r := range read.results {
			now[r.ID] = r
		}
		for id, r := range known {
			if d := cmp.Diff(r, now[id]); d != "" {
				t.Fatalf("%s is lost or changed (-before +after):\n%s", id, d)
			}
		}
		known = now
	}
	start := func() *exec.Cmd {
		cmd := exec.Command(self())
		cmd.Env = append(os.Environ(), roleName+"=execute:"+root)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	// finished holds the run against what it would have been, and says how long the cells since the last kill have
	// taken together.
	finished := func() (busy time.Duration) {
		run := valid(t, dir)
		if !run.Complete() || len(run.Cells) != len(p.Cells) {
			t.Errorf("%d cells, complete %v", len(run.Cells), run.Complete())
		}
		for _, r := range run.Cells {
			if k, ok := known[r.ID]; !ok {
				busy += time.Duration(r.DurationMS) * time.Millisecond
			} else if d := cmp.Diff(k, r); d != "" {
				t.Errorf("%s ran again (-before +after):\n%s", r.ID, d)
			}
			want := judge(r.Cell, outcomeOf(t, docs[r.Draft], 0), "")
			if r.Status != want.Status || r.Reason != want.Reason || !slices.Equal(brief(r.Cases), brief(want.Cases)) {
				t.Errorf("%s: %s %q %v, want %s %q %v", r.ID, r.Status, r.Reason, brief(r.Cases), want.Status,
					want.Reason, brief(want.Cases))
			}
			if _, err := os.Stat(filepath.Join(dir, r.Files.TAP)); err != nil || r.Files.TAP == "" {
				t.Errorf("%s: TAP in %q: %v", r.ID, r.Files.TAP, err)
			}
		}
		if run.Count(Pass) == 0 || run.Count(Fail) == 0 || run.Count(Error) != 0 {
			t.Errorf("%d passes, %d failures, %d errors", run.Count(Pass), run.Count(Fail), run.Count(Error))
		}
		return busy
	}
	for kills := 0; kills < 20; {
		cmd := start()
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		// Random points of the run, not of the clock: when so many more results are there, and a little later. What is
		// left is shared among the kills that are left, so that the run does not end before them.
		target := len(known) + rand.IntN(1+(len(p.Cells)-len(known))/(21-kills))
		for rows(filepath.Join(dir, journalFile)) < target && len(ended) == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		_ = cmd.Process.Kill() // it may have ended
		switch err := <-ended; {
		case err == nil: // done before it could be killed: once more from the beginning
			finished()
			clear(known)
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		case cmd.ProcessState.Exited():
			t.Fatalf("it ended by itself: %v", err)
		default:
			kills++
			check()
		}
	}
	began, before := time.Now(), len(known)
	if err := start().Wait(); err != nil {
		t.Fatal(err)
	}
	took, busy := time.Since(began), finished()
	if left := len(p.Cells) - before; left > 50 && busy < took*time.Duration(runtime.GOMAXPROCS(0))*3/4 {
		t.Errorf("%d cells were busy for %v in %v: cores were idle", left, busy, took)
	}
}

// rows counts the results in a journal that is being written.
func rows(path string) int {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0 // it is not there yet
	}
	return bytes.Count(b, []byte("\n{\"id\":"))
}

func TestJournalIsTornAnywhere(t *testing.T) {
	p := planOf(t, 3, one, nil, Builtin())
	head := journalHead{Format: Format, Run: "r", Started: time.Unix(1, 0).UTC(), Plan: p.ref()}
	rows := []CellResult{{Cell: p.Cells[0], Status: Pass}, {Cell: p.Cells[1], Status: Fail, Reason: "ü <x>"}}
	dir := t.TempDir()
	j, _, _, err := openJournal(dir, head, false, SyncBatch)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.append(rows[0], rows[1]); err != nil {
		t.Fatal(err)
	}
	if err := j.close(false); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n <= len(whole); n++ {
		if near := bytes.IndexByte(whole[n:], '\n'); near > 3 && n%5 != 0 {
			continue // each place near the end of a line, and some of the others
		}
		if err := os.WriteFile(filepath.Join(dir, journalFile), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		j, got, resumed, err := openJournal(dir, head, true, SyncNone)
		if err != nil {
			t.Fatalf("after %d of %d bytes: %v", n, len(whole), err)
		}
		lines := bytes.Count(whole[:n], []byte("\n"))
		if len(got) != max(lines-1, 0) || (resumed == 1) != (lines > 0) {
			t.Errorf("after %d bytes and %d lines: %d results, resumed %d", n, lines, len(got), resumed)
		}
		for i, r := range got {
			if d := cmp.Diff(rows[i], r); d != "" {
				t.Errorf("after %d bytes (-want +got):\n%s", n, d)
			}
		}
		if err := j.append(CellResult{Cell: p.Cells[2], Status: Pass}); err != nil {
			t.Fatal(err)
		}
		if err := j.close(false); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, journalFile))
		if err != nil {
			t.Fatal(err)
		}
		if read, err := readJournal(bytes.NewReader(b)); err != nil || len(read.results) != len(got)+1 ||
			read.end != int64(len(b)) {
			t.Fatalf("after %d bytes, and one more result: %v\n%s", n, err, b)
		}
	}
}

func TestJournalRefuses(t *testing.T) {
	p := planOf(t, 2, one, nil, Builtin())
	head := journalHead{Format: Format, Run: "r", Plan: p.ref()}
	line := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b) + "\n"
	}
	cell := line(CellResult{Cell: p.Cells[0], Status: Pass})
	other := head
	other.Plan.Shard = &Shard{1, 2}
	for name, test := range map[string]struct{ content, want string }{
		"a cell twice":   {line(head) + cell + cell, "stands in line 2 too"},
		"a broken line":  {line(head) + "{\"id\":\n" + cell, "line 2"},
		"no head":        {"no json\n" + cell, "line 1"},
		"another format": {`{"format":7}` + "\n", "format 7"},
		"another shard":  {line(other), "shard 1/2"},
		"other cell": {line(head) + strings.Replace(cell, `"draft":"draft-18"`, `"draft":"draft-17"`, 1),
			"is not that of the plan"},
		"a run not asked for": {line(head), ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, journalFile), []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			resume := test.want != ""
			if !resume {
				test.want = "resume it"
			}
			if _, err := Execute(t.Context(), p, Options{Dir: dir, Resume: resume}); err == nil ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if b, _ := os.ReadFile(filepath.Join(dir, journalFile)); string(b) != test.content && name != "other cell" {
				t.Errorf("it was changed:\n%s", b)
			}
		})
	}
}

func TestOneWriter(t *testing.T) {
	t.Parallel() // it mostly waits
	if runtime.GOOS == "windows" {
		t.Skip("no locks here")
	}
	dir := t.TempDir()
	head := journalHead{Format: Format, Plan: PlanRef{ID: "x"}}
	j, _, _, err := openJournal(dir, head, false, SyncNone)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := openJournal(dir, head, true, SyncNone); err == nil ||
		!strings.Contains(err.Error(), "another program") {
		t.Errorf("a second writer: %v", err)
	}
	if err := j.close(true); err != nil {
		t.Fatal(err)
	}
}

// Results that cannot be kept end the run, and the error says why.
func TestJournalThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	j, _, _, err := openJournal(dir, journalHead{Format: Format}, false, SyncNone)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.f.Close(); err != nil {
		t.Fatal(err)
	}
	o := Options{}
	o.fill()
	x := &execution{o: &o, journal: j, results: make(map[string]CellResult)}
	ctx, cancel := context.WithCancelCause(t.Context())
	x.keep([]CellResult{{Cell: Cell{ID: "a"}, Status: Pass}}, cancel)
	if err := context.Cause(ctx); err == nil || !strings.Contains(err.Error(), "results cannot be written") {
		t.Errorf("%v", err)
	}
}
