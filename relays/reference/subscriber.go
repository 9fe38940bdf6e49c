package reference

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// subscriber is one subscription of a session to a track, by its SUBSCRIBE or by a PUBLISH of ours. It follows the
// track's log: each subgroup stream on a stream of its own, datagrams through a queue. The track's lock guards what is
// below it.
type subscriber struct {
	track *track
	peer  *peer
	pub   *moqt.Publication
	draft wire.Draft
	// ctx ends when the subscription has; cancelling it resets the streams.
	ctx    context.Context
	cancel context.CancelFunc
	// signal wakes run.
	signal chan struct{}
	done   sync.WaitGroup
	flow   flow

	datagrams []*entry      // that are to be sent
	came      chan struct{} // signalled with the first of them
	queued    atomic.Int64  // datagrams that are not sent yet
	// datagramBytes is what the account counts of them.
	datagramBytes atomic.Int64

	filter     wire.LocationFilter
	order      uint64 // group order; 0 is the track's
	descending atomic.Bool
	start, end wire.Location // inclusive
	ranges     moqt.RangeFilters
	forward    bool
	// since is the arrival number up to which whole objects are not for this subscriber: it subscribed after them, or
	// set Forward State 1 after them.
	since uint64
	// until is the arrival number after which objects are not for it either: its publishers had ended the track.
	until uint64
	// joining is where a joining FETCH or fill ends, if hasJoining.
	joining    wire.Location
	hasJoining bool
	timeouts   timeouts
	// priority is the Subscriber Priority.
	priority atomic.Uint32
	// objectLimit and subgroupLimit are the delivery timeouts in effect.
	objectLimit, subgroupLimit atomic.Int64

	lag    int64 // bytes that came and were not sent
	ready  []*outflow
	open   int // streams, of fills too
	ending *ending
	// granted are slots that the subscriber was handed. starving: it waits for one. gone: it needs none any more. The
	// lock of the slots guards them.
	granted        int
	starving, gone bool
	// behind: the log has reported that s is too slow. It does so once.
	behind bool
	// reopened: a stream was reset and opened again; only a quirk uses it. sent counts objects; only faults use it.
	// follower is of datagrams.
	reopened atomic.Bool
	sent     atomic.Int64
	follower follower
}

// ending says how a subscription ends.
type ending struct {
	code   moqt.DoneCode
	reason string
}

// timeouts are the delivery timeouts in effect; 0 is none (draft-18 §8).
type timeouts struct{ object, subgroup time.Duration }

