package moqt

import (
	"fmt"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
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
	core stream.Writer
	log  transport.EventLog // of the session, or nil
}

// Draft is the draft that the stream is written in.
func (w *PayloadWriter) Draft() wire.Draft { return w.core.Draft }

// Stream is the stream below. Use it for its Context and deadlines, not for writing.
func (w *PayloadWriter) Stream() transport.SendStream { return w.core.Stream }

// StreamID is the QUIC stream id.
func (w *PayloadWriter) StreamID() uint64 { return w.core.Stream.StreamID() }

// SetWriteDeadline bounds the wait of writes; a zero time removes the bound. A write that it ends has ended the writer:
// what went out is not known. Safe for concurrent use.
func (w *PayloadWriter) SetWriteDeadline(t time.Time) error { return w.core.Stream.SetWriteDeadline(t) }

// SetAutoFlush says whether every object is written to the stream at once, which is the default.
func (w *PayloadWriter) SetAutoFlush(on bool) {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	w.core.Gather = !on
}

// Remaining is how many bytes of the payload begun with BeginObject are to come.
func (w *PayloadWriter) Remaining() uint64 {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	return w.core.Left
}

// Write writes a piece of the payload that BeginObject began. More than what is left of it is an error, and nothing is
// written.
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

// Flush writes what was gathered to the stream: also the stream's header, which otherwise waits for the first object.
func (w *PayloadWriter) Flush() error {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	return w.core.Flush()
}

// Close writes what was gathered and ends the stream with FIN. It is an error while a payload is not complete, and the
// stream stays open then: only Reset may end it. A second Close does nothing; after any other end Close returns the
// error that was it.
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

// Reset ends the stream with RESET_STREAM and a code of the draft's stream reset codes; what was gathered is dropped.
// It ends a blocked write.
func (w *PayloadWriter) Reset(code uint64) {
	w.core.Stream.Reset(code)
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	w.core.Fail(&transport.StreamError{StreamID: w.core.Stream.StreamID(), Code: code})
}
