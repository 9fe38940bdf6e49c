//go:build js

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/transport/webconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// order is a run that the page asks for.
type order struct {
	// Relay is a URL, or "embedded" with faults and quirks. Hashes are certificates' in hex.
	Relay  string   `json:"relay"`
	Hashes []string `json:"hashes"`
	// Offers has the drafts of each column of the table: one run for each.
	Offers [][]int `json:"offers"`
	// Suite is run, or else Cases by name.
	Suite string   `json:"suite"`
	Cases []string `json:"cases"`

	NamespacePrefix string   `json:"namespacePrefix"`
	Token           string   `json:"token"`
	Compat          []string `json:"compat"`
	Factor          float64  `json:"factor"`
	Strict          bool     `json:"strict"`
	Jobs            int      `json:"jobs"`
	// Browser is the browser's own name for itself.
	Browser string `json:"browser"`
}

// running is the run that is on its way.
type running struct {
	mu     sync.Mutex
	cancel context.CancelCauseFunc
	left   []documents
}

// begin makes the context of a run, unless there is one.
func (r *running) begin() (context.Context, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		return nil, errors.New("a run is on its way: stop it first")
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	r.cancel, r.left = cancel, []documents{}
	return ctx, nil
}

func (r *running) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		r.cancel(runner.ErrInterrupted)
	}
}

// leave keeps what a column leaves.
func (r *running) leave(d documents) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = append(r.left, d)
}

// documents are what the columns have left so far.
func (r *running) documents() []documents {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left
}

func (r *running) end() {
	r.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel = nil
}

// plan is a run, checked.
type plan struct {
	order
	target runner.Target
	list   []cases.Case
	config cases.Config
	hashes [][]byte
	offers [][]wire.Draft
}

// plan checks an order. Errors are for the person in front of the page.
func (o *order) plan() (*plan, error) {
	p := &plan{order: *o}
	var err error
	if p.target, err = runner.ParseTarget(o.Relay, reference.FaultNames(), reference.QuirkNames()); err != nil {
		return nil, err
	}
	if !p.target.Embedded && p.target.URL.Scheme != "https" {
		return nil, fmt.Errorf("relay URL %q: a browser speaks WebTransport alone, so it must begin with https://",
			o.Relay)
	}
	for _, text := range o.Hashes {
		h, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(text))
		if err != nil || len(h) != 32 {
			return nil, fmt.Errorf("certificate hash %q: want SHA-256 in hex, 64 digits", text)
		}
		p.hashes = append(p.hashes, h)
	}
	for _, offer := range o.Offers {
		var drafts []wire.Draft
		for _, n := range offer {
			d, err := wire.ParseDraft(fmt.Sprint(n))
			if err != nil {
				return nil, err
			}
			drafts = append(drafts, d)
		}
		p.offers = append(p.offers, drafts)
	}
	if len(p.offers) == 0 {
		return nil, errors.New("no draft is chosen")
	}
	if p.list = cases.Suite(o.Suite); len(o.Cases) > 0 {
		if p.list, err = (runner.Selection{Draft: p.offers[0][0], Suite: o.Suite}).Cases(o.Cases); err != nil {
			return nil, err
		}
	}
	if len(p.list) == 0 {
		return nil, fmt.Errorf("unknown suite %q", o.Suite)
	}
	return p, p.configure()
}

// maxFactor bounds how far limits are stretched.
const maxFactor = 1000

// configure fills in what cases are told.
func (p *plan) configure() error {
	c := &p.config
	*c = cases.Config{URL: p.target.URL, Embedded: p.target.Embedded, AuthToken: p.Token, Strict: p.Strict,
		TimeoutFactor: p.Factor, Implementation: "moq-interop-client " + runner.Version()}
	if p.NamespacePrefix != "" {
		c.NamespacePrefix = strings.Split(p.NamespacePrefix, "/")
	}
	if slices.Contains(c.NamespacePrefix, "") {
		return fmt.Errorf("namespace prefix: %q has an empty field", p.NamespacePrefix)
	}
	for _, name := range p.Compat {
		if err := c.SetTolerance(name); err != nil {
			return err
		}
	}
	if p.Factor < 0 || p.Factor > maxFactor {
		return fmt.Errorf("timeout factor: %v is not above 0 and at most %d", p.Factor, maxFactor)
	}
	return nil
}

// began is the shape of the table.
type began struct {
	Cases  []choice   `json:"cases"`
	Offers [][]string `json:"offers"`
}

