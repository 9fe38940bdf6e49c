package runner

import (
	"context"
	"sync"
	"time"
)

// Pulse is a Client that can look whether the relay answers. Without it a run does not wait for a relay that is gone.
type Pulse interface {
	// Alive connects and leaves again; nil means that somebody answered.
	Alive(ctx context.Context) error
}

const (
	// outageWait is how long a run waits for a relay that answered before and is gone.
	outageWait = 3 * time.Second
	// outagePause lies between two looks.
	outagePause = 50 * time.Millisecond
)

// outages are the times when the relay was gone. A relay that crashes takes the sessions of all cases with it that run
// at that moment, and nobody can reach it until it is back: the first case that meets this has lost the relay, and says
// so; the others run again when it is back. Safe for concurrent use.
type outages struct {
	mu    sync.Mutex
	count int           // of those that have begun
	over  chan struct{} // closed when the last one is over; nil before the first
	gone  bool          // it is not: the relay did not come back
	id    string        // the case that met the last one first
	at    int           // its place in the run
}

// begin waits while the relay is gone, and gives the turn that a case then has. It reports false when the relay does
// not come back.
func (o *outages) begin(ctx context.Context) (turn int, ok bool) {
	for {
		o.mu.Lock()
		turn, over, gone := o.count, o.over, o.gone
		o.mu.Unlock()
		switch {
		case gone || ctx.Err() != nil:
			return 0, false
		case over == nil:
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

// end is for a case that has lost the relay, or did not reach it, in its turn. It waits until the relay is back, and
// reports whether it is. first says that no other case noticed before: the verdict of this one stands.
func (o *outages) end(ctx context.Context, turn, at int, id string, pulse Pulse) (first, back bool) {
	o.mu.Lock()
	if first = o.count == turn; first {
		o.count++
		o.over, o.id, o.at = make(chan struct{}), id, at
	}
	over := o.over
	o.mu.Unlock()
	if first {
		back = waitBack(ctx, pulse)
		o.mu.Lock()
		o.gone = !back
		o.mu.Unlock()
		close(over)
		return true, back
	}
	select {
	case <-over:
	case <-ctx.Done():
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return false, !o.gone && ctx.Err() == nil
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

// waitBack looks for the relay until it answers or outageWait has passed.
func waitBack(ctx context.Context, pulse Pulse) bool {
	ctx, cancel := context.WithTimeout(ctx, outageWait)
	defer cancel()
	for {
		if pulse.Alive(ctx) == nil {
			return true
		}
		select {
		case <-time.After(outagePause):
		case <-ctx.Done():
			return false
		}
	}
}
