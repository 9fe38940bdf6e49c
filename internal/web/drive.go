package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Order is a run in a browser, in the page's own words.
type Order struct {
	Relay           string   `json:"relay"`
	Hashes          []string `json:"hashes"`
	Offers          [][]int  `json:"offers"`
	Suite           string   `json:"suite"`
	Cases           []string `json:"cases"`
	NamespacePrefix string   `json:"namespacePrefix"`
	Token           string   `json:"token"`
	Compat          []string `json:"compat"`
	Factor          float64  `json:"factor"`
	Strict          bool     `json:"strict"`
	Jobs            int      `json:"jobs"`
}

// Column is what came of one offer of drafts.
type Column struct {
	TAP string `json:"tap"`
	// Report is a report of package runner, as JSON.
	Report string `json:"report"`
}

// Outcome is what came of an order.
type Outcome struct {
	// Error is why it was not carried out; empty if it was.
	Error   string   `json:"error"`
	Columns []Column `json:"columns"`
	// Agent is the browser's own name for itself.
	Agent string `json:"agent"`
	// Ready, First, Frame and Task are milliseconds: from the page's start to the run, from there to the first result,
	// the longest time between two frames, which the browser and others on the machine have a part in, and the longest
	// that the page's own work took at a stretch. Memory is that of the program, in bytes.
	Ready  float64 `json:"ready"`
	First  float64 `json:"first"`
	Frame  float64 `json:"frame"`
	Task   float64 `json:"task"`
	Memory int64   `json:"memory"`
}

// Browsers are the names that Drive knows, with the programs that each stands for.
var Browsers = map[string][]string{
	"chromium": {"chromium", "chromium-browser", "google-chrome", "chrome"},
	"firefox":  {"firefox", "firefox-esr"},
}

// Find gives the path of a browser's program.
func Find(browser string) (string, error) {
	names, ok := Browsers[browser]
	if !ok {
		return "", fmt.Errorf("unknown browser %q: want chromium or firefox", browser)
	}
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s here: none of %s is on the path", browser, strings.Join(names, ", "))
}

// maxOutcome bounds what a page may report.
const maxOutcome = 256 << 20

// Browser is a browser that is driven without a window.
type Browser struct {
	// Name is "chromium" or "firefox", Path its program's, see Find.
	Name, Path string
	// Files are the page.
	Files Files
	// Trusted is a certificate to accept, see Certificate; nil for what the browser trusts anyway.
	Trusted *x509.Certificate
}

// Run starts the browser, and has it carry out an order.
func (b *Browser) Run(ctx context.Context, o Order) (*Outcome, error) {
	if b.Trusted != nil && pinnable(b.Trusted) {
		sum := sha256.Sum256(b.Trusted.Raw)
		o.Hashes = append(o.Hashes, hex.EncodeToString(sum[:]))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	opened, came := make(chan struct{}, 1), make(chan *Outcome, 1)
	mux := http.NewServeMux()
	place := "/" + rand.Text() // an order can have a token, which is for nobody else on this machine
	mux.Handle(place+"/", http.StripPrefix(place, b.Files))
	mux.HandleFunc("GET "+place+"/order", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(o)
		select {
		case opened <- struct{}{}:
		default:
		}
	})
	mux.HandleFunc("POST "+place+"/report", func(_ http.ResponseWriter, r *http.Request) {
		out := &Outcome{}
		if err := json.NewDecoder(io.LimitReader(r.Body, maxOutcome)).Decode(out); err != nil {
			out.Error = "the page's report: " + err.Error()
		}
		select {
		case came <- out:
		default:
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(ln) }()
	defer server.Close()
	profile, err := os.MkdirTemp("", "moq-interop-browser-")
	if err != nil {
		return nil, err
	}
	defer removeSoon(profile)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.Path, b.arguments(profile, "http://"+ln.Addr().String()+place+"/#order")...)
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	late := time.NewTimer(openTime)
	defer late.Stop()
	for {
		select {
		case <-opened:
			late.Stop()
		case <-late.C:
			cancel()
			<-ended
			return nil, fmt.Errorf("%s did not open the page within %s", filepath.Base(b.Path), openTime)
		case out := <-came:
			cancel()
			<-ended
			if out.Error != "" {
				return nil, errors.New(out.Error)
			}
			return out, nil
		case err := <-ended:
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("%s ended before it had a result: %v", filepath.Base(b.Path), err)
		}
	}
}

// openTime is how long a browser may take to open the page and start its program.
const openTime = time.Minute

// arguments start a browser without a window.
func (b *Browser) arguments(profile, address string) []string {
	if b.Name == "firefox" {
		return []string{"--headless", "--no-remote", "--profile", profile, address}
	}
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-background-timer-throttling",
		"--remote-debugging-port=0", "--user-data-dir=" + profile}
	if b.Trusted != nil && !pinnable(b.Trusted) {
		sum := sha256.Sum256(b.Trusted.RawSubjectPublicKeyInfo)
		args = append(args, "--ignore-certificate-errors-spki-list="+base64.StdEncoding.EncodeToString(sum[:]))
	}
	return append(args, address)
}

// removeSoon removes a browser's folder. Its helpers outlive it by a moment and write on, so that it takes some tries.
func removeSoon(dir string) {
	for range 100 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}
