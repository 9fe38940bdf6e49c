package reference

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
)

// scheduler decides which streams towards one client may hand bytes to the transport. The transport shares its capacity
// among all streams that have bytes, so only few may have some at a time. First come those with the better subscriber
// priority, then publisher priority, then within a subscription by group order and Subgroup ID (draft-18 §7.2).
// Subscriptions with equal priorities take turns by bytes sent.
//
// A stream whose client does not read it would keep its turn for ever. So after a while its turn no longer counts, and
// another stream goes on as well.
type scheduler struct {
	limit    int           // of streams that stand aside
	account  *moqt.Account // of the session
	unranked bool

	mu     sync.Mutex
	active []*turn // that count
	aside  int     // those that do not count any more
	flows  []*flow // that have turns waiting
	served int64   // what the last flow that was chosen had had
	serial uint64  // of turns
	// watch looks for turns that take too long, while others wait; watched says that it runs.
	watch   *time.Timer
	watched bool
}

const (
	// activeTurns is how many streams write at a time: one, and another one to bridge the gap between two turns.
	activeTurns = 2
	// turnPatience is how long a turn may take before the next one is given as well.
	turnPatience = 250 * time.Millisecond
)

// flow is a subscription, fetch or fill. The scheduler's lock guards it.
type flow struct {
	waiting turns
	served  int64 // bytes
}

// rank orders the turns of a flow; the lesser rank comes first.
type rank struct {
	subscriber, publisher uint8
	group                 uint64 // complemented for descending group order
	subgroup              uint64
}

func (a rank) compare(b rank) int {
	switch {
	case a.subscriber != b.subscriber:
		return order(a.subscriber, b.subscriber)
	case a.publisher != b.publisher:
		return order(a.publisher, b.publisher)
	case a.group != b.group:
		return order(a.group, b.group)
	}
	return order(a.subgroup, b.subgroup)
}

func order[T uint8 | uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// turn is the right to write, granted or waited for.
type turn struct {
	flow    *flow
	rank    rank
	granted chan struct{} // nil when it was granted at once
	began   time.Time
	aside   bool
	index   int // in the heap, -1 outside
	serial  uint64
}

// take waits for a turn. It returns nil if ctx has ended.
func (q *scheduler) take(ctx context.Context, f *flow, r rank) *turn {
	if q.unranked {
		r = rank{}
	}
	t := &turn{flow: f, rank: r, index: -1}
	q.mu.Lock()
	if len(q.active) < activeTurns && len(q.flows) == 0 {
		q.grant(t)
		q.mu.Unlock()
		return t
	}
	t.granted = make(chan struct{})
	q.serial++
	t.serial = q.serial
	if len(f.waiting) == 0 {
		f.served = max(f.served, q.served)
		q.flows = append(q.flows, f)
	}
	heap.Push(&f.waiting, t)
	q.look(turnPatience)
	q.mu.Unlock()
	select {
	case <-t.granted:
		return t
	case <-ctx.Done():
		if !q.withdraw(t) {
			q.done(t, 0) // it has been granted meanwhile
		}
		return nil
	}
}

// look has somebody look for turns that take too long, after a time. One timer does for all who wait. The caller holds
// mu.
func (q *scheduler) look(after time.Duration) {
	switch {
	case q.watched:
		return
	case q.watch == nil:
		q.watch = time.AfterFunc(after, q.standAside)
	default:
		q.watch.Reset(after)
	}
	q.watched = true
}

// done ends a turn in which so many bytes were written.
func (q *scheduler) done(t *turn, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t.flow.served += int64(bytes)
	if t.aside {
		q.aside--
		q.account.Give(heldOutflows, handCost)
	} else {
		q.remove(t)
	}
	q.next()
}

// grant gives a turn. The caller holds mu.
func (q *scheduler) grant(t *turn) {
	t.began = time.Now()
	q.active = append(q.active, t)
	if t.granted != nil {
		close(t.granted)
	}
}

// remove stops counting a turn. The caller holds mu.
func (q *scheduler) remove(t *turn) {
	for i, a := range q.active {
		if a == t {
			q.active = append(q.active[:i], q.active[i+1:]...)
			return
		}
	}
}

// next grants the turns that may begin now. The caller holds mu.
func (q *scheduler) next() {
	for len(q.active) < activeTurns && len(q.flows) > 0 {
		best := 0
		for i, f := range q.flows {
			a, b := f.waiting[0].rank, q.flows[best].waiting[0].rank
			a.group, a.subgroup, b.group, b.subgroup = 0, 0, 0, 0 // of another track
			if c := a.compare(b); c < 0 || c == 0 && f.served < q.flows[best].served {
				best = i
			}
		}
		f := q.flows[best]
		q.served = f.served
		t := heap.Pop(&f.waiting).(*turn)
		if len(f.waiting) == 0 {
			q.flows = append(q.flows[:best], q.flows[best+1:]...)
		}
		q.grant(t)
	}
}

// rerank gives the turns of a flow that wait with a Subscriber Priority another one (draft-18 §7.1).
func (q *scheduler) rerank(f *flow, before, now uint8) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range f.waiting {
		if t.rank.subscriber == before && !q.unranked {
			t.rank.subscriber = now
		}
	}
	heap.Init(&f.waiting)
}

// withdraw gives up waiting for a turn; it reports false if the turn was granted.
func (q *scheduler) withdraw(t *turn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.index < 0 {
		return false
	}
	f := t.flow
	heap.Remove(&f.waiting, t.index)
	if len(f.waiting) == 0 {
		for i := range q.flows {
			if q.flows[i] == f {
				q.flows = append(q.flows[:i], q.flows[i+1:]...)
				break
			}
		}
	}
	return true
}

// standAside stops counting turns that take too long, as many as may be, and looks again as long as somebody waits.
func (q *scheduler) standAside() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.watched = false
	wait, now := turnPatience, time.Now()
	kept := q.active[:0]
	for _, t := range q.active {
		left := turnPatience - now.Sub(t.began)
		if left <= 0 && q.aside < q.limit && q.account.Take(heldOutflows, handCost) {
			t.aside = true
			q.aside++
			continue
		}
		kept = append(kept, t)
		if left > 0 {
			wait = min(wait, left)
		}
	}
	q.active = kept
	q.next()
	if len(q.flows) > 0 {
		q.look(wait)
	}
}

// turns is a heap by rank, then by arrival.
type turns []*turn

func (h turns) Len() int { return len(h) }
func (h turns) Less(i, j int) bool {
	c := h[i].rank.compare(h[j].rank)
	return c < 0 || c == 0 && h[i].serial < h[j].serial
}
func (h turns) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *turns) Push(x any) {
	t := x.(*turn)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *turns) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
