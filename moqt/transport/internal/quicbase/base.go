// Package quicbase is what quicconn and wtconn share: streams on quic-go's, the way a connection ends, and what
// quic-go's errors mean in the terms of package transport.
package quicbase

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// MaxCode is the largest application code that QUIC can carry (RFC 9000 §16); larger ones are sent as this.
const MaxCode = 1<<62 - 1

// Hooks are what differs between the users of Base.
type Hooks struct {
	// Classify says what the error that ended the QUIC connection means; nil is Classify.
	Classify func(error) *transport.CloseError
	// OnEnd, which may be nil, is called once after the QUIC connection has ended. It frees what the connection used.
	OnEnd func()
	// Panicked, which may be nil, is told of a panic in a goroutine of the connection, which then ends as Broken says.
	Panicked func(value any, stack []byte)
	// Broken is the end of a connection in which a goroutine panicked: the cause, and the code on the wire.
	Broken func() (cause *transport.CloseError, code uint64)
}

// Base is a QUIC connection that ends once, for one cause.
type Base struct {
	Q *quic.Conn

	hooks  Hooks
	ctx    context.Context
	cancel context.CancelCauseFunc
	cause  atomic.Pointer[transport.CloseError]
	done   chan struct{}
}

// NewBase wraps q.
func NewBase(q *quic.Conn, hooks Hooks) *Base {
	if hooks.Classify == nil {
		hooks.Classify = Classify
	}
	b := &Base{Q: q, hooks: hooks, done: make(chan struct{})}
	b.ctx, b.cancel = context.WithCancelCause(context.Background())
	context.AfterFunc(q.Context(), func() {
		defer close(b.done)
		b.Guard(func() {
			b.Decide(hooks.Classify(context.Cause(q.Context())))
			if hooks.OnEnd != nil {
				hooks.OnEnd()
			}
		})
	})
	return b
}

// Guard runs a goroutine's function. A panic in it ends this connection and not the program.
func (b *Base) Guard(f func()) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		if b.hooks.Panicked != nil {
			b.hooks.Panicked(value, debug.Stack())
		}
		cause, code := b.hooks.Broken()
		if b.Decide(cause) {
			b.CloseDecided(code, cause.Reason)
		}
	}()
	f()
}

// Context is the connection's; its cause is the *transport.CloseError.
func (b *Base) Context() context.Context { return b.ctx }

// Path implements transport.PathTeller.
func (b *Base) Path() transport.Path {
	s := b.Q.ConnectionStats()
	return transport.Path{MinRTT: s.MinRTT, SmoothedRTT: s.SmoothedRTT, LatestRTT: s.LatestRTT,
		PacketsSent: s.PacketsSent, PacketsLost: s.PacketsLost, PacketsReceived: s.PacketsReceived}
}

// Done is closed when the QUIC connection has ended and everything it used has been freed.
func (b *Base) Done() <-chan struct{} { return b.done }

// Decide states why the connection ends and reports whether it is the first to do so. The caller that is
// first ends the QUIC connection.
func (b *Base) Decide(cause *transport.CloseError) bool {
	if !b.cause.CompareAndSwap(nil, cause) {
		return false
	}
	b.cancel(cause)
	return true
}

// Close ends the QUIC connection for this cause, with code and reason on the wire, and waits until all is freed. When
// the cause has been decided before, whoever did so closes, and Close only waits: two causes would race for the code
// that the peer sees.
func (b *Base) Close(cause *transport.CloseError, code uint64, reason string) {
	if b.Decide(cause) {
		b.CloseDecided(code, reason)
	}
	<-b.done
}

// CloseDecided ends the QUIC connection after Decide was true, and does not wait.
func (b *Base) CloseDecided(code uint64, reason string) {
	b.Q.CloseWithError(quic.ApplicationErrorCode(min(code, MaxCode)), reason)
}

// Err turns an error of quic-go's into one of package transport's; errors of contexts and deadlines stay as they are.
func (b *Base) Err(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case b.Q.Context().Err() != nil:
		b.Decide(b.hooks.Classify(context.Cause(b.Q.Context())))
	case errors.Is(err, net.ErrClosed):
		b.Decide(b.hooks.Classify(err))
	case !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if cause := b.cause.Load(); cause != nil {
		return cause
	}
	return err
}

// Ended is the cause when the connection has ended, else nil.
func (b *Base) Ended() error {
	if cause := b.cause.Load(); cause != nil {
		return cause
	}
	return nil
}

// Classify says what an error that ended a raw QUIC connection means.
func Classify(err error) *transport.CloseError {
	out := &transport.CloseError{Transport: true, Err: err}
	var (
		app   *quic.ApplicationError
		qerr  *quic.TransportError
		idle  *quic.IdleTimeoutError
		hand  *quic.HandshakeTimeoutError
		reset *quic.StatelessResetError
	)
	switch {
	case errors.As(err, &app):
		out.Transport, out.Remote, out.Code, out.Reason = false, app.Remote, uint64(app.ErrorCode), app.ErrorMessage
	case errors.As(err, &qerr):
		out.Remote, out.Code, out.Name = qerr.Remote, uint64(qerr.ErrorCode), transportName(qerr)
		out.Reason = transportReason(qerr)
	case errors.As(err, &idle):
		out.Timeout, out.Reason = true, "the peer sent nothing any more until the idle timeout"
	case errors.As(err, &hand):
		out.Timeout, out.Reason = true, "the handshake did not complete in time"
	case errors.As(err, &reset):
		out.Gone, out.Reason = true, "stateless reset: the peer no longer knows the connection"
	case errors.Is(err, syscall.ECONNREFUSED):
		out.Gone, out.Reason = true, "port unreachable: nothing listens there any more"
	case err == nil:
		out.Reason = "ended without a cause"
	default:
		out.Reason = fmt.Sprint(err)
	}
	return out
}

// transportName is the name of a QUIC error, "" for an unknown one. CRYPTO_ERRORs have theirs too (RFC 9001 §4.8).
func transportName(err *quic.TransportError) string {
	switch name := err.ErrorCode.String(); {
	case err.ErrorCode.IsCryptoError():
		return "CRYPTO_ERROR"
	case strings.HasPrefix(name, "unknown"):
		return ""
	default:
		return name
	}
}

// transportReason is what was said with a QUIC error, and about which frame.
func transportReason(err *quic.TransportError) string {
	reason := err.ErrorMessage
	for _, cause := range err.Unwrap() {
		if reason == "" && cause != nil && cause != net.ErrClosed {
			reason = cause.Error()
		}
	}
	if reason == "" {
		reason = err.ErrorCode.Message() // of a CRYPTO_ERROR: that of TLS
	}
	if err.FrameType != 0 {
		reason = strings.TrimPrefix(fmt.Sprintf("%s (frame type 0x%x)", reason, err.FrameType), " ")
	}
	return reason
}
