package quicbase

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// fake is both sides of a stream, in memory.
type fake struct {
	data     []byte
	writes   int
	room     int // bytes that Write still takes; -1 is no bound
	closed   bool
	boundary int
	reset    *quic.StreamErrorCode
}

var errFull = errors.New("full")

func (f *fake) Write(b []byte) (int, error) {
	f.writes++
	if f.room >= 0 && len(b) > f.room {
		b = b[:f.room]
		f.data = append(f.data, b...)
		f.room = 0
		return len(b), errFull
	}
	if f.room > 0 {
		f.room -= len(b)
	}
	f.data = append(f.data, b...)
	return len(b), nil
}
func (f *fake) TryWriteAll(b []byte) error {
	if f.room >= 0 && len(b) > f.room {
		return errFull
	}
	_, err := f.Write(b)
	return err
}
func (f *fake) Read(b []byte) (int, error)            { return len(b), nil }
func (f *fake) Close() error                          { f.closed = true; return nil }
func (f *fake) CancelWrite(code quic.StreamErrorCode) { f.reset = &code }
func (f *fake) CancelRead(quic.StreamErrorCode)       {}
func (f *fake) SetReliableBoundary()                  { f.boundary = len(f.data) }
func (f *fake) Context() context.Context              { return context.Background() }
func (f *fake) SetWriteDeadline(time.Time) error      { return nil }
func (f *fake) SetReadDeadline(time.Time) error       { return nil }
func (f *fake) StreamID() quic.StreamID               { return 4 }

type plain struct{}

func (plain) Err(err error) error                            { return err }
func (plain) Guard(f func())                                 { f() }
func (plain) Ended() error                                   { return nil }
func (plain) ToWire(code uint64) quic.StreamErrorCode        { return quic.StreamErrorCode(code) }
func (plain) FromWire(c quic.StreamErrorCode) (uint64, bool) { return uint64(c), true }
func (plain) Gone(quic.StreamErrorCode) error                { return nil }

var header = []byte{0x40, 0x54, 0}

// sendOn is NewSend on a fake.
func sendOn(str sender, header []byte) *Send {
	s := &Send{str: str, m: plain{}}
	s.put(header)

	return s
}

// racing is a stream on which something happens right behind a TryWriteAll, and which takes nothing once it is reset.
type racing struct {
	fake
	mu     sync.Mutex
	behind func()
}

func (f *racing) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reset != nil {
		return 0, errFull
	}
	return f.fake.Write(b)
}

func (f *racing) TryWriteAll(b []byte) error {
	_, err := f.Write(b)
	f.behind()
	return err
}

func (f *racing) CancelWrite(code quic.StreamErrorCode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fake.CancelWrite(code)
}

// TestResetBesideTheFirstWrite: a stream is reset while somebody else writes its first bytes. The header is there once,
// and nothing follows it that the reset has not seen.
func TestResetBesideTheFirstWrite(t *testing.T) {
	for _, length := range []int{4, headerRoom + 1} {
		f := &racing{fake: fake{room: -1}}
		s := sendOn(f, header)
		var writing sync.WaitGroup
		f.behind = func() {
			writing.Go(func() { s.Write(make([]byte, length)) })
			time.Sleep(10 * time.Millisecond)
		}
		s.Reset(5)
		writing.Wait()
		if !bytes.Equal(f.data, header) || f.boundary != len(header) {
			t.Errorf("%d bytes: wrote %x, boundary %d", length, f.data, f.boundary)
		}
	}
}

func TestHeaderGoesFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &fake{room: -1}
		s := sendOn(f, header)
		want := append([]byte(nil), header...)
		for i, n := range rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, headerRoom - 1, headerRoom, headerRoom + 1,
			5000}), 1, 4).Draw(t, "writes") {
			b := bytes.Repeat([]byte{byte(i + 1)}, n)
			if got, err := s.Write(b); got != n || err != nil {
				t.Fatalf("Write = %d, %v", got, err)
			}
			want = append(want, b...)
		}
		if !bytes.Equal(f.data, want) {
			t.Fatalf("wrote %d bytes, want %d", len(f.data), len(want))
		}
	})
}

func TestSmallFirstWriteIsOneWrite(t *testing.T) {
	f := &fake{room: -1}
	s := sendOn(f, header)
	s.Write(make([]byte, headerRoom))
	if f.writes != 1 {
		t.Errorf("%d writes", f.writes)
	}
}

