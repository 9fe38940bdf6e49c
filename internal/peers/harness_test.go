// Package peers holds our client and relay against independent stacks: the Rust one in the moq-rs package and aiomoqt
// in Python. Both install from PyPI into a virtual environment; MOQ_PEERS names it (default: .venv-peers in the
// project's root, made by .ci/run). Without it the tests skip.
package peers

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// ourBinary is the command, built once by TestMain; empty without peers.
var ourBinary string

func TestMain(m *testing.M) {
	code := func() int {
		if venv() == "" {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "moq-peers")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		ourBinary = filepath.Join(dir, "moq-interop-client")
		build := exec.Command("go", "build", "-o", ourBinary, "../../cmd/moq-interop-client")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
			return 1
		}
		return m.Run()
	}()
	os.Exit(code)
}

// venv finds the virtual environment, "" if there is none.
func venv() string {
	dir := os.Getenv("MOQ_PEERS")
	if dir == "" {
		dir = filepath.Join("..", "..", ".venv-peers")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if _, err := os.Stat(filepath.Join(dir, "bin", "moq-interop-relay")); err != nil {
		return ""
	}
	return dir
}

// program is a file of the virtual environment's bin folder.
func program(t testing.TB, name string) string {
	t.Helper()
	dir := venv()
	if dir == "" {
		t.Skip(
			"the peers are not installed: run .ci/run, or set MOQ_PEERS to a virtual environment with moq-rs and " +
				"aiomoqt")
	}
	return filepath.Join(dir, "bin", name)
}

// logBuffer keeps what a process prints, for the test's log when it fails.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a program until the test ends; its output is logged if the test fails.
func start(t testing.TB, name string, args ...string) *logBuffer {
	t.Helper()
	out := &logBuffer{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(3 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
		if t.Failed() {
			t.Logf("%s %s:\n%s", filepath.Base(name), strings.Join(args, " "), tail(out.String(), 4000))
		}
	})
	return out
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// freePort gives a UDP port that nobody has at the moment.
func freePort(t testing.TB) string {
	t.Helper()
	port, err := freeport.String()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// waitBound waits until somebody has the UDP port.
func waitBound(t testing.TB, port string, out *logBuffer) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		c, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if errors.Is(err, syscall.EADDRINUSE) {
			return
		}
		if err == nil {
			c.Close()
		}
	}
	t.Fatalf("nobody listens on UDP port %s:\n%s", port, out)
}

// waitFor waits for a line in a program's output.
func waitFor(t testing.TB, out *logBuffer, want string, limit time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(out.String(), want) {
			return
		}
	}
	t.Fatalf("no %q within %s:\n%s", want, limit, tail(out.String(), 4000))
}

// startRustRelay starts a relay on the Rust stack and gives its port.
func startRustRelay(t testing.TB) string {
	python := program(t, "python")
	port := freePort(t)
	out := start(t, python, filepath.Join("testdata", "rs_relay.py"), "127.0.0.1:"+port)
	waitFor(t, out, "listening", 20*time.Second)
	return port
}

// startAiomoqtRelay starts aiomoqt's relay and gives its port.
func startAiomoqtRelay(t testing.TB) string {
	relay := program(t, "moq-interop-relay")
	port := freePort(t)
	cert, key := certificate(t)
	out := start(t, relay, "--bind", "127.0.0.1", "--port", port, "--dual", "--cert", cert, "--key", key, "--draft",
		"14,16,18,20,22")
	waitBound(t, port, out)
	return port
}

// ourRelay starts `serve` and gives its port.
func ourRelay(t testing.TB, args ...string) string {
	program(t, "python") // skips without peers
	port := freePort(t)
	out := start(t, ourBinary, append([]string{"serve", "--addr", "127.0.0.1:" + port}, args...)...)
	waitBound(t, port, out)
	return port
}

// certificate writes a self-signed certificate and its key as PEM files.
func certificate(t testing.TB) (cert, key string) {
	t.Helper()
	pair, err := endpoint.SelfSigned("localhost")
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
		key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// scheme is the URL scheme that asks for a transport.
var schemes = map[string]string{"quic": "moqt", "webtransport": "https"}

// runTAP runs a client and reads the TAP it prints.
func runTAP(t testing.TB, limit time.Duration, name string, args ...string) (*tap.Document, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s %v did not end within %s:\n%s%s", filepath.Base(name), args, limit, tail(stdout.String(), 4000),
			tail(stderr.String(), 2000))
	}
	doc, parseErr := tap.Parse(bytes.NewReader(stdout.Bytes()))
	if parseErr != nil {
		t.Fatalf("%v\n%s", parseErr, stdout.String())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s %s: %v\n%s\n%s", filepath.Base(name), strings.Join(args, " "), err, notOK(stdout.String()),
				tail(stderr.String(), 2000))
		}
	})
	return doc, cmd.ProcessState.ExitCode()
}

// notOK keeps the header and the points that failed, with their YAML.
func notOK(out string) string {
	var b strings.Builder
	keep := true
	for sc := bufio.NewScanner(strings.NewReader(out)); sc.Scan(); {
		line := sc.Text()
		if strings.HasPrefix(line, "ok ") {
			keep = false
		} else if !strings.HasPrefix(line, " ") {
			keep = true
		}
		if keep {
			fmt.Fprintln(&b, line)
		}
	}
	return tail(b.String(), 6000)
}
