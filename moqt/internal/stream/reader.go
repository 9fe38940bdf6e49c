package stream

import (
	"errors"
	"io"
	"os"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// growStep is by how much a payload's buffer grows at first: a length alone must not take much memory.
const growStep = 256 << 10

// Reader reads the objects of one data stream: it has the buffer, and the place in the current object's payload. Not
// safe for concurrent use, except the buffer's Stop.
type Reader struct {
	In      *Buffer
	Draft   wire.Draft
	Size    uint64 // of the current object's payload
	Left    uint64 // how much of it is not read
	Started bool   // the caller waits for the rest of the current payload
	Err     error  // final
	held    int64  // room that the current payload has taken
	awaits  bool   // Await was called: payloads are read through the buffer
}

// ReaderOf gives the Reader within a *moqt.PayloadReader. Package moqt sets it. So package track, which reads many
// objects at once, reaches the Reader, and nobody outside does.
var ReaderOf func(payloadReader any) *Reader

// Read reads from the current object's payload, whatever its size. It returns io.EOF at the payload's end, and without
// a current object.
func (r *Reader) Read(p []byte) (int, error) {
	if r.Left == 0 {
		if r.Err != nil {
			return 0, r.Err
		}
		return 0, io.EOF
	}
	if uint64(len(p)) > r.Left {
		p = p[:r.Left]
	}
	n, err := r.In.Read(p, r.Ahead())
	r.Left -= uint64(n)
	return n, r.PayloadError(err)
}

// Buffered is how much of the current payload is in the buffer.
func (r *Reader) Buffered() int { return int(min(r.Left, uint64(len(r.In.Unread())))) }

// Await waits until some of the current payload is in the buffer, and tells how much. It returns io.EOF at the
// payload's end.
func (r *Reader) Await() (int, error) {
	r.awaits = true
	if r.Left == 0 {
		if r.Err != nil {
			return 0, r.Err
		}
		return 0, io.EOF
	}
	if len(r.In.Unread()) == 0 {
		if err := r.PayloadError(r.In.Fill(0)); err != nil {
			return 0, err
		}
	}
	return r.Buffered(), nil
}

// WriteTo writes the rest of the current object's payload to w, without a buffer between the stream's and w. A payload
// thus goes from one session to another with io.Copy(subgroupWriter, subgroupReader).
func (r *Reader) WriteTo(w io.Writer) (written int64, err error) {
	if r.Err != nil && r.Err != io.EOF {
		return 0, r.Err
	}
	for r.Left > 0 {
		if len(r.In.Unread()) == 0 {
			if err := r.PayloadError(r.In.Fill(0)); err != nil {
				return written, err
			}
		}
		p := r.In.Unread()
		if uint64(len(p)) > r.Left {
			p = p[:r.Left]
		}
		n, err := w.Write(p)
		r.In.Advance(n)
		r.Left -= uint64(n)
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
func (r *Reader) Discard() error {
	if r.Err != nil && r.Err != io.EOF {
		return r.Err
	}
	for r.Left > 0 {
		if len(r.In.Unread()) == 0 {
			if err := r.PayloadError(r.In.Fill(0)); err != nil {
				return err
			}
		}
		n := min(uint64(len(r.In.Unread())), r.Left)
		r.In.Advance(int(n))
		r.Left -= n
	}
	r.Started = false
	return nil
}

// Ahead is how much to read into the buffer when it is empty: little when objects are large, so that their payload
// needs no second copy.
func (r *Reader) Ahead() int {
	if r.Size >= LargePayload && !r.awaits {
		return HeaderAhead
	}
	return 0
}

// Begin makes an object the current one.
func (r *Reader) Begin(size uint64) { r.Size, r.Left, r.Started = size, size, false }

// ReadPayload reads what is left of the current payload, and appends it to p.
func (r *Reader) ReadPayload(p []byte) ([]byte, error) {
	r.Started = true
	for r.Left > 0 {
		have := len(p)
		if have == cap(p) {
			more := int(min(r.Left, uint64(max(growStep, 3*have))))
			if err := r.hold(int64(more)); err != nil {
				return p, r.Final(err)
			}
			grown := make([]byte, have, have+more) // exactly: it is what was taken
			copy(grown, p)
			p = grown
		}
		n, err := r.Read(p[have:cap(p)])
		p = p[:have+n]
		if err != nil {
			return p, err
		}
	}
	r.Started = false
	r.release()
	return p, nil
}

// hold takes room for more of a payload, unless all of it has come.
func (r *Reader) hold(more int64) error {
	if r.In.Room == nil || r.Left <= uint64(len(r.In.Unread())) {
		return nil
	}
	if err := r.In.Room.Wait(more); err != nil {
		return err
	}
	r.held += more
	return nil
}

// release gives back the room that the payload has taken.
func (r *Reader) release() {
	if r.held > 0 {
		r.In.Room.Give(r.held)
		r.held = 0
	}
}

// PayloadError judges what ended a read inside a payload.
func (r *Reader) PayloadError(err error) error {
	if err == io.EOF {
		got := r.Size - r.Left
		err = wire.TruncatedPayload(r.Draft, int(r.In.Offset-got), r.Size, got)
	}
	return r.Final(err)
}

// Final remembers an error that ends the reading. Afterwards there is no current object.
func (r *Reader) Final(err error) error {
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	r.Err, r.Left, r.Started = err, 0, false
	r.release()
	r.In.Release()
	r.In.End(err)
	return err
}

// headers is the state of package wire for one stream: wire.SubgroupObjects or wire.FetchObjects.
type headers[H any] interface {
	ParseHeader(b []byte, h *H) (int, error)
	EndOfStream(rest []byte) error
}

// NextHeader discards what is left of the current object and reads the next header into h. Views in h are valid until
// the next read. io.EOF means that the stream ended between objects.
func NextHeader[H any, S headers[H]](r *Reader, state S, h *H) error {
	if r.Err != nil {
		return r.Err
	}
	if err := r.Discard(); err != nil {
		return err
	}
	for {
		n, err := state.ParseHeader(r.In.Unread(), h)
		if err == nil {
			r.In.Advance(n)
			return nil
		}
		if err != wire.ErrTruncated {
			return r.Final(r.In.Place(err))
		}
		if err := MoreHeader(r, state); err != nil {
			return err
		}
	}
}

// MoreHeader waits for more bytes of the next header. Every error except a deadline's is final.
func MoreHeader[S interface{ EndOfStream([]byte) error }](r *Reader, state S) error {
	ahead := 0
	if len(r.In.Unread()) == 0 {
		ahead, r.In.Between = r.Ahead(), true
	}
	err := r.In.Fill(ahead)
	if err == nil {
		return nil
	}
	if rest := r.In.Unread(); err == io.EOF && len(rest) > 0 {
		err = r.In.Place(state.EndOfStream(rest))
	}
	return r.Final(err)
}
