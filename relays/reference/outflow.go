package reference

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The most that a stream reads from the log at a time. It reads one object in any case, whatever its size.
const (
	batchObjects = 64
	batchBytes   = 64 << 10
)

// outflow is one subgroup stream towards one subscriber: it follows an inflow from a place. The track's lock guards the
// fields above batch.
type outflow struct {
	place
	sub   *subscriber
	over  bool // send is through
	timer func()

	// Only send uses the rest, except w and aborted, which mu guards.
	batch []piece
	// failed is why the stream could not be opened or written.
	failed error
	mu     sync.Mutex
	w      *moqt.SubgroupWriter // nil while no stream is open
	// aborted: abort was called.
	aborted  bool
	follower follower
	// objects is how many the open stream has; only a quirk uses it.
	objects int
}

// grew implements towards.
func (o *outflow) grew(n int64) { o.sub.grew(n) }

// lag implements towards.
func (o *outflow) lag() int64 { return o.sub.lag }

// gaveUp implements towards.
func (o *outflow) gaveUp() {
	first := 0
	for first < len(o.sub.ready) && o.sub.ready[first].lost {
		first++
	}
	o.sub.unready(first)
	r := o.sub.track.relay
	r.counters.TooFarBehind.Add(1)
	if !o.sub.behind {
		o.sub.behind = true
		r.log.Info("subscriber too far behind", "track", o.sub.track.name, "session", o.sub.peer.id, "group",
			o.in.group.id)
	}
}

// abort implements towards.
func (o *outflow) abort(code moqt.ResetCode) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.aborted = true
	if o.w != nil {
		o.w.Reset(code.Number(o.sub.draft))
	}
}

// send sends what comes, until the inflow or the subscription has ended.
func (o *outflow) send() {
	s := o.sub
	if !s.track.relay.faults[cancelledStreamsStay] {
		defer onDone(s.ctx, func() { o.abort(moqt.ResetCancelled) })()
	}
	defer o.ended()
	defer o.follower.done()
	defer o.brokeOff()
	if o.in.aside != nil && !o.in.aside.hold(s.ctx) {
		return
	}
	for {
		next, code, wait := o.take()
		switch next {
		case sendBatch:
			s.spoilSlow()
			turn := s.peer.scheduler.take(s.ctx, &s.flow, s.rank(o.in))
			if turn == nil {
				return
			}
			bytes, ok := o.write()
			if ok && o.sent() && o.w != nil {
				err := o.w.Flush() // within the turn: it may block
				if ok = err == nil || o.spoilStop(err); !ok {
					o.failed = err
				}
			}
			s.peer.scheduler.done(turn, bytes)
			if !ok {
				return
			}
		case waitForMore:
			if o.w != nil { // something is left if the last entry was not for s
				if o.failed = o.w.Flush(); o.failed != nil {
					return
				}
			}
			select {
			case <-wait:
			case <-s.ctx.Done():
				return
			}
		case showReset:
			if !o.show(code) {
				return
			}
			fallthrough
		case resetAndGoOn, resetAndEnd:
			if o.w != nil {
				o.w.Reset(code.Number(s.draft))
			}
			o.set(nil)
			if next == resetAndEnd {
				return
			}
		case finAndEnd:
			if o.w == nil && !o.open(nil) {
				return
			}
			o.close()
			return
		case justEnd:
			return
		}
	}
}

// brokeOff tells of a stream that did not go on although the subscription does, if the subscriber has not stopped it.
func (o *outflow) brokeOff() {
	s := o.sub
	var stop *transport.StreamError
	if o.failed == nil || s.ctx.Err() != nil || s.pub.Context().Err() != nil || errors.As(o.failed, &stop) ||
		errors.As(o.failed, new(*wire.Error)) {
		return
	}
	s.track.relay.log.Warn("a stream to a subscriber broke off", "track", s.track.name, "session", s.peer.id, "group",
		o.in.group.id, "error", o.failed)
}

// show has the subscriber see the object in the batch, of which nothing more will come, before the reset.
func (o *outflow) show(code moqt.ResetCode) bool {
	e, fresh := o.batch[0].entry, o.w == nil
	if fresh && !o.open(e) {
		return false
	}
	if o.batch[0].first {
		h := e.header()
		_ = o.w.BeginObject(&h, e.Draft) // the reset says the rest
	}
	if fresh {
		o.w.ResetBehind(code.Number(o.sub.draft))
		return true
	}
	return o.w.Flush() == nil
}

// complete implements towards: it starts the timer of a subgroup that has come whole (draft-18 §8).
func (o *outflow) complete() {
	limit := time.Duration(o.sub.subgroupLimit.Load())
	if limit == 0 || o.in.state != finished || o.timer != nil || o.over {
		return
	}
	o.timer = afterTime(limit-time.Since(o.in.ended), func() {
		o.sub.track.relay.counters.TimedOut.Add(1)
		o.abort(moqt.ResetDeliveryTimeout)
	})
}

