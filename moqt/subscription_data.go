package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Next waits for the next object, in the order in which objects arrive on all streams and datagrams. The object belongs
// to the caller. io.EOF comes after PUBLISH_DONE, once as many streams have ended as its Stream Count says. If some of
// them do not come, more have come, or the count is unknown, it comes Limits.Drain after the last arrival; if only
// datagrams may still come, Limits.Linger after it. A stream that is reset is no error; Resets counts it. After an
// *ObjectTooLargeError, which is about one object, and after the context's cause, Next may be called again. The other
// errors are *RequestError, *CancelError and *SessionError.
func (sub *Subscription) Next(ctx context.Context) (*Object, error) {
	sub.pull()
	d, err := sub.objects.Take(ctx, never)
	if err != nil {
		return nil, err
	}
	return d.object, d.err
}

// never is a context that does not end.
var never = context.Background()

// AcceptSubgroup waits for the next subgroup stream of the subscription. The caller must read it to its end or Stop it,
// also after Unsubscribe or when the subscription is cancelled. Errors are those of Next.
func (sub *Subscription) AcceptSubgroup(ctx context.Context) (*SubgroupReader, error) {
	return sub.streams.Take(ctx, never)
}

// AcceptDatagram waits for the next datagram of the subscription. The object belongs to the caller. Errors are those of
// Next.
func (sub *Subscription) AcceptDatagram(ctx context.Context) (*Object, error) {
	return sub.datagrams.Take(ctx, never)
}

// pull turns to whole objects: a goroutine reads each stream, those that have come and those to come.
func (sub *Subscription) pull() {
	sub.mu.Lock()
	if sub.pulling {
		sub.mu.Unlock()
		return
	}
	sub.pulling = true
	waiting := sub.streams.Drain()
	for _, r := range waiting {
		sub.reading[r] = struct{}{}
	}
	for _, o := range sub.datagrams.Drain() {
		if !sub.objects.Add(arrival{object: o}, len(o.Payload)+len(o.Properties)) {
			sub.dropped++
		}
	}
	sub.mu.Unlock()
	sub.settle()
	for _, r := range waiting {
		if !sub.s.Go(func() { sub.read(r) }) {
			sub.read(r)
		}
	}
}

// serve takes a stream of the subscription, on a goroutine of its own.
func (sub *Subscription) serve(r *SubgroupReader) {
	sub.mu.Lock()
	r.SetDefaultPriority(sub.priority)
	if sub.ended != nil {
		sub.mu.Unlock()
		r.Stop(ResetCancelled.Number(sub.s.draft))
		return
	}
	sub.seen++
	sub.subgroups++
	pulling := sub.pulling
	if pulling {
		sub.reading[r] = struct{}{}
	} else {
		sub.streams.Add(r, 1)
	}
	sub.mu.Unlock()
	sub.s.data.unrouted.remove(r.StreamID())
	sub.settle()
	if pulling {
		sub.read(r)
	}
}

// Given is how many subgroup streams have come so far, and how many of them wait for AcceptSubgroup.
func (sub *Subscription) Given() (all, waiting uint64) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.subgroups, uint64(sub.streams.Len())
}

// read hands the objects of one stream to Next.
func (sub *Subscription) read(r *SubgroupReader) {
	defer sub.settle()
	defer func() {
		sub.mu.Lock()
		delete(sub.reading, r)
		sub.mu.Unlock()
	}()
	for {
		o := new(Object)
		err := r.ReadObject(o)
		var large *ObjectTooLargeError
		d := arrival{object: o}
		switch {
		case errors.As(err, &large):
			d = arrival{err: err}
		case err != nil:
			sub.streamEnded(r, err)
			return
		}
		if err := sub.objects.Put(sub.s.ctx, d, len(o.Payload)+len(o.Properties)); err != nil {
			r.Stop(ResetCancelled.Number(sub.s.draft))
			return
		}
	}
}

// streamEnded takes the end of a stream that Next reads.
func (sub *Subscription) streamEnded(r *SubgroupReader, err error) {
	err = sub.StreamEnded(r, err)
	var reset *transport.StreamError
	var breach *wire.Error
	switch {
	case errors.As(err, &reset) && reset.Remote:
		sub.mu.Lock()
		sub.resets++
		sub.mu.Unlock()
	case errors.As(err, &breach), errors.As(err, new(*TooMuchError)):
		_ = sub.objects.Put(sub.s.ctx, arrival{err: err}, 0)
	}
}

