// Package browser holds the relay against a browser's own WebTransport: Chromium reaches it by the hash of its
// certificate, and a page with a few lines of JavaScript subscribes to a track and shows its payload.
package browser

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// chromium finds the browser. It takes both cores to start, so it runs only where it is asked for and nothing else runs
// beside it.
func chromium(t *testing.T) string {
	t.Helper()
	if os.Getenv("MOQ_BROWSER") == "" {
		t.Skip("set MOQ_BROWSER=1 to run the browser")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium on this machine")
	return ""
}

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

// reported opens a page of testdata in the browser, and gives what it reports. web is where the pages are.
func reported(ctx context.Context, t *testing.T, path string, page func(web string) string) string {
	t.Helper()
	results := make(chan string, 4)
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir("testdata")))
	mux.HandleFunc("POST /result", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		select {
		case results <- string(b):
		default:
		}
	})
	web := httptest.NewServer(mux)
	defer web.Close()
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync"}
	if shot := os.Getenv("BROWSER_SCREENSHOT"); shot != "" { // to look at the page: BROWSER_SCREENSHOT=page.png
		args = append(args, "--screenshot="+shot, "--window-size=800,400", "--timeout=3000")
	} else {
		args = append(args, "--remote-debugging-port=0") // stays until it is killed
	}
	// A busy machine can starve a browser that starts: it gets a second and a third try.
	for try := range 3 {
		got, ok := browse(ctx, t, path, append(args, "--user-data-dir="+profile(t), page(web.URL)), results)
		if ok {
			return got
		}
		t.Logf("try %d: the page did not report", try+1)
	}
	t.Fatal("the page never reported")
	return ""
}

// profile is a folder for the browser. Its helpers outlive it by a moment and write on, so that removing it takes some
// tries.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for try := 0; os.RemoveAll(dir) != nil && try < 100; try++ {
			time.Sleep(50 * time.Millisecond)
		}
	})
	return dir
}

// browse runs the browser until the page reports, or for a while.
func browse(ctx context.Context, t *testing.T, path string, args []string, results <-chan string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(ctx, path, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if os.Getenv("BROWSER_SCREENSHOT") == "" {
			_ = cmd.Process.Kill()
		}
		_ = cmd.Wait()
	}()
	select {
	case got := <-results:
		return got, true
	case <-time.After(45 * time.Second):
	case <-ctx.Done():
	}
	return "", false
}

// publish announces the namespace on the newest draft and serves the track to whoever subscribes, until the test ends.
func publish(ctx context.Context, t *testing.T, addr string, namespace wire.TrackNamespace, payload string) {
	t.Helper()
	u, err := transport.ParseURL("moqt://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	conf := endpoint.DialOptions{URL: u, Transport: transport.OnlyQUIC, Drafts: []wire.Draft{wire.Newest},
		TLS: insecure()}
	conn, err := endpoint.Dial(ctx, conf)
	if err != nil {
		t.Fatal(err)
	}
	s, err := moqt.Client(ctx, conn, moqt.Config{Drafts: []wire.Draft{wire.Newest}, Handler: func(r *moqt.Request) {
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
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(wire.NoError, "done") })
	if _, err := s.PublishNamespace(ctx, namespace, nil); err != nil {
		t.Fatal(err)
	}
}

// insecure trusts the relay of this test, whose certificate nobody signed.
func insecure() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }
