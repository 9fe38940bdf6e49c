package bench

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Ramp says how Adaptive goes up, and what a step must not exceed to count as held.
type Ramp struct {
	// Subscribers has the number of subscribers rise; otherwise it is the rate.
	Subscribers bool
	// From and To are the first and the highest step: Mbit/s that the publisher offers, or subscribers.
	From, To float64
	// P90 bounds the latency, Loss and Shortfall the share of objects that are lost, or were not offered in time.
	P90             time.Duration
	Loss, Shortfall float64
}

// narrow is how many times the gap between the last step that held and the first that did not is halved.
const narrow = 4

// Adaptive measures in steps of Config.Duration, each twice as high as the one before, until one does not hold. Then it
// looks between the two. The result is that of the highest step that held, with all steps.
func Adaptive(ctx context.Context, c Config, ramp Ramp) (*Result, error) {
	if !(ramp.From > 0) || !(ramp.To >= ramp.From) {
		return nil, fmt.Errorf("the ramp goes from %v to %v: want from above 0 up", ramp.From, ramp.To)
	}
	if ramp.Subscribers {
		c.Load.Subscribers = 1
	} else {
		c.Load.RatePerS = 1
	}
	if err := c.Load.Prepare(); err != nil {
		return nil, err
	}
	a := &adapting{c: c, ramp: ramp}
	if c.URL == "" {
		a.c.Bench = "loopback"
	} else {
		a.c.Bench = "fanout"
	}
	high, low, limit := ramp.From, 0.0, ""
	for ; ; high = min(2*high, ramp.To) {
		why, err := a.step(ctx, high)
		if err != nil {
			return nil, err
		}
		if limit = why; why != "" {
			break
		}
		if low = high; high == ramp.To {
			limit = "the end of the ramp"
			break
		}
	}
	for range narrow {
		if low == high || ramp.Subscribers && high-low <= 1 {
			break
		}
		middle := (low + high) / 2
		if ramp.Subscribers {
			middle = math.Round(middle)
		}
		if middle <= 0 {
			break
		}
		why, err := a.step(ctx, middle)
		if err != nil {
			return nil, err
		}
		if why == "" {
			low = middle
		} else {
			high, limit = middle, why
		}
	}
	return a.result(limit), nil
}

// adapting is an Adaptive that runs.
type adapting struct {
	c     Config
	ramp  Ramp
	steps []Step
	best  *Result // of the highest step that held
	first *Result
	held  *Step
}

// step measures one step. why says why it did not hold.
func (a *adapting) step(ctx context.Context, value float64) (why string, err error) {
	c := a.c
	if a.ramp.Subscribers {
		c.Load.Subscribers = int(value)
	} else {
		c.Load.RatePerS = value * 1e6 / 8 / float64(c.Load.ObjectBytes)
	}
	r, err := Run(ctx, c)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	s := Step{RatePerS: c.Load.RatePerS, Mbps: c.Load.RatePerS * float64(c.Load.ObjectBytes) * 8 / 1e6,
		Subscribers: c.Load.Subscribers}
	switch {
	case err != nil && a.first == nil: // there is nothing to measure
		return "", err
	case err != nil:
		s.Why = err.Error()
	default:
		s.judge(r, a.ramp)
		if a.first == nil {
			a.first = r
		}
	}
	s.Held = s.Why == ""
	a.steps = append(a.steps, s)
	c.say("%s", s.text())
	if s.Held && (a.held == nil || value >= a.ramp.value(a.held)) {
		a.best, a.held = r, &s
	}
	return s.Why, nil
}

func (r Ramp) value(s *Step) float64 {
	if r.Subscribers {
		return float64(s.Subscribers)
	}
	return s.Mbps
}

// judge says what a step exceeds.
func (s *Step) judge(r *Result, ramp Ramp) {
	s.GoodputMbps = r.Received.GoodputMbps
	if r.Received.Expected > 0 {
		s.LossShare = float64(r.Received.Lost) / float64(r.Received.Expected)
	}
	if r.Sent.Due > 0 {
		s.ShortShare = float64(r.Sent.Shortfall) / float64(r.Sent.Due)
	}
	if r.Latency != nil {
		s.P90 = r.Latency.P90
	}
	switch limit := float64(ramp.P90) / 1e6; {
	case s.LossShare > ramp.Loss:
		s.Why = fmt.Sprintf("loss of %.3g %%, above %.3g %%", s.LossShare*100, ramp.Loss*100)
	case s.ShortShare > ramp.Shortfall:
		s.Why = fmt.Sprintf("shortfall of %.3g %%, above %.3g %%", s.ShortShare*100, ramp.Shortfall*100)
	case r.Latency == nil:
		s.Why = "no latency: " + r.NoLatency
	case s.P90 > limit:
		s.Why = fmt.Sprintf("p90 of %s, above %s", ms(s.P90), ms(limit))
	}
}

func (s *Step) text() string {
	text := "held"
	if !s.Held {
		text = s.Why
	}
	return fmt.Sprintf("%s: %.4g Mbit/s goodput, p90 %s: %s", s.what(), s.GoodputMbps, ms(s.P90), text)
}

// what is asked for in a step.
func (s *Step) what() string {
	text := fmt.Sprintf("%.4g Mbit/s", s.Mbps)
	if s.Subscribers > 1 {
		text += fmt.Sprintf(" to each of %d subscribers", s.Subscribers)
	}
	return text
}

// result is that of the highest step that held, or of the first, if none did.
func (a *adapting) result(limit string) *Result {
	r := a.best
	if r == nil {
		r = a.first
		r.Notes = append(r.Notes, "no step held; the figures are those of the first")
	}
	r.Bench, r.Steps, r.Sustained, r.Limit = "adaptive", a.steps, a.held, limit
	return r
}
