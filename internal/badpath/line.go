package badpath

import (
	"math/rand/v2"
	"time"
)

// line decides when packets of one direction arrive. It does nothing but reckon: it knows no socket and no clock. Not
// safe for concurrent use.
type line struct {
	d Direction
	// free is when the line has sent all that it took.
	free time.Time
}

// flow is one client's packets in one direction. What happens to its n-th packet depends on the seed, on the client
// and on n alone.
type flow struct {
	rng *rand.Rand
	// last is when the latest packet arrives that was neither held back nor lost.
	last time.Time
}

// fate is what becomes of a packet.
type fate uint8

const (
	delivered fate = iota
	lost
	tooLarge
	queueFull
)

// arrival says what becomes of one packet, how many copies of it arrive, and when.
type arrival struct {
	fate   fate
	copies int
	at     time.Time
	late   bool // held back so that others overtake it
}

func newFlow(seed uint64, client, direction int) *flow {
	return &flow{rng: rand.New(rand.NewPCG(seed, uint64(client)<<1|uint64(direction)))}
}

// take decides about a packet of some size that comes at a time. Times must not go back.
func (l *line) take(f *flow, now time.Time, size int) arrival {
	// Every packet costs four throws, whatever becomes of it: so the throws for the next do not depend on the clock.
	loss, twice, late, jitter := f.rng.Float64(), f.rng.Float64(), f.rng.Float64(), f.rng.Float64()
	switch {
	case l.d.MaxPacket > 0 && size > l.d.MaxPacket:
		return arrival{fate: tooLarge}
	case loss < l.d.Loss:
		return arrival{fate: lost}
	}
	sent, ok := l.send(now, size)
	if !ok {
		return arrival{fate: queueFull}
	}
	a := arrival{copies: 1, at: sent.Add(l.d.Delay + time.Duration(jitter*float64(l.d.Jitter)))}
	if twice < l.d.Duplicate {
		a.copies = 2
	}
	if a.at.Before(f.last) {
		a.at = f.last
	}
	if late < l.d.Reorder {
		a.at, a.late = a.at.Add(l.d.ReorderBy), true
	} else {
		f.last = a.at
	}
	return a
}

// send gives the time when the line has sent a packet, ok is false when there is no room to wait.
func (l *line) send(now time.Time, size int) (sent time.Time, ok bool) {
	if l.d.Rate <= 0 {
		return now, true
	}
	if l.free.Before(now) {
		l.free = now
	}
	waiting := l.free.Sub(now).Seconds() * float64(l.d.Rate) / 8
	if waiting > 0 && waiting+float64(size) > float64(l.d.Queue) {
		return time.Time{}, false
	}
	l.free = l.free.Add(time.Duration(float64(size) * 8 / float64(l.d.Rate) * float64(time.Second)))
	return l.free, true
}
