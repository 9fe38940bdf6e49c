// Package wtconn is transport.Conn on WebTransport over HTTP/3, client and server.
//
// WebTransport is not one thing: its drafts differ in settings, in the :protocol token and in requirements, and the
// deployed stacks stand at different drafts. quic-go's own client reaches only the newest; this one reads the server's
// SETTINGS and asks for what they announce. The HTTP/3 below (request streams, QPACK) is quic-go's; a connection
// carries one session.
package wtconn

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/internal/quicbase"
	"github.com/moqinterop/moq-interop-client/moqt/transport/quicconn"
)

// Conn is a WebTransport session; it implements transport.Conn.
type Conn struct {
	base *quicbase.Base
	info transport.Info

	// The HTTP/3 library's share: streams that are not WebTransport's.
	otherUni  func(*quic.ReceiveStream)
	otherBidi func(*quic.Stream)
	requests  chan struct{} // has an item for each stream that otherBidi is busy with

	workers  sync.WaitGroup
	critical [len(criticalStreams)]atomic.Bool // streams of that type that have come
	settled  chan struct{}                     // closed once the peer's SETTINGS are known
	settings settings

	established chan struct{} // closed once the session is; the fields below are set by then
	connect     connectStream
	uniHeader   []byte
	bidiHeader  []byte
	dgramHeader []byte

	uni      chan *quic.ReceiveStream
	tell     atomic.Pointer[func(id uint64, coming bool)] // see TellUniStreams
	bidi     chan *quic.Stream
	foreign  atomic.Uint64
	draining chan struct{}
	drain    sync.Once
}

// connectStream is the stream of the CONNECT request, which frames what is written into DATA frames.
type connectStream interface {
	io.ReadWriteCloser
	CancelRead(quic.StreamErrorCode)
	CancelWrite(quic.StreamErrorCode)
	SetWriteDeadline(time.Time) error
	Context() context.Context
	StreamID() quic.StreamID
}

// newConn takes over a QUIC connection. onEnd and panicked may be nil.
func newConn(q *quic.Conn, onEnd func(), panicked func(value any, stack []byte)) *Conn {
	c := &Conn{
		settled:     make(chan struct{}),
		established: make(chan struct{}),
		uni:         make(chan *quic.ReceiveStream),
		bidi:        make(chan *quic.Stream),
		requests:    make(chan struct{}, maxRequests),
		draining:    make(chan struct{}),
	}
	c.workers.Add(1) // until establish or abandon
	c.base = quicbase.NewBase(q, quicbase.Hooks{Classify: classify, Panicked: panicked, OnEnd: func() {
		c.workers.Wait()
		if onEnd != nil {
			onEnd()
		}
	}, Broken: func() (*transport.CloseError, uint64) {
		const code = uint64(http3.ErrCodeInternalError)
		return http3End(code, false, "a goroutine of the connection panicked"), code
	}})
	return c
}

// spawn starts a goroutine that the end of the connection waits for. A panic in it ends the connection.
func (c *Conn) spawn(f func()) { c.workers.Go(func() { c.base.Guard(f) }) }

// fail ends the connection because of what the peer did.
func (c *Conn) fail(code http3.ErrCode, what string) {
	if c.base.Decide(http3End(uint64(code), false, what)) {
		c.base.CloseDecided(uint64(code), what)
	}
}

// establish makes the session usable. It is called once, before info is read.
func (c *Conn) establish(connect connectStream, info transport.Info) {
	info.Kind, info.ALPN, info.WireStreamIDs = transport.WebTransport,
		c.base.Q.ConnectionState().TLS.NegotiatedProtocol, true
	info.LocalAddr, info.RemoteAddr = c.base.Q.LocalAddr(), c.base.Q.RemoteAddr()
	c.info = info
	c.connect = connect
	id := uint64(connect.StreamID())
	c.uniHeader = quicvarint.Append(quicvarint.Append(nil, streamTypeUni), id)
	c.bidiHeader = quicvarint.Append(quicvarint.Append(nil, streamTypeBidi), id)
	c.dgramHeader = quicvarint.Append(nil, id/4)
	close(c.established)
	c.spawn(c.readCapsules)
	c.workers.Done()
}

// abandon ends the connection of a session that was not established, and waits until all is freed.
func (c *Conn) abandon(code http3.ErrCode, reason string) {
	c.workers.Done()
	c.base.Close(http3End(uint64(code), false, reason), uint64(code), reason)
}

// Info implements transport.Conn.
func (c *Conn) Info() transport.Info { return c.info }

// QUIC is the connection below, for its statistics. Its streams, datagrams and end are the Conn's.
func (c *Conn) QUIC() *quic.Conn { return c.base.Q }

// Path implements transport.PathTeller.
func (c *Conn) Path() transport.Path { return c.base.Path() }

