package reference

import (
	"context"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// waiter is a request that needs an upstream. It joins the track at the very moment when there is one. So an object
// counts as past only if it came before, and none is lost in between (draft-18 §10.2.11).
type waiter struct {
	join   func() // is called once, with the track's lock held
	joined chan struct{}
}

func (w *waiter) hasJoined() bool {
	select {
	case <-w.joined:
		return true
	default:
		return false
	}
}

// attempt is one round of asking publishers for a track. Everybody who wants the track waits for it.
type attempt struct {
	done chan struct{} // closed when one has accepted or all have refused
	err  error
	left int
}

// establish waits until t has an upstream, asking publishers if there is none, and calls join at that moment with the
// track's lock held. wait is how long it waits for a publisher to appear. The error is a *refusal or that of ctx; join
// was then not called.
func (t *track) establish(ctx context.Context, ps wire.Parameters, wait time.Duration, join func()) error {
	t.mu.Lock()
	if len(t.upstreams) > 0 {
		defer t.mu.Unlock()
		join()
		return nil
	}
	w := &waiter{join, make(chan struct{})}
	t.waiters = append(t.waiters, w)
	t.mu.Unlock()
	err := t.await(ctx, w, ps, wait)
	t.mu.Lock()
	t.waiters = slices.DeleteFunc(t.waiters, func(x *waiter) bool { return x == w })
	t.mu.Unlock()
	if w.hasJoined() {
		return nil
	}
	t.idle()
	return err
}

// await waits until w has joined, or can no longer join.
func (t *track) await(ctx context.Context, w *waiter, ps wire.Parameters, wait time.Duration) error {
	var timeout <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		timeout = timer.C
	}
	for rounds := 0; ; {
		t.mu.Lock()
		a, change, coming := t.attempt, t.change, len(t.coming) > 0
		t.mu.Unlock()
		if a == nil {
			if a = t.ask(ps); a == nil && wait <= 0 && !coming && !w.hasJoined() {
				return t.relay.nobody()
			}
		}
		var answered <-chan struct{}
		if a != nil {
			answered = a.done
		}
		select {
		case <-w.joined:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-answered:
			rounds++
			switch {
			case w.hasJoined():
				return nil
			case a.err != nil && !t.provided(): // a PUBLISH may have overtaken our SUBSCRIBE
				return a.err
			case rounds == maxRounds:
				return refuse(moqt.RejectInternalError, "the publisher accepts the track and ends it at once")
			}
		case <-change:
		case <-timeout:
			if a == nil {
				return refuse(moqt.RejectTimeout, "no publisher came within %v", wait)
			}
			timeout = nil // its answer is waited for
		}
	}
}

// maxRounds bounds how often publishers are asked for one request.
const maxRounds = 3

// provided reports whether t has an upstream, or will have one as soon as a PUBLISH is accepted.
func (t *track) provided() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.upstreams) > 0 || len(t.coming) > 0
}

