package runner

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
)

// sharing is a client with a Pulse of all clients.
type sharing struct {
	Client
	Pulse
}

// looks counts how many look at a time.
type looks struct {
	Pulse
	now, most atomic.Int64
}

func (l *looks) Alive(ctx context.Context) error {
	l.most.Store(max(l.most.Load(), l.now.Add(1)))
	defer l.now.Add(-1)
	return l.Pulse.Alive(ctx)
}

// Runs against one relay wait for it together: when the first has waited in vain, the others end, those too that lost
// their session later.
func TestRunsWaitTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		look, l := NewLookout(), &looks{}
		var runs sync.WaitGroup
		for i := range 4 {
			c := &crashing{down: start.Add(450 * time.Millisecond)}
			if i == 0 {
				l.Pulse = c
			}
			client := &behind{crashing: c, lag: time.Duration(i) * 700 * time.Millisecond}
			runs.Go(func() {
				report, err := Run(t.Context(), Options{Client: sharing{client, l}, Lookout: look,
					Cases: plan("a", "b", "c"), TAP: &bytes.Buffer{}})
				if err != nil || !strings.HasPrefix(report.BailOut, "udp: the relay was lost in ") {
					t.Errorf("run %d: bail out %q, %v", i, report.BailOut, err)
				}
			})
		}
		runs.Wait()
		if took := time.Since(start); took > 4*time.Second || l.most.Load() != 1 {
			t.Errorf("it took %v, %d looked at a time", took, l.most.Load())
		}
		if look.Gone() == nil {
			t.Error("the relay is not gone")
		}
	})
}

// behind is a client that notices the loss of a connection late.
type behind struct {
	*crashing
	lag time.Duration
}

func (b *behind) Run(ctx context.Context, x cases.Case, watch func(Session)) Result {
	r := b.crashing.Run(ctx, x, watch)
	if r.Status == Fail {
		time.Sleep(b.lag)
	}
	return r
}

// A relay that is known to be gone is not waited for; one that came back was not gone.
func TestLookout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crashing{down: time.Now(), up: time.Now().Add(2 * time.Second)}
		look := NewLookout()
		if silent, back := waitBack(t.Context(), look, c, false); !silent || !back || look.Gone() != nil {
			t.Errorf("silent %t, back %t, gone: %v", silent, back, look.Gone())
		}
		why := errors.New("it ended")
		start := time.Now()
		for _, p := range []Pulse{ended{why}, c} {
			if silent, back := waitBack(t.Context(), look, p, false); !silent || back || time.Since(start) > 0 {
				t.Errorf("silent %t, back %t after %v", silent, back, time.Since(start))
			}
		}
		if !errors.Is(look.Gone(), why) || look.Gone().Error() != "it ended" {
			t.Error(look.Gone())
		}
	})
}

// A run that is interrupted says nothing about the relay.
func TestInterruptedLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		look := NewLookout()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		waitBack(ctx, look, mute{}, false)
		if err := look.Gone(); err != nil {
			t.Error(err)
		}
	})
}

// ended is the Pulse of a relay that will not come back.
type ended struct{ why error }

func (e ended) Alive(context.Context) error { return GoneForGood(e.why) }

// mute never answers.
type mute struct{}

func (mute) Alive(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}
