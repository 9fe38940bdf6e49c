package runner

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// TestSpecRevision is the revision of the test specification that the cases follow.
const TestSpecRevision = 1

// draftUnknown and transportUnknown are in the header of a run whose first case had no session.
const (
	draftUnknown     = "unknown"
	transportUnknown = "unknown"
)

// printer writes the TAP document of a run. Its methods are safe for concurrent use; the first call settles the header.
type printer struct {
	mu     sync.Mutex
	out    *tap.Writer
	client ClientInfo
	relay  string
	about  []string // further comment lines
	repeat func(id string) string
	start  time.Time
	plan   int
	begun  bool
	draft  string // as the header has it
	points int
	err    error
}

// document is what a run prints: TAP, or the short form for people. Its methods are safe for concurrent use.
type document interface {
	// header prints what comes before the results, unless it has been printed.
	header(s Session)
	// result prints the next result, close the totals, bail why the run ends early.
	result(c cases.Case, r Result) error
	close(r *Report) error
	bail(reason string) error
	// state gives the header's draft and the first error of writing.
	state() (draft string, err error)
}

func (p *printer) state() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.draft, p.err
}

func newPrinter(w io.Writer, o *Options, start time.Time) *printer {
	return &printer{out: tap.NewWriter(w), client: o.Client.Info(), relay: o.Relay, about: o.About, start: start,
		plan: len(o.Cases), repeat: o.Repeat}
}

// header prints what comes before the points, unless it has been printed.
func (p *printer) header(s Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.headerLocked(s)
}

func (p *printer) headerLocked(s Session) {
	if p.begun {
		return
	}
	p.begun = true
	p.draft = s.Draft()
	if p.draft == "" {
		p.draft = draftUnknown
	}
	transport := s.Transport
	if s.Draft() == "" {
		transport = transportUnknown
	}
	comments := []string{
		strings.TrimSpace(p.client.Name + " " + p.client.Version),
		"Relay: " + p.relay,
		"Draft: " + p.draft,
		"Transport: " + transport,
		"Started: " + p.start.UTC().Format(time.RFC3339),
	}
	p.keep(p.out.Version())
	for _, c := range append(comments, p.about...) {
		p.keep(p.out.Comment(c))
	}
	p.keep(p.out.Plan(p.plan))
}

// result prints the next point.
func (p *printer) result(c cases.Case, r Result) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	first, _ := r.established()
	p.headerLocked(first)
	p.points++
	point := point(p.points, c, r, p.client.Version)
	if p.repeat != nil && (r.Status == Fail || r.Status == Todo || r.Status == Skip) {
		point.YAML = append(point.YAML, yaml.MapItem{Key: "repeat", Value: p.repeat(c.ID)})
	}
	p.keep(p.out.Point(point))
	return p.err
}

// close prints the totals.
func (p *printer) close(r *Report) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(p.out.Comment(r.Totals()))
	return p.err
}

// bail prints the line that ends the run.
func (p *printer) bail(reason string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.headerLocked(Session{})
	p.keep(p.out.Bail(reason))
	return p.err
}

// keep remembers the first error.
func (p *printer) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}

// point makes the TAP point of a result.
func point(number int, c cases.Case, r Result, version string) tap.Point {
	p := tap.Point{Number: number, Name: r.Case, OK: true}
	switch r.Status {
	case Skip, NotApplicable:
		p.Directive, p.Reason = tap.Skip, r.Reason
	case Todo:
		p.OK, p.Directive, p.Reason = false, tap.Todo, r.Reason
	case Pass:
	default:
		p.OK = false
	}
	y := &block{}
	y.add("duration_ms", r.Duration.Milliseconds())
	y.text("message", r.Message)
	y.text("expected", r.Expected)
	y.text("received", r.Received)
	roles := r.roles()
	for i, s := range r.Sessions {
		key := "connection_id"
		if len(c.Roles) > 1 || len(roles) > 1 {
			key = roles[i] + "_connection_id"
		}
		y.text(key, s.ConnectionID)
	}
	y.text("implementation_version", version)
	y.add("test_spec_revision", TestSpecRevision)
	if len(roles) > 0 {
		sessions := &block{}
		for i, s := range r.Sessions {
			sessions.add(roles[i], s.yaml())
		}
		y.add("sessions", sessions.items)
	}
	y.text("layer", string(r.Layer))
	broken := r.Status == Fail || r.Status == Todo
	if broken {
		y.text("level", r.Level)
		y.text("sections", r.Sections)
		said := &block{}
		for _, id := range r.Rules {
			rule, _ := rules.Find(id)
			said.text(string(id), rule.Says)
		}
		if len(said.items) > 0 {
			y.add("rules", said.items)
		}
	}
	y.list("tolerated", r.Tolerated)
	y.list("notes", r.Notes)
	if broken {
		y.list("transcript", r.Transcript)
	}
	p.YAML = y.items
	return p
}

func (s Session) yaml() yaml.MapSlice {
	y := &block{items: yaml.MapSlice{}}
	y.text("moqt_version", s.Version)
	y.text("transport", s.Transport)
	y.text("alpn", s.ALPN)
	y.text("webtransport_protocol", s.WebTransportProtocol)
	y.text("quic_initial_destination_connection_id", s.ConnectionID)
	y.text("qlog", s.QLOG)
	return y.items
}

// block collects the keys of a YAML mapping. Empty values are left out.
type block struct{ items yaml.MapSlice }

func (b *block) add(key string, v any) { b.items = append(b.items, yaml.MapItem{Key: key, Value: v}) }

func (b *block) text(key, v string) {
	if v != "" {
		b.add(key, v)
	}
}

func (b *block) list(key string, v []string) {
	if len(v) > 0 {
		b.add(key, v)
	}
}
