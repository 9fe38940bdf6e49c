package cases

import (
	"fmt"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A publisher may give up a subscriber "that fails to consume Objects at a sufficient rate", with TOO_FAR_BEHIND
// (draft-18 §8). That excuses a relay where the case lets its subscriber lag, or where the path is slow. Any other
// subscriber of ours reads promptly, and a relay that gives it up fails the case, whatever the case is about.

// slowRate is what a path carries, in bit/s, on which a subscriber that reads promptly may fall behind.
const slowRate = 12e6

// behindText is how a peer says, with an event, that it gives up a subscriber of ours; "" for other events.
func behindText(ev moqt.Event) string {
	if done, ok := ev.Message.(*wire.PublishDone); ok && !ev.Sent {
		code := wire.PublishDoneCode(done.StatusCode)
		if name, _ := code.Meaning(ev.Draft); name == wire.NameTooFarBehind {
			return wire.NameOf(ev.Draft, done) + " with " + code.In(ev.Draft)
		}
	}
	ours := ev.StreamID%2 == 0 // the client opened it
	if ev.Sent || ev.Type != moqt.EventReset || ev.Stream == wire.RequestStream && !ours {
		return ""
	}
	if name, _ := wire.ResetCode(ev.Code).Meaning(ev.Draft); name == wire.NameTooFarBehind {
		return describeEvent(ev)
	}
	return ""
}

// gaveUp is how the relay has given up a subscriber of the session; "" when it has not.
func (s *Session) gaveUp() string {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.behind
}

// mayFallBehind ends the case as skipped when the relay has given up a subscriber that lags because the case lets it.
func (s *Session) mayFallBehind() {
	if text := s.gaveUp(); text != "" {
		s.skipRefused("the relay has given up a subscriber that takes nothing", rules.TooFarBehind, text)
	}
}

// promptly judges a relay that has given up a subscriber that reads promptly. It gives the outcome of the case, which
// was o.
func (e *Env) promptly(o *outcome) *outcome {
	if e.c.Lags || o != nil && (o.lost || o.slow || o.dial || o.stack != "") {
		return o
	}
	var who *Session
	e.mu.Lock()
	for _, s := range e.sessions {
		if who == nil && s.gaveUp() != "" {
			who = s
		}
	}
	e.mu.Unlock()
	if who == nil {
		return o
	}
	text := who.gaveUp()
	if len(e.c.Roles) > 1 {
		text += " at the " + who.Role
	}
	if why := e.poorPath(); why != "" {
		if o == nil {
			return nil
		}
		allowed := rules.Cite(who.Draft(), rules.TooFarBehind)
		return &outcome{status: Skip, slow: true, reason: fmt.Sprintf("the path is too slow: %s; the relay has given "+
			"up a subscriber, as %s allows there: %s", why, allowed, text)}
	}
	if o == nil || o.status != Fail {
		return failed(transport.LayerData, "a relay that keeps a subscriber that reads promptly", text)
	}
	if strings.Contains(o.received, string(wire.NameTooFarBehind)) {
		return o
	}
	more := *failed(o.layer, o.expected, o.received+"; "+text)
	more.timeout, more.whose = o.timeout, o.whose
	return &more
}

// poorPath says by what QUIC shows that the path is slow; "" when it is not, or nobody knows.
func (e *Env) poorPath() string {
	p := e.path()
	switch {
	case e.cfg.Embedded || !p.known:
		return ""
	case p.carried > 0 && p.carried < slowRate:
		return bitRate(p.carried)
	case p.full || p.busy && p.carried == 0:
		return fmt.Sprintf("round trips take up to %s under load, and %s without", seconds(p.rtt), seconds(p.minRTT))
	case p.lossy && p.carried == 0:
		return fmt.Sprintf("%d of %d packets got lost", p.lost, p.sent)
	}
	return ""
}
