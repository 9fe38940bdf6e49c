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
	"fmt"
	"io"
	"net"
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

// The first varint of a WebTransport stream; the session id follows (draft-ietf-webtrans-http3 §4.2 and §4.3).
const (
	streamTypeUni  = 0x54
	streamTypeBidi = 0x41
)

// criticalStreams are the types of HTTP/3's own streams of which a peer may open one each: the control stream (RFC 9114
// §6.2.1) and QPACK's two (RFC 9204 §4.2).
var criticalStreams = [...]string{"control", 2: "QPACK encoder", 3: "QPACK decoder"}

const streamControl = 0 // index in criticalStreams

// maxWaiting bounds the incoming streams of each kind whose header is still being read, or that wait to be accepted,
// among them those that came before the session was established. Further ones wait in the QUIC connection, whose stream
// limits push back.
const maxWaiting = 1024

// Conn is a WebTransport session; it implements transport.Conn.
type Conn struct {
	base *quicbase.Base
	info transport.Info

	// The HTTP/3 library's share: streams that are not WebTransport's.
	otherUni  func(*quic.ReceiveStream)
	otherBidi func(*quic.Stream)

	workers  sync.WaitGroup
	critical [len(criticalStreams)]atomic.Bool // streams of that type that have come
	settled  chan struct{}                     // closed once the peer's SETTINGS are known
	settings settings

	established chan struct{} // closed once the session is; the fields below are set by then
	connect     connectStream
	uniHeader   []byte
	bidiHeader  []byte
	dgramHeader []byte

	uni          chan *quic.ReceiveStream
	tell         atomic.Pointer[func(id uint64, coming bool)] // see TellUniStreams
	bidi         chan *quic.Stream
	foreign      atomic.Uint64
	draining     chan struct{}
	drain        sync.Once
	connectEnded chan struct{} // the peer has ended its side of the CONNECT stream
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

func newConn(q *quic.Conn, onEnd func()) *Conn {
	c := &Conn{
		settled:      make(chan struct{}),
		established:  make(chan struct{}),
		uni:          make(chan *quic.ReceiveStream),
		bidi:         make(chan *quic.Stream),
		draining:     make(chan struct{}),
		connectEnded: make(chan struct{}),
	}
	c.workers.Add(1) // until establish or abandon
	c.base = quicbase.NewBase(q, classify, func() {
		c.workers.Wait()
		if onEnd != nil {
			onEnd()
		}
	})
	return c
}

// start begins to take the peer's streams.
func (c *Conn) start(otherUni func(*quic.ReceiveStream), otherBidi func(*quic.Stream)) {
	c.otherUni, c.otherBidi = otherUni, otherBidi
	ctx := c.base.Q.Context()
	acceptUni := func(ctx context.Context) (*quic.ReceiveStream, error) {
		s, err := c.base.Q.AcceptUniStream(ctx)
		if err == nil {
			c.tellUni(s, true)
		}
		return s, err
	}
	c.workers.Go(func() { acceptLoop(c, ctx, acceptUni, c.takeUni) })
	c.workers.Go(func() { acceptLoop(c, ctx, c.base.Q.AcceptStream, c.takeBidi) })
}

func acceptLoop[S any](c *Conn, ctx context.Context, accept func(context.Context) (S, error), take func(S)) {
	slots := make(chan struct{}, maxWaiting)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		s, err := accept(ctx)
		if err != nil {
			return
		}
		c.workers.Go(func() {
			defer func() { <-slots }()
			take(s)
		})
	}
}

// takeUni reads a stream's type and passes it on.
func (c *Conn) takeUni(s *quic.ReceiveStream) {
	kind, err := quicvarint.Peek(s)
	// before its type came: no stream of HTTP/3's own may be (RFC 9114 §6.2.1)
	if reset := (*quic.StreamError)(nil); errors.As(err, &reset) {
		c.deliverUni(s)
		return
	}
	r := headerReader{s}
	if err == nil && kind == streamTypeUni {
		quicvarint.Read(r) // peeked above
		if c.ours(r, s.CancelRead) {
			c.deliverUni(s)
			return
		}
	}
	c.tellUni(s, false)
	switch {
	case err != nil || kind == streamTypeUni:
	case kind < uint64(len(criticalStreams)) && criticalStreams[kind] != "" && c.critical[kind].Swap(true):
		c.fail(http3.ErrCodeStreamCreationError, fmt.Sprintf("a second %s stream", criticalStreams[kind]))
	case kind == streamControl:
		quicvarint.Read(r)
		c.readControl(r)
	default:
		c.otherUni(s)
	}
}

