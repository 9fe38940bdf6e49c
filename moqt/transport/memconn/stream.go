package memconn

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Stream is one side of a stream. It implements transport.Stream. A unidirectional stream lacks one of the halves, and
// callers get it as an interface that does not use that half.
type Stream struct {
	id   uint64
	send *half
	recv *half
}

// newStreams makes both sides of a stream. The caller holds mu.
func newStreams(opener *Conn, sp *space, id uint64, index int, uni bool) (near, far *Stream) {
	whole := &whole{opener: opener, space: sp, open: 1}
	info := StreamInfo{ID: id, Index: index, Uni: uni, OpenedByClient: opener.info.Client,
		FromClient: opener.info.Client}
	out := newHalf(opener, whole, info)
	near, far = &Stream{id: id, send: out}, &Stream{id: id, recv: out}
	if !uni {
		whole.open = 2
		info.FromClient = !info.FromClient
		back := newHalf(opener.peer, whole, info)
		near.recv, far.send = back, back
	}
	return near, far
}

// StreamID implements transport.Stream.
func (s *Stream) StreamID() uint64 { return s.id }

// Write implements transport.SendStream.
func (s *Stream) Write(b []byte) (int, error) { return s.send.write(b) }

// Close implements transport.SendStream.
func (s *Stream) Close() error { return s.send.close() }

// Reset implements transport.SendStream.
func (s *Stream) Reset(code uint64) { s.send.reset(code) }

// Context implements transport.SendStream.
func (s *Stream) Context() context.Context { return s.send.ctx }

// SetWriteDeadline implements transport.SendStream.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	return s.send.setDeadline(&s.send.writeDeadline, t)
}

// Read implements transport.ReceiveStream.
func (s *Stream) Read(b []byte) (int, error) { return s.recv.take(b) }

// ResetBehind implements transport.BehindResetter.
func (s *Stream) ResetBehind(head []byte, code uint64) { s.send.resetBehind(head, code) }

// Stop implements transport.ReceiveStream.
func (s *Stream) Stop(code uint64) { s.recv.stop(code) }

// SetReadDeadline implements transport.ReceiveStream.
func (s *Stream) SetReadDeadline(t time.Time) error {
	return s.recv.setDeadline(&s.recv.readDeadline, t)
}

// whole counts the directions of a stream that have not ended, for the stream limit.
type whole struct {
	opener *Conn
	space  *space
	open   int
}

// half is one direction of a stream. The link's mutex guards it.
type half struct {
	link    *link
	sender  *Conn
	whole   *whole
	info    StreamInfo
	fault   Fault
	changed *sync.Cond
	ctx     context.Context // the sender's
	cancel  context.CancelCauseFunc

	buf     []byte // ring of the bytes written and not read
	start   int    // where the oldest stands
	held    int    // how many there are
	flight  []mark // when they arrive; empty without a delay
	passed  int64  // bytes handed to the buffer so far
	read    int64  // bytes taken out of it
	armed   bool   // the fault's action is on its way
	shown   bool   // the peer has been told of the stream
	ended   bool   // counted out of whole
	finSent bool
	finCame bool
	sendErr *transport.StreamError // what ended the direction, as the sender sees it
	recvErr *transport.StreamError // and as the receiver does
	behind  bool                   // the reset leaves what was written before it

	readDeadline, writeDeadline deadline
}

// mark says that n further bytes are still on their way.
type mark struct{ n int }

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newHalf(sender *Conn, w *whole, info StreamInfo) *half {
	h := &half{link: sender.link, sender: sender, whole: w, info: info, changed: sync.NewCond(&sender.link.mu)}
	if f := h.link.opts.Faults; f != nil {
		h.fault = f(info)
	}
	h.ctx, h.cancel = context.WithCancelCause(sender.ctx)
	h.link.live[h] = struct{}{}
	return h
}

// end counts the direction out once neither side needs it any more. The caller holds mu.
func (h *half) end() {
	if h.ended {
		return
	}
	h.ended = true
	h.buf = nil
	h.held = 0
	delete(h.link.live, h)
	w := h.whole
	w.open--
	if w.open == 0 {
		w.space.open--
		w.opener.changed.Broadcast()
	}
}

