package reference

import (
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// sendDatagrams sends the queued datagrams.
func (s *subscriber) sendDatagrams() {
	r := s.track.relay
	for {
		select {
		case <-s.ctx.Done():
			return
		case e := <-s.datagrams:
			object := r.spoiledDatagram(e)
			if object == nil || s.expired(e) {
				break
			}
			if err := s.pub.SendDatagram(object); err != nil {
				r.counters.DatagramsDropped.Add(1)
				r.log.Debug("datagram not sent", "track", s.track.name, "session", s.peer.id, "object", e.Location(), "error", err)
				break
			}
			r.counters.ObjectsOut.Add(1)
			r.counters.BytesOut.Add(uint64(len(e.Payload)))
		}
		if s.queued.Add(-1) == 0 {
			s.wake()
		}
	}
}

// updates answers REQUEST_UPDATE, and SUBSCRIBE_UPDATE.
func (s *subscriber) updates() {
	t, r := s.track, s.track.relay
	for {
		u, err := s.pub.NextUpdate(s.ctx)
		if err != nil {
			return
		}
		switch {
		case r.faults[updateSilent]:
			continue
		case r.faults[updateReject]:
			u.Reject(s.ctx, moqt.RejectInternalError, "fault")
			continue
		}
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

// following gives the streams that s is sent. The caller holds the track's lock.
func (s *subscriber) following() (all []*outflow) {
	for _, id := range s.track.ids {
		for _, in := range s.track.groups[id].inflows {
			for _, o := range in.followers {
				if o.sub == s {
					all = append(all, o)
				}
			}
		}
	}
	return all
}
