package reference

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// upstream is one subscription of the relay to a publisher, by our SUBSCRIBE or by its PUBLISH.
type upstream struct {
	track *track
	peer  *peer
	asked bool // by our SUBSCRIBE, not by its PUBLISH
	draft wire.Draft
	ctx   context.Context
	// cancel ends the subscription on our side.
	cancel context.CancelFunc

	// The track's lock guards these. decided is closed when the request is answered, and failed says why it was
	// refused; over is closed when the subscription is gone.
	state   life
	decided chan struct{}
	failed  error
	over    chan struct{}
	forward bool

	// These are set before the subscription is live. priority is the publisher's default.
	sub      *moqt.Subscription
	priority uint8
}

// trackInfo is what a publisher says about a track, in the newest form.
type trackInfo struct {
	largest    wire.Location
	hasLargest bool
	properties wire.Properties
	priority   uint8
	timeouts   timeouts
	maxAge     time.Duration
}

// newUpstream makes an upstream whose request is not answered yet.
func (t *track) newUpstream(p *peer, asked bool) *upstream {
	u := &upstream{track: t, peer: p, asked: asked, draft: p.session.Draft(), decided: make(chan struct{}),
		over: make(chan struct{})}
	u.ctx, u.cancel = context.WithCancel(p.ctx)
	return u
}

// step takes a step of u's life, and reports whether the event was possible in its state. The caller holds the track's
// lock.
func (u *upstream) step(e lifeEvent) bool {
	next, ok := u.state.next(e)
	if !ok {
		return false
	}
	if u.state == asking {
		close(u.decided)
	}
	u.state = next
	if next == gone {
		if u.track.asked[u.peer] == u {
			delete(u.track.asked, u.peer)
		}
		close(u.over)
	}
	return true
}

// subscribeTo asks a publisher for the track, unless the publisher brings it already. If it accepts, its objects come
// from then on in a goroutine of the relay. The error is a *refusal.
func (t *track) subscribeTo(p *peer, ps wire.Parameters) error {
	r := t.relay
	ctx, cancel := context.WithTimeout(p.ctx, r.limits.Fetch)
	defer cancel()
	u, again, err := t.begin(ctx, p)
	if err != nil {
		return asRefusal(err)
	}
	if u == nil {
		return nil
	}
	sub, err := u.request(ctx, ps, again)
	e := refused
	var info trackInfo
	if err == nil {
		ok := sub.OK()
		info = infoOf(u.draft, ok.Parameters, ok.Properties)
		if name, bad := r.unknownMandatory(u.draft, ok.Properties); bad {
			sub.Unsubscribe()
			e, err = unanswered, refuse(moqt.RejectUnsupportedExtension, "the track has the mandatory property 0x%x",
				name)
		}
	} else if p.ctx.Err() != nil {
		e = ended
	} else if ctx.Err() != nil {
		e, err = unanswered, context.DeadlineExceeded
	}
	if err != nil {
		u.cancel()
		p.spoilRefused(err)
		r.log.Info("publisher did not accept SUBSCRIBE", "track", t.name, "session", p.id, "error", err)
		no := asRefusal(err)
		t.mu.Lock()
		u.failed = no
		u.step(e)
		t.mu.Unlock()
		u.part()
		return no
	}
	u.sub, u.priority, u.forward = sub, info.priority, !r.faults[forwardNotPassedOn]
	if err := t.attach(u, info); err != nil { // it publishes the track already
		u.cancel()
		sub.Unsubscribe()
		u.part()
		return nil
	}
	r.use(t)
	r.tasks.Go(func() {
		defer r.release(t)
		u.run()
	})
	return nil
}

// begin makes the upstream with which t asks a session; nil if the session brings the track or is about to. If the
// session is being asked already, begin waits for the answer. If the relay is leaving it, begin waits until that is
// done, and again says that the relay left it just now.
func (t *track) begin(ctx context.Context, p *peer) (u *upstream, again bool, err error) {
	for {
		t.mu.Lock()
		if _, coming := t.coming[p]; coming || t.bringsFrom(p) {
			t.mu.Unlock()
			return nil, false, nil
		}
		earlier := t.asked[p]
		if earlier == nil {
			u = t.newUpstream(p, true)
			t.asked[p] = u
			again = t.parted == p && time.Since(t.partedAt) < crossing
			t.mu.Unlock()
			return u, again, nil
		}
		wait, answer := earlier.over, earlier.state == asking
		if answer {
			wait = earlier.decided
		}
		t.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
		if answer {
			t.mu.Lock()
			defer t.mu.Unlock()
			return nil, false, earlier.failed
		}
	}
}

