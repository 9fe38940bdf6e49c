package reference

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// track is one track: its log, who publishes it to the relay, and who subscribes to it here. The log's lock guards all
// but the first fields.
type track struct {
	trackLog
	relay     *Relay
	namespace wire.TrackNamespace
	name      string
	key       string
	users     int // guarded by the relay's lock; a track without users and objects is forgotten

	// upstreams are the established subscriptions that bring the track; attempt is the asking for one.
	upstreams []*upstream
	attempt   *attempt
	// waiting counts requests that need an upstream and are not subscribers yet, coming the PUBLISHes that are being
	// accepted.
	waiting, coming int
	// subscribers is never changed in place.
	subscribers []*subscriber
	// properties are the track's, in the newest shape; priority is its default Publisher Priority.
	properties wire.Properties
	priority   uint8
	timeouts   timeouts
	maxAge     time.Duration
	// asked is the largest NEW_GROUP_REQUEST passed on since the last new group, plus 1.
	asked uint64
	// change is closed when an upstream comes or goes, or a publisher appears.
	change chan struct{}

	// crowded counts subscribers that are further behind than Limits.SubscriberBytes, taken the bytes sent to any. room
	// is closed when one has caught up. impatient: the publisher does not wait for them any more.
	crowded   int
	taken     int64
	room      chan struct{}
	impatient bool
}

// attempt is the asking of publishers for a track, which all who want it wait for.
type attempt struct {
	done chan struct{} // closed when one has accepted or all have refused
	err  error
	left int
}

// refusal is why a request is refused.
type refusal struct {
	code   moqt.RejectCode
	reason string
}

func (e *refusal) Error() string { return e.reason }

func refuse(code moqt.RejectCode, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// acquire finds or makes a track. The caller must release it.
func (r *Relay) acquire(ns wire.TrackNamespace, name string) *track {
	key := ns.Join(name).Key()
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tracks[key]
	if t == nil {
		r.sweep()
		t = &track{
			relay: r, namespace: ns, name: name, key: key,
			priority: moqt.DefaultPublisherPriority, change: make(chan struct{}), room: make(chan struct{}),
		}
		t.init(r.cache)
		r.tracks[key] = t
		r.counters.Tracks.Add(1)
	}
	t.users++
	return t
}

// release gives a track back.
func (r *Relay) release(t *track) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.users--
	r.forget(t)
}

// forget drops a track that nobody uses and that holds nothing. The caller holds the relay's lock.
func (r *Relay) forget(t *track) {
	if t.users > 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.groups) == 0 {
		delete(r.tracks, t.key)
		r.counters.Tracks.Add(-1)
	}
}

// sweep forgets tracks that eviction has emptied, when there are many more than the last time. The caller holds the
// relay's lock.
func (r *Relay) sweep() {
	if len(r.tracks) < r.sweepAt {
		return
	}
	for _, t := range r.tracks {
		r.forget(t)
	}
	r.sweepAt = max(1024, 2*len(r.tracks))
}

// changed wakes those who wait for an upstream. The caller holds the track's lock.
func (t *track) changed() {
	close(t.change)
	t.change = make(chan struct{})
}

// published tells t that a publisher has appeared.
func (t *track) published() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed()
}

// establish waits until t has an upstream: an established one, or one that publishers are asked for; wait is how long
// it waits for a publisher to appear. After success the caller is counted in t.waiting until it calls settle. The error
// is a *refusal, or that of ctx.
func (t *track) establish(ctx context.Context, ps wire.Parameters, wait time.Duration) (err error) {
	t.mu.Lock()
	t.waiting++
	t.mu.Unlock()
	defer func() {
		if err != nil {
			t.settle()
		}
	}()
	var timeout <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		timeout = timer.C
	}
	for {
		t.mu.Lock()
		established, a, change, coming := len(t.upstreams) > 0, t.attempt, t.change, t.coming > 0
		t.mu.Unlock()
		if established {
			return nil
		}
		if a == nil {
			if a = t.ask(ps); a == nil && wait <= 0 && !coming {
				return refuse(moqt.RejectDoesNotExist, "nobody publishes this track")
			}
		}
		if a != nil {
			select {
			case <-a.done:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if a.err == nil || t.provided() { // a PUBLISH may have overtaken our SUBSCRIBE
				continue
			}
			return a.err
		}
		select {
		case <-change:
		case <-timeout:
			return refuse(moqt.RejectTimeout, "no publisher came within %v", wait)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// provided reports whether t has an upstream, or is about to have one.
func (t *track) provided() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.upstreams) > 0 || t.coming > 0
}

// settle ends what establish began.
func (t *track) settle() {
	t.mu.Lock()
	t.waiting--
	t.mu.Unlock()
	t.idle()
}

// ask begins an attempt with all publishers of the namespace; nil when there are none.
func (t *track) ask(ps wire.Parameters) *attempt {
	publishers := t.relay.publishers(t.namespace)
	if len(publishers) == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.attempt != nil || len(t.upstreams) > 0 {
		return t.attempt
	}
	a := &attempt{done: make(chan struct{}), left: len(publishers)}
	t.attempt = a
	for _, p := range publishers {
		t.relay.tasks.Go(func() { t.answered(a, t.subscribeTo(p, ps)) })
	}
	return a
}

// answered counts one publisher's answer in an attempt.
func (t *track) answered(a *attempt, err error) {
	t.mu.Lock()
	a.left--
	over := a.left == 0
	if t.attempt == a { // it is not decided yet
		if a.err == nil {
			a.err = err
		}
		if err == nil || over {
			if err == nil {
				a.err = nil
			}
			t.attempt = nil
			close(a.done)
		}
	}
	t.mu.Unlock()
	if over {
		t.idle()
	}
}

// attach adds an upstream, whose publisher said what it had published. The error is a *refusal.
func (t *track) attach(u *upstream, info trackInfo) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.ContainsFunc(t.upstreams, func(x *upstream) bool { return x.peer == u.peer }) {
		return refuse(moqt.RejectDuplicateSubscription, "this session publishes the track already")
	}
	if len(t.upstreams) == 0 {
		if t.hasLargest && (!info.hasLargest || info.largest.Compare(t.largest) < 0) {
			t.reset() // it began anew
		}
		t.properties, t.priority, t.timeouts, t.maxAge = info.properties, info.priority, info.timeouts, info.maxAge
		if t.relay.faults[stripTrackProperties] {
			t.properties = nil
		}
		t.ended = false
		for _, s := range t.subscribers {
			s.limit()
		}
	}
	t.upstreams = append(t.upstreams, u)
	if u.forward {
		t.follow(info.largest, info.hasLargest)
	} else {
		t.raise(info.largest, info.hasLargest)
	}
	t.changed()
	return nil
}

