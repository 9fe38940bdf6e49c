package reference

import (
	"errors"
	"io"
	"math"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// readSubgroup reads one subgroup stream.
func (u *upstream) readSubgroup(sr *moqt.SubgroupReader) {
	stop := onDone(u.ctx, func() { sr.Stop(moqt.ResetCancelled.Number(u.draft)) })
	defer stop()
	src := &source{draft: u.draft}
	for {
		_, err := sr.Next()
		if err == nil {
			if sr.Objects() == 1 {
				u.describe(sr, src)
			}
			err = u.readObject(sr, src)
		}
		if err == errUnwanted {
			return
		}
		if err != nil {
			u.ended(sr, src, err)
			return
		}
	}
}

// errUnwanted ends the reading of a stream of which the relay wants nothing more.
var errUnwanted = errors.New("nothing more of the stream is wanted")

// readObject brings the object whose header was read into the log, piece by piece as it comes.
func (u *upstream) readObject(sr *moqt.SubgroupReader, src *source) error {
	e, err := u.take(&sr.PayloadReader, sr.View)
	if e == nil {
		return err
	}
	refused := err
	if err = u.bring(src, e, refused != nil); err == nil {
		err = refused
	}
	if err != nil {
		return err
	}
	for memory := []byte(nil); ; {
		u.track.relay.cache.trim()
		u.track.gate(u.ctx, src)
		if sr.Remaining() == 0 {
			return nil
		}
		var p []byte
		if p, memory, err = nextPiece(&sr.PayloadReader, memory); err == nil {
			err = u.more(src, p)
		}
		if err != nil {
			return err
		}
	}
}

// nextPiece waits for the next piece of a payload. It puts it into memory, of which it takes more as there is need, and
// returns what is left of that.
func nextPiece(pr *moqt.PayloadReader, memory []byte) (p, rest []byte, err error) {
	if _, err := pr.Await(); err != nil {
		return nil, memory, err
	}
	if len(memory) == 0 {
		memory = make([]byte, min(pr.Remaining(), partSize))
	}
	n, err := pr.Read(memory[:min(len(memory), pr.Buffered())])
	return memory[:n], memory[n:], err
}

// take makes an entry of the object whose header was read: whole if all of it has come, else without payload. With
// faults it waits for the whole, since they change objects. An object that is larger than the relay takes has an entry
// and an error. view is the reader's method.
func (u *upstream) take(pr *moqt.PayloadReader, view func(*moqt.Object)) (*entry, error) {
	r := u.track.relay
	e := newEntry(moqt.Object{}, pr.Remaining(), time.Now())
	o := &e.Object // read where it stays: there are many
	view(o)
	o.Properties = append([]byte(nil), o.Properties...)
	if most := r.limits.ObjectBytes; most > 0 && e.length > uint64(most) {
		return e, &moqt.ObjectTooLargeError{Location: o.Location(), Size: e.length, Max: uint64(most)}
	}
	if !r.faulty && uint64(pr.Buffered()) < e.length {
		return e, nil
	}
	if e.length > pr.MaxObjectSize() {
		return nil, &moqt.ObjectTooLargeError{Location: o.Location(), Size: e.length, Max: pr.MaxObjectSize()}
	}
	if err := pr.ReadPayload(o); err != nil {
		return nil, err
	}
	e.complete()
	return e, nil
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

// bring puts an object of a stream, as far as it has come, into the log. One that is refused is broken off at once,
// before a stream is opened for it, so that it can be shown.
func (u *upstream) bring(src *source, e *entry, refused bool) error {
	t, r := u.track, u.track.relay
	u.count(e)
	if err := wire.MalformedObject(e.Properties, u.draft, e.Location()); err != nil {
		return u.brought(src, err)
	}
	fresh := true
	err := t.agreed(u.ctx, u.peer, func() (err error) {
		if r.faults[ignoreSecondPublisher] && len(t.upstreams) > 0 && t.upstreams[0] != u {
			return nil
		}
		if fresh, err = t.enter(src, e); refused && err == nil {
			src.leave(moqt.ResetExcessiveLoad)
		}
		return err
	})
	if !fresh {
		r.counters.Duplicates.Add(1)
	}
	return u.brought(src, err)
}

// enter brings an object into the log, as far as it has come. The caller holds the lock.
func (t *track) enter(src *source, e *entry) (fresh bool, err error) {
	group := t.largest.Group
	fresh, err = t.trackLog.bring(src, e, t.subscribers)
	if t.largest.Group != group {
		t.newGroups = 0
	}
	return fresh, err
}

// more puts the next piece of an object into the log. If it contradicts what a publisher from before has brought, the
// object is put in anew.
func (u *upstream) more(src *source, p []byte) error {
	t := u.track
	t.relay.counters.BytesIn.Add(uint64(len(p)))
	t.mu.Lock()
	err := t.trackLog.more(src, p)
	t.mu.Unlock()
	if err != nil && t.succeeds(u.ctx, u.peer) {
		t.mu.Lock()
		if e := src.again(p); e != nil {
			_, err = t.enter(src, e)
		}
		t.mu.Unlock()
	}
	return u.brought(src, err)
}

// brought ends the track if what a source brought contradicts what came before.
func (u *upstream) brought(src *source, err error) error {
	if err == nil {
		return nil
	}
	src.close(u.track, moqt.ResetMalformedTrack)
	u.track.malformed(err)
	return errUnwanted
}

// count counts an object that has come or begun to.
func (u *upstream) count(e *entry) {
	c := &u.track.relay.counters
	c.ObjectsIn.Add(1)
	c.BytesIn.Add(e.have)
	u.peer.measures.size.observe(int64(min(e.length, math.MaxInt64)))
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
		src.close(t, moqt.ResetExcessiveLoad)
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
		e := wholeEntry(*o, time.Now())
		u.count(e)
		if e.DefaultPriority {
			e.Priority = u.priority
		}
		if r.faults[datagramsAsStreams] {
			u.asStream(e)
			continue
		}
		if err := wire.MalformedObject(e.Properties, u.draft, e.Location()); err != nil {
			t.malformed(err)
			return
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
	if u.bring(src, wholeEntry(o, e.began), false) != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	src.fin()
}
