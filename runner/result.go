package runner

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Status is what a case amounts to.
type Status string

// The outcomes of a case.
const (
	// Pass: everything the draft demands was there.
	Pass Status = "pass"
	// Fail: a MUST was broken, or the case could not get that far.
	Fail Status = "fail"
	// Todo: a SHOULD was broken, which does not fail a run that is not strict. It is no pass either.
	Todo Status = "todo"
	// Skip: the relay said properly that it does not support what the case needs, or the path is too slow to tell
	// (Result.TooSlow).
	Skip Status = "skip"
	// NotApplicable: the case does not exist for the draft, the transport or the client.
	NotApplicable Status = "not-applicable"
)

// Statuses lists all of them, in the order of a summary.
var Statuses = []Status{Pass, Fail, Todo, Skip, NotApplicable}

// Session is what is known of one MoQT session of a case, or of a connection that did not become one.
type Session struct {
	// Role is that of the session in the case: "client", "publisher", "subscriber".
	Role string `json:"role"`
	// Version is "moqt-16", as negotiated; empty when the connection did not get that far.
	Version string `json:"moqt_version,omitempty"`
	// Transport is "quic" or "webtransport-h3".
	Transport string `json:"transport,omitempty"`
	// ALPN is what TLS selected.
	ALPN string `json:"alpn,omitempty"`
	// WebTransportProtocol is what the relay selected with WT-Protocol; empty when it named none.
	WebTransportProtocol string `json:"webtransport_protocol,omitempty"`
	// ConnectionID is the client's Initial Destination Connection ID in lowercase hex; it correlates with the relay's
	// qlog.
	ConnectionID string `json:"quic_initial_destination_connection_id,omitempty"`
	// QLOG is the file that the connection's events are written to; empty where none is.
	QLOG string `json:"qlog,omitempty"`
	// PeerImplementation is what the relay's SETUP called itself.
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

// Result is what came of one case.
type Result struct {
	// Case is the identifier.
	Case string
	// Status is the outcome.
	Status Status
	// Level is "MUST", "SHOULD" or "probe": what kind of rule decided. Sections is where the negotiated draft has the
	// rules.
	Level, Sections string
	// Layer is where it failed; empty when it did not.
	Layer transport.Layer
	// Message says for a person what happened; Expected and Received what should have come and what came.
	Message, Expected, Received string
	// Reason is why the case was skipped, or what SHOULD was broken ("SHOULD: what").
	Reason string
	// TooSlow is true for a skip because of the path.
	TooSlow bool
	// Duration is that of the whole case.
	Duration time.Duration
	// Sessions are those of the case, in the order in which they were made.
	Sessions []Session
	// Notes are facts worth knowing that decide nothing.
	Notes []string
	// Tolerated are the tolerances that mattered.
	Tolerated []string
	// Transcript is the messages exchanged, decoded, one a line.
	Transcript []string
}

// established gives the first session of the case that did its setup, and false when none did.
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

// Exit codes of a run (the public runner's contract).
const (
	ExitPass        = 0
	ExitFail        = 1
	ExitUsage       = 2
	ExitUnsupported = 127
)

// exitCode judges a whole run: 1 when anything failed, when the run bailed out or when results are missing, also when
// nothing but paths that are too slow came of it; 127 when nothing but skips and what does not apply did; else 0. In a
// strict run a skip is a failure.
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