func TestPartialFirstWrite(t *testing.T) {
	for room := range 8 {
		f := &fake{room: room}
		s := sendOn(f, header)
		n, err := s.Write([]byte("abcd"))
		if want := min(max(0, room-len(header)), 4); n != want || (err == nil) != (room >= 7) {
			t.Errorf("room %d: Write = %d, %v; want %d", room, n, err, want)
		}
		f.room = -1
		if err := s.Close(); err != nil || !f.closed {
			t.Error(err)
		}
		if want := append(append([]byte(nil), header...), "abcd"[:n]...); !bytes.Equal(f.data, want) {
			t.Errorf("room %d: wrote %q, want %q", room, f.data, want)
		}
	}
}

func TestCloseAndResetSendTheHeader(t *testing.T) {
	f := &fake{room: -1}
	sendOn(f, header).Close()
	if !bytes.Equal(f.data, header) || !f.closed {
		t.Errorf("Close: %q", f.data)
	}
	f = &fake{room: -1}
	sendOn(f, header).Reset(5)
	if !bytes.Equal(f.data, header) || f.boundary != len(header) || f.reset == nil || *f.reset != 5 {
		t.Errorf("Reset: %q, boundary %d, %v", f.data, f.boundary, f.reset)
	}
	f = &fake{room: len(header) - 1}
	sendOn(f, header).Reset(5)
	if len(f.data) != 0 || f.boundary != 0 || f.reset == nil || *f.reset != 5 {
		t.Errorf("Reset without room for the header: %q, boundary %d, %v", f.data, f.boundary, f.reset)
	}
	f = &fake{room: -1}
	sendOn(f, nil).Reset(5)
	if len(f.data) != 0 || f.boundary != 0 || f.reset == nil {
		t.Errorf("Reset without a header: %q, boundary %d", f.data, f.boundary)
	}
}

// The object path may cost nothing here: every Write and Read of an object goes through these.
func TestReadAndWriteDoNotAllocate(t *testing.T) {
	f := &fake{data: make([]byte, 0, 1<<20), room: -1}
	b := make([]byte, 100)
	send, recv := &Send{str: f, m: plain{}}, &Recv{str: f, m: plain{}}
	var w io.Writer = send
	var r io.Reader = recv
	if n := testing.AllocsPerRun(100, func() { f.data = f.data[:0]; w.Write(b); r.Read(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { f.data = f.data[:0]; send.header = header; w.Write(b) }); n != 0 {
		t.Errorf("%v allocations in the first write", n)
	}
}

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want transport.CloseError
	}{
		{&quic.ApplicationError{Remote: true, ErrorCode: 3, ErrorMessage: "why"},
			transport.CloseError{Remote: true, Code: 3, Reason: "why"}},
		{&quic.IdleTimeoutError{}, transport.CloseError{Transport: true, Timeout: true}},
		{&quic.StatelessResetError{}, transport.CloseError{Transport: true, Gone: true}},
		{&net.OpError{Err: syscall.ECONNREFUSED}, transport.CloseError{Transport: true, Gone: true}},
		{&quic.TransportError{Remote: true, ErrorCode: quic.ProtocolViolation},
			transport.CloseError{Transport: true, Remote: true, Code: 0xa, Name: "PROTOCOL_VIOLATION"}},
		{&quic.TransportError{ErrorCode: quic.FlowControlError, FrameType: 0x8, ErrorMessage: "too much"},
			transport.CloseError{Transport: true, Code: 0x3, Name: "FLOW_CONTROL_ERROR",
				Reason: "too much (frame type 0x8)"}},
		{&quic.TransportError{Remote: true, ErrorCode: 0x178}, transport.CloseError{Transport: true, Remote: true,
			Code: 0x178, Name: "CRYPTO_ERROR", Reason: "tls: no application protocol"}},
		{&quic.TransportError{Remote: true, ErrorCode: 0x4000}, transport.CloseError{Transport: true, Remote: true,
			Code: 0x4000}},
		{errors.New("other"), transport.CloseError{Transport: true, Reason: "other"}},
	} {
		got := Classify(tt.err)
		if got.Remote != tt.want.Remote || got.Transport != tt.want.Transport || got.Timeout != tt.want.Timeout ||
			got.Gone != tt.want.Gone || got.Code != tt.want.Code || got.Err != tt.err || got.Name != tt.want.Name {
			t.Errorf("%v: %+v", tt.err, got)
		}
		if tt.want.Reason != "" && got.Reason != tt.want.Reason || got.Reason == "" && got.Name == "" && got.Code == 0 {
			t.Errorf("%v: reason %q", tt.err, got.Reason)
		}
	}
}
