package track

import (
	"context"
	"time"
)

// Pacer hands out turns at an even rate. Who comes late gets the turns that are due at once, one after the other, so
// that the rate holds on average. Not safe for concurrent use.
type Pacer struct {
	interval float64 // nanoseconds
	start    time.Time
	turns    float64
	timer    *time.Timer
}

// NewPacer gives a pacer of so many turns per second; 0 or less is no pace at all. The first turn is at the first Wait.
func NewPacer(rate float64) *Pacer {
	p := &Pacer{}
	if rate > 0 {
		p.interval = float64(time.Second) / rate
	}
	return p
}

// Wait waits for the next turn and gives the time for which it was meant, which is earlier than now for who comes late.
// The error is the context's cause, and the turn is not used up then.
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
