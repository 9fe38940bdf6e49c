package moqt

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// messageReader cuts a stream into control messages. Not safe for concurrent use, except Halfway.
type messageReader struct {
	in    io.Reader
	draft wire.Draft
	buf   []byte
	r, w  int // buf[r:w] is read and not consumed
	// room, if set, bounds what is held of messages beyond smallMessage.
	room stream.Room
	// owes: a message must come, though none has begun; inside: the rest of one is waited for.
	owes     bool
	inside   atomic.Bool
	received atomic.Uint64
}

// smallMessage is the size of a reader's first buffer, which most messages fit into.
const smallMessage = 512

// Halfway implements halfway.
func (m *messageReader) Halfway() (waits bool, received uint64) {
	return m.inside.Load(), m.received.Load()
}

// frame gives the next whole message, type and length included; it is valid until the next call. io.EOF means that the
// stream ended between messages, io.ErrUnexpectedEOF inside one. After an error nothing is held.
func (m *messageReader) frame() (frame []byte, err error) {
	defer func() {
		if err != nil {
			m.resize(0)
		}
	}()
	for {
		need := 0
		if m.w > m.r {
			var n int
			if _, _, n, need, err = wire.Frame(m.buf[m.r:m.w], m.draft); err != nil {
				return nil, err
			}
			if n > 0 {
				frame := m.buf[m.r : m.r+n]
				m.r += n
				m.owes = false
				return frame, nil
			}
		}
		if err := m.makeRoom(need); err != nil {
			return nil, err
		}
		n, err := m.read()
		if n > 0 {
			continue
		}
		if err == io.EOF && m.w > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
	}
}

// makeRoom makes room to read behind what has not been consumed, which is a part of a message of need bytes.
func (m *messageReader) makeRoom(need int) error {
	rest := m.w - m.r
	switch {
	case rest == 0 && len(m.buf) > smallMessage, len(m.buf) == 0:
		m.r, m.w = 0, 0
		return m.resize(smallMessage)
	case m.r > 0:
		m.w = copy(m.buf, m.buf[m.r:m.w])
		m.r = 0
	}
	switch {
	case m.w < len(m.buf):
		return nil
	case m.w < 4*smallMessage:
		return m.resize(2 * len(m.buf))
	}
	return m.resize(max(need, m.w+1)) // at once: many halves that wait for room would get nowhere
}

// resize moves the bytes to a buffer of another size; 0 gives it away with them.
func (m *messageReader) resize(size int) error {
	if more := int64(max(size, smallMessage) - max(len(m.buf), smallMessage)); m.room != nil && more < 0 {
		m.room.Give(-more)
	} else if m.room != nil && more > 0 {
		if err := m.room.Wait(more); err != nil {
			return err
		}
	}
	if size == 0 {
		m.buf, m.r, m.w = nil, 0, 0
		return nil
	}
	buf := make([]byte, size)
	copy(buf, m.buf[m.r:m.w])
	m.buf = buf
	return nil
}

// read reads once.
func (m *messageReader) read() (n int, err error) {
	m.inside.Store(m.owes || m.w > 0)
	n, err = m.in.Read(m.buf[m.w:])
	m.inside.Store(false)
	m.received.Add(uint64(n))
	m.w += n
	return n, err
}

// unread gives the n bytes of the frame just taken back.
func (m *messageReader) unread(n int) { m.r -= n }

// messageWriter writes control messages to a stream, whole and in order. Safe for concurrent use.
type messageWriter struct {
	s      *Session
	stream transport.SendStream
	kind   wire.StreamKind
	lock   chan struct{} // holds one token while nobody writes
	buf    []byte

	mu sync.Mutex
	// posted go out before the turn is given to anybody else.
	posted []postedMessage
	fin    bool // FIN is wanted; the holder of the turn sends it
	closed bool // FIN is sent
}

// postedMessage is a message that waits for the turn, and whose sender does not.
type postedMessage struct {
	wire.Message
	requestID uint64
}

func newMessageWriter(s *Session, stream transport.SendStream, kind wire.StreamKind) *messageWriter {
	w := &messageWriter{s: s, stream: stream, kind: kind, lock: make(chan struct{}, 1)}
	w.lock <- struct{}{}
	return w
}

// tryAcquire takes the turn if nobody has it.
func (w *messageWriter) tryAcquire() bool {
	select {
	case <-w.lock:
		return true
	default:
		return false
	}
}

// acquire waits for its turn.
func (w *messageWriter) acquire(ctx context.Context) error {
	if w.tryAcquire() {
		return nil
	}
	select {
	case <-w.lock:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.s.ctx.Done():
		return context.Cause(w.s.ctx)
	}
}

