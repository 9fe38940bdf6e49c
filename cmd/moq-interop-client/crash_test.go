package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
)

// TestCrashingRelay: a relay is killed in the middle of a run, by SIGKILL. When it is back within a second, the one
// case that lost it is not ok and every other passes; when it stays away, the run ends.
func TestCrashingRelay(t *testing.T) {
	for jobs, list := range map[string]string{"1": someCases, "8": "tag:data"} { // so that some are left for the crash
		for _, back := range []bool{true, false} {
			t.Run(fmt.Sprintf("jobs=%s,back=%t", jobs, back), func(t *testing.T) {
				t.Parallel()
				crashingRelay(t, list, jobs, os.Kill, back)
			})
		}
	}
}

// TestRestartedRelay: a relay that is stopped in good order takes the sessions with it a moment before its port. Only
// the case that lost it is not ok.
func TestRestartedRelay(t *testing.T) {
	for jobs, list := range map[string]string{"1": someCases, "8": "tag:data"} { // longer than clients have to leave
		t.Run("jobs="+jobs, func(t *testing.T) {
			t.Parallel()
			crashingRelay(t, list, jobs, syscall.SIGTERM, true)
		})
	}
}

const someCases = "setup-only,announce-only,publish-namespace-done,subscribe-error,announce-subscribe," +
	"data-subgroup-basic,fetch,subscribe-namespace-lifecycle,publish-track-only,tag:layout,namespace-discovery"

func crashingRelay(t *testing.T, list, jobs string, signal os.Signal, back bool) {
	free, err := freeport.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	addr := free.String()
	kill := startRelay(t, addr)
	client := exec.CommandContext(t.Context(), program, "-r", "moqt://"+addr, "--tls-disable-verify", "-j", jobs,
		"-t", list)
	var errors bytes.Buffer
	client.Stderr = &errors
	out, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	var again sync.WaitGroup // the relay's second start
	var gone time.Duration   // how long it was away
	points, broken := 0, 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		text.WriteString(line + "\n")
		if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "not ok ") {
			points++
		}
		if strings.HasPrefix(line, "not ok ") && !strings.Contains(line, " # TODO ") {
			broken++
		}
		if strings.HasPrefix(line, "ok 2 ") {
			kill(signal)
			if since := time.Now(); back {
				again.Go(func() {
					time.Sleep(500 * time.Millisecond)
					startRelay(t, addr)
					gone = time.Since(since)
				})
			}
		}
	}
	again.Wait()
	err = client.Wait()
	if gone > 2*time.Second { // a client waits for 3 s
		t.Skipf("the relay takes %v to start on this machine, longer than a client waits for it", gone)
	}
	switch said := text.String(); {
	case err == nil || client.ProcessState.ExitCode() != 1:
		t.Errorf("exit code %d, want 1\n%s%s", client.ProcessState.ExitCode(), said, &errors)
	case back && (broken != 1 || strings.Contains(said, "Bail out!")):
		t.Errorf("%d of %d cases are not ok, want 1\n%s", broken, points, said)
	case !back && !strings.Contains(said, "\nBail out! udp: the relay was lost in "):
		t.Errorf("no bail out\n%s", said)
	case !strings.Contains(said, "was lost") && !strings.Contains(said, "the loss of the connection"):
		t.Errorf("no case says that it lost the relay\n%s", said)
	}
}

// startRelay runs the reference relay as a process until the test ends. It gives what sends it a signal, and waits
// until it has ended.
func startRelay(t *testing.T, addr string) (kill func(os.Signal)) {
	serve := exec.Command(program, "serve", "--addr", addr)
	log, err := serve.StderrPipe()
	if err != nil {
		t.Error(err)
		return func(os.Signal) {}
	}
	if err := serve.Start(); err != nil {
		t.Error(err)
		return func(os.Signal) {}
	}
	ended := make(chan struct{})
	kill = func(s os.Signal) {
		serve.Process.Signal(s)
		<-ended
	}
	t.Cleanup(func() { kill(os.Kill) })
	read := bufio.NewReader(log)
	read.ReadString('\n') // it listens now
	go func() {
		defer close(ended)
		io.Copy(io.Discard, read)
		serve.Wait()
	}()
	return kill
}
