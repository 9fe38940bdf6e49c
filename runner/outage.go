package runner

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Pulse is a Client that can check whether the relay answers. Without it a run does not wait for a relay that is gone.
type Pulse interface {
	// Alive makes a connection and closes it; nil means that the relay answered. A relay that refuses the connection
	// is there, too: the error is then a *transport.DialError that says so.
	Alive(ctx context.Context) error
}

const (
	// outageWait is how long a run waits for a relay that answered before and is gone.
	outageWait = 3 * time.Second
	// outageSettle is how long after a relay has answered it is checked again: one that is stopped ends its sessions a
	// moment before it gives up its port.
	outageSettle = 200 * time.Millisecond
	// outagePause is the time between two checks.
	outagePause = 50 * time.Millisecond
)

// outages are the times when the relay was gone. A relay that crashes ends the sessions of all cases that run at that
// moment, and nobody can reach it until it is back. The first case that meets this has lost the relay, and says so; the
// others run again when it is back. Safe for concurrent use.
type outages struct {
	mu    sync.Mutex
	count int           // of those that have begun
	over  chan struct{} // closed when the last one is over; nil before the first
	gone  bool          // it is not: the relay did not come back
	id    string        // the case that met the last one first; if the relay stays away, the first in order that met it
	at    int           // its place in the run
	real  bool          // in the last one the relay did not answer
	full  bool          // in the last one it refused all connections
	more  int           // cases that lost a session while the relay was checked
}

// begin waits while the relay is gone, and returns the turn in which the case then runs. It reports false when the
// relay does not come back.
func (o *outages) begin(ctx context.Context) (turn int, ok bool) {
	for {
		o.mu.Lock()
		turn, over, gone := o.count, o.over, o.gone
		o.mu.Unlock()
		if gone || ctx.Err() != nil {
			return 0, false
		}
		if over == nil {
			return turn, true
		}
		select {
		case <-over:
			o.mu.Lock()
			same, gone := o.count == turn, o.gone
			o.mu.Unlock()
			if same {
				return turn, !gone
			}
		case <-ctx.Done():
			return 0, false
		}
	}
}

// end is called for a case that failed in its turn. If the relay was gone since the turn began, end waits until the
// relay is back and reports again: the failure says nothing, and the case must run again. Otherwise, if this case may
// have lost the relay, end checks the relay and waits for it; the verdict of this case stands. waited is how long the
// relay took to answer: 0 if it answered at once, or does not come back.
//
// A relay that ends the sessions of several cases at once may have been stopped and started so fast that it always
// answered. Then these run again, too, but not those that did so before, as second says.
func (o *outages) end(ctx context.Context, turn, at int, r *Result, look *Lookout, pulse Pulse, second bool) (
	again bool, waited time.Duration) {
	// One that leaves may refuse connections before it ends its sessions.
	suspect := r.Lost || r.Status == Fail && slices.Contains(unreachable, r.Layer)
	o.mu.Lock()
	if o.count != turn {
		over := o.over
		if r.Lost {
			o.more++
		}
		o.mu.Unlock()
		back := o.wait(ctx, over)
		o.mu.Lock()
		if o.count != turn {
			if o.gone && suspect && at < o.at {
				o.id, o.at = r.Case, at // its result comes first, and the run ends there
			}
			tells := !o.real && (!r.Lost || second)
			o.mu.Unlock()
			return back && !tells, 0
		}
	}
	if !suspect {
		o.mu.Unlock()
		return false, 0
	}
	o.count++
	over := make(chan struct{})
	o.over, o.id, o.at, o.more = over, r.Case, at, 0
	full := o.full
	o.mu.Unlock()

	start := time.Now()
	silent, back := waitBack(ctx, look, pulse, full)
	if back && !silent {
		select {
		case <-time.After(outageSettle):
		case <-ctx.Done():
		}
		silent, back = waitBack(ctx, look, pulse, full)
	}
	if silent && back {
		waited = time.Since(start)
	}
	o.mu.Lock()
	o.gone = silent && !back && ctx.Err() == nil
	o.full = !silent && !back
	o.real = silent || r.Layer == transport.LayerUDP
	if !o.real && o.more == 0 && o.count == turn+1 {
		o.count, o.over = turn, nil // the relay ended a session, and was there all the time
	}
	lost := o.gone
	o.mu.Unlock()
	if lost {
		look.giveUp()
	}
	close(over)
	return false, waited
}

// wait waits for the end of an outage, and reports whether the relay is back.
func (o *outages) wait(ctx context.Context, over <-chan struct{}) bool {
	if over != nil {
		select {
		case <-over:
		case <-ctx.Done():
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.gone && ctx.Err() == nil
}

// lost gives the case that lost the relay for good.
func (o *outages) lost() (id string, at int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.gone {
		return "", 0
	}
	return o.id, o.at
}

// waitBack checks the relay until it accepts a connection or outageWait has passed. silent reports that it did not
// answer some check. One that refuses is there, but may do so because it leaves. If it is full, it refused all the time
// when it was last checked, and is not waited for longer than outageSettle unless it is silent.
func waitBack(ctx context.Context, look *Lookout, pulse Pulse, full bool) (silent, back bool) {
	ctx, cancel := context.WithTimeout(ctx, outageWait)
	defer cancel()
	start, refused := time.Now(), false
	for {
		switch err := look.alive(ctx, pulse); {
		case err == nil:
			return silent, true
		case isGone(err):
			return true, false
		case refuses(err):
			refused = true
		case ctx.Err() == nil || !refused: // else the time for this check was cut short
			silent = true
		}
		if full && !silent && time.Since(start) >= outageSettle {
			return false, false
		}
		select {
		case <-time.After(outagePause):
		case <-ctx.Done():
			return silent, false
		}
	}
}

// refuses reports whether a relay that made no connection has answered: it ended the handshake, as one at its limit
// does with CONNECTION_REFUSED (RFC 9000 §20.1), or gave an HTTP status.
func refuses(err error) bool {
	var dial *transport.DialError
	return errors.As(err, &dial) &&
		(dial.Layer == transport.LayerTLS || dial.Layer == transport.LayerALPN || dial.HTTPStatus != 0)
}
