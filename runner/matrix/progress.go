package matrix

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/printable"
)

// Progress hears how a run goes. Calls do not overlap. A result is stored before Cell is called.
type Progress interface {
	// Begin is called first: the run has total cells, of which done have a result from before.
	Begin(total, done int)
	// Cell reports the result of a cell.
	Cell(c *CellResult)
	// Note reports something else worth a line: a relay was started, or has ended.
	Note(text string)
	// End is called last. What came of the run is for the caller to print: Run.Summary.
	End(r *Run)
}

// Both tells two.
func Both(a, b Progress) Progress { return both{a, b} }

type both struct{ a, b Progress }

func (p both) Begin(total, done int) { p.a.Begin(total, done); p.b.Begin(total, done) }
func (p both) Cell(c *CellResult)    { p.a.Cell(c); p.b.Cell(c) }
func (p both) Note(text string)      { p.a.Note(text); p.b.Note(text) }
func (p both) End(r *Run)            { p.a.End(r); p.b.End(r) }

// quiet tells nobody.
type quiet struct{}

func (quiet) Begin(int, int)   {}
func (quiet) Cell(*CellResult) {}
func (quiet) Note(string)      {}
func (quiet) End(*Run)         {}

// tally counts for both forms of progress. Safe for concurrent use: bars ask for the state while a run counts.
type tally struct {
	mu                              sync.Mutex
	total, before, done, bad, known int
	started                         time.Time
}

func (t *tally) begin(total, done int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total, t.before, t.done, t.started = total, done, done, time.Now()
}

// cell counts a result and says whether it is worth a line of its own.
func (t *tally) cell(c *CellResult) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	switch c.Status {
	case Fail, Flaky, Error, Missing, Down:
		if c.known() {
			t.known++
			return false
		}
		t.bad++
		return true
	}
	return false
}

// known reports whether all that is wrong in a cell was expected.
func (c *CellResult) known() bool {
	some := c.Known != ""
	if !some && c.Blamed() {
		return false
	}
	for _, one := range c.Cases {
		if s := one.Status; s == Fail || s == Flaky || s == Missing {
			if some = one.Known != ""; !some {
				return false
			}
		}
	}
	return some && c.Status != Missing
}

// left is the time that is left if it goes on as it went, and false while nobody can know. The caller holds mu.
func (t *tally) left() (time.Duration, bool) {
	n := t.done - t.before
	if n < 3 || t.done >= t.total {
		return 0, false
	}
	d := time.Since(t.started) / time.Duration(n) * time.Duration(t.total-t.done)
	if d < time.Minute {
		return d.Round(time.Second), true
	}
	return d.Round(10 * time.Second), true
}

// state says how far it is.
func (t *tally) state() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := fmt.Sprintf("%d/%d cells, %d not passed", t.done, t.total, t.bad)
	if t.known > 0 {
		s += fmt.Sprintf(", %d failed as known", t.known)
	}
	if d, ok := t.left(); ok {
		s += fmt.Sprintf(", about %v left", d)
	}
	return s
}

// result is a line about a cell.
func result(c *CellResult) string {
	s := fmt.Sprintf("%-7s %s", c.Status, c.ID)
	if c.Layer != "" {
		s += " [" + c.Layer + "]"
	}
	if c.Reason != "" {
		s += " " + c.Reason
	}
	return printable.OneLine(s)
}

// lines is progress for what is no terminal.
type lines struct {
	tally
	w    io.Writer
	last time.Time
	// every is the time between lines that only say how far it is.
	every time.Duration
}

// NewLines prints plain lines: each cell that did not pass, and every half minute how far the run is. Errors of w are
// ignored: they do not concern the run.
func NewLines(w io.Writer) Progress { return &lines{w: w, every: 30 * time.Second} }

func (l *lines) Begin(total, done int) {
	l.begin(total, done)
	l.last = l.started
	if done > 0 {
		fmt.Fprintf(l.w, "%d cells, %d of them done before\n", total, done)
		return
	}
	if total == 1 {
		fmt.Fprintln(l.w, "1 cell")
		return
	}
	fmt.Fprintf(l.w, "%d cells\n", total)
}

func (l *lines) Cell(c *CellResult) {
	if l.cell(c) {
		fmt.Fprintln(l.w, result(c))
	}
	if now := time.Now(); now.Sub(l.last) >= l.every {
		l.last = now
		fmt.Fprintln(l.w, l.state())
	}
}

func (l *lines) Note(text string) { fmt.Fprintln(l.w, text) }

func (l *lines) End(*Run) {}
