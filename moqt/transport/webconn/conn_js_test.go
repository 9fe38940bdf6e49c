package webconn

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// dial makes a session whose path says how the peer behaves, see serve.
func dial(t *testing.T, path string, drafts ...wire.Draft) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), options(t, path, drafts...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseWithError(0, "") })
	return c
}

func options(t *testing.T, path string, drafts ...wire.Draft) Options {
	t.Helper()
	peer := os.Getenv("WEBCONN_PEER")
	if peer == "" {
		t.Skip("TestInBrowser runs this, with a peer")
	}
	hash, err := hex.DecodeString(os.Getenv("WEBCONN_HASH"))
	if err != nil {
		t.Fatal(err)
	}
	u, err := transport.ParseURL("https://" + peer + path)
	if err != nil {
		t.Fatal(err)
	}
	return Options{URL: u, Drafts: drafts, Hashes: [][]byte{hash}}
}

// said is what the peer noted.
func said(t *testing.T) string {
	t.Helper()
	r, err := dial(t, "/said").AcceptUniStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEachDraftIsNegotiated(t *testing.T) {
	for _, d := range wire.Drafts() {
		c := dial(t, "/echo", d)
		if got, ok := transport.NegotiatedDraft(c.Info()); !ok || got != d {
			t.Errorf("%v: negotiated %v, %+v", d, got, c.Info())
		}
		if i := c.Info(); i.WireStreamIDs || !i.ReadsAhead || !i.Client || i.OriginalDestinationConnectionID != nil {
			t.Errorf("%+v", i)
		}
	}
	if i := dial(t, "/echo", wire.Draft16, wire.Draft18).Info(); i.Protocol != "moqt-16" {
		t.Errorf("of 16 and 18 the protocol is %q", i.Protocol)
	}
}

func TestBytesComeBack(t *testing.T) {
	c := dial(t, "/echo")
	sent := make([]byte, 1<<20)
	for i := range sent {
		sent[i] = byte(i % 251)
	}
	write := func(w transport.SendStream) {
		rest := sent
		for n := 1; len(rest) > 0; n = n*3%9973 + 1 {
			n = min(n, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Error(err)
				return
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if _, err := w.Write([]byte{1}); err == nil {
			t.Error("a write behind the end goes through")
		}
	}
	s, err := c.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go write(s)
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back: %v", len(got), err)
	}
	w, err := c.OpenUniStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go write(w)
	r, err := c.AcceptUniStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back: %v", len(got), err)
	}
	select {
	case <-w.Context().Done():
		if cause := context.Cause(w.Context()); cause != context.Canceled {
			t.Error(cause)
		}
	case <-time.After(3 * time.Second):
		t.Error("a stream whose end was read has not ended here")
	}
}

func TestDatagrams(t *testing.T) {
	c := dial(t, "/echo")
	const count = 200
	for i := range count {
		if err := c.SendDatagram([]byte{byte(i), 1, 2}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var came []byte
	for len(came) < count {
		b, err := c.ReceiveDatagram(ctx)
		if err != nil {
			break
		}
		came = append(came, b[0])
	}
	slices.Sort(came)
	if came = slices.Compact(came); len(came) < count*9/10 {
		t.Errorf("%d of %d datagrams came back", len(came), count)
	}
	var large *transport.DatagramTooLargeError
	if err := c.SendDatagram(make([]byte, 1<<16)); !errors.As(err, &large) || large.Max < 1000 {
		t.Errorf("%v", err)
	}
}

// Chromium may tell of the end of a stream before it has the code, so several are tried: each ends as the peer ended
// it, and some with its codes.
func TestStreamCodesGoBothWays(t *testing.T) {
	c := dial(t, "/end")
	var end *transport.StreamError
	ended := func(err error, stop bool, code uint64) (told bool) {
		if !errors.As(err, &end) || !end.Remote || end.Stop != stop || !end.Transport && end.Code != code {
			t.Errorf("%v, want the peer's end with %d, stopped: %v", err, code, stop)
		}
		return !end.Transport
	}
	resets, stops := 0, 0
	for tries := 0; tries < 20 && (resets == 0 || stops == 0); tries++ {
		s, err := c.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write([]byte("end!")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(s); ended(err, false, 21) {
			resets++
		}
		<-s.Context().Done()
		if _, err := s.Write([]byte("x")); ended(context.Cause(s.Context()), true, 22) && ended(err, true, 22) {
			stops++
		}
	}
	if resets == 0 || stops == 0 {
		t.Errorf("%d streams told the code of a reset, %d that of a stop", resets, stops)
	}
	s, err := c.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("here")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // a reset drops what has not been sent
	s.Reset(201)
	s.Stop(202)
	if got := said(t); !strings.Contains(got, "reset by the peer with code 0xc9") ||
		!strings.Contains(got, "stopped by the peer with code 0xca") {
		t.Errorf("the peer saw %q", got)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.As(err, &end) || end.Remote || !end.Stop {
		t.Errorf("read: %v", err)
	}
	if _, err := s.Write([]byte("x")); !errors.As(err, &end) || end.Remote || end.Stop {
		t.Errorf("write: %v", err)
	}
	if most := largestCode(); most != 0 && len(c.Info().Notes) == 0 {
		t.Errorf("codes above %d are cut, and no note says so", most)
	}
}

// A reset whose code is none of the application's ends its stream, and not the session.
func TestOddReset(t *testing.T) {
	c := dial(t, "/odd")
	r, err := c.AcceptUniStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var end *transport.StreamError
	if b, err := io.ReadAll(r); !errors.As(err, &end) || !end.Remote || end.Stop {
		t.Errorf("%q, %v", b, err)
	}
	if r, err = c.AcceptUniStream(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != nil || c.Context().Err() != nil {
		t.Errorf("%v, %v", err, context.Cause(c.Context()))
	}
}

// An error that is not said to be the stream's is the session's end if that comes, else the stream's.
func TestVagueErrors(t *testing.T) {
	c := dial(t, "/echo")
	r := &recv{c: c, id: 7, forget: func() bool { return true }, news: make(chan struct{}, 1)}
	r.read = newCallback(r.came)
	r.came(js.Global().Get("DOMException").New("The stream was aborted by the remote server", "NetworkError"), true)
	var stream *transport.StreamError
	if _, err := r.Read(make([]byte, 1)); !errors.As(err, &stream) || !stream.Remote || !stream.Transport {
		t.Error(err)
	}
	if err := context.Cause(c.Context()); err != nil {
		t.Errorf("the session has ended: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { _ = c.CloseWithError(3, "") })
	var end *transport.CloseError
	if _, err := r.Read(make([]byte, 1)); !errors.As(err, &end) || end.Code != 3 {
		t.Error(err)
	}
}

// Every call on a connection that has ended gives its end.
func ended(t *testing.T, c *Conn, s transport.Stream, want transport.CloseError) {
	t.Helper()
	select {
	case <-c.Context().Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the session goes on")
	}
	calls := map[string]error{"context": context.Cause(c.Context()), "datagram": c.SendDatagram([]byte{1})}
	_, calls["open"] = c.OpenStream(t.Context())
	_, calls["open uni"] = c.OpenUniStream(t.Context())
	_, calls["accept"] = c.AcceptStream(t.Context())
	_, calls["accept uni"] = c.AcceptUniStream(t.Context())
	_, calls["receive"] = c.ReceiveDatagram(t.Context())
	_, calls["read"] = s.Read(make([]byte, 1))
	_, calls["write"] = s.Write([]byte{1})
	for what, err := range calls {
		var end *transport.CloseError
		if !errors.As(err, &end) || *end != want || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v, want %v", what, err, &want)
		}
	}
}

func TestCloseCodesGoBothWays(t *testing.T) {
	c := dial(t, "/close")
	s, err := c.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	ended(t, c, s, transport.CloseError{Remote: true, Code: 0x1234567, Reason: "enough"})

	c = dial(t, "/closed")
	if s, err = c.OpenStream(t.Context()); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error, 1)
	go func() { _, err := s.Read(make([]byte, 1)); waits <- err }()
	runtime.Gosched()
	_ = c.CloseWithError(0x7654321, "done")
	_ = c.CloseWithError(1, "too late")
	ended(t, c, s, transport.CloseError{Code: 0x7654321, Reason: "done"})
	if err := <-waits; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if got, want := said(t), "connection closed by the peer with code 0x7654321: done"; got != want {
		t.Errorf("the peer saw %q, want %q", got, want)
	}
}

func TestDeadlines(t *testing.T) {
	c := dial(t, "/deaf")
	s, err := c.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_ = s.SetReadDeadline(began.Add(50 * time.Millisecond))
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if d := time.Since(began); d < 50*time.Millisecond || d > time.Second {
		t.Errorf("after %s", d)
	}
	// A peer that reads nothing pushes back.
	_ = s.SetWriteDeadline(time.Now().Add(time.Second))
	n, err := s.Write(make([]byte, 32<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 32<<20 {
		t.Errorf("%d bytes written: %v", n, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.AcceptStream(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestFailedDials(t *testing.T) {
	good := options(t, "/echo")
	wrong := good
	wrong.Hashes = [][]byte{make([]byte, 32)}
	quic := good
	quic.URL.Scheme = "moqt"
	closed := good
	closed.URL.Authority = "127.0.0.1:9"
	short := good
	short.Hashes = [][]byte{{1, 2, 3}}
	for _, test := range []struct {
		what string
		o    Options
		want string
	}{
		{"wrong hash", wrong, "the browser says"},
		{"closed port", closed, "the browser"},
		{"moqt://", quic, "must begin with https://"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := Dial(ctx, test.o)
		cancel()
		var dial *transport.DialError
		if !errors.As(err, &dial) || dial.Layer != transport.LayerWebTransport || !strings.Contains(err.Error(),
			test.want) {
			t.Errorf("%s: %v", test.what, err)
		} else {
			t.Logf("%s: %v", test.what, err)
		}
	}
	_, err := Dial(t.Context(), short)
	t.Logf("hash of three bytes: %v", err)
	if err == nil {
		t.Error("a hash of three bytes is taken")
	}
}

// Nothing is left of sessions that have ended.
func TestNothingIsLeft(t *testing.T) {
	before := 0
	for i := range 12 {
		c := dial(t, "/echo")
		for range 20 {
			s, err := c.OpenStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = s.Write([]byte("x"))
			_, _ = s.Read(make([]byte, 1))
		}
		_ = c.CloseWithError(0, "")
		// The browser settles its promises a moment later; two callbacks may be of the sessions of tests before.
		left := func() bool { return pending.Load() > 2 || i > 2 && runtime.NumGoroutine() > before+2 }
		for range 250 {
			if time.Sleep(20 * time.Millisecond); !left() {
				break
			}
		}
		if left() {
			t.Fatalf("%d callbacks and %d goroutines after session %d, %d goroutines after the third", pending.Load(),
				runtime.NumGoroutine(), i, before)
		}
		if i == 2 {
			before = runtime.NumGoroutine()
		}
	}
}
