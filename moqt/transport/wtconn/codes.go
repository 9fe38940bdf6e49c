package wtconn

import (
	"errors"
	"fmt"

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
	out.Transport = true
	out.Reason = http3Reason(uint64(app.ErrorCode), app.ErrorMessage)
	return out
}

// http3Reason names an HTTP/3 code.
func http3Reason(code uint64, text string) string {
	name := http3.ErrCode(code).String()
	switch quic.StreamErrorCode(code) {
	case codeStreamRejected:
		name = "WEBTRANSPORT_BUFFERED_STREAM_REJECTED"
	case codeSessionGone:
		name = "WEBTRANSPORT_SESSION_GONE"
	}
	if text == "" {
		return fmt.Sprintf("HTTP/3 code 0x%x (%s)", code, name)
	}
	return fmt.Sprintf("HTTP/3 code 0x%x (%s): %s", code, name, text)
}