// later runs f when a frame sent now arrives. The caller holds mu.
func (h *half) later(f func()) {
	if h.fault.Delay <= 0 {
		f()
		return
	}
	h.link.after(h.fault.Delay, f)
}

// show tells the peer of the stream; the answering side of a bidirectional stream has nothing to tell. The caller holds
// mu.
func (h *half) show() {
	if h.shown {
		return
	}
	h.shown = true
	if h.sender == h.whole.opener {
		h.later(func() { h.sender.show(h.whole.space, h.info.ID) })
	}
}

// write waits for room. It returns how many bytes went into the buffer.
func (h *half) write(b []byte) (n int, err error) {
	h.link.mu.Lock()
	defer h.link.mu.Unlock()
	for {
		switch {
		case h.sender.err != nil:
			return n, h.sender.err
		case h.sendErr != nil:
			return n, h.sendErr
		case h.finSent:
			return n, io.ErrClosedPipe
		case len(b) == 0:
			return n, nil
		case h.writeDeadline.passed():
			return n, errTimeout
		}
		if room := h.link.opts.StreamBuffer - h.held; room > 0 {
			took := h.put(b[:min(room, len(b))])
			n, b = n+took, b[took:]
			continue
		}
		h.changed.Wait()
	}
}

// put sends bytes for which there is room and returns how many of them. The caller holds mu.
func (h *half) put(b []byte) int {
	if h.swallows() {
		return len(b)
	}
	if h.fault.Action != None {
		b = b[:min(int64(len(b)), h.fault.After-h.passed)]
	}
	h.show()
	h.grow(len(b))
	end := (h.start + h.held) % len(h.buf)
	k := copy(h.buf[end:], b)
	copy(h.buf, b[k:])
	h.held += len(b)
	h.passed += int64(len(b))
	if h.fault.Delay > 0 {
		h.flight = append(h.flight, mark{len(b)})
		h.link.after(h.fault.Delay, func() {
			h.flight = h.flight[1:]
			h.changed.Broadcast()
		})
	}
	h.changed.Broadcast()
	return len(b)
}

// grow makes the ring large enough for n more bytes. The caller holds mu.
func (h *half) grow(n int) {
	need := h.held + n
	if need <= len(h.buf) {
		return
	}
	size := max(512, len(h.buf))
	for size < need {
		size *= 2
	}
	ring := make([]byte, size)
	h.copyOut(ring, h.held)
	h.buf, h.start = ring, 0
}

// copyOut copies the oldest n bytes without taking them. The caller holds mu.
func (h *half) copyOut(b []byte, n int) {
	if n == 0 {
		return
	}
	k := copy(b[:n], h.buf[h.start:])
	copy(b[k:n], h.buf)
}

// swallows reports whether the fault keeps what comes next from the receiver. The caller holds mu.
func (h *half) swallows() bool {
	if h.fault.Action == None || h.passed < h.fault.After {
		return false
	}
	h.show()
	if h.fault.After == 0 && !h.armed {
		h.armed = true
		h.later(h.strike)
	}
	return true
}

// strike does the fault's action. The caller holds mu.
func (h *half) strike() {
	switch code := h.fault.Code; h.fault.Action {
	case Reset:
		h.arriveReset(code)
	case Stop:
		h.arriveStop(code)
	case Close:
		err := transport.CloseError{Remote: true, Code: code, Reason: "fault"}
		other := err
		h.link.end(h.sender, &err, &other)
	}
}

func (h *half) close() error {
	h.link.mu.Lock()
	defer h.link.mu.Unlock()
	switch {
	case h.sender.err != nil:
		return h.sender.err
	case h.sendErr != nil:
		return h.sendErr
	case h.finSent:
		return nil
	}
	h.finSent = true
	h.cancel(nil)
	h.changed.Broadcast()
	if h.swallows() {
		return nil
	}
	h.show()
	h.later(func() {
		h.finCame = true
		h.changed.Broadcast()
	})
	return nil
}