// ended stops the timer.
func (o *outflow) ended() {
	t := o.sub.track
	t.mu.Lock()
	o.over = true
	stop := o.timer
	t.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// step is what to do next with an outflow.
type step uint8

const (
	sendBatch step = iota
	waitForMore
	// an object was left out, or broken off: what comes after it needs a stream of its own
	resetAndGoOn
	// an object will not become whole: the subscriber is to know, even if it has nothing of it; then go on
	showReset
	resetAndEnd
	finAndEnd
	justEnd
)

// take fills the batch with what comes next and says what to do.
func (o *outflow) take() (next step, code moqt.ResetCode, wait <-chan struct{}) {
	s, in := o.sub, o.in
	t := s.track
	t.mu.Lock()
	defer t.mu.Unlock()
	if o.lost {
		return resetAndEnd, moqt.ResetTooFarBehind, nil
	}
	o.complete()
	o.batch = o.batch[:0]
	bytes, cursor, offset, begun := 0, o.cursor, o.offset, o.begun
	for cursor < in.end() && len(o.batch) < batchObjects && bytes < batchBytes {
		e := in.entries[cursor-in.dropped]
		switch fate := s.judge(e); {
		case fate == wanted && !e.broken:
			p, ok := e.next(offset, begun, batchBytes-bytes)
			if ok {
				o.batch = append(o.batch, p)
				bytes, offset, begun = bytes+len(p.data), offset+uint64(len(p.data)), true
			}
			if p.last {
				cursor, offset, begun = cursor+1, 0, false
			} else if !ok {
				return o.more(e)
			}
		case len(o.batch) > 0:
			return sendBatch, 0, nil
		case fate == wanted:
			o.batch = append(o.batch, piece{entry: e, first: !begun})
			o.skip()
			return showReset, e.cause, nil
		case begun:
			o.skip()
			return resetAndGoOn, moqt.ResetCancelled, nil
		case fate == unwanted && o.w != nil && e.Location().Compare(s.end) > 0:
			return finAndEnd, 0, nil // the header did not promise the end of the group
		case fate == unwanted && o.w != nil && !s.track.relay.faults[forwardHole]:
			return resetAndGoOn, moqt.ResetCancelled, nil
		default:
			o.skip()
			cursor = o.cursor
		}
	}
	if len(o.batch) > 0 {
		return sendBatch, 0, nil
	}
	return o.rest()
}

// more says what to do when all that there is of an object is taken. The caller holds the track's lock.
func (o *outflow) more(e *entry) (next step, code moqt.ResetCode, wait <-chan struct{}) {
	switch {
	case len(o.batch) > 0:
		return sendBatch, 0, nil
	case e.feeders == 0: // the log was emptied
		return resetAndEnd, moqt.ResetInternalError, nil
	}
	return waitForMore, 0, o.in.wait()
}

// rest says what to do when everything that came is sent. The caller holds the track's lock.
func (o *outflow) rest() (next step, code moqt.ResetCode, wait <-chan struct{}) {
	s, in := o.sub, o.in
	faults := &s.track.relay.faults
	switch {
	case in.state == aborted && !faults[resetAsFin]:
		return resetAndEnd, in.cause, nil
	case in.state == aborted:
		return finAndEnd, 0, nil
	case in.state == finished && o.w == nil && in.end() > 0:
		return justEnd, 0, nil
	case in.state == finished && faults[neverFin]:
		return resetAndEnd, moqt.ResetCancelled, nil
	case in.state == finished:
		return finAndEnd, 0, nil
	case o.w == nil: // nothing of it is wanted so far
		in.dormant = append(in.dormant, s)
		return justEnd, 0, nil
	case !s.wantsGroup(in.group.id) && s.forward:
		return resetAndEnd, moqt.ResetCancelled, nil // an update moved the filter
	}
	return waitForMore, 0, in.wait()
}

// sent moves o past the batch, and reports whether that was all there is.
func (o *outflow) sent() (all bool) {
	t := o.sub.track
	t.mu.Lock()
	defer t.mu.Unlock()
	if o.lost {
		return false
	}
	for i := range o.batch {
		o.advance(&o.batch[i])
	}
	o.in.release()
	e := o.at()
	return e == nil || !e.broken && e.have == o.offset
}

// write writes the batch. It reports how much it wrote, and whether the stream can go on.
func (o *outflow) write() (bytes int, ok bool) {
	s, r := o.sub, o.sub.track.relay
	for i := range o.batch {
		p := &o.batch[i]
		e := p.entry
		if p.first {
			o.quirkyReopen()
		}
		if o.w == nil && !o.open(e) {
			return bytes, false
		}
		if s.expired(e) {
			o.w.Reset(moqt.ResetDeliveryTimeout.Number(s.draft))
			return bytes, false
		}
		if r.faults[refuseLargeObjects] && len(e.Payload) >= largeObject {
			o.w.Reset(moqt.ResetInternalError.Number(s.draft))
			return bytes, false
		}
		var object *moqt.Object
		if r.faulty {
			whole, _, _ := o.startsWith(e)
			if object = r.spoiled(e, whole); object == nil || o.setAside(e) {
				continue
			}
		}
		if p.first {
			s.peer.measures.sent(e)
		}
		if err := o.put(p, object); err != nil {
			o.failed = err
			var unencodable *wire.Error
			if errors.As(err, &unencodable) {
				r.counters.Unencodable.Add(1)
				r.log.Info("object has no form in the subscriber's draft", "track", s.track.name, "session", s.peer.id,
					"object", e.Location(), "error", err)
				o.w.Reset(moqt.ResetInternalError.Number(s.draft))
			}
			return bytes, false
		}
		r.counters.BytesOut.Add(uint64(len(p.data)))
		bytes += len(p.data)
		if !p.last {
			continue
		}
		r.counters.ObjectsOut.Add(1)
		o.objects++
		if o.follower.sent != nil {
			o.w.Flush() // an error comes again at the next write
			o.follower.done()
		}
		if r.faults[splitStreams] {
			o.close()
			o.set(nil)
		}
		if r.faulty && (s.peer.spoilSent() || s.spoilBehind()) {
			return bytes, false
		}
	}
	return bytes, true
}

// put writes a piece of an object; spoilt is what a relay with faults writes instead, whole.
func (o *outflow) put(p *piece, spoilt *moqt.Object) error {
	e, r := p.entry, o.sub.track.relay
	switch {
	case spoilt != nil && r.slow(spoilt):
		h := wire.ObjectHeader{ObjectID: spoilt.ObjectID, Properties: spoilt.Properties,
			PayloadLength: uint64(len(spoilt.Payload))}
		return r.writeSlowly(o.sub.ctx, &o.w.PayloadWriter, spoilt.Payload, o.w.BeginObject(&h, spoilt.Draft))
	case spoilt != nil:
		return o.w.WriteObject(spoilt)
	case p.first && p.last && p.inOne:
		return o.w.WriteObject(&e.Object)
	case p.first:
		h := e.header()
		if err := o.w.BeginObject(&h, e.Draft); err != nil {
			return err
		}
	}
	_, err := o.w.Write(p.data)
	return err
}

// open opens the stream. e is its first object; nil for an empty stream.
func (o *outflow) open(e *entry) bool {
	s, in, r := o.sub, o.in, o.sub.track.relay
	h := in.header
	whole, end, filtered := o.startsWith(e)
	h.FirstObject = in.first && whole
	if h.IDMode == wire.SubgroupIDFirstObject && !whole {
		h.IDMode = wire.SubgroupIDPresent
	}
	h.DefaultPriority = h.DefaultPriority && s.draft >= wire.Draft15
	if end.Group == h.GroupID && end != lastOf(h.GroupID) || filtered {
		h.EndOfGroup = false // the stream may end before, or not show the last object
	}
	r.spoilHeader(&h)
	open := s.pub.OpenSubgroup
	if r.faults[unsubscribeIgnored] || r.faults[cancelledStreamsStay] {
		open = s.openAnyway
	}
	w, err := open(s.ctx, h)
	if err != nil {
		o.failed = err
		var unencodable *wire.Error
		if errors.As(err, &unencodable) {
			r.counters.Unencodable.Add(1)
		}
		return false
	}
	w.SetAutoFlush(false)
	return o.set(w)
}

// startsWith reports whether an entry is the first of the inflow, where the subscriber's location filter ends, and
// whether the subscriber has range filters.
func (o *outflow) startsWith(e *entry) (whole bool, end wire.Location, filtered bool) {
	t, in := o.sub.track, o.in
	t.mu.Lock()
	defer t.mu.Unlock()
	return e == nil || in.dropped == 0 && len(in.entries) > 0 && in.entries[0] == e, o.sub.end, !o.sub.ranges.Empty()
}

// set makes w the open stream. It reports false when o was aborted meanwhile.
func (o *outflow) set(w *moqt.SubgroupWriter) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w = w
	if o.aborted && w != nil {
		w.Reset(moqt.ResetCancelled.Number(o.sub.draft))
	}
	return !o.aborted
}

// close ends the stream with FIN.
func (o *outflow) close() {
	if err := o.w.Close(); err != nil {
		o.failed = err
		o.w.Reset(moqt.ResetInternalError.Number(o.sub.draft))
	}
}

// onDone calls f when ctx ends. stop prevents that, or waits until f has returned.
func onDone(ctx context.Context, f func()) (stop func()) {
	ran := make(chan struct{})
	halt := context.AfterFunc(ctx, func() {
		defer close(ran)
		f()
	})
	return func() {
		if !halt() {
			<-ran
		}
	}
}

// afterTime calls f after a time. stop prevents that, or waits until f has returned.
func afterTime(d time.Duration, f func()) (stop func()) {
	ran := make(chan struct{})
	timer := time.AfterFunc(max(d, 0), func() {
		defer close(ran)
		f()
	})
	return func() {
		if !timer.Stop() {
			<-ran
		}
	}
}
