package cases

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// A slow path is not the relay's fault. So a wait gets more time than its limit: three round trips for each request to
// the peer, the time of handshakes meanwhile, and more for as long as bytes of objects still arrive.

const (
	// stepRoundTrips is how many round trips a step gets in addition to its limit.
	stepRoundTrips = 3
	// maxSteps bounds the steps of one wait. Requests sent at the same time count as one.
	maxSteps = 20
	// handshakeLimit bounds making one connection, SETUP included. It is not part of the case's limit.
	handshakeLimit = 5 * time.Second
	// arrivalLimit is how long a wait goes on at most while bytes of objects arrive.
	arrivalLimit = 60 * time.Second
	// stoppedTime is how long no byte must arrive before bytes count as stopped, on a path with short round trips.
	stoppedTime = time.Second
	// lossyStopped is how many times longer that is where packets are lost.
	lossyStopped = 3
	// secondLook is how long after bytes seem to have stopped there is another look.
	secondLook = 250 * time.Millisecond
)

// errLimit is the cause of a wait's context when its time has passed.
var errLimit = fmt.Errorf("the time for this has passed: %w", context.DeadlineExceeded)

// clock is how much time a case has been granted so far. Safe for concurrent use.
type clock struct {
	mu sync.Mutex
	// steps is how many times the peer was asked for something.
	steps int
	// dialling is how many connections are being made now, since when, and how long earlier ones took.
	dialling  int
	dialSince time.Time
	dialled   time.Duration
	// granted is the time that waits got beyond their limits because bytes still arrived.
	granted time.Duration
}

func (c *clock) step() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps++
}

// dial says that a connection is being made, until the returned function is called.
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

// reading is the state of a clock at one moment.
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

// stretched is a limit multiplied by the user's factor.
func (e *Env) stretched(limit time.Duration) time.Duration {
	return time.Duration(float64(limit) * e.cfg.factor())
}

// RTT is the round trip time of the slowest session: as QUIC measures it, or the time that connection and SETUP took
// where the transport does not tell. It is 0 before there is a session.
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

// settled is how long a silence must last before it means something: the given time, and at least three round trips.
func (e *Env) settled(d time.Duration) time.Duration { return max(d, stepRoundTrips*e.RTT()) }

// Silence waits for as long as something unwanted may still come: the given time, and at least three round trips. The
// case's limit grows by that much.
func (e *Env) Silence(ctx context.Context, d time.Duration) {
	wait := e.settled(d)
	e.clock.grant(wait - d)
	e.Sleep(ctx, wait)
}

// stoppedTime is how long no byte arrives until bytes count as stopped. Where packets are lost it is longer: one that
// is lost again and again is sent at intervals that double (RFC 9002 §6.2.1).
func (e *Env) stoppedTime() time.Duration {
	stopped := e.settled(stoppedTime)
	if e.path().lossy {
		stopped *= lossyStopped
	}
	return stopped
}

// lastByte is when the last bytes of objects came, on any session.
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

// bounded gives a context that ends when the time for something has passed. limit is multiplied by the user's factor.
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
	last   time.Time // the last byte when bytes seemed to have stopped

	mu    sync.Mutex
	timer *time.Timer
}

// check ends the wait if its time has passed, and looks again later if not.
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
	last := w.e.lastByte()
	quiet, stopped := now.Sub(last), w.e.stoppedTime()
	left := stopped - quiet
	if left <= 0 && quiet < 2*stopped && last != w.last { // this process may have been the one that had no time
		left, w.last = secondLook, last
	}
	left = min(left, w.e.stretched(arrivalLimit)-now.Sub(w.began))
	if left <= 0 {
		w.cancel(errLimit)
		return
	}
	w.e.clock.grant(left) // what the case, and the other waits, get too
	w.timer.Reset(left)
}

// Step bounds one step: 5 s, multiplied by the timeout factor, plus the time that the path takes.
func (e *Env) Step(ctx context.Context) (context.Context, context.CancelFunc) {
	return e.bounded(ctx, StepLimit)
}

// Within bounds a step by its own limit, multiplied by the timeout factor, plus the time that the path takes.
func (e *Env) Within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return e.bounded(ctx, limit)
}

// Sleep waits for a time. It ends the case if ctx ends first.
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
