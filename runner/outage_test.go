package runner

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// crashing is a client of a relay that crashes during the run and is back some time later, or never. A case takes
// 300 ms, and ends with the connection when the relay goes.
type crashing struct {
	down, up time.Time     // up is zero for never
	leaving  time.Duration // how long before it goes it refuses connections

	mu  sync.Mutex
	ran []string
}

func (c *crashing) Info() ClientInfo { return ClientInfo{Name: "crashing", Version: "1"} }

func (c *crashing) gone(at time.Time) bool {
	return !at.Before(c.down) && (c.up.IsZero() || at.Before(c.up))
}

func (c *crashing) refuses(at time.Time) bool {
	return at.Before(c.down) && !at.Before(c.down.Add(-c.leaving))
}

func (c *crashing) Alive(context.Context) error {
	switch {
	case c.gone(time.Now()):
		return errors.New("nobody listens")
	case c.refuses(time.Now()):
		return &transport.DialError{Layer: transport.LayerTLS, Reason: "refuses connections"}
	}
	return nil
}

func (c *crashing) Run(ctx context.Context, x cases.Case, watch func(Session)) Result {
	c.mu.Lock()
	c.ran = append(c.ran, x.ID)
	c.mu.Unlock()
	if c.gone(time.Now()) {
		return unreached(x.ID, transport.LayerUDP, "nothing listens")
	}
	if c.refuses(time.Now()) {
		return unreached(x.ID, transport.LayerTLS, "refuses connections")
	}
	s := quicSession("client", "01")
	watch(s)
	begun := time.Now()
	select {
	case <-time.After(300 * time.Millisecond):
	case <-ctx.Done():
	}
	if begun.Before(c.down) && !time.Now().Before(c.down) {
		return Result{Case: x.ID, Status: Fail, Layer: transport.LayerUDP, Sessions: []Session{s},
			Message: "the loss of the connection"}
	}
	return passed(x.ID, s)
}

func crash(t *testing.T, jobs int, down, forTime time.Duration) (*Report, *crashing, string) {
	return crashBehind(t, jobs, down, forTime, 0)
}

// crashBehind is crash for a relay that refuses connections for a while before it goes.
func crashBehind(t *testing.T, jobs int, down, forTime, leaving time.Duration) (*Report, *crashing, string) {
	c := &crashing{down: time.Now().Add(down), leaving: leaving}
	if forTime > 0 {
		c.up = c.down.Add(forTime)
	}
	var ids []string
	for _, r := range "abcdefghijklmnopqrstuvwxyzABCDEF" {
		ids = append(ids, string(r))
	}
	var out bytes.Buffer
	report, err := Run(t.Context(), Options{Client: c, Cases: plan(ids...), Parallel: jobs, Relay: "x", TAP: &out})
	if err != nil {
		t.Fatal(err)
	}
	return report, c, out.String()
}

// TestRelayThatComesBack: a crash of a relay that is back within three seconds fails the one case that lost it, however
// many ran at that moment, and every other gets its verdict.
func TestRelayThatComesBack(t *testing.T) {
	for _, jobs := range []int{1, 8} {
		// Within a case, and between two.
		for _, down := range []time.Duration{450 * time.Millisecond, 600 * time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				report, c, _ := crash(t, jobs, down, 2*time.Second)
				var broken []string
				for _, r := range report.Results {
					if r.Status != Pass {
						broken = append(broken, r.Case)
					}
				}
				if len(report.Results) != 32 || len(broken) != 1 || report.BailOut != "" {
					t.Errorf("%d at a time: %d results, not ok: %v, bail out %q; ran %v", jobs, len(report.Results),
						broken, report.BailOut, c.ran)
				}
			})
		}
	}
}

// TestRelayThatLeaves: a relay that refuses connections while it leaves fails one case, though the sessions that it has
// go on for a moment.
func TestRelayThatLeaves(t *testing.T) {
	for _, jobs := range []int{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			report, c, _ := crashBehind(t, jobs, 700*time.Millisecond, time.Second, 200*time.Millisecond)
			var broken []string
			for _, r := range report.Results {
				if r.Status != Pass {
					broken = append(broken, r.Case+" "+r.Message)
				}
			}
			if len(report.Results) != 32 || len(broken) != 1 || report.BailOut != "" ||
				!strings.Contains(broken[0], "was lost: refuses connections") {
				t.Errorf("%d at a time: not ok: %q, bail out %q; ran %v", jobs, broken, report.BailOut, c.ran)
			}
		})
	}
}

// TestCrashInTheFirstCases: a crash that ends the run's first sessions fails one case, too.
func TestCrashInTheFirstCases(t *testing.T) {
	for _, jobs := range []int{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			report, c, _ := crash(t, jobs, 100*time.Millisecond, 500*time.Millisecond)
			var broken []string
			for _, r := range report.Results {
				if r.Status != Pass {
					broken = append(broken, r.Case)
				}
			}
			if len(broken) != 1 || report.BailOut != "" {
				t.Errorf("%d at a time: not ok: %v, bail out %q; ran %v", jobs, broken, report.BailOut, c.ran)
			}
		})
	}
}

