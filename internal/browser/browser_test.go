// Package browser holds the relay against a browser's own WebTransport: Chromium reaches it by the hash of its
// certificate. One page with a few lines of JavaScript subscribes to a track and shows its payload; another one
// publishes and subscribes with @moq/net.
package browser

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

func TestBrowserSubscribes(t *testing.T) {
	path := chromium(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	relay, err := runner.StartRelay(reference.Options{}, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	const payload = "seen in a browser"
	namespace := wire.TrackNamespace{"browser", "demo"}
	publish(ctx, t, relay.Addr().String(), namespace, payload)

	page := func(web string) string {
		hash := endpoint.CertificateHash(relay.Certificate())
		return fmt.Sprintf("%s/page.html?%s", web, url.Values{
			"url": {fmt.Sprintf("https://%s/", relay.Addr())}, "hash": {hex.EncodeToString(hash[:])},
			"namespace": {"browser/demo"}, "track": {"greeting"},
		}.Encode())
	}
	if got, want := reported(ctx, t, path, page), "moqt-18 "+payload; got != want {
		t.Errorf("the page shows %q, want %q", got, want)
	}
}

// publish announces the namespace on the newest draft and serves the track to whoever subscribes, until the test ends.
func publish(ctx context.Context, t *testing.T, addr string, namespace wire.TrackNamespace, payload string) {
	t.Helper()
	s := join(ctx, t, "moqt://"+addr, wire.Newest, func(r *moqt.Request) {
		if r.Kind() != wire.KindSubscribe {
			_ = r.Reject(ctx, moqt.RejectNotSupported, "this publisher serves one track")
			return
		}
		p, err := r.AcceptSubscribe(ctx, &wire.SubscribeOK{})
		if err != nil {
			return
		}
		w, err := p.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: 0, Priority: 128, FirstObject: true})
		if err != nil {
			return
		}
		_ = w.WriteObject(&moqt.Object{Payload: []byte(payload)})
		_ = w.Close()
	})
	if _, err := s.PublishNamespace(ctx, namespace, nil); err != nil {
		t.Fatal(err)
	}
}

// join sets up a session of ours, until the test ends. The address's scheme says on which transport.
func join(ctx context.Context, t *testing.T, address string, d wire.Draft, handler func(*moqt.Request)) *moqt.Session {
	t.Helper()
	u, err := transport.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	drafts := []wire.Draft{d}
	conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: u, Drafts: drafts, TLS: insecure()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := moqt.Client(ctx, conn, moqt.Config{Drafts: drafts, Path: u.Path, Authority: u.Authority,
		Handler: handler})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(wire.NoError, "done") })
	return s
}

// insecure trusts the relay of this test, whose certificate nobody signed.
func insecure() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }
