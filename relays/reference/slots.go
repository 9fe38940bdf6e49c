package reference

import (
	"slices"
	"sync"
)

// slots bounds the subgroup streams that are open towards clients, since each has a goroutine. Each session may have a
// few of them in any case, so that clients that read nothing keep nobody else waiting. Beyond that there is a limit for
// each session and one for all. A subscriber that finds no slot is handed one as soon as one is free.
type slots struct {
	few, session, all int

	mu   sync.Mutex
	open int
	// hungry are the sessions with subscribers that wait for a slot.
	hungry []*peer
}

// fewStreams is how many streams each session may have, however many others have.
const fewStreams = 64

// may reports whether the numbers allow a session one more stream. The caller holds mu.
func (q *slots) may(p *peer) bool {
	return p.open < q.few || p.open < q.session && q.open < q.all
}

// claim takes a slot for a session, if it may have another one. The caller holds mu, and perhaps a track's lock.
func (q *slots) claim(p *peer) bool {
	switch {
	case p.open < q.few:
		p.account.Force(heldOutflows, slotCost)
	case !q.may(p) || !p.account.Try(heldOutflows, slotCost):
		return false
	}
	p.open++
	q.open++
	return true
}

// take takes a slot for a subscriber, or notes that the subscriber waits for one; it is woken then.
func (q *slots) take(s *subscriber) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.granted > 0 {
		s.granted--
		return true
	}
	if q.claim(s.peer) {
		return true
	}
	if !s.starving {
		s.starving = true
		if s.peer.starved = append(s.peer.starved, s); len(s.peer.starved) == 1 {
			q.hungry = append(q.hungry, s.peer)
		}
	}
	return false
}

// give returns slots of a session and passes them on: to the session itself, or to the one that has waited longest.
func (q *slots) give(p *peer, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p.open -= n
	q.open -= n
	p.account.Give(heldOutflows, int64(n)*slotCost)
	for range n {
		if q.hand(p) {
			continue
		}
		for _, other := range slices.Clone(q.hungry) {
			if q.hand(other) {
				break
			}
		}
	}
}

// hand gives a slot to the first waiting subscriber of a session, and reports whether there is one and the session may
// have the slot. The session then goes to the end of the queue. The caller holds mu.
func (q *slots) hand(p *peer) bool {
	for len(p.starved) > 0 && p.starved[0].gone {
		q.shift(p)
	}
	if len(p.starved) == 0 || !q.claim(p) {
		return false
	}
	s := q.shift(p)
	s.granted++
	s.wake()
	return true
}

// shift removes the first waiting subscriber of a session from the queue. The caller holds mu.
func (q *slots) shift(p *peer) *subscriber {
	s := p.starved[0]
	p.starved[0] = nil
	p.starved = p.starved[1:]
	s.starving = false
	i := slices.Index(q.hungry, p)
	q.hungry = slices.Delete(q.hungry, i, i+1)
	if len(p.starved) > 0 {
		q.hungry = append(q.hungry, p)
	}
	return s
}

// spare takes back the slots that a subscriber was handed and cannot use; gone says that it never will.
func (q *slots) spare(s *subscriber, gone bool) {
	q.mu.Lock()
	s.gone = gone
	n := s.granted
	s.granted = 0
	q.mu.Unlock()
	if n > 0 {
		q.give(s.peer, n)
	}
}
