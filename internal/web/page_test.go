package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// committed are the files of the page that need no building.
func committed(t *testing.T) Files {
	t.Helper()
	f := Files{}
	names, err := page.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if f[n.Name()], err = page.ReadFile("page/" + n.Name()); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func TestPageIsServed(t *testing.T) {
	f := committed(t)
	f[programFile] = []byte{0x1f, 0x8b}
	for path, want := range map[string]struct {
		status int
		kind   string
	}{
		"/": {200, "text/html"}, "/index.html": {200, "text/html"}, "/page.js": {200, "javascript"},
		"/page.css": {200, "text/css"}, "/app.wasm.gz": {200, "application/octet-stream"},
		"/no": {404, "text/plain"}, "/a/page.js": {404, "text/plain"},
	} {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want.status || !strings.Contains(w.Header().Get("Content-Type"), want.kind) {
			t.Errorf("%s: %d %s", path, w.Code, w.Header())
		}
		if w.Code == 200 && w.Header().Get("Content-Security-Policy") != policy {
			t.Errorf("%s: no policy", path)
		}
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

// The page asks nobody else for anything, and has no script but its files.
func TestPageKeepsToItself(t *testing.T) {
	for name, b := range committed(t) {
		text := string(b)
		for _, bad := range []string{"<script>", " onclick=", " style=", "eval(", "new Function", "innerHTML"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %q", name, bad)
			}
		}
	}
	index := string(committed(t)["index.html"])
	meta := strings.Replace(policy, "; frame-ancestors 'none'", "", 1) // which only a header can say
	if !strings.Contains(index, `content="`+meta+`"`) {
		t.Errorf("the policy of index.html is not %q", meta)
	}
	if !strings.Contains(policy, "'wasm-unsafe-eval'") || strings.Contains(policy, "'unsafe-") {
		t.Error(policy)
	}
}

func TestPageIsWritten(t *testing.T) {
	f := committed(t)
	dir := filepath.Join(t.TempDir(), "public")
	if err := f.Write(dir); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := slices.Sorted(maps.Keys(f)); err != nil || !slices.Equal(names, want) {
		t.Errorf("%v: %v, want %v", err, names, want)
	}
}

func TestPinnable(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	of := func(key any, days int) *x509.Certificate {
		return &x509.Certificate{PublicKey: key, NotBefore: now, NotAfter: now.AddDate(0, 0, days)}
	}
	for _, test := range []struct {
		c    *x509.Certificate
		want bool
	}{{of(&p256.PublicKey, 13), true}, {of(&p256.PublicKey, 30), false}, {of(&rsa.PublicKey{}, 13), false}} {
		if got := pinnable(test.c); got != test.want {
			t.Errorf("%T of %s: %v", test.c.PublicKey, test.c.NotAfter.Sub(now), got)
		}
	}
}

// acted is what a script of testdata reports that is put into the page, before the page's own script or behind it.
func acted(t *testing.T, script string, before bool) (seen map[string]any) {
	t.Helper()
	f := loaded(t)
	var err error
	if f["act.js"], err = os.ReadFile("testdata/" + script); err != nil {
		t.Fatal(err)
	}
	const own = `<script src="page.js" defer></script>`
	text := own + `<script src="act.js" defer></script>`
	if before {
		text = `<script src="act.js"></script>` + own
	}
	f["index.html"] = []byte(strings.Replace(string(f["index.html"]), own, text, 1))
	came := make(chan []byte, 1)
	mux := http.NewServeMux()
	mux.Handle("/", f)
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		came <- b
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	path, err := Find("chromium")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "page-")
	if err != nil {
		t.Fatal(err)
	}
	defer removeSoon(profile)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, (&Browser{Name: "chromium"}).arguments(profile, server.URL+"/")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	select {
	case b := <-came:
		if err := json.Unmarshal(b, &seen); err != nil {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatal("the page never reported")
	}
	return seen
}

// A browser without WebTransport tests the embedded relay, and says in one sentence why no other.
func TestClickWithoutWebTransport(t *testing.T) {
	seen := acted(t, "without.js", true)
	const sentence = "This browser has no WebTransport, or not for this page, which must be https:// or on " +
		"localhost: it can test the embedded relay alone."
	if seen["ready"] != sentence || seen["remote"] != sentence || seen["trouble"] != false {
		t.Errorf("%v", seen)
	}
	if text, _ := seen["embedded"].(string); !strings.Contains(text, "nothing failed") {
		t.Errorf("embedded: %q", text)
	}
}

// What somebody does on the page: bad input, a relay that is not there, faults, a row, bytes.
func TestClickThroughThePage(t *testing.T) {
	seen := acted(t, "click.js", false)
	for key, want := range map[string][]string{
		"ready":   {"Ready."},
		"moqt":    {"a browser speaks WebTransport alone"},
		"hash":    {"certificate hash \"abc\": want SHA-256 in hex, 64 digits"},
		"unknown": {"unknown case \"no-such-case\""},
		"nobody":  {"it ended early", "the browser says"},
		"trouble": {"moq-interop-client -r https://127.0.0.1:1/ -d 18 -t setup-only"},
		"link":    {"relay=https%3A%2F%2F127.0.0.1%3A1%2F", "cases=setup-only"},
		"fault":   {"not everything is as the drafts have it"},
		"same": {"-r 'embedded?fault=subscribe-error-zero&quirk=answers-late'",
			"-t setup-only,subscribe-error"},
		"faults":           {"fault=subscribe-error-zero", "quirk=answers-late"},
		"totals":           {"1 ok, 1 not ok"},
		"stopped":          {"Stopped after", "interrupted"},
		"detail":           {"expected", "received", "sections", "SUBSCRIBE", "Transcript"},
		"text/plain":       {"TAP version 14\n", "\nok 1 - setup-only\n", "\nnot ok 2 - subscribe-error\n"},
		"application/json": {`"exit_code": 1`, `"relay": "embedded?fault=subscribe-error-zero`},
		"picture":          {"data:image/svg+xml"},
		"decoded":          {"MAX_REQUEST_ID", "5"},
		"bad":              {"the bytes: invalid byte: U+0078 'x'"},
	} {
		text, _ := seen[key].(string)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q has no %q", key, text, part)
			}
		}
	}
	if link, _ := seen["link"].(string); strings.Contains(link, "secret") {
		t.Errorf("the link has the token: %s", link)
	}
	if seen["chosen"] != "subscribe-error-zero ✕answers-late ✕" {
		t.Errorf("chosen: %q", seen["chosen"])
	}
	if rows, _ := json.Marshal(seen["rows"]); string(rows) != `["setup-only: pass","subscribe-error: fail"]` {
		t.Errorf("rows %s", rows)
	}
	if seen["error"] != nil {
		t.Error(seen["error"])
	}
}
