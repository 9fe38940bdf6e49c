package cases

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// What a failure says when objects have not come in time: that nothing came, that bytes stopped coming, or that bytes
// still come and the path or the relay is too slow.

const (
	// busyPath and busyPathMin say how much the round trip time must have grown before a path counts as full.
	busyPath    = 2
	busyPathMin = 50 * time.Millisecond
	// fullPath is by how much round trips are longer while a queue on the way is full.
	fullPath = 80 * time.Millisecond
	// nearPath is a round trip on one host, or in one rack.
	nearPath = 2 * time.Millisecond
	// lossyPath is the share of lost packets that slows a path down.
	lossyPath = 0.005
	// alikeRates is the ratio up to which the rates of upload and download count as equal.
	alikeRates = 3
	// tricklingRate is a rate in bit/s that any path carries if sessions were set up over it in time.
	tricklingRate = 64_000
)

// moreTime is the advice where the limits may have been too short.
const moreTime = "--timeout-factor gives it more time"

// Late ends the case because something was incomplete when ctx ended; problem says what is missing. k knows the objects
// that are waited for, and may be nil.
func (s *Session) Late(ctx context.Context, expected, problem string, k *Checker) {
	o := s.e.classify(ctx, context.Cause(ctx), s, transport.LayerData, expected)
	if !o.timeout {
		panic(o)
	}
	now := time.Now()
	a := s.arrivals(now, k)
	switch {
	case a.bytes == 0 && s.e.uploads(now, &a) && s.e.slowPath(a.rate):
		o = &outcome{status: Skip, slow: true, reason: fmt.Sprintf("%s: %s; %s had gone to the relay, the last byte "+
			"%s ago; %s", PathTooSlow, bitRate(a.rate), a.amount, seconds(a.since), moreTime)}
	case a.bytes == 0:
		o = failed(transport.LayerData, expected, problem+"; "+s.log.stall(now)+"; no byte of an object came")
	case a.since > s.e.settled(stoppedTime):
		o = failed(transport.LayerData, expected, fmt.Sprintf("%s; stopped at %s, %s ago; %s", problem, a.amount,
			seconds(a.since), s.log.stall(now)))
	case s.e.slowPath(a.rate):
		o = &outcome{status: Skip, slow: true, reason: fmt.Sprintf("%s: %s; %s came, the last byte %s ago; %s",
			PathTooSlow, bitRate(a.rate), a.amount, seconds(a.since), moreTime)}
	default:
		o = failed(transport.LayerData, expected, fmt.Sprintf("%s; %s; %s came, the last byte %s ago; %s", problem,
			s.e.relayRate(a.rate), a.amount, seconds(a.since), moreTime))
	}
	panic(o)
}

// PathTooSlow begins the reason of a skip for which not the relay but the path stands.
const PathTooSlow = "the path is too slow"

// SkipTooSlow ends the case as skipped because the path is too slow for it.
func (e *Env) SkipTooSlow(format string, args ...any) {
	panic(&outcome{status: Skip, slow: true, reason: PathTooSlow + ": " + fmt.Sprintf(format, args...)})
}

// sent is the rate at which objects went out on the session, in bit/s.
func (s *Session) sent() float64 {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.conn.up.carried()
}

// arrival is how much of the objects that are waited for has come.
type arrival struct {
	bytes  int64
	amount string        // "554 kB of 1 MB of {0, 0}"
	since  time.Duration // the last byte
	rate   float64       // bit/s, since the first byte
}

// arrivals is how much has come on a session.
func (s *Session) arrivals(now time.Time, k *Checker) arrival {
	t := s.conn
	t.mu.Lock()
	defer t.mu.Unlock()
	a := arrival{bytes: t.down.bytes, amount: byteCount(t.down.bytes), since: now.Sub(t.down.last),
		rate: t.down.rate(now)}
	if k == nil {
		return a
	}
	a.amount += " of " + byteCount(k.size())
	if t.latest != nil && t.latest.header {
		if at, have, size, ok := k.partial(t.latest); ok {
			a.amount = fmt.Sprintf("%s of %s of %s", byteCount(have), byteCount(size), at)
		}
	}
	return a
}

// uploads reports whether objects are still going out to the relay, which may wait for the whole object before it sends
// any of it. Then it makes a say what has gone out.
func (e *Env) uploads(now time.Time, a *arrival) bool {
	stopped := e.settled(stoppedTime)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.sessions {
		s.conn.mu.Lock()
		up, blocked := s.conn.up, s.conn.blocked
		s.conn.mu.Unlock()
		if now.Sub(blocked) <= stopped { // the path has made us wait
			a.amount, a.since, a.rate = byteCount(up.bytes), now.Sub(up.last), up.rate(now)
			return true
		}
	}
	return false
}

