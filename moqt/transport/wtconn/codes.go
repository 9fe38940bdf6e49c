package wtconn

import (
	"errors"
	"strings"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/internal/quicbase"
)

// The range of HTTP/3 codes that carries WebTransport application codes, which have 32 bits; every 31st code is
// reserved for greasing and left out (draft-ietf-webtrans-http3 §4.4 and §8.5).
const (
	firstCode = 0x52e4a40fa8db
	lastCode  = 0x52e5ac983162
)

// WebTransport's own HTTP/3 codes (draft-ietf-webtrans-http3 §9.5).
const (
	codeStreamRejected quic.StreamErrorCode = 0x3994bd84 // WEBTRANSPORT_BUFFERED_STREAM_REJECTED
	codeSessionGone    quic.StreamErrorCode = 0x170d7b68 // WEBTRANSPORT_SESSION_GONE
)

// toHTTP maps an application code to an HTTP/3 code. One beyond 32 bits, which WebTransport cannot carry, becomes the
// largest.
func toHTTP(code uint64) uint64 {
	n := min(code, 1<<32-1)
	return firstCode + n + n/0x1e
}

// fromHTTP maps an HTTP/3 code back; ok is false for one that carries no application code.
func fromHTTP(code uint64) (n uint64, ok bool) {
	if code < firstCode || code > lastCode || (code-0x21)%0x1f == 0 {
		return 0, false
	}
	shifted := code - firstCode
	return shifted - shifted/0x1f, true
}

// classify says what the error that ended the QUIC connection means for the session. Some stacks close the connection
// with a mapped application code and send no capsule.
func classify(err error) *transport.CloseError {
	out := quicbase.Classify(err)
	var app *quic.ApplicationError
	if !errors.As(err, &app) {
		return out
	}
	if code, ok := fromHTTP(out.Code); ok {
		out.Code = code
		return out
	}
	ended := http3End(out.Code, out.Remote, app.ErrorMessage)
	ended.Err = err
	return ended
}

// http3End is the end of a connection by HTTP/3.
func http3End(code uint64, remote bool, reason string) *transport.CloseError {
	return &transport.CloseError{Transport: true, HTTP3: true, Remote: remote, Code: code, Name: http3Name(code),
		Reason: reason}
}

// http3Name is the name of an HTTP/3 code, "" for one that HTTP/3 does not have.
func http3Name(code uint64) string {
	switch quic.StreamErrorCode(code) {
	case codeStreamRejected:
		return "WEBTRANSPORT_BUFFERED_STREAM_REJECTED"
	case codeSessionGone:
		return "WEBTRANSPORT_SESSION_GONE"
	}
	name := http3.ErrCode(code).String()
	if !strings.HasPrefix(name, "H3_") && !strings.HasPrefix(name, "QPACK_") {
		return ""
	}
	return name
}