const (
	// parting is how long a publisher that the relay has left may take to know it, from 17 on: the cancellation and the
	// next SUBSCRIBE are on different streams and may arrive in either order.
	parting = 100 * time.Millisecond
	// crossing is how long after that a refusal may mean that the publisher did not know yet.
	crossing = 2 * time.Second
	// crossings is how often the publisher is then asked again.
	crossings = 3
)

// request sends SUBSCRIBE and waits for the answer.
func (u *upstream) request(ctx context.Context, ps wire.Parameters, again bool) (*moqt.Subscription, error) {
	t := u.track
	m := &wire.Subscribe{TrackNamespace: t.namespace, TrackName: t.name}
	m.Parameters.SetUint(wire.ParamForward, 1) // draft-18 §9.2
	t.relay.spoilAsking(m, ps)
	if v, ok := ps.Uint(wire.ParamNewGroupRequest); ok && u.draft >= wire.Draft15 && !t.relay.faults[newGroupLost] {
		m.Parameters.SetUint(wire.ParamNewGroupRequest, v)
	}
	u.quirkyAsk(ctx)
	for tries, wait := 0, parting; ; tries, wait = tries+1, 2*wait {
		t.relay.counters.UpstreamSubscribes.Add(1)
		sub, err := u.ask(ctx, m)
		if err == nil || !again || tries == crossings || !crossed(err) {
			return sub, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// ask sends one SUBSCRIBE and waits for the answer.
func (u *upstream) ask(ctx context.Context, m *wire.Subscribe) (*moqt.Subscription, error) {
	if w, ok := u.peer.session.Conn().(*spoiltStreams); ok {
		w.asking.Add(1)
		defer w.asking.Add(-1)
	}
	return u.peer.session.Subscribe(ctx, m)
}

// crossed reports whether a refusal may come from a publisher that does not know of the cancellation yet. It would say
// DUPLICATE_SUBSCRIPTION, or INTERNAL_ERROR if the draft does not have that.
func crossed(err error) bool {
	var no *moqt.RequestError
	return errors.As(err, &no) && (no.Name == string(wire.NameDuplicateSubscription) ||
		no.Name == string(wire.NameInternalError))
}

// part ends a subscription that the relay has left: once the publisher must know of it, it can be asked again.
func (u *upstream) part() {
	t := u.track
	t.mu.Lock()
	wait := u.state == leaving && u.asked && u.draft >= wire.Draft17
	if u.state == leaving {
		t.parted, t.partedAt = u.peer, time.Now()
	}
	t.mu.Unlock()
	if wait {
		timer := time.NewTimer(parting)
		select {
		case <-timer.C:
		case <-u.peer.ctx.Done():
		}
		timer.Stop()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	u.step(left)
}

// run reads the publisher's objects until the publisher is done, its session ends, or u is cancelled.
func (u *upstream) run() {
	defer u.cancel()
	u.quirkyUpstream()
	var readers sync.WaitGroup
	readers.Go(func() { u.peer.guard(u.readDatagrams) })
	if u.draft >= wire.Draft20 {
		readers.Go(func() { u.peer.guard(u.readNotifications) })
	}
	if u.track.relay.faults[doneDropsData] {
		readers.Go(func() {
			if _, err := u.sub.Done(u.ctx); err == nil {
				u.cancel()
			}
		})
	}
	var err error
	for {
		var sr *moqt.SubgroupReader
		if sr, err = u.sub.AcceptSubgroup(u.ctx); err != nil {
			break
		}
		readers.Go(func() { u.peer.guard(func() { u.readSubgroup(sr) }) })
	}
	code, reason := u.status(err)
	if !errors.Is(err, io.EOF) {
		u.sub.Unsubscribe()
		u.cancel()
	}
	readers.Wait()
	t := u.track
	t.mu.Lock()
	if u.step(ended) {
		t.detach(u, code, reason)
	}
	t.mu.Unlock()
	t.relay.orphaned()
	u.part()
}

// status says how the publisher has ended the track: by PUBLISH_DONE, whatever came after it, else by what err says.
func (u *upstream) status(err error) (moqt.DoneCode, string) {
	ctx, cancel := context.WithCancel(u.ctx)
	cancel() // what has come has come
	var cancelled *moqt.CancelError
	done, missing := u.sub.Done(ctx)
	switch {
	case missing == nil:
		meaning, _ := wire.PublishDoneCode(done.StatusCode).Meaning(u.draft)
		if code, ok := dones[meaning]; ok {
			return code, done.Reason
		}
		return moqt.DoneInternalError, done.Reason
	case errors.Is(err, io.EOF):
		return moqt.DoneInternalError, "the publisher ended without PUBLISH_DONE"
	case errors.As(err, &cancelled):
		return moqt.DoneInternalError, "the publisher cancelled its track: " + cancelled.Error()
	}
	return moqt.DoneInternalError, "the publisher's session ended"
}

// dones are the PUBLISH_DONE statuses of publishers that the relay passes on to subscribers.
var dones = map[wire.ErrorName]moqt.DoneCode{
	wire.NameUnauthorized:      moqt.DoneUnauthorized,
	wire.NameTrackEnded:        moqt.DoneTrackEnded,
	wire.NameSubscriptionEnded: moqt.DoneSubscriptionEnded,
	wire.NameGoingAway:         moqt.DoneGoingAway,
	wire.NameExpired:           moqt.DoneExpired,
	wire.NameTooFarBehind:      moqt.DoneTooFarBehind,
	wire.NameMalformedTrack:    moqt.DoneMalformedTrack,
	wire.NameExcessiveLoad:     moqt.DoneExcessiveLoad,
}

// readNotifications handles PUBLISH_STATE_NOTIFY (20 and later).
func (u *upstream) readNotifications() {
	for {
		ps, err := u.sub.NextNotify(u.ctx)
		if err != nil {
			return
		}
		t := u.track
		t.mu.Lock()
		largest, has := ps.Largest()
		t.raise(largest, has)
		if v, ok := ps.Uint(wire.ParamForward); ok {
			u.forward = v == 1
			if !slices.ContainsFunc(t.upstreams, func(x *upstream) bool { return x.forward }) {
				t.pause()
			}
		}
		t.mu.Unlock()
		u.spoilNotice()
	}
}

// wantForward sets Forward State 1 at every publisher if some subscriber has it (draft-18 §9.5).
func (t *track) wantForward() {
	t.mu.Lock()
	defer t.mu.Unlock()
	want := false
	for _, s := range t.subscribers {
		want = want || s.forward
	}
	for _, u := range t.upstreams {
		if want && !u.forward && !t.relay.faults[forwardNotPassedOn] {
			u.forward = true
			t.relay.tasks.Go(func() { u.update(wire.Parameters{{Type: wire.ParamForward, Uint: 1}}) })
		}
	}
}

// newGroup passes on a NEW_GROUP_REQUEST, unless one is outstanding or it comes too late (draft-18 §10.2.13).
func (t *track) newGroup(ps wire.Parameters) {
	v, ok := ps.Uint(wire.ParamNewGroupRequest)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.relay.faults[newGroupLost] {
		return
	}
	dynamic, _ := t.properties.Lookup(wire.Newest, wire.PropDynamicGroups)
	if t.relay.faults[newGroupAlways] {
		dynamic.Uint = 1
	}
	if dynamic.Uint != 1 || v > 0 && t.hasLargest && v <= t.largest.Group || t.newGroups > v {
		return
	}
	t.newGroups = v + 1
	for _, u := range t.upstreams {
		if u.draft >= wire.Draft15 {
			t.relay.tasks.Go(func() { u.update(wire.Parameters{{Type: wire.ParamNewGroupRequest, Uint: v}}) })
		}
	}
}

// update changes the subscription at the publisher.
func (u *upstream) update(ps wire.Parameters) {
	ctx, cancel := context.WithTimeout(u.ctx, u.track.relay.limits.Fetch)
	defer cancel()
	ok, err := u.sub.Update(ctx, ps)
	if err != nil {
		u.track.relay.log.Info("publisher did not accept an update", "track", u.track.name, "session", u.peer.id,
			"error", err)
		return
	}
	var largest wire.Location
	var has bool
	if ok != nil {
		largest, has = ok.Parameters.Largest()
	}
	u.track.mu.Lock()
	defer u.track.mu.Unlock()
	u.track.raise(largest, has)
	if v, ok := ps.Uint(wire.ParamForward); ok && v == 1 && slices.Contains(u.track.upstreams, u) {
		u.track.follow(largest, has)
	}
}
