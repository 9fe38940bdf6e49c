package transport

import (
	"fmt"
	"net"
)

// Layer is the layer that a failure belongs to, in the order in which a session is built.
type Layer string

// The layers of a verdict (CONTRACT: `message`, Bail out).
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
	// Remote is true when the peer closed.
	Remote bool
	// Code is the application code (a MoQT session error); when Transport is set, QUIC's or HTTP/3's own.
	Code uint64
	// Transport is true when a layer below the session ended the connection: QUIC (idle timeout, transport error,
	// unreachable port) or HTTP/3 (a connection or CONNECT stream that ended with an HTTP/3 code).
	Transport bool
	// Timeout is true when the connection ended because nothing came any more.
	Timeout bool
	// Gone is true when the peer did not end it, but knows nothing of it any more: a stateless reset, or a port where
	// nothing listens now. There is no code then.
	Gone bool
	// Reason is the reason phrase, or the QUIC library's words.
	Reason string
	// Err is the cause from the library below; may be nil.
	Err error
}

// Error implements error.
func (e *CloseError) Error() string {
	if e.Timeout {
		return "connection timed out: " + e.Reason
	}
	if e.Gone {
		return "connection lost: " + e.Reason
	}
	who, code := "here", "code"
	if e.Remote {
		who = "by the peer"
	}
	if e.Transport {
		code = "transport code"
	}
	text := fmt.Sprintf("connection closed %s with %s 0x%x", who, code, e.Code)
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
