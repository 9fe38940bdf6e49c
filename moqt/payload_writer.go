package moqt

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// PayloadWriter is the part that SubgroupWriter and FetchWriter share: the payload of an object that BeginObject began,
// the gathering of bytes into large writes, and the stream.
//
// By default every object, and every piece of a payload, is written to the stream at once. With SetAutoFlush(false)
// bytes gather until 64 KiB of them have come, or until Flush or Close; that is for senders who have more to send.
// Buffers are held only while there are bytes in them.
//
// Writes wait while the peer takes nothing; to end the wait, call Reset or SetWriteDeadline from another goroutine. An
// error of the stream is final (*transport.StreamError when the stream was reset or stopped); an error that says that
// something cannot be encoded (*wire.Error) writes nothing and leaves the writer as it was. All methods are safe for
// concurrent use, but objects are written by one goroutine at a time, and what asks for the writer's state waits for a
// write that is under way.
type PayloadWriter struct {
	stream transport.SendStream
	draft  wire.Draft

	mu     sync.Mutex
	buf    []byte // gathered and not written; nil while there are none
	left   uint64 // bytes of the payload begun that are to come
	gather bool
	props  []byte // for translated properties
	err    error  // final

	log transport.EventLog // of the session, or nil
}

// Draft is the draft that the stream is written in.
func (w *PayloadWriter) Draft() wire.Draft { return w.draft }

// Stream is the stream below. Use it for its Context and deadlines, not for writing.
func (w *PayloadWriter) Stream() transport.SendStream { return w.stream }

// StreamID is the QUIC stream id.
func (w *PayloadWriter) StreamID() uint64 { return w.stream.StreamID() }

// SetWriteDeadline bounds the wait of writes; a zero time removes the bound. A write that it ends has ended the writer:
// what went out is not known. Safe for concurrent use.
func (w *PayloadWriter) SetWriteDeadline(t time.Time) error { return w.stream.SetWriteDeadline(t) }

// SetAutoFlush says whether every object is written to the stream at once, which is the default.
func (w *PayloadWriter) SetAutoFlush(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gather = !on
}

// Remaining is how many bytes of the payload begun with BeginObject are to come.
func (w *PayloadWriter) Remaining() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left
}

// Write writes a piece of the payload that BeginObject began. More than what is left of it is an error, and nothing is
// written.
func (w *PayloadWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	if uint64(len(p)) > w.left {
		return 0, fmt.Errorf("stream %d: %d bytes of payload written, %d were to come", w.StreamID(), len(p), w.left)
	}
	n, err := w.put(p)
	w.left -= uint64(n)
	if err == nil {
		err = w.written()
	}
	return n, err
}

// Flush writes what was gathered to the stream: also the stream's header, which otherwise waits for the first object.
func (w *PayloadWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

// Close writes what was gathered and ends the stream with FIN. It is an error while a payload is not complete, and the
// stream stays open then: only Reset may end it. A second Close does nothing; after any other end Close returns the
// error that was it.
func (w *PayloadWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == io.ErrClosedPipe {
		return nil
	}
	if err := w.unfinished(); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.err = io.ErrClosedPipe
	return w.stream.Close()
}

// Reset ends the stream with RESET_STREAM and a code of the draft's stream reset codes; what was gathered is dropped.
// It ends a blocked write.
func (w *PayloadWriter) Reset(code uint64) {
	w.stream.Reset(code)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail(&transport.StreamError{StreamID: w.stream.StreamID(), Code: code})
}

// fail makes an error the final one, unless there is one.
func (w *PayloadWriter) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	w.release()
	return err
}

func (w *PayloadWriter) release() {
	putBuffer(w.buf)
	w.buf = nil
}

// room makes room for n more bytes to be gathered, so that a header need not be split. The caller holds mu.
func (w *PayloadWriter) room(n int) error {
	w.hold()
	if len(w.buf) > 0 && cap(w.buf)-len(w.buf) < n {
		if err := w.flush(); err != nil {
			return err
		}
		w.hold()
	}
	return nil
}

// hold sees to a buffer of full size. The caller holds mu.
func (w *PayloadWriter) hold() {
	if cap(w.buf) < writeBuffer {
		w.buf = append(writeBuffers.Get().(*[writeBuffer]byte)[:0], w.buf...)
	}
}

// put gathers p, and writes what fills the buffer; with nothing gathered, a p that would fill it is written as it is. n
// counts what was taken. The caller holds mu.
func (w *PayloadWriter) put(p []byte) (n int, err error) {
	for len(p) > 0 {
		if len(w.buf) == 0 && len(p) >= writeBuffer {
			k, err := w.stream.Write(p)
			if err != nil {
				w.fail(err)
			}
			return n + k, err
		}
		w.hold()
		k := min(len(p), cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[:k]...)
		p, n = p[k:], n+k
		if len(w.buf) == cap(w.buf) {
			if err := w.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// written ends a call that wrote objects. The caller holds mu.
func (w *PayloadWriter) written() error {
	if w.gather {
		return nil
	}
	return w.flush()
}

// flush writes what was gathered and gives the buffer back. The caller holds mu.
func (w *PayloadWriter) flush() error {
	if w.err != nil {
		return w.err
	}
	if len(w.buf) > 0 {
		if _, err := w.stream.Write(w.buf); err != nil {
			return w.fail(err)
		}
	}
	w.release()
	return nil
}

// unfinished is the error for whoever forgot part of a payload. The caller holds mu.
func (w *PayloadWriter) unfinished() error {
	if w.err == nil && w.left > 0 {
		return fmt.Errorf("stream %d: %d bytes of the last object's payload were not written", w.StreamID(), w.left)
	}
	return nil
}

// block gives an object's properties in the form of the stream's draft; from is the draft they have the form of, 0 for
// the stream's. The caller holds mu.
func (w *PayloadWriter) block(props []byte, from wire.Draft) ([]byte, error) {
	if len(props) == 0 || from == 0 || from == w.draft {
		return props, nil
	}
	out, err := wire.TranscodeProperties(w.props[:0], from, w.draft, props)
	if err != nil {
		return nil, err
	}
	w.props = out
	return out, nil
}

// appender is the state of package wire for one stream: wire.SubgroupObjects or wire.FetchObjects.
type appender[H any] interface {
	AppendHeader(b []byte, h *H) ([]byte, error)
}

// putObject writes a header, whose properties *props are in the form of draft from, and as much of the payload as is at
// hand; left bytes of it are to come. The caller holds mu.
func putObject[H any, S appender[H]](w *PayloadWriter, state S, h *H, props *[]byte, from wire.Draft, payload []byte,
	left uint64) (err error) {
	if w.err != nil {
		return w.err
	}
	if err := w.unfinished(); err != nil {
		return err
	}
	if *props, err = w.block(*props, from); err != nil {
		return err
	}
	if err := w.room(wire.MaxObjectHeader + len(*props)); err != nil {
		return err
	}
	b, err := state.AppendHeader(w.buf, h)
	if err != nil {
		if len(w.buf) == 0 {
			w.release()
		}
		return err
	}
	w.buf, w.left = b, left
	if _, err := w.put(payload); err != nil {
		return err
	}
	if left > 0 {
		return nil
	}
	return w.written()
}
