package matrix

import (
	"context"
	"sync"
	"sync/atomic"
)

// slots bound what runs at once: each channel is a bound, and one slot is a place in all of them, taken in order. A
// cell holds one for as long as it runs, and takes more for its cases while there are free ones; it never waits for
// those, so nobody can wait for each other.
type slots []chan struct{}

// take waits for a slot.
func (s slots) take(ctx context.Context) error {
	for i, bound := range s {
		if ctx.Err() == nil {
			select {
			case bound <- struct{}{}:
				continue
			case <-ctx.Done():
			}
		}
		s[:i].give()
		return context.Cause(ctx)
	}
	return nil
}

// try takes a slot that is free.
func (s slots) try() bool {
	for i, bound := range s {
		select {
		case bound <- struct{}{}:
		default:
			s[:i].give()
			return false
		}
	}
	return true
}

// give gives a slot back.
func (s slots) give() {
	for i := len(s) - 1; i >= 0; i-- {
		<-s[i]
	}
}

// size is how many places there are at most.
func (s slots) size() int {
	size := cap(s[0])
	for _, bound := range s {
		size = min(size, cap(bound))
	}
	return size
}

// each calls f for 0 to n-1, in this order, on the caller's slot and on as many more as are free; it returns when all
// calls have.
func (s slots) each(n int, f func(int)) {
	var next atomic.Int64
	var helpers sync.WaitGroup
	var work func()
	work = func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			for int(next.Load()) < n && s.try() {
				helpers.Go(func() {
					defer s.give()
					work()
				})
			}
			f(i)
		}
	}
	work()
	helpers.Wait()
}
