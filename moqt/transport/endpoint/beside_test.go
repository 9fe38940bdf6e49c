package endpoint

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestMoQTBesideOtherPaths: a web server and MoQT share a port: pages are served, also on a connection that outlives
// the time for an upgrade, the one path is MoQT's, and raw QUIC goes on as well.
func TestMoQTBesideOtherPaths(t *testing.T) {
	pages := http.NewServeMux()
	pages.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, "hello "+string(body))
	})
	const upgrade = 200 * time.Millisecond
	l := listen(t, ListenOptions{Path: "/moq", HTTP: pages, UpgradeTimeout: upgrade,
		Warn: func(err error) { t.Errorf("warning: %v", err) }})
	ctx := testContext(t)
	web := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer web.Close()
	get := func(path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+l.Addr().String()+path,
			strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		rsp, err := web.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer rsp.Body.Close()
		text, err := io.ReadAll(rsp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return rsp.StatusCode, string(text)
	}
	for range 2 {
		if code, text := get("/hello", "there"); code != http.StatusOK || text != "hello there" {
			t.Errorf("%d %q", code, text)
		}
		time.Sleep(2 * upgrade)
	}
	if code, _ := get("/moq", ""); code != http.StatusNotFound { // not WebTransport: the mux has no such page
		t.Errorf("GET of MoQT's path: %d", code)
	}
	for _, scheme := range []string{"https", "moqt"} {
		accepted := make(chan error, 1)
		go func() {
			_, err := l.Accept(ctx)
			accepted <- err
		}()
		c, err := Dial(ctx, DialOptions{URL: urlOf(t, scheme, l.Addr(), "/moq"), TLS: insecure,
			Drafts: []wire.Draft{wire.Draft18}})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-accepted; err != nil {
			t.Error(err)
		}
		c.CloseWithError(0, "")
	}
	_, err := Dial(ctx, DialOptions{URL: urlOf(t, "https", l.Addr(), "/other"), TLS: insecure})
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("WebTransport to another path: %v", err)
	}
}

// TestHTTPConnectionsTakeNoPlaces: connections that are for pages alone do not fill the places of those that wait to be
// accepted.
func TestHTTPConnectionsTakeNoPlaces(t *testing.T) {
	l := listen(t, ListenOptions{HTTP: http.NotFoundHandler()})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	web := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer web.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+l.Addr().String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if rsp, err := web.RoundTrip(req); err != nil || rsp.StatusCode != http.StatusNotFound {
		t.Fatalf("%v %v", rsp, err)
	}
	if n := len(l.pending); n != 0 {
		t.Errorf("%d places are taken", n)
	}
}
