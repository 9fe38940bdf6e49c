package moqt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// uniStream gives both ends of a stream in memory that holds so many bytes before the sender waits (0: memconn's
// default). The receiving end comes once something was sent.
func uniStream(t testing.TB, held int) (transport.SendStream, func() transport.ReceiveStream) {
	t.Helper()
	client, server := memconn.Pair(memconn.Options{StreamBuffer: held})
	t.Cleanup(func() { client.CloseWithError(0, "") })
	send, err := client.OpenUniStream(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return send, func() transport.ReceiveStream {
		t.Helper()
		recv, err := server.AcceptUniStream(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return recv
	}
}

// roomy is enough for what most tests send before they read.
const roomy = 16 << 20

// sent gives a stream on which b and then FIN have come.
func sent(t testing.TB, b []byte) transport.ReceiveStream {
	t.Helper()
	send, recv := uniStream(t, roomy)
	if _, err := send.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := send.Close(); err != nil {
		t.Fatal(err)
	}
	return recv()
}

// recorder is a SendStream that keeps every write.
type recorder struct {
	bytes.Buffer
	writes []int
	closed bool
	reset  bool
}

func (r *recorder) Write(p []byte) (int, error) {
	r.writes = append(r.writes, len(p))
	return r.Buffer.Write(p)
}
func (r *recorder) Close() error                     { r.closed = true; return nil }
func (r *recorder) Reset(uint64)                     { r.reset = true }
func (r *recorder) Context() context.Context         { return context.Background() }
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }
func (r *recorder) StreamID() uint64                 { return 2 }

// oneByte is a ReceiveStream that gives a byte a time.
type oneByte struct{ transport.ReceiveStream }

func (s oneByte) Read(p []byte) (int, error) { return s.ReceiveStream.Read(p[:min(1, len(p))]) }

// withFIN is a ReceiveStream that gives io.EOF together with the last bytes, as quic-go does.
type withFIN struct {
	b []byte
	n int
}

func (s *withFIN) Read(p []byte) (int, error) {
	n := copy(p, s.b[s.n:])
	if s.n += n; s.n == len(s.b) {
		return n, io.EOF
	}
	return n, nil
}
func (s *withFIN) Stop(uint64)                     {}
func (s *withFIN) SetReadDeadline(time.Time) error { return nil }
func (s *withFIN) StreamID() uint64                { return 2 }

// objectReader is what SubgroupReader and FetchReader have in common.
type objectReader interface {
	ReadObject(*moqt.Object) error
}

// readAll reads copies of all objects up to an error, which is nil for io.EOF.
func readAll(r objectReader) (all []*moqt.Object, err error) {
	for {
		var o moqt.Object
		if err := r.ReadObject(&o); err != nil {
			if err == io.EOF {
				err = nil
			}
			return all, err
		}
		all = append(all, &o)
	}
}

func wantObjects(t testing.TB, got, want []*moqt.Object) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Fatalf("objects (-want +got):\n%s", diff)
	}
}

// wireError gives the *wire.Error that err must be.
func wireError(t testing.TB, err error, code wire.SessionError) *wire.Error {
	t.Helper()
	var e *wire.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *wire.Error", err)
	}
	if e.Code != code {
		t.Fatalf("got code 0x%x (%v), want 0x%x", uint64(e.Code), e, uint64(code))
	}
	return e
}

// streamError checks that err is that of a stream that was reset or stopped.
func streamError(t testing.TB, err error, want transport.StreamError) {
	t.Helper()
	var e *transport.StreamError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *transport.StreamError", err)
	}
	want.StreamID = e.StreamID
	if *e != want {
		t.Fatalf("got %+v, want %+v", *e, want)
	}
}

// eachDraft runs a test for every draft and looks for goroutines left behind.
func eachDraft(t *testing.T, f func(t *testing.T, d wire.Draft)) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			f(t, d)
		})
	}
}

// payload is n bytes that are not all alike.
func payload(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 / 3)
	}
	return b
}

// properties of all kinds, in the form of the draft: even and odd, known and unknown, with and without a value, and
// Immutable Properties.
func someProperties(t testing.TB, d wire.Draft) []byte {
	t.Helper()
	inner, err := wire.AppendProperties(nil, d,
		wire.Properties{{Type: 0x3C, Uint: 0}, {Type: 0x3F, Bytes: []byte("in")}})
	if err != nil {
		t.Fatal(err)
	}
	return block(t, d, wire.Properties{
		{Type: 0x0A, Uint: 63},
		{Type: wire.PropImmutable, Bytes: inner},
		{Type: 0x38, Uint: 1 << 61},
		{Type: 0x39, Bytes: []byte{}},
		{Type: 0x3801, Bytes: []byte("unknown")},
		{Type: 0x3802, Uint: 300},
	})
}

func block(t testing.TB, d wire.Draft, props wire.Properties) []byte {
	t.Helper()
	b, err := wire.AppendProperties(nil, d, props)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// subgroupBytes writes objects to a subgroup stream and gives its bytes, and how many there are after the header and
// after each object.
func subgroupBytes(t testing.TB, d wire.Draft, h wire.SubgroupHeader, objects []*moqt.Object) (b []byte, ends []int) {
	t.Helper()
	var rec recorder
	w, err := moqt.NewSubgroupWriter(&rec, d, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	ends = append(ends, rec.Len())
	for _, o := range objects {
		if err := w.WriteObject(o); err != nil {
			t.Fatalf("%v: %v", o, err)
		}
		ends = append(ends, rec.Len())
	}
	if err := w.Close(); err != nil || !rec.closed {
		t.Fatalf("close: %v, closed %t", err, rec.closed)
	}
	return slices.Clone(rec.Bytes()), ends
}

// fetchBytes is subgroupBytes for a fetch stream.
func fetchBytes(t testing.TB, d wire.Draft, descending bool, objects []*moqt.Object) (b []byte, ends []int) {
	t.Helper()
	var rec recorder
	w, err := moqt.NewFetchWriter(&rec, d, 4, descending)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	ends = append(ends, rec.Len())
	for _, o := range objects {
		if err := w.WriteObject(o); err != nil {
			t.Fatalf("%v: %v", o, err)
		}
		ends = append(ends, rec.Len())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(rec.Bytes()), ends
}

func fetchOptions(descending bool) moqt.ReaderOptions {
	return moqt.ReaderOptions{Decode: wire.Options{Descending: descending}}
}

func describe(format string, args ...any) string { return fmt.Sprintf(format, args...) }
