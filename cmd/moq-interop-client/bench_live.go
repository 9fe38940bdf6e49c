//go:build !small

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// showBar shows on a terminal, below the line of each interval, how much of the window is over. The function ends that.
func (s *system) showBar(c *bench.Config) (end func()) {
	f, isFile := s.stderr.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) || c.Live == nil || c.Duration <= 0 {
		return func() {}
	}
	return drawBar(c, f)
}

// drawBar draws it on a terminal.
func drawBar(c *bench.Config, w io.Writer, more ...mpb.ContainerOption) (end func()) {
	p := mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(w), mpb.WithWidth(60),
		mpb.WithRefreshRate(200 * time.Millisecond)}, more...)...)
	bar := p.AddBar(c.Duration.Milliseconds(), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(s decor.Statistics) string {
			at := time.Duration(s.Current) * time.Millisecond
			return fmt.Sprintf("%3.0f of %.0f s ", at.Seconds(), c.Duration.Seconds())
		})),
		mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace)))
	line := func(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }
	c.Say = line
	c.Live = func(i bench.Interval) {
		line("%s", i.Text())
		bar.SetCurrent(min(int64(i.AtS*1000), c.Duration.Milliseconds()-1))
	}
	return func() {
		bar.Abort(true)
		p.Wait()
	}
}
