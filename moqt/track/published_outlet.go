package track

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

const (
	// fewOutlets is how many are few. With more of them each gathers busyBuffer: the batches are filled from several
	// streams then, and what all have gathered must stay small enough for a processor's cache, from which it is copied
	// again. A payload of 64 KiB does not fit beside its header: writing it from the caller's memory, one stream after
	// the other, moves 1.14 of what quic-go alone does, gathering it 0.95.
	fewOutlets = 4
	busyBuffer = 64 << 10
)

// errStalled says that a subscriber took nothing for longer than Options.Stall.
var errStalled = errors.New("the subscriber takes nothing")

// outlet is one subgroup stream to one subscriber of a Published. Objects gather in one buffer while a goroutine writes
// another to the stream. So under load they go out in large writes, otherwise each at once, and nobody needs to flush.
// The goroutine is one of the subscriber's, for as long as the stream is open.
//
// One goroutine at a time adds to it.
type outlet struct {
	stream  transport.SendStream
	draft   wire.Draft
	open    *atomic.Int32 // outlets of the subscriber
	leaving *leaving      // what waits in those that have ended
	objects wire.SubgroupObjects
	first   []byte            // the stream's header, until it goes out with the first object
	header  wire.ObjectHeader // with translated properties
	props   []byte            // which are here

	// timeout is OBJECT_DELIVERY_TIMEOUT (DELIVERY_TIMEOUT up to 17), lifetime SUBGROUP_DELIVERY_TIMEOUT; 0 is none.
	timeout, lifetime time.Duration

	waited time.Duration // how long the last add or more waited for room

	wake  chan struct{} // there is something to write
	room  chan struct{} // something was written
	ended chan struct{} // the stream has ended

	since time.Time // when the object came that is being added, with timeout only
	left  uint64    // what is to come of its payload
	dead  atomic.Bool

	mu    sync.Mutex
	buf   []byte // gathered
	ages  []age  // of what is in buf, with timeout only
	large []byte // a payload behind buf, in the caller's memory
	busy  bool   // a write is under way, of so many bytes
	size  int
	fin   bool
	owes  int64 // of leaving
	gone  bool  // and nothing more
	// closed: FIN is on its way, and a reset would take what the peer has not got with it.
	closed bool
	err    error // final
	timer  *time.Timer
}

// age says when an object came, given where its bytes end in the buffer.
type age struct {
	end int
	at  time.Time
}

// newOutlet takes over a writer that was just opened. open is how many outlets the subscriber has, leaving what waits
// in those that have ended.
func newOutlet(w *moqt.SubgroupWriter, open *atomic.Int32, leaving *leaving, timeout, lifetime time.Duration) *outlet {
	stream, header, objects := w.Detach()
	return &outlet{stream: stream, draft: w.Draft(), open: open, leaving: leaving, objects: objects, first: header,
		timeout: timeout, lifetime: lifetime,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), ended: make(chan struct{})}
}

// most is how much it gathers, in bytes. A payload that is longer is written from the caller's memory.
func (o *outlet) most() int {
	if o.open.Load() > fewOutlets {
		return busyBuffer
	}
	return stream.OutletBuffer
}

// add takes an object: its header, and its payload. With left bytes of that to follow with more, payload is its
// beginning. The header's properties are in the form of draft from, 0 being the stream's own. It waits for room, at
// most for stall if that is not 0 (errStalled). A *wire.Error says what cannot be encoded. After that, errStalled or
// the context's cause nothing of the object was written, unless the payload was being written from the caller's memory:
// then the stream has been reset. Other errors are the stream's, and final.
func (o *outlet) add(ctx context.Context, stall time.Duration, h *wire.ObjectHeader, from wire.Draft, payload []byte,
	left uint64) (err error) {
	if len(h.Properties) > 0 && from != 0 && from != o.draft {
		if o.props, err = wire.TranscodeProperties(o.props[:0], from, o.draft, h.Properties); err != nil {
			return err
		}
		o.header = *h
		o.header.Properties = o.props
		h = &o.header
	}
	if o.timeout > 0 {
		o.since = time.Now()
	}
	need := len(o.first) + wire.MaxObjectHeader + len(h.Properties)
	large := need+len(payload) > o.most()
	if !large {
		need += len(payload)
	}
	if err := o.lock(ctx, stall, need); err != nil {
		return err
	}
	o.hold(need)
	if o.first != nil {
		o.buf = append(o.buf, o.first...)
		o.first = nil
	}
	b, err := o.objects.AppendHeader(o.buf, h)
	if err != nil {
		o.mu.Unlock()
		return err
	}
	o.buf, o.left = b, left
	if !large {
		o.buf = append(o.buf, payload...)
		o.mark()
		o.mu.Unlock()
		stream.Signal(o.wake)
		return nil
	}
	return o.addLarge(ctx, stall, payload)
}

