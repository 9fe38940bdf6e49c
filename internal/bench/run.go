package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/track"
)

// How long things may take: a relay that is not there; what is on its way when the window is over, in all and without
// any progress; and the end.
const (
	dialTime   = 1800 * time.Millisecond
	drainTime  = 5 * time.Second
	quietTime  = time.Second
	closeTime  = 2 * time.Second
	pollEvery  = 5 * time.Millisecond
	connecting = 16 // subscribers that connect at a time
)

// Run measures. The context cuts it short; what was measured until then is lost.
func Run(ctx context.Context, c Config) (*Result, error) {
	if err := c.Load.Prepare(); err != nil {
		return nil, err
	}
	return newRunning(c).all(ctx)
}

// all runs the bench.
func (r *running) all(ctx context.Context) (*Result, error) {
	if r.PID != 0 {
		if _, _, err := pidUsage(r.PID); err != nil {
			return nil, err
		}
	}
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	err := r.run(ctx)
	r.close()
	if err != nil {
		return nil, err
	}
	if err := r.complete(); err != nil {
		return nil, err
	}
	if r.apart != nil {
		return r.apart.both(r.result)
	}
	return r.result, nil
}

func newRunning(c Config) *running {
	r := &running{Config: c, clock: newClock(), lat: newLatencies(), result: &Result{Version: ResultVersion,
		Bench: c.Bench, Relay: c.Relay, Load: c.Load, Started: time.Now().UTC()}}
	if r.Interval <= 0 {
		r.Interval = time.Second
	}
	return r
}

// running is a bench that runs.
type running struct {
	Config
	clock     clock
	lat       *latencies
	result    *Result
	stop      context.CancelCauseFunc
	listener  *moq.Listener
	publisher *moq.Session
	sender    *sender
	joins     *spreads
	reading   context.Context // of the receivers
	endReads  context.CancelFunc
	tasks     sync.WaitGroup
	apart     *apart

	// Of the clock of a publisher on another host.
	exchanges  int
	recent     []offset
	noExchange error // why there were none

	mu        sync.Mutex
	receivers []*receiver // those who read
	gone      mark        // what those have got who have left
	sessions  []*moq.Session

	start, end  time.Time // of the window
	cpu, pidCPU time.Duration
	pidMemory   uint64
	mark        mark
}

// run goes through the phases of a bench that has a publisher.
func (r *running) run(ctx context.Context) error {
	if r.Bench == "sub" {
		return r.runSub(ctx)
	}
	var err error
	if r.sender, err = newSender(r.clock, r.Namespace, r.Track, r.Load); err != nil {
		return err
	}
	r.reading, r.endReads = context.WithCancel(ctx)
	defer r.endReads()
	if err := r.connectPublisher(ctx); err != nil {
		return err
	}
	warm, warmed := context.WithCancel(ctx)
	defer warmed()
	failed := make(chan error, 1)
	r.tasks.Go(func() {
		err := r.sender.track.WaitForward(warm, 1)
		if err == nil {
			err = r.sender.warm(ctx, warm)
		} else if warm.Err() != nil {
			err = nil
		}
		failed <- err
	})
	if err := r.join(ctx, failed); err != nil {
		return err
	}
	if err := r.pause(ctx, failed); err != nil {
		return err
	}
	warmed()
	if err := <-failed; err != nil {
		return err
	}
	return r.measure(ctx)
}

// connectPublisher makes the publisher's end.
func (r *running) connectPublisher(ctx context.Context) (err error) {
	if r.Bench == "loopback" {
		o := r.Options
		o.Handler = moq.Serve(r.sender.track)
		o.TLS = nil
		if r.listener, err = moq.Listen("127.0.0.1:0", &o); err != nil {
			return err
		}
		r.URL = r.listener.URL()
		r.Options.TLS = r.listener.ClientTLS()
		return nil
	}
	if r.Bench == "pub" {
		r.Options.Handler = r.answerClock
	}
	if r.publisher, err = r.dial(ctx); err != nil {
		return fmt.Errorf("publisher: %w", err)
	}
	r.watch("publisher", r.publisher)
	r.describe(r.publisher)
	asking, cancel := context.WithTimeout(ctx, r.Wait)
	defer cancel()
	return r.publish(asking, r.sender.track)
}

