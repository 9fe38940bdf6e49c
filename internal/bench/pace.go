package bench

import (
	"context"
	"time"
)

// fine is how long before a turn the runtime's timers are left: they wake a sleeping program to the millisecond, and
// what they are late would count as latency of the relay.
const fine = 2 * time.Millisecond

// The last microseconds before a turn are not slept but watched, since a thread wakes 20 to 30 us late, and that too
// would count as latency. All pacers together take at most a twentieth of a processor for that.
const (
	watchMost  = 50 * time.Microsecond
	watchShare = 20
)

// pacer hands out turns at an even rate, those that were missed at once.
type pacer struct {
	start time.Time
	every float64 // nanoseconds; 0 never waits
	turns float64
	watch time.Duration
	timer fineTimer
}

// close gives back what the pacer has of the system.
func (p *pacer) close() { p.timer.close() }

// newPacer makes a pacer whose first turn is now, one of so many that run at a time.
func newPacer(rate float64, of int) *pacer {
	p := &pacer{start: time.Now()}
	if rate > 0 {
		p.every = float64(time.Second) / rate
		p.watch = min(watchMost, time.Duration(p.every/watchShare)) / time.Duration(of)
	}
	return p
}

// wait waits for the next turn and gives the time at which it was due.
func (p *pacer) wait(ctx context.Context) (time.Time, error) {
	if p.every == 0 {
		return time.Now(), context.Cause(ctx)
	}
	due := p.start.Add(time.Duration(p.turns * p.every))
	if long := time.Until(due) - fine; long > 0 {
		sleep(ctx, long)
	}
	if ctx.Err() != nil {
		return due, context.Cause(ctx)
	}
	if short := time.Until(due) - p.watch; short > 0 {
		p.timer.sleep(short)
	}
	for time.Until(due) > 0 {
		continue
	}
	p.turns++
	return due, nil
}
