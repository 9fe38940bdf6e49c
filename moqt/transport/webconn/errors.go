//go:build js

package webconn

import (
	"os"
	"syscall/js"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// message is what an error of JavaScript says.
func message(v js.Value) string {
	if v.Type() != js.TypeObject {
		return text(v)
	}
	if m := text(v.Get("message")); m != "" {
		return m
	}
	return text(v.Get("name"))
}

func text(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}

// code is a number of JavaScript's; 0 where there is none.
func code(v js.Value) uint64 {
	if v.Type() != js.TypeNumber || v.Float() < 0 {
		return 0
	}
	return uint64(v.Float())
}

// ofSession reports whether an error that was met on a stream is the session's.
func ofSession(v js.Value) bool {
	return v.Type() != js.TypeObject || text(v.Get("source")) != "stream"
}

// streamError is the peer's end of a stream. A code that carries none of the application's is not told.
func streamError(id uint64, stop bool, v js.Value) *transport.StreamError {
	n := v.Get("streamErrorCode")
	return &transport.StreamError{StreamID: id, Remote: true, Stop: stop, Code: code(n),
		Transport: n.Type() != js.TypeNumber}
}

// newError makes the error that resets or stops a stream with a code. Its constructor has had two forms.
func newError(code uint64) js.Value {
	class := js.Global().Get("WebTransportError")
	n := float64(min(code, maxCloseCode))
	e := js.Undefined()
	made := func() bool { return e.Type() == js.TypeObject && e.Get("streamErrorCode").Type() == js.TypeNumber }
	_ = try(func() { e = class.New("", map[string]any{"source": "stream", "streamErrorCode": n}) })
	if !made() {
		_ = try(func() { e = class.New(map[string]any{"message": "", "streamErrorCode": n}) })
	}
	return e
}

// largestCode is the largest code that the browser's errors carry: larger ones become this. It is 0 if they carry all.
func largestCode() uint64 {
	const octet = 255
	if e := newError(octet + 1); e.Type() == js.TypeObject && code(e.Get("streamErrorCode")) != octet+1 {
		return octet
	}
	return 0
}

// timeoutError is a passed deadline, as package net has it.
type timeoutError struct{}

var errTimeout error = &timeoutError{}

func (*timeoutError) Error() string   { return "deadline exceeded" }
func (*timeoutError) Timeout() bool   { return true }
func (*timeoutError) Temporary() bool { return true }
func (*timeoutError) Unwrap() error   { return os.ErrDeadlineExceeded }

// passed reports whether a deadline is over; a zero one never is.
func passed(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }
