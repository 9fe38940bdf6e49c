package track

import (
	"context"
	"time"
)

// Pacer hands out turns at an even rate. A caller that is late gets the turns that it has missed at once, one after the
// other, so that the rate holds on average. Not safe for concurrent use.
type Pacer struct {
	interval float64 // nanoseconds
	start    time.Time
	turns    float64
	timer    *time.Timer
}

// NewPacer makes a pacer. rate is in turns per second; with 0 or less Wait never waits. The first turn is at the first
// Wait.
func NewPacer(rate float64) *Pacer {
	p := &Pacer{}
	if rate > 0 {
		p.interval = float64(time.Second) / rate
	}
	return p
}

// Wait waits for the next turn and gives the time that it was due, which is in the past if the caller is late. The
// error is the context's cause; the turn is then still to come.
func (p *Pacer) Wait(ctx context.Context) (time.Time, error) {
	now := time.Now()
	if p.interval == 0 {
		return now, context.Cause(ctx)
	}
	if p.start.IsZero() {
		p.start = now
	}
	due := p.start.Add(time.Duration(p.turns * p.interval))
	if wait := due.Sub(now); wait > 0 {
		if p.timer == nil {
			p.timer = time.NewTimer(wait)
		} else {
			p.timer.Reset(wait)
		}
		select {
		case <-p.timer.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return due, context.Cause(ctx)
	}
	p.turns++
	return due, nil
}