func (h *half) reset(code uint64) {
	h.link.mu.Lock()
	defer h.link.mu.Unlock()
	if h.sender.err != nil || h.sendErr != nil || h.ended {
		return
	}
	h.sendErr = &transport.StreamError{StreamID: h.info.ID, Code: code}
	h.cancel(h.sendErr)
	h.changed.Broadcast()
	if h.swallows() {
		return
	}
	h.show()
	h.later(func() { h.arriveReset(code) })
}

// resetBehind writes what there is room for and resets, but what was written arrives.
func (h *half) resetBehind(head []byte, code uint64) {
	h.link.mu.Lock()
	if room := h.link.opts.StreamBuffer - h.held; h.sendErr == nil && !h.finSent && h.recvErr == nil && !h.ended &&
		h.sender.err == nil && room >= len(head) {
		h.behind = h.put(head) == len(head)
	}
	h.link.mu.Unlock()
	h.reset(code)
}

// arriveReset is RESET_STREAM at the receiver: what it has not read is lost. The caller holds mu.
func (h *half) arriveReset(code uint64) {
	if h.recvErr == nil && !h.ended {
		h.recvErr = &transport.StreamError{StreamID: h.info.ID, Remote: true, Code: code}
	}
	if !h.behind || h.held == 0 {
		h.end()
	}
	h.changed.Broadcast()
}

// arriveStop is STOP_SENDING at the sender, which answers with RESET_STREAM (RFC 9000 §3.5). The caller holds mu.
func (h *half) arriveStop(code uint64) {
	if h.sendErr == nil && !h.ended {
		h.sendErr = &transport.StreamError{StreamID: h.info.ID, Remote: true, Stop: true, Code: code}
		h.cancel(h.sendErr)
	}
	h.arriveReset(code)
}

func (h *half) stop(code uint64) {
	h.link.mu.Lock()
	defer h.link.mu.Unlock()
	if h.sender.err != nil || h.recvErr != nil || h.ended {
		return
	}
	h.recvErr = &transport.StreamError{StreamID: h.info.ID, Stop: true, Code: code}
	if h.sender != h.whole.opener { // STOP_SENDING can be the first frame of a stream
		h.whole.opener.show(h.whole.space, h.info.ID)
	}
	h.arriveStop(code)
}

// take waits for bytes that have arrived.
func (h *half) take(b []byte) (int, error) {
	h.link.mu.Lock()
	defer h.link.mu.Unlock()
	for {
		switch {
		case h.sender.peer.err != nil:
			return 0, h.sender.peer.err
		case h.recvErr != nil && (!h.behind || h.held == 0 || !h.recvErr.Remote):
			h.end()
			return 0, h.recvErr
		case h.ended:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		case h.readDeadline.passed():
			return 0, errTimeout
		}
		arrived := h.held
		for _, m := range h.flight {
			arrived -= m.n
		}
		if arrived > 0 {
			n := min(arrived, len(b))
			h.copyOut(b, n)
			h.start = (h.start + n) % len(h.buf)
			h.held -= n
			h.read += int64(n)
			h.changed.Broadcast()
			if h.fault.Action != None && h.read == h.fault.After {
				h.strike()
			}
			return n, nil
		}
		if h.finCame && h.held == 0 {
			h.end()
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *half) setDeadline(d *deadline, t time.Time) error {
	h.link.mu.Lock()
	defer h.link.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	h.changed.Broadcast()
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, func() {
			h.link.mu.Lock()
			defer h.link.mu.Unlock()
			h.changed.Broadcast()
		})
	}
	return nil
}

// timeoutError is a passed deadline, as package net has it.
type timeoutError struct{}

var errTimeout error = &timeoutError{}

func (*timeoutError) Error() string   { return "deadline exceeded" }
func (*timeoutError) Timeout() bool   { return true }
func (*timeoutError) Temporary() bool { return true }
func (*timeoutError) Unwrap() error   { return os.ErrDeadlineExceeded }

var (
	_ transport.Stream = (*Stream)(nil)
	_ net.Error        = (*timeoutError)(nil)
)