// publish makes a track known.
func (r *running) publish(ctx context.Context, t *moq.Track) error {
	opts := []moq.PublishOption{moq.WithParameters(r.parameters()...)}
	if r.Direct {
		opts = append(opts, moq.Direct())
	}
	if err := r.publisher.Publish(ctx, t, opts...); err != nil {
		return fmt.Errorf("publisher: %w", err)
	}
	return nil
}

func (r *running) dial(ctx context.Context) (*moq.Session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, dialTime, fmt.Errorf("nothing was set up within %s", dialTime))
	defer cancel()
	return moq.Dial(ctx, r.URL, &r.Options)
}

// watch ends the bench when a session ends before its time.
func (r *running) watch(who string, s *moq.Session) {
	context.AfterFunc(s.Context(), func() {
		r.stop(fmt.Errorf("%s: %w", who, context.Cause(s.Context())))
	})
}

func (r *running) describe(s *moq.Session) {
	r.result.Peer, r.result.Draft = s.PeerImplementation(), s.Draft().String()
	r.result.Transport = string(s.Conn().Info().Kind)
	r.say("connected to %s: %s over %s", s.URL(), s.Draft(), s.Conn().Info().Kind)
}

// join connects the subscribers, and waits until each has got an object.
func (r *running) join(ctx context.Context, failed <-chan error) error {
	if r.Subscriber != nil {
		r.startApart(ctx)
	}
	if r.Bench == "pub" || r.apart != nil {
		r.say("waiting for a subscriber")
		waiting, cancel := context.WithTimeoutCause(ctx, r.Wait, fmt.Errorf("nobody has subscribed within %s", r.Wait))
		defer cancel()
		return r.sender.track.WaitForward(waiting, 1)
	}
	r.joins = newSpreads()
	wait := r.Wait
	if r.Load.RatePerS > 0 {
		wait += time.Duration(2 / r.Load.RatePerS * float64(time.Second))
	}
	joining, cancel := context.WithTimeoutCause(ctx, wait, fmt.Errorf("no object has come within %s", wait))
	defer cancel()
	errs := make(chan error, r.Load.Subscribers)
	room := make(chan struct{}, connecting)
	for range r.Load.Subscribers {
		r.tasks.Go(func() {
			select {
			case room <- struct{}{}:
				defer func() { <-room }()
			case <-joining.Done():
				errs <- context.Cause(joining)
				return
			}
			errs <- r.subscriber(joining)
		})
	}
	for range r.Load.Subscribers {
		select {
		case err := <-errs:
			if err != nil {
				return fmt.Errorf("subscriber: %w", err)
			}
		case err := <-failed:
			return cmp.Or(err, errors.New("the publisher has stopped"))
		}
	}
	return nil
}

