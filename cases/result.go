package cases

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Status is the outcome of a case.
type Status string

// The outcomes.
const (
	Pass Status = "pass"
	// Fail is a failure. With Result.Todo set it does not fail the run.
	Fail Status = "fail"
	// Skip: the relay has said, as the draft allows, that it does not support what the case needs.
	Skip Status = "skip"
	// NotApplicable: the case does not exist for the draft or transport.
	NotApplicable Status = "not-applicable"
)

// Result is the outcome of one case.
type Result struct {
	// Case is the case's ID.
	Case   string
	Status Status
	// Level is the case's, or SHOULD when only a SHOULD was broken.
	Level Level
	// Layer is where the case failed; empty unless Status is Fail, and empty for a panic.
	Layer transport.Layer
	// Message is one sentence. A failure also has its two halves, Expected and Received. A pass may have a message too.
	Message, Expected, Received string
	// Reason says why the case was skipped or does not apply.
	Reason string
	// TooSlow is true for a case skipped because the path was too slow: the objects were still arriving when the time
	// had passed.
	TooSlow bool
	// Todo is "SHOULD: what" for a broken SHOULD in a run that is not strict. Status is then Fail.
	Todo string
	// Rules are those that the case judges and the negotiated draft has, and Sections says where it has them,
	// "draft-16 §9.3"; empty before a draft was negotiated.
	Rules    []rules.ID
	Sections string
	Duration time.Duration
	// Sessions are the connections in the order of dialling, including those whose SETUP failed.
	Sessions []SessionInfo
	// Notes are observations. Tolerated lists the named tolerances that were needed.
	Notes, Tolerated []string
	// Transcript is the decoded messages of all sessions, in order of time; bounded.
	Transcript []string
	// Lost is true when the case failed because a session ended that it did not end.
	Lost bool
	// DialFailed is true when the failure lies below SETUP (dns to webtransport) and the case had no session before.
	DialFailed bool
}

// SessionInfo describes one connection of a case.
type SessionInfo struct {
	// Role is the case's name for it.
	Role string
	// Draft is what was negotiated; 0 when nothing was.
	Draft wire.Draft
	// Version is "moqt-NN" for Draft, or empty.
	Version string
	// Transport is "quic", "webtransport-h3" or "memory".
	Transport transport.Kind
	// ALPN and WebTransportProtocol are what the handshakes selected.
	ALPN, WebTransportProtocol string
	// ConnectionID is the client's Initial Destination Connection ID in lowercase hex; empty when unknown.
	ConnectionID string
	// QLOG is the file with the connection's events; empty if there is none, or if the connection does not tell.
	QLOG string
	// Implementation is the peer's MOQT_IMPLEMENTATION; empty when it sent none.
	Implementation string
	// Ready is true once SETUP has gone both ways.
	Ready bool
}
