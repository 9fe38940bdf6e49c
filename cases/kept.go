package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// keptStreams are data streams of the peer that the session was to stop, while nothing is stopped. A QUIC library
// answers STOP_SENDING with a reset by itself (RFC 9000 §3.5), so what the peer does with a stream whose request was
// cancelled can be seen only when no STOP_SENDING is sent. The streams are read to their end. Safe for concurrent use.
type keptStreams struct {
	ctx context.Context
	e   *Env

	mu      sync.Mutex
	changed broadcast
	all     []*keptStream
	over    bool // nothing is kept any more
}

// keptStream is one of them.
type keptStream struct {
	from *countedReceiveStream
	code uint64 // with which it was to be stopped
	// bytes came since then. end says how the stream ended; nil while it is open.
	bytes int
	end   error
}

// keepStreams keeps the streams that the session stops from now on. The caller calls release in the end.
func (s *Session) keepStreams(ctx context.Context) *keptStreams {
	k := &keptStreams{ctx: ctx, e: s.e, changed: newBroadcast()}
	s.conn.keep.Store(k)
	return k
}

// take keeps a stream. It reports false when nothing is kept any more.
func (k *keptStreams) take(s *countedReceiveStream, code uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return false
	}
	x := &keptStream{from: s, code: code}
	if s.kept.CompareAndSwap(nil, x) {
		k.all = append(k.all, x)
		k.e.Go(k.ctx, func(ctx context.Context) { k.drain(ctx, x) })
		k.changed.fire()
	}
	return true
}

// drain reads a stream to its end.
func (k *keptStreams) drain(ctx context.Context, x *keptStream) {
	stop := context.AfterFunc(ctx, func() { x.from.ReceiveStream.Stop(x.code) })
	defer stop()
	buf := make([]byte, piece)
	for {
		n, err := x.from.read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) { // that was the session's
			_ = x.from.SetReadDeadline(time.Time{})
			err = nil
		}
		k.mu.Lock()
		x.bytes += n
		if err != nil && x.end == nil {
			x.end = err
		}
		k.changed.fire()
		k.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// release stops the streams that are still open.
func (k *keptStreams) release() {
	k.mu.Lock()
	k.over = true
	all := k.all
	k.mu.Unlock()
	for _, x := range all {
		x.from.ReceiveStream.Stop(x.code)
	}
}

// wait waits until there is a stream and all have ended, or ctx ends.
func (k *keptStreams) wait(ctx context.Context) {
	for {
		k.mu.Lock()
		open := len(k.all) == 0
		for _, x := range k.all {
			open = open || x.end == nil
		}
		changed := k.changed.wait()
		k.mu.Unlock()
		if !open {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// WantReset calls cancel, which cancels a request whose data streams are open, and ends the case unless the peer then
// resets these. what is the request for people.
func (s *Session) WantReset(ctx context.Context, what string, cancel func()) {
	k := s.keepStreams(ctx)
	defer k.release()
	cancel()
	step, stop := s.e.Step(ctx)
	defer stop()
	began := time.Now()
	k.wait(step)
	expected := "a reset of the data stream of " + what
	if cause := context.Cause(s.Context()); cause != nil {
		s.Check(ctx, cause, transport.LayerData, expected)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.all) == 0 {
		s.e.Fail(transport.LayerData, expected, "no open data stream")
	}
	for _, x := range k.all {
		var reset *transport.StreamError
		switch {
		case x.end == nil:
			s.e.Fail(transport.LayerData, expected, fmt.Sprintf("a stream that is still open after %d ms, with %d "+
				"bytes more", time.Since(began).Milliseconds(), x.bytes))
		case errors.Is(x.end, io.EOF):
			s.e.Fail(transport.LayerData, expected, fmt.Sprintf("%d bytes more, and FIN", x.bytes))
		case errors.As(x.end, &reset):
			s.e.Note("%s", streamEnd(reset, s.Draft()))
		}
	}
}