// leaving is a client of a relay that ends all sessions at a time, or each of them after a while, and answers all the
// time.
type leaving struct {
	crashing
	each bool
}

func (l *leaving) Alive(context.Context) error { return nil }

func (l *leaving) Run(ctx context.Context, x cases.Case, watch func(Session)) Result {
	l.mu.Lock()
	l.ran = append(l.ran, x.ID)
	l.mu.Unlock()
	s := quicSession("client", "01")
	watch(s)
	wait, lost := 300*time.Millisecond, l.each
	if until := time.Until(l.down); until > 0 && until <= wait {
		wait, lost = until, true
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
	if lost {
		return Result{Case: x.ID, Status: Fail, Layer: transport.LayerRequest, Lost: true, Sessions: []Session{s},
			Message: "connection closed by the peer"}
	}
	return passed(x.ID, s)
}

// TestRelayThatEndsAllSessions: a relay that is restarted faster than anybody can see fails one case; one that ends
// every session fails every case, and none runs more than twice.
func TestRelayThatEndsAllSessions(t *testing.T) {
	for _, each := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := &leaving{each: each}
			l.down = time.Now().Add(450 * time.Millisecond)
			list := plan(strings.Split("abcdefghijklmnopqrst", "")...)
			report, err := Run(t.Context(), Options{Client: l, Cases: list, Parallel: 8, Relay: "x",
				TAP: new(bytes.Buffer)})
			if err != nil {
				t.Fatal(err)
			}
			broken, want := 0, 1
			for _, r := range report.Results {
				if r.Status != Pass {
					broken++
				}
			}
			if each {
				want = 20
			}
			if broken != want || report.BailOut != "" || len(l.ran) > 40 {
				t.Errorf("each %t: %d are not ok, want %d; ran %v, bail out %q", each, broken, want, l.ran,
					report.BailOut)
			}
		})
	}
}

// deaf is a client whose case "b" waits for SETUP until long after the relay that case "a" lost is back.
type deaf struct {
	mu     sync.Mutex
	ran    map[string]int
	looked int
}

func (d *deaf) Info() ClientInfo { return ClientInfo{Name: "deaf", Version: "1"} }

func (d *deaf) Alive(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.looked++; d.looked < 3 {
		return errors.New("nobody listens")
	}
	return nil
}

func (d *deaf) Run(_ context.Context, x cases.Case, watch func(Session)) Result {
	d.mu.Lock()
	d.ran[x.ID]++
	n := d.ran[x.ID]
	d.mu.Unlock()
	s := quicSession("client", "01")
	switch {
	case x.ID == "a":
		watch(s)
		time.Sleep(time.Second)
		return Result{Status: Fail, Layer: transport.LayerRequest, Lost: true, Sessions: []Session{s}, Message: "lost"}
	case n == 1:
		time.Sleep(5 * time.Second)
		return Result{Status: Fail, Layer: transport.LayerSetup, Message: "expected SETUP, received nothing"}
	}
	watch(s)
	return passed(x.ID, s)
}

// full is a client whose cases "b" and "c" are refused, and whose checks then fail as checks says.
type full struct {
	checks []bool // whether each is refused; the others are not answered
	all    bool   // the last is how all further ones end; else they succeed
	looked int
	ran    []string
}

func (f *full) Info() ClientInfo { return ClientInfo{Name: "full", Version: "1"} }

func (f *full) Alive(context.Context) error {
	i := f.looked
	f.looked++
	if f.all {
		i = min(i, len(f.checks)-1)
	}
	switch {
	case i >= len(f.checks):
		return nil
	case f.checks[i]:
		return &transport.DialError{Layer: transport.LayerTLS, Reason: "refuses connections (CONNECTION_REFUSED)"}
	}
	return &transport.DialError{Layer: transport.LayerUDP, Reason: "nothing listens"}
}

func (f *full) Run(_ context.Context, x cases.Case, watch func(Session)) Result {
	f.ran = append(f.ran, x.ID)
	if x.ID == "b" || x.ID == "c" {
		return unreached(x.ID, transport.LayerTLS, "refuses connections")
	}
	s := quicSession("client", "01")
	watch(s)
	return passed(x.ID, s)
}

// TestRelayThatIsFull: a relay that refuses connections is there. It is lost only if it does not answer at all, be it
// after it refused.
func TestRelayThatIsFull(t *testing.T) {
	const lost = "the relay answered before and was lost: "
	tests := []struct {
		name   string
		checks []bool
		all    bool
		want   string // the message of case b, and how the run bails out
		ran    int
		took   time.Duration // at most
	}{
		{"once", []bool{true}, false, "refuses connections|", 4, 600 * time.Millisecond},
		{"always", []bool{true}, true, "refuses connections|", 4, 4 * time.Second},
		{"leaves", []bool{true, false}, false, lost + "refuses connections|", 4, time.Second},
		{"leaves for good", []bool{true, false}, true,
			lost + "refuses connections|udp: the relay was lost in b", 2, 4 * time.Second},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			start, f := time.Now(), &full{checks: test.checks, all: test.all}
			report, err := Run(t.Context(), Options{Client: f, Cases: plan("a", "b", "c", "d"), TAP: &bytes.Buffer{}})
			if err != nil {
				t.Fatal(err)
			}
			if got := report.Results[1].Message + "|" + report.BailOut; got != test.want || len(f.ran) != test.ran {
				t.Errorf("%s: %q, want %q; ran %v", test.name, got, test.want, f.ran)
			}
			if took := time.Since(start); took > test.took {
				t.Errorf("%s: it took %v", test.name, took)
			}
		})
	}
}

