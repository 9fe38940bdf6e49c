// Package memconn is a pair of connections in memory: streams with back-pressure, stream limits, datagrams,
// close codes and deadlines, as QUIC has them, and faults on request.
//
// It starts no goroutines and opens no sockets, and takes time from package time alone, so it works inside a
// testing/synctest bubble (make the pair inside it).
package memconn

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// The defaults of Options.
const (
	DefaultStreamBuffer    = 64 << 10
	DefaultMaxStreams      = 1 << 16
	DefaultMaxDatagramSize = 1200
	DefaultDatagramQueue   = 256
)

// Options shape a pair. The zero value is a perfect connection with the default limits.
type Options struct {
	// Info is what both sides report, so that a session can negotiate on it. Client is set for each side, WireStreamIDs
	// on both; an empty Kind is transport.Memory.
	Info transport.Info
	// StreamBuffer is how many bytes one direction of a stream holds before Write waits.
	StreamBuffer int
	// MaxStreams and MaxUniStreams bound the streams of each kind that one side may have open at a time;
	// a stream counts until both its directions have ended. Negative allows none.
	MaxStreams, MaxUniStreams int
	// MaxDatagramSize is the largest datagram in bytes; a negative one allows none.
	MaxDatagramSize int
	// DatagramQueue is how many datagrams wait at the receiver; further ones are lost and counted (Conn.LostDatagrams).
	DatagramQueue int
	// Faults chooses what goes wrong on each direction of each stream; nil is nothing.
	Faults func(StreamInfo) Fault
	// DatagramFaults chooses what goes wrong with each datagram; nil is nothing.
	DatagramFaults func(DatagramInfo) DatagramFault
}

// Pair gives the two ends of a connection. Closing either ends both.
func Pair(opts Options) (client, server *Conn) {
	def := func(p *int, value int) {
		if *p == 0 {
			*p = value
		}
	}
	def(&opts.StreamBuffer, DefaultStreamBuffer)
	def(&opts.MaxStreams, DefaultMaxStreams)
	def(&opts.MaxUniStreams, DefaultMaxStreams)
	def(&opts.MaxDatagramSize, DefaultMaxDatagramSize)
	def(&opts.DatagramQueue, DefaultDatagramQueue)
	if opts.Info.Kind == "" {
		opts.Info.Kind = transport.Memory
	}
	l := &link{opts: opts, live: make(map[*half]struct{}), timers: make(map[*time.Timer]struct{})}
	client, server = newConn(l, true), newConn(l, false)
	client.peer, server.peer = server, client
	return client, server
}

// link is what both ends share. Its mutex guards everything, the halves included: a pair serves tests, and one lock
// keeps what the two sides see consistent.
type link struct {
	mu     sync.Mutex
	opts   Options
	live   map[*half]struct{} // directions that have not ended: to be woken when the connection ends
	timers map[*time.Timer]struct{}
}

// after runs f under the lock after d, unless the connection has ended by then. The caller holds mu.
func (l *link) after(d time.Duration, f func()) {
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if _, ok := l.timers[t]; ok {
			delete(l.timers, t)
			f()
		}
	})
	l.timers[t] = struct{}{}
}

// end ends both sides; the first call wins. The caller holds mu.
func (l *link) end(c *Conn, here, there *transport.CloseError) {
	if c.err != nil {
		return
	}
	c.err, c.peer.err = here, there
	for t := range l.timers {
		t.Stop()
	}
	clear(l.timers)
	for _, side := range []*Conn{c, c.peer} {
		side.cancel(side.err)
		side.changed.Broadcast()
	}
	for h := range l.live {
		h.changed.Broadcast()
	}
	clear(l.live)
}

// Conn is one end of a pair; it implements transport.Conn.
type Conn struct {
	link   *link
	peer   *Conn
	info   transport.Info
	ctx    context.Context
	cancel context.CancelCauseFunc

	changed *sync.Cond // something came to accept or receive, a stream may be opened, or the connection ended
	err     *transport.CloseError
	bidi    space // streams that this side opens
	uni     space
	dgrams  [][]byte // received
	dgramNo int      // sent so far
	lost    int
}

// space is one kind of stream as one side opens it.
type space struct {
	next    int       // number of streams opened so far
	open    int       // number of them that have not ended
	pending []*Stream // opened here, not yet seen by the peer
	ready   []*Stream // seen by the peer, not yet accepted
}

func newConn(l *link, isClient bool) *Conn {
	c := &Conn{link: l, info: l.opts.Info, changed: sync.NewCond(&l.mu)}
	c.info.Client, c.info.WireStreamIDs = isClient, true
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	return c
}

// Context implements transport.Conn.
func (c *Conn) Context() context.Context { return c.ctx }

// Info implements transport.Conn.
func (c *Conn) Info() transport.Info { return c.info }