// more takes a piece of a payload, as add.
func (o *outlet) more(ctx context.Context, stall time.Duration, p []byte) error {
	if err := o.lock(ctx, stall, len(p)); err != nil {
		return err
	}
	o.hold(len(p))
	o.buf = append(o.buf, p...)
	o.left -= uint64(len(p))
	o.mark()
	o.mu.Unlock()
	stream.Signal(o.wake)
	return nil
}

// lock waits until need bytes have room, which an empty buffer always has, and takes the lock; on error it is not
// taken.
func (o *outlet) lock(ctx context.Context, stall time.Duration, need int) error {
	o.waited = 0
	o.mu.Lock()
	if o.err == nil && (len(o.buf) == 0 || len(o.buf)+need <= o.most()) {
		return nil
	}
	began := time.Now()
	defer func() { o.waited = time.Since(began) }()
	var late <-chan time.Time
	if stall > 0 {
		t := time.NewTimer(stall)
		defer t.Stop()
		late = t.C
	}
	for {
		if err := o.err; err != nil {
			o.mu.Unlock()
			return err
		}
		if len(o.buf) == 0 || len(o.buf)+need <= o.most() {
			return nil
		}
		o.mu.Unlock()
		if err := o.wait(ctx, late); err != nil {
			return err
		}
		o.mu.Lock()
	}
}

// wait waits until something was written.
func (o *outlet) wait(ctx context.Context, late <-chan time.Time) error {
	select {
	case <-o.room:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-late:
		return errStalled
	}
}

// idle reports whether everything that was added has been written.
func (o *outlet) idle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.buf) == 0 && o.large == nil && !o.busy
}

// addLarge waits until the payload has been written from where it is. The caller holds mu, which is released.
func (o *outlet) addLarge(ctx context.Context, stall time.Duration, payload []byte) error {
	o.large = payload
	o.mark()
	o.mu.Unlock()
	stream.Signal(o.wake)
	var late <-chan time.Time
	if stall > 0 {
		t := time.NewTimer(stall)
		defer t.Stop()
		late = t.C
	}
	var gave error
	for {
		o.mu.Lock()
		written, err := o.large == nil, o.err
		o.mu.Unlock()
		switch {
		case written && gave != nil:
			return gave
		case written:
			return err
		case gave != nil: // the write that was reset returns soon, and the memory is the caller's again
			<-o.room
		default:
			if gave = o.wait(ctx, late); gave != nil {
				o.stream.Reset(moqt.ResetCancelled.Number(o.draft))
			}
		}
	}
}

// hold makes sure that the buffer has room for need more bytes. It starts small, because many streams carry little. The
// caller holds mu.
func (o *outlet) hold(need int) {
	need += len(o.buf)
	if need <= cap(o.buf) {
		return
	}
	var b []byte
	switch {
	case need <= stream.SmallBuffer:
		b = stream.SmallBuffers.Get().(*[stream.SmallBuffer]byte)[:0]
	case max(need, o.most()) <= stream.WriteBuffer:
		b = stream.WriteBuffers.Get().(*[stream.WriteBuffer]byte)[:0]
	default:
		b = stream.OutletBuffers.Get().(*[stream.OutletBuffer]byte)[:0]
	}
	b = append(b, o.buf...)
	stream.PutBuffer(o.buf)
	o.buf = b
}

// mark notes when the object at the end of the buffer came. Objects that came together share a mark. The caller holds
// mu.
func (o *outlet) mark() {
	if o.timeout == 0 {
		return
	}
	end := len(o.buf) + len(o.large)
	if n := len(o.ages); n > 0 && o.since.Sub(o.ages[n-1].at) < time.Millisecond {
		o.ages[n-1].end = end
		return
	}
	o.ages = append(o.ages, age{end, o.since})
}

