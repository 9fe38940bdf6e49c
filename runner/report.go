package runner

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// ReportFormat is the version of the JSON form of a Report. It grows when a reader of the previous one would misread
// it.
const ReportFormat = 1

// Schema is the JSON schema (draft 2020-12) of a report's JSON form.
//
//go:embed result.schema.json
var Schema []byte

// Report has the results of one run. Schema pins its JSON form.
type Report struct {
	// Client is the client that ran the cases.
	Client ClientInfo
	// Relay is the relay as the user named it.
	Relay string
	// Transport is the constraint that was asked for ("scheme"). Drafts are what was offered, in order ("draft-16").
	Transport string
	Drafts    []string
	// Draft is the draft that the run's first session negotiated, or "unknown".
	Draft string
	// Started is when the run began, Duration how long it took.
	Started  time.Time
	Duration time.Duration
	// Planned are the cases that were asked for, Results the results of those that ran, in the same order.
	Planned []string
	Results []Result
	// BailOut is why the run ended early; empty when it did not.
	BailOut string
	// Exit is the run's exit code.
	Exit int
}

func (r *Report) finish(draft string, took time.Duration, strict bool) {
	r.Draft, r.Duration = draft, took
	if r.Draft == "" {
		r.Draft = draftUnknown
	}
	// the header could not wait for a later case's session
	for i := 0; i < len(r.Results) && r.Draft == draftUnknown; i++ {
		if s, ok := r.Results[i].established(); ok && s.Draft() != "" {
			r.Draft = s.Draft()
		}
	}
	r.Exit = exitCode(len(r.Planned), r.Results, r.BailOut, strict)
}

// Totals counts the results in one line: "19 ok, 2 not ok, 3 skipped (2 refused, 1 too slow), 4 do not apply".
func (r *Report) Totals() string {
	slow := 0
	for _, x := range r.Results {
		if x.Status == Skip && x.TooSlow {
			slow++
		}
	}
	text := fmt.Sprintf("%d ok, %d not ok", r.Count(Pass), r.Count(Fail))
	if n := r.Count(Todo); n > 0 {
		text += fmt.Sprintf(", %d broke a SHOULD", n)
	}
	if n := r.Count(Skip); n > 0 {
		text += fmt.Sprintf(", %d skipped (%d refused, %d too slow)", n, n-slow, slow)
	}
	if n := r.Count(NotApplicable); n > 0 {
		text += fmt.Sprintf(", %d not applicable", n)
	}
	return text
}

// Count gives the number of results with a status.
func (r *Report) Count(s Status) (n int) {
	for _, x := range r.Results {
		if x.Status == s {
			n++
		}
	}
	return n
}

// MarshalJSON gives the form that Schema describes. Times are RFC 3339 in UTC, durations whole milliseconds.
func (r *Report) MarshalJSON() ([]byte, error) { return json.Marshal(r.form()) }

func (r *Report) form() *jsonReport {
	summary := make(map[Status]int, len(Statuses))
	for _, s := range Statuses {
		summary[s] = r.Count(s)
	}
	out := &jsonReport{
		Format: ReportFormat, Client: r.Client, Relay: r.Relay, Transport: r.Transport, Drafts: orEmpty(r.Drafts),
		Draft:   r.Draft,
		Started: r.Started.UTC().Format(time.RFC3339Nano), DurationMS: r.Duration.Milliseconds(),
		TestSpecRevision: TestSpecRevision,
		Planned:          orEmpty(r.Planned), Summary: summary, BailOut: r.BailOut, Exit: r.Exit,
		Results: make([]jsonResult, 0, len(r.Results)),
	}
	for _, x := range r.Results {
		roles := x.roles()
		j := jsonResult{
			Case: x.Case, Status: x.Status, Level: x.Level, Sections: x.Sections, Rules: x.Rules, Layer: x.Layer,
			Message:  x.Message,
			Expected: x.Expected, Received: x.Received,
			Reason: x.Reason, DurationMS: x.Duration.Milliseconds(), Sessions: make([]Session, len(roles)),
			TooSlow: x.TooSlow, Notes: x.Notes, Tolerated: x.Tolerated, Transcript: x.Transcript,
		}
		for i, s := range x.Sessions {
			s.Role = roles[i]
			j.Sessions[i] = s
		}
		out.Results = append(out.Results, j)
	}
	return out
}

type jsonReport struct {
	Format           int            `json:"format"`
	Client           ClientInfo     `json:"client"`
	Relay            string         `json:"relay"`
	Transport        string         `json:"transport"`
	Drafts           []string       `json:"drafts_offered"`
	Draft            string         `json:"draft"`
	Started          string         `json:"started"`
	DurationMS       int64          `json:"duration_ms"`
	TestSpecRevision int            `json:"test_spec_revision"`
	Planned          []string       `json:"planned"`
	Summary          map[Status]int `json:"summary"`
	BailOut          string         `json:"bail_out,omitempty"`
	Exit             int            `json:"exit_code"`
	Results          []jsonResult   `json:"results"`
}

type jsonResult struct {
	Case       string          `json:"case"`
	Status     Status          `json:"status"`
	Level      string          `json:"level,omitempty"`
	Sections   string          `json:"sections,omitempty"`
	Rules      []rules.ID      `json:"rules,omitempty"`
	Layer      transport.Layer `json:"layer,omitempty"`
	Message    string          `json:"message,omitempty"`
	Expected   string          `json:"expected,omitempty"`
	Received   string          `json:"received,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	TooSlow    bool            `json:"too_slow,omitempty"`
	DurationMS int64           `json:"duration_ms"`
	Sessions   []Session       `json:"sessions"`
	Notes      []string        `json:"notes,omitempty"`
	Tolerated  []string        `json:"tolerated,omitempty"`
	Transcript []string        `json:"transcript,omitempty"`
}

// orEmpty keeps an empty list from becoming null.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