// CloseWithError implements transport.Conn. The peer knows at once; what it has not read by then is lost, as in QUIC.
func (c *Conn) CloseWithError(code uint64, reason string) error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.link.end(c, &transport.CloseError{Code: code, Reason: reason},
		&transport.CloseError{Remote: true, Code: code, Reason: reason})
	return nil
}

// Abort ends both sides with the same cause, as when the network fails: an idle timeout, for instance.
func (c *Conn) Abort(cause transport.CloseError) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	other := cause
	c.link.end(c, &cause, &other)
}

// wait blocks until ok holds, the connection has ended or ctx has. It locks mu, and leaves it locked on success alone.
func (c *Conn) wait(ctx context.Context, ok func() bool) error {
	c.link.mu.Lock()
	check := func() (bool, error) {
		switch {
		case c.err != nil:
			return true, c.err
		case ctx.Err() != nil:
			return true, context.Cause(ctx)
		}
		return ok(), nil
	}
	done, err := check()
	if !done {
		stop := context.AfterFunc(ctx, func() {
			c.link.mu.Lock()
			defer c.link.mu.Unlock()
			c.changed.Broadcast()
		})
		defer stop()
	}
	for !done {
		c.changed.Wait()
		done, err = check()
	}
	if err != nil {
		c.link.mu.Unlock()
	}
	return err
}

// OpenStream implements transport.Conn.
func (c *Conn) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.open(ctx, &c.bidi, false, c.link.opts.MaxStreams)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenUniStream implements transport.Conn.
func (c *Conn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	s, err := c.open(ctx, &c.uni, true, c.link.opts.MaxUniStreams)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (c *Conn) open(ctx context.Context, sp *space, uni bool, limit int) (*Stream, error) {
	if err := c.wait(ctx, func() bool { return sp.open < limit }); err != nil {
		return nil, err
	}
	defer c.link.mu.Unlock()
	id := uint64(sp.next) << 2
	if !c.info.Client {
		id |= 1
	}
	if uni {
		id |= 2
	}
	near, far := newStreams(c, sp, id, sp.next, uni)
	sp.next++
	sp.open++
	sp.pending = append(sp.pending, far)
	return near, nil
}

// show makes a stream of this side, and every earlier one of its kind, acceptable: the peer learns of a stream from its
// first frame, and then of all with lower ids (RFC 9000 §2.1). The caller holds mu.
func (c *Conn) show(sp *space, id uint64) {
	n := 0
	for n < len(sp.pending) && sp.pending[n].id <= id {
		n++
	}
	if n == 0 {
		return
	}
	sp.ready = append(sp.ready, sp.pending[:n]...)
	sp.pending = slices.Delete(sp.pending, 0, n)
	c.peer.changed.Broadcast()
}

// AcceptStream implements transport.Conn.
func (c *Conn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.accept(ctx, &c.peer.bidi)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// AcceptUniStream implements transport.Conn.
func (c *Conn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := c.accept(ctx, &c.peer.uni)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (c *Conn) accept(ctx context.Context, sp *space) (*Stream, error) {
	if err := c.wait(ctx, func() bool { return len(sp.ready) > 0 }); err != nil {
		return nil, err
	}
	defer c.link.mu.Unlock()
	s := sp.ready[0]
	sp.ready = slices.Delete(sp.ready, 0, 1)
	return s, nil
}

// SendDatagram implements transport.Conn. It never waits: a datagram for which the receiver has no room is lost.
func (c *Conn) SendDatagram(b []byte) error {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if limit := max(0, l.opts.MaxDatagramSize); len(b) > limit {
		return &transport.DatagramTooLargeError{Size: len(b), Max: limit}
	}
	var fault DatagramFault
	if l.opts.DatagramFaults != nil {
		fault = l.opts.DatagramFaults(DatagramInfo{FromClient: c.info.Client, Index: c.dgramNo, Size: len(b)})
	}
	c.dgramNo++
	if fault.Drop {
		c.peer.lost++
		return nil
	}
	own := slices.Clone(b)
	if fault.Delay > 0 {
		l.after(fault.Delay, func() { c.peer.deliver(own) })
		return nil
	}
	c.peer.deliver(own)
	return nil
}

// deliver queues a received datagram. The caller holds mu.
func (c *Conn) deliver(b []byte) {
	if len(c.dgrams) >= c.link.opts.DatagramQueue {
		c.lost++
		return
	}
	c.dgrams = append(c.dgrams, b)
	c.changed.Broadcast()
}

// ReceiveDatagram implements transport.Conn.
func (c *Conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	if err := c.wait(ctx, func() bool { return len(c.dgrams) > 0 }); err != nil {
		return nil, err
	}
	defer c.link.mu.Unlock()
	b := c.dgrams[0]
	c.dgrams = slices.Delete(c.dgrams, 0, 1)
	return b, nil
}

// LostDatagrams is how many datagrams towards this side were lost: no room, or a fault.
func (c *Conn) LostDatagrams() int {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.lost
}

var _ transport.Conn = (*Conn)(nil)