// ask begins an attempt with all publishers of the namespace; nil when there are none to ask.
func (t *track) ask(ps wire.Parameters) *attempt {
	publishers := t.relay.publishers(t.namespace)
	t.mu.Lock()
	defer t.mu.Unlock()
	publishers = slices.DeleteFunc(publishers, func(p *peer) bool {
		_, coming := t.coming[p]
		return coming
	})
	if t.attempt != nil || len(t.upstreams) > 0 || len(publishers) == 0 {
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

// attach makes an upstream live, after its publisher has said what it has published. Requests that wait for the track
// join it. The error is a *refusal: the session already brings the track.
func (t *track) attach(u *upstream, info trackInfo) error {
	publishers := t.relay.publishers(t.namespace)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bringsFrom(u.peer) {
		u.step(superseded)
		return refuse(moqt.RejectDuplicateSubscription, "this session publishes the track already")
	}
	if !u.step(accepted) {
		return refuse(moqt.RejectInternalError, "the subscription is %s", u.state)
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
	t.reigns(u.peer, publishers, info)
	t.upstreams = append(t.upstreams, u)
	if u.forward {
		t.follow(info.largest, info.hasLargest)
	} else {
		t.raise(info.largest, info.hasLargest)
	}
	for _, w := range t.waiters {
		w.join()
		close(w.joined)
	}
	t.waiters = nil
	t.changed()
	return nil
}

// bringsFrom reports whether a session brings the track. The caller holds the track's lock.
func (t *track) bringsFrom(p *peer) bool {
	return slices.ContainsFunc(t.upstreams, func(u *upstream) bool { return u.peer == p })
}

// detach removes an upstream from the live ones. After the last one, subscribers get what is left and then
// PUBLISH_DONE. The caller holds the track's lock.
func (t *track) detach(u *upstream, code moqt.DoneCode, reason string) {
	i := slices.Index(t.upstreams, u)
	if i < 0 {
		return
	}
	t.upstreams = slices.Delete(t.upstreams, i, i+1)
	if len(t.upstreams) > 0 {
		return
	}
	t.unfollow(code == moqt.DoneTrackEnded)
	if u.peer.ctx.Err() != nil && t.relay.faulty && t.spoilLost() {
		return
	}
	for _, s := range t.subscribers {
		s.finishWith(code, reason)
	}
	t.changed()
}

// unwanted reports whether nobody needs the upstreams that the relay asked for. The caller holds the track's lock.
func (t *track) unwanted() bool {
	return len(t.subscribers) == 0 && len(t.waiters) == 0 && t.attempt == nil
}

// idle gives up the upstreams that the relay asked for when nobody has needed them for a while. A subscriber that
// unsubscribes and comes straight back still finds them. Tracks that were published unasked go on filling the cache.
func (t *track) idle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.unwanted() || !slices.ContainsFunc(t.upstreams, func(u *upstream) bool { return u.asked }) {
		return
	}
	t.idleSince = time.Now()
	if !t.idling {
		t.idling = true
		t.relay.tasks.Go(t.leaveIdle)
	}
}

// leaveIdle waits until nobody has needed the track for Limits.Keep, or until somebody needs it again.
func (t *track) leaveIdle() {
	r := t.relay
	for {
		t.mu.Lock()
		wait := time.Until(t.idleSince.Add(r.limits.Keep))
		if over := t.unwanted(); !over || wait <= 0 || r.ctx.Err() != nil {
			t.idling = false
			var dropping []*upstream
			if over {
				dropping = t.drop(func(u *upstream) bool { return u.asked }, moqt.DoneSubscriptionEnded, "")
			}
			t.mu.Unlock()
			for _, u := range dropping {
				u.cancel()
			}
			return
		}
		t.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-r.ctx.Done():
		}
		timer.Stop()
	}
}

// drop begins to leave upstreams. The caller holds the track's lock, and cancels them after releasing it.
func (t *track) drop(which func(*upstream) bool, code moqt.DoneCode, reason string) (dropping []*upstream) {
	for _, u := range slices.Clone(t.upstreams) {
		if which(u) && u.step(dropped) {
			t.detach(u, code, reason)
			dropping = append(dropping, u)
		}
	}
	return dropping
}

// malformed ends the track for everybody (draft-18 §2.4.2).
func (t *track) malformed(err error) {
	t.mu.Lock()
	code := moqt.DoneMalformedTrack
	if t.relay.faults[malformedCodeWrong] {
		code = moqt.DoneInternalError
	}
	dropping := t.drop(func(*upstream) bool { return true }, code, err.Error())
	t.resetFetches()
	t.mu.Unlock()
	t.relay.log.Warn("malformed track", "track", t.name, "error", err)
	for _, u := range dropping {
		u.cancel()
		if t.relay.faults[malformedCloses] {
			u.peer.session.Abort(wire.ProtocolViolation, "fault")
		}
	}
}
