package runner

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
)

const (
	// patience is how long failed cases may take in all before a run hurries and runs the rest in parallel. A relay
	// that answers nothing costs each case its whole limit, and a container has 120 s for the standard set.
	patience = 10 * time.Second
	// standardPatience is how long a run of standard cases alone may take before it hurries, whatever their results.
	// The objects of these cases are small, so that they do not take the path away from each other.
	standardPatience = 30 * time.Second
	// hurried is how many cases run at a time then.
	hurried = 4
)

// schedule runs the cases of a run and gives their results in order. With one case at a time, a case runs when its
// result is asked for, until the run hurries.
type schedule struct {
	o     *Options
	began time.Time
	watch func(Session)  // of the first case
	ahead []chan outcome // one for each case
	done  sync.WaitGroup

	mu     sync.Mutex
	next   int           // the case that starts next
	asked  int           // results up to this one were asked for
	active int           // cases that run
	wasted time.Duration // by cases that failed

	reached atomic.Bool // some case has had a session
	look    *Lookout
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
	s := &schedule{o: o, began: time.Now(), watch: watch, ahead: make([]chan outcome, len(o.Cases)), asked: -1,
		look: o.Lookout}
	if s.look == nil {
		s.look = NewLookout()
	}
	for i := range s.ahead {
		s.ahead[i] = make(chan outcome, 1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start(ctx)
	return s
}

// start starts the cases that may run now, with mu held.
func (s *schedule) start(ctx context.Context) {
	for ; s.next < len(s.ahead) && s.room(); s.next++ {
		i := s.next
		s.active++
		s.done.Go(func() {
			out := s.run(ctx, i)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.active--
			if out.known && out.result.Status == Fail {
				s.wasted += out.result.Duration
			}
			s.ahead[i] <- out
			s.start(ctx)
		})
	}
}

// room reports whether another case may start, with mu held.
func (s *schedule) room() bool {
	if s.o.FirstAlone && s.asked < 1 {
		return s.active == 0 && s.next <= s.asked
	}
	if s.wasted >= patience || s.standard() && time.Since(s.began) >= standardPatience {
		return s.active < max(s.o.Parallel, hurried)
	}
	if s.o.Parallel > 1 {
		return s.active < s.o.Parallel
	}
	return s.active == 0 && s.next <= s.asked
}

// standard reports whether the run has standard cases alone.
func (s *schedule) standard() bool {
	return !slices.ContainsFunc(s.o.Cases, func(c cases.Case) bool { return c.Suite != cases.SuiteStandard })
}

// result waits for the result of a case.
func (s *schedule) result(ctx context.Context, i int) (Result, bool) {
	s.mu.Lock()
	s.asked = i
	s.start(ctx)
	s.mu.Unlock()
	out := <-s.ahead[i]
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
	for second := false; ; second = true {
		turn, ok := s.outages.begin(ctx)
		if !ok {
			return outcome{}
		}
		out.result, out.known = runCase(ctx, s.o.Client, s.o.Cases[i], watch)
		r := &out.result
		if !has || !out.known || !s.reached.Load() || r.Status == Pass || r.Status == NotApplicable {
			return out
		}
		again, waited := s.outages.end(ctx, turn, i, r, s.look, pulse, second)
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

// lost gives the case in which the relay was lost for good, and its number in the run; "" if there is none.
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
