package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

// betweenAsks is how long sub waits before it asks again for a track that is not there.
const betweenAsks = 100 * time.Millisecond

// runSub reads a track that somebody else publishes: one of a bench, or of another make.
func (r *running) runSub(ctx context.Context) error {
	s, err := r.dial(ctx)
	if err != nil {
		return err
	}
	r.sessions = []*moq.Session{s}
	r.watch("subscriber", s)
	r.describe(s)
	r.joins = newSpreads()
	r.reading, r.endReads = context.WithCancel(ctx)
	defer r.endReads()
	waiting, cancel := context.WithTimeoutCause(ctx, r.Wait, fmt.Errorf("no object has come within %s", r.Wait))
	defer cancel()
	recv := newReceiver(r.clock, r.lat, true, window)
	recv.trusted = r.ClockError > 0
	for {
		began := time.Now()
		sub, err := s.Subscribe(waiting, r.Namespace, r.Track, r.subscribe(recv))
		if refused := (*moqt.RequestError)(nil); errors.As(err, &refused) && waiting.Err() == nil {
			select {
			case <-time.After(betweenAsks):
				continue
			case <-waiting.Done():
			}
		}
		if err != nil {
			return err
		}
		warm := r.clock.of(time.Now().Add(r.Warmup))
		recv.pastWarm = func(now int64) bool { return now >= warm }
		r.mu.Lock()
		r.receivers = []*receiver{recv}
		r.mu.Unlock()
		r.tasks.Go(func() { recv.run(r.reading, sub) })
		if err := recv.first(waiting); err != nil {
			return err
		}
		r.joins.add(recv.firstAt.Load() - r.clock.of(began))
		if recv.elsewhere.Load() {
			r.tasks.Go(func() { r.compareClocks(r.reading, s, recv) })
		}
		break
	}
	return r.readUntil(ctx, recv)
}

// readUntil takes the window's intervals until the time is over, or everything has come.
func (r *running) readUntil(ctx context.Context, recv *receiver) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	began := time.Now()
	for recv.measuredAt.Load() == 0 {
		select {
		case <-poll.C:
		case <-recv.done:
			return cmp.Or(recv.err, errors.New("the track has ended before its first measured object"))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	r.result.WarmupS = time.Since(began).Seconds()
	r.begin()
	r.start = r.clock.base.Add(time.Duration(recv.measuredAt.Load() - r.clock.at))
	next := r.start.Add(r.Interval)
	moved, came := time.Now(), uint64(0)
	for over := false; !over; {
		select {
		case <-poll.C:
		case <-recv.done:
			over = true
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if now := recv.progress(); now != came {
			moved, came = time.Now(), now
		}
		total := recv.total.Load()
		over = over || r.Duration > 0 && time.Since(r.start) >= r.Duration ||
			total >= 0 && (recv.objects.Load() >= uint64(total) || time.Since(moved) > quietTime)
		if time.Now().After(next) {
			next = next.Add(r.Interval)
			r.lap()
		}
	}
	r.usage()
	if r.Duration == 0 {
		r.Duration = time.Since(r.start)
	}
	return nil
}
