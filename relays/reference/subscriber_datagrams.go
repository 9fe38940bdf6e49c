package reference

// datagram queues a datagram for s. The caller holds the track's lock.
func (s *subscriber) datagram(e *entry) {
	s.queued.Add(1)
	select {
	case s.datagrams <- e:
	default:
		s.queued.Add(-1)
		s.track.relay.counters.DatagramsDropped.Add(1)
	}
}

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
				r.log.Debug("datagram not sent", "track", s.track.name, "session", s.peer.id, "object", e.Location(),
					"error", err)
				break
			}
			r.counters.ObjectsOut.Add(1)
			r.counters.BytesOut.Add(uint64(len(e.Payload)))
			if r.faulty {
				s.peer.spoilSent()
				s.spoilBehind()
			}
		}
		if s.queued.Add(-1) == 0 {
			s.wake()
		}
	}
}
