package reference

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The faults of a known share touch the objects 4, 14, 24 and so on of every group, whatever they travel on: a tenth of
// all, where groups have a multiple of ten. What measures a relay must report that tenth.
const (
	shareOf   = 10
	shareAt   = 4 // and not 9: the object that follows is in the same group
	delayWait = 100 * time.Millisecond
	// An object behind the one that follows it leaves so much later than that, since streams overtake each other; where
	// none follows it waits for lastWait.
	reorderWait = 10 * time.Millisecond
	lastWait    = time.Second
)

// Shares lists those of the faults that touch a known share of the objects. They are there to be measured: a test of
// what the draft demands need not notice them.
func Shares() []Fault { return append([]Fault(nil), faultTable[dropTenth:reorderTenth+1]...) }

// inShare reports whether the faults of a known share touch an object.
func inShare(e *entry) bool { return e.ObjectID%shareOf == shareAt }

// follower tells an object that is outside of its place when the one that follows it has been sent.
type follower struct{ sent chan struct{} }

func (f *follower) expect() <-chan struct{} {
	f.done()
	f.sent = make(chan struct{})
	return f.sent
}

func (f *follower) done() {
	if f.sent != nil {
		close(f.sent)
		f.sent = nil
	}
}

// aside says how an object travels outside of its place.
type aside struct {
	after <-chan struct{} // of a follower; nil for none
	wait  time.Duration
}

// hold waits until the object is to be sent. It reports false when ctx ended before.
func (a *aside) hold(ctx context.Context) bool {
	if a.after != nil {
		timer := time.NewTimer(lastWait)
		defer timer.Stop()
		select {
		case <-a.after:
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	timer := time.NewTimer(a.wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// aside says how an object is to travel outside of its place, nil for not at all, and whether it is then missing there.
func (r *Relay) aside(e *entry, f *follower) (a *aside, missing bool) {
	switch {
	case !inShare(e):
	case r.faults[duplicateTenth]:
		return &aside{}, false
	case r.faults[delayTenth]:
		return &aside{wait: delayWait}, true
	case r.faults[reorderTenth]:
		return &aside{after: f.expect(), wait: reorderWait}, true
	}
	return nil, false
}

// setAside gives an object of o a stream of its own if a fault wants that. It reports whether o must leave it out.
func (o *outflow) setAside(e *entry) (missing bool) {
	s, in := o.sub, o.in
	if in.aside != nil {
		return false
	}
	a, missing := s.track.relay.aside(e, &o.follower)
	if a == nil {
		return false
	}
	h := in.header
	h.IDMode, h.SubgroupID, h.EndOfGroup = wire.SubgroupIDPresent, e.SubgroupID, false
	s.track.mu.Lock()
	defer s.track.mu.Unlock()
	s.push(&inflow{group: in.group, header: h, entries: []*entry{e}, last: e.ObjectID, state: finished, aside: a,
		ended: time.Now().Add(a.wait)}, 0)
	return missing
}

// setDatagramAside sends a datagram later, or once more, if a fault wants that. It reports whether it must not be sent
// now. Only sendDatagrams calls it.
func (s *subscriber) setDatagramAside(e *entry, object *moqt.Object) (missing bool) {
	a, missing := s.track.relay.aside(e, &s.follower)
	switch {
	case a == nil:
		return false
	case s.queued.Load() >= int64(s.track.relay.limits.Datagrams):
		s.track.relay.counters.DatagramsDropped.Add(1)
		return missing
	}
	s.queued.Add(1)
	s.done.Go(func() {
		s.peer.guard(func() {
			if a.hold(s.ctx) {
				s.transmit(e, object)
			}
		})
		if s.queued.Add(-1) == 0 {
			s.wake()
		}
	})
	return missing
}
