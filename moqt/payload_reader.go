package moqt

import (
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The defaults of ReaderOptions, in bytes.
const (
	DefaultMaxObjectSize = 16 << 20
	DefaultMaxProperties = 256 << 10
)

// growStep is by how much a payload's buffer grows at first: a length alone must not take much memory.
const growStep = 256 << 10

// ReaderOptions bound and adjust the reading of data streams. The zero value is strict and has the default bounds.
type ReaderOptions struct {
	// MaxObjectSize is the longest payload that ReadObject takes, in bytes; 0 is DefaultMaxObjectSize. Reading payloads
	// in pieces has no bound.
	MaxObjectSize uint64
	// MaxProperties is the longest encoded block of properties of one object, in bytes; 0 is DefaultMaxProperties. A
	// longer one is a *wire.Error with code INTERNAL_ERROR and ends the reading.
	MaxProperties uint64
	// Ended, if set, is told once how the reading ended: io.EOF, the final error of a read, or a *transport.StreamError
	// for Stop. It is called by the goroutine that read or stopped, before that returns, so that a session can close
	// for a breach that somebody else's reading met.
	Ended func(error)
	// Decode is for package wire. Descending is needed for fetch streams from 18 on.
	Decode wire.Options

	log transport.EventLog // of the session, or nil
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

// PayloadReader is the part that SubgroupReader and FetchReader share: the payload of the current object, which Next or
// ReadObject has reached, and the stream.
//
// Reads wait for the stream; to end the wait, call Stop or SetReadDeadline from another goroutine. After a deadline
// (errors.Is os.ErrDeadlineExceeded) nothing is lost and reading may go on; every other error is final. Resets come
// through as *transport.StreamError, breaches of the draft as *wire.Error, with the offset in the stream. Only Stop,
// SetReadDeadline and StreamID may be called concurrently with other methods.
type PayloadReader struct {
	in      *streamBuffer
	draft   wire.Draft
	opts    ReaderOptions
	size    uint64 // of the current object's payload
	left    uint64 // how much of it is not read
	started bool   // ReadObject waits for the rest of the current payload
	err     error  // final
}

// Draft is the draft that the stream is read as.
func (r *PayloadReader) Draft() wire.Draft { return r.draft }

// StreamID is the QUIC stream id.
func (r *PayloadReader) StreamID() uint64 { return r.in.stream.StreamID() }

// SetReadDeadline bounds the wait of reads; a zero time removes the bound. Safe for concurrent use.
func (r *PayloadReader) SetReadDeadline(t time.Time) error { return r.in.stream.SetReadDeadline(t) }

// Stop asks the peer with STOP_SENDING and a code of the draft's stream reset codes to stop. A blocked read ends, later
// ones fail once what had already come is read. Safe for concurrent use.
func (r *PayloadReader) Stop(code uint64) { r.in.stop(code) }

// Remaining is how many bytes of the current object's payload are not read yet.
func (r *PayloadReader) Remaining() uint64 { return r.left }

// Read reads from the current object's payload, whatever its size. It returns io.EOF at the payload's end, and without
// a current object.
func (r *PayloadReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		if r.err != nil {
			return 0, r.err
		}
		return 0, io.EOF
	}
	if uint64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.in.read(p, r.ahead())
	r.left -= uint64(n)
	return n, r.payloadError(err)
}

// WriteTo writes the rest of the current object's payload to w, without a buffer between the stream's and w. A payload
// thus goes from one session to another with io.Copy(subgroupWriter, subgroupReader).
func (r *PayloadReader) WriteTo(w io.Writer) (written int64, err error) {
	if r.err != nil && r.err != io.EOF {
		return 0, r.err
	}
	for r.left > 0 {
		if len(r.in.unread()) == 0 {
			if err := r.payloadError(r.in.fill(0)); err != nil {
				return written, err
			}
		}
		p := r.in.unread()
		if uint64(len(p)) > r.left {
			p = p[:r.left]
		}
		n, err := w.Write(p)
		r.in.advance(n)
		r.left -= uint64(n)
		written += int64(n)
		if err != nil {
			return written, err
		}
		if n < len(p) {
			return written, io.ErrShortWrite
		}
	}
	return written, nil
}

// Discard reads the rest of the current object's payload and drops it. Next does it too.
func (r *PayloadReader) Discard() error {
	if r.err != nil && r.err != io.EOF {
		return r.err
	}
	for r.left > 0 {
		if len(r.in.unread()) == 0 {
			if err := r.payloadError(r.in.fill(0)); err != nil {
				return err
			}
		}
		n := min(uint64(len(r.in.unread())), r.left)
		r.in.advance(int(n))
		r.left -= n
	}
	r.started = false
	return nil
}

// ahead is how much to read into the buffer when it is empty: little when objects are large, so that their payload
// needs no second copy.
func (r *PayloadReader) ahead() int {
	if r.size >= largePayload {
		return headerAhead
	}
	return 0
}

// begin makes an object the current one.
func (r *PayloadReader) begin(size uint64) { r.size, r.left, r.started = size, size, false }

// readPayload reads the current payload into o.Payload, behind what is there.
func (r *PayloadReader) readPayload(o *Object) error {
	r.started = true
	for r.left > 0 {
		have := len(o.Payload)
		if have == cap(o.Payload) {
			o.Payload = slices.Grow(o.Payload, int(min(r.left, uint64(max(growStep, have)))))
		}
		free := o.Payload[have:cap(o.Payload)]
		n, err := r.Read(free)
		o.Payload = o.Payload[:have+n]
		if err != nil {
			return err
		}
	}
	r.started = false
	return nil
}

// payloadError judges what ended a read inside a payload.
func (r *PayloadReader) payloadError(err error) error {
	if err == io.EOF {
		got := r.size - r.left
		err = wire.TruncatedPayload(r.draft, int(r.in.offset-got), r.size, got)
	}
	return r.final(err)
}

// final remembers an error that ends the reading. Afterwards there is no current object.
func (r *PayloadReader) final(err error) error {
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	r.err, r.left, r.started = err, 0, false
	r.in.release()
	r.in.end(err)
	return err
}

// headers is the state of package wire for one stream: wire.SubgroupObjects or wire.FetchObjects.
type headers[H any] interface {
	ParseHeader(b []byte, h *H) (int, error)
	EndOfStream(rest []byte) error
}

// nextHeader discards what is left of the current object and reads the next header into h. Views in h are valid until
// the next read. io.EOF means that the stream ended where it may.
func nextHeader[H any, S headers[H]](r *PayloadReader, state S, h *H) error {
	if r.err != nil {
		return r.err
	}
	if err := r.Discard(); err != nil {
		return err
	}
	for {
		n, err := state.ParseHeader(r.in.unread(), h)
		if err == nil {
			r.in.advance(n)
			return nil
		}
		if err != wire.ErrTruncated {
			return r.final(r.in.place(err))
		}
		ahead := 0
		if len(r.in.unread()) == 0 {
			ahead = r.ahead()
		}
		if err := r.in.fill(ahead); err != nil {
			if rest := r.in.unread(); err == io.EOF && len(rest) > 0 {
				err = r.in.place(state.EndOfStream(rest))
			}
			return r.final(err)
		}
	}
}

var (
	_ io.Reader   = (*PayloadReader)(nil)
	_ io.WriterTo = (*PayloadReader)(nil)
)
