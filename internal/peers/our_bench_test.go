package peers

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/bench"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// runBench runs a bench of ours and gives its result.
func runBench(t *testing.T, args ...string) *bench.Result {
	t.Helper()
	args = slices.Concat([]string{"bench"}, args, []string{"--tls-disable-verify", "--json", "-q"})
	cmd := exec.CommandContext(t.Context(), ourBinary, args...)
	var out, told strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &told
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, told.String())
	}
	results, err := bench.Read(strings.NewReader(out.String()))
	if err != nil || len(results) != 1 {
		t.Fatalf("%v: %s", err, out.String())
	}
	return results[0]
}

// Our benches measure the other stacks' relays: what was sent is received or lost, exactly, and at 500 objects a second
// nothing is lost.
func TestOurBenchAgainstRelays(t *testing.T) {
	for name, relay := range map[string]struct {
		start  func(testing.TB) string
		drafts []wire.Draft
	}{
		"aiomoqt": {startAiomoqtRelay, []wire.Draft{14, 16, 18, 22}},
		"rust":    {startRustRelay, []wire.Draft{14, 16, 18, 19, 22}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := "moqt://127.0.0.1:" + relay.start(t)
			for _, d := range relay.drafts {
				if !wanted(d) {
					continue
				}
				for _, kind := range []string{"relay", "fanout"} {
					args := []string{kind, url, "-d", fmt.Sprint(uint8(d)), "-s", "1024", "-g", "100", "-r", "500",
						"-t", "2"}
					subscribers := uint64(1)
					if kind == "fanout" {
						args, subscribers = append(args, "--subscribers", "4"), 4
					}
					r := runBench(t, args...)
					v := r.Received
					t.Logf("%s, %s: %d sent, %d received, %d lost, p50 %.3g ms", d, kind, r.Sent.Objects,
						v.Objects, v.Lost, r.Latency.P50)
					if v.Objects+v.Lost != r.Sent.Objects*subscribers || v.Lost != 0 || v.Corrupt != 0 ||
						v.Duplicates != 0 || r.Sent.Objects < 800 {
						t.Errorf("%s, %s: sent %+v, received %+v", d, kind, *r.Sent, *v)
					}
				}
			}
		})
	}
}

// aiomoqt's subscriber finds our publisher's timestamps, and loses nothing.
func TestAiomoqtSubscriberOfOurBench(t *testing.T) {
	t.Parallel()
	sub := program(t, "moq-sub-bench")
	url := "moqt://127.0.0.1:" + ourRelay(t)
	receiver := make(chan *logBuffer, 1)
	go func() {
		time.Sleep(time.Second) // the namespace is announced
		receiver <- start(t, sub, url, "-k", "--draft", "18", "-N", "bench", "-T", "track", "-t", "10")
	}()
	r := runBench(t, "pub", url, "-d", "18", "-s", "1024", "-g", "100", "-r", "500", "-t", "3", "--timestamps", "both")
	out := <-receiver
	waitFor(t, out, "Lost:", 30*time.Second)
	received, lost := number(t, receivedObjects, out), number(t, lostObjects, out)
	t.Logf("sent %d measured, it received %d with the warm-up, lost %d", r.Sent.Objects, received, lost)
	if lost != 0 || received < int(r.Sent.Objects) {
		t.Errorf("sent %d, received %d, lost %d", r.Sent.Objects, received, lost)
	}
}

// We measure aiomoqt's publisher by its timestamps of either kind.
func TestOurBenchOfAiomoqtPublisher(t *testing.T) {
	pub := program(t, "moq-pub-bench")
	for _, kind := range []string{"loc", "frindell"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			url := "moqt://127.0.0.1:" + ourRelay(t)
			sender := start(t, pub, url, "-k", "--draft", "18", "-N", "bench", "-T", "track", "-s", "1024", "-g", "100",
				"-r", "500", "-t", "15", "--timestamps", kind)
			waitFor(t, sender, "waiting for subscriber", 10*time.Second)
			r := runBench(t, "sub", url, "-d", "18", "-t", "3", "--clock-error", "1ms")
			v := r.Received
			if v.Objects < 1000 || v.Lost != 0 || v.Objects+v.Lost != v.Expected {
				t.Errorf("%+v", *v)
			}
			if l := r.Latency; l == nil || l.From != kind || l.P50 > 5000 || l.Samples == 0 {
				t.Fatalf("%+v, %s", l, r.NoLatency)
			}
			t.Logf("%d objects, p50 %.3g ms, from %s", v.Objects, r.Latency.P50, r.Latency.From)
		})
	}
}
