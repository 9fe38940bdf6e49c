package reference

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The faults of the data plane. Without a fault these functions do nothing.

// largeObject is the size from which objects are large for the faults large-objects-missing and large-objects-refused,
// in bytes.
const largeObject = 1_000_000

// spoils reports whether a fault keeps a stream from a subscriber. The caller holds the track's lock.
func (r *Relay) spoils(s *subscriber, in *inflow) bool {
	switch {
	case r.faults[dropEverything], s.track.deaf,
		r.faults[tooFarBehind] && s.ending != nil,
		r.faults[dropGroup] && in.header.GroupID%2 == 1:
		return true
	case r.faults[starveSecond] && len(s.track.subscribers) > 0 && s.track.subscribers[0] != s:
		return true
	case r.faults[otherDraftStarved] && len(s.track.upstreams) > 0 && s.track.upstreams[0].draft != s.draft:
		return true
	case r.faults[secondSubscriptionStarved]:
		for _, other := range s.track.subscribers {
			if other.peer == s.peer {
				return other != s
			}
		}
	}
	return false
}

// spoilHeader changes the header of a stream towards a subscriber.
func (r *Relay) spoilHeader(h *wire.SubgroupHeader) {
	if r.faults[wrongGroupID] {
		h.GroupID++
	}
	if r.faults[wrongSubgroupID] {
		h.IDMode = wire.SubgroupIDPresent
		h.SubgroupID++
	}
	if r.faults[wrongPriority] {
		h.DefaultPriority = false
		h.Priority++
	}
	if r.faults[loseFirstObjectBit] {
		h.FirstObject = false
	}
	if r.faults[defaultPriorityLost] && h.DefaultPriority {
		h.DefaultPriority, h.Priority = false, 128
	}
	if r.faults[firstObjectAlways] {
		h.FirstObject = true
	}
	if r.faults[ids32Bit] {
		h.GroupID &= math.MaxUint32
	}
	if r.faults[loseEndOfGroup] {
		h.EndOfGroup = false
	}
	r.quirks.quirkyHeader(h)
}

// spoiled gives the object to send instead of an entry; nil for none. first says that it is the first of its stream.
func (r *Relay) spoiled(e *entry, first bool) *moqt.Object {
	o := e.Object
	switch {
	case r.faults[dropObject] && first,
		r.faults[dropTenth] && inShare(e),
		r.faults[loseLargeObjects] && len(o.Payload) >= largeObject,
		r.faults[loseStatus] && o.Status != wire.StatusNormal,
		r.faults[loseEndOfGroup] && o.Status == wire.StatusEndOfGroup:
		return nil
	}
	if r.faults[wrongObjectID] {
		o.ObjectID++
	}
	if r.faults[stripProperties] {
		o.Properties = nil
	}
	if r.faults[gapsAdded] && len(o.Properties) == 0 {
		_ = o.EncodeProperties(o.Draft, wire.Properties{{Type: wire.PropPriorObjectIDGap}})
	}
	if n := len(o.Payload); n > 0 {
		if r.faults[corruptPayload] {
			o.Payload = bytes.Clone(o.Payload)
			o.Payload[0] ^= 0xff
		}
		if r.faults[truncatePayload] {
			o.Payload = o.Payload[:n-1]
		}
	}
	r.quirks.quirkyObject(&o)
	return &o
}

// spoiledDatagram gives the object to send instead of a datagram; nil for none.
func (r *Relay) spoiledDatagram(e *entry) *moqt.Object {
	if !r.faulty {
		return &e.Object
	}
	o := r.spoiled(e, false)
	if o == nil || r.faults[dropDatagrams] || r.faults[dropEverything] {
		return nil
	}
	if r.faults[datagramsCut] {
		o.Payload = o.Payload[:min(len(o.Payload), 500)]
	}
	var h wire.SubgroupHeader
	h.GroupID, h.Priority, h.DefaultPriority, h.EndOfGroup = o.GroupID, o.Priority, o.DefaultPriority, o.EndOfGroup
	r.spoilHeader(&h)
	o.GroupID, o.Priority, o.DefaultPriority, o.EndOfGroup = h.GroupID, h.Priority, h.DefaultPriority, h.EndOfGroup
	return o
}

// spoilSent is the fault that drops a session in the middle; it reports whether it did. It is called after each object.
func (p *peer) spoilSent() bool {
	if !p.relay.faults[dieMidway] || p.sent.Add(1) < 3 {
		return false
	}
	p.session.Conn().CloseWithError(uint64(wire.InternalError), "fault")
	return true
}

// spoilBehind is the fault that gives up a subscriber that reads promptly; it reports whether it did. It is called
// after each object.
func (s *subscriber) spoilBehind() bool {
	t := s.track
	if !t.relay.faults[tooFarBehind] || s.sent.Add(1) < 2 {
		return false
	}
	t.mu.Lock()
	s.finishWith(moqt.DoneTooFarBehind, "fault")
	lost := s.following()
	for _, o := range lost {
		o.lose()
	}
	s.unready(len(s.ready))
	t.mu.Unlock()
	for _, o := range lost {
		o.abort(moqt.ResetTooFarBehind)
	}
	return true
}

// slow reports whether writeSlowly is to send an object's payload.
func (r *Relay) slow(o *moqt.Object) bool {
	return (r.faults[stallMidway] || r.faults[trickle]) && len(o.Payload) > 0
}

