package stream

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
	// SmallBuffer is the size of a stream's first buffer, and of its buffer while little comes: many idle streams must
	// not hold much memory.
	SmallBuffer = 4 << 10
	// LargeBuffer is the size that follows once a read has filled the small buffer.
	LargeBuffer = 64 << 10
	// HugeBuffer is for objects that do not fit into the large buffer and are still read in place.
	HugeBuffer = 256 << 10
	// WriteBuffer is how much a writer gathers before it writes: 64 KiB of payload and the headers.
	WriteBuffer = 65 << 10
	// OutletBuffer is how much a track gathers for a subscriber with few streams: large writes fill QUIC's batches of
	// packets. A busy stream holds two of them.
	OutletBuffer = 128 << 10
	// HeaderAhead is how much is read for a header when large objects are expected, so that most of the payload goes
	// straight to the caller's buffer.
	HeaderAhead = 256
	// LargePayload is the smallest payload of an object that counts as large here.
	LargePayload = 16 << 10
)

var (
	SmallBuffers  = sync.Pool{New: func() any { return new([SmallBuffer]byte) }}
	largeBuffers  = sync.Pool{New: func() any { return new([LargeBuffer]byte) }}
	hugeBuffers   = sync.Pool{New: func() any { return new([HugeBuffer]byte) }}
	OutletBuffers = sync.Pool{New: func() any { return new([OutletBuffer]byte) }}
	WriteBuffers  = sync.Pool{New: func() any { return new([WriteBuffer]byte) }}
)

// getBuffer gives a buffer of at least n bytes, from the smallest pool that has such.
func getBuffer(n int) []byte {
	switch {
	case n <= SmallBuffer:
		return SmallBuffers.Get().(*[SmallBuffer]byte)[:]
	case n <= LargeBuffer:
		return largeBuffers.Get().(*[LargeBuffer]byte)[:]
	case n <= HugeBuffer:
		return hugeBuffers.Get().(*[HugeBuffer]byte)[:]
	}
	return make([]byte, n)
}

// PutBuffer gives a buffer back to the pool it came from. A buffer of any other size is left to the garbage collector.
func PutBuffer(b []byte) {
	switch cap(b) {
	case SmallBuffer:
		SmallBuffers.Put((*[SmallBuffer]byte)(b[:SmallBuffer]))
	case LargeBuffer:
		largeBuffers.Put((*[LargeBuffer]byte)(b[:LargeBuffer]))
	case HugeBuffer:
		hugeBuffers.Put((*[HugeBuffer]byte)(b[:HugeBuffer]))
	case WriteBuffer:
		WriteBuffers.Put((*[WriteBuffer]byte)(b[:WriteBuffer]))
	case OutletBuffer:
		OutletBuffers.Put((*[OutletBuffer]byte)(b[:OutletBuffer]))
	}
}

// Room bounds what is held, in bytes. Take takes so many if they are there; Wait waits until they are. Give gives them
// back.
type Room interface {
	Take(bytes int64) bool
	Wait(bytes int64) error
	Give(bytes int64)
}

// Buffer reads a stream through a pooled buffer. The buffer's size follows the traffic. It grows past LargeBuffer only
// as bytes come for a header whose length the parser has not refused. Not safe for concurrent use, except Stop.
type Buffer struct {
	Stream transport.ReceiveStream
	Buf    []byte // nil while nothing is held
	r, w   int    // buf[r:w] is not consumed
	// filled: the last read into the buffer filled it, so more may be waiting.
	filled bool
	Offset uint64 // bytes of the stream before buf[r]
	// Received counts the bytes that have come. Safe for concurrent use.
	Received atomic.Uint64
	// Between: the next read waits for something that has not begun.
	Between bool
	// inside: the reader waits inside a header, an object or a message.
	inside atomic.Bool
	Err    error // what ended the stream; follows the bytes in buf
	OnEnd  func(error)
	// Room, if set, bounds what is held beyond SmallBuffer, and of payloads that are not whole. taken is what the
	// buffer has of it.
	Room  Room
	taken int64
	ended atomic.Bool // OnEnd was called
}

// End calls OnEnd with how the reading ended, the first time only. Safe for concurrent use.
func (b *Buffer) End(err error) {
	if b.ended.CompareAndSwap(false, true) && b.OnEnd != nil {
		b.OnEnd(err)
	}
}

// Halfway reports whether the reader waits for the rest of something that has begun, and how many bytes have come. Safe
// for concurrent use.
func (b *Buffer) Halfway() (waits bool, received uint64) { return b.inside.Load(), b.Received.Load() }

// read reads from the stream once.
func (b *Buffer) read(p []byte) (n int, err error) {
	if b.Between {
		b.Between = false
		n, err = b.Stream.Read(p)
	} else {
		b.inside.Store(true)
		n, err = b.Stream.Read(p)
		b.inside.Store(false)
	}
	b.Received.Add(uint64(n))
	return n, err
}

// Stop stops the stream. Safe for concurrent use. The reading goroutine still owns the buffer.
func (b *Buffer) Stop(code uint64) {
	b.Stream.Stop(code)
	b.End(&transport.StreamError{StreamID: b.Stream.StreamID(), Stop: true, Code: code})
}

// Unread is what has been read from the stream and not consumed: a view, valid until the next read.
func (b *Buffer) Unread() []byte { return b.Buf[b.r:b.w] }

// Advance consumes n unread bytes.
func (b *Buffer) Advance(n int) {
	b.r += n
	b.Offset += uint64(n)
}

