package reference

import (
	"errors"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// readSubgroup reads one subgroup stream.
func (u *upstream) readSubgroup(sr *moqt.SubgroupReader) {
	stop := onDone(u.ctx, func() { sr.Stop(moqt.ResetCancelled.Number(u.draft)) })
	defer stop()
	t := u.track
	sr.SetDefaultPriority(u.priority)
	src := &source{draft: u.draft}
	for {
		var o moqt.Object
		began, err := readTimed(sr, &o)
		if err != nil {
			u.ended(sr, src, err)
			return
		}
		if sr.Objects() == 1 {
			u.describe(sr, src)
		}
		if !u.bring(src, &o, began) {
			return
		}
		t.relay.cache.trim()
		t.gate(u.ctx, src)
	}
}

// readTimed is sr.ReadObject, and tells when the first bytes of the object had come.
func readTimed(sr *moqt.SubgroupReader, o *moqt.Object) (began time.Time, err error) {
	h, err := sr.Next()
	if err != nil {
		return began, err
	}
	began = time.Now()
	sr.View(o)
	o.Properties = append([]byte(nil), h.Properties...)
	if h.PayloadLength > sr.MaxObjectSize() {
		return began, &moqt.ObjectTooLargeError{Location: o.Location(), Size: h.PayloadLength, Max: sr.MaxObjectSize()}
	}
	return began, sr.ReadPayload(o)
}

// describe gives a source the header of its stream, with the Subgroup ID and Priority that follow from it.
func (u *upstream) describe(sr *moqt.SubgroupReader, src *source) {
	src.header = sr.Header()
	src.header.Priority = sr.Priority()
	u.track.mu.Lock()
	defer u.track.mu.Unlock()
	if u.priority != u.track.priority {
		src.header.DefaultPriority = false // subscribers know the first publisher's default
	}
}

// bring puts an object of a stream into the log. It reports false when the relay wants nothing more of the stream.
func (u *upstream) bring(src *source, o *moqt.Object, began time.Time) bool {
	t, r := u.track, u.track.relay
	u.count(o)
	fresh := true
	err := t.agreed(u.ctx, u.peer, func() (err error) {
		if r.faults[ignoreSecondPublisher] && len(t.upstreams) > 0 && t.upstreams[0] != u {
			return nil
		}
		group := t.largest.Group
		fresh, err = t.trackLog.bring(src, &entry{Object: *o, began: began, at: time.Now()}, t.subscribers)
		if t.largest.Group != group {
			t.newGroups = 0
		}
		return err
	})
	if err != nil {
		src.close(t, moqt.ResetMalformedTrack)
		t.malformed(err)
		return false
	}
	if !fresh {
		r.counters.Duplicates.Add(1)
	}
	return true
}

// count counts an object that has come.
func (u *upstream) count(o *moqt.Object) {
	c := &u.track.relay.counters
	c.ObjectsIn.Add(1)
	c.BytesIn.Add(uint64(len(o.Payload)))
	u.peer.measures.size.observe(int64(len(o.Payload)))
}

// close removes a source from its inflow.
func (src *source) close(t *track, cause moqt.ResetCode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	src.leave(cause)
}

// ended notes how a stream ended.
func (u *upstream) ended(sr *moqt.SubgroupReader, src *source, err error) {
	t := u.track
	var reset *transport.StreamError
	var large *moqt.ObjectTooLargeError
	switch {
	case errors.Is(err, io.EOF) && sr.Objects() > 0:
		t.mu.Lock()
		src.fin()
		t.mu.Unlock()
	case errors.Is(err, io.EOF):
		if h := sr.Header(); h.IDMode != wire.SubgroupIDFirstObject { // otherwise it has no Subgroup ID
			u.describe(sr, src)
			t.mu.Lock()
			t.emptyStream(src, t.subscribers)
			t.mu.Unlock()
		}
	case errors.As(err, &reset) && reset.Remote:
		src.close(t, meaningOfReset(u.draft, reset.Code))
		if t.relay.faults[resetEndsTrack] {
			u.cancel()
		}
	case errors.As(err, &large):
		t.relay.log.Warn("object too large", "track", t.name, "session", u.peer.id, "error", err)
		sr.Stop(moqt.ResetExcessiveLoad.Number(u.draft))
		src.close(t, moqt.ResetInternalError)
	case errors.As(err, new(*moqt.TooMuchError)): // the session has stopped the stream
		t.relay.log.Warn("no room for an object", "track", t.name, "session", u.peer.id, "error", err)
		src.close(t, moqt.ResetExcessiveLoad)
	case errors.As(err, &reset) && u.ctx.Err() == nil: // stopped here, and not because the track is left
		t.relay.log.Info("a stream stood still and was stopped", "track", t.name, "session", u.peer.id, "group",
			sr.Header().GroupID)
		src.close(t, moqt.ResetInternalError)
	default:
		src.close(t, moqt.ResetInternalError)
	}
}

// meaningOfReset translates a publisher's reset code for subscribers of any draft.
func meaningOfReset(d wire.Draft, code uint64) moqt.ResetCode {
	meaning, _ := wire.ResetCode(code).Meaning(d)
	switch meaning {
	case wire.NameCancelled:
		return moqt.ResetCancelled
	case wire.NameDeliveryTimeout:
		return moqt.ResetDeliveryTimeout
	case wire.NameTooFarBehind:
		return moqt.ResetTooFarBehind
	case wire.NameGoingAway:
		return moqt.ResetGoingAway
	case wire.NameMalformedTrack:
		return moqt.ResetMalformedTrack
	case wire.NameUnknownObjectStatus:
		return moqt.ResetUnknownObjectStatus
	case wire.NameExcessiveLoad:
		return moqt.ResetExcessiveLoad
	}
	return moqt.ResetInternalError
}

// readDatagrams reads datagrams.
func (u *upstream) readDatagrams() {
	t, r := u.track, u.track.relay
	for {
		o, err := u.sub.AcceptDatagram(u.ctx)
		if err != nil {
			return
		}
		u.count(o)
		now := time.Now()
		e := &entry{Object: *o, began: now, at: now}
		if e.DefaultPriority {
			e.Priority = u.priority
		}
		if r.faults[datagramsAsStreams] {
			u.asStream(e)
			continue
		}
		var fresh bool
		err = t.agreed(u.ctx, u.peer, func() (err error) {
			e.DefaultPriority = e.DefaultPriority && u.priority == t.priority
			fresh, err = t.add(e, true)
			if fresh {
				for _, s := range t.subscribers {
					if s.wants(e) {
						s.datagram(e)
					}
				}
			}
			return err
		})
		switch {
		case err != nil:
			t.malformed(err)
			return
		case !fresh:
			r.counters.Duplicates.Add(1)
		}
		r.cache.trim()
	}
}

// asStream is the fault datagrams-as-streams.
func (u *upstream) asStream(e *entry) {
	t := u.track
	o := e.Object
	o.Datagram = false
	src := &source{draft: u.draft, header: wire.SubgroupHeader{GroupID: o.GroupID, SubgroupID: o.ObjectID,
		IDMode:   wire.SubgroupIDPresent,
		Priority: o.Priority, HasProperties: len(o.Properties) > 0}}
	o.SubgroupID = o.ObjectID
	u.bring(src, &o, e.began)
	t.mu.Lock()
	defer t.mu.Unlock()
	src.fin()
}
