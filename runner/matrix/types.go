package matrix

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/relays"
)

// Format is the version of the JSON form of plans and runs; it grows when a reader of the last one would misread it.
const Format = 1

// Schema is the JSON schema (draft 2020-12) of run.json.
//
//go:embed run.schema.json
var Schema []byte

// Status is what a cell, or a case of a cell, amounts to.
type Status string

// The outcomes.
const (
	// Pass: everything that applied passed, and something did.
	Pass Status = "pass"
	// Fail: a case failed, and failed again when it was repeated.
	Fail Status = "fail"
	// Flaky: a case failed, and did not when it was repeated. It is no pass.
	Flaky Status = "flaky"
	// Todo: only a SHOULD was broken. A cell has this status when nothing in it passed; otherwise only its cases have
	// it.
	Todo Status = "todo"
	// Skip: the relay said properly that it does not support what the case needs.
	Skip Status = "skip"
	// TooSlow: the path is too slow to tell, which is no word about the relay. A cell has this status when nothing in
	// it passed and no SHOULD was broken.
	TooSlow Status = "too-slow"
	// NotApplicable: the client does not have the case, or the case does not exist for the draft or the transport.
	NotApplicable Status = "not-applicable"
	// Missing: planned, but without a result: the run ended before it, or the client did.
	Missing Status = "missing"
	// Stale: this run has no result; the one shown is that of an earlier run. Only readers of several runs use it.
	Stale Status = "stale"
	// Error: it could not be judged. The client or the relay did not start, the client's report contradicts itself, or
	// what was tested is not what was planned. Only cells have it.
	Error Status = "error"
	// Down: the relay does not answer at all, so that nothing was run against it. Only cells have it.
	Down Status = "down"
)

// Statuses lists all of them, in the order of a summary.
var Statuses = []Status{Pass, Fail, Flaky, Todo, Skip, TooSlow, NotApplicable, Missing, Stale, Error, Down}

// Classification compares a cell's predicted draft with the target draft.
type Classification string

// The classifications; a plan without a target has none.
const (
	At     Classification = "at"
	Ahead  Classification = "ahead"
	Behind Classification = "behind"
)

// Kind says how a client is run, or a relay reached.
type Kind string

// The kinds. Builtin and Pair are only for clients, Embedded and Remote are only for relays.
const (
	KindBuiltin   Kind = "builtin"
	KindEmbedded  Kind = "embedded"
	KindRemote    Kind = "remote"
	KindCommand   Kind = "command"
	KindContainer Kind = "container"
	// KindPair is a client of two programs: a publisher and a subscriber with the relay between them.
	KindPair Kind = "pair"
)

// Cell is one client against one endpoint of one relay, with one draft and one transport.
type Cell struct {
	// ID is client/relay/endpoint/draft/transport: stable as long as these are, unique in a plan, fit for a path
	// (forward slashes).
	ID string `json:"id"`
	// Client, Relay and Endpoint are names of the plan.
	Client   string `json:"client"`
	Relay    string `json:"relay"`
	Endpoint string `json:"endpoint"`
	// URL is what the client is given; "embedded" and empty (a command with a port of its own choosing) get theirs when
	// the relay is started.
	URL string `json:"url,omitempty"`
	// Draft is the draft that is offered, "draft-18"; empty when the client offers all it has.
	Draft string `json:"draft,omitempty"`
	// Transport is "quic" or "webtransport".
	Transport string `json:"transport"`
	// Predicted is Draft, or else the newest draft that both claim; empty when nobody said. It is no result: see Label.
	Predicted string `json:"predicted,omitempty"`
	// Newest is true for the newest draft that both claim on this endpoint and transport.
	Newest bool `json:"newest,omitempty"`
	// Classification is that of Predicted; empty without a target.
	Classification Classification `json:"classification,omitempty"`
	// Mode is the kind of the endpoint.
	Mode Kind `json:"mode"`
	// Unclaimed is true when nobody said which drafts the relay speaks: the cell is an attempt.
	Unclaimed bool `json:"unclaimed,omitempty"`
}

// LeftOut is a combination that has no cell, and why. An empty field stands for all values.
type LeftOut struct {
	Client    string   `json:"client,omitempty"`
	Relay     string   `json:"relay,omitempty"`
	Endpoint  string   `json:"endpoint,omitempty"`
	Transport string   `json:"transport,omitempty"`
	Drafts    []string `json:"drafts,omitempty"`
	Reason    string   `json:"reason"`
}

