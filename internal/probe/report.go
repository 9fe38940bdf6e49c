package probe

import (
	_ "embed"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
)

// Format is the version of the status file's form. It grows when a reader of the previous one would misread the file.
const Format = 1

// Schema is the JSON schema (draft 2020-12) of the status file.
//
//go:embed status.schema.json
var Schema []byte

// Status is the outcome of one attempt: OK, the layer in which it failed ("alpn", "webtransport"), that layer with
// "-timeout" if the time was up there, or Cancelled.
type Status string

// The statuses that are not layers.
const (
	// OK: SETUP went both ways.
	OK Status = "ok"
	// Cancelled: the run ended before the attempt did; it says nothing about the relay.
	Cancelled Status = "cancelled"
)

const timeoutSuffix = "-timeout"

// statusOf is the status of a failure.
func statusOf(l transport.Layer, timeout bool) Status {
	if timeout {
		return Status(l) + timeoutSuffix
	}
	return Status(l)
}

// Timeout reports whether the time was up.
func (s Status) Timeout() bool { return strings.HasSuffix(string(s), timeoutSuffix) }

// Layer is the layer in which the attempt failed, "" for OK and Cancelled.
func (s Status) Layer() transport.Layer {
	if s == OK || s == Cancelled {
		return ""
	}
	return transport.Layer(strings.TrimSuffix(string(s), timeoutSuffix))
}

// Milliseconds is a duration that JSON shows in milliseconds, to a tenth.
type Milliseconds time.Duration

// MarshalJSON implements json.Marshaler.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(time.Duration(m).Seconds()*1e4) / 10)
}

// Report is the result of one round. Schema pins its JSON form.
type Report struct {
	// Format is the constant Format.
	Format  int    `json:"format"`
	Program string `json:"program"`
	Version string `json:"version"`
	// Started is when the round began, in UTC. Duration is how long it took, Timeout how long each attempt might take.
	Started  time.Time    `json:"started"`
	Duration Milliseconds `json:"duration_ms"`
	Timeout  Milliseconds `json:"timeout_ms"`
	// Complete is false when the run was ended before the round was over.
	Complete bool `json:"complete"`
	// Answered is true when any attempt is OK.
	Answered bool `json:"answered"`
	// Summary counts the attempts by status.
	Summary map[Status]int `json:"summary"`
	// Endpoints are the targets, in order.
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is the result for one target.
type Endpoint struct {
	// Relay is the implementation's name in the catalogue. URL is the endpoint as it was given, Label the same for
	// people: "host:port", with the path if there is one.
	Relay string `json:"relay,omitempty"`
	URL   string `json:"url"`
	Label string `json:"endpoint"`
	// Claimed are the drafts that the catalogue claims.
	Claimed []relays.Draft `json:"claimed_drafts,omitempty"`
	// Answered are the drafts to which SETUP was answered over any transport, oldest first.
	Answered []relays.Draft `json:"answered_drafts"`
	// Certificates are those that were shown, each once, sorted by expiry.
	Certificates []Certificate `json:"certificates,omitempty"`
	// Attempts are ordered by transport and draft, oldest first.
	Attempts []Attempt `json:"attempts"`
	// NotAsked is what the endpoint may support and was not asked for.
	NotAsked []NotAsked `json:"not_asked,omitempty"`
}

// NotAsked is a transport over which drafts were left out.
type NotAsked struct {
	Transport transport.Choice `json:"transport"`
	// Drafts are ordered, oldest first; Reason says why for a person.
	Drafts []relays.Draft `json:"drafts"`
	Reason string         `json:"reason"`
}

// notAsked says so of drafts; nothing of none.
func notAsked(over transport.Choice, drafts []wire.Draft, reason string) []NotAsked {
	if len(drafts) == 0 {
		return nil
	}
	n := NotAsked{Transport: over, Reason: reason}
	for _, d := range slices.Sorted(slices.Values(drafts)) {
		n.Drafts = append(n.Drafts, relays.Draft(d.String()))
	}
	return []NotAsked{n}
}

// Certificate is what an operator wants to know about a relay's certificate.
type Certificate struct {
	Subject string   `json:"subject"`
	Issuer  string   `json:"issuer"`
	Names   []string `json:"names,omitempty"`
	// NotBefore and NotAfter bound its validity, in UTC. Days is how many whole days were left when the round began,
	// negative once it has expired.
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Days      int       `json:"days_left"`
	// Verification is "trusted", "not trusted" or "not checked".
	Verification string `json:"verification"`
	// SHA256 is the fingerprint in hex.
	SHA256 string `json:"sha256"`
}

// The outcomes of Certificate.Verification.
const (
	trusted    = "trusted"
	notTrusted = "not trusted"
	notChecked = "not checked"
)

// Attempt is the outcome of one draft over one transport.
type Attempt struct {
	// Transport is the transport that was tried. Draft is the draft that was offered and, if Status is OK, negotiated.
	// If several drafts were offered at once, Offered has them in order, and Draft is the relay's choice, "" if it made
	// none. Transport is transport.Auto if the relay was to choose that too and did not.
	Transport transport.Choice `json:"transport"`
	Draft     relays.Draft     `json:"draft,omitempty"`
	Offered   []relays.Draft   `json:"offered_drafts,omitempty"`
	Status    Status           `json:"status"`
	// Duration is from looking up the name to the peer's SETUP, or to the failure.
	Duration Milliseconds `json:"duration_ms"`
	// Message says for a person what happened, Expected what should have come and Received what came; all are empty if
	// Status is OK.
	Message  string `json:"message,omitempty"`
	Expected string `json:"expected,omitempty"`
	Received string `json:"received,omitempty"`
	// HTTPStatus is the status of the answer to a WebTransport request that failed.
	HTTPStatus int `json:"http_status,omitempty"`
	// ALPN and Protocol are what the relay selected. ConnectionID is the Initial Destination Connection ID in hex.
	ALPN         string `json:"alpn,omitempty"`
	Protocol     string `json:"webtransport_protocol,omitempty"`
	ConnectionID string `json:"connection_id,omitempty"`
	// Implementation is the relay's MOQT_IMPLEMENTATION. Options are all options of its SETUP (14-16: setup
	// parameters), in its order.
	Implementation string   `json:"implementation,omitempty"`
	Options        []Option `json:"setup_options,omitempty"`
	// Certificate is the fingerprint of the certificate that was shown.
	Certificate string `json:"certificate_sha256,omitempty"`
	// Ended is true when the relay ended the session right after SETUP, before we did.
	Ended bool `json:"ended_by_relay,omitempty"`
	// Hint is a conclusion from what other attempts saw.
	Hint string `json:"hint,omitempty"`
	// Tolerated are the deviations that were tolerated. Notes are observations that decide nothing.
	Tolerated []string `json:"tolerated,omitempty"`
	Notes     []string `json:"notes,omitempty"`
}

// Option is one option of the relay's SETUP. It has a number, a text, or bytes in hex.
type Option struct {
	// Type is the code, "0x4"; Name the draft's name of it, "" for an unknown one.
	Type  string  `json:"type"`
	Name  string  `json:"name,omitempty"`
	Value *uint64 `json:"value,omitempty"`
	Text  *string `json:"text,omitempty"`
	Hex   *string `json:"hex,omitempty"`
}

// ExitCode is 0 when any draft answered anywhere, else 1.
func (r *Report) ExitCode() int {
	if r.Answered {
		return 0
	}
	return 1
}

// WriteJSON writes the status file's form, indented for people.
func WriteJSON(w io.Writer, r *Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
