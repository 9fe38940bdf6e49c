package stream

import (
	"fmt"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Writer writes the objects of one data stream: it has the gathered bytes, and how much of the current payload is
// missing. Mu guards it.
type Writer struct {
	Stream transport.SendStream
	Draft  wire.Draft

	Mu     sync.Mutex
	Buf    []byte // gathered and not written; nil while there are none
	Left   uint64 // bytes of the payload begun that are to come
	Gather bool
	props  []byte // for translated properties
	Err    error  // final
}

// Fail makes an error the final one, unless there is one.
func (w *Writer) Fail(err error) error {
	if w.Err == nil {
		w.Err = err
	}
	w.Release()
	return err
}

// Release gives the buffer back to its pool. The caller holds Mu.
func (w *Writer) Release() {
	PutBuffer(w.Buf)
	w.Buf = nil
}

// room makes room for n more bytes to be gathered, so that a header need not be split. The caller holds Mu.
func (w *Writer) room(n int) error {
	w.hold()
	if len(w.Buf) > 0 && cap(w.Buf)-len(w.Buf) < n {
		if err := w.Flush(); err != nil {
			return err
		}
		w.hold()
	}
	return nil
}

// hold makes sure that there is a buffer of full size. The caller holds Mu.
func (w *Writer) hold() {
	if cap(w.Buf) < WriteBuffer {
		w.Buf = append(WriteBuffers.Get().(*[WriteBuffer]byte)[:0], w.Buf...)
	}
}

// Put gathers p and writes the buffer whenever it is full. A p that would fill an empty buffer is written without a
// copy. n is how much of p was taken. The caller holds Mu.
func (w *Writer) Put(p []byte) (n int, err error) {
	for len(p) > 0 {
		if len(w.Buf) == 0 && len(p) >= WriteBuffer {
			k, err := w.Stream.Write(p)
			if err != nil {
				w.Fail(err)
			}
			return n + k, err
		}
		w.hold()
		k := min(len(p), cap(w.Buf)-len(w.Buf))
		w.Buf = append(w.Buf, p[:k]...)
		p, n = p[k:], n+k
		if len(w.Buf) == cap(w.Buf) {
			if err := w.Flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Written ends a call that wrote objects: it flushes unless the writer gathers. The caller holds Mu.
func (w *Writer) Written() error {
	if w.Gather {
		return nil
	}
	return w.Flush()
}

// Flush writes what was gathered and gives the buffer back. The caller holds Mu.
func (w *Writer) Flush() error {
	if w.Err != nil {
		return w.Err
	}
	if len(w.Buf) > 0 {
		if _, err := w.Stream.Write(w.Buf); err != nil {
			return w.Fail(err)
		}
	}
	w.Release()
	return nil
}

// Unfinished is an error when part of the current payload was not written. The caller holds Mu.
func (w *Writer) Unfinished() error {
	if w.Err == nil && w.Left > 0 {
		return fmt.Errorf("stream %d: %d bytes of the last object's payload were not written", w.Stream.StreamID(),
			w.Left)
	}
	return nil
}

// block translates an object's properties from draft from, 0 meaning the stream's own, into the stream's draft. The
// caller holds Mu.
func (w *Writer) block(props []byte, from wire.Draft) ([]byte, error) {
	if len(props) == 0 || from == 0 || from == w.Draft {
		return props, nil
	}
	out, err := wire.TranscodeProperties(w.props[:0], from, w.Draft, props)
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

// PutObject writes a header and a payload; left more bytes of the payload follow later. The header's properties,
// *props, are in the form of draft from, 0 meaning the stream's own. The caller holds Mu.
func PutObject[H any, S appender[H]](w *Writer, state S, h *H, props *[]byte, from wire.Draft, payload []byte,
	left uint64) (err error) {
	if w.Err != nil {
		return w.Err
	}
	if err := w.Unfinished(); err != nil {
		return err
	}
	if *props, err = w.block(*props, from); err != nil {
		return err
	}
	if err := w.room(wire.MaxObjectHeader + len(*props)); err != nil {
		return err
	}
	b, err := state.AppendHeader(w.Buf, h)
	if err != nil {
		if len(w.Buf) == 0 {
			w.Release()
		}
		return err
	}
	w.Buf, w.Left = b, left
	if _, err := w.Put(payload); err != nil {
		return err
	}
	if left > 0 {
		return nil
	}
	return w.Written()
}
