package runner

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/cases"
)

// schedule runs the cases of a run and gives their results in order. With one case at a time, each runs when its result
// is asked for.
type schedule struct {
	o     *Options
	watch func(Session) // of the first case

	ahead []chan outcome // one for each case; nil for one at a time
	done  sync.WaitGroup

	reached atomic.Bool // some case has had a session
	outages outages
	trace   sync.Mutex
}

// outcome is a case's result, and whether there is one.
type outcome struct {
	result Result
	known  bool
}

// begin starts up to Options.Parallel cases at a time, in order; ctx ends them. join waits for all of them.
func begin(ctx context.Context, o *Options, watch func(Session)) *schedule {
	s := &schedule{o: o, watch: watch}
	if o.Parallel <= 1 {
		return s
	}
	s.ahead = make([]chan outcome, len(o.Cases))
	for i := range s.ahead {
		s.ahead[i] = make(chan outcome, 1)
	}
	next := make(chan int, len(o.Cases))
	for i := range o.Cases {
		next <- i
	}
	close(next)
	for range min(o.Parallel, len(o.Cases)) {
		s.done.Go(func() {
			for i := range next {
				s.ahead[i] <- s.run(ctx, i)
			}
		})
	}
	return s
}

// result waits for the result of a case.
func (s *schedule) result(ctx context.Context, i int) (Result, bool) {
	out := outcome{}
	if s.ahead == nil {
		out = s.run(ctx, i)
	} else {
		out = <-s.ahead[i]
	}
	if out.known {
		s.tell(s.o.Cases[i], &out.result)
	}
	return out.result, out.known
}

// run runs one case.
func (s *schedule) run(ctx context.Context, i int) (out outcome) {
	watch := func(first Session) {
		s.reached.Store(true)
		if i == 0 {
			s.watch(first)
		}
	}
	if ctx.Err() == nil {
		s.tell(s.o.Cases[i], nil)
	}
	pulse, has := s.o.Client.(Pulse)
	for {
		turn, ok := s.outages.begin(ctx)
		if !ok {
			return outcome{}
		}
		out.result, out.known = runCase(ctx, s.o.Client, s.o.Cases[i], watch)
		r := &out.result
		if !has || !out.known || !s.reached.Load() || r.Status == Pass || r.Status == NotApplicable {
			return out
		}
		again, waited := s.outages.end(ctx, turn, i, r, pulse)
		lost, at := s.lost()
		switch {
		case again:
			continue
		case lost != "" && at == i:
			r.Message = "the relay answered before and was lost: " + firstOf(r.Message, r.Received)
		case waited > 0:
			r.Message = "the relay answered before and was lost: " + firstOf(r.Message, r.Received)
			r.Notes = append(r.Notes, "the relay answers again after "+took(waited))
		}
		return out
	}
}

// lost gives the case in which the relay was lost for good, and its place in the run; "" while there is none.
func (s *schedule) lost() (id string, at int) { return s.outages.lost() }

// tell calls Options.Trace, never twice at a time.
func (s *schedule) tell(c cases.Case, r *Result) {
	if s.o.Trace == nil {
		return
	}
	s.trace.Lock()
	defer s.trace.Unlock()
	s.o.Trace(c, r)
}

// join waits until all cases have ended.
func (s *schedule) join() { s.done.Wait() }
