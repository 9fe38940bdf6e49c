//go:build js

package webconn

import (
	"context"
	"io"
	"sync"
	"syscall/js"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// stream is a bidirectional stream.
type stream struct {
	*send
	*recv
}

func newStream(c *Conn, id uint64, v js.Value) *stream {
	return &stream{newSend(c, id, v.Get("writable")), newRecv(c, id, v.Get("readable"))}
}

// StreamID implements transport.Stream.
func (s *stream) StreamID() uint64 { return s.send.id }

// awaken wakes who waits for news, without waiting.
func awaken(news chan struct{}) {
	select {
	case news <- struct{}{}:
	default:
	}
}

// pause waits for news, until the deadline passes or the connection ends.
func (c *Conn) pause(news chan struct{}, deadline time.Time) {
	var late <-chan time.Time
	if !deadline.IsZero() {
		t := time.NewTimer(time.Until(deadline))
		defer t.Stop()
		late = t.C
	}
	select {
	case <-news:
	case <-late:
	case <-c.ctx.Done():
	}
}

// recv is the receiving direction of a stream.
type recv struct {
	c      *Conn
	id     uint64
	reader js.Value
	read   *callback
	forget func() bool // that read ends with the connection
	news   chan struct{}

	mu       sync.Mutex
	buf      []byte // read from the browser, and by nobody here
	reading  bool
	err      error // how the direction has ended
	deadline time.Time
}

func newRecv(c *Conn, id uint64, readable js.Value) *recv {
	r := &recv{c: c, id: id, reader: readable.Call("getReader"), news: make(chan struct{}, 1)}
	r.read = newCallback(r.came)
	r.forget = context.AfterFunc(c.ctx, r.read.end)
	return r
}

// finish takes the end of the direction. The caller holds mu.
func (r *recv) finish(err error) {
	r.err = err
	r.forget()
	r.read.end()
}

// came takes a chunk, or the end.
func (r *recv) came(v js.Value, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer awaken(r.news)
	r.reading = false
	switch {
	case r.err != nil:
	case failed && ofSession(v):
		r.finish(vagueError{streamError(r.id, false, v)})
	case failed:
		r.finish(streamError(r.id, false, v))
	case v.Get("done").Bool():
		r.finish(io.EOF)
	default:
		r.buf = bytesOf(v.Get("value"))
	}
}

// StreamID implements transport.ReceiveStream.
func (r *recv) StreamID() uint64 { return r.id }

// Read implements transport.ReceiveStream.
func (r *recv) Read(p []byte) (int, error) {
	for {
		n, deadline, err, wait := r.step(p)
		if !wait {
			return n, r.c.explained(err)
		}
		r.c.pause(r.news, deadline)
	}
}

// step reads what there is. If there is nothing, it asks the browser for it, and Read has to wait.
func (r *recv) step(p []byte) (n int, deadline time.Time, err error, wait bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.c.ended() != nil:
		return 0, deadline, r.c.ended(), false
	case len(r.buf) > 0:
		n = copy(p, r.buf)
		r.buf = r.buf[n:]
		return n, deadline, nil, false
	case r.err != nil:
		return 0, deadline, r.err, false
	case len(p) == 0:
		return 0, deadline, nil, false
	case passed(r.deadline):
		return 0, deadline, errTimeout, false
	}
	if !r.reading {
		r.reading = true
		r.read.await(r.reader.Call("read"))
	}
	return 0, r.deadline, nil, true
}

// Stop implements transport.ReceiveStream.
func (r *recv) Stop(code uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil || r.c.ended() != nil {
		return
	}
	r.finish(&transport.StreamError{StreamID: r.id, Stop: true, Code: code})
	r.buf = nil
	ignore(r.reader.Call("cancel", newError(code)))
	awaken(r.news)
}

// SetReadDeadline implements transport.ReceiveStream.
func (r *recv) SetReadDeadline(t time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deadline = t
	awaken(r.news)
	return nil
}

// waiting is how many bytes may wait behind the write that is in flight before Write waits too.
const waiting = 64 << 10