// subscriber connects one subscriber, and waits for its first object.
func (r *running) subscriber(ctx context.Context) error {
	s, err := r.dial(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	first := len(r.sessions) == 0
	r.sessions = append(r.sessions, s)
	if first && r.publisher == nil {
		r.describe(s)
	}
	r.mu.Unlock()
	r.watch("subscriber", s)
	span := uint64(window)
	if r.Load.Subscribers > 1 {
		span = smallWindow
	}
	recv := newReceiver(r.clock, r.lat, false, span)
	began := time.Now()
	sub, err := s.Subscribe(ctx, r.Namespace, r.Track, r.subscribe(recv))
	if err != nil {
		return err
	}
	r.tasks.Go(func() { recv.run(r.reading, sub) })
	r.mu.Lock()
	r.receivers = append(r.receivers, recv)
	r.mu.Unlock()
	if err := recv.first(ctx); err != nil {
		return err
	}
	r.joins.add(recv.firstAt.Load() - r.clock.of(began))
	return nil
}

// subscribe shapes the subscription that a receiver is to read.
func (r *running) subscribe(recv *receiver) moq.SubscribeOption {
	return func(q *moq.SubscribeRequest) {
		q.Parameters = r.parameters()
		q.Read = track.ReadOptions{StreamAbove: streamAbove, Again: recv.repeats.add}
	}
}

// first waits for the first object.
func (r *receiver) first(ctx context.Context) error {
	every := time.NewTicker(pollEvery)
	defer every.Stop()
	for r.firstAt.Load() == 0 {
		select {
		case <-every.C:
		case <-r.done:
			return cmp.Or(r.err, errors.New("the track has ended before its first object"))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// pause lets the warm-up go on, and waits for a common start.
func (r *running) pause(ctx context.Context, failed <-chan error) error {
	until := time.Now().Add(r.Warmup)
	if !r.StartAt.IsZero() {
		if until.After(r.StartAt) {
			return fmt.Errorf("the common start was at %s, and this end was not ready", r.StartAt.Format(time.RFC3339))
		}
		until = r.StartAt
	}
	began := time.Now()
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-t.C:
	case err := <-failed:
		return cmp.Or(err, errors.New("the publisher has stopped"))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	r.result.WarmupS = time.Since(began).Seconds()
	return nil
}

// measure is the window, and waits for what is on its way.
func (r *running) measure(ctx context.Context) error {
	r.begin()
	sent := make(chan error, 1)
	r.tasks.Go(func() { sent <- r.sender.measure(ctx, r.Duration) })
	if err := r.laps(ctx, sent, 1); err != nil {
		return err
	}
	r.end = time.Now()
	ending, cancel := context.WithTimeoutCause(ctx, grace, errCut)
	defer cancel()
	if err := r.sender.end(ending); err != nil && !errors.Is(context.Cause(ending), errCut) {
		return err
	}
	err := r.drain(ctx)
	r.usage()
	return err
}

// laps tells the intervals, until so many senders have ended.
func (r *running) laps(ctx context.Context, sent <-chan error, n int) (err error) {
	every := time.NewTicker(r.Interval)
	defer every.Stop()
	for n > 0 {
		select {
		case failed := <-sent: // each ends with ctx at the latest
			if n--; failed != nil && err == nil {
				err = failed
				r.stop(failed)
			}
		case <-every.C:
			r.lap()
		}
	}
	return cmp.Or(context.Cause(ctx), err)
}

// drain waits until everything has come that was sent, or nothing more comes.
func (r *running) drain(ctx context.Context) error {
	began := time.Now()
	every := time.NewTicker(pollEvery)
	defer every.Stop()
	if r.apart != nil { // it knows when all has come
		select {
		case <-r.apart.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	moved, came := began, r.progress()
	for time.Since(began) < drainTime && time.Since(moved) < quietTime && !r.allCame() {
		select {
		case <-every.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if now := r.progress(); now != came {
			moved, came = time.Now(), now
		}
	}
	r.result.DrainS = time.Since(began).Seconds()
	return nil
}

// progress moves as long as a subscriber gets something.
func (r *running) progress() (n uint64) {
	for _, recv := range r.receivers {
		n += recv.progress()
	}
	return n
}

func (r *running) allCame() bool {
	if r.sender == nil {
		return false
	}
	sent := r.sender.sent.Load()
	for _, recv := range r.receivers {
		if recv.objects.Load() >= sent {
			continue
		}
		select {
		case <-recv.done:
		default:
			return false
		}
	}
	return true
}

// close ends the subscriptions, the track and the sessions.
func (r *running) close() {
	r.stop(errOver)
	for _, recv := range r.receivers {
		<-recv.done
		recv.sub.Close()
	}
	if !r.start.IsZero() {
		r.lap() // with what has come last
	}
	if r.sender != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		_ = r.sender.track.End(ctx) // who has left is not told
		cancel()
	}
	var closing sync.WaitGroup
	for _, s := range r.sessions {
		closing.Go(s.Close)
	}
	closing.Wait()
	if r.publisher != nil {
		r.publisher.Close()
	}
	if r.listener != nil {
		r.listener.Close()
	}
	r.tasks.Wait()
}

// errOver ends what still runs when a bench is over.
var errOver = errors.New("the bench is over")