// post sends a message before whatever others begin to send from now on. It does not wait: the holder of the turn, if
// there is one, sends it.
func (w *messageWriter) post(m wire.Message, requestID uint64) {
	w.mu.Lock()
	w.posted = append(w.posted, postedMessage{m, requestID})
	free := w.tryAcquire()
	w.mu.Unlock()
	if free {
		w.release()
	}
}

// release sends what was posted, and a FIN that was asked for in the meantime, and gives the turn away.
func (w *messageWriter) release() {
	for {
		m, posted, closing := w.give()
		switch {
		case posted:
			if w.sendPosted(m) {
				return // the rest is written in the background, and then the turn is given away
			}
		case closing:
			_ = w.stream.Close()
			w.s.trace(Event{Type: EventFin, Sent: true, Stream: w.kind, StreamID: w.stream.StreamID()})
		default:
			return
		}
	}
}

// give gives the turn away, unless a message was posted, which it returns, or FIN is to be sent.
func (w *messageWriter) give() (m postedMessage, posted, closing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.posted) > 0 {
		m = w.posted[0]
		w.posted = w.posted[1:]
		return m, true, false
	}
	w.posted = nil
	if w.fin && !w.closed {
		w.closed = true
		return m, false, true
	}
	w.lock <- struct{}{}
	return m, false, false
}

// sendPosted sends a message without waiting. kept reports that the turn is kept until all of it is written.
func (w *messageWriter) sendPosted(m postedMessage) (kept bool) {
	b, err := w.encode(m.Message)
	if err != nil {
		return false
	}
	over, cancel := context.WithCancel(w.s.ctx)
	cancel()
	_, kept, _ = w.put(over, m.Message, b, m.requestID, true)
	return kept
}

// finish ends the direction with FIN behind what is being written. It does not wait.
func (w *messageWriter) finish() {
	w.mu.Lock()
	w.fin = true
	free := w.tryAcquire()
	w.mu.Unlock()
	if free {
		w.release()
	}
}

// write sends one message. The error is a *wire.Error for what cannot be encoded, and nothing is sent then. When the
// context ends in the middle of the message, the rest is written in the background: a stream must not stay cut.
func (w *messageWriter) write(ctx context.Context, m wire.Message, requestID uint64) error {
	if err := w.acquire(ctx); err != nil {
		return err
	}
	b, err := w.encode(m)
	if err != nil {
		w.release()
		return err
	}
	_, err = w.send(ctx, m, b, requestID, false)
	return err
}

// encode gives the bytes of a message, valid until the next call. The caller has the turn.
func (w *messageWriter) encode(m wire.Message) ([]byte, error) {
	b, err := wire.AppendMessage(w.buf[:0], w.s.draft, m, w.kind)
	if err == nil && cap(b) <= 4<<10 {
		w.buf = b
	}
	return b, err
}

// send sends an encoded message and gives the turn away. sent is true when the peer gets the message, be it later; with
// must it is, unless the stream or the session fails.
func (w *messageWriter) send(ctx context.Context, m wire.Message, b []byte, requestID uint64, must bool) (sent bool,
	err error) {
	sent, kept, err := w.put(ctx, m, b, requestID, must)
	if !kept {
		w.release()
	}
	return sent, err
}

// put is send without giving the turn away. kept reports that the rest is written in the background, which then does.
func (w *messageWriter) put(ctx context.Context, m wire.Message, b []byte, requestID uint64, must bool) (sent,
	kept bool, err error) {
	e := Event{Type: EventMessage, Sent: true, Stream: w.kind, StreamID: w.stream.StreamID(), Message: m, Raw: b,
		Bytes: len(b), RequestID: requestID}
	e.MessageType, _ = wire.Varint(b, w.s.draft)
	w.s.trace(e)
	rest, err := w.writeBytes(ctx, b)
	if err == nil {
		return true, false, nil
	}
	late := errors.Is(err, os.ErrDeadlineExceeded)
	if late && (must || len(rest) < len(b)) {
		w.buf = nil // rest is a part of it
		if w.s.Go(func() {
			_, _ = w.writeBytes(w.s.ctx, rest)
			w.release()
		}) {
			return true, true, context.Cause(ctx)
		}
	}
	if late {
		return false, false, context.Cause(ctx)
	}
	return false, false, w.s.streamError(err)
}

// writeBytes gives what was not written.
func (w *messageWriter) writeBytes(ctx context.Context, b []byte) (rest []byte, err error) {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = w.stream.SetWriteDeadline(time.Unix(1, 0))
		close(over)
	})
	n, err := w.stream.Write(b)
	if !stop() {
		<-over
		_ = w.stream.SetWriteDeadline(time.Time{})
	}
	return b[n:], err
}