// run writes what was added until the stream has ended.
func (o *outlet) run() {
	defer close(o.ended)
	defer o.leave()
	var spare []age
	for {
		o.mu.Lock()
		buf, large, ages := o.buf, o.large, o.ages
		idle := len(buf) == 0 && large == nil
		err, fin := o.err, o.fin
		if err == nil && !idle {
			o.buf, o.ages, o.busy, o.size = nil, spare[:0], true, len(buf)+len(large)
		}
		o.closed = o.closed || err == nil && idle && fin
		o.mu.Unlock()
		switch {
		case err != nil:
			return
		case idle && fin:
			o.fail(o.stream.Close())
			return
		case idle:
			<-o.wake
			continue
		}
		stream.Signal(o.room)
		err = o.write(buf, large, ages)
		stream.PutBuffer(buf)
		spare = ages
		o.mu.Lock()
		o.busy = false
		if large != nil { // another one may have come during the write
			o.large = nil
		}
		o.mu.Unlock()
		if err != nil {
			o.fail(err)
			return
		}
		if large != nil { // its writer waits for the end of the write, the others only for the buffer
			stream.Signal(o.room)
		}
	}
}

// write writes a buffer and a payload behind it. An object that is not written in time resets the stream (draft-19 §8).
func (o *outlet) write(buf, large []byte, ages []age) error {
	for written := 0; ; {
		if len(ages) > 0 {
			for len(ages) > 1 && ages[0].end <= written {
				ages = ages[1:]
			}
			_ = o.stream.SetWriteDeadline(ages[0].at.Add(o.timeout))
		}
		p := large
		if written < len(buf) {
			p = buf[written:]
		} else if large != nil {
			p = large[written-len(buf):]
		}
		n, err := o.stream.Write(p)
		written += n
		late := err != nil && errors.Is(err, os.ErrDeadlineExceeded)
		switch {
		case late && len(ages) > 0 && ages[0].end > written:
			o.stream.Reset(moqt.ResetDeliveryTimeout.Number(o.draft))
			return err
		case err != nil && !late:
			return err
		case written == len(buf)+len(large):
			return nil
		}
	}
}

// end ends the stream with FIN behind what was added. It does not wait.
func (o *outlet) end() {
	o.mu.Lock()
	if !o.fin && !o.gone {
		o.owes = int64(stream.SmallBuffer + len(o.buf) + len(o.large))
		if o.busy {
			o.owes += int64(o.size)
		}
		o.leaving.bytes.Add(o.owes)
	}
	o.fin = true
	if o.lifetime > 0 && o.err == nil && o.timer == nil {
		// It has no effect once everything has been acknowledged (draft-19 §8).
		o.timer = time.AfterFunc(o.lifetime, func() { o.stream.Reset(moqt.ResetDeliveryTimeout.Number(o.draft)) })
	}
	o.mu.Unlock()
	stream.Signal(o.wake)
}

// leave takes it off what waits in streams that have ended.
func (o *outlet) leave() {
	o.mu.Lock()
	owed := o.owes
	o.owes, o.gone = 0, true
	o.mu.Unlock()
	o.leaving.bytes.Add(-owed)
	stream.Signal(o.leaving.less)
}

// reset ends the stream with RESET_STREAM, unless it has ended; what was not written is dropped.
func (o *outlet) reset(code moqt.ResetCode) {
	o.mu.Lock()
	closed := o.closed
	o.mu.Unlock()
	if closed {
		return
	}
	o.stream.Reset(code.Number(o.draft))
	o.fail(errOutletReset)
}

var errOutletReset = errors.New("the stream was reset")

// fail makes an error final, unless it is nil or there is one, and wakes the waiting goroutines.
func (o *outlet) fail(err error) {
	if err == nil {
		return
	}
	o.mu.Lock()
	if o.err == nil {
		o.err = err
	}
	o.dead.Store(true)
	stream.PutBuffer(o.buf)
	o.buf = nil
	if !o.busy {
		o.large = nil
	}
	o.mu.Unlock()
	// also one that the peer has stopped must be ended here, to count as such
	o.stream.Reset(moqt.ResetCancelled.Number(o.draft))
	stream.Signal(o.wake)
	stream.Signal(o.room)
}
