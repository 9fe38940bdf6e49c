package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// testCmd runs test cases.
type testCmd struct {
	Relay     *string  `short:"r" placeholder:"URL" complete:"relays" help:"Relay to test. [RELAY_URL]"`
	Test      []string `short:"t" sep:"none" placeholder:"NAME,…" complete:"cases" help:"Cases to run. [TESTCASE]"`
	Suite     string   `enum:"${suites}" default:"standard" help:"What to run or list without -t: ${suites}."`
	Draft     *string  `short:"d" placeholder:"NN,…" help:"Drafts to offer, in this order. [MOQT_DRAFT, DRAFT]"`
	Transport *string  `placeholder:"NAME" complete:"transports" help:"${transports}. Default scheme."`

	TLSDisableVerify *bool   `help:"Accept any certificate. [TLS_DISABLE_VERIFY=1]"`
	CA               *string `name:"ca" placeholder:"FILE" help:"Certificate authorities to trust, PEM."`
	NamespacePrefix  *string `placeholder:"A/B" help:"Leading fields of all our namespaces. [NAMESPACE_PREFIX]"`
	AuthToken        *string `placeholder:"T" help:"Authorization token for requests that allow one. [AUTH_TOKEN]"`

	Compat []string `sep:"none" placeholder:"NAME,…" complete:"tolerances" help:"Deviations to allow. [COMPAT]"`

	Strict        bool    `help:"A broken SHOULD fails the run."`
	TimeoutFactor float64 `default:"1" placeholder:"F" help:"Stretch every limit, for slow paths."`
	Jobs          int     `short:"j" default:"1" placeholder:"N" help:"Run N cases at a time. Results stay in order."`

	TAP     *bool   `name:"tap" negatable:"" help:"TAP, or (--no-tap) the short form for people."`
	Output  *string `short:"o" type:"string" placeholder:"FILE" help:"Write the results there too, as JSON."`
	QLOGDir *string `name:"qlog-dir" placeholder:"DIR" help:"Write a qlog file for each connection. [QLOGDIR]"`
	Verbose *bool   `short:"v" help:"Say more on stderr. [VERBOSE=1]"`

	List       bool `short:"l" help:"List cases instead of running them: those of the suite, or those of -t."`
	Long       bool `help:"The same with title, drafts, level, tags and sections."`
	ListFaults bool `help:"List the faults and quirks of the reference relay."`
	Version    bool `help:"Show the version."`
}

// Run does what the flags say.
func (t *testCmd) Run(sys *system) error {
	switch {
	case t.Version:
		_, err := fmt.Fprintln(sys.stdout, program, runner.Version())
		return err
	case t.ListFaults:
		return listFaults(sys.stdout)
	case t.List || t.Long:
		return t.list(sys)
	}
	s, err := t.settings(sys)
	if err != nil {
		return err
	}
	selected, err := t.selected(s.names, s.cases.Drafts)
	if err != nil {
		return err
	}
	if err := onOffer(s, selected); err != nil {
		return err
	}
	return t.test(sys, s, selected)
}

// onOffer refuses a run for a rule that no draft on offer has.
func onOffer(s *settings, selected []cases.Case) error {
	byRule := func(name string) bool { return strings.HasPrefix(name, "rule:") }
	of := func(c cases.Case) bool { return slices.ContainsFunc(s.cases.Drafts, c.Applies) }
	if !slices.ContainsFunc(s.names, byRule) || slices.ContainsFunc(selected, of) {
		return nil
	}
	c := selected[0]
	return &exit{runner.ExitUnsupported, fmt.Errorf("no draft on offer has the rule: %s exists in %s", c.ID,
		c.DraftRange())}
}

// selected gives the cases that are named, or those of the suite when none is. Sections are of the first of the drafts.
func (t *testCmd) selected(names []string, drafts []wire.Draft) ([]cases.Case, error) {
	if names == nil {
		return cases.Suite(t.Suite), nil
	}
	s := runner.Selection{Suite: t.Suite}
	if len(drafts) > 0 {
		s.Draft = drafts[0]
	}
	selected, err := s.Cases(names)
	if err != nil {
		return nil, &exit{runner.ExitUnsupported, fmt.Errorf("%w (-l --suite all lists the cases)", err)}
	}
	return selected, nil
}

// list lists cases. It reads no environment.
func (t *testCmd) list(sys *system) error {
	var names []string
	var drafts []wire.Draft
	var err error
	bare := &system{getenv: func(string) string { return "" }}
	if t.Test != nil {
		if names = bare.chooseList(t.Test, "--test").names(); len(names) == 0 {
			return usage("--test: no case named")
		}
	}
	if t.Draft != nil {
		if drafts, err = parseDrafts(bare.choose(t.Draft, "--draft", "")); err != nil {
			return err
		}
	}
	selected, err := t.selected(names, drafts)
	if err != nil {
		return err
	}
	return runner.List(sys.stdout, selected, t.Long, drafts)
}

// test runs the cases and reports.
func (t *testCmd) test(sys *system, s *settings, selected []cases.Case) error {
	connect := s.connect
	connect.Warn = func(err error) { sys.say("warning: %v", err) }
	if s.target.Embedded {
		relay, err := runner.StartEmbedded(s.target, reference.Options{Logger: logger(sys.stderr, s.verbose)})
		if err != nil {
			return err
		}
		defer relay.Close()
		connect = relay.Connect(connect)
		if s.verbose {
			sys.say("the embedded relay listens on %s", connect.URL.Addr())
		}
	}
	s.cases.URL, s.cases.Embedded = connect.URL, s.target.Embedded
	s.cases.Dial = runner.Dialer(connect)
	info := runner.ClientInfo{Name: program, Version: runner.Version()}
	o := runner.Options{
		Client: runner.Builtin(info, s.cases), Cases: selected, Parallel: t.Jobs, Relay: s.target.Name,
		Transport: string(s.choice), Drafts: s.draftNames(), TAP: sys.stdout, Strict: t.Strict,
		Short: t.short(sys), Repeat: s.repeat,
	}
	if s.verbose {
		o.Trace = runner.Verbose(sys.stderr)
	}
	report, err := runner.Run(sys.ctx, o)
	if s.output != nil {
		err = errors.Join(err, s.output.Write(report))
	}
	if err != nil {
		return err
	}
	if report.Exit != runner.ExitPass {
		return &exit{code: report.Exit}
	}
	return nil
}
