package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// outcome ends a case early: the verbs of Env panic with it, and Run recovers it. It is also the cause of the case's
// context when another goroutine ended the case.
type outcome struct {
	status                      Status
	layer                       transport.Layer
	message, expected, received string
	reason                      string
	// dial: no connection could be made.
	dial bool
	// quiet: the step was cancelled, which says nothing about the peer.
	quiet bool
	// timeout: the time for the step has passed. slow: the path was the reason.
	timeout, slow bool
	// lost: a session ended and the case did not end it. whose is its role.
	lost  bool
	whose string
	// stack is the stack of a panic.
	stack string
}

// Error implements error.
func (o *outcome) Error() string {
	if o.status == Fail {
		return o.message
	}
	return o.reason
}

// failed is a failure with what was expected and what was received. Its message is made of the two.
func failed(layer transport.Layer, expected, received string) *outcome {
	return &outcome{status: Fail, layer: layer, expected: expected, received: received,
		message: fmt.Sprintf("expected %s, received %s", expected, received)}
}

// classify turns the error of a step into a failure: in which layer, and what came instead of what was expected.
// silence describes what was seen of the peer if nothing came in time.
func classify(err error, d wire.Draft, layer transport.Layer, expected string, silence func() string) *outcome {
	var (
		known   *outcome
		dial    *transport.DialError
		blocked *moqt.NoRequestIDError
		full    *moqt.NoStreamError
		refused *moqt.RequestError
		session *moqt.SessionError
		cancel  *moqt.CancelError
		stream  *transport.StreamError
		broken  *wire.Error
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &dial):
		o := failed(dial.Layer, "a connection", dial.Reason)
		o.message = dial.Reason
		return o
	case errors.As(err, &blocked):
		o := failed(transport.LayerRequest, fmt.Sprintf("MAX_REQUEST_ID above %d", blocked.Next),
			fmt.Sprintf("MAX_REQUEST_ID %d and no more", blocked.Max))
		o.message = "no request id granted; would pass with --compat " + NoRequestLimit
		return o
	case errors.As(err, &full) && errors.Is(err, context.DeadlineExceeded):
		return failed(layer, expected, "nothing, for nothing could be sent: "+full.Error())
	case errors.As(err, &refused):
		return failed(layer, expected, RefusalText(refused))
	case errors.As(err, &session):
		return ended(session, d, layer, expected)
	case errors.As(err, &cancel):
		return failed(layer, expected, cancel.Error())
	case errors.As(err, &stream):
		return failed(layer, expected, streamEnd(stream, d))
	case errors.As(err, &broken):
		return failed(layerOf(broken, layer), expected, "a breach of the draft: "+broken.Error())
	case errors.Is(err, context.DeadlineExceeded):
		o := failed(layer, expected, silence())
		o.timeout = true
		return o
	case errors.Is(err, context.Canceled):
		o := failed(layer, expected, "nothing: the step was called off")
		o.quiet = true
		return o
	case errors.Is(err, io.EOF):
		return failed(layer, expected, "the end of the stream")
	}
	return failed(layer, expected, err.Error())
}

// RefusalText describes a refused request, with the draft's names for the message and the code.
func RefusalText(e *moqt.RequestError) string {
	name := wire.NameOf(e.Draft, &wire.RequestError{Answers: e.Kind})
	text := name + " " + wire.RequestErrorCode(e.Code).In(e.Draft, e.Kind)
	if e.Reason != "" {
		text += fmt.Sprintf(" %q", e.Reason)
	}
	return text
}

// streamEnd describes a stream that was reset or stopped, with the draft's name for the code.
func streamEnd(e *transport.StreamError, d wire.Draft) string {
	if e.Transport {
		return e.Error()
	}
	what, who := "RESET_STREAM", "of the peer"
	if e.Stop {
		what = "STOP_SENDING"
	}
	if !e.Remote {
		who = "of ours"
	}
	return fmt.Sprintf("%s %s on stream %d with %s", what, who, e.StreamID, wire.ResetCode(e.Code).In(d))
}

// ended describes a session that is over: the peer closed it, the network failed, or we closed it because the peer
// broke a rule.
func ended(e *moqt.SessionError, d wire.Draft, layer transport.Layer, expected string) *outcome {
	o := end(e, d, layer, expected)
	o.lost = true
	return o
}

func end(e *moqt.SessionError, d wire.Draft, layer transport.Layer, expected string) *outcome {
	var broken *wire.Error
	if e.Draft.Valid() {
		d = e.Draft
	}
	switch {
	case errors.As(e.Err, &broken):
		return failed(layerOf(broken, layer), expected, fmt.Sprintf("a breach of the draft: %s; closed with %s",
			broken.Error(), e.Code.In(d)))
	case e.Local:
		return failed(layer, expected, fmt.Sprintf("a breach of the draft: %s; closed with %s", e.Reason, e.Code.In(d)))
	}
	var lost *transport.CloseError
	if errors.As(e.Err, &lost) && (lost.Timeout || lost.Gone) {
		layer = transport.LayerUDP
	}
	return failed(layer, expected, closing(e, d))
}

// closedWith is the code with which the peer has closed a session; false when it was not the peer. On WebTransport a
// server may end the connection with HTTP/3's CONNECTION_CLOSE instead of the session with CLOSE_WEBTRANSPORT_SESSION
// (draft-18 §3.5). Then MoQT's code is in the wrong place, which its text says. It counts for what it is: on raw QUIC
// the same relay would be judged by the same code.
func closedWith(e *moqt.SessionError) (code wire.SessionError, ok bool) {
	var lost *transport.CloseError
	if errors.As(e.Err, &lost) && lost.HTTP3 {
		misplaced, ok := lost.MisplacedCode()
		return wire.SessionError(misplaced), ok
	}
	return e.Code, e.Side != wire.NoSide && !e.Local
}

// closing says how a session ended if we did not end it.
func closing(e *moqt.SessionError, d wire.Draft) string {
	var lost *transport.CloseError
	if errors.As(e.Err, &lost) && (lost.Transport || lost.Timeout) {
		if lost.Timeout {
			return "silence until the connection timed out: " + lost.Reason
		}
		if lost.Gone {
			return "the loss of the connection: " + lost.Reason
		}
		who := "the connection failed"
		if lost.Remote {
			who = "connection closed by the peer"
		}
		text := who + " with " + lost.CodeText()
		if lost.Reason != "" {
			text += fmt.Sprintf(" %q", lost.Reason)
		}
		return text
	}
	if e.Side == wire.NoSide {
		return e.Error()
	}
	text := "connection closed by the peer with " + e.Code.In(d)
	if e.Reason != "" {
		text += fmt.Sprintf(" %q", e.Reason)
	}
	return text
}

// layerOf is the layer of a broken rule, judged by what was being read; def if that does not tell.
func layerOf(e *wire.Error, def transport.Layer) transport.Layer {
	switch e.Message {
	case "SETUP", "CLIENT_SETUP", "SERVER_SETUP":
		return transport.LayerSetup
	case "SUBGROUP_HEADER", "FETCH_HEADER", "OBJECT", "OBJECT_DATAGRAM":
		return transport.LayerData
	}
	return def
}

// closedByUs reports whether the error only says that this end has closed the connection with NO_ERROR.
func closedByUs(err error) bool {
	var session *moqt.SessionError
	if errors.As(err, &session) {
		return session.Local && session.Code == wire.NoError
	}
	var lost *transport.CloseError
	return errors.As(err, &lost) && !lost.Remote && !lost.Transport && errors.Is(err, net.ErrClosed)
}