// late is a client of a relay that goes in case "b" and stays away. Cases "b" and "c" lose their sessions, and it is
// "c" that says so first.
type late struct{}

func (l *late) Info() ClientInfo { return ClientInfo{Name: "late", Version: "1"} }

func (l *late) Alive(context.Context) error { return errors.New("nobody listens") }

func (l *late) Run(_ context.Context, x cases.Case, watch func(Session)) Result {
	s := quicSession("client", "01")
	watch(s)
	if x.ID == "a" {
		return passed(x.ID, s)
	}
	time.Sleep(map[string]time.Duration{"b": 200 * time.Millisecond, "c": 100 * time.Millisecond}[x.ID])
	return Result{Case: x.ID, Status: Fail, Layer: transport.LayerUDP, Lost: true, Sessions: []Session{s},
		Message: "the loss of the connection"}
}

// TestFirstOfTheLost: when a relay goes for good, the first case in order that lost it says so and ends the run, even
// if another one noticed before it.
func TestFirstOfTheLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report, err := Run(t.Context(), Options{Client: &late{}, Cases: plan("a", "b", "c"), Parallel: 3,
			FirstAlone: true, TAP: &bytes.Buffer{}})
		if err != nil || len(report.Results) != 2 || report.BailOut != "udp: the relay was lost in b" ||
			!strings.HasPrefix(report.Results[1].Message, "the relay answered before and was lost: ") {
			t.Errorf("%+v, bail out %q, %v", report.Results, report.BailOut, err)
		}
	})
}

// TestCaseThatMetACrash: a case that failed in any layer while the relay was gone runs again.
func TestCaseThatMetACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deaf{ran: make(map[string]int)}
		report, err := Run(t.Context(), Options{Client: d, Cases: plan("a", "b"), Parallel: 2, TAP: &bytes.Buffer{}})
		if err != nil || report.Count(Fail) != 1 || report.Results[1].Status != Pass || d.ran["b"] != 2 {
			t.Errorf("%+v, ran %v, %v", report.Results, d.ran, err)
		}
	})
}

// TestRelayThatStaysAway: the run ends with the case that lost the relay, and nothing further runs.
func TestRelayThatStaysAway(t *testing.T) {
	for _, jobs := range []int{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			report, c, out := crash(t, jobs, 450*time.Millisecond, 0)
			last := report.Results[len(report.Results)-1]
			if report.BailOut != "udp: the relay was lost in "+last.Case || last.Status != Fail ||
				!strings.HasPrefix(last.Message, "the relay answered before and was lost: ") ||
				report.Exit != ExitFail || !strings.HasSuffix(out, "Bail out! "+report.BailOut+"\n") {
				t.Errorf("%d at a time: bail out %q behind %s %s: %s", jobs, report.BailOut, last.Case, last.Status,
					out)
			}
			if slices.Contains(c.ran, "F") || time.Since(start) > 5*time.Second {
				t.Errorf("%d at a time: ran %v in %v", jobs, c.ran, time.Since(start))
			}
		})
	}
}

// TestMuteRelay: after three cases without a session the run ends.
func TestMuteRelay(t *testing.T) {
	results := make(map[string]Result)
	for _, id := range []string{"a", "b", "c", "d"} {
		results[id] = unreached(id, transport.LayerSetup, "expected SETUP, received nothing for 2000 ms")
	}
	client := &fakeClient{results: results}
	var out bytes.Buffer
	report, err := Run(t.Context(), Options{Client: client, Cases: plan("a", "b", "c", "d"), Relay: "x", TAP: &out})
	if err != nil || report.Exit != ExitFail || len(client.ran) != 3 ||
		!strings.HasPrefix(report.BailOut, "setup: 3 cases, and no session: expected SETUP") {
		t.Errorf("ran %v, bail out %q, %v", client.ran, report.BailOut, err)
	}
}

// TestPulseHasNoLog: whether the relay answers is no part of a case, and has no qlog file.
func TestPulseHasNoLog(t *testing.T) {
	relay, err := StartRelay(reference.Options{}, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	dir := t.TempDir()
	client := Builtin(ClientInfo{}, cases.Config{Dial: Dialer(relay.Connect(endpoint.DialOptions{QLOGDir: dir}))})
	if err := client.(Pulse).Alive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("%v %v", files, err)
	}
}
