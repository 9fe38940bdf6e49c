package main

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/badpath"
	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// standardTime is what the standard set may take against any relay.
const standardTime = 100 * time.Second

// TestAnyRelayEnds runs the standard set against relays that are silent, drop objects or die, each with and without
// round trips of 300 ms. All of them run beside each other, since they wait. MOQ_ENDS=1 asks for it.
func TestAnyRelayEnds(t *testing.T) {
	if os.Getenv("MOQ_ENDS") != "1" {
		t.Skip("MOQ_ENDS is not 1")
	}
	faulty := func(names ...string) func(*testing.T) string {
		return func(t *testing.T) string {
			relay, err := runner.StartRelay(reference.Options{Faults: names},
				endpoint.ListenOptions{Addr: "127.0.0.1:0"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { relay.Close() })
			return relay.Addr().String()
		}
	}
	for _, test := range []struct {
		name string
		// relay starts the relay, and gives its address.
		relay func(t *testing.T) string
		// says is in what the run prints.
		says string
	}{
		{"silent at SETUP", faulty("setup-silence"), `Bail out! setup: `},
		{"silent to requests", silentToRequests, `not ok \d+ - announce-only`},
		{"drops objects", faulty("drop-everything"), `not ok \d+ - data-subgroup-basic`},
		{"drops objects in silence", faulty("drop-everything", "done-never"), `not ok \d+ - data-subgroup-basic`},
		{"sends a trickle", faulty("trickle"), `\n1\.\.21\n`},
		{"stalls", faulty("stall-midway"), `not ok \d+ - data-subgroup-basic`},
		{"dies after SETUP", faulty("die-after-setup"), `not ok 1 - `},
		{"dies at requests", faulty("die-on-request"), `not ok \d+ - announce-only`},
		{"dies midway", faulty("die-midway"), `not ok \d+ - data-subgroup-basic`},
		{"is killed", killedAfter(time.Second, false), `Bail out! udp: the relay was lost in `},
		{"is killed again and again", killedAfter(2*time.Second, true), `not ok `},
	} {
		for _, far := range []bool{false, true} {
			name := test.name
			if far {
				name += ", far away"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				addr := test.relay(t)
				if far {
					proxy, err := badpath.Listen("127.0.0.1:0", addr,
						badpath.Symmetric(badpath.Direction{Delay: 150 * time.Millisecond}, 1))
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { proxy.Close() })
					addr = proxy.Addr().String()
				}
				began := time.Now()
				out, err := exec.Command(program, "-r", "moqt://"+addr, "--tls-disable-verify").CombinedOutput()
				took := time.Since(began)
				t.Logf("%s; %s", took.Round(100*time.Millisecond), lastLine(string(out)))
				if took > standardTime || err != nil && err.Error() != "exit status 1" ||
					!regexp.MustCompile(test.says).Match(out) {
					t.Errorf("%s after %s, and want %q\n%s", err, took, test.says, out)
				}
			})
		}
	}
}

// lastLine is the last line of a text.
func lastLine(text string) string {
	text = strings.TrimRight(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// silentToRequests is a relay that sets sessions up and answers nothing.
func silentToRequests(t *testing.T) string {
	ln, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			served.Go(func() {
				s, err := moqt.Server(ctx, conn, moqt.Config{Handler: func(r *moqt.Request) { <-r.Context().Done() }})
				if err == nil {
					<-s.Context().Done()
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		ln.Close()
		served.Wait()
	})
	return ln.Addr().String()
}

// killedAfter is a relay of its own process that is killed after a while; again says that it is started half a second
// later, and so on.
func killedAfter(life time.Duration, again bool) func(*testing.T) string {
	return func(t *testing.T) string {
		free, err := freeport.Loopback()
		if err != nil {
			t.Fatal(err)
		}
		addr := free.String()
		kill := startRelay(t, addr)
		over := make(chan struct{})
		var deaths sync.WaitGroup
		deaths.Go(func() {
			for {
				select {
				case <-time.After(life):
				case <-over:
					return
				}
				kill(os.Kill)
				if !again {
					return
				}
				time.Sleep(500 * time.Millisecond)
				kill = startRelay(t, addr)
			}
		})
		t.Cleanup(func() {
			close(over)
			deaths.Wait()
		})
		return addr
	}
}
