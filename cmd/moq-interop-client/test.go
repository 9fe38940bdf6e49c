package main

import (
	"errors"
	"fmt"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// testCmd runs test cases.
type testCmd struct {
	Relay            *string  `short:"r" placeholder:"URL" help:"Relay to test: https://… (WebTransport), moqt://… (raw QUIC), embedded (the reference relay, in this process) or \"embedded?fault=NAME\". Default https://localhost:4443. [RELAY_URL]"`
	Test             []string `short:"t" sep:"none" placeholder:"NAME,…" help:"Run or list these cases, of any suite, in this order: names, patterns (\"fetch-*\") and tags (tag:data). [TESTCASE]"`
	Suite            string   `enum:"${suites}" default:"standard" help:"What to run or list without -t: ${suites}."`
	Jobs             int      `short:"j" default:"1" placeholder:"N" help:"Run N cases at a time, each with connections of its own; results stay in order."`
	Draft            *string  `short:"d" placeholder:"NN,…" help:"Offer these drafts, in this order, in each handshake. Default: all nine, newest first. [MOQT_DRAFT, DRAFT]"`
	Transport        *string  `placeholder:"NAME" help:"scheme (the default), auto, quic or webtransport; see below."`
	TLSDisableVerify *bool    `help:"Accept any certificate. [TLS_DISABLE_VERIFY=1]"`
	NamespacePrefix  *string  `placeholder:"A/B" help:"Leading fields of all our namespaces. [NAMESPACE_PREFIX]"`
	AuthToken        *string  `placeholder:"T" help:"Authorization token (by value, Token Type 0) in every request that allows one. [AUTH_TOKEN]"`
	Compat           []string `sep:"none" placeholder:"NAME,…" help:"Let named deviations from the draft pass; the results name those that mattered. Names: ${tolerances}. [COMPAT]"`
	Strict           bool     `help:"A broken SHOULD fails the run."`
	TimeoutFactor    float64  `default:"1" placeholder:"F" help:"Stretch every limit, for slow paths."`
	TAP              *bool    `name:"tap" negatable:"" help:"Print TAP also to a terminal, or the short form also elsewhere. By default a terminal gets the short form where -r is given and no variable of a container or of CI is set."`
	Output           *string  `short:"o" type:"string" placeholder:"FILE" help:"Write the results there too, as JSON."`
	QLOGDir          *string  `name:"qlog-dir" placeholder:"DIR" help:"A qlog file for each connection, <odcid>_client.sqlog, with QUIC's events and MoQT's. [QLOGDIR]"`
	Verbose          *bool    `short:"v" help:"More diagnostics, on stderr. [VERBOSE=1]"`
	List             bool     `short:"l" help:"List the cases of the suite, or those of -t, one a line."`
	Long             bool     `help:"With -l: title, drafts, level, tags and section too (of the drafts of -d, else of the newest)."`
	ListFaults       bool     `help:"List the faults that the reference relay can be given."`
	Version          bool     `help:"Show the version."`
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
	selected, err := t.selected(s.names)
	if err != nil {
		return err
	}
	return t.test(sys, s, selected)
}

// selected gives the cases that are named, or those of the suite when none is.
func (t *testCmd) selected(names []string) ([]cases.Case, error) {
	if names == nil {
		return cases.Suite(t.Suite), nil
	}
	selected, err := runner.SelectCases(names)
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
	selected, err := t.selected(names)
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