// progress is news of a case: its result as in a report, or nothing when it has begun.
type progress struct {
	Column int             `json:"column"`
	Case   string          `json:"case"`
	Result json.RawMessage `json:"result,omitempty"`
}

// column is the end of a column.
type column struct {
	Column  int    `json:"column"`
	Totals  string `json:"totals"`
	BailOut string `json:"bailOut"`
	Exit    int    `json:"exit"`
}

// documents are what a column leaves. They stay here until the page asks for them: they are long, and the page is not
// to stand still for them.
type documents struct {
	TAP    string `json:"tap"`
	Report string `json:"report"`
}

// run does what an order says, column by column.
func (a *app) run(o *order) error {
	p, err := o.plan()
	if err != nil {
		return err
	}
	ctx, err := a.running.begin()
	if err != nil {
		return err
	}
	defer a.tell("done", nil)
	defer a.running.end()
	table := began{}
	for _, c := range p.list {
		table.Cases = append(table.Cases, choice{c.ID, c.Title})
	}
	for _, offer := range p.offers {
		table.Offers = append(table.Offers, names(offer))
	}
	a.tell("began", table)
	for i := range p.offers {
		if ctx.Err() != nil {
			return nil
		}
		if err := a.column(ctx, p, i); err != nil {
			return err
		}
	}
	return nil
}

func names(drafts []wire.Draft) (out []string) {
	for _, d := range drafts {
		out = append(out, d.String())
	}
	return out
}

// column runs the cases with one offer of drafts.
func (a *app) column(ctx context.Context, p *plan, i int) error {
	config := p.config
	config.Drafts = p.offers[i]
	end, err := p.connect(&config)
	if err != nil {
		return err
	}
	defer end()
	var tap bytes.Buffer
	var about []string
	if p.Browser != "" {
		about = append(about, "Browser: "+p.Browser)
	}
	report, err := runner.Run(ctx, runner.Options{
		Client: runner.Builtin(runner.ClientInfo{Name: "moq-interop-client",
			Version: runner.Version() + " in " + browserOf(p.Browser)}, config),
		Cases: p.list, Parallel: p.Jobs, FirstAlone: true, Relay: p.target.Name, About: about,
		Transport: string(transport.OnlyWebTransport),
		Drafts:    names(p.offers[i]), Strict: p.Strict, TAP: &tap,
		Trace: func(c cases.Case, r *runner.Result) {
			news := progress{Column: i, Case: c.ID}
			if r != nil {
				news.Result = form(*r)
			}
			a.tell("case", news)
		},
	})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := report.WriteJSON(&text); err != nil {
		return err
	}
	a.running.leave(documents{tap.String(), text.String()})
	a.tell("column", column{i, report.Totals(), report.BailOut, report.Exit})
	return nil
}

// form is a result as a report has it.
func form(r runner.Result) json.RawMessage {
	var report struct {
		Results []json.RawMessage `json:"results"`
	}
	b, err := json.Marshal(&runner.Report{Results: []runner.Result{r}})
	if err == nil {
		err = json.Unmarshal(b, &report)
	}
	if err != nil || len(report.Results) != 1 {
		return nil
	}
	return report.Results[0]
}

// embeddedObject is less than the largest objects of the cases about slow subscribers: a connection in memory has no
// bound of its own, and its streams are to fill.
const embeddedObject = 16 << 10

// connect says how cases dial. The relay of the page itself is reached in memory.
func (p *plan) connect(c *cases.Config) (end func(), err error) {
	if !p.target.Embedded {
		c.Dial = func(ctx context.Context, _ string, drafts []wire.Draft) (transport.Conn, error) {
			conn, err := webconn.Dial(ctx, webconn.Options{URL: p.target.URL, Drafts: drafts, Hashes: p.hashes})
			if err != nil {
				return nil, err
			}
			return conn, nil
		}
		return func() {}, nil
	}
	o := reference.Options{Faults: p.target.Faults, Quirks: p.target.Quirks}
	o.Limits.SubscriberBytes = 1 << 30 // congestion must not reach the publisher
	relay, err := reference.New(o)
	if err != nil {
		return nil, err
	}
	var served sync.WaitGroup
	c.Dial = func(ctx context.Context, _ string, drafts []wire.Draft) (transport.Conn, error) {
		client, server := memconn.Pair(memconn.Options{StreamBuffer: embeddedObject,
			Info: transport.Info{ALPN: slices.Clone(drafts)[0].ALPN()}})
		served.Go(func() { _ = relay.ServeConn(context.WithoutCancel(ctx), server) })
		return client, nil
	}
	return func() {
		relay.Close()
		served.Wait()
	}, nil
}
