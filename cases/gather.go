package cases

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Reader reads the objects of one subscription or fetch into a checker, in a goroutine of its own.
type Reader struct {
	// what is its name in failure messages: "FETCH".
	what string
	// ended is closed when the reader has ended. Only then may err be read: io.EOF for a good end.
	ended chan struct{}
	err   error
}

// Read starts a reader. what is its name in failure messages ("FETCH"); next returns one object after the other.
func (s *Session) Read(ctx context.Context, what string, k *Checker, next func(context.Context) (*moqt.Object,
	error)) *Reader {
	r := &Reader{what: what, ended: make(chan struct{})}
	s.e.Go(ctx, func(ctx context.Context) {
		defer close(r.ended)
		for {
			o, err := next(ctx)
			if err != nil {
				r.err = err
				return
			}
			k.Add(o)
		}
	})
	return r
}

// Over reports whether the reader has ended.
func (r *Reader) Over() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// wait waits until nothing is missing. It reports false when the reader has ended first.
func (k *Checker) wait(ctx context.Context, r *Reader) bool {
	select {
	case <-k.done:
		return true
	case <-r.ended:
		return k.Complete()
	case <-ctx.Done():
		return true // who waits next says so
	}
}

// Gather waits until nothing is missing. It ends the case when a reader fails, when all readers have ended and
// something is still missing, and when ctx ends.
func (s *Session) Gather(ctx context.Context, k *Checker, readers ...*Reader) {
	ended := make(chan struct{}, len(readers))
	for _, r := range readers {
		s.e.Go(ctx, func(ctx context.Context) {
			select {
			case <-r.ended:
				ended <- struct{}{}
			case <-ctx.Done():
			}
		})
	}
	for left := len(readers); ; {
		select {
		case <-k.done:
			return
		case <-ended:
			left--
			for _, r := range readers {
				if r.Over() && !errors.Is(r.err, io.EOF) {
					s.broken(ctx, k, r)
				}
			}
			if left == 0 && !k.Complete() {
				s.e.Fail(transport.LayerData, k.Want.String(), k.Problem()+s.log.ends())
			}
		case <-ctx.Done():
			s.Late(ctx, k.Want.String(), k.Problem(), k)
		}
	}
}

// broken ends the case because a reader ended too early.
func (s *Session) broken(ctx context.Context, k *Checker, r *Reader) {
	o := s.e.classify(ctx, r.err, s, transport.LayerData, k.Want.String())
	if o.status == Fail && o.stack == "" {
		lost, whose := o.lost, o.whose
		o = failed(o.layer, o.expected, r.what+" ended after "+k.Count()+": "+o.received)
		o.lost, o.whose = lost, whose
	}
	panic(o)
}

// Finished waits until a reader has ended well. It ends the case when the reader ends otherwise or not in time.
func (s *Session) Finished(ctx context.Context, k *Checker, r *Reader) {
	select {
	case <-r.ended:
		if !errors.Is(r.err, io.EOF) {
			s.broken(ctx, k, r)
		}
	case <-ctx.Done():
		s.Check(ctx, context.Cause(ctx), transport.LayerData, "the end of the "+r.what+" stream")
	}
}

// Exactly ends the case unless the checker has exactly what it wants. late is how long to wait for what should not
// come.
func (s *Session) Exactly(ctx context.Context, k *Checker, late time.Duration, r *Reader) {
	t := time.NewTimer(s.e.settled(late))
	defer t.Stop()
	select {
	case <-r.ended:
	case <-t.C:
	case <-ctx.Done():
	}
	if what := k.Problem(); what != "" {
		s.e.Fail(transport.LayerData, k.Want.String(), what)
	}
}
