package moqt

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Sizes of the pooled buffers, in bytes.
const (
	// smallBuffer is what a stream reads into at first and when little comes: many idle streams must not hold much.
	smallBuffer = 4 << 10
	// largeBuffer is what it reads into once a read has filled the small one.
	largeBuffer = 64 << 10
	// hugeBuffer is for objects that do not fit into the large one and are read in place all the same.
	hugeBuffer = 256 << 10
	// writeBuffer is what a writer gathers before it writes: 64 KiB of payload and their headers.
	writeBuffer = 65 << 10
	// headerAhead is how much is read for a header when large objects are expected, so that most of the payload goes
	// straight to the caller's buffer.
	headerAhead = 256
	// largePayload is from where on an object is large in that sense.
	largePayload = 16 << 10
)

var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
	hugeBuffers  = sync.Pool{New: func() any { return new([hugeBuffer]byte) }}
	writeBuffers = sync.Pool{New: func() any { return new([writeBuffer]byte) }}
)

// getBuffer gives a buffer of at least n bytes, from the smallest pool that has such.
func getBuffer(n int) []byte {
	switch {
	case n <= smallBuffer:
		return smallBuffers.Get().(*[smallBuffer]byte)[:]
	case n <= largeBuffer:
		return largeBuffers.Get().(*[largeBuffer]byte)[:]
	case n <= hugeBuffer:
		return hugeBuffers.Get().(*[hugeBuffer]byte)[:]
	}
	return make([]byte, n)
}

// putBuffer gives a buffer back to the pool it came from; one that was grown is left to the collector.
func putBuffer(b []byte) {
	switch cap(b) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case largeBuffer:
		largeBuffers.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	case hugeBuffer:
		hugeBuffers.Put((*[hugeBuffer]byte)(b[:hugeBuffer]))
	case writeBuffer:
		writeBuffers.Put((*[writeBuffer]byte)(b[:writeBuffer]))
	case outletBuffer:
		outletBuffers.Put((*[outletBuffer]byte)(b[:outletBuffer]))
	}
}

// streamBuffer reads a stream through a pooled buffer. Its size follows the traffic; it grows past largeBuffer only as
// bytes come for a header that the parser has not refused by its length. Not safe for concurrent use, but for stop.
type streamBuffer struct {
	stream transport.ReceiveStream
	buf    []byte // nil while nothing is held
	r, w   int    // buf[r:w] is not consumed
	// filled: the last read into the buffer filled it, so more may be waiting.
	filled bool
	offset uint64 // bytes of the stream before buf[r]
	err    error  // what ended the stream; follows the bytes in buf
	onEnd  func(error)
	ended  atomic.Bool // onEnd was told
}

// end tells of the end of the reading, once. Safe for concurrent use.
func (b *streamBuffer) end(err error) {
	if b.ended.CompareAndSwap(false, true) && b.onEnd != nil {
		b.onEnd(err)
	}
}

// stop stops the stream. Safe for concurrent use; the buffer stays with whoever reads.
func (b *streamBuffer) stop(code uint64) {
	b.stream.Stop(code)
	b.end(&transport.StreamError{StreamID: b.stream.StreamID(), Stop: true, Code: code})
}

func (b *streamBuffer) unread() []byte { return b.buf[b.r:b.w] }

// advance consumes n unread bytes.
func (b *streamBuffer) advance(n int) {
	b.r += n
	b.offset += uint64(n)
}

// release gives the buffer back. Views into it are invalid from then on.
func (b *streamBuffer) release() {
	putBuffer(b.buf)
	b.buf, b.r, b.w = nil, 0, 0
}

// fill reads once, at most ahead bytes (0 = as many as there is room for), behind the unread ones. It moves what is in
// the buffer, and returns nil when something came. io.EOF is FIN. Every error but a deadline's is final, and the buffer
// is given back with it unless bytes are left.
func (b *streamBuffer) fill(ahead int) error {
	if b.err == nil {
		b.makeRoom()
	}
	return b.readOnce(ahead)
}

// readOnce is fill into the room that there is.
func (b *streamBuffer) readOnce(ahead int) error {
	for empty := 0; b.err == nil; empty++ {
		room := b.buf[b.w:]
		if ahead > 0 && ahead < len(room) {
			room = room[:ahead]
		}
		n, err := b.stream.Read(room)
		b.w += n
		b.filled = b.w == len(b.buf)
		if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			if n > 0 {
				return nil
			}
			return err
		}
		b.err = err
		if n > 0 {
			return nil
		}
		if empty == 100 {
			b.err = io.ErrNoProgress
		}
	}
	if b.r == b.w {
		b.release()
	}
	return b.err
}

// makeRoom sees to free bytes at the end of the buffer.
func (b *streamBuffer) makeRoom() {
	held := b.w - b.r
	size := len(b.buf)
	switch {
	case size == 0 && b.filled:
		size = largeBuffer
	case size == 0:
		size = smallBuffer
	case held == size:
		size = max(2*size, largeBuffer)
	case size == smallBuffer && b.filled:
		size = largeBuffer
	case size >= largeBuffer && held == 0 && b.w < smallBuffer:
		size = smallBuffer
	}
	b.resize(size)
}

// resize moves the unread bytes to the start of a buffer of at least that size.
func (b *streamBuffer) resize(size int) {
	old, rest := b.buf, b.buf[b.r:b.w]
	if size != len(old) {
		b.buf = getBuffer(size)
	} else if b.r == 0 {
		return
	}
	b.r, b.w = 0, copy(b.buf, rest)
	if size != len(old) {
		putBuffer(old)
	}
}

// reserve sees to room for n bytes from the first unread one on.
func (b *streamBuffer) reserve(n int) {
	if len(b.buf)-b.r >= n {
		return
	}
	n = max(n, len(b.buf))
	if b.filled {
		n = max(n, largeBuffer)
	}
	b.resize(n)
}

// detach gives the buffer away, with what was read from it; unread bytes move to another one. The next buffer's size
// follows how much this one held.
func (b *streamBuffer) detach() []byte {
	old, rest := b.buf, b.buf[b.r:b.w]
	b.filled = b.w >= smallBuffer
	b.buf, b.r, b.w = nil, 0, 0
	if len(rest) > 0 {
		size := len(rest)
		if b.filled {
			size = max(size, largeBuffer)
		}
		b.buf = getBuffer(size)
		b.w = copy(b.buf, rest)
	}
	return old
}

// read gives bytes from the buffer, or from the stream straight into p when the buffer is empty and p is large enough
// to be worth it. ahead is as for fill.
func (b *streamBuffer) read(p []byte, ahead int) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if b.r == b.w {
		if b.err == nil && (len(p) >= largePayload || ahead > 0 && len(p) >= ahead) {
			return b.readDirect(p)
		}
		if err := b.fill(ahead); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.unread())
	b.advance(n)
	return n, nil
}

func (b *streamBuffer) readDirect(p []byte) (int, error) {
	for empty := 0; ; empty++ {
		n, err := b.stream.Read(p)
		b.offset += uint64(n)
		switch {
		case err != nil && errors.Is(err, os.ErrDeadlineExceeded):
			if n > 0 {
				return n, nil
			}
			return 0, err
		case err == nil && n == 0 && empty == 100:
			err = io.ErrNoProgress
		}
		if b.err = err; err != nil {
			b.release()
		}
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// place makes the offset of an error found in the unread bytes one in the stream.
func (b *streamBuffer) place(err error) error {
	var e *wire.Error
	if errors.As(err, &e) {
		e.Offset += int(b.offset)
	}
	return err
}
