package badpath_test

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestRelayIsKilled kills the relay's process in the middle of a case: at a quarter, at half and at three quarters of
// the time that the case takes. The case must not pass then. MOQ_KILL=some takes a few cases, MOQ_KILL=all takes all.
func TestRelayIsKilled(t *testing.T) {
	mode := os.Getenv("MOQ_KILL")
	if mode != "some" && mode != "all" {
		t.Skip("MOQ_KILL is neither some nor all")
	}
	program := filepath.Join(t.TempDir(), "moq-interop-client")
	if out, err := exec.Command("go", "build", "-o", program,
		"../../cmd/moq-interop-client").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	some := []string{"setup-only", "publish-namespace-done", "datagram", "delivery-timeout", "unsubscribe",
		"data-subgroup-basic", "fetch", "goaway-twice"}
	for _, c := range cases.All() {
		if !c.Applies(wire.Draft18) || mode == "some" && !slices.Contains(some, c.ID) {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			_, whole, _ := killed(t, program, c, 0)
			for quarter := 1; quarter <= 3; quarter++ {
				after := max(whole*time.Duration(quarter)/4, time.Millisecond)
				r, _, in := killed(t, program, c, after)
				if in && r.Status != cases.Fail {
					t.Errorf("killed after %s of %s: %s %s%s\nnotes %q\n%s", after, whole, r.Status, r.Message,
						r.Reason,
						r.Notes, strings.Join(r.Transcript, "\n"))
				}
			}
		})
	}
}

// noticed is how long before its last check a case can still notice that the relay is gone.
const noticed = 5 * time.Millisecond

// killed runs a case against a relay of its own, which is killed after a while unless that is 0. took is the time to
// the case's last check; in reports whether the relay was gone before that.
func killed(t *testing.T, program string, c cases.Case, after time.Duration) (r cases.Result, took time.Duration,
	in bool) {
	t.Helper()
	var end atomic.Pointer[time.Time] // of the procedure, where it came to its end
	play := c.Run
	c.Run = func(ctx context.Context, e *cases.Env) error {
		err := play(ctx, e)
		now := time.Now()
		end.Store(&now)
		return err
	}
	relay := exec.Command(program, "serve", "--addr", "127.0.0.1:0")
	stderr, err := relay.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := relay.Start(); err != nil {
		t.Fatal(err)
	}
	addr := ""
	for lines := bufio.NewScanner(stderr); addr == "" && lines.Scan(); {
		addr, _ = strings.CutPrefix(lines.Text(), "listening on ")
		if _, _, err := net.SplitHostPort(addr); err != nil {
			addr = ""
		}
	}
	go func() { // what it says must not block it
		for b := make([]byte, 4096); ; {
			if _, err := stderr.Read(b); err != nil {
				return
			}
		}
	}()
	gone := make(chan time.Time, 1)
	if after > 0 {
		time.AfterFunc(after, func() {
			relay.Process.Kill()
			relay.Wait()
			gone <- time.Now()
		})
	}
	began := time.Now()
	r = run(t, []string{addr}, []cases.Case{c}, wire.Draft18, transport.OnlyQUIC)[0]
	if after == 0 {
		relay.Process.Kill()
		relay.Wait()
		if r.Status != cases.Pass {
			t.Fatalf("%s: %s%s", r.Status, r.Message, r.Reason)
		}
		return r, end.Load().Sub(began), false
	}
	at := <-gone
	return r, 0, end.Load() == nil || at.Add(noticed).Before(*end.Load())
}
