package badpath

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// maxHeld bounds the bytes of packets that are under way in one direction. With 600 ms of delay it is room for
// 800 Mbit/s.
const maxHeld = 64 << 20

// pipe carries the packets of one direction: it takes each from whoever received it and sends it on when its time has
// come. Safe for concurrent use.
type pipe struct {
	send func(to *client, packet []byte) error

	mu      sync.Mutex
	line    line
	held    held
	bytes   int
	next    uint64
	counts  Counts
	changed chan struct{} // a packet has become the first, or the pipe is closed
}

// packet is one that is under way.
type packet struct {
	at   time.Time
	n    uint64 // packets with one time keep their order
	to   *client
	data []byte
}

func newPipe(d Direction, send func(*client, []byte) error) *pipe {
	return &pipe{send: send, line: line{d: d.withDefaults()}, changed: make(chan struct{}, 1)}
}

// take takes a packet of a flow. It keeps nothing of data, which may be sent before take returns.
func (p *pipe) take(to *client, f *flow, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.counts.Packets++
	p.counts.Bytes += uint64(len(data))
	a := p.line.take(f, now, len(data))
	switch a.fate {
	case lost:
		p.counts.Lost++
	case tooLarge:
		p.counts.TooLarge++
	case queueFull:
		p.counts.QueueFull++
	}
	if a.late {
		p.counts.Reordered++
	}
	p.counts.Duplicated += uint64(max(a.copies-1, 0))
	if a.copies > 0 && len(p.held) == 0 && !a.at.After(now) { // no detour for a path without delay
		for range a.copies {
			p.sent(p.send(to, data), len(data))
		}
		return
	}
	for range a.copies {
		if p.bytes+len(data) > maxHeld {
			p.counts.QueueFull++
			continue
		}
		p.bytes += len(data)
		heap.Push(&p.held, packet{at: a.at, n: p.next, to: to, data: append([]byte(nil), data...)})
		p.next++
		if p.held[0].n == p.next-1 {
			p.wake()
		}
	}
}

// sent counts what came of sending a packet. The caller holds mu.
func (p *pipe) sent(err error, size int) {
	if err != nil {
		p.counts.Refused++
		return
	}
	p.counts.Delivered++
	p.counts.DeliveredBytes += uint64(size)
}

func (p *pipe) wake() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// run sends packets on until ctx ends; those that are under way then never arrive.
func (p *pipe) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p.mu.Lock()
		now := time.Now()
		for len(p.held) > 0 && !p.held[0].at.After(now) {
			x := heap.Pop(&p.held).(packet)
			p.bytes -= len(x.data)
			p.sent(p.send(x.to, x.data), len(x.data))
		}
		wait := time.Hour
		if len(p.held) > 0 {
			wait = p.held[0].at.Sub(now)
		}
		p.mu.Unlock()
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-p.changed:
		case <-ctx.Done():
			return
		}
	}
}

// count gives the counters.
func (p *pipe) count() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.counts
	c.UnderWay = uint64(len(p.held))
	return c
}

// held are packets under way, the next to arrive first.
type held []packet

func (h held) Len() int { return len(h) }
func (h held) Less(i, j int) bool {
	return h[i].at.Before(h[j].at) || h[i].at.Equal(h[j].at) && h[i].n < h[j].n
}
func (h held) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push appends a packet, for package heap.
func (h *held) Push(x any) { *h = append(*h, x.(packet)) }

// Pop takes the last packet away, for package heap.
func (h *held) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = packet{}
	*h = (*h)[:last]
	return x
}