// newSubscriber makes a subscriber that the track does not know yet.
func (t *track) newSubscriber(ctx context.Context, p *peer) *subscriber {
	s := &subscriber{
		track: t, peer: p, draft: p.session.Draft(), forward: true, end: lastOf(1<<64 - 1), until: math.MaxUint64,
		signal: make(chan struct{}, 1), came: make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.priority.Store(defaultPriority)
	return s
}

// defaultPriority is the Subscriber Priority when none is given (draft-18 §10.2.7).
const defaultPriority = 128

// rank is the position of a stream among those of the session.
func (s *subscriber) rank(in *inflow) rank {
	r := rank{subscriber: uint8(s.priority.Load()), publisher: in.header.Priority, group: in.header.GroupID,
		subgroup: in.header.SubgroupID}
	if s.descending.Load() && !s.track.relay.faults[groupOrderIgnored] {
		r.group = ^r.group
	}
	return r
}

// join makes s a subscriber of the track from now on. The caller holds the track's lock.
func (t *track) join(s *subscriber, ps wire.Parameters) {
	s.since = t.seq
	s.joining, s.hasJoining = t.largest, t.hasLargest
	s.set(ps, t.largest, t.hasLargest)
	t.subscribers = append(t.subscribers, s)
	t.relay.counters.Subscriptions.Add(1)
	s.attach()
	t.relay.spoilJoin(s)
}

// groupOrder is the order asked for, else the track's. The caller holds the track's lock.
func (s *subscriber) groupOrder() uint64 {
	if s.order != 0 {
		return s.order
	}
	p, _ := s.track.properties.Lookup(wire.Newest, wire.PropDefaultGroupOrder)
	return p.Uint
}

// set applies the parameters of a SUBSCRIBE, PUBLISH_OK or update. What is left out stays as it is. Relative filters
// count from largest. The caller holds the track's lock.
func (s *subscriber) set(ps wire.Parameters, largest wire.Location, hasLargest bool) {
	t := s.track
	if f, ok := ps.Filter(); ok {
		s.filter = f
		var open bool
		if s.start, s.end, open = f.Bounds(largest, hasLargest); open {
			s.end = lastOf(1<<64 - 1)
		}
	}
	if s.pub == nil || !t.relay.faults[rangeFilterStays] {
		s.ranges = s.ranges.Updated(ps)
	}
	if v, ok := ps.Uint(wire.ParamGroupOrder); ok {
		s.order = v
	}
	if v, ok := ps.Uint(wire.ParamSubscriberPriority); ok && (s.pub == nil || !t.relay.faults[priorityUpdateIgnored]) {
		before := uint8(s.priority.Swap(uint32(v)))
		s.peer.scheduler.rerank(&s.flow, before, uint8(v))
	}
	if v, ok := ps.Uint(wire.ParamForward); ok {
		if v == 1 && !s.forward {
			s.since = t.seq
			s.joining, s.hasJoining = t.largest, t.hasLargest
		}
		s.forward = v == 1
	}
	if v, ok := ps.Uint(wire.ParamObjectDeliveryTimeout); ok {
		s.timeouts.object = milliseconds(v)
	}
	if v, ok := ps.Uint(wire.ParamSubgroupDeliveryTimeout); ok && s.draft >= wire.Draft18 {
		s.timeouts.subgroup = milliseconds(v)
	}
	s.descending.Store(s.groupOrder() == wire.Descending)
	s.limit()
}

// attach gives s what the open streams are bringing, if it asked for it, and makes it wait for what they will still
// bring. The caller holds the track's lock.
func (s *subscriber) attach() {
	for _, id := range s.track.ids {
		for _, in := range s.track.groups[id].inflows {
			if in.state != flowing || slices.ContainsFunc(in.followers, s.has) {
				continue
			}
			if cursor := in.openFor(s); cursor >= 0 {
				in.dormant = slices.DeleteFunc(in.dormant, func(d *subscriber) bool { return d == s })
				s.push(in, cursor)
			} else if !slices.Contains(in.dormant, s) {
				in.dormant = append(in.dormant, s)
			}
		}
	}
}

// has reports whether a follower stands for a stream towards s.
func (s *subscriber) has(f *place) bool {
	o, ok := f.to.(*outflow)
	return ok && o.sub == s
}

// leave removes s from the track. None of its streams is being sent any more.
func (t *track) leave(s *subscriber) {
	s.cancel()
	t.mu.Lock()
	i := slices.Index(t.subscribers, s)
	if i < 0 {
		t.mu.Unlock()
		return
	}
	t.subscribers = slices.Delete(slices.Clone(t.subscribers), i, i+1)
	t.deaf = t.relay.faults[leaverDeafens]
	for _, o := range s.ready {
		o.unfollow()
	}
	s.unready(len(s.ready))
	for _, id := range t.ids {
		for _, in := range t.groups[id].inflows {
			in.dormant = slices.DeleteFunc(in.dormant, func(d *subscriber) bool { return d == s })
		}
	}
	t.roomy()
	t.mu.Unlock()
	s.peer.account.Give(heldOutflows, s.datagramBytes.Swap(0))
	t.relay.counters.Subscriptions.Add(-1)
	t.idle()
}

// fate is what the relay does with an object for one subscriber.
type fate uint8

const (
	wanted   fate = iota
	unwanted      // it is left out, and the subscriber must be able to see that
	// a gap says as much: its draft has no form for it, or it does not pass the range filters (draft-19 §11.4.3)
	formless
)

// judge says what to do with an object. The caller holds the track's lock.
func (s *subscriber) judge(e *entry) fate {
	r := s.track.relay
	loc := e.Location()
	switch {
	case e.Status == wire.StatusDoesNotExist && s.draft >= wire.Draft16:
		return formless // says nothing that a gap does not say
	case r.faults[joinDuplicate] && s.hasJoining && loc == s.joining:
		return wanted
	case r.faults[midGroupWaits] && s.hasJoining && e.GroupID == s.joining.Group:
		return unwanted
	case e.end <= s.since, e.seq > s.until, !s.forward && !r.faults[forwardIgnored]:
		return unwanted
	case (loc.Compare(s.start) < 0 || loc.Compare(s.end) > 0) && !r.faults[filterIgnored]:
		return unwanted
	case !s.ranges.Pass(s.draft, &e.Object, e.SubgroupID, e.Priority) && !r.faults[rangeFilterIgnored]:
		return formless
	}
	return wanted
}

// wants reports whether an object is for s. The caller holds the track's lock.
func (s *subscriber) wants(e *entry) bool { return s.judge(e) == wanted }

// limit works out the delivery timeouts in effect: the smaller of the publisher's and the subscriber's, where 0 is none
// (draft-18 §8). Up to 17 there is only one. The caller holds the track's lock.
func (s *subscriber) limit() {
	smaller := func(a, b time.Duration) int64 {
		if a == 0 || b > 0 && b < a {
			return int64(b)
		}
		return int64(a)
	}
	if s.track.relay.faults[timeoutIgnored] {
		return
	}
	s.objectLimit.Store(smaller(s.timeouts.object, s.track.timeouts.object))
	if !s.track.relay.faults[subgroupTimeoutIgnored] {
		s.subgroupLimit.Store(smaller(s.timeouts.subgroup, s.track.timeouts.subgroup))
	}
}

// expired reports whether an object may not be sent any more.
func (s *subscriber) expired(e *entry) bool {
	limit := time.Duration(s.objectLimit.Load())
	if sub := time.Duration(s.subgroupLimit.Load()); e.Datagram && sub > 0 && (limit == 0 || sub < limit) {
		limit = sub // draft-18 §8
	}
	if limit == 0 || time.Since(e.began) <= limit {
		return false
	}
	s.track.relay.counters.TimedOut.Add(1)
	return true
}

// wantsGroup reports whether s may want objects of a group. The caller holds the track's lock.
func (s *subscriber) wantsGroup(id uint64) bool {
	return s.forward && (s.start.Group <= id && id <= s.end.Group || s.track.relay.faults[filterIgnored])
}

// push gives s a stream to send from a cursor on. The caller holds the track's lock.
func (s *subscriber) push(in *inflow, cursor int) {
	if s.track.relay.spoils(s, in) {
		return
	}
	copies := 1
	if s.track.relay.faults[duplicateObject] {
		copies = 2
	}
	for range copies {
		o := &outflow{sub: s}
		o.to = o
		o.follow(in, cursor)
		s.ready = append(s.ready, o)
		s.peer.ready.Add(1)
		if !s.peer.account.Try(heldOutflows, outflowCost) {
			s.peer.account.Force(heldOutflows, outflowCost)
			s.ready[0].lose()
		}
	}
	if len(s.ready) > 0 && s.peer.ready.Load() > int64(s.track.relay.limits.Waiting) {
		s.ready[0].lose()
	}
	s.wake()
}

// wake makes run look again.
func (s *subscriber) wake() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

// grew counts bytes that are to be sent to s, or were (n below 0). The caller holds the track's lock.
func (s *subscriber) grew(n int64) { s.track.lags(&s.lag, n) }

// serve sends the track to s until the subscription ends, one way or the other. pub is its publication.
func (s *subscriber) serve(pub *moqt.Publication) {
	s.pub = pub
	stop := context.AfterFunc(pub.Context(), func() {
		if !s.track.relay.faults[unsubscribeIgnored] {
			s.cancel()
		}
	})
	defer stop()
	s.done.Go(func() { s.peer.guard(s.sendDatagrams) })
	s.done.Go(func() { s.peer.guard(s.updates) })
	end := s.run()
	s.cancel()
	s.done.Wait()
	s.track.relay.slots.spare(s, true)
	s.track.leave(s)
	if end != nil {
		s.peer.drops(s.track.key, pub.Request())
		s.finish(end)
	}
}

// run opens streams in order as they become ready, until the track has ended and all is sent, or s is cancelled.
func (s *subscriber) run() *ending {
	t := s.track
	for {
		t.mu.Lock()
		var o *outflow
		var end *ending
		switch {
		case len(s.ready) > 0 && t.relay.slots.take(s):
			o = s.ready[0]
			s.unready(1)
			s.open++
		case len(s.ready) == 0 && s.open == 0 && s.queued.Load() == 0:
			end = s.ending
		}
		t.mu.Unlock()
		switch {
		case end != nil:
			return end
		case o != nil:
			s.done.Go(func() {
				defer s.closed()
				defer t.relay.slots.give(s.peer, 1)
				s.peer.guard(o.send)
				t.mu.Lock()
				defer t.mu.Unlock()
				o.unfollow()
			})
			continue
		}
		t.relay.slots.spare(s, false)
		select {
		case <-s.signal:
		case <-s.ctx.Done():
			return nil
		}
	}
}

// unready removes the first n streams from those that wait to be opened. The caller holds the track's lock.
func (s *subscriber) unready(n int) {
	clear(s.ready[:n])
	if s.ready = s.ready[n:]; len(s.ready) == 0 {
		s.ready = nil
	}
	s.peer.ready.Add(int64(-n))
	s.peer.account.Give(heldOutflows, int64(n)*outflowCost)
}

// closed counts one open stream less.
func (s *subscriber) closed() {
	s.track.mu.Lock()
	s.open--
	s.track.mu.Unlock()
	s.wake()
}

// finish sends PUBLISH_DONE with the exact Stream Count.
func (s *subscriber) finish(end *ending) {
	r := s.track.relay
	ctx, cancel := context.WithTimeout(s.pub.Context(), r.limits.Fetch)
	defer cancel()
	options := s.quirkyDone(ctx, end)
	var err error
	switch {
	case r.faults[doneNever]:
		<-s.pub.Context().Done()
	case r.faults[streamCountWrong]:
		err = s.pub.Done(ctx, end.code, end.reason, moqt.WithStreamCount(s.pub.StreamCount()+1))
	case r.faults[doneWrongStatus]:
		err = s.pub.Done(ctx, moqt.DoneInternalError, end.reason)
	default:
		err = s.pub.Done(ctx, end.code, end.reason, options...)
	}
	if err != nil && ctx.Err() == nil {
		r.log.Info("PUBLISH_DONE could not be sent", "track", s.track.name, "session", s.peer.id, "error", err)
	}
}

// finishWith notes that the publisher has ended the track: s gets what is left, then PUBLISH_DONE. The caller holds the
// track's lock.
func (s *subscriber) finishWith(code moqt.DoneCode, reason string) {
	if s.ending == nil {
		s.ending, s.until = &ending{code, reason}, s.track.seq
	}
	s.wake()
}
