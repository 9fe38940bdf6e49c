package badpath_test

import (
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/badpath"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// A large object that does not come in time is skipped where the path is the cause, and says what the relay did where
// that is. Each has a tenth of the usual time.
func TestWhyLargeObjectsAreLate(t *testing.T) {
	line := func(mbit int64) badpath.Direction {
		return badpath.Direction{Delay: 20 * time.Millisecond, Rate: mbit * 1e6}
	}
	const rate = `(\d{3} kbit/s|[12](\.\d)? Mbit/s)` // of a line of 2 Mbit/s, on a busy machine too
	const trickle = `the relay sent \d{1,2}(\.\d)? kbit/s where the path took `
	const tooSlow, still = `^the path is too slow: ` + rate + `; (\d{3} kB|\d(\.\d)? MB)`,
		`, the last byte (\d{1,3} ms|\d(\.\d)? s) ago; --timeout-factor gives it more time$`
	var wait sync.WaitGroup // they wait, so all of them run at a time
	for _, test := range []struct {
		name, id, fault string
		up, down        badpath.Direction
		embedded        bool
		want            cases.Status
		says            string
	}{
		{"slow on the way up alone", "object-10-mb", "", line(2), line(100), false, cases.Skip,
			tooSlow + ` of 10 MB of \{0, 0\} came` + still},
		{"the same, and the relay takes objects whole", "object-10-mb", "fetch-no-stream", line(2), line(100), false,
			cases.Skip, tooSlow + ` had gone to the relay` + still}, // as it does with any fault
		{"slow on the way down alone", "object-10-mb", "", line(100), line(2), false, cases.Skip,
			tooSlow + ` of 10 MB of \{0, 0\} came` + still},
		{"embedded", "object-10-mb", "", line(100), line(2), true, cases.Fail,
			`the relay sent ` + rate + ` where the path took .* Mbit/s; .* of 10 MB of \{0, 0\} came` + still},
		{"a trickle on a fast path", "object-1-mb", "trickle", line(1000), line(1000), false, cases.Fail,
			trickle + `.* [MG]bit/s; .* of 1 MB of \{0, 0\} came` + still},
		{"a trickle on a slow path", "object-1-mb", "trickle", line(4), line(4), false, cases.Fail,
			trickle + `(\d{3} kbit/s|\d(\.\d)? Mbit/s); `},
		{"an object that stops", "object-1-mb", "stall-midway", line(10), line(10), false, cases.Fail,
			`stopped at 500 kB of 1 MB of \{0, 0\}, \d(\.\d)? s ago; `},
	} {
		wait.Go(func() {
			var o reference.Options
			if test.fault != "" {
				o.Faults = []string{test.fault}
			}
			relay, err := runner.StartRelay(o, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
			if err != nil {
				t.Error(err)
				return
			}
			defer relay.Close()
			proxy, err := badpath.Listen("127.0.0.1:0", relay.Addr().String(),
				badpath.Path{Up: test.up, Down: test.down, Seed: 1})
			if err != nil {
				t.Error(err)
				return
			}
			defer proxy.Close()
			c, _ := cases.Find(test.id)
			cfg := config(t, proxy.Addr().String(), wire.Draft18, transport.OnlyQUIC)
			cfg.Embedded, cfg.TimeoutFactor = test.embedded, 0.1
			r := cases.Run(t.Context(), c, cfg)
			if r.Status != test.want || r.TooSlow != (test.want == cases.Skip) ||
				!regexp.MustCompile(test.says).MatchString(r.Received+r.Reason) {
				t.Errorf("%s: %s %s%s, want %s: %q", test.name, r.Status, r.Message, r.Reason, test.want, test.says)
			}
		})
	}
	wait.Wait()
}

// A burst loses packets on a loopback too, in a socket that is full. That is no excuse for a relay that sends answers
// behind all objects, or regards no priority.
func TestLossNearbyIsNoExcuse(t *testing.T) {
	for fault, id := range map[string]string{
		"answers-behind-objects": "answers-before-objects", "priority-update-ignored": "subscriber-priority-update",
	} {
		relay, err := runner.StartRelay(reference.Options{Faults: []string{fault}},
			endpoint.ListenOptions{Addr: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		defer relay.Close()
		c, _ := cases.Find(id)
		cfg := config(t, relay.Addr().String(), wire.Draft18, transport.OnlyQUIC)
		cfg.Embedded = false
		if r := cases.Run(t.Context(), c, cfg); r.Todo == "" {
			t.Errorf("%s with %s: %s, %s %v", id, fault, r.Status, r.Message, r.Notes)
		}
	}
}