// detach takes an upstream away. When it was the last, subscribers get what is left and then PUBLISH_DONE.
func (t *track) detach(u *upstream, code moqt.DoneCode, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.upstreams, u)
	if i < 0 {
		return
	}
	t.upstreams = slices.Delete(t.upstreams, i, i+1)
	if len(t.upstreams) > 0 {
		return
	}
	t.unfollow(code == moqt.DoneTrackEnded)
	for _, s := range t.subscribers {
		s.finishWith(code, reason)
	}
	t.changed()
}

// idle gives up the upstreams that the relay asked for when nobody needs them any more. What was published unasked goes
// on into the cache.
func (t *track) idle() {
	t.mu.Lock()
	var over []*upstream
	if len(t.subscribers) == 0 && t.waiting == 0 && t.attempt == nil {
		over = slices.Clone(t.upstreams)
	}
	t.mu.Unlock()
	for _, u := range over {
		if u.asked {
			t.detach(u, moqt.DoneSubscriptionEnded, "no subscriber is left")
			u.cancel()
		}
	}
}

// malformed ends the track for everybody (draft-18 §2.4.2).
func (t *track) malformed(err error) {
	t.mu.Lock()
	over := slices.Clone(t.upstreams)
	for _, s := range t.subscribers {
		s.finishWith(moqt.DoneMalformedTrack, err.Error())
	}
	t.mu.Unlock()
	t.relay.log.Warn("malformed track", "track", t.name, "error", err)
	for _, u := range over {
		t.detach(u, moqt.DoneMalformedTrack, err.Error())
		u.cancel()
	}
}

// roomy wakes the publishers that wait for a subscriber to catch up. The caller holds the track's lock.
func (t *track) roomy() {
	t.impatient = false
	close(t.room)
	t.room = make(chan struct{})
}

// stalled reports whether every subscriber that follows a stream is far behind. The caller holds the track's lock.
func (t *track) stalled(in *inflow) bool {
	if t.crowded == 0 || t.impatient || in == nil || len(in.followers) == 0 {
		return false
	}
	for _, o := range in.followers {
		if o.sub.lag <= t.relay.limits.SubscriberBytes {
			return false
		}
	}
	return true
}

// gate makes a publisher's stream wait while every subscriber that follows it is far behind, as long as one of them
// takes something now and then: so a fast publisher and a slow subscriber meet, and one who is stuck stops nobody.
func (t *track) gate(ctx context.Context, src *source) {
	const progress = 64 << 10
	for ctx.Err() == nil {
		t.mu.Lock()
		wait, room, taken := t.stalled(src.in), t.room, t.taken
		t.mu.Unlock()
		if !wait {
			return
		}
		timer := time.NewTimer(t.relay.limits.Patience)
		select {
		case <-room:
		case <-ctx.Done():
		case <-timer.C:
			t.mu.Lock()
			t.impatient = t.impatient || t.taken-taken < progress
			t.mu.Unlock()
		}
		timer.Stop()
	}
}

// asRefusal turns the failure of an upstream request into the refusal of the downstream one.
func asRefusal(err error) *refusal {
	var own *refusal
	var refused *moqt.RequestError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &refused):
		code := moqt.RejectCode(moqt.RejectInternalError)
		if meaning, ok := wire.RequestErrorCode(refused.Code).Meaning(refused.Draft, refused.Kind); ok {
			if c, ok := rejects[meaning]; ok {
				code = c
			}
		}
		return &refusal{code, refused.Reason}
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(moqt.RejectTimeout, "the publisher has not answered")
	}
	return refuse(moqt.RejectInternalError, "the publisher's session failed")
}

// rejects are the refusals of publishers that are passed on to subscribers.
var rejects = map[wire.ErrorName]moqt.RejectCode{
	wire.NameUnauthorized:         moqt.RejectUnauthorized,
	wire.NameTimeout:              moqt.RejectTimeout,
	wire.NameNotSupported:         moqt.RejectNotSupported,
	wire.NameGoingAway:            moqt.RejectGoingAway,
	wire.NameExcessiveLoad:        moqt.RejectExcessiveLoad,
	wire.NameDoesNotExist:         moqt.RejectDoesNotExist,
	wire.NameInvalidRange:         moqt.RejectInvalidRange,
	wire.NameMalformedTrack:       moqt.RejectMalformedTrack,
	wire.NameNoObjects:            moqt.RejectNoObjects,
	wire.NameUnknownStatusInRange: moqt.RejectUnknownStatusInRange,
	wire.NameUninterested:         moqt.RejectDoesNotExist,
	wire.NameUnsupportedExtension: moqt.RejectUnsupportedExtension,
}
