package matrix

import (
	"context"
	"sync"
	"sync/atomic"
)

// slots bound what runs at once: against one relay, and in all. A cell holds one for as long as it runs, and takes more for its cases while
// there are free ones; it never waits for those, so nobody can wait for each other.
type slots struct {
	relay, all chan struct{}
}

// take waits for a slot.
func (s *slots) take(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case s.relay <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case s.all <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-s.relay
		return context.Cause(ctx)
	}
}

// try takes a slot that is free.
func (s *slots) try() bool {
	select {
	case s.relay <- struct{}{}:
	default:
		return false
	}
	select {
	case s.all <- struct{}{}:
		return true
	default:
		<-s.relay
		return false
	}
}

// give gives a slot back.
func (s *slots) give() {
	<-s.all
	<-s.relay
}

// each calls f for 0 to n-1, in this order, on the caller's slot and on as many more as are free; it returns when all calls have.
func (s *slots) each(n int, f func(int)) {
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
