package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

// RunScenario measures with the tracks and the audience of a scenario. Config.Load is not used; Config.Duration, if not
// 0, is instead of the scenario's.
func RunScenario(ctx context.Context, c Config, s *Scenario) (*Result, error) {
	if c.Duration == 0 {
		c.Duration = time.Duration(s.Duration * float64(time.Second))
	}
	c.Bench = "load"
	c.Load = Load{Scenario: s.Name, Seed: s.Seed, Tracks: len(s.Tracks) * s.Namespaces, Processes: 1}
	for _, a := range s.Audience {
		c.Load.Subscribers += a.Subscribers
	}
	r := newRunning(c)
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	l := &loading{running: r, scenario: s, sum: &Received{}}
	err := l.run(ctx)
	r.close()
	if err != nil {
		return nil, err
	}
	return r.result, l.complete()
}

// loading is a scenario that runs.
type loading struct {
	*running
	scenario *Scenario
	senders  []*sender
	sum      *Received // of those who have left; running.mu guards it
	visits   int
	failed   int
	failure  error // the first
	last     time.Time
}

// run publishes all tracks, and lets the audience come and go.
func (l *loading) run(ctx context.Context) (err error) {
	if l.publisher, err = l.dial(ctx); err != nil {
		return fmt.Errorf("publisher: %w", err)
	}
	l.watch("publisher", l.publisher)
	l.describe(l.publisher)
	asking, cancel := context.WithTimeout(ctx, l.Wait)
	defer cancel()
	for n := range l.scenario.Namespaces {
		for i := range l.scenario.Tracks {
			t := &l.scenario.Tracks[i]
			s, err := newSender(l.clock, l.namespace(n), t.Name, t.load)
			if err != nil {
				return err
			}
			s.of = l.scenario.Namespaces * len(l.scenario.Tracks)
			l.senders = append(l.senders, s)
			if err := l.publish(asking, s.track); err != nil {
				return err
			}
		}
	}
	l.joins = newSpreads()
	l.reading = ctx
	l.begin()
	window, over := context.WithDeadline(ctx, l.start.Add(l.Duration))
	defer over()
	sent := make(chan error, len(l.senders))
	for _, s := range l.senders {
		l.tasks.Go(func() { sent <- s.measure(ctx, l.Duration) })
	}
	var audience sync.WaitGroup
	number := uint64(0)
	for i := range l.scenario.Audience {
		a := &l.scenario.Audience[i]
		for range a.Subscribers {
			number++
			chance := rand.New(rand.NewPCG(l.scenario.Seed, number))
			audience.Go(func() { l.attend(window, a, chance) })
		}
	}
	err = l.laps(ctx, sent, len(l.senders))
	over()
	audience.Wait()
	l.end = time.Now()
	l.usage()
	if err == nil && l.visits == l.failed {
		err = fmt.Errorf("nobody could join: %w", l.failure)
	}
	return err
}

// namespace is that of a number.
func (l *loading) namespace(n int) moq.Namespace {
	return append(append(moq.Namespace(nil), l.Namespace...), fmt.Sprintf("n%d", n))
}

// attend is the life of one of the audience.
func (l *loading) attend(ctx context.Context, a *ScenarioAudience, chance *rand.Rand) {
	between := func(span []float64) time.Duration {
		return time.Duration((span[0] + chance.Float64()*(span[1]-span[0])) * float64(time.Second))
	}
	if !sleep(ctx, time.Duration(chance.Float64()*a.Arrive*float64(time.Second))) {
		return
	}
	for {
		stay, cancel := ctx, context.CancelFunc(func() {})
		namespace := chance.IntN(l.scenario.Namespaces)
		if len(a.Stay) == 2 {
			stay, cancel = context.WithTimeout(ctx, between(a.Stay))
		}
		err := l.visit(stay, l.namespace(namespace), a.Tracks)
		cancel()
		l.mu.Lock()
		if l.visits++; err != nil && ctx.Err() == nil {
			if l.failed++; l.failure == nil {
				l.failure = err
			}
		}
		l.mu.Unlock()
		if len(a.Away) != 2 || !sleep(ctx, between(a.Away)) {
			return
		}
	}
}

