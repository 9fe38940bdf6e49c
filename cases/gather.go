package cases

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// reader takes the objects of one subscription or fetch to a checker, beside the case.
type reader struct {
	// what names it in failures, "FETCH".
	what string
	// ended is closed when it has ended; err is io.EOF for a good end, and may be read then.
	ended chan struct{}
	err   error
}

// read starts a reader: next gives one object after the other.
func (s *Session) read(ctx context.Context, what string, k *checker, next func(context.Context) (*moqt.Object,
	error)) *reader {
	r := &reader{what: what, ended: make(chan struct{})}
	s.e.Go(ctx, func(ctx context.Context) {
		defer close(r.ended)
		for {
			o, err := next(ctx)
			if err != nil {
				r.err = err
				return
			}
			k.add(o)
		}
	})
	return r
}

// over reports whether the reader has ended.
func (r *reader) over() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// gather waits until nothing is missing. It ends the case when a reader fails, when all of them have ended and
// something is still missing, and when ctx ends.
func (s *Session) gather(ctx context.Context, k *checker, readers ...*reader) {
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
				if r.over() && !errors.Is(r.err, io.EOF) {
					s.broken(ctx, k, r)
				}
			}
			if left == 0 && !k.complete() {
				s.e.Fail(transport.LayerData, k.want.String(), k.problem())
			}
		case <-ctx.Done():
			o := s.e.classify(ctx, context.Cause(ctx), s, transport.LayerData, k.want.String())
			if o.layer == transport.LayerData && o.expected == k.want.String() && !o.quiet {
				o = failed(transport.LayerData, k.want.String(), k.problem()+"; "+s.log.stall(time.Now()))
			}
			panic(o)
		}
	}
}

// broken ends the case because of how a reader ended.
func (s *Session) broken(ctx context.Context, k *checker, r *reader) {
	o := s.e.classify(ctx, r.err, s, transport.LayerData, k.want.String())
	if o.status == Fail && o.stack == "" {
		o = failed(o.layer, o.expected, r.what+" ended after "+k.count()+": "+o.received)
	}
	panic(o)
}

// finished waits until a reader has come to its good end, and ends the case when it comes to another or to none.
func (s *Session) finished(ctx context.Context, k *checker, r *reader) {
	select {
	case <-r.ended:
		if !errors.Is(r.err, io.EOF) {
			s.broken(ctx, k, r)
		}
	case <-ctx.Done():
		s.Check(ctx, context.Cause(ctx), transport.LayerData, "the end of the "+r.what+" stream")
	}
}

// exact ends the case unless the checker has exactly what it wants. late is how long something that should not come may
// still do so.
func (s *Session) exact(ctx context.Context, k *checker, late time.Duration, r *reader) {
	t := time.NewTimer(late)
	defer t.Stop()
	select {
	case <-r.ended:
	case <-t.C:
	case <-ctx.Done():
	}
	if what := k.problem(); what != "" {
		s.e.Fail(transport.LayerData, k.want.String(), what)
	}
}
