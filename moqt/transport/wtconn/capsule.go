package wtconn

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
	"unicode/utf8"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Capsules of the CONNECT stream (draft-ietf-webtrans-http3 §4.7 and §6); all others are skipped.
const (
	capsuleClose http3.CapsuleType = 0x2843
	capsuleDrain http3.CapsuleType = 0x78ae
)

// maxCloseReason is how long the reason in a close capsule may be, in bytes.
const maxCloseReason = 1024

// readCapsules reads the CONNECT stream until the session ends.
func (c *Conn) readCapsules() {
	cause, err := parseCapsules(c.connect, c.drained)
	if cause != nil {
		c.peerClosed(cause)
		return
	}
	c.connectEnd(err)
}

// parseCapsules reads capsules to the one that closes the session, which it gives, or to the end of the stream, which
// is the error.
func parseCapsules(stream io.Reader, draining func()) (*transport.CloseError, error) {
	parser := http3.NewCapsuleParser(stream)
	for {
		kind, r, err := parser.Next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case capsuleClose:
			return readClose(r)
		case capsuleDrain:
			draining()
		}
		if err := r.Discard(); err != nil {
			return nil, err
		}
	}
}

func readClose(r http3.CapsuleReader) (*transport.CloseError, error) {
	var code [4]byte
	if _, err := io.ReadFull(r, code[:]); err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, errShortClose
	} else if err != nil {
		return nil, err
	}
	reason, err := io.ReadAll(io.LimitReader(r, maxCloseReason))
	if err != nil {
		return nil, err
	}
	cause := &transport.CloseError{Remote: true, Code: uint64(binary.BigEndian.Uint32(code[:])), Reason: string(reason)}
	return cause, nil
}

var errShortClose = errors.New("a CLOSE_WEBTRANSPORT_SESSION capsule without a code")

// connectEnd: the CONNECT stream ended without a close capsule, or the whole connection did.
func (c *Conn) connectEnd(err error) {
	// The HTTP/3 library shows a reset and a closed connection as the same error. When the connection ends, its
	// streams' sending sides end first, with that cause.
	if errors.Is(err, net.ErrClosed) || errors.Is(context.Cause(c.connect.Context()), net.ErrClosed) ||
		c.base.Ended() != nil {
		return
	}
	reset := resetOf(err)
	switch {
	case err == io.EOF: // as if closed with code 0 (§6)
		c.peerClosed(&transport.CloseError{Remote: true, Reason: "the CONNECT stream ended"})
	case reset != nil:
		reset.Reason = "the CONNECT stream was reset"
		c.peerClosed(reset)
	default:
		c.fail(http3.ErrCodeMessageError, "the CONNECT stream: "+err.Error())
	}
}

// resetOf is what an error tells of a stream that was reset, nil when it tells of something else. The HTTP/3 library
// shows a reset in one of two forms; in one of them also the end of a connection, whose reason is there then.
func resetOf(err error) *transport.CloseError {
	var reset *quic.StreamError
	if errors.As(err, &reset) {
		return http3End(uint64(reset.ErrorCode), reset.Remote, "")
	}
	var h3 *http3.Error
	if errors.As(err, &h3) {
		return http3End(uint64(h3.ErrorCode), h3.Remote, h3.ErrorMessage)
	}
	return nil
}

// peerClosed ends our side after the peer ended the session. The connection carries nothing else, so it ends too.
func (c *Conn) peerClosed(cause *transport.CloseError) {
	if !c.base.Decide(cause) {
		return
	}
	c.connect.Close()
	c.base.CloseDecided(uint64(http3.ErrCodeNoError), "")
}

// The bounds of the wait for the peer's answer to our close, which is four round trips. With a code it is at least
// minCodeWait: a browser on a busy machine may take that long to read it.
const (
	minCloseWait = 50 * time.Millisecond
	minCodeWait  = 500 * time.Millisecond
	maxCloseWait = time.Second
)

// CloseWithError implements transport.Conn. It sends the close capsule, waits for a short time until the peer closes
// the QUIC connection, and else closes it. That the peer has ended the CONNECT stream too is no reason to close: a
// browser that has done so may not have told its page yet, and the page would learn of a lost connection in place of
// code and reason. The code has 32 bits; larger ones are sent as the largest.
func (c *Conn) CloseWithError(code uint64, reason string) error {
	if !c.base.Decide(&transport.CloseError{Code: code, Reason: reason}) {
		<-c.base.Done()
		return nil
	}
	wait := minCloseWait
	if code != 0 {
		wait = minCodeWait
	}
	wait = min(max(4*c.base.Q.ConnectionStats().SmoothedRTT, wait), maxCloseWait)
	c.connect.SetWriteDeadline(time.Now().Add(wait))
	if _, err := c.connect.Write(closeCapsule(code, reason)); err == nil {
		c.connect.Close()
		t := time.NewTimer(wait)
		select {
		case <-c.base.Q.Context().Done():
		case <-t.C:
		}
		t.Stop()
	}
	// Stacks that read no capsules find the code here, where those of the Rust family look for it.
	wire := uint64(http3.ErrCodeNoError)
	if code != 0 {
		wire = toHTTP(code)
	}
	c.base.CloseDecided(wire, reason)
	<-c.base.Done()
	return nil
}

func closeCapsule(code uint64, reason string) []byte {
	if len(reason) > maxCloseReason {
		cut := maxCloseReason
		for cut > 0 && !utf8.RuneStart(reason[cut]) {
			cut--
		}
		reason = reason[:cut]
	}
	b := quicvarint.Append(nil, uint64(capsuleClose))
	b = quicvarint.Append(b, uint64(4+len(reason)))
	b = binary.BigEndian.AppendUint32(b, uint32(min(code, 1<<32-1)))
	return append(b, reason...)
}
