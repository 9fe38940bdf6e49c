// Package examples has short programs on the library, each of which is run here.
package examples

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// bin has the programs, url is that of a relay: the command serve.
var bin, url string

func TestMain(m *testing.M) {
	if os.Getenv("MOQ_EXAMPLES") == "" { // building a dozen programs takes a while
		fmt.Println("skipped: MOQ_EXAMPLES=1 runs the examples")
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "examples-*")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	bin = dir
	build := exec.Command("go", "build", "-o", dir+"/", "./...", "../cmd/moq-interop-client")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	relay := begin("moq-interop-client", "serve", "--addr", "127.0.0.1:0", "-q")
	defer relay.stop()
	url = "moqt://" + relay.await(`listening on (\S+)`)
	return m.Run()
}

// program is one that runs.
type program struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	done  chan struct{}
	err   error

	mu  sync.Mutex
	out bytes.Buffer // both of its outputs
}

func begin(name string, args ...string) *program {
	p := &program{cmd: exec.Command(filepath.Join(bin, name), args...), done: make(chan struct{})}
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		panic(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		lines := bufio.NewReader(r)
		for {
			line, err := lines.ReadString('\n')
			p.mu.Lock()
			p.out.WriteString(line)
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	go func() {
		p.err = p.cmd.Wait()
		w.Close()
		reading.Wait()
		close(p.done)
	}()
	return p
}

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// await waits until a pattern stands in the output, and gives its first group.
func (p *program) await(pattern string) string {
	re := regexp.MustCompile(pattern)
	for range 2000 {
		if found := re.FindStringSubmatch(p.output()); found != nil {
			return found[len(found)-1]
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.stop()
	panic("no " + pattern + " in " + p.output())
}

func (p *program) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// end waits for the end of a program, which must not fail.
func (p *program) end(t *testing.T) string {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.stop()
		t.Fatalf("%s does not end: %s", p.cmd.Path, p.output())
	}
	if p.err != nil {
		t.Errorf("%s: %v: %s", p.cmd.Path, p.err, p.output())
	}
	return p.output()
}

func TestPublisherAndReaders(t *testing.T) {
	publisher := begin("publisher", "-insecure", "-every", "100ms", url)
	publisher.await("waiting for a subscriber")
	subscriber := begin("subscriber", "-insecure", url)
	subscriber.await(`\{0,0\}`)
	survivor := begin("survivor", "-insecure", url)
	subscriber.await(`\{4,0\}`)
	join := begin("join", "-insecure", url)
	fetched := begin("fetch", "-insecure", url).end(t)
	if got := regexp.MustCompile(`\{\d,0\}`).FindAllString(fetched, -1); strings.Join(got, "") != "{1,0}{2,0}{3,0}" {
		t.Errorf("fetch: %s", fetched)
	}
	publisher.end(t)
	if out := subscriber.end(t); strings.Count(out, "\n") != 10 {
		t.Errorf("subscriber: %s", out)
	}
	if out := survivor.end(t); !strings.Contains(out, "{9,0}") {
		t.Errorf("survivor: %s", out)
	}
	if out := join.end(t); !strings.Contains(out, "{9,0}") || !strings.Contains(out, "objects, 0 missing, 0 twice") {
		t.Errorf("join: %s", out)
	}
}

func TestDatagrams(t *testing.T) {
	if out := begin("datagrams", "-insecure", url).end(t); !strings.Contains(out, " of 100 came, after ") {
		t.Error(out)
	}
}

// TestSurvivor: its server says GOAWAY and ends, and another one takes its place.
func TestSurvivor(t *testing.T) {
	first := begin("moq-interop-client", "origin", "--addr", "127.0.0.1:0", "-n", "hall", "-t", "clock", "--rate", "20",
		"--group-objects", "1")
	addr := first.await(`listening on (\S+)`)
	survivor := begin("survivor", "-insecure", "moqt://"+addr)
	survivor.await(`\{3,0\}`)
	_ = first.cmd.Process.Signal(os.Interrupt)
	survivor.await("GOAWAY")
	survivor.await("GOAWAY|refused")
	first.stop()
	survivor.stop()
}

func TestOrigin(t *testing.T) {
	addr := strings.TrimPrefix(url, "moqt://")
	if out, err := exec.Command(filepath.Join(bin, "origin"), addr).CombinedOutput(); err == nil {
		t.Errorf("listens on a port that is taken: %s", out)
	}
	origin := begin("origin", "-every", "20ms", "127.0.0.1:47443")
	defer origin.stop()
	for range 100 {
		join := exec.Command(filepath.Join(bin, "moq-interop-client"), "join", "moqt://127.0.0.1:47443", "-n", "hall",
			"-t", "clock", "--tls-disable-verify", "--count", "5", "-q")
		if out, err := join.CombinedOutput(); err == nil {
			if strings.Count(string(out), "\n") != 5 {
				t.Errorf("%s", out)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("nothing of the origin's clock came")
}

func TestChat(t *testing.T) {
	alice, bob := begin("chat", "-insecure", url, "alice"), begin("chat", "-insecure", url, "bob")
	alice.await("bob is here")
	bob.await("alice is here")
	io.WriteString(alice.stdin, "hello bob\n")
	bob.await("alice: hello bob")
	io.WriteString(bob.stdin, "hello alice\n")
	alice.await("bob: hello alice")
	alice.stdin.Close()
	bob.stdin.Close()
	alice.end(t)
	bob.end(t)
}

// TestFiles: a file arrives whole, also in two parts, and one that was changed is found out.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	whole := make([]byte, 3<<20+17)
	if _, err := rand.Read(whole); err != nil {
		t.Fatal(err)
	}
	film := fmt.Sprintf("film-%x", whole[:4]) // a relay may keep what had the same name
	if err := os.WriteFile(filepath.Join(dir, film), whole, 0o644); err != nil {
		t.Fatal(err)
	}
	send := begin("send", "-insecure", url, filepath.Join(dir, film))
	defer send.stop()
	send.await("ready")
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(dir, "in", film)
	for have, says := range map[int]string{0: "whole: 0 pieces", 1_000_000: "whole: 3 pieces"} {
		if err := os.WriteFile(in, whole[:have], 0o644); err != nil {
			t.Fatal(err)
		}
		if out := begin("receive", "-insecure", url, in).end(t); !strings.Contains(out, says) {
			t.Errorf("with %d bytes: %s", have, out)
		}
		if got, err := os.ReadFile(in); err != nil || !bytes.Equal(got, whole) {
			t.Errorf("%d of %d bytes, %v", len(got), len(whole), err)
		}
	}
	if err := os.WriteFile(in, make([]byte, 1_000_000), 0o644); err != nil {
		t.Fatal(err)
	}
	damaged := begin("receive", "-insecure", url, in)
	<-damaged.done
	if damaged.err == nil || !strings.Contains(damaged.output(), "damaged") {
		t.Errorf("%v %s", damaged.err, damaged.output())
	}
}
