package matrix

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/printable"
)

// Execute runs a plan. It stores results in Options.Dir: in a journal, from which a later call with Resume continues,
// and in run.json when the run has ended. When ctx ends, running cells are given up, the Run has what is known, and
// Run.Ended is the cause of ctx. The error says that the plan cannot be run, or that results could not be written. A
// cell that fails is no error.
func Execute(ctx context.Context, p *Plan, o Options) (*Run, error) {
	o.fill()
	if err := p.Validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	if err := os.MkdirAll(filepath.Join(dir, cellsDir), 0o755); err != nil {
		return nil, err
	}
	if run, err := finished(p, &o); run != nil || err != nil {
		return run, err
	}
	head := journalHead{Format: Format, Run: filepath.Base(dir), Started: time.Now().UTC(), Plan: p.ref()}
	j, known, resumed, err := openJournal(dir, head, o.Resume, o.Sync)
	if err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, planFile), p.WriteJSON); err != nil {
		return nil, errors.Join(err, j.close(false))
	}
	x := &execution{o: &o, plan: p, journal: j, results: make(map[string]CellResult, len(p.Cells)),
		images: make(map[string]*image), secrets: &secrets{o: &o}}
	if err := x.take(known); err != nil {
		return nil, errors.Join(err, j.close(false))
	}
	stop := func() error { return nil }
	if o.Capture {
		if stop, err = capture(dir); err != nil {
			return nil, errors.Join(err, j.close(false))
		}
	}
	o.Progress.Begin(len(p.Cells), len(x.results))
	ended := x.run(ctx)
	stopped := stop()
	x.failed = errors.Join(x.failed, x.full, stopped)
	run := x.collect(resumed, ended)
	err = writeFile(filepath.Join(dir, runFile), run.WriteJSON)
	err = errors.Join(x.failed, err, j.close(err == nil && x.failed == nil && run.Complete()))
	o.Progress.End(run)
	return run, err
}

// finished gives the run in the folder if it is this one and complete.
func finished(p *Plan, o *Options) (*Run, error) {
	has, err := exists(filepath.Join(o.Dir, runFile))
	if err != nil || !has {
		return nil, err
	}
	if unfinished, err := exists(filepath.Join(o.Dir, journalFile)); err != nil || unfinished {
		return nil, err
	}
	if !o.Resume {
		return nil, fmt.Errorf("%s: there is a run already: take another folder", o.Dir)
	}
	run, err := Load(o.Dir)
	if err != nil {
		return nil, err
	}
	if !samePlan(run.Plan, p.ref()) {
		return nil, fmt.Errorf("%s: the run in it is of plan %s, not of %s", o.Dir, planName(run.Plan),
			planName(p.ref()))
	}
	if !run.Complete() {
		return nil, fmt.Errorf("%s: the run in it did not end, and its %s is gone", o.Dir, journalFile)
	}
	o.Progress.Begin(len(run.Cells), len(run.Cells))
	o.Progress.End(run)
	return run, nil
}

// execution is the state of Execute.
type execution struct {
	o        *Options
	plan     *Plan
	journal  *journal
	results  map[string]CellResult // with a verdict, and in the journal
	partial  map[string]CellResult // given up in the middle: for run.json, not for the journal
	done     chan CellResult       // to the one goroutine that writes
	notes    chan string
	failed   error // to write
	cancel   context.CancelCauseFunc
	ports    ports
	all      chan struct{} // slots of the whole run
	secrets  *secrets
	versions versions

	mu     sync.Mutex
	images map[string]*image
	full   error // no room for a cell's files
}

// take fills in the results of the journal.
func (x *execution) take(known []CellResult) error {
	cells := make(map[string]Cell, len(x.plan.Cells))
	for _, c := range x.plan.Cells {
		cells[c.ID] = c
	}
	for _, r := range known {
		if cells[r.ID] != r.Cell {
			return fmt.Errorf("%s: cell %s is not that of the plan", journalFile, r.ID)
		}
		x.results[r.ID] = r
	}
	return nil
}

// run runs the cells that have no result: relays at the same time, each with a bound of its own. It says why it ended
// early.
func (x *execution) run(ctx context.Context) (ended error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x.cancel = cancel
	x.partial = make(map[string]CellResult)
	x.done, x.notes = make(chan CellResult, batch), make(chan string) // a slow disk does not hold up cells
	x.all = make(chan struct{}, x.o.Parallel)
	var writer sync.WaitGroup
	writer.Go(func() { x.write(cancel) })
	todo := make(map[string][]Cell)
	for _, c := range x.plan.Cells {
		if _, has := x.results[c.ID]; !has {
			todo[c.Relay] = append(todo[c.Relay], c)
		}
	}
	var running sync.WaitGroup
	for _, relay := range slices.Sorted(maps.Keys(todo)) {
		running.Go(func() { x.relay(ctx, relay, todo[relay]) })
	}
	running.Wait()
	if ctx.Err() != nil {
		ended = context.Cause(ctx)
	}
	close(x.done)
	writer.Wait()
	return ended
}

