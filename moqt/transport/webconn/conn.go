//go:build js

package webconn

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall/js"
	"time"
	"unicode/utf8"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Conn is a browser's WebTransport session; Dial makes it. It implements transport.Conn.
type Conn struct {
	wt     js.Value
	info   transport.Info
	ctx    context.Context
	cancel context.CancelCauseFunc
	cause  atomic.Pointer[transport.CloseError]

	uni, bidi, dgrams *incoming
	out               datagrams

	mu     sync.Mutex
	opened [2]uint64 // streams so far, bidirectional and unidirectional: of this side, and of the peer
	came   [2]uint64
}

// The kinds of streams, as the second lowest bit of a stream id has them (RFC 9000 §2.1).
const (
	bidiStream = 0
	uniStream  = 1
)

// newConn takes a session that is ready.
func newConn(wt js.Value, info transport.Info) *Conn {
	c := &Conn{wt: wt, info: info}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	closed := newCallback(c.closed)
	closed.await(wt.Get("closed"))
	closed.end()
	c.uni = newIncoming(c, wt.Get("incomingUnidirectionalStreams"))
	c.bidi = newIncoming(c, wt.Get("incomingBidirectionalStreams"))
	c.dgrams = newIncoming(c, wt.Get("datagrams").Get("readable"))
	c.out.start(c)
	return c
}

// closed is the end of the session that did not begin here. How the connection below it ended the browser keeps to
// itself.
func (c *Conn) closed(v js.Value, failed bool) {
	if failed {
		c.decide(&transport.CloseError{Transport: true, Gone: true,
			Reason: "the browser says no more than \"" + message(v) + "\""})
		return
	}
	c.decide(&transport.CloseError{Remote: true, Code: code(v.Get("closeCode")), Reason: text(v.Get("reason"))})
}

// decide ends the connection; the first call wins.
func (c *Conn) decide(cause *transport.CloseError) bool {
	if !c.cause.CompareAndSwap(nil, cause) {
		return false
	}
	c.cancel(cause)
	return true
}

// ended is the connection's end, or nil.
func (c *Conn) ended() error {
	if e := c.cause.Load(); e != nil {
		return e
	}
	return nil
}

// goneWait is how long an error of the session, met on a stream, waits for word of the session's end.
const goneWait = 200 * time.Millisecond

// vagueError is the end of a stream of which the browser does not say that it is the stream's. Mostly the session has
// ended. But Chromium also says no more when it sees that a stream is reset before it has read the code.
type vagueError struct{ end *transport.StreamError }

func (e vagueError) Error() string { return e.end.Error() }

// explained is the session's end where a stream has ended with it, else the stream's. It may wait a moment; no lock may
// be held.
func (c *Conn) explained(err error) error {
	vague, ok := err.(vagueError)
	if !ok {
		return err
	}
	t := time.NewTimer(goneWait)
	defer t.Stop()
	select {
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	case <-t.C:
		return vague.end
	}
}

// refused is why no stream could be opened: the session's end, or what the browser says.
func (c *Conn) refused(why js.Value) error {
	t := time.NewTimer(goneWait)
	defer t.Stop()
	select {
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	case <-t.C:
		return errors.New("the browser opens no stream: " + message(why))
	}
}

// Context implements transport.Conn.
func (c *Conn) Context() context.Context { return c.ctx }

// Info implements transport.Conn.
func (c *Conn) Info() transport.Info { return c.info }

// The bounds of CLOSE_WEBTRANSPORT_SESSION (draft-ietf-webtrans-http3 §6).
const (
	maxCloseCode   = 1<<32 - 1
	maxCloseReason = 1024
)

// CloseWithError implements transport.Conn.
func (c *Conn) CloseWithError(code uint64, reason string) error {
	if !c.decide(&transport.CloseError{Code: code, Reason: reason}) {
		return nil
	}
	for len(reason) > maxCloseReason {
		_, last := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-last]
	}
	// What is thrown says that the session has ended already.
	_ = try(func() {
		c.wt.Call("close", map[string]any{"closeCode": min(code, maxCloseCode), "reason": reason})
	})
	return nil
}

// OpenStream implements transport.Conn.
func (c *Conn) OpenStream(ctx context.Context) (transport.Stream, error) {
	v, err := c.open(ctx, "createBidirectionalStream", func(v js.Value) js.Value { return v.Get("writable") })
	if err != nil {
		return nil, err
	}
	return newStream(c, c.number(&c.opened, bidiStream, 0), v), nil
}

// OpenUniStream implements transport.Conn.
func (c *Conn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	v, err := c.open(ctx, "createUnidirectionalStream", func(v js.Value) js.Value { return v })
	if err != nil {
		return nil, err
	}
	return newSend(c, c.number(&c.opened, uniStream, 0), v), nil
}

// open opens a stream. One that comes when ctx has ended is reset.
func (c *Conn) open(ctx context.Context, method string, writable func(js.Value) js.Value) (js.Value, error) {
	if err := c.ended(); err != nil {
		return js.Null(), err
	}
	var promise js.Value
	if thrown := try(func() {
		promise = c.wt.Call(method, map[string]any{"waitUntilAvailable": true})
	}); thrown != nil {
		return js.Null(), c.refused(thrown.Value)
	}
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })()
	s, err := wait(both, promise, func(v js.Value) { ignore(writable(v).Call("abort")) })
	switch {
	case err != nil:
		return js.Null(), err
	case s.failed:
		return js.Null(), c.refused(s.v)
	}
	return s.v, nil
}

// number gives the next id of a kind of streams.
func (c *Conn) number(counts *[2]uint64, kind int, peers uint64) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := counts[kind]
	counts[kind]++
	return n<<2 | uint64(kind)<<1 | peers
}

// AcceptStream implements transport.Conn.
func (c *Conn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	v, err := c.bidi.take(ctx)
	if err != nil {
		return nil, err
	}
	return newStream(c, c.number(&c.came, bidiStream, 1), v), nil
}

// AcceptUniStream implements transport.Conn.
func (c *Conn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	v, err := c.uni.take(ctx)
	if err != nil {
		return nil, err
	}
	return newRecv(c, c.number(&c.came, uniStream, 1), v), nil
}

// incoming is a ReadableStream of streams or datagrams. It always has one read on its way, or one that is done and
// waits in came.
type incoming struct {
	c      *Conn
	reader js.Value
	read   *callback
	came   chan js.Value
}

func newIncoming(c *Conn, readable js.Value) *incoming {
	in := &incoming{c: c, reader: readable.Call("getReader"), came: make(chan js.Value, 1)}
	in.read = newCallback(func(v js.Value, failed bool) {
		if failed || v.Get("done").Bool() {
			in.read.end()
			return // the session is about to end, which its own promise tells
		}
		in.came <- v.Get("value")
	})
	in.next()
	return in
}

func (in *incoming) next() { in.read.await(in.reader.Call("read")) }

// take waits for the next one.
func (in *incoming) take(ctx context.Context) (js.Value, error) {
	if err := in.c.ended(); err != nil {
		return js.Null(), err
	}
	select {
	case v := <-in.came:
		in.next()
		return v, nil
	case <-in.c.ctx.Done():
		return js.Null(), context.Cause(in.c.ctx)
	case <-ctx.Done():
		return js.Null(), context.Cause(ctx)
	}
}

var _ transport.Conn = (*Conn)(nil)
