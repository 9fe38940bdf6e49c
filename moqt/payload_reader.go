package moqt

import (
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The defaults of ReaderOptions, in bytes.
const (
	DefaultMaxObjectSize = 16 << 20
	DefaultMaxProperties = 256 << 10
)

// ReaderOptions bound and adjust the reading of data streams. The zero value has the default bounds and no tolerances.
type ReaderOptions struct {
	// MaxObjectSize is the longest payload that ReadObject takes, in bytes; 0 is DefaultMaxObjectSize. Reading payloads
	// in pieces has no bound.
	MaxObjectSize uint64
	// MaxProperties is the longest encoded block of properties of one object, in bytes; 0 is DefaultMaxProperties. A
	// longer one is a *wire.Error with code INTERNAL_ERROR and ends the reading.
	MaxProperties uint64
	// Ended, if set, is called once with how the reading ended: io.EOF, the final error of a read, or a
	// *transport.StreamError after Stop. The goroutine that reads or stops calls it before it returns. So a session can
	// close for a breach on a stream that somebody else reads.
	Ended func(error)
	// Decode goes to package wire. Fetch streams from 18 on need its Descending.
	Decode wire.Options

	log  transport.EventLog // of the session, or nil
	room stream.Room        // of the session, or nil
}

func (o ReaderOptions) withDefaults() ReaderOptions {
	if o.MaxObjectSize == 0 {
		o.MaxObjectSize = DefaultMaxObjectSize
	}
	if o.MaxProperties == 0 {
		o.MaxProperties = DefaultMaxProperties
	}
	return o
}

// PayloadReader is the part that SubgroupReader and FetchReader share: the stream, and the payload of the current
// object, the one that Next or ReadObject has reached.
//
// Reads wait for the stream. To end the wait, call Stop or SetReadDeadline from another goroutine. After a deadline
// (os.ErrDeadlineExceeded) nothing is lost and reading may go on; every other error is final. A reset is a
// *transport.StreamError, a breach of the draft a *wire.Error with the offset in the stream. Only Stop, SetReadDeadline
// and StreamID may be called while another method runs.
type PayloadReader struct {
	core stream.Reader
	opts ReaderOptions
}

func init() {
	stream.ReaderOf = func(r any) *stream.Reader { return &r.(*PayloadReader).core }
}

// Draft is the draft that the stream is read as.
func (r *PayloadReader) Draft() wire.Draft { return r.core.Draft }

// StreamID is the QUIC stream id.
func (r *PayloadReader) StreamID() uint64 { return r.core.In.Stream.StreamID() }

// SetReadDeadline bounds the wait of reads; a zero time removes the bound. Safe for concurrent use.
func (r *PayloadReader) SetReadDeadline(t time.Time) error {
	return r.core.In.Stream.SetReadDeadline(t)
}

// Stop sends STOP_SENDING with a code of the draft's stream reset codes. A blocked read ends; later reads fail once the
// bytes that had come are read. Safe for concurrent use.
func (r *PayloadReader) Stop(code uint64) { r.core.In.Stop(code) }

// Remaining is how many bytes of the current object's payload have not been read.
func (r *PayloadReader) Remaining() uint64 { return r.core.Left }

// Buffered is how many bytes of the current object's payload Read gives without waiting, at least.
func (r *PayloadReader) Buffered() int { return r.core.Buffered() }

// Await waits until some of the rest of the current object's payload has come, and tells how much Read gives without
// waiting. It is for a reader that takes memory for a payload only as it comes. It returns io.EOF at the payload's end.
func (r *PayloadReader) Await() (int, error) { return r.core.Await() }

// MaxObjectSize is the longest payload that ReadObject takes, in bytes.
func (r *PayloadReader) MaxObjectSize() uint64 { return r.opts.MaxObjectSize }

// Read reads from the current object's payload, whatever its size. It returns io.EOF at the payload's end, and without
// a current object.
func (r *PayloadReader) Read(p []byte) (int, error) { return r.core.Read(p) }

// WriteTo writes the rest of the current object's payload to w, without a buffer between the stream's and w. A payload
// thus goes from one session to another with io.Copy(subgroupWriter, subgroupReader).
func (r *PayloadReader) WriteTo(w io.Writer) (int64, error) { return r.core.WriteTo(w) }

// Discard reads the rest of the current object's payload and drops it. Next does it too.
func (r *PayloadReader) Discard() error { return r.core.Discard() }

// ReadPayload reads the rest of the current object's payload, whatever its size, and appends it to o.Payload, which
// grows with what comes.
func (r *PayloadReader) ReadPayload(o *Object) (err error) {
	o.Payload, err = r.core.ReadPayload(o.Payload)
	return err
}

var (
	_ io.Reader   = (*PayloadReader)(nil)
	_ io.WriterTo = (*PayloadReader)(nil)
)
