package moqt

import (
	"errors"
	"fmt"
	"net"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// SessionError says why a session ended. It is the cause of the contexts of the session and of its requests.
// errors.Is(err, net.ErrClosed) holds.
type SessionError struct {
	// Side is the end that closed; NoSide when the network failed.
	Side wire.Side
	// Local is true when this end closed.
	Local bool
	// Code is the session termination code, Name the draft's name of it, "" for an unknown code.
	Code wire.SessionError
	Name string
	// Reason is the reason phrase of the end that closed.
	Reason string
	// Draft is the session's draft.
	Draft wire.Draft
	// Err is the cause: a *wire.Error for a breach of the draft, a *transport.CloseError when the peer or the network
	// ended the session. It may be nil.
	Err error
}

// Error names side, code and reason.
func (e *SessionError) Error() string {
	if e.Side == wire.NoSide {
		if e.Err != nil {
			return "session lost: " + e.Err.Error()
		}
		return "session lost: " + e.Reason
	}
	who := "the peer (" + e.Side.String() + ")"
	if e.Local {
		who = "us (" + e.Side.String() + ")"
	}
	text := fmt.Sprintf("session closed by %s with %s", who, codeText(e.Name, uint64(e.Code)))
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// Unwrap gives the cause.
func (e *SessionError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, net.ErrClosed) hold.
func (e *SessionError) Is(target error) bool { return target == net.ErrClosed }

// RequestError says that a request was refused with REQUEST_ERROR, or in 14 with the error message of its kind.
type RequestError struct {
	// Side is the end that refused.
	Side wire.Side
	// Kind is the kind of request; KindRequestUpdate for a refused update.
	Kind wire.Kind
	// Code is the number on the wire, Name the draft's name of it. An unknown code has the name "" and counts as
	// INTERNAL_ERROR (draft-18 §14).
	Code uint64
	Name string
	// Reason is the peer's reason phrase.
	Reason string
	// RetryInterval says when to retry (16 and later): 0 is never, any other value is the milliseconds to wait plus 1.
	RetryInterval uint64
	// Redirect says where to connect to or what to ask for instead; set with code REDIRECT (18 and later).
	Redirect *wire.Redirect
	Draft    wire.Draft
}

// Error names kind, code and reason.
func (e *RequestError) Error() string {
	text := fmt.Sprintf("%s refused by the %s with %s", e.Kind, e.Side, codeText(e.Name, e.Code))
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// CancelError says that a request was cancelled, or that its stream ended too early (draft-18 §3.3.2). In 14 to 16 a
// message cancels a request, later the end of its stream.
type CancelError struct {
	// Side is the end that cancelled.
	Side wire.Side
	// Kind is the kind of request.
	Kind wire.Kind
	// How says what cancelled it: RESET_STREAM, STOP_SENDING, FIN, or the name of a message such as UNSUBSCRIBE.
	How string
	// Code is that of the reset, of STOP_SENDING or of PUBLISH_NAMESPACE_CANCEL, and Name the draft's name of it.
	// HasCode says whether there is a code.
	Code    uint64
	Name    string
	HasCode bool
	// Reason is that of PUBLISH_NAMESPACE_CANCEL.
	Reason string
}

// Error names the kind of request, what cancelled it, and the code.
func (e *CancelError) Error() string {
	text := fmt.Sprintf("%s cancelled by the %s with %s", e.Kind, e.Side, e.How)
	if e.HasCode {
		text += " " + codeText(e.Name, e.Code)
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// NoRequestIDError says that the context ended before the peer granted another Request ID (MAX_REQUEST_ID, 14 to 16).
type NoRequestIDError struct {
	// Max is the peer's MAX_REQUEST_ID, Next the ID that the request would have had.
	Max, Next uint64
	// Err is the context's cause.
	Err error
}

// Error says what the request waited for.
func (e *NoRequestIDError) Error() string {
	return fmt.Sprintf("no request id granted: the peer's MAX_REQUEST_ID is %d, the request needs id %d: %v", e.Max,
		e.Next, e.Err)
}

// Unwrap gives the context's cause.
func (e *NoRequestIDError) Unwrap() error { return e.Err }

// NoStreamError says that the context ended before the peer's limit of streams (RFC 9000 §4.6) allowed another one.
// Nothing was sent.
type NoStreamError struct {
	// Uni is true for a unidirectional stream.
	Uni bool
	// Err is the context's error.
	Err error
}

// Error says what the request waited for.
func (e *NoStreamError) Error() string {
	kind := "bidirectional"
	if e.Uni {
		kind = "unidirectional"
	}
	return fmt.Sprintf("the peer's limit of %s streams leaves no room for another one: %v", kind, e.Err)
}

// Unwrap gives the context's error.
func (e *NoStreamError) Unwrap() error { return e.Err }

// ErrNotInDraft is wrapped by errors about what the session's draft cannot express.
var ErrNotInDraft = errors.New("the draft cannot express it")

func codeText(name string, code uint64) string {
	if name == "" {
		return fmt.Sprintf("code 0x%x", code)
	}
	return fmt.Sprintf("%s (0x%x)", name, code)
}