// Release gives the buffer back. Views into it are invalid from then on.
func (b *Buffer) Release() {
	PutBuffer(b.Buf)
	b.Buf, b.r, b.w = nil, 0, 0
	b.give()
}

// give gives back the room of a buffer that is gone.
func (b *Buffer) give() {
	if b.taken > 0 {
		b.Room.Give(b.taken)
		b.taken = 0
	}
}

// Fill makes room and reads once, at most ahead bytes (0 = as many as there is room for), behind the unread ones. Views
// into the buffer are invalid afterwards. It returns nil when bytes came, io.EOF for FIN. Every error except a
// deadline's is final; the buffer is then given back unless unread bytes are left.
func (b *Buffer) Fill(ahead int) error {
	if b.Err == nil {
		if b.Err = b.makeRoom(); b.Err != nil {
			b.Release()
		}
	}
	return b.ReadOnce(ahead)
}

// ReadOnce is Fill without making room: nothing in the buffer moves.
func (b *Buffer) ReadOnce(ahead int) error {
	for empty := 0; b.Err == nil; empty++ {
		room := b.Buf[b.w:]
		if ahead > 0 && ahead < len(room) {
			room = room[:ahead]
		}
		n, err := b.read(room)
		b.w += n
		b.filled = b.w == len(b.Buf)
		if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			if n > 0 {
				return nil
			}
			return err
		}
		b.Err = err
		if n > 0 {
			return nil
		}
		if empty == 100 {
			b.Err = io.ErrNoProgress
		}
	}
	if b.r == b.w {
		b.Release()
	}
	return b.Err
}

// makeRoom makes sure that there are free bytes at the end of the buffer. The error is that of Room.Wait.
func (b *Buffer) makeRoom() error {
	held := b.w - b.r
	size := len(b.Buf)
	switch {
	case size == 0 && b.filled && b.may(LargeBuffer):
		size = LargeBuffer
	case size == 0:
		size = SmallBuffer
	case held == size:
		size = max(2*size, LargeBuffer)
		if more := int64(size-SmallBuffer) - b.taken; b.Room != nil && more > 0 {
			if err := b.Room.Wait(more); err != nil {
				return err
			}
			b.taken += more
		}
	case size == SmallBuffer && b.filled && b.may(LargeBuffer):
		size = LargeBuffer
	case size >= LargeBuffer && held == 0 && b.w < SmallBuffer:
		size = SmallBuffer
	}
	b.resize(size)
	return nil
}

// may reports whether there is room for a buffer of that size, which is not needed but faster.
func (b *Buffer) may(size int) bool {
	more := int64(size-SmallBuffer) - b.taken
	if b.Room == nil || more <= 0 {
		return true
	}
	if !b.Room.Take(more) {
		return false
	}
	b.taken += more
	return true
}

// resize moves the unread bytes to the start of a buffer of at least that size.
func (b *Buffer) resize(size int) {
	old, rest := b.Buf, b.Buf[b.r:b.w]
	if size <= SmallBuffer {
		b.give()
	}
	if size != len(old) {
		b.Buf = getBuffer(size)
	} else if b.r == 0 {
		return
	}
	b.r, b.w = 0, copy(b.Buf, rest)
	if size != len(old) {
		PutBuffer(old)
	}
}

// Reserve makes room for n bytes, counted from the first unread one.
func (b *Buffer) Reserve(n int) {
	if len(b.Buf)-b.r >= n {
		return
	}
	n = max(n, len(b.Buf))
	if b.filled {
		n = max(n, LargeBuffer)
	}
	b.resize(n)
}

// Detach gives the buffer away, with what was read from it; unread bytes move to another one. The next buffer's size
// follows how much this one held.
func (b *Buffer) Detach() []byte {
	old, rest := b.Buf, b.Buf[b.r:b.w]
	b.filled = b.w >= SmallBuffer
	b.Buf, b.r, b.w = nil, 0, 0
	b.give() // it is the caller's now
	if len(rest) > 0 {
		size := len(rest)
		if b.filled {
			size = max(size, LargeBuffer)
		}
		b.Buf = getBuffer(size)
		b.w = copy(b.Buf, rest)
	}
	return old
}

// Read gives bytes from the buffer, or from the stream straight into p when the buffer is empty and p is large enough
// to be worth it. ahead is that of Fill.
func (b *Buffer) Read(p []byte, ahead int) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if b.r == b.w {
		if b.Err == nil && (len(p) >= LargePayload || ahead > 0 && len(p) >= ahead) {
			return b.readDirect(p)
		}
		if err := b.Fill(ahead); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.Unread())
	b.Advance(n)
	return n, nil
}

func (b *Buffer) readDirect(p []byte) (int, error) {
	b.Release() // nothing is in it, and the rest of a large payload may be long in coming
	for empty := 0; ; empty++ {
		n, err := b.read(p)
		b.Offset += uint64(n)
		switch {
		case err != nil && errors.Is(err, os.ErrDeadlineExceeded):
			if n > 0 {
				return n, nil
			}
			return 0, err
		case err == nil && n == 0 && empty == 100:
			err = io.ErrNoProgress
		}
		b.Err = err
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// Place makes the offset of an error found in the unread bytes one in the stream.
func (b *Buffer) Place(err error) error {
	var e *wire.Error
	if errors.As(err, &e) {
		e.Offset += int(b.Offset)
	}
	return err
}
