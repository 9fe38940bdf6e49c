package stream_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
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
	b := &stream.Buffer{Stream: s}
	for i, want := range []int{
		stream.SmallBuffer, // 100 bytes
		stream.SmallBuffer, // 4096 of 10000
		stream.LargeBuffer, // the rest: 5904
		stream.LargeBuffer, // 10000
		stream.LargeBuffer, // 100
		stream.SmallBuffer, // 100
	} {
		if err := b.Fill(0); err != nil {
			t.Fatal(err)
		}
		if len(b.Buf) != want {
			t.Fatalf("read %d: a buffer of %d bytes, want %d", i, len(b.Buf), want)
		}
		b.Advance(len(b.Unread()))
	}
	if err := b.Fill(0); err != io.EOF || b.Buf != nil {
		t.Fatalf("at the end: %v, %d bytes held", err, len(b.Buf))
	}
	if b.Offset != 20300 {
		t.Errorf("offset %d, want 20300", b.Offset)
	}
}

// TestDetachedBuffersFollowTraffic: the same holds where every buffer is given away with what was read into it.
func TestDetachedBuffersFollowTraffic(t *testing.T) {
	s := &script{reads: []any{make([]byte, 10000), make([]byte, 4000), make([]byte, 100)}}
	b := &stream.Buffer{Stream: s}
	for i, want := range []int{
		stream.SmallBuffer, // 4096 of 10000
		stream.LargeBuffer, // the rest
		stream.LargeBuffer, // 4000
		stream.SmallBuffer, // 100
	} {
		if err := b.Fill(0); err != nil {
			t.Fatal(err)
		}
		if len(b.Buf) != want {
			t.Errorf("read %d: a buffer of %d bytes, want %d", i, len(b.Buf), want)
		}
		b.Advance(len(b.Unread()) / 10 * 10) // a few bytes may belong to the next object
		stream.PutBuffer(b.Detach())
	}
}

// TestStreamBufferGrows keeps what is unread while a long header comes.
func TestStreamBufferGrows(t *testing.T) {
	all := make([]byte, 300<<10)
	for i := range all {
		all[i] = byte(i >> 8)
	}
	b := &stream.Buffer{Stream: &script{reads: []any{all}}}
	if err := b.Fill(0); err != nil {
		t.Fatal(err)
	}
	b.Advance(1000)
	for len(b.Unread()) < len(all)-1000 {
		if err := b.Fill(0); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Unread(), all[1000:]) {
		t.Error("bytes differ")
	}
	if len(b.Buf) > 512<<10 {
		t.Errorf("a buffer of %d bytes for %d", len(b.Buf), len(all))
	}
	if err := b.Fill(0); err != io.EOF || !bytes.Equal(b.Unread(), all[1000:]) {
		t.Errorf("%v, want io.EOF and the unread bytes kept", err)
	}
}

// TestLargePayloadsAreNotCopiedTwice: between large objects only a little is read ahead; the rest goes to the caller's
// buffer.
func TestLargePayloadsAreNotCopiedTwice(t *testing.T) {
	const size = 64 << 10
	object := append([]byte{0, 0xc1, 0, 0}, make([]byte, size)...) // delta, length 65536 as a vi64
	s := &script{reads: []any{append([]byte{0x10, 1, 2, 3}, bytes.Repeat(object, 3)...)}}
	r, err := moqt.NewSubgroupReader(s, 22, moqt.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var o moqt.Object
	for range 2 {
		s.asked = nil
		if err := r.ReadObject(&o); err != nil || len(o.Payload) != size {
			t.Fatal(len(o.Payload), err)
		}
	}
	if len(s.asked) != 2 || s.asked[0] != stream.HeaderAhead || s.asked[1] < size-stream.HeaderAhead {
		t.Errorf("reads with room for %v bytes, want one of %d and one for the payload", s.asked, stream.HeaderAhead)
	}
}

// TestNoProgress: a stream that gives neither bytes nor errors does not hold the reader forever.
func TestNoProgress(t *testing.T) {
	for _, size := range []int{1, stream.LargePayload} {
		s := &script{}
		for range 200 {
			s.reads = append(s.reads, []byte{})
		}
		b := &stream.Buffer{Stream: s}
		if n, err := b.Read(make([]byte, size), 0); n != 0 || err != io.ErrNoProgress {
			t.Errorf("room for %d: %d, %v", size, n, err)
		}
	}
}