// Client is a client as a plan has it.
type Client struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Drafts ("draft-18", newest first) and Transports are those it claims.
	Drafts     []string `json:"drafts"`
	Transports []string `json:"transports"`
	// Command is a program and its arguments, Image a container's, with Args behind it; Env is added to the environment
	// of a cell.
	Command []string          `json:"command,omitempty"`
	Image   string            `json:"image,omitempty"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	// Cases are cases of its own, by its names: it runs them in addition to its standard set, or when the plan names
	// them.
	Cases []string `json:"cases,omitempty"`
	// Lists is true for a program that takes several names in TESTCASE: it is run once for all cases.
	Lists bool `json:"lists,omitempty"`
	// Publisher and Subscriber are the programs of a pair.
	Publisher  *Half `json:"publisher,omitempty"`
	Subscriber *Half `json:"subscriber,omitempty"`
	// Version is a command that prints the client's version.
	Version []string `json:"version,omitempty"`
}

// Endpoint is an endpoint of a relay as a plan has it. Relay and Name together are unique in a plan.
type Endpoint struct {
	Relay string `json:"relay"`
	Name  string `json:"name"`
	Kind  Kind   `json:"kind"`
	// URL is the relay's, "embedded" with its faults, or empty for a relay that gets a free port.
	URL              string   `json:"url,omitempty"`
	TLSDisableVerify bool     `json:"tls_disable_verify,omitempty"`
	Tolerances       []string `json:"tolerances,omitempty"`
	// Network is the bad path that leads to the relay, as badpath.ParsePath reads it; empty for the way as it is.
	Network string `json:"network,omitempty"`
	// Settings are the others that a client must be told. A secret is a name here, never a value.
	Settings relays.Settings `json:"settings,omitzero"`
	// Command, Image with its Args, and Env say how it is started. URL may have {port} then.
	Command []string          `json:"command,omitempty"`
	Image   string            `json:"image,omitempty"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	// Version is a command that prints the relay's version.
	Version []string `json:"version,omitempty"`
}

// Shard is a part of a plan: Index of Of, from 1.
type Shard struct {
	Index int `json:"index"`
	Of    int `json:"of"`
}

// Plan is what is to be run. Two plans with the same ID are the same plan.
type Plan struct {
	Format int `json:"format"`
	// ID is a digest of everything that is run; a shard has the whole plan's.
	ID string `json:"id"`
	// Target is the draft that cells are at, ahead of or behind; empty when there is none.
	Target string `json:"target,omitempty"`
	// Cases are those that every cell runs, in order; none means the standard set of each client.
	Cases []string `json:"cases,omitempty"`
	// Shard is set in a part of a plan; Total is the number of cells of the whole.
	Shard *Shard `json:"shard,omitempty"`
	Total int    `json:"total"`
	// Catalogues are what it was made from, as relays.Open names them; none is the built-in one. They are for the line
	// that repeats a cell.
	Catalogues []string `json:"catalogues,omitempty"`
	// Repositories are the URLs of the relays' and clients' sources, by name, as far as the catalogue has them.
	Repositories map[string]string `json:"repositories,omitempty"`
	// Clients and Endpoints are those that cells name, by name. Cells are in the order of their IDs.
	Clients   []Client   `json:"clients"`
	Endpoints []Endpoint `json:"endpoints"`
	Cells     []Cell     `json:"cells"`
	LeftOut   []LeftOut  `json:"left_out"`
}

// PlanRef says in a run which plan it carried out.
type PlanRef struct {
	ID     string   `json:"id"`
	Target string   `json:"target,omitempty"`
	Cases  []string `json:"cases,omitempty"`
	Shard  *Shard   `json:"shard,omitempty"`
	// Total is the number of cells of the whole plan; Tools is a digest of its clients and endpoints.
	Total int    `json:"total"`
	Tools string `json:"tools"`
}

// Run has the results of a plan: run.json.
type Run struct {
	Format int `json:"format"`
	// ID names the run; it is its folder's name.
	ID string `json:"id"`
	// Started is when it began, before any resumption; Finished when its last part ended.
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	// Resumed is how often it was resumed.
	Resumed int `json:"resumed,omitempty"`
	// Ended is why it ended before every cell had a result; empty when they all have one.
	Ended string `json:"ended,omitempty"`
	// Versions are those of the tools: this program, Go, libraries, clients.
	Versions map[string]string `json:"versions"`
	Plan     PlanRef           `json:"plan"`
	// Repositories are the plan's.
	Repositories map[string]string `json:"repositories,omitempty"`
	// Merged are the runs that this one was joined from.
	Merged []string `json:"merged,omitempty"`
	// Cells has every cell of the plan, or of its shard, in the order of their IDs.
	Cells   []CellResult `json:"cells"`
	LeftOut []LeftOut    `json:"left_out"`
}

// Complete reports whether every cell has a result.
func (r *Run) Complete() bool {
	for i := range r.Cells {
		if r.Cells[i].Status == Missing {
			return false
		}
	}
	return true
}

// Count gives the number of cells with a status.
func (r *Run) Count(s Status) (n int) {
	for i := range r.Cells {
		if r.Cells[i].Status == s {
			n++
		}
	}
	return n
}

// Summary is a line about the run: its ID, how many cells have which status, and why it ended, if it did early.
func (r *Run) Summary() string {
	var parts []string
	for _, s := range Statuses {
		if n := r.Count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no cells"}
	}
	s := fmt.Sprintf("%s: %s", r.ID, strings.Join(parts, ", "))
	if r.Ended != "" {
		s += "; ended early: " + r.Ended
	}
	return s
}