// visit is one stay, on a connection of its own.
func (l *loading) visit(stay context.Context, ns moq.Namespace, tracks []string) error {
	s, err := l.dial(stay)
	switch {
	case err != nil && stay.Err() != nil: // it left before it was there
		return nil
	case err != nil:
		return err
	}
	defer s.Close()
	var reading sync.WaitGroup
	defer reading.Wait()
	reads, leave := context.WithCancel(l.reading)
	defer leave()
	var here []*receiver
	for _, name := range tracks {
		recv := newReceiver(l.clock, l.lat, true, smallWindow)
		began := time.Now()
		sub, err := s.Subscribe(stay, ns, name, l.subscribe(recv))
		if err != nil {
			if stay.Err() != nil { // it left before the answer
				return nil
			}
			return err
		}
		recv.joined, recv.hasJoined = sub.Subscription().Largest()
		here = append(here, recv)
		l.mu.Lock()
		l.receivers = append(l.receivers, recv)
		l.mu.Unlock()
		reading.Go(func() {
			recv.run(reads, sub)
			sub.Close()
			l.left(recv, began)
		})
	}
	select {
	case <-stay.Done():
		settle(reads, here)
		return nil
	case <-s.Context().Done():
		return context.Cause(s.Context())
	}
}

// settle waits until those who leave have got all that is before the last object they have got, or nothing more comes:
// streams overtake each other, and what is still on its way is not lost.
func settle(ctx context.Context, leaving []*receiver) {
	for _, recv := range leaving {
		recv.leaving.Store(true)
	}
	began := time.Now()
	every := time.NewTicker(pollEvery)
	defer every.Stop()
	for moved, came := began, uint64(0); time.Since(began) < drainTime && time.Since(moved) < quietTime; {
		now, gap := uint64(0), false
		for _, recv := range leaving {
			select {
			case <-recv.done:
			default:
				now, gap = now+recv.objects.Load(), gap || recv.gap.Load()
			}
		}
		if !gap {
			return
		}
		if now != came {
			moved, came = time.Now(), now
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// left adds what one subscription got to the sum, and forgets it.
func (l *loading) left(recv *receiver, began time.Time) {
	if at := recv.firstAt.Load(); at > 0 {
		l.joins.add(at - l.clock.of(began))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	recv.result(l.sum, -1)
	if at := recv.lastAt.Load(); at > 0 {
		if t := l.clock.base.Add(time.Duration(at - l.clock.at)); t.After(l.last) {
			l.last = t
		}
	}
	l.forget(recv)
	if recv.err != nil && !errors.Is(recv.err, context.Canceled) && l.failure == nil {
		l.failure = recv.err
	}
}

// complete makes the figures.
func (l *loading) complete() (err error) {
	r := l.result
	r.DurationS = l.Duration.Seconds()
	if r.Join, err = l.joins.result(); err != nil {
		return err
	}
	sent := &Sent{}
	for _, s := range l.senders {
		sent.Objects += s.sent.Load()
		sent.Bytes += s.bytes.Load()
		sent.Due += s.due
	}
	if sent.Due > sent.Objects {
		sent.Shortfall = sent.Due - sent.Objects
	}
	seconds := l.Duration.Seconds()
	sent.ObjectsPerS, sent.Mbps = float64(sent.Objects)/seconds, float64(sent.Bytes)*8/1e6/seconds
	r.Sent, r.Received = sent, l.sum
	l.sum.SecondsS = max(seconds, l.last.Sub(l.start).Seconds())
	l.sum.ObjectsPerS = float64(l.sum.Objects) / l.sum.SecondsS
	l.sum.GoodputMbps = float64(l.sum.Bytes) * 8 / 1e6 / l.sum.SecondsS
	l.note("%d visits; each subscription expects what lies between its first object and its last", l.visits)
	if l.failure != nil {
		l.note("%d visits failed, the first failure: %v", l.failed, l.failure)
	}
	for _, s := range l.senders {
		if s.stuck {
			l.note("the relay took nothing of track %s for %s at the end", s.track.Name(), grace)
		}
	}
	return l.latency("no object that tells its time has come")
}

// sleep waits, and reports false if the context ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
