package badpath_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"slices"
	"strings"
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

// paths are those on which every case has the verdict that it has on a clean path. What a line of little bandwidth
// cannot carry in time may be skipped as too slow, and nothing else.
var paths = []struct {
	name string
	d    badpath.Direction
	slow []string
}{
	{"round trips of 600 ms", badpath.Direction{Delay: 300 * time.Millisecond}, nil},
	{"loss 3 %", badpath.Direction{Delay: 10 * time.Millisecond, Loss: 0.03}, nil},
	{"reordering 25 %", badpath.Direction{Delay: 10 * time.Millisecond, Reorder: 0.25}, nil},
	{"loss 10 %", badpath.Direction{Delay: 10 * time.Millisecond, Loss: 0.1}, nil},
	{"duplication 5 %", badpath.Direction{Delay: 10 * time.Millisecond, Duplicate: 0.05}, nil},
	{"packets of 1252 bytes", badpath.Direction{MaxPacket: 1252}, nil},
	{"packets of 1200 bytes", badpath.Direction{MaxPacket: 1200}, nil},
	{"10 Mbit/s", badpath.Direction{Delay: 20 * time.Millisecond, Rate: 10e6}, []string{"object-10-mb"}},
	{"4 Mbit/s", badpath.Direction{Delay: 20 * time.Millisecond, Rate: 4e6}, []string{"object-10-mb"}},
	{"1 Mbit/s", badpath.Direction{Delay: 20 * time.Millisecond, Rate: 1e6}, slowAt1Mbit},
}

// busyRate is from where a path keeps the processor busy, in bit/s.
const busyRate = 2e6

// slowAt1Mbit are the cases that move more than a line of 1 Mbit/s carries in time.
var slowAt1Mbit = []string{"object-10-mb", "priorities", "group-order", "delivery-timeout", "subgroup-delivery-timeout",
	"slow-beside-fast"}

// TestSuiteThroughBadPaths runs every case over real UDP through each path. MOQ_PATHS=once takes drafts 14, 18 and 22
// and the transports in turn, without the case of 10 MB; MOQ_PATHS=some does so with the standard set, MOQ_PATHS=all
// takes all of them on each path. MOQ_PATH names one path, MOQ_CASES cases.
func TestSuiteThroughBadPaths(t *testing.T) {
	mode := os.Getenv("MOQ_PATHS")
	if !slices.Contains([]string{"some", "once", "all"}, mode) {
		t.Skip("MOQ_PATHS is neither some nor once nor all")
	}
	only := strings.Split(os.Getenv("MOQ_CASES"), ",")
	list := slices.DeleteFunc(cases.All(), func(c cases.Case) bool {
		return mode != "all" && c.ID == "object-10-mb" || mode == "some" && c.Suite != cases.SuiteStandard ||
			only[0] != "" && !slices.Contains(only, c.ID)
	})
	drafts := []wire.Draft{wire.Draft14, wire.Draft18, wire.Draft22}
	transports := []transport.Choice{transport.OnlyQUIC, transport.OnlyWebTransport}
	for i, p := range paths {
		if only := os.Getenv("MOQ_PATH"); only != "" && only != p.name {
			continue
		}
		for j, d := range drafts {
			for k, choice := range transports {
				if mode != "all" && (j != i%len(drafts) || k != i%len(transports)) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", p.name, d, choice), func(t *testing.T) {
					if mode != "all" && p.d.Rate < busyRate {
						t.Parallel() // such a path is waited for most of the time
					}
					began := time.Now()
					through(t, p.d, p.slow, d, choice, list)
					t.Logf("%s", time.Since(began).Round(time.Second))
				})
			}
		}
	}
}

// through runs the cases on a clean path and on a bad one, and wants the same verdicts.
func through(t *testing.T, dir badpath.Direction, slow []string, d wire.Draft, choice transport.Choice,
	list []cases.Case) {
	list = slices.DeleteFunc(slices.Clone(list), func(c cases.Case) bool { return !c.Applies(d) })
	relay, err := runner.StartRelay(reference.Options{}, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	clean := run(t, slices.Repeat([]string{relay.Addr().String()}, jobs), list, d, choice)
	proxies := 1
	if dir.Rate > 0 {
		proxies = jobs // each case has a line of its own
	}
	var addrs []string
	for i := range proxies {
		proxy, err := badpath.Listen("127.0.0.1:0", relay.Addr().String(), badpath.Symmetric(dir, uint64(i+1)))
		if err != nil {
			t.Fatal(err)
		}
		defer proxy.Close()
		defer func() { t.Logf("%s", proxy.Stats()) }()
		addrs = append(addrs, proxy.Addr().String())
	}
	bad := run(t, slices.Repeat(addrs, jobs/proxies), list, d, choice)
	for i, c := range list {
		r := bad[i]
		if r.Status == clean[i].Status && r.Todo == clean[i].Todo ||
			r.Status == cases.Skip && r.TooSlow && slices.Contains(slow, c.ID) {
			continue
		}
		t.Errorf("%s: %s instead of %s after %d ms: %s%s\nnotes %q\n%s", c.ID, r.Status, clean[i].Status,
			r.Duration.Milliseconds(), r.Message, r.Reason, r.Notes, strings.Join(r.Transcript, "\n"))
	}
}

// jobs is how many cases run at a time.
const jobs = 8

// run gives the verdicts on the cases. At each of the addresses one case runs at a time.
func run(t *testing.T, addrs []string, list []cases.Case, d wire.Draft, choice transport.Choice) []cases.Result {
	t.Helper()
	results := make([]cases.Result, len(list))
	next := make(chan int)
	var wait sync.WaitGroup
	for _, addr := range addrs {
		cfg := config(t, addr, d, choice)
		wait.Go(func() {
			for i := range next {
				results[i] = cases.Run(context.Background(), list[i], cfg)
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	wait.Wait()
	return results
}

// config is for cases at an address.
func config(t *testing.T, addr string, d wire.Draft, choice transport.Choice) cases.Config {
	t.Helper()
	scheme := "moqt"
	if choice == transport.OnlyWebTransport {
		scheme = "https"
	}
	u, err := transport.ParseURL(scheme + "://" + addr)
	if err != nil {
		t.Error(err)
	}
	return cases.Config{URL: u, Drafts: []wire.Draft{d}, Dial: runner.Dialer(endpoint.DialOptions{URL: u,
		Transport: choice, TLS: &tls.Config{InsecureSkipVerify: true}})}
}
