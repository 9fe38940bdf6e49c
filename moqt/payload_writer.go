package moqt

import (
	"fmt"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// PayloadWriter is the part that SubgroupWriter and FetchWriter share: the stream, the gathering of bytes into large
// writes, and the payload of the object that BeginObject began.
//
// By default every object, and every piece of a payload, is written to the stream at once. With SetAutoFlush(false) the
// writer gathers up to 64 KiB before it writes, or until Flush or Close; that is for a sender that has more to send. It
// holds a buffer only while there are bytes in it.
//
// Writes wait while the peer takes nothing. To end the wait, call Reset or SetWriteDeadline from another goroutine. An
// error of the stream is final; it is a *transport.StreamError when the stream was reset or stopped. A *wire.Error says
// what cannot be encoded; nothing is written then, and the writer stays as it was. All methods are safe for concurrent
// use, but only one goroutine at a time may write objects, and methods that tell the writer's state wait for a write
// that is under way.
type PayloadWriter struct {
	core stream.Writer
	log  transport.EventLog // of the session, or nil
}

// Draft is the draft that the stream is written in.
func (w *PayloadWriter) Draft() wire.Draft { return w.core.Draft }

// Stream is the stream below. Use it for its Context and deadlines, not for writing.
func (w *PayloadWriter) Stream() transport.SendStream { return w.core.Stream }

// StreamID is the QUIC stream id.
func (w *PayloadWriter) StreamID() uint64 { return w.core.Stream.StreamID() }

// SetWriteDeadline bounds the wait of writes; a zero time removes the bound. A write that misses the deadline ends the
// writer, because it is not known how much went out. Safe for concurrent use.
func (w *PayloadWriter) SetWriteDeadline(t time.Time) error { return w.core.Stream.SetWriteDeadline(t) }

// SetAutoFlush says whether every object is written to the stream at once. It is by default.
func (w *PayloadWriter) SetAutoFlush(on bool) {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	w.core.Gather = !on
}

// Remaining is how many bytes of the payload that BeginObject began have not been written.
func (w *PayloadWriter) Remaining() uint64 {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	return w.core.Left
}

// Write writes a piece of the payload that BeginObject began. A piece longer than the rest of the payload is an error,
// and nothing of it is written.
func (w *PayloadWriter) Write(p []byte) (int, error) {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	if w.core.Err != nil {
		return 0, w.core.Err
	}
	if uint64(len(p)) > w.core.Left {
		return 0, fmt.Errorf("stream %d: %d bytes of payload written, %d were to come", w.StreamID(), len(p),
			w.core.Left)
	}
	n, err := w.core.Put(p)
	w.core.Left -= uint64(n)
	if err == nil {
		err = w.core.Written()
	}
	return n, err
}

// Flush writes what was gathered to the stream, also the stream's header, which otherwise waits for the first object.
func (w *PayloadWriter) Flush() error {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	return w.core.Flush()
}

// Close writes what was gathered and ends the stream with FIN. While a payload is incomplete Close fails and the stream
// stays open: complete it, or Reset. A second Close does nothing. When an error has ended the writer before, Close
// returns it.
func (w *PayloadWriter) Close() error {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	if w.core.Err == io.ErrClosedPipe {
		return nil
	}
	if err := w.core.Unfinished(); err != nil {
		return err
	}
	if err := w.core.Flush(); err != nil {
		return err
	}
	w.core.Err = io.ErrClosedPipe
	return w.core.Stream.Close()
}

// ResetBehind is Reset for a stream of which nothing was written: what was gathered, as the stream's header, arrives in
// spite of the reset where the transport and the peer can do that. So the peer learns what it does not get.
func (w *PayloadWriter) ResetBehind(code uint64) {
	w.core.Mu.Lock()
	if out, ok := w.core.Stream.(transport.BehindResetter); ok && w.core.Err == nil {
		out.ResetBehind(w.core.Buf, code)
	}
	w.core.Mu.Unlock()
	w.Reset(code)
}

// Reset ends the stream with RESET_STREAM and a code of the draft's stream reset codes. What was gathered is dropped,
// and a blocked write ends.
func (w *PayloadWriter) Reset(code uint64) {
	w.core.Stream.Reset(code)
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	w.core.Fail(&transport.StreamError{StreamID: w.core.Stream.StreamID(), Code: code})
}