// TellUniStreams implements transport.UniStreamTeller: whose a stream is, the first bytes on it have to tell.
func (c *Conn) TellUniStreams(f func(id uint64, coming bool)) { c.tell.Store(&f) }

func (c *Conn) tellUni(s *quic.ReceiveStream, coming bool) {
	if f := c.tell.Load(); f != nil {
		(*f)(uint64(s.StreamID()), coming)
	}
}

// deliverUni hands a stream on to AcceptUniStream.
func (c *Conn) deliverUni(s *quic.ReceiveStream) {
	select {
	case c.uni <- s:
	case <-c.base.Q.Context().Done():
	}
}

// takeBidi does the same for a bidirectional stream.
func (c *Conn) takeBidi(s *quic.Stream) {
	kind, err := quicvarint.Peek(s)
	if err != nil {
		return
	}
	if kind != streamTypeBidi {
		c.otherBidi(s)
		return
	}
	r := headerReader{s}
	quicvarint.Read(r)
	reject := func(code quic.StreamErrorCode) { s.CancelRead(code); s.CancelWrite(code) }
	if !c.ours(r, reject) {
		return
	}
	select {
	case c.bidi <- s:
	case <-c.base.Q.Context().Done():
	}
}

// headerReader reads byte by byte. When RESET_STREAM_AT covers just the header, quic-go gives its last byte together
// with the error of the reset, which is for the reader of what follows.
type headerReader struct{ io.Reader }

func (r headerReader) ReadByte() (byte, error) {
	var b [1]byte
	for {
		n, err := r.Read(b[:])
		if n == 1 {
			return b[0], nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// ours reads the session id and waits until the session is established: streams may overtake the answer.
func (c *Conn) ours(r quicvarint.Reader, reject func(quic.StreamErrorCode)) bool {
	id, err := quicvarint.Read(r)
	if err != nil {
		return false
	}
	if id%4 != 0 { // not a stream that a request can stand on (§4.2)
		c.fail(http3.ErrCodeIDError, fmt.Sprintf("session id %d in a stream header", id))
		return false
	}
	select {
	case <-c.established:
	case <-c.base.Q.Context().Done():
		return false
	}
	if id != uint64(c.connect.StreamID()) {
		reject(codeStreamRejected)
		return false
	}
	return true
}

// fail ends the connection because of what the peer did.
func (c *Conn) fail(code http3.ErrCode, what string) {
	if c.base.Decide(http3End(uint64(code), false, what)) {
		c.base.CloseDecided(uint64(code), what)
	}
}

// readControl reads the peer's control stream until it ends. Frames behind SETTINGS are skipped; GOAWAY counts as
// draining.
func (c *Conn) readControl(r quicvarint.Reader) {
	s, err := readSettings(r)
	if err == nil {
		c.settings = s
		close(c.settled)
	}
	for err == nil {
		var kind, length uint64
		if kind, length, err = readFrameHeader(r); err != nil {
			break
		}
		if kind == frameSettings {
			c.fail(http3.ErrCodeFrameUnexpected, "a second SETTINGS frame")
			return
		}
		if kind == frameGoAway {
			c.drain.Do(func() { close(c.draining) })
		}
		_, err = io.CopyN(io.Discard, r, int64(min(length, quicvarint.Max)))
	}
	switch {
	case errors.Is(err, net.ErrClosed): // the whole connection
	case errors.Is(err, errMissingSettings):
		c.fail(http3.ErrCodeMissingSettings, err.Error())
	case err == io.EOF || errors.As(err, new(*quic.StreamError)):
		c.fail(http3.ErrCodeClosedCriticalStream, "the control stream ended")
	default:
		c.fail(http3.ErrCodeFrameError, err.Error())
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
	c.workers.Go(c.readCapsules)
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
		if err != nil {
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

// maxHeader bounds a request's and an answer's header fields, in bytes.
const maxHeader = 64 << 10

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