// send is the sending direction of a stream. What is written while a write is in flight goes out with the next one: a
// write costs the browser much more than a byte does.
type send struct {
	c       *Conn
	id      uint64
	writer  js.Value
	written *callback
	news    chan struct{}
	ctx     context.Context
	cancel  context.CancelCauseFunc

	mu       sync.Mutex
	buf      []byte // waits for the write in flight
	flying   bool
	fin      bool // Close was called
	finished bool // and the browser has been told
	err      error
	deadline time.Time
}

func newSend(c *Conn, id uint64, writable js.Value) *send {
	s := &send{c: c, id: id, writer: writable.Call("getWriter"), news: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancelCause(c.ctx)
	s.written = newCallback(s.flown)
	context.AfterFunc(s.ctx, s.written.end)
	over := newCallback(s.over)
	over.await(s.writer.Get("closed"))
	over.end()
	return s
}

// over is the end of the direction: the browser has taken the FIN, the peer has stopped it, or the session has ended.
func (s *send) over(v js.Value, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer awaken(s.news)
	switch {
	case s.err != nil: // reset here
	case !failed:
		s.cancel(nil)
	case ofSession(v):
		vague := vagueError{streamError(s.id, true, v)}
		s.err = vague
		go func() { s.cancel(s.c.explained(vague)) }()
	default:
		s.err = streamError(s.id, true, v)
		s.buf = nil
		s.cancel(s.err)
	}
}

// flown is the end of a write. One that failed shows in over.
func (s *send) flown(_ js.Value, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer awaken(s.news)
	s.flying = false
	if !failed {
		s.fly()
	}
}

// fly writes what waits, and then the FIN, unless a write is in flight. The caller holds mu.
func (s *send) fly() {
	switch {
	case s.flying || s.err != nil || s.finished:
	case len(s.buf) > 0:
		s.flying = true
		s.written.await(s.writer.Call("write", array(s.buf)))
		s.buf = s.buf[:0]
	case s.fin:
		s.finished = true
		ignore(s.writer.Call("close"))
	}
}

// StreamID implements transport.SendStream.
func (s *send) StreamID() uint64 { return s.id }

// Context implements transport.SendStream.
func (s *send) Context() context.Context { return s.ctx }

// Write implements transport.SendStream.
func (s *send) Write(p []byte) (int, error) {
	for n := 0; ; {
		took, deadline, err, wait := s.step(p[n:])
		n += took
		if !wait {
			return n, s.c.explained(err)
		}
		s.c.pause(s.news, deadline)
	}
}

// step takes what there is room for. If that is not all, Write has to wait.
func (s *send) step(p []byte) (n int, deadline time.Time, err error, wait bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err = s.ended(); err != nil || len(p) == 0 {
		return 0, deadline, err, false
	}
	if passed(s.deadline) {
		return 0, deadline, errTimeout, false
	}
	n = min(len(p), waiting-len(s.buf))
	s.buf = append(s.buf, p[:n]...)
	s.fly()
	return n, s.deadline, nil, n < len(p)
}

// ended says why nothing can be written any more. The caller holds mu.
func (s *send) ended() error {
	switch {
	case s.c.ended() != nil:
		return s.c.ended()
	case s.err != nil:
		return s.err
	case s.fin:
		return io.ErrClosedPipe
	}
	return nil
}

// Close implements transport.SendStream.
func (s *send) Close() error { return s.c.explained(s.finish()) }

func (s *send) finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fin && s.err == nil {
		return nil
	}
	if err := s.ended(); err != nil {
		return err
	}
	s.fin = true
	s.fly()
	return nil
}

// Reset implements transport.SendStream.
func (s *send) Reset(code uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.ctx.Err() != nil {
		return
	}
	s.err = &transport.StreamError{StreamID: s.id, Code: code}
	s.buf = nil
	ignore(s.writer.Call("abort", newError(code)))
	s.cancel(s.err)
	awaken(s.news)
}

// SetWriteDeadline implements transport.SendStream.
func (s *send) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	awaken(s.news)
	return nil
}

var _ transport.Stream = (*stream)(nil)