// relay runs the cells of one relay, endpoint by endpoint, so that each is started once.
func (x *execution) relay(ctx context.Context, name string, cells []Cell) {
	limit := x.o.PerRelay
	for n, l := range x.o.Limits {
		if strings.EqualFold(n, name) && l > 0 {
			limit = l
		}
	}
	ours := slots{make(chan struct{}, limit), x.all}
	theirs := append(slots{make(chan struct{}, x.o.Foreign)}, ours...)
	byEndpoint := make(map[string][]Cell)
	for _, c := range cells {
		byEndpoint[c.Endpoint] = append(byEndpoint[c.Endpoint], c)
	}
	for _, endpoint := range slices.Sorted(maps.Keys(byEndpoint)) {
		_, e := x.plan.find(byEndpoint[endpoint][0])
		h := &host{o: x.o, x: x, e: e}
		var queues [2][]Cell // of the built-in client, and of others: neither waits for the other's bound
		for _, c := range byEndpoint[endpoint] {
			client, _ := x.plan.find(c)
			if client.Kind == KindBuiltin {
				queues[0] = append(queues[0], c)
			} else {
				queues[1] = append(queues[1], c)
			}
		}
		var running sync.WaitGroup
		running.Go(func() { x.queue(ctx, queues[0], h, ours) })
		running.Go(func() { x.queue(ctx, queues[1], h, theirs) })
		running.Wait()
		h.stop()
	}
}

// queue runs cells in order, as there are slots.
func (x *execution) queue(ctx context.Context, cells []Cell, h *host, s slots) {
	var running sync.WaitGroup
	for _, c := range cells {
		if s.take(ctx) != nil {
			break
		}
		running.Go(func() {
			defer s.give()
			x.cell(ctx, c, h, s)
		})
	}
	running.Wait()
}

// batch is the most results that are synced to disk together.
const batch = 256

// write is the only goroutine that stores results: it appends what has come in together, syncs it, and only then
// reports it.
func (x *execution) write(cancel context.CancelCauseFunc) {
	for {
		var come []CellResult
		select {
		case text := <-x.notes:
			x.o.Progress.Note(printable.OneLine(text))
			continue
		case r, ok := <-x.done:
			if !ok {
				return
			}
			come = append(come, r)
		}
	more:
		for len(come) < batch {
			select {
			case r, ok := <-x.done:
				if !ok {
					break more
				}
				come = append(come, r)
			default:
				break more
			}
		}
		x.keep(come, cancel)
	}
}

// keep appends results with a verdict to the journal. When that fails, the run ends: results that cannot be stored are
// not worth running for.
func (x *execution) keep(come []CellResult, cancel context.CancelCauseFunc) {
	var rows []any
	for _, r := range come {
		if r.Status == Missing {
			x.partial[r.ID] = r
			continue
		}
		rows = append(rows, r)
	}
	if len(rows) > 0 && x.failed == nil {
		if err := x.journal.append(rows...); err != nil {
			x.failed = fmt.Errorf("results cannot be written: %w", err)
			cancel(x.failed)
		}
	}
	for i := range come {
		if come[i].Status != Missing {
			x.results[come[i].ID] = come[i]
			x.o.Expected.Mark(&come[i]) // once the journal has it: the next part of the run may have other expectations
			x.o.Progress.Cell(&come[i])
		}
	}
}

// full reports whether an error of writing will be that of all that follow, too.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}

// giveUp ends the run because a cell's files cannot be written.
func (x *execution) giveUp(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.full == nil {
		x.full = fmt.Errorf("results cannot be written: %w", err)
		x.cancel(x.full)
	}
}

// note reports something to the progress. It must not be called once all cells have ended.
func (x *execution) note(text string) { x.notes <- text }

// collect makes the Run from what is known.
func (x *execution) collect(resumed int, ended error) *Run {
	run := &Run{
		Format: Format, ID: x.journal.head.Run, Started: x.journal.head.Started, Finished: time.Now().UTC(),
		Resumed:  resumed,
		Versions: x.o.Versions, Plan: x.plan.ref(), Cells: make([]CellResult, 0, len(x.plan.Cells)),
		LeftOut: x.plan.LeftOut, Repositories: x.plan.Repositories,
	}
	if run.Versions == nil {
		run.Versions = map[string]string{}
	}
	why := "the run ended before it"
	if ended != nil {
		run.Ended = ended.Error()
		why += ": " + run.Ended
	}
	for _, c := range x.plan.Cells {
		r, ok := x.results[c.ID]
		if !ok {
			if r, ok = x.partial[c.ID]; !ok {
				r = CellResult{Cell: c, Label: Label{Source: Predicted, Draft: c.Predicted}}
			}
			r.Status, r.Reason = Missing, why
		}
		x.o.Expected.Mark(&r)
		run.Cells = append(run.Cells, r)
	}
	if run.Complete() {
		run.Ended = ""
	}
	return run
}
