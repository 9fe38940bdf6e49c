package reference

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// updatesTogether is how close to each other updates come that the fault updates-answered-once takes for one.
const updatesTogether = 50 * time.Millisecond

// updates answers REQUEST_UPDATE, and SUBSCRIBE_UPDATE.
func (s *subscriber) updates() {
	t, r := s.track, s.track.relay
	var before time.Time
	for {
		u, err := s.pub.NextUpdate(s.ctx)
		if err != nil {
			return
		}
		switch {
		case r.faults[updateSilent], r.faults[updatesAnsweredOnce] && time.Since(before) < updatesTogether:
			continue
		case r.faults[updateReject]:
			u.Reject(s.ctx, moqt.RejectInternalError, "fault")
			continue
		}
		before = time.Now()
		ps := u.Parameters()
		t.mu.Lock()
		s.set(ps, t.largest, t.hasLargest)
		s.attach()
		ok := &wire.RequestOK{}
		largest, has := t.largest, t.hasLargest
		if has {
			ok.Parameters.SetLargest(largest)
		}
		for _, o := range s.following() {
			o.in.changed()
		}
		t.mu.Unlock()
		if err := u.Accept(s.ctx, ok); err != nil {
			return
		}
		t.wantForward()
		t.newGroup(ps)
		if fill, ok := ps.Get(wire.ParamFillParameters); ok {
			s.fill(u.Message.RequestID, fill.Inner, largest, has)
		}
	}
}

// following lists the streams that are being sent to s. The caller holds the track's lock.
func (s *subscriber) following() (all []*outflow) {
	for _, id := range s.track.ids {
		for _, in := range s.track.groups[id].inflows {
			for _, f := range in.followers {
				if s.has(f) {
					all = append(all, f.to.(*outflow))
				}
			}
		}
	}
	return all
}