// StreamEnded is to be called with the final error of a reader from AcceptSubgroup. After a breach of the draft it
// closes the session. After an error of this end's limits it stops the stream. The result is nil for FIN, a
// *transport.StreamError for a reset, a *wire.Error for a limit of this end, and otherwise says why the session ended.
func (sub *Subscription) StreamEnded(r *SubgroupReader, err error) error {
	var reset *transport.StreamError
	var breach *wire.Error
	switch {
	case err == io.EOF:
		return nil
	case errors.As(err, &reset):
		if reset.Remote {
			h := r.Header()
			sub.s.trace(Event{Type: EventReset, Stream: wire.UniStream, StreamID: reset.StreamID, Code: reset.Code,
				Subgroup: &h, TrackAlias: h.TrackAlias})
		}
		return err
	case errors.As(err, new(*TooMuchError)): // the session has stopped it
		return err
	case errors.As(err, &breach) && breach.Code == wire.InternalError: // a limit of this end
		r.Stop(ResetExcessiveLoad.Number(sub.s.draft))
		return err
	}
	sub.s.fail(err)
	return sub.s.streamError(err)
}

// addDatagram takes a datagram of the subscription. It does not wait.
func (sub *Subscription) addDatagram(o *Object) {
	sub.mu.Lock()
	if o.DefaultPriority {
		o.Priority = sub.priority
	}
	sub.late = true
	var room bool
	switch cost := objectOverhead + len(o.Payload) + len(o.Properties); {
	case sub.pulling:
		room = sub.objects.Add(arrival{object: o}, len(o.Payload)+len(o.Properties))
	case sub.s.account.Take(HeldObjects, int64(cost)):
		room = sub.datagrams.Add(o, cost)
		sub.s.account.Give(HeldObjects, int64(cost)) // the queue counts it again
	}
	if !room {
		sub.dropped++
	}
	sub.mu.Unlock()
	if !room {
		sub.s.trace(Event{Type: EventDropped, Stream: wire.DatagramStream, TrackAlias: sub.TrackAlias(),
			Location: o.Location(), Bytes: len(o.Payload),
			Err: fmt.Errorf("datagram %s: the queue of request %d is full", o, sub.r.id)})
	}
	sub.settle()
}

// settle sees, after PUBLISH_DONE, whether everything has come, and otherwise waits anew from now.
func (sub *Subscription) settle() {
	sub.mu.Lock()
	if sub.ended != nil && sub.pulling && len(sub.reading) == 0 {
		sub.objects.End(sub.ended)
	}
	if sub.done == nil || sub.ended != nil {
		sub.mu.Unlock()
		return
	}
	if sub.timer != nil {
		sub.timer.Stop()
	}
	sub.round++
	if len(sub.reading) > 0 {
		sub.mu.Unlock()
		return // their ends settle again
	}
	var wait time.Duration
	count := sub.done.StreamCount
	switch {
	case sub.seen != count: // a count that is too low is wrong, and tells nothing of what is on its way
		wait = sub.s.limits.Drain
	case sub.late || count == 0:
		wait = sub.s.limits.Linger
	}
	if wait > 0 {
		round := sub.round
		sub.timer = time.AfterFunc(wait, func() {
			sub.mu.Lock()
			current := round == sub.round
			sub.mu.Unlock()
			if current {
				sub.finish(io.EOF)
			}
		})
		sub.mu.Unlock()
		return
	}
	sub.mu.Unlock()
	sub.finish(io.EOF)
}

// finish ends the subscription; the first cause wins. With io.EOF what has come can still be taken; otherwise streams
// are stopped.
func (sub *Subscription) finish(cause error) {
	sub.mu.Lock()
	if sub.ended != nil {
		sub.mu.Unlock()
		return
	}
	sub.ended = cause
	if sub.timer != nil {
		sub.timer.Stop()
	}
	sub.round++
	var stop []*SubgroupReader
	if cause != io.EOF {
		for r := range sub.reading {
			stop = append(stop, r)
		}
		stop = append(stop, sub.streams.Drain()...)
	}
	bound, ok := sub.bound, sub.ok
	fills := sub.fills
	sub.fills = nil
	sub.mu.Unlock()

	sub.streams.End(cause)
	sub.datagrams.End(cause)
	if cause != io.EOF {
		sub.objects.End(cause)
	}
	sub.cancel(cause)
	for _, r := range stop {
		r.Stop(ResetCancelled.Number(sub.s.draft))
	}
	for f := range fills {
		f.subscriptionOver(cause)
	}
	if bound {
		sub.s.data.unbind(ok.TrackAlias, sub.r, sub)
	}
	sub.settle()
}
