package stream

import (
	"context"
	"sync"
)

// Queue is a bounded queue of values between goroutines. Every wait takes a context. An error ends the queue and is
// given out after the last value. Safe for concurrent use.
type Queue[T any] struct {
	// MaxItems and MaxCost bound what is held, 0 = no bound. A value above MaxCost may be held alone.
	MaxItems, MaxCost int
	// Held, if set, is told of what is held more, or less, until the queue has ended. It is called with the queue's
	// lock.
	Held func(cost int)

	mu      sync.Mutex
	items   []entry[T]
	head    int
	cost    int
	err     error
	changed chan struct{} // closed at the next change; nil while nobody waits
}

type entry[T any] struct {
	value T
	cost  int
}

// Len is how many values wait.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) - q.head
}

// Add appends a value without waiting. It reports false, and does nothing, when there is no room or the queue has
// ended.
func (q *Queue[T]) Add(v T, cost int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil || !q.room(cost) {
		return false
	}
	q.append(v, cost)
	return true
}

// Put waits for room and appends a value. The error is the one that ended the queue, or the context's cause.
func (q *Queue[T]) Put(ctx context.Context, v T, cost int) error {
	q.mu.Lock()
	for {
		if q.err != nil {
			defer q.mu.Unlock()
			return q.err
		}
		if q.room(cost) {
			q.append(v, cost)
			q.mu.Unlock()
			return nil
		}
		changed := q.wait()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		q.mu.Lock()
	}
}

// WaitRoom waits until there is room for one more value. It reports false when the context or the queue has ended.
func (q *Queue[T]) WaitRoom(ctx context.Context) bool {
	q.mu.Lock()
	for {
		if q.err != nil || q.room(1) {
			defer q.mu.Unlock()
			return q.err == nil
		}
		changed := q.wait()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
		q.mu.Lock()
	}
}

// Take waits for a value and removes it. Values come before any error. Then the error is the one that ended the queue,
// or the cause of whichever context ended.
func (q *Queue[T]) Take(ctx, also context.Context) (v T, err error) {
	q.mu.Lock()
	for {
		if q.head < len(q.items) {
			v = q.remove()
			q.mu.Unlock()
			return v, nil
		}
		if q.err != nil {
			defer q.mu.Unlock()
			return v, q.err
		}
		changed := q.wait()
		select {
		case <-changed:
		case <-ctx.Done():
			return v, context.Cause(ctx)
		case <-also.Done():
			return v, context.Cause(also)
		}
		q.mu.Lock()
	}
}

// Poll takes a value if there is one. It does not wait.
func (q *Queue[T]) Poll() (v T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.head == len(q.items) {
		return v, false
	}
	return q.remove(), true
}

// Unbound lifts the bounds.
func (q *Queue[T]) Unbound() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.MaxItems, q.MaxCost = 0, 0
	q.wake()
}

// Drain removes and gives all values.
func (q *Queue[T]) Drain() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []T
	for q.head < len(q.items) {
		all = append(all, q.remove())
	}
	return all
}

// PutBack puts values that were taken out of the line at its beginning again, whatever the bounds, and
// also behind its end. cost is that of each.
func (q *Queue[T]) PutBack(values []T, cost func(T) int) {
	if len(values) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	items := make([]entry[T], 0, len(values)+len(q.items)-q.head)
	for _, v := range values {
		c := cost(v)
		items = append(items, entry[T]{v, c})
		q.held(c)
	}
	q.items, q.head = append(items, q.items[q.head:]...), 0
	q.wake()
}

// End ends the queue with an error; the first one wins. Values in the queue can still be taken.
func (q *Queue[T]) End(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
		if q.Held != nil {
			q.Held(-q.cost)
			q.Held = nil
		}
		q.wake()
	}
}

func (q *Queue[T]) room(cost int) bool {
	n := len(q.items) - q.head
	return (q.MaxItems == 0 || n < q.MaxItems) && (q.MaxCost == 0 || n == 0 || q.cost+cost <= q.MaxCost)
}

func (q *Queue[T]) append(v T, cost int) {
	if q.head > 32 && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, entry[T]{v, cost})
	q.held(cost)
	q.wake()
}

func (q *Queue[T]) remove() T {
	e := q.items[q.head]
	q.items[q.head] = entry[T]{}
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	q.held(-e.cost)
	q.wake()
	return e.value
}

func (q *Queue[T]) held(cost int) {
	q.cost += cost
	if q.Held != nil {
		q.Held(cost)
	}
}

func (q *Queue[T]) wake() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

// wait gives a channel that is closed at the next change, and unlocks mu.
func (q *Queue[T]) wait() <-chan struct{} {
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	c := q.changed
	q.mu.Unlock()
	return c
}
