package matrix

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner"
)

// crashing is the built-in client of a relay that crashes in a case of each cell, the first time that it runs, and is
// back some time later; 0 is never. The other cases of that moment lose their sessions too.
type crashing struct {
	in   string
	back time.Duration

	mu      sync.Mutex
	up      chan struct{} // closed when the relay goes
	gone    time.Time     // when it went last
	crashed map[string]int
}

func (c *crashing) now() (up chan struct{}, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone.IsZero() && (c.back == 0 || time.Since(c.gone) < c.back) {
		return nil, false
	}
	return c.up, true
}

func (c *crashing) run(ctx context.Context, r Request, x cases.Case) runner.Result {
	up, there := c.now()
	if !there {
		return runner.Result{Status: runner.Fail, Layer: transport.LayerUDP, Message: "nothing listens"}
	}
	c.mu.Lock()
	if c.crashed[r.Cell.ID]++; x.ID == c.in && c.crashed[r.Cell.ID+x.ID] == 0 {
		c.crashed[r.Cell.ID+x.ID]++
		c.gone = time.Now()
		close(c.up)
		c.up = make(chan struct{})
	}
	c.mu.Unlock()
	wait := 30 * time.Millisecond
	if _, there := c.now(); !there {
		wait = time.Hour // on a busy machine both may be over at once, and the session is lost
	}
	select {
	case <-up:
		out := passed(r)
		out.Status, out.Lost, out.Layer, out.Message = runner.Fail, true, transport.LayerUDP, "the connection was lost"
		return out
	case <-time.After(wait):
		return passed(r)
	}
}

// client is Options.Builtin.
func (c *crashing) client(r Request) (runner.Client, []cases.Case, error) {
	client, list, err := fake(c.run)(r)
	return struct {
		runner.Client
		pulse
	}{client, pulse{c}}, list, err
}

// pulse looks for the relay.
type pulse struct{ c *crashing }

func (p pulse) Alive(context.Context) error {
	if _, there := p.c.now(); !there {
		return errors.New("nothing listens")
	}
	return nil
}

// A relay that crashes during a cell and is back within three seconds fails the one case that lost it: the others get
// their verdicts from the relay that came back.
func TestRelayThatComesBack(t *testing.T) {
	t.Parallel() // it mostly waits
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("case-%d", i))
	}
	for _, perRelay := range []int{1, 4} {
		c := &crashing{in: "case-5", back: 400 * time.Millisecond, up: make(chan struct{}), crashed: map[string]int{}}
		p := planOf(t, 1, []relays.Draft{"draft-18"}, names, Builtin())
		r := execute(t, p, Options{Builtin: c.client, PerRelay: perRelay, Parallel: 8, NoRetry: true}).Cells[0]
		var failed []string
		for _, x := range r.Cases {
			if x.Status != Pass {
				failed = append(failed, x.Name+" "+string(x.Status)+" "+x.Message)
			}
		}
		if r.Status != Fail || len(r.Cases) != 12 || len(failed) != 1 ||
			!strings.Contains(failed[0], "the relay answered before and was lost") {
			t.Errorf("%d at a time: %s %s, not passed: %q", perRelay, r.Status, r.Reason, failed)
		}
	}
}

// One that does not come back is looked for once, and ends the cell.
func TestRelayThatStaysAway(t *testing.T) {
	t.Parallel() // it mostly waits
	c := &crashing{in: "announce-only", up: make(chan struct{}), crashed: map[string]int{}}
	start := time.Now()
	r := execute(t, planOf(t, 1, one, nil, Builtin()), Options{Builtin: c.client, NoRetry: true}).Cells[0]
	if r.Status != Fail || r.Layer != string(transport.LayerUDP) || r.Count(Pass) != 1 || r.Count(Missing) != 1 ||
		!strings.Contains(fmt.Sprint(r.Cases), "the relay was lost in announce-only") {
		t.Errorf("%s %s %s: %v", r.Status, r.Layer, r.Reason, r.Cases)
	}
	if took := time.Since(start); took < 3*time.Second || took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

// One wait is for all cells of an endpoint, and one relay that was waited for in vain is down without another question.
func TestCellsWaitTogether(t *testing.T) {
	t.Parallel() // it mostly waits
	c := &crashing{in: "announce-only", up: make(chan struct{}), crashed: map[string]int{}}
	drafts := []relays.Draft{"draft-14", "draft-15", "draft-16", "draft-17", "draft-18", "draft-19"}
	var asked atomic.Int64
	probe := func(ctx context.Context, _ string) error {
		asked.Add(1)
		if _, there := c.now(); there {
			return nil
		}
		<-ctx.Done() // packets get lost
		return &transport.DialError{Layer: transport.LayerUDP, Reason: "silence"}
	}
	start := time.Now()
	run := execute(t, planOf(t, 1, drafts, nil, Builtin()), Options{Builtin: c.client, Probe: probe, PerRelay: 3})
	// On a busy machine a cell may begin after the relay has gone: it has had no session, and asks by itself.
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("it took %v", took)
	}
	if asked.Load() > 2 || run.Count(Pass) != 0 || run.Count(Down) == 0 {
		t.Errorf("asked %d times; %s", asked.Load(), run.Summary())
	}
}

// A relay that was started here and ended is not waited for.
func TestRelayThatEnded(t *testing.T) {
	t.Parallel()
	i := &Instance{Done: make(chan struct{}), Err: func() error { return errors.New("exit code 7") }}
	p := pulseOf{&work{instance: i}, pulse{&crashing{up: make(chan struct{})}}}
	if err := p.Alive(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	close(done)
	i.Done = done
	if err := p.Alive(t.Context()); err == nil || err.Error() != "it has ended (exit code 7)" {
		t.Error(err)
	}
}