// Context implements transport.Conn.
func (c *Conn) Context() context.Context { return c.base.Context() }

// Draining is closed when the peer has asked for the end of the session, with DRAIN_WEBTRANSPORT_SESSION or GOAWAY.
func (c *Conn) Draining() <-chan struct{} { return c.draining }

func (c *Conn) drained() { c.drain.Do(func() { close(c.draining) }) }

// ForeignDatagrams is how many datagrams for other sessions came and were dropped.
func (c *Conn) ForeignDatagrams() uint64 { return c.foreign.Load() }

// OpenStream implements transport.Conn.
func (c *Conn) OpenStream(ctx context.Context) (transport.Stream, error) {
	if err := c.base.Ended(); err != nil {
		return nil, err
	}
	s, err := c.base.Q.OpenStreamSync(ctx)
	if err != nil {
		return nil, c.base.Err(err)
	}
	return quicbase.NewBidi(s, mapper{c.base}, c.bidiHeader), nil
}

// OpenUniStream implements transport.Conn.
func (c *Conn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	if err := c.base.Ended(); err != nil {
		return nil, err
	}
	s, err := c.base.Q.OpenUniStreamSync(ctx)
	if err != nil {
		return nil, c.base.Err(err)
	}
	return quicbase.NewSend(s, mapper{c.base}, c.uniHeader), nil
}

// AcceptStream implements transport.Conn.
func (c *Conn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := accept(c, ctx, c.bidi)
	if err != nil {
		return nil, err
	}
	return quicbase.NewBidi(s, mapper{c.base}, nil), nil
}

// AcceptUniStream implements transport.Conn.
func (c *Conn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := accept(c, ctx, c.uni)
	if err != nil {
		return nil, err
	}
	return quicbase.NewRecv(s, mapper{c.base}), nil
}

func accept[S any](c *Conn, ctx context.Context, from <-chan S) (s S, err error) {
	if err := c.base.Ended(); err != nil {
		return s, err
	}
	select {
	case s = <-from:
		return s, nil
	case <-c.base.Context().Done():
		return s, context.Cause(c.base.Context())
	case <-ctx.Done():
		return s, ctx.Err()
	}
}

var datagramBuffers = sync.Pool{New: func() any { return new([]byte) }}

// SendDatagram implements transport.Conn. It waits while the queue of datagrams to be sent is full.
func (c *Conn) SendDatagram(b []byte) error {
	if err := c.base.Ended(); err != nil {
		return err
	}
	if !c.settings.on(settingDatagram) {
		return errors.New("the peer did not announce H3_DATAGRAM: it takes no datagrams")
	}
	buf := datagramBuffers.Get().(*[]byte)
	defer datagramBuffers.Put(buf)
	*buf = append(append((*buf)[:0], c.dgramHeader...), b...)
	return quicconn.DatagramError(c.base.Q.SendDatagram(*buf), len(*buf), len(c.dgramHeader), c.base.Err)
}

// maxQuarter is the largest quarter stream id: stream ids are below 2^62 (RFC 9297 §2.1).
const maxQuarter = 1<<60 - 1

// ReceiveDatagram implements transport.Conn.
func (c *Conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	for {
		if err := c.base.Ended(); err != nil {
			return nil, err
		}
		b, err := c.base.Q.ReceiveDatagram(ctx)
		if err != nil {
			return nil, c.base.Err(err)
		}
		quarter, n, err := quicvarint.Parse(b)
		if err != nil || quarter > maxQuarter {
			c.fail(http3.ErrCodeDatagramError, "a datagram without a quarter stream id")
			continue
		}
		if quarter == uint64(c.connect.StreamID())/4 {
			return b[n:], nil
		}
		c.foreign.Add(1)
	}
}

// mapper maps codes as WebTransport does.
type mapper struct{ *quicbase.Base }

func (mapper) ToWire(code uint64) quic.StreamErrorCode { return quic.StreamErrorCode(toHTTP(code)) }

func (mapper) FromWire(wire quic.StreamErrorCode) (uint64, bool) {
	if code, ok := fromHTTP(uint64(wire)); ok {
		return code, true
	}
	return uint64(wire), false
}

// maxHeader and maxRequestHeader bound the header fields of an answer and of a request, in bytes. A server reads a few
// requests at a time.
const (
	maxHeader        = 64 << 10
	maxRequestHeader = 16 << 10
)

// goneWait is how long a stream that ended because its session did waits for word of that end, which may arrive later.
const goneWait = time.Second

func (m mapper) Gone(wire quic.StreamErrorCode) error {
	if wire != codeSessionGone {
		return nil
	}
	t := time.NewTimer(goneWait)
	defer t.Stop()
	select {
	case <-m.Context().Done():
		return context.Cause(m.Context())
	case <-t.C:
		return nil
	}
}

var _ transport.Conn = (*Conn)(nil)