// size is how many bytes of payload are wanted.
func (k *Checker) size() (n int64) {
	for _, x := range k.Want {
		n += int64(len(x.Payload))
	}
	return n
}

// partial says which object has come in part on a subgroup's stream, and how much of it.
func (k *Checker) partial(in *inflow) (at string, have, size int64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	left := in.bytes
	for i, x := range k.Want {
		if x.Group != in.group || x.Subgroup != in.subgroup || x.Datagram {
			continue
		}
		size := int64(len(x.Payload))
		if k.got[i] == 0 {
			at := x.Location()
			return fmt.Sprintf("{%d, %d}", at.Group, at.Object), min(max(left, 0), size), size, true
		}
		left -= size
	}
	return "", 0, 0, false
}

// pathSigns are what the sessions of a case know of the path.
type pathSigns struct {
	// known: QUIC tells anything at all. lossy: packets get lost; busy: round trips grow under load; full: they are
	// long now, since something waits on the way.
	known, lossy, busy, full bool
	// far: round trips take more than nearPath.
	far bool
	// lost and sent are the packets of the session that lost most; rtt and minRTT the round trips of the one whose grew
	// most.
	lost, sent  uint64
	rtt, minRTT time.Duration
	// carried is what our upload has shown the path to carry, in bit/s.
	carried float64
}

func (e *Env) path() (p pathSigns) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.sessions {
		x := s.conn.Path()
		p.known = p.known || x.SmoothedRTT > 0
		p.far = p.far || x.MinRTT > nearPath
		p.lossy = p.lossy || float64(x.PacketsLost) > max(lossyPath*float64(x.PacketsSent), 2)
		if x.PacketsLost >= p.lost {
			p.lost, p.sent = x.PacketsLost, x.PacketsSent
		}
		p.busy = p.busy || x.RTT() > busyPath*x.MinRTT && x.RTT() > x.MinRTT+busyPathMin
		p.full = p.full || min(x.SmoothedRTT, x.LatestRTT) > max(busyPath*x.MinRTT, x.MinRTT+fullPath)
		if x.RTT()-x.MinRTT >= p.rtt-p.minRTT {
			p.rtt, p.minRTT = x.RTT(), x.MinRTT
		}
		s.conn.mu.Lock()
		p.carried = max(p.carried, s.conn.up.carried())
		s.conn.mu.Unlock()
	}
	return p
}

// slowPath reports whether QUIC shows that the path is the reason for a low rate of objects, in bit/s: packets are
// lost, round trips grow, or what we sent was no faster. The embedded relay and a relay in memory have no path.
func (e *Env) slowPath(rate float64) bool {
	p := e.path()
	if e.cfg.Embedded || !p.known {
		return false
	}
	if p.carried > 0 { // a path that carried that is slow in the other direction at most
		return p.carried < alikeRates*rate || (p.lossy || p.busy) && p.carried < 2*alikeRates*rate ||
			p.full && rate > tricklingRate
	}
	return (p.lossy || p.busy) && rate > tricklingRate
}

// relayRate says how slow the relay was, compared with what.
func (e *Env) relayRate(rate float64) string {
	if carried := e.path().carried; carried > 0 {
		return fmt.Sprintf("the relay sent %s where the path took %s", bitRate(rate), bitRate(carried))
	}
	return fmt.Sprintf("the relay sent %s over a path with round trips of %s", bitRate(rate), seconds(e.RTT()))
}

// bitRate is a rate in bit/s for people: "12 kbit/s", "1.2 Mbit/s".
func bitRate(r float64) string {
	for _, u := range []struct {
		at   float64
		name string
	}{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
		if r >= u.at {
			return short(r/u.at) + " " + u.name
		}
	}
	return short(r) + " bit/s"
}

// byteCount is a number of bytes for people: "12 bytes", "554 kB", "1 MB".
func byteCount(n int64) string {
	for _, u := range []struct {
		at   float64
		name string
	}{{1e6, "MB"}, {1e3, "kB"}} {
		if float64(n) >= u.at {
			return short(float64(n)/u.at) + " " + u.name
		}
	}
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// short is a number with one decimal digit below 10, and none above.
func short(x float64) string {
	if x < 9.95 {
		return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64)
	}
	return strconv.FormatFloat(math.Round(x), 'f', -1, 64)
}

// seconds is a time for people: "12 ms", "4.2 s".
func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return short(d.Seconds()) + " s"
}