// writeSlowly writes the payload of an object that has been begun; err says how beginning it went. It writes half and
// then nothing until ctx ends, or all of it piece by piece.
func (r *Relay) writeSlowly(ctx context.Context, w *moqt.PayloadWriter, payload []byte, err error) error {
	const every, piece = 100 * time.Millisecond, 150 // bytes: 12 kbit/s
	for err == nil && len(payload) > 0 {
		n := min(piece, len(payload))
		if r.faults[stallMidway] {
			n = (len(payload) + 1) / 2
		}
		if _, err = w.Write(payload[:n]); err == nil {
			err = w.Flush()
		}
		payload = payload[n:]
		wait := every
		if r.faults[stallMidway] {
			wait = math.MaxInt64
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		timer.Stop()
	}
	return err
}

// spoilJoin is the fault join-duplicate. The caller holds the track's lock.
func (r *Relay) spoilJoin(s *subscriber) {
	g := s.track.groups[s.joining.Group]
	if !r.faults[joinDuplicate] || !s.hasJoining || g == nil {
		return
	}
	for _, e := range g.objects {
		if e.ObjectID == s.joining.Object {
			s.push(&inflow{group: g, entries: []*entry{e}, last: e.ObjectID, state: finished,
				header: wire.SubgroupHeader{
					GroupID: e.GroupID, SubgroupID: e.SubgroupID, IDMode: wire.SubgroupIDPresent, Priority: e.Priority,
					HasProperties: true}}, 0)
		}
	}
}

// spoilLost is what a fault does to the subscribers of a track when its publisher's session is gone. It reports whether
// it did anything. The caller holds the track's lock.
func (t *track) spoilLost() bool {
	r := t.relay
	if r.faults[lostPublisherCancels] {
		for _, s := range t.subscribers {
			s.pub.Request().Cancel(moqt.ResetCancelled)
		}
	}
	return r.faults[lostPublisherCancels] || r.faults[lostPublisherSilent]
}

// spoilPublishers changes who publishes a namespace. The caller holds the relay's lock.
func (r *Relay) spoilPublishers(ns wire.TrackNamespace, peers []*peer) []*peer {
	key := ns.Key()
	switch {
	case r.faults[lostPublisherStays]:
		if r.firstOf == nil {
			r.firstOf = make(map[string]*peer)
		}
		if r.firstOf[key] == nil && len(peers) > 0 {
			r.firstOf[key] = peers[0]
		}
		if first := r.firstOf[key]; first != nil {
			return []*peer{first}
		}
	case r.faults[announceAgainIgnored] && r.announced[key] > 1:
		return nil
	}
	return peers
}

// spoilNotice is the fault that tells subscribers what it must not, when a publisher tells something.
func (u *upstream) spoilNotice() {
	t := u.track
	if !t.relay.faults[stateNotifyBare] {
		return
	}
	var ps wire.Parameters
	ps.SetUint(wire.ParamForward, 0)
	t.mu.Lock()
	subscribers := slices.Clone(t.subscribers)
	t.mu.Unlock()
	for _, s := range subscribers {
		_ = s.pub.Notify(u.ctx, ps)
	}
}

// spoilSlow is the fault that waits with all for the slowest subscriber.
func (s *subscriber) spoilSlow() {
	const behind, look = 1 << 20, 50 * time.Millisecond
	t := s.track
	for t.relay.faults[slowHoldsAll] && s.ctx.Err() == nil {
		t.mu.Lock()
		held := slices.ContainsFunc(t.subscribers, func(x *subscriber) bool { return x != s && x.lag > behind })
		t.mu.Unlock()
		if !held {
			return
		}
		timer := time.NewTimer(look)
		select {
		case <-timer.C:
		case <-s.ctx.Done():
		}
		timer.Stop()
	}
}

// spoilStatus is the fault that has an answer wait for objects.
func (p *peer) spoilStatus(ctx context.Context) {
	for p.relay.faults[answersBehindObjects] && p.lags() && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
}

// lags reports whether objects wait for the session.
func (p *peer) lags() bool {
	r := p.relay
	r.mu.Lock()
	tracks := slices.Collect(maps.Values(r.tracks))
	r.mu.Unlock()
	return slices.ContainsFunc(tracks, func(t *track) bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return slices.ContainsFunc(t.subscribers, func(s *subscriber) bool { return s.peer == p && s.lag > 0 })
	})
}

// spoilStop is what a fault does when the subscriber has stopped a stream; err is that of writing to it. It reports
// whether the outflow goes on.
func (o *outflow) spoilStop(err error) bool {
	s, faults := o.sub, &o.sub.track.relay.faults
	var stop *transport.StreamError
	if !errors.As(err, &stop) || !stop.Remote || !stop.Stop {
		return false
	}
	if faults[stopEndsSubscription] {
		s.cancel()
	}
	if !faults[stopReopens] {
		return false
	}
	o.set(nil)
	s.track.mu.Lock()
	defer s.track.mu.Unlock()
	o.cursor-- // the last object was not sent
	o.grow(o.at().behind())
	return true
}

// openAnyway opens a subgroup stream without the session, which would refuse one for a subscription that has ended.
func (s *subscriber) openAnyway(ctx context.Context, h wire.SubgroupHeader) (*moqt.SubgroupWriter, error) {
	stream, err := s.peer.session.Conn().OpenUniStream(ctx)
	if err != nil {
		return nil, err
	}
	h.TrackAlias = s.pub.TrackAlias()
	return moqt.NewSubgroupWriter(stream, s.draft, h)
}
