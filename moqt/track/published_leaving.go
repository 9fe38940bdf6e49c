package track

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
)

// mostLeaving bounds, in bytes, what waits in a subscriber's streams that have ended. Without it small groups, each of
// which fits into the buffer of its stream, would gather up to the limit of streams, and nothing would push back.
const mostLeaving = 1 << 20

// leaving is what waits in streams that have ended. A stream weighs a small buffer at least.
type leaving struct {
	bytes atomic.Int64
	less  chan struct{} // it has become less
}

// wait waits until a stream more is allowed, and says how long.
func (l *leaving) wait(ctx context.Context, gone <-chan struct{}) (waited time.Duration, err error) {
	if l.bytes.Load() <= mostLeaving {
		return 0, nil
	}
	began := time.Now()
	for l.bytes.Load() > mostLeaving {
		select {
		case <-l.less:
		case <-gone:
			return time.Since(began), errOutletReset
		case <-ctx.Done():
			return time.Since(began), context.Cause(ctx)
		}
	}
	stream.Signal(l.less) // several may wait
	return time.Since(began), nil
}
