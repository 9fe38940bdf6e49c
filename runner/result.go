package runner

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Status is the outcome of a case.
type Status string

// The outcomes of a case.
const (
	// Pass: everything the draft demands was there.
	Pass Status = "pass"
	// Fail: a MUST was broken, or the case could not get that far.
	Fail Status = "fail"
	// Todo: a SHOULD was broken. It is no pass, and fails a run only when that is strict.
	Todo Status = "todo"
	// Skip: the relay refused what the case needs, as the draft allows, or the path is too slow to tell
	// (Result.TooSlow).
	Skip Status = "skip"
	// NotApplicable: the case does not exist for the draft, the transport or the client.
	NotApplicable Status = "not-applicable"
)

// Statuses lists all of them, in the order of a summary.
var Statuses = []Status{Pass, Fail, Todo, Skip, NotApplicable}

// Session describes one MoQT session of a case, or a connection that did not become one.
type Session struct {
	// Role is the session's role in the case: "client", "publisher", "subscriber".
	Role string `json:"role"`
	// Version is the negotiated version, as "moqt-16"; empty if the connection did not get that far.
	Version string `json:"moqt_version,omitempty"`
	// Transport is "quic" or "webtransport-h3".
	Transport string `json:"transport,omitempty"`
	// ALPN is the protocol that TLS negotiated.
	ALPN string `json:"alpn,omitempty"`
	// WebTransportProtocol is the protocol that the relay selected with WT-Protocol; empty when it named none.
	WebTransportProtocol string `json:"webtransport_protocol,omitempty"`
	// ConnectionID is the client's Initial Destination Connection ID in lowercase hex; it correlates with the relay's
	// qlog.
	ConnectionID string `json:"quic_initial_destination_connection_id,omitempty"`
	// QLOG is the file that the connection's events are written to; empty when there is none.
	QLOG string `json:"qlog,omitempty"`
	// PeerImplementation is the relay's own name for itself, from its SETUP.
	PeerImplementation string `json:"peer_implementation,omitempty"`
	// Established is true once SETUP has gone both ways.
	Established bool `json:"established"`
}

// Draft is "draft-16" for version "moqt-16", and "" when nothing was negotiated.
func (s Session) Draft() string {
	number, ok := strings.CutPrefix(s.Version, "moqt-")
	if !ok {
		return ""
	}
	return "draft-" + number
}

// Result is the result of one case.
type Result struct {
	// Case is the case's identifier.
	Case string
	// Status is the outcome.
	Status Status
	// Level is "MUST", "SHOULD" or "probe": the kind of rule that decided. Sections says where the negotiated draft has
	// the rules that the case judges.
	Level, Sections string
	// Rules are the names of these rules. A client that knows none leaves them out.
	Rules []rules.ID
	// Layer is the layer in which the case failed; empty when it did not.
	Layer transport.Layer
	// Message says for a person what happened. Expected is what should have come, Received what came.
	Message, Expected, Received string
	// Reason says why the case was skipped, or which SHOULD was broken ("SHOULD: what").
	Reason string
	// TooSlow is true when the case was skipped because the path is too slow.
	TooSlow bool
	// Lost is true when the case failed because a session ended that it did not end.
	Lost bool
	// Duration is how long the whole case took.
	Duration time.Duration
	// Sessions are the sessions of the case, in the order in which they were made.
	Sessions []Session
	// Notes are observations that did not decide the outcome.
	Notes []string
	// Tolerated are the names of the tolerances without which the case would have failed.
	Tolerated []string
	// Transcript has the messages exchanged, decoded, one a line.
	Transcript []string
}

// established gives the first session of the case whose SETUP went both ways; false if there is none.
func (r *Result) established() (Session, bool) {
	if i := slices.IndexFunc(r.Sessions, func(s Session) bool { return s.Established }); i >= 0 {
		return r.Sessions[i], true
	}
	return Session{}, false
}

// roles gives each session a name of its own: its role, numbered from 1 where several share it.
func (r *Result) roles() []string {
	count := make(map[string]int)
	for _, s := range r.Sessions {
		count[s.Role]++
	}
	seen := make(map[string]int)
	names := make([]string, len(r.Sessions))
	for i, s := range r.Sessions {
		names[i] = s.Role
		if count[s.Role] > 1 {
			seen[s.Role]++
			names[i] += "_" + strconv.Itoa(seen[s.Role])
		}
	}
	return names
}

// Exit codes of a run, as the public interop runner knows them.
const (
	ExitPass        = 0
	ExitFail        = 1
	ExitUsage       = 2
	ExitUnsupported = 127
)

// exitCode judges a whole run. It is 1 when anything failed, when the run bailed out, when results are missing, or when
// all there is are paths that are too slow. It is 127 when every case was skipped or does not apply. Otherwise it is 0.
// In a strict run a skip is a failure.
func exitCode(planned int, results []Result, bail string, strict bool) int {
	if bail != "" || len(results) != planned {
		return ExitFail
	}
	unsupported, slow := true, false
	for _, r := range results {
		switch r.Status {
		case Pass, Todo:
			unsupported = false
		case Skip:
			if strict {
				return ExitFail
			}
			slow = slow || r.TooSlow
		case NotApplicable:
		default:
			return ExitFail
		}
	}
	switch {
	case unsupported && slow:
		return ExitFail
	case unsupported:
		return ExitUnsupported
	}
	return ExitPass
}
