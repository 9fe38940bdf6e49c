package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// serve is a process of this program's relay.
type serve struct {
	addr, hash string // where it listens, and its certificate's
	log        string // the file with what it prints
}

// buildProgram builds the program and gives its path.
func buildProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "moq-interop-client")
	if out, err := exec.Command("go", "build", "-o", program,
		"../../cmd/moq-interop-client").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// startServe runs the program's relay until the test ends.
func startServe(t *testing.T, program string, args ...string) *serve {
	t.Helper()
	r := &serve{log: filepath.Join(t.TempDir(), "log")}
	f, err := os.Create(r.log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(program, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("serve %s:\n%s", strings.Join(args, " "), r.said(t))
		}
	})
	for deadline := time.Now().Add(20 * time.Second); r.hash == ""; time.Sleep(10 * time.Millisecond) {
		for line := range strings.Lines(r.said(t)) {
			line = strings.TrimSuffix(line, "\n")
			if addr, ok := strings.CutPrefix(line, "listening on "); ok {
				r.addr = addr
			} else if _, hash, ok := strings.Cut(line, "SHA-256 "); ok && len(hash) == 64 {
				r.hash = hash
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the relay does not listen:\n%s", r.said(t))
		}
	}
	return r
}

// said is what the relay has printed.
func (r *serve) said(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// netPage is an open page with @moq/net that does jobs, each on a session of its own.
type netPage struct {
	jobs    chan netJob
	mu      sync.Mutex
	heard   map[string]chan netReport // by the job's id
	last    int
	console []string
}

// netJob is what the page is to do: publish a track, subscribe to one, or go on (step) with a job.
type netJob struct {
	ID       string  `json:"id"`
	Do       string  `json:"do"`
	URL      string  `json:"url,omitempty"`
	Hash     string  `json:"hash,omitempty"`
	Protocol string  `json:"protocol,omitempty"`
	Prefix   string  `json:"prefix,omitempty"`
	Name     string  `json:"name,omitempty"`
	Track    string  `json:"track,omitempty"`
	Groups   [][]int `json:"groups,omitempty"` // the sizes of the objects of each group
	Count    int     `json:"count,omitempty"`  // how many objects a subscriber is to expect
	Early    bool    `json:"early,omitempty"`  // write before anybody asks
	Ends     bool    `json:"ends,omitempty"`   // end the track with its last object, not at the next step
}

// netReport is what the page says of a job.
type netReport struct {
	ID, Event, Text string
	Objects         []netObject
}

// netObject is an object as the page got it.
type netObject struct {
	Group, Object uint64
	Size          int
	Intact        bool
}

// openNetPage bundles the page's script and opens it in the browser, until the test ends.
func openNetPage(t *testing.T) *netPage {
	t.Helper()
	path, modules := chromium(t), netModules(t)
	script := filepath.Join(t.TempDir(), "net.js")
	bundle := exec.Command(filepath.Join(modules, ".bin", "esbuild"), filepath.Join("testdata", "net.js"), "--bundle",
		"--format=iife", "--outfile="+script, "--log-level=warning")
	bundle.Env = append(os.Environ(), "NODE_PATH="+modules)
	if out, err := bundle.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := &netPage{jobs: make(chan netJob, 16), heard: map[string]chan netReport{}}
	over := make(chan struct{})
	opens := make(chan string, 4)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /net.html", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join("testdata", "net.html"))
	})
	mux.HandleFunc("GET /net.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	mux.HandleFunc("GET /job", func(w http.ResponseWriter, r *http.Request) {
		select {
		case job := <-p.jobs:
			_ = json.NewEncoder(w).Encode(job)
		case <-time.After(20 * time.Second):
			w.WriteHeader(http.StatusNoContent)
		case <-over:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /report", func(w http.ResponseWriter, r *http.Request) {
		var said netReport
		if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
			t.Errorf("a report: %v", err)
			return
		}
		switch said.ID {
		case "page":
			opens <- said.Event
		case "console":
			p.mu.Lock()
			p.console = append(p.console, said.Event+": "+said.Text)
			p.mu.Unlock()
		default:
			p.of(said.ID) <- said
		}
	})
	web := httptest.NewServer(mux)
	_, end := opened(t.Context(), t, path, web.URL+"/net.html", opens)
	t.Cleanup(func() {
		end()
		close(over)
		web.Close()
		if t.Failed() {
			t.Logf("the page's console:\n%s", strings.Join(p.console, "\n"))
		}
	})
	return p
}

// netModules is the folder where npm has put @moq/net and esbuild.
func netModules(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MOQ_NET")
	if dir == "" {
		t.Skip("set MOQ_NET to the folder into which npm has installed @moq/net and esbuild")
	}
	modules, err := filepath.Abs(filepath.Join(dir, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	return modules
}

// of is where the reports of a job arrive.
func (p *netPage) of(id string) chan netReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.heard[id] == nil {
		p.heard[id] = make(chan netReport, 16)
	}
	return p.heard[id]
}

// begin gives the page a job on a session of this draft, and gives its id.
func (p *netPage) begin(relay *serve, d wire.Draft, job netJob) string {
	p.mu.Lock()
	p.last++
	job.ID = fmt.Sprintf("%s-%d", job.Do, p.last)
	p.mu.Unlock()
	job.URL, job.Hash, job.Protocol = "https://"+relay.addr+"/", relay.hash, d.WebTransportProtocol()
	p.jobs <- job
	return job.ID
}

// step lets a job go on.
func (p *netPage) step(id string) { p.jobs <- netJob{ID: id, Do: "step"} }

// wait waits for a report of a job. What goes wrong instead fails the test.
func (p *netPage) wait(ctx context.Context, t *testing.T, id, event string) netReport {
	t.Helper()
	for {
		select {
		case r := <-p.of(id):
			if r.Event == event {
				return r
			} else if r.Event == "error" || r.Event == "closed" {
				t.Fatalf("%s, before %q: %s: %s", id, event, r.Event, r.Text)
			}
		case <-ctx.Done():
			t.Fatalf("%s: no %q: %v", id, event, ctx.Err())
		}
	}
}
