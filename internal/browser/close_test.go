package browser

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// A page whose session the relay closes, here because of a second SETUP, learns code and reason each time.
func TestBrowserLearnsWhyItWasClosed(t *testing.T) {
	const times = 20
	path := chromium(t)
	relay, err := runner.StartRelay(reference.Options{}, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	for _, d := range []wire.Draft{wire.Draft14, wire.Draft18, wire.Draft22} {
		t.Run(d.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			twice := twoSetups(t, d)
			want := closedFor(ctx, t, relay.Addr().String(), d, twice)
			if want.Code != uint64(wire.ProtocolViolation) || want.Reason == "" {
				t.Fatalf("a Go client is told %+v", want)
			}
			text := reported(ctx, t, path, func(web string) string {
				hash := endpoint.CertificateHash(relay.Certificate())
				values := url.Values{"url": {fmt.Sprintf("https://%s/", relay.Addr())},
					"hash":     {hex.EncodeToString(hash[:])},
					"protocol": {d.WebTransportProtocol()}, "bytes": {hex.EncodeToString(twice)},
					"times": {fmt.Sprint(times)}}
				if onUniStream(d) {
					values.Set("uni", "1")
				}
				return web + "/close.html?" + values.Encode()
			})
			var ends []string
			if err := json.Unmarshal([]byte(text), &ends); err != nil || len(ends) != times {
				t.Fatalf("%q: %v", text, err)
			}
			exact := 0
			for _, end := range ends {
				if end == fmt.Sprintf("%d %s", want.Code, want.Reason) {
					exact++
				} else {
					t.Logf("the page was told %q", end)
				}
			}
			t.Logf("%d of %d times the page was told %d %q", exact, times, want.Code, want.Reason)
			if exact != times {
				t.Errorf("want %d of %d", times, times)
			}
		})
	}
}

// onUniStream reports whether SETUP goes on a unidirectional stream of its sender's (draft-17 and later), not on the
// client's bidirectional one.
func onUniStream(d wire.Draft) bool { return d >= wire.Draft17 }

// twoSetups are the bytes of a client's setup message, twice.
func twoSetups(t *testing.T, d wire.Draft) (b []byte) {
	t.Helper()
	for range 2 {
		var err error
		m := &wire.Setup{Sender: wire.ClientSide, Versions: []uint64{d.Version()}}
		if b, err = wire.AppendMessage(b, d, m, wire.ControlStream); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// closedFor is what a client of ours is told that does the same.
func closedFor(ctx context.Context, t *testing.T, addr string, d wire.Draft, b []byte) *transport.CloseError {
	t.Helper()
	u, err := transport.ParseURL("https://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: u, Drafts: []wire.Draft{d}, TLS: insecure()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	var s transport.SendStream
	if onUniStream(d) {
		s, err = conn.OpenUniStream(ctx)
	} else {
		s, err = conn.OpenStream(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(b); err != nil {
		t.Fatal(err)
	}
	select {
	case <-conn.Context().Done():
	case <-ctx.Done():
		t.Fatal("the session goes on")
	}
	var end *transport.CloseError
	if !errors.As(context.Cause(conn.Context()), &end) {
		t.Fatal(context.Cause(conn.Context()))
	}
	return end
}
