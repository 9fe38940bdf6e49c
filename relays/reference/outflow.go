package reference

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The most that a stream reads from the log at a time. It reads one object in any case, whatever its size.
const (
	batchObjects = 64
	batchBytes   = 64 << 10
)

// outflow is one subgroup stream towards one subscriber: a cursor in an inflow. The track's lock guards the fields
// above batch.
type outflow struct {
	sub    *subscriber
	in     *inflow
	cursor int // of the first entry that is not sent
	// pending is how many bytes have come and are not sent.
	pending int64
	lost    bool // what the cursor stands at was evicted
	over    bool // send is through
	timer   func()

	// Only send uses the rest, except w and aborted, which mu guards.
	batch []*entry
	mu    sync.Mutex
	w     *moqt.SubgroupWriter // nil while no stream is open
	// aborted: abort was called.
	aborted  bool
	follower follower
}

// grow counts n bytes that came, or that were sent if n is negative. The caller holds the track's lock.
func (o *outflow) grow(n int64) {
	o.pending += n
	o.sub.grew(n)
}

// unfollow removes o from its inflow. The caller holds the track's lock.
func (o *outflow) unfollow() {
	if i := slices.Index(o.in.followers, o); i >= 0 {
		o.in.followers = slices.Delete(o.in.followers, i, i+1)
	}
	o.sub.grew(-o.pending)
	o.pending = 0
	o.in.release()
}

// lose gives o up because its subscriber is too slow. The caller holds the track's lock, and calls abort without it.
func (o *outflow) lose() {
	o.lost = true
	o.unfollow()
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

// abort resets the stream, even while a write is blocked, and prevents opening it again. The caller must not hold the
// track's lock.
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
	stop := onDone(s.ctx, func() { o.abort(moqt.ResetCancelled) })
	defer stop()
	defer o.ended()
	defer o.follower.done()
	if o.in.aside != nil && !o.in.aside.hold(s.ctx) {
		return
	}
	for {
		next, code, wait := o.take()
		switch next {
		case sendBatch:
			turn := s.peer.scheduler.take(s.ctx, &s.flow, s.rank(o.in))
			if turn == nil {
				return
			}
			bytes, ok := o.write()
			s.peer.scheduler.done(turn, bytes)
			if !ok {
				return
			}
			o.sent()
		case waitForMore:
			if o.w != nil {
				if err := o.w.Flush(); err != nil && !o.spoilStop(err) {
					return
				}
			}
			select {
			case <-wait:
			case <-s.ctx.Done():
				return
			}
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

// complete starts the timer of a subgroup that has come whole (draft-18 §8). The caller holds the track's lock.
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
	resetAndGoOn // an object was left out: what comes after it needs a stream of its own
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
	bytes := 0
	for o.cursor+len(o.batch) < in.end() && len(o.batch) < batchObjects && bytes < batchBytes {
		e := in.entries[o.cursor-in.dropped+len(o.batch)]
		switch fate := s.judge(e); {
		case fate == wanted:
			o.batch = append(o.batch, e)
			bytes += len(e.Payload)
		case len(o.batch) > 0:
			return sendBatch, 0, nil
		case fate == unwanted && o.w != nil && e.Location().Compare(s.end) > 0:
			return finAndEnd, 0, nil // the header did not promise the end of the group
		case fate == unwanted && o.w != nil && !s.track.relay.faults[forwardHole]:
			return resetAndGoOn, moqt.ResetCancelled, nil
		default:
			o.advance(1)
		}
	}
	if len(o.batch) > 0 {
		return sendBatch, 0, nil
	}
	return o.rest()
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

// advance moves the cursor past entries. The caller holds the track's lock.
func (o *outflow) advance(n int) {
	var bytes int64
	for _, e := range o.in.entries[o.cursor-o.in.dropped:][:n] {
		bytes += e.size()
	}
	o.cursor += n
	o.grow(-bytes)
	o.in.release()
}

// sent moves the cursor past the batch.
func (o *outflow) sent() {
	t := o.sub.track
	t.mu.Lock()
	defer t.mu.Unlock()
	if !o.lost {
		o.advance(len(o.batch))
	}
}

// write writes the batch. It reports how much it wrote, and whether the stream can go on.
func (o *outflow) write() (bytes int, ok bool) {
	s, r := o.sub, o.sub.track.relay
	for _, e := range o.batch {
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
		object := &e.Object
		if r.faulty {
			whole, _, _ := o.startsWith(e)
			if object = r.spoiled(e, whole); object == nil || o.setAside(e) {
				continue
			}
		}
		s.peer.measures.sent(e)
		if err := o.put(object); err != nil {
			var unencodable *wire.Error
			if errors.As(err, &unencodable) {
				r.counters.Unencodable.Add(1)
				r.log.Info("object has no form in the subscriber's draft", "track", s.track.name, "session", s.peer.id,
					"object", e.Location(), "error", err)
				o.w.Reset(moqt.ResetInternalError.Number(s.draft))
			}
			return bytes, false
		}
		r.counters.ObjectsOut.Add(1)
		r.counters.BytesOut.Add(uint64(len(e.Payload)))
		bytes += len(e.Payload)
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

// put writes an object.
func (o *outflow) put(object *moqt.Object) error {
	if o.sub.track.relay.slow(object) {
		h := wire.ObjectHeader{ObjectID: object.ObjectID, Properties: object.Properties,
			PayloadLength: uint64(len(object.Payload))}
		return o.sub.track.relay.writeSlowly(o.sub.ctx, &o.w.PayloadWriter, object.Payload,
			o.w.BeginObject(&h, object.Draft))
	}
	return o.w.WriteObject(object)
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
	if r.faults[unsubscribeIgnored] {
		open = s.openAnyway
	}
	w, err := open(s.ctx, h)
	if err != nil {
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
