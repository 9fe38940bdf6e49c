package runner

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// slowClient takes its time for each case, and counts how many run at a time.
type slowClient struct {
	takes  map[string]time.Duration
	result func(id string) Result

	mu       sync.Mutex
	running  int
	most     int
	begun    []string
	released int // cases whose context ended before they did
}

func (c *slowClient) Info() ClientInfo { return ClientInfo{Name: "slow-client", Version: "v1"} }

func (c *slowClient) Run(ctx context.Context, x cases.Case, watch func(Session)) Result {
	c.mu.Lock()
	c.running++
	c.most = max(c.most, c.running)
	c.begun = append(c.begun, x.ID)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running--
	}()
	t := time.NewTimer(c.takes[x.ID])
	defer t.Stop()
	select {
	case <-t.C:
		r := c.result(x.ID)
		if s, ok := r.established(); ok {
			watch(s)
		}
		return r
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.released++
		return Result{Case: x.ID, Status: Fail, Message: "called off"}
	}
}

// names are case identifiers a, b, c and so on.
func names(n int) (ids []string) {
	for i := range n {
		ids = append(ids, string(rune('a'+i)))
	}
	return ids
}

// TestParallel: so many cases run at a time and no more, and the points stand in order though the later cases are the
// faster ones.
func TestParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := names(12)
		c := &slowClient{takes: map[string]time.Duration{},
			result: func(id string) Result { return passed(id, quicSession("client", "01")) }}
		for i, id := range ids {
			c.takes[id] = time.Duration(len(ids)-i) * time.Second
		}
		var out bytes.Buffer
		var told []string
		o := Options{Client: c, Cases: plan(ids...), Parallel: 4, Relay: "embedded", Transport: "auto", TAP: &out}
		o.Trace = func(c cases.Case, r *Result) {
			if r != nil {
				told = append(told, c.ID)
			}
		}
		start := time.Now()
		report, err := Run(t.Context(), o)
		if err != nil || report.Exit != ExitPass {
			t.Fatalf("%+v, %v", report, err)
		}
		if c.most != 4 || c.running != 0 {
			t.Errorf("%d cases ran at a time, want 4; %d still run", c.most, c.running)
		}
		if took := time.Since(start); took > 25*time.Second {
			t.Errorf("took %s", took)
		}
		var got []string
		for _, r := range report.Results {
			got = append(got, r.Case)
		}
		if !slices.Equal(got, ids) || !slices.Equal(told, ids) {
			t.Errorf("results %v, told %v, want %v", got, told, ids)
		}
		for i, id := range ids {
			if !strings.Contains(out.String(), fmt.Sprintf("\nok %d - %s\n", i+1, id)) {
				t.Errorf("no point %d for %s", i+1, id)
			}
		}
		checkDocument(t, out.String(), report)
	})
}

// TestParallelBailsOut: where the first case finds nobody, the others are called off and have no result.
func TestParallelBailsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := names(6)
		c := &slowClient{takes: map[string]time.Duration{"b": time.Minute, "c": time.Hour},
			result: func(id string) Result {
				return unreached(id, transport.LayerUDP, "nothing listens there")
			}}
		c.takes["a"] = time.Second
		var out bytes.Buffer
		start := time.Now()
		report, err := Run(t.Context(), Options{Client: c, Cases: plan(ids...), Parallel: 3, Relay: "embedded",
			Transport: "auto", TAP: &out})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Results) != 1 || report.Exit != ExitFail || !strings.HasPrefix(report.BailOut, "udp") ||
			time.Since(start) > 2*time.Second {
			t.Errorf("%+v after %s", report, time.Since(start))
		}
		if c.running != 0 || c.released != 2 {
			t.Errorf("%d cases still run, %d were called off, want 2", c.running, c.released)
		}
		if !strings.HasSuffix(out.String(), "Bail out! udp: nothing listens there\n") {
			t.Errorf("printed %q", out.String())
		}
		validate(t, report)
	})
}

// TestParallelReached: where another case has had a session before the first one found nobody, the relay can be
// reached, and nothing bails out.
func TestParallelReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &slowClient{takes: map[string]time.Duration{"a": 2 * time.Second, "b": time.Second},
			result: func(id string) Result {
				if id == "a" {
					return unreached(id, transport.LayerUDP, "nothing listens there")
				}
				return passed(id, quicSession("client", "01"))
			}}
		var out bytes.Buffer
		report, err := Run(t.Context(), Options{Client: c, Cases: plan(names(3)...), Parallel: 2, Relay: "embedded",
			Transport: "auto", TAP: &out})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Results) != 3 || report.Exit != ExitFail || report.BailOut != "" {
			t.Errorf("%+v", report)
		}
		if !strings.Contains(out.String(), "# Draft: unknown\n") || report.Draft != "draft-16" {
			t.Errorf("the report has %s, printed %q", report.Draft, out.String())
		}
		validate(t, report)
	})
}

// TestParallelInterrupted: what was finished before the first case that was not is reported.
func TestParallelInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		ids := names(5)
		c := &slowClient{takes: map[string]time.Duration{"a": time.Second, "b": time.Second, "c": time.Hour,
			"d": time.Second, "e": time.Second},
			result: func(id string) Result { return passed(id, quicSession("client", "01")) }}
		time.AfterFunc(10*time.Second, func() { cancel(ErrInterrupted) })
		var out bytes.Buffer
		report, err := Run(ctx, Options{Client: c, Cases: plan(ids...), Parallel: 2, Relay: "embedded",
			Transport: "auto", TAP: &out})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Results) != 2 || report.BailOut != "interrupted" || report.Exit != ExitFail || c.running != 0 {
			t.Errorf("%+v, %d run", report, c.running)
		}
		validate(t, report)
	})
}

// TestSilentRelayIsHurried: a run whose cases cost their whole limits ends soon, with every case judged and the points
// in order. One whose cases take as long and pass stays with one case at a time, but for the standard set.
func TestSilentRelayIsHurried(t *testing.T) {
	for _, test := range []struct {
		status Status
		suite  string
		most   int
		within time.Duration
	}{
		{Fail, cases.SuiteAll, hurried, 50 * time.Second}, {Pass, cases.SuiteAll, 1, 150 * time.Second},
		{Pass, cases.SuiteStandard, hurried, 70 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ids := names(21)
			c := &slowClient{takes: map[string]time.Duration{}, result: func(id string) Result {
				r := passed(id, quicSession("client", "01"))
				r.Status, r.Layer, r.Duration = test.status, transport.LayerRequest, 7*time.Second
				return r
			}}
			for _, id := range ids {
				c.takes[id] = 7 * time.Second
			}
			list := plan(ids...)
			for i := range list {
				list[i].Suite = test.suite
			}
			var out bytes.Buffer
			start := time.Now()
			report, err := Run(t.Context(), Options{Client: c, Cases: list, Relay: "x", TAP: &out})
			if err != nil || len(report.Results) != len(ids) || report.BailOut != "" {
				t.Fatalf("%+v, %v", report, err)
			}
			if took := time.Since(start); c.most != test.most || took > test.within {
				t.Errorf("%s: %d at a time in %s, want %d within %s", test.status, c.most, took, test.most, test.within)
			}
			checkDocument(t, out.String(), report)
		})
	}
}
