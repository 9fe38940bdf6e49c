package cases

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Without a session there is no verdict. A session that ends when the case did not end it fails the case at once, and
// the failure names the lost session instead of what followed from it. Only cases about how sessions end judge
// otherwise.

// lossTime is how long a session takes at most to notice that its connection has ended.
const lossTime = time.Second

// guardLoss ends the case as soon as the session ends and the case did not end it. The returned function stops this.
func (s *Session) guardLoss() (stop func() bool) {
	return context.AfterFunc(s.Context(), func() {
		if o := s.loss(); o != nil {
			s.e.abort(o)
		}
	})
}

// loss is the failure of a session that ended and that the case did not end; nil if there is none.
func (s *Session) loss() *outcome {
	cause := context.Cause(s.Context())
	var end *moqt.SessionError
	if s.e.c.Ending || closedByUs(cause) || !errors.As(cause, &end) {
		return nil
	}
	expected := "a session that is open until the case has ended"
	if end.Local {
		expected = "a relay that keeps to the draft until the case has ended"
	}
	o := ended(end, s.Draft(), transport.LayerRequest, expected)
	o.whose = s.Role
	return o
}

// metBy is the loss of a session as met by a step: with what the step expected, "" if it expected nothing in
// particular. Other outcomes stay as they are.
func (o *outcome) metBy(layer transport.Layer, expected string) *outcome {
	if !o.lost || expected == "" {
		return o
	}
	if o.layer != transport.LayerRequest { // the loss has one of its own
		layer = o.layer
	}
	met := failed(layer, expected, o.received)
	met.lost, met.whose = true, o.whose
	return met
}

// lossOf is the failure of the first session that ended and that the case did not end. If a connection has just ended,
// it waits until its session has noticed.
func (e *Env) lossOf() *outcome {
	e.mu.Lock()
	sessions := slices.Clone(e.sessions)
	e.mu.Unlock()
	for _, s := range sessions {
		if s.conn.Context().Err() != nil {
			t := time.NewTimer(lossTime)
			select {
			case <-s.Context().Done():
			case <-t.C:
			}
			t.Stop()
		}
		if o := s.loss(); o != nil {
			return o
		}
	}
	return nil
}

// because gives the outcome of a case that was ended by the loss of a session: the loss, with what the step expected
// that met it, and the rest as a note. If there are several sessions it says whose was lost.
func (e *Env) because(o *outcome) *outcome {
	if o == nil || !o.lost && o.stack == "" {
		loss := e.lossOf()
		switch {
		case loss == nil:
			return o
		case o == nil:
			o = loss
		case o.status != Fail:
			e.Note("before that: %s", o.reason)
			o = loss
		default:
			e.Note("before that: %s", o.message)
			o = loss.metBy(o.layer, o.expected)
		}
	}
	if o.whose != "" && len(e.c.Roles) > 1 {
		o = failed(o.layer, o.expected, "the end of the "+o.whose+"'s session: "+o.received)
		o.lost = true
	}
	return o
}

const (
	// heardTime is how recently a relay must have been heard to count as alive.
	heardTime = 50 * time.Millisecond
	// unheardTime is how long a relay may take to give a sign of life, on a path with short round trips. The connection
	// itself asks for one.
	unheardTime = 3 * time.Second
)

// unheard waits for a sign of life from a relay that has been silent for a while: a case that passes because nothing
// came must not pass because nobody is there. It returns a failure if none comes, and nil if the transport cannot tell.
func (e *Env) unheard() *outcome {
	e.mu.Lock()
	sessions := slices.Clone(e.sessions)
	e.mu.Unlock()
	began := time.Now()
	var open []*Session
	var packets []uint64
	for _, s := range sessions {
		if began.Sub(s.heard()) < heardTime {
			return nil
		}
		if p := s.conn.Path(); p.PacketsReceived > 0 && s.Context().Err() == nil {
			open, packets = append(open, s), append(packets, p.PacketsReceived)
		}
	}
	for limit := e.stretched(e.settled(unheardTime)); len(open) > 0; time.Sleep(time.Millisecond) {
		for i, s := range open {
			if s.Context().Err() != nil || s.conn.Path().PacketsReceived > packets[i] {
				return nil
			}
		}
		if since := time.Since(began); since > limit {
			return failed(transport.LayerUDP, "a relay that is there until the case has ended",
				"not even an acknowledgement for "+seconds(since))
		}
	}
	return nil
}

// heard is when the peer's last message or the last bytes of its objects came.
func (s *Session) heard() time.Time {
	s.log.mu.Lock()
	at := s.log.receivedAt
	s.log.mu.Unlock()
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.conn.down.last.After(at) {
		return s.conn.down.last
	}
	return at
}
