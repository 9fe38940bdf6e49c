package wtconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

// The first varint of a WebTransport stream; the session id follows (draft-ietf-webtrans-http3 §4.2 and §4.3).
const (
	streamTypeUni  = 0x54
	streamTypeBidi = 0x41
)

// Bounds of what a peer can have begun at a time.
const (
	// maxWaiting bounds the incoming streams of each kind whose header is still being read, or that wait to be
	// accepted, among them those that came before the session was established. Further ones wait in the QUIC
	// connection, whose stream limits push back.
	maxWaiting = 1024
	// maxRequests bounds the HTTP requests that are being read or answered. Further ones are rejected.
	maxRequests = 8
	// maxHTTPRequests is the bound where others than MoQT are served too.
	maxHTTPRequests = 100
	// firstRequest is the stream of a client's first request, which is for the session as a rule. It is read beside
	// those that are counted: streams that came behind it may be read before it.
	firstRequest = 0
	// headerWait is how long the header of a stream may take.
	headerWait = 30 * time.Second
)

// codeHeaderLate is for a stream whose header does not come: a request that is not whole (RFC 9114 §8.1).
const codeHeaderLate = quic.StreamErrorCode(http3.ErrCodeRequestIncomplete)

// start begins to take the peer's streams. What is not WebTransport's is the HTTP/3 library's.
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
	c.spawn(func() { acceptLoop(c, ctx, acceptUni, c.takeUni) })
	c.spawn(func() { acceptLoop(c, ctx, c.base.Q.AcceptStream, c.takeBidi) })
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
		c.spawn(func() {
			defer func() { <-slots }()
			take(s)
		})
	}
}

// takeUni reads a stream's type and passes it on.
func (c *Conn) takeUni(s *quic.ReceiveStream) {
	s.SetReadDeadline(time.Now().Add(headerWait))
	kind, err := quicvarint.Peek(s)
	if errors.As(err, new(*quic.StreamError)) {
		// Reset before its type came, which none of HTTP/3's own streams may be (RFC 9114 §6.2.1).
		s.SetReadDeadline(time.Time{})
		c.deliverUni(s)
		return
	}
	r := headerReader{s}
	if err == nil && kind == streamTypeUni {
		quicvarint.Read(r) // peeked above
		if c.ours(r, s.SetReadDeadline, s.CancelRead) {
			c.deliverUni(s)
			return
		}
	}
	c.tellUni(s, false)
	switch {
	case err != nil:
		s.CancelRead(codeHeaderLate) // no effect on a stream that has ended
	case kind == streamTypeUni:
	case !c.firstOfItsKind(kind):
		c.fail(http3.ErrCodeStreamCreationError, fmt.Sprintf("a second %s stream", criticalStreams[kind]))
	case kind == streamControl:
		s.SetReadDeadline(time.Time{})
		quicvarint.Read(r)
		c.readControl(r)
	case kind < uint64(len(criticalStreams)) && criticalStreams[kind] != "":
		s.SetReadDeadline(time.Time{})
		c.readQPACK(s, criticalStreams[kind])
	default:
		s.SetReadDeadline(time.Time{})
		c.otherUni(s)
	}
}

// TellUniStreams implements transport.UniStreamTeller. The first bytes of a stream tell whose it is, so that streams
// are accepted in the order in which these bytes come.
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

// takeBidi reads the type of a bidirectional stream and passes it on.
func (c *Conn) takeBidi(s *quic.Stream) {
	s.SetReadDeadline(time.Now().Add(headerWait))
	reject := func(code quic.StreamErrorCode) { s.CancelRead(code); s.CancelWrite(code) }
	kind, err := quicvarint.Peek(s)
	if err != nil {
		reject(codeHeaderLate)
		return
	}
	if kind != streamTypeBidi {
		if s.StreamID() != firstRequest {
			select {
			case c.requests <- struct{}{}:
				defer func() { <-c.requests }()
			default:
				reject(quic.StreamErrorCode(http3.ErrCodeRequestRejected))
				return
			}
		}
		c.otherBidi(s) // the deadline is for the request's header, and goes when the request is accepted
		return
	}
	r := headerReader{s}
	quicvarint.Read(r)
	if !c.ours(r, s.SetReadDeadline, reject) {
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
func (c *Conn) ours(r quicvarint.Reader, setDeadline func(time.Time) error, reject func(quic.StreamErrorCode)) bool {
	id, err := quicvarint.Read(r)
	if err != nil {
		reject(codeHeaderLate)
		return false
	}
	setDeadline(time.Time{})
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
