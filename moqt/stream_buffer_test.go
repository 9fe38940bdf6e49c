package moqt

import (
	"bytes"
	"io"
	"testing"
	"time"
)

// script is a ReceiveStream whose reads give what it lists, one entry a read, as much as fits; then io.EOF. An entry
// may be an error.
type script struct {
	reads []any
	asked []int // room of each read
}

func (s *script) Read(p []byte) (int, error) {
	s.asked = append(s.asked, len(p))
	if len(s.reads) == 0 {
		return 0, io.EOF
	}
	switch x := s.reads[0].(type) {
	case error:
		s.reads = s.reads[1:]
		return 0, x
	case []byte:
		n := copy(p, x)
		if s.reads[0] = x[n:]; n == len(x) {
			s.reads = s.reads[1:]
		}
		return n, nil
	}
	panic("script: neither error nor bytes")
}
func (*script) Stop(uint64)                     {}
func (*script) SetReadDeadline(time.Time) error { return nil }
func (*script) StreamID() uint64                { return 3 }

// TestStreamBufferFollowsTraffic: a stream on which little comes holds the small buffer, one whose reads fill it the
// large one, and one that has ended none.
func TestStreamBufferFollowsTraffic(t *testing.T) {
	little, much := make([]byte, 100), make([]byte, 10000)
	s := &script{reads: []any{little, much, much, little, little}}
	b := &streamBuffer{stream: s}
	for i, want := range []int{
		smallBuffer, // 100 bytes
		smallBuffer, // 4096 of 10000
		largeBuffer, // the rest: 5904
		largeBuffer, // 10000
		largeBuffer, // 100
		smallBuffer, // 100
	} {
		if err := b.fill(0); err != nil {
			t.Fatal(err)
		}
		if len(b.buf) != want {
			t.Fatalf("read %d: a buffer of %d bytes, want %d", i, len(b.buf), want)
		}
		b.advance(len(b.unread()))
	}
	if err := b.fill(0); err != io.EOF || b.buf != nil {
		t.Fatalf("at the end: %v, %d bytes held", err, len(b.buf))
	}
	if b.offset != 20300 {
		t.Errorf("offset %d, want 20300", b.offset)
	}
}

// TestDetachedBuffersFollowTraffic: the same holds where every buffer is given away with what was read into it.
func TestDetachedBuffersFollowTraffic(t *testing.T) {
	s := &script{reads: []any{make([]byte, 10000), make([]byte, 4000), make([]byte, 100)}}
	b := &streamBuffer{stream: s}
	for i, want := range []int{
		smallBuffer, // 4096 of 10000
		largeBuffer, // the rest
		largeBuffer, // 4000
		smallBuffer, // 100
	} {
		if err := b.fill(0); err != nil {
			t.Fatal(err)
		}
		if len(b.buf) != want {
			t.Errorf("read %d: a buffer of %d bytes, want %d", i, len(b.buf), want)
		}
		b.advance(len(b.unread()) / 10 * 10) // a few bytes may belong to the next object
		putBuffer(b.detach())
	}
}

// TestStreamBufferGrows keeps what is unread while a long header comes.
func TestStreamBufferGrows(t *testing.T) {
	all := make([]byte, 300<<10)
	for i := range all {
		all[i] = byte(i >> 8)
	}
	b := &streamBuffer{stream: &script{reads: []any{all}}}
	if err := b.fill(0); err != nil {
		t.Fatal(err)
	}
	b.advance(1000)
	for len(b.unread()) < len(all)-1000 {
		if err := b.fill(0); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.unread(), all[1000:]) {
		t.Error("bytes differ")
	}
	if len(b.buf) > 512<<10 {
		t.Errorf("a buffer of %d bytes for %d", len(b.buf), len(all))
	}
	if err := b.fill(0); err != io.EOF || !bytes.Equal(b.unread(), all[1000:]) {
		t.Errorf("%v, want io.EOF and the unread bytes kept", err)
	}
}

// TestLargePayloadsAreNotCopiedTwice: between large objects only a little is read ahead; the rest goes to the caller's
// buffer.
func TestLargePayloadsAreNotCopiedTwice(t *testing.T) {
	const size = 64 << 10
	object := append([]byte{0, 0xc1, 0, 0}, make([]byte, size)...) // delta, length 65536 as a vi64
	s := &script{reads: []any{append([]byte{0x10, 1, 2, 3}, bytes.Repeat(object, 3)...)}}
	r, err := NewSubgroupReader(s, 22, ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var o Object
	for range 2 {
		s.asked = nil
		if err := r.ReadObject(&o); err != nil || len(o.Payload) != size {
			t.Fatal(len(o.Payload), err)
		}
	}
	if len(s.asked) != 2 || s.asked[0] != headerAhead || s.asked[1] < size-headerAhead {
		t.Errorf("reads with room for %v bytes, want one of %d and one for the payload", s.asked, headerAhead)
	}
}

// TestNoProgress: a stream that gives neither bytes nor errors does not hold the reader forever.
func TestNoProgress(t *testing.T) {
	for _, size := range []int{1, largePayload} {
		s := &script{}
		for range 200 {
			s.reads = append(s.reads, []byte{})
		}
		b := &streamBuffer{stream: s}
		if n, err := b.read(make([]byte, size), 0); n != 0 || err != io.ErrNoProgress {
			t.Errorf("room for %d: %d, %v", size, n, err)
		}
	}
}
