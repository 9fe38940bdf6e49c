package reference

import (
	"bytes"
	"context"
	"errors"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// errReset ends a fetch stream with a reset code.
type errReset struct{ code moqt.ResetCode }

func (e errReset) Error() string { return "fetch stream reset" }

// write sends the range on a stream: groups in the order asked for, objects ascending in each, then FIN, or a reset if
// the range cannot be completed. If the subscriber cancels, the session resets the stream.
func (f *retrieval) write(w *moqt.FetchWriter) {
	f.w = w
	w.SetAutoFlush(false)
	d := f.peer.session.Draft()
	err := f.ranges()
	if err == nil {
		err = f.spoilEnd()
	}
	if err == nil {
		err = w.Close()
	}
	var reset errReset
	switch {
	case err == nil, f.ctx.Err() != nil && f.peer.relay.faults[cancelledStreamsStay]:
	case errors.As(err, &reset):
		w.Flush() // so that the subscriber can tell whose stream it is
		w.Reset(reset.code.Number(d))
	default:
		w.Reset(moqt.ResetInternalError.Number(d))
		f.peer.spoilFetched(err)
		f.peer.relay.log.Debug("fetch stream ended early", "track", f.track.name, "session", f.peer.id, "error", err)
	}
}

// ranges serves the range in one piece, or for descending order group by group from its end.
func (f *retrieval) ranges() error {
	if !f.descending || f.peer.relay.faults[fetchWrongOrder] {
		return f.serve(f.start, f.end)
	}
	for g := f.end.Group; ; g-- {
		if skipped, ok := f.skip(g); ok {
			g = skipped
		} else {
			from, to := wire.Location{Group: g}, lastOf(g)
			if g == f.start.Group {
				from = f.start
			}
			if err := f.serve(from, least(to, f.end)); err != nil {
				return err
			}
		}
		if g <= f.start.Group {
			return nil
		}
	}
}

// skip gives the lowest group of a run of consecutive groups, from g down, that are known not to exist.
func (f *retrieval) skip(g uint64) (lowest uint64, ok bool) {
	t := f.track
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.empty.Find(g)
	if i == len(t.empty) || t.empty[i].First > g {
		return 0, false
	}
	return max(t.empty[i].First, f.start.Group), true
}

// serve writes a part of the range in ascending order.
func (f *retrieval) serve(pos, end wire.Location) error {
	t := f.track
	for over := false; !over && pos.Compare(end) <= 0; {
		var err error
		if m := f.asked; m != nil && pos.Compare(m.first) >= 0 && pos.Compare(m.last) <= 0 {
			pos, over, err = f.copy(m, pos, end)
			f.giveUp()
			if err != nil {
				return err
			}
			continue
		}
		t.mu.Lock()
		objects, last, known := t.read(pos, end, batchBytes)
		gap, covered := t.nextKnown(pos, end), t.covers(pos)
		var c *chase
		switch i := inPieces(objects); {
		case i == 0:
			c, last = f.chase(objects[0]), objects[0].Location()
		case i > 0:
			objects, last = objects[:i], objects[i-1].Location()
		}
		t.mu.Unlock()
		if !known {
			if pos, over, err = f.bridge(pos, gap, end, covered); err != nil {
				return err
			}
			continue
		}
		if c != nil {
			err = c.send()
		} else {
			err = f.puts(objects...)
		}
		if err != nil {
			return err
		}
		pos, over = behind(last)
	}
	return nil
}

// behind is the location to go on at after a location; over says that nothing follows.
func behind(last wire.Location) (pos wire.Location, over bool) {
	pos = after(last)
	return pos, pos == last
}

// bridge handles a gap in the cache. It asks a publisher for everything that is missing from there on, or reports the
// gap as unknown if there is no publisher to ask. Objects that did not come while subscriptions followed the track are
// taken not to exist. It returns the location to go on at.
func (f *retrieval) bridge(pos, gap, end wire.Location, covered bool) (next wire.Location, over bool, err error) {
	if f.peer.relay.faults[fetchGapSkipped] {
		next, over = behind(gap)
		return next, over, nil
	}
	if !f.alone {
		t := f.track
		t.mu.Lock()
		first, last, ok := t.lastGap(pos, end)
		t.mu.Unlock()
		if !ok || first != pos { // it has come meanwhile
			return pos, false, nil
		}
		m, err := f.ask(first, last)
		switch {
		case err == nil:
			f.asked = m
			return pos, false, nil
		case errors.Is(err, errNoObjects):
			next, over = behind(last)
			return next, over, nil
		}
		f.alone = true
		f.timedOut = errors.Is(err, context.DeadlineExceeded)
	}
	d := f.peer.session.Draft()
	next, over = behind(gap)
	switch {
	case covered:
		return next, over, nil
	case d <= wire.Draft15:
		return next, over, errReset{moqt.ResetInternalError} // has no way to name it
	case d >= wire.Draft20 && f.timedOut:
		return next, over, f.w.WriteRange(wire.TimedOutRange, f.clip(gap))
	}
	return next, over, f.w.WriteRange(wire.UnknownRange, f.clip(gap))
}

// clip limits a location to integers that the draft can express.
func (f *retrieval) clip(loc wire.Location) wire.Location {
	limit := f.peer.session.Draft().MaxVarint()
	return wire.Location{Group: min(loc.Group, limit), Object: min(loc.Object, limit)}
}

// puts writes objects when it is the fetch's turn.
func (f *retrieval) puts(objects ...*entry) (err error) {
	if len(objects) == 0 {
		return nil
	}
	bytes := 0
	return f.turn(objects[0], func() (int, error) {
		for _, e := range objects {
			if err = f.put(e); err != nil {
				break
			}
			bytes += len(e.Payload)
		}
		return bytes, err
	})
}

// putPiece writes a piece of an object when it is the fetch's turn.
func (f *retrieval) putPiece(p *piece) error {
	return f.turn(p.entry, func() (int, error) {
		if p.first {
			h := p.entry.fetchHeader()
			if err := f.w.BeginObject(&h, p.entry.Draft); err != nil {
				return 0, err
			}
		}
		if p.last {
			f.peer.relay.counters.FetchedOut.Add(1)
		}
		return f.w.Write(p.data)
	})
}

// turn calls write when it is the fetch's turn to write an object. write says how many bytes it has written. They are
// handed on within the turn: who waits for the next one holds no buffer.
func (f *retrieval) turn(e *entry, write func() (int, error)) error {
	r := rank{subscriber: uint8(f.priority.Load()), publisher: e.Priority, group: e.GroupID}
	if f.descending {
		r.group = ^r.group
	}
	turn := f.peer.scheduler.take(f.ctx, f.flow, r)
	if turn == nil {
		return context.Cause(f.ctx)
	}
	bytes, err := write()
	if err == nil {
		err = f.w.Flush()
	}
	f.peer.scheduler.done(turn, bytes)
	return err
}

// wants reports whether an object is to be sent.
func (f *retrieval) wants(o *moqt.Object) bool {
	r, d := f.peer.relay, f.peer.session.Draft()
	if o.Status != wire.StatusNormal && (d >= wire.Draft16 || !o.Status.Defined(d)) {
		return false // has no form there; a gap says the same
	}
	// who asked knows that a gap may be that (draft-19 §11.4.4.1)
	return f.filters.Pass(d, o, o.SubgroupID, o.Priority) || r.faults[rangeFilterIgnored]
}

// put writes one object.
func (f *retrieval) put(e *entry) error {
	r, o := f.peer.relay, &e.Object
	if !f.wants(o) {
		return nil
	}
	f.count++
	switch {
	case f.joining && r.faults[joinHole] && o.Location() == f.end,
		r.faults[fetchMissingObject] && f.count == 2:
		return nil
	case r.faults[fetchReset] && f.count == 2:
		f.w.Flush()
		return errReset{moqt.ResetInternalError}
	case r.faults[fetchCorrupt] && len(o.Payload) > 0:
		spoilt := *o
		spoilt.Payload = bytes.Clone(o.Payload)
		spoilt.Payload[0] ^= 0xff
		o = &spoilt
	case r.faults[fetchDatagramLost]:
		spoilt := *o
		spoilt.Datagram = false
		o = &spoilt
	case r.faults[fetchStrip]:
		spoilt := *o
		spoilt.Properties = nil
		o = &spoilt
	}
	f.last = e
	r.counters.FetchedOut.Add(1)
	if r.faulty && f.peer.spoilSent() {
		return errFault
	}
	if r.slow(o) {
		h := wire.FetchObject{Group: o.GroupID, Subgroup: o.SubgroupID, Object: o.ObjectID, Priority: o.Priority,
			Datagram: o.Datagram, Properties: o.Properties, PayloadLength: uint64(len(o.Payload))}
		return r.writeSlowly(f.ctx, &f.w.PayloadWriter, o.Payload, f.w.BeginObject(&h, o.Draft))
	}
	return f.w.WriteObject(o)
}

// spoilEnd is the fault fetch-extra-object.
func (f *retrieval) spoilEnd() error {
	if !f.peer.relay.faults[fetchExtraObject] || f.last == nil {
		return nil
	}
	o := f.last.Object
	o.ObjectID++
	return f.w.WriteObject(&o)
}
