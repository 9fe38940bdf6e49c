//go:build !small

package matrix

import (
	"fmt"
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// mostBars is how many relays have a bar of their own; where there are more, one for all says enough.
const mostBars = 16

// bars is progress for a terminal: a bar for each relay and one for all, with the time that is left. What did not pass
// is written above them.
type bars struct {
	tally
	w       io.Writer
	p       *mpb.Progress
	planned map[string]int // cells of each relay
	names   []string
	all     *mpb.Bar
	each    map[string]*mpb.Bar
	wrong   map[string]int
}

// NewBars shows bars for a plan's relays on a terminal. Errors of w are ignored.
func NewBars(w io.Writer, p *Plan) Progress {
	b := &bars{w: w, planned: make(map[string]int), each: make(map[string]*mpb.Bar), wrong: make(map[string]int)}
	for _, c := range p.Cells {
		if b.planned[c.Relay]++; b.planned[c.Relay] == 1 {
			b.names = append(b.names, c.Relay)
		}
	}
	return b
}

// Begin implements Progress.
func (b *bars) Begin(total, done int) {
	b.begin(total, done)
	b.p = mpb.New(mpb.WithOutput(b.w), mpb.WithAutoRefresh(), mpb.WithWidth(100))
	name := func(text string) mpb.BarOption {
		return mpb.PrependDecorators(decor.Name(fmt.Sprintf("%.24s", text), decor.WC{W: 25, C: decor.DindentRight}))
	}
	if len(b.names) <= mostBars && done == 0 { // a run that is taken up does not say which relay has what
		for _, relay := range b.names {
			b.each[relay] = b.p.AddBar(int64(b.planned[relay]), name(relay), mpb.BarRemoveOnComplete(),
				mpb.AppendDecorators(decor.CountersNoUnit("%d/%d")))
		}
	}
	b.all = b.p.AddBar(int64(total), name("all relays"), mpb.BarRemoveOnComplete(), mpb.BarPriority(1<<20),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.state() })))
	b.all.SetCurrent(int64(done))
}

// Cell implements Progress.
func (b *bars) Cell(c *CellResult) {
	if b.cell(c) {
		b.line(result(c))
	}
	if bar := b.each[c.Relay]; bar != nil {
		bar.Increment()
	}
	b.all.Increment()
}

// Note implements Progress.
func (b *bars) Note(text string) { b.line(text) }

// line writes a line above the bars.
func (b *bars) line(text string) { fmt.Fprintln(b.p, text) }

// End implements Progress: the bars go, since what came of the run is for the caller to print.
func (b *bars) End(*Run) {
	for _, bar := range b.each {
		bar.Abort(true)
	}
	b.all.Abort(true)
	b.p.Wait()
}
