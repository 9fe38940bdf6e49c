package transport

import (
	"fmt"
	"net"
)

// Layer is the layer that a failure belongs to, in the order in which a session is built.
type Layer string

// The layers of a verdict.
const (
	LayerDNS          Layer = "dns"
	LayerUDP          Layer = "udp"
	LayerTLS          Layer = "tls"
	LayerALPN         Layer = "alpn"
	LayerHTTP3        Layer = "http3"
	LayerWebTransport Layer = "webtransport"
	LayerSetup        Layer = "setup"
	LayerRequest      Layer = "request"
	LayerData         Layer = "data"
)

// DialError says in which layer a connection could not be made.
type DialError struct {
	// Layer is where it failed.
	Layer Layer
	// Reason is one sentence for a person: what was expected and what came, and what to do where that is known.
	Reason string
	// HTTPStatus is the status of the answer to the WebTransport request, 0 when there was none.
	HTTPStatus int
	// Err is the cause; may be nil.
	Err error
}

// Error implements error.
func (e *DialError) Error() string { return string(e.Layer) + ": " + e.Reason }

// Unwrap gives the cause.
func (e *DialError) Unwrap() error { return e.Err }

// CloseError says how a connection ended.
type CloseError struct {
	// Remote is true when the peer ended it.
	Remote bool
	// Code is a MoQT session error code. With Transport it is QUIC's, with HTTP3 it is HTTP/3's.
	Code uint64
	// Transport is true when a layer below the session ended the connection: QUIC (idle timeout, transport error,
	// unreachable port), or HTTP/3 (see HTTP3).
	Transport bool
	// HTTP3 is true when HTTP/3 ended the connection: with CONNECTION_CLOSE, or by a reset of the CONNECT stream.
	// Transport is true too.
	HTTP3 bool
	// Name is the name that QUIC or HTTP/3 has for Code, such as "FLOW_CONTROL_ERROR". It is empty for an unknown code,
	// and for MoQT's: those are named by their draft.
	Name string
	// Timeout is true when the connection ended because nothing came any more.
	Timeout bool
	// Gone is true when the peer has not ended the connection but knows nothing of it any more: it answered with a
	// stateless reset, or nothing listens on its port. There is no code then.
	Gone bool
	// Reason is the reason phrase that came with the code, or the QUIC library's words.
	Reason string
	// Err is the cause from the library below. It may be nil.
	Err error
}

// largestCode bounds the codes that MisplacedCode takes for MoQT's: HTTP/3's begin here (RFC 9114 §8.1).
const largestCode = 0x100

// MisplacedCode is the MoQT code that the peer most likely meant when it ended a WebTransport session with an HTTP/3
// code that HTTP/3 does not have. The place for a MoQT code is the capsule CLOSE_WEBTRANSPORT_SESSION (draft-18 §3.5):
// a peer that writes the same code on raw QUIC is within its rights.
func (e *CloseError) MisplacedCode() (code uint64, ok bool) {
	return e.Code, e.HTTP3 && e.Remote && e.Name == "" && e.Code < largestCode
}

// CodeText names the code and whose it is: "code 0x3" for one of MoQT's, "QUIC code 0x3 (FLOW_CONTROL_ERROR)",
// "HTTP/3 code 0x10c (H3_REQUEST_CANCELLED)".
func (e *CloseError) CodeText() string {
	whose := ""
	switch {
	case e.HTTP3:
		whose = "HTTP/3 "
	case e.Transport:
		whose = "QUIC "
	}
	text := fmt.Sprintf("%scode 0x%x", whose, e.Code)
	if e.Name != "" {
		text += " (" + e.Name + ")"
	}
	if _, ok := e.MisplacedCode(); ok {
		text += ", which HTTP/3 does not have (a MoQT code belongs into CLOSE_WEBTRANSPORT_SESSION)"
	}
	return text
}

// Error implements error.
func (e *CloseError) Error() string {
	if e.Timeout {
		return "connection timed out: " + e.Reason
	}
	if e.Gone {
		return "connection lost: " + e.Reason
	}
	who := "here"
	if e.Remote {
		who = "by the peer"
	}
	text := fmt.Sprintf("connection closed %s with %s", who, e.CodeText())
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// Unwrap gives the cause.
func (e *CloseError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, net.ErrClosed) hold for every ended connection.
func (e *CloseError) Is(target error) bool { return target == net.ErrClosed }

// StreamError says that one direction of a stream was reset (RESET_STREAM) or stopped (STOP_SENDING).
type StreamError struct {
	// StreamID is the QUIC stream id.
	StreamID uint64
	// Remote is true when the peer did it.
	Remote bool
	// Stop is true for STOP_SENDING, false for RESET_STREAM.
	Stop bool
	// Code is the application code; when Transport is set, HTTP/3's own.
	Code uint64
	// Transport is true when the code is not an application's: over WebTransport, one outside of the range
	// that carries application codes.
	Transport bool
}

// Error implements error.
func (e *StreamError) Error() string {
	what, who := "reset", "here"
	if e.Stop {
		what = "stopped"
	}
	if e.Remote {
		who = "by the peer"
	}
	kind := "code"
	if e.Transport {
		kind = "HTTP/3 code"
	}
	return fmt.Sprintf("stream %d %s %s with %s 0x%x", e.StreamID, what, who, kind, e.Code)
}

// DatagramTooLargeError says that a datagram does not fit the path.
type DatagramTooLargeError struct {
	// Size is the datagram's; Max the largest that fits now, 0 when unknown. In bytes.
	Size, Max int
}

// Error implements error.
func (e *DatagramTooLargeError) Error() string {
	return fmt.Sprintf("datagram of %d bytes does not fit, at most %d do", e.Size, e.Max)
}
