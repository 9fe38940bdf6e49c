package wtconn

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

// criticalStreams are the types of HTTP/3's own streams of which a peer may open one each: the control stream (RFC 9114
// §6.2.1) and QPACK's two (RFC 9204 §4.2).
var criticalStreams = [...]string{"control", 2: "QPACK encoder", 3: "QPACK decoder"}

const streamControl = 0 // index in criticalStreams

// firstOfItsKind reports whether no stream of this type has come before where only one may.
func (c *Conn) firstOfItsKind(kind uint64) bool {
	return kind >= uint64(len(criticalStreams)) || criticalStreams[kind] == "" || !c.critical[kind].Swap(true)
}

// Frame types (RFC 9114 §7.2). Those of HTTP/2 that HTTP/3 does not have are reserved (§11.2.1).
const (
	frameData        = 0x0
	frameHeaders     = 0x1
	frameSettings    = 0x4
	framePushPromise = 0x5
	frameGoAway      = 0x7
)

// notOnControl says whether a frame may never stand on a control stream.
func notOnControl(kind uint64) bool {
	switch kind {
	case frameData, frameHeaders, framePushPromise, 0x2, 0x6, 0x8, 0x9:
		return true
	}
	return false
}

// breach is what a peer did wrong in HTTP/3, and the code for it.
type breach struct {
	code http3.ErrCode
	what string
}

// Error implements error.
func (b *breach) Error() string { return b.what }

// readControl reads the peer's control stream, whose type has been read, until it or the connection ends.
func (c *Conn) readControl(r quicvarint.Reader) {
	err := parseControl(r, func(s settings) {
		c.settings = s
		close(c.settled)
	}, c.drained)
	if err != nil {
		c.fail(err.code, err.what)
	}
}

// readQPACK reads one of QPACK's streams. There is no dynamic table here, so what it says changes nothing, but it may
// not end (RFC 9204 §4.2).
func (c *Conn) readQPACK(r io.Reader, name string) {
	_, err := io.Copy(io.Discard, r)
	if err == nil || errors.As(err, new(*quic.StreamError)) {
		c.fail(http3.ErrCodeClosedCriticalStream, fmt.Sprintf("the %s stream ended", name))
	}
}

// parseControl reads a control stream to its end: SETTINGS first and once (RFC 9114 §7.2.4), and then whatever comes.
// GOAWAY counts as draining; what else may stand there is skipped. It gives nil when the connection has ended.
func parseControl(r quicvarint.Reader, settled func(settings), draining func()) *breach {
	s, err := readSettings(r)
	if err == nil {
		settled(s)
	}
	for err == nil {
		err = skipFrame(r, draining)
	}
	var wrong *breach
	switch {
	case errors.As(err, &wrong):
		return wrong
	case errors.Is(err, net.ErrClosed):
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, new(*quic.StreamError)):
		return &breach{http3.ErrCodeClosedCriticalStream, "the control stream ended"}
	}
	return &breach{http3.ErrCodeFrameError, err.Error()}
}

// skipFrame reads a frame behind SETTINGS.
func skipFrame(r quicvarint.Reader, draining func()) error {
	kind, length, err := readFrameHeader(r)
	switch {
	case err != nil:
		return err
	case kind == frameSettings:
		return &breach{http3.ErrCodeFrameUnexpected, "a second SETTINGS frame"}
	case notOnControl(kind):
		return &breach{http3.ErrCodeFrameUnexpected, fmt.Sprintf("a frame of type 0x%x on the control stream", kind)}
	case kind == frameGoAway:
		draining()
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return err
}

// readFrameHeader reads type and length of a frame (RFC 9114 §7.1).
func readFrameHeader(r quicvarint.Reader) (kind, length uint64, err error) {
	if kind, err = quicvarint.Read(r); err != nil {
		return 0, 0, err
	}
	length, err = quicvarint.Read(r)
	return kind, length, err
}
