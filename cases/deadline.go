package cases

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// The path is not the relay: a wait has its limit, three round trips for each thing that the peer is asked, the time of
// handshakes beside it, and what bytes of objects take that still come.

const (
	// stepRoundTrips is how many round trips a step gets on top of its limit.
	stepRoundTrips = 3
	// maxSteps bounds the steps of one wait: what is asked for all at once is one.
	maxSteps = 20
	// handshakeLimit bounds the making of one connection, SETUP included. It is no part of the case's limit.
	handshakeLimit = 5 * time.Second
	// arrivalLimit is how long a wait goes on at most while bytes of objects come.
	arrivalLimit = 60 * time.Second
	// stoppedTime is how long no byte comes until bytes have stopped coming, on a path with short round trips.
	stoppedTime = time.Second
)

// errLimit is the cause of a wait's context when its time has passed.
var errLimit = fmt.Errorf("the time for this has passed: %w", context.DeadlineExceeded)

// clock is what a case has been granted so far. Safe for concurrent use.
type clock struct {
	mu sync.Mutex
	// steps is how many times the peer was asked for something.
	steps int
	// dialling is how many connections are being made, since when, and how long some were before.
	dialling  int
	dialSince time.Time
	dialled   time.Duration
	// granted is what waits got on top of their limits: bytes still came.
	granted time.Duration
}

func (c *clock) step() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps++
}

// dial says that a connection is being made, until the function is called that it gives.
func (c *clock) dial() (made func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dialling == 0 {
		c.dialSince = time.Now()
	}
	c.dialling++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.dialling--; c.dialling == 0 {
			c.dialled += time.Since(c.dialSince)
		}
	}
}

func (c *clock) grant(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.granted += d
}

// reading is what a clock says at a time.
type reading struct {
	steps            int
	dialled, granted time.Duration
}

func (c *clock) read(now time.Time) reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := reading{steps: c.steps, dialled: c.dialled, granted: c.granted}
	if c.dialling > 0 {
		r.dialled += now.Sub(c.dialSince)
	}
	return r
}

// stretched is a limit with the user's factor.
func (e *Env) stretched(limit time.Duration) time.Duration {
	return time.Duration(float64(limit) * e.cfg.factor())
}

// RTT is the round trip time of the slowest session: what QUIC measures, or how long connection and SETUP took where
// the transport does not tell. It is 0 before there is a session.
func (e *Env) RTT() (rtt time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.sessions {
		rtt = max(rtt, s.rtt())
	}
	return rtt
}

func (s *Session) rtt() time.Duration {
	if rtt := s.conn.Path().RTT(); rtt > 0 {
		return rtt
	}
	return s.setup
}

// settled is how long a silence has to last before it says anything: a time, and at least three round trips.
func (e *Env) settled(d time.Duration) time.Duration { return max(d, stepRoundTrips*e.RTT()) }

// Silence waits for as long as something may still come that should not: a time, and at least three round trips. The
// case gets it on top of its limit.
func (e *Env) Silence(ctx context.Context, d time.Duration) {
	wait := e.settled(d)
	e.clock.grant(wait - d)
	e.Sleep(ctx, wait)
}

// lastByte is when bytes of objects came last, on any session.
func (e *Env) lastByte() (last time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.sessions {
		if at := s.conn.lastByte(); at.After(last) {
			last = at
		}
	}
	return last
}

// bounded gives a context that ends when the time for something has passed. limit is stretched by the user's factor.
func (e *Env) bounded(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &wait{e: e, limit: e.stretched(limit), began: time.Now(), cancel: cancel}
	w.at = e.clock.read(w.began)
	e.clock.step()
	w.mu.Lock()
	w.timer = time.AfterFunc(w.limit, w.check)
	w.mu.Unlock()
	return ctx, func() {
		w.timer.Stop()
		cancel(nil)
	}
}

// wait is one wait for the peer.
type wait struct {
	e      *Env
	limit  time.Duration
	began  time.Time
	at     reading // when it began
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
}

// check ends the wait when its time has passed, and looks again later when it has not.
func (w *wait) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	r := w.e.clock.read(now)
	rtt := w.e.RTT()
	due := w.limit + (r.dialled - w.at.dialled) + (r.granted - w.at.granted) +
		stepRoundTrips*rtt*time.Duration(min(r.steps-w.at.steps, maxSteps))
	if left := due - now.Sub(w.began); left > 0 {
		w.timer.Reset(left)
		return
	}
	quiet := now.Sub(w.e.lastByte())
	left := min(w.e.settled(stoppedTime)-quiet, w.e.stretched(arrivalLimit)-now.Sub(w.began))
	if left <= 0 {
		w.cancel(errLimit)
		return
	}
	w.e.clock.grant(left) // what the case, and the other waits, get too
	w.timer.Reset(left)
}

// Step bounds one step: 5 s, stretched by the timeout factor, and what the path takes.
func (e *Env) Step(ctx context.Context) (context.Context, context.CancelFunc) {
	return e.bounded(ctx, StepLimit)
}

// Within bounds a step by its own limit, stretched by the timeout factor, and what the path takes.
func (e *Env) Within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return e.bounded(ctx, limit)
}

// Sleep waits; it ends the case when that ends before.
func (e *Env) Sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		if o, ok := context.Cause(ctx).(*outcome); ok {
			panic(o)
		}
		e.Check(ctx, context.Cause(ctx), transport.LayerRequest,
			fmt.Sprintf("time for a pause of %s within the limit", d))
	}
}
