package matrix

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner"
)

// An interruption ends the run soon; what is known is written, and the rest is done by a resumption.
func TestInterruptionAndResumption(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	p := planOf(t, 3, []relays.Draft{"draft-16", "draft-18"}, nil, Builtin())
	ctx, cancel := context.WithCancelCause(t.Context())
	var calls sync.Map
	run := func(ctx context.Context, r Request, c cases.Case) runner.Result {
		n, _ := calls.LoadOrStore(r.Cell.ID+c.ID, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		if r.Cell.Relay == "relay02" && r.Cell.Draft == "draft-18" && c.ID == "subscribe-error" {
			cancel(errors.New("enough"))
			<-ctx.Done()
			return runner.Result{Status: runner.Fail, Message: "cut short"}
		}
		return passed(r)
	}
	o := Options{Dir: dir, Builtin: fake(run), Parallel: 1, PerRelay: 1, Sync: SyncNone}
	first, err := Execute(ctx, p, o)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, dir)
	if first.Ended != "enough" || first.Complete() || first.Count(Missing)+first.Count(Pass) != 6 ||
		first.Count(Missing) == 0 {
		t.Fatalf("%+v", first)
	}
	for _, c := range first.Cells {
		if c.Status == Missing && !strings.Contains(c.Reason, "enough") {
			t.Errorf("%s: %s", c.ID, c.Reason)
		}
		if c.Relay == "relay02" && c.Draft == "draft-18" {
			if d := cmp.Diff([]string{"setup-only pass", "announce-only pass", "subscribe-error missing"},
				brief(c.Cases)); d != "" {
				t.Errorf("what is known of the cell (-want +got):\n%s", d)
			}
			if _, err := os.Stat(filepath.Join(dir, c.Files.TAP)); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := Execute(t.Context(), p, o); err == nil || !strings.Contains(err.Error(), "resume it") {
		t.Errorf("taken up unasked: %v", err)
	}
	o.Resume = true
	other := planOf(t, 2, one, nil, Builtin())
	if _, err := Execute(t.Context(), other, o); err == nil || !strings.Contains(err.Error(), "is of plan") {
		t.Errorf("another plan: %v", err)
	}
	ran := make(map[string]bool)
	calls.Range(func(k, _ any) bool { ran[k.(string)] = true; return true })
	o.Builtin = fake(func(ctx context.Context, r Request, c cases.Case) runner.Result {
		for _, cell := range first.Cells {
			if cell.ID == r.Cell.ID && cell.Status != Missing {
				t.Errorf("%s ran again", r.Cell.ID)
			}
		}
		return passed(r)
	})
	second, err := Execute(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	if !second.Complete() || second.Count(Pass) != 6 || second.Resumed != 1 || second.Ended != "" ||
		!second.Started.Equal(first.Started) {
		t.Errorf("%+v", second)
	}
	if _, err := os.Stat(filepath.Join(dir, journalFile)); err == nil {
		t.Error("the journal of a whole run is still there")
	}
	o.Builtin = nil
	third, err := Execute(t.Context(), p, o) // nothing is left to do
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(second, third); d != "" {
		t.Errorf("resumed when it was done (-before +after):\n%s", d)
	}
	o.Resume = false
	if _, err := Execute(t.Context(), p, o); err == nil || !strings.Contains(err.Error(), "a run already") {
		t.Errorf("overwritten: %v", err)
	}
}

// watcher keeps what the progress is told.
type watcher struct {
	quiet
	mu    sync.Mutex
	cells []string
	notes []string
}

func (w *watcher) Cell(c *CellResult) { w.mu.Lock(); w.cells = append(w.cells, c.ID); w.mu.Unlock() }
func (w *watcher) Note(s string)      { w.mu.Lock(); w.notes = append(w.notes, s); w.mu.Unlock() }

// Whoever is told of a result finds it in the journal.
type reader struct {
	quiet
	t   *testing.T
	dir string
}

func (r *reader) Cell(c *CellResult) {
	b, err := os.ReadFile(filepath.Join(r.dir, journalFile))
	if err != nil || !bytes.Contains(b, []byte(`{"id":"`+c.ID+`"`)) {
		r.t.Errorf("%s is told of and not written: %v", c.ID, err)
	}
}

func TestProgressComesAfterTheJournal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	pass := fake(func(_ context.Context, r Request, _ cases.Case) runner.Result { return passed(r) })
	w := &reader{t: t, dir: dir}
	run, err := Execute(t.Context(), planOf(t, 5, one, nil, Builtin()), Options{Dir: dir, Builtin: pass, Progress: w})
	if err != nil || run.Count(Pass) != 5 {
		t.Fatalf("%v %+v", err, run)
	}
}

func TestOrderOfCells(t *testing.T) {
	w := &watcher{}
	pass := fake(func(_ context.Context, r Request, _ cases.Case) runner.Result { return passed(r) })
	p := planOf(t, 4, []relays.Draft{"draft-16", "draft-18"}, nil, Builtin())
	run := execute(t, p, Options{Builtin: pass, Progress: w})
	if len(w.cells) != 8 {
		t.Errorf("told of %v", w.cells)
	}
	ids := []string{}
	for _, c := range run.Cells {
		ids = append(ids, c.ID)
	}
	if !slices.IsSorted(ids) || !slices.Equal(ids, cellsOf(p)) {
		t.Errorf("cells in run.json: %v", ids)
	}
}