// CellResult is the result of a cell.
type CellResult struct {
	Cell
	Status Status `json:"status"`
	// Layer is that of the first failure, a transport.Layer; empty when nothing failed or the client did not say.
	Layer string `json:"layer,omitempty"`
	// Reason says in a line why it is no pass.
	Reason string `json:"reason,omitempty"`
	Label  Label  `json:"label"`
	// ClientVersion and RelayVersion are what they say of themselves: a client's report or --version, a relay's
	// MOQT_IMPLEMENTATION, --version or image digest. Empty when nobody said.
	ClientVersion string `json:"client_version,omitempty"`
	RelayVersion  string `json:"relay_version,omitempty"`
	// ExitCode is the client's, of the first attempt; nil when it did not end by itself or there was none.
	ExitCode *int `json:"exit_code,omitempty"`
	// Started is zero when it never was. DurationMS includes repetitions.
	Started    time.Time `json:"started,omitzero"`
	DurationMS int64     `json:"duration_ms"`
	// Attempts counts how often the client was run for the same cases: 0 (never), 1, or 2 after a failure.
	Attempts int `json:"attempts"`
	// Cases are in the plan's order, or in the client's.
	Cases []CaseResult `json:"cases,omitempty"`
	// Notes are facts worth knowing that decide nothing, or that explain the Reason.
	Notes []string `json:"notes,omitempty"`
	Files Files    `json:"files,omitzero"`
	// Command repeats the cell, as a line for a POSIX shell.
	Command string `json:"command,omitempty"`
	// Known is the reason that a file of expected failures gives for what is wrong with the cell and no case stands
	// for, as a relay that did not start; such a cell does not fail the run.
	Known string `json:"known,omitempty"`
	// StaleFrom is the run that a stale result is of.
	StaleFrom string `json:"stale_from,omitempty"`
}

// Count gives the number of cases with a status.
func (c *CellResult) Count(s Status) (n int) {
	for i := range c.Cases {
		if c.Cases[i].Status == s {
			n++
		}
	}
	return n
}

// CaseResult is the result of a case in a cell.
type CaseResult struct {
	// Name is the case's identifier; what other clients call it by an alias has ours.
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Level is "MUST", "SHOULD" or "probe"; Sections is where the negotiated draft has the rules.
	Level    string `json:"level,omitempty"`
	Sections string `json:"sections,omitempty"`
	// Layer is where it failed; Message, Expected and Received say how.
	Layer    string `json:"layer,omitempty"`
	Message  string `json:"message,omitempty"`
	Expected string `json:"expected,omitempty"`
	Received string `json:"received,omitempty"`
	// Reason is why it was skipped, or (Todo) which SHOULD was broken.
	Reason     string `json:"reason,omitempty"`
	DurationMS int64  `json:"duration_ms"`
	// Attempts is 2 when it was repeated; 0 stands for 1.
	Attempts int `json:"attempts,omitempty"`
	// Drafts are those that the case's sessions negotiated, by role.
	Drafts    []RoleDraft `json:"drafts,omitempty"`
	Notes     []string    `json:"notes,omitempty"`
	Tolerated []string    `json:"tolerated,omitempty"`
	// Known is the reason that a file of expected failures gives for this failure; such a failure does not fail the
	// run.
	Known string `json:"known,omitempty"`
	// Of a case that did not pass: Command repeats it alone, as a line for a POSIX shell, and Files are what it left,
	// as slash-separated paths in the run's folder: a diagram of its sessions, qlog files, the relay's mlog files.
	Command string   `json:"command,omitempty"`
	Files   []string `json:"files,omitempty"`
}

// Source says where a label comes from.
type Source string

// The sources.
const (
	// Negotiated: the client's report has it.
	Negotiated Source = "negotiated"
	// Predicted: the client did not report one; this is what the plan expected.
	Predicted Source = "predicted"
)

// Label is the draft of a cell.
type Label struct {
	Source Source `json:"source"`
	// Draft is the one that all sessions had, or that was predicted; empty when they differ or nobody knows.
	Draft string `json:"draft,omitempty"`
	// Roles are the negotiated drafts by role, in the order of roles and drafts, each once; none when the report names
	// no roles.
	Roles []RoleDraft `json:"roles,omitempty"`
	// Conflict says what in the client's report contradicts the label; empty when nothing does.
	Conflict string `json:"conflict,omitempty"`
}

// RoleDraft is the draft that a role's session negotiated.
type RoleDraft struct {
	Role  string `json:"role"`
	Draft string `json:"draft"`
}

// Files are what a cell left in the run's folder, as slash-separated paths from there; empty when there is none.
type Files struct {
	// TAP is the client's report of the first attempt; Retries are those of the repetitions.
	TAP     string   `json:"tap,omitempty"`
	Retries []string `json:"retries,omitempty"`
	// Transcript has the decoded messages of the failed cases.
	Transcript string `json:"transcript,omitempty"`
	// Stderr is the end of what a foreign client wrote there, when the cell did not pass.
	Stderr string `json:"stderr,omitempty"`
	// QLOG and MLOG are folders: the client's, and that of a relay that was started. RelayLog is what it printed.
	QLOG     string `json:"qlog,omitempty"`
	MLOG     string `json:"mlog,omitempty"`
	RelayLog string `json:"relay_log,omitempty"`
}
