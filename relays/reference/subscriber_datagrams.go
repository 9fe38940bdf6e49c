package reference

import "github.com/moqinterop/moq-interop-client/moqt"

// datagram queues a datagram for s. The caller holds the track's lock.
func (s *subscriber) datagram(e *entry) {
	if len(s.datagrams) >= s.track.relay.limits.Datagrams || !s.peer.account.Try(heldOutflows, e.size()) {
		s.track.relay.counters.DatagramsDropped.Add(1)
		return
	}
	s.queued.Add(1)
	s.datagramBytes.Add(e.size())
	s.datagrams = append(s.datagrams, e)
	select {
	case s.came <- struct{}{}:
	default:
	}
}

// sendDatagrams sends the queued datagrams.
func (s *subscriber) sendDatagrams() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.came:
		}
		s.track.mu.Lock()
		datagrams := s.datagrams
		s.datagrams = nil
		s.track.mu.Unlock()
		for _, e := range datagrams {
			if s.ctx.Err() != nil {
				return
			}
			s.sendDatagram(e)
			s.datagramBytes.Add(-e.size())
			s.peer.account.Give(heldOutflows, e.size())
			if s.queued.Add(-1) == 0 {
				s.wake()
			}
		}
	}
}

// sendDatagram sends one, unless its time has passed.
func (s *subscriber) sendDatagram(e *entry) {
	r := s.track.relay
	object := r.spoiledDatagram(e)
	if object == nil || s.expired(e) || r.faulty && s.setDatagramAside(e, object) {
		return
	}
	s.transmit(e, object)
	s.follower.done()
}

// transmit sends what is left of one.
func (s *subscriber) transmit(e *entry, object *moqt.Object) {
	r := s.track.relay
	s.peer.measures.sent(e)
	if err := s.pub.SendDatagram(object); err != nil {
		r.counters.DatagramsDropped.Add(1)
		r.log.Debug("datagram not sent", "track", s.track.name, "session", s.peer.id, "object", e.Location(), "error",
			err)
		return
	}
	r.counters.ObjectsOut.Add(1)
	r.counters.BytesOut.Add(uint64(len(e.Payload)))
	if r.faulty {
		s.peer.spoilSent()
		s.spoilBehind()
	}
}
