package matrix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/runner"
)

// probeWait is how long a relay may take to answer at all before it counts as down.
const probeWait = 3 * time.Second

// errDown says that nobody answers at a relay's URL.
type errDown struct{ err error }

func (e errDown) Error() string { return "the relay is down: " + e.err.Error() }
func (e errDown) Unwrap() error { return e.err }

// answers asks a relay that is reached by its URL once whether it answers, before anything is run against it. One that
// cells have waited for in vain is not asked again. The caller holds h.mu.
func (h *host) answers(ctx context.Context) error {
	if h.look == nil {
		h.look = runner.NewLookout()
	}
	if h.asked || h.o.Probe == nil {
		return h.down
	}
	if err := h.look.Gone(); err != nil {
		h.asked = true
		h.isDown(err)
		return h.down
	}
	limited, cancel := context.WithTimeoutCause(ctx, probeWait, fmt.Errorf("no answer within %v", probeWait))
	defer cancel()
	err := h.o.Probe(limited, h.e.URL)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	h.asked, h.down = true, nil
	if silent(err) {
		h.isDown(err)
	} else {
		h.look = runner.NewLookout()
	}
	return h.down
}

// isDown notes that the relay is down. The caller holds h.mu.
func (h *host) isDown(err error) {
	h.down = errDown{err}
	h.x.note(fmt.Sprintf("%s: %s is down, and nothing is run against it: %v", h.e.Relay, h.e.URL, err))
}

// silent reports whether a handshake failed because nobody was there. A relay that refuses it, for
// whatever reason, is up.
func silent(err error) bool {
	var dial *transport.DialError
	if errors.As(err, &dial) {
		return slices.Contains([]transport.Layer{transport.LayerDNS, transport.LayerUDP}, dial.Layer)
	}
	return err != nil
}

// suspect has the relay asked again: a cell lost it, unless somebody has asked since that cell began.
func (h *host) suspect(look *runner.Lookout) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.look == look && h.down == nil {
		h.asked = false
	}
}

// lost reports whether an attempt could not reach the relay, or no longer.
func (o *outcome) lost() bool {
	return o.layer == string(transport.LayerUDP) || slices.ContainsFunc(o.cases, func(c CaseResult) bool {
		return c.Status == Fail && c.Layer == string(transport.LayerUDP)
	})
}

// RelayDied begins the reason of a cell in which a relay that was started ended.
const RelayDied = "the relay died"

// deathWait is how long a relay whose clients lost it may take to end: its sockets go before it does.
const deathWait = 200 * time.Millisecond

// deceased notes in which case the relay that was started here died, if it did.
func (o *outcome) deceased(i *Instance) {
	if i == nil || i.Done == nil {
		return
	}
	if o.lost() || o.problem != "" {
		select {
		case <-i.Done:
		case <-time.After(deathWait):
		}
	}
	if !i.ended() {
		return
	}
	o.died = RelayDied + o.deathbed() + because(i)
}

// deathbed says in which case: the one that the client blames, else the first that has no good end.
func (o *outcome) deathbed() string {
	if _, name, ok := strings.Cut(o.bail, "the relay was lost in "); ok {
		return " in " + name
	}
	for _, c := range o.cases {
		if strings.Contains(c.Message, "the relay answered before and was lost") {
			return " in " + c.Name
		}
	}
	for _, c := range o.cases {
		if c.Status == Fail || c.Status == Missing {
			return " in " + c.Name
		}
	}
	if n := len(o.cases); n > 0 {
		return " after " + o.cases[n-1].Name
	}
	return ""
}
