package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/probe"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/runner"
)

// probeCmd finds out which drafts relays answer.
type probeCmd struct {
	Relays    []string `sep:"none" placeholder:"FILE" help:"Relays from a file. May be given again. [RELAYS_FILE]"`
	Inactive  bool     `help:"Also those that the files call inactive."`
	Draft     *string  `short:"d" placeholder:"NN,…" help:"Drafts to try. Default: all. [MOQT_DRAFT, DRAFT]"`
	Offer     bool     `help:"Offer all of them in one handshake, and show which one the relay chooses."`
	Transport *string  `placeholder:"NAME" complete:"transports" help:"${transports}. Default scheme."`

	TLSDisableVerify *bool   `help:"Accept any certificate. [TLS_DISABLE_VERIFY=1]"`
	Timeout          *string `placeholder:"S" help:"Seconds for each attempt, or 500ms. Default 8. [PROBE_TIMEOUT]"`

	Interval *string `placeholder:"S" help:"Probe again every so many seconds. [PROBE_INTERVAL]"`
	Once     *bool   `help:"One round, whatever else is said. [PROBE_ONCE=1]"`

	Output  *string `short:"o" type:"string" placeholder:"FILE" help:"Keep the results there, as JSON. [OUTPUT_FILE]"`
	JSON    bool    `name:"json" help:"JSON on stdout instead of lines."`
	QLOGDir *string `name:"qlog-dir" placeholder:"DIR" help:"Write a qlog file for each connection. [QLOGDIR]"`
	Verbose *bool   `short:"v" help:"Say more on stderr. [VERBOSE=1]"`

	URLs []string `arg:"" optional:"" name:"url" complete:"relays" help:"Relays: https://…, moqt://… or embedded."`
}

// Help teaches.
func (*probeCmd) Help() string {
	return `Makes one connection for each relay, draft and transport, all at the same time. Each offers its draft
alone, exchanges SETUP and closes. Attempts with the same outcome share a line. A line says how long it took from
looking up the name to the relay's SETUP, the relay's implementation, until when its certificate is valid, and its
SETUP options; or the layer that failed, what was expected and what came. JSON has all of this for each attempt.

A file of relays is a catalogue, a list in one of the public formats, or a list of URLs, one a line; "default" is the
built-in catalogue. RELAYS_FILE is used when no URL is given. With --relays and --output there is a round every 300
seconds, and each round replaces the file as a whole; otherwise there is one round.

With --transport auto, moqt:// is tried over WebTransport too, from draft 18 on, and embedded over both transports.

Exit codes: 0 a draft was answered, 1 none was, 2 usage error.

Examples:

  moq-interop-client probe moqt://relay.example:4443 https://relay.example/moq
  moq-interop-client probe --relays default -d 18,16
  moq-interop-client probe --offer -d 18,16,14 https://relay.example/moq
  moq-interop-client probe --relays relays.txt -o status.json --interval 60
`
}

// Run probes until the round is over, or until the user asks it to stop.
func (c *probeCmd) Run(sys *system) error {
	o, err := c.options(sys)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(sys.ctx)
	defer cancel(nil)
	var unwritten error
	o.OnReport = func(r *probe.Report) {
		if unwritten = c.print(sys, r, o.Repeats()); unwritten != nil {
			cancel(unwritten)
		}
	}
	report, err := probe.Run(ctx, o)
	switch {
	case errors.Is(err, probe.ErrNothing):
		return usage("%w", err)
	case err != nil:
		return err
	case unwritten != nil:
		return unwritten
	case report.ExitCode() != runner.ExitPass:
		return &exit{code: report.ExitCode()}
	}
	return nil
}

// print prints a round; of several each begins with its time.
func (c *probeCmd) print(sys *system, r *probe.Report, repeats bool) error {
	if c.JSON {
		return probe.WriteJSON(sys.stdout, r)
	}
	if repeats {
		if _, err := fmt.Fprintf(sys.stdout, "# %s\n", r.Started.Format(time.RFC3339)); err != nil {
			return err
		}
	}
	return probe.WriteLines(sys.stdout, r)
}

// options reads flags, arguments and environment.
func (c *probeCmd) options(sys *system) (o probe.Options, err error) {
	o = probe.Options{Program: program, Version: runner.Version(), Offer: c.Offer,
		Warn: func(err error) { sys.say("warning: %v", err) }}
	files := sys.chooseList(c.Relays, "--relays")
	if len(c.URLs) == 0 {
		files = sys.chooseList(c.Relays, "--relays", probe.EnvRelays)
	}
	output := sys.choose(c.Output, "--output", "", probe.EnvOutput)
	interval := sys.choose(c.Interval, "--interval", "", probe.EnvInterval)
	var verbose bool
	for _, read := range []func() error{
		func() error { return c.readTargets(sys, files, &o) },
		func() (err error) {
			o.Drafts, err = parseDrafts(sys.choose(c.Draft, "--draft", "", "MOQT_DRAFT", "DRAFT"))
			return err
		},
		func() (err error) {
			o.Transport, err = parseTransport(sys.choose(c.Transport, "--transport", string(transport.Scheme)))
			return err
		},
		func() (err error) {
			o.TLSDisableVerify, err = sys.chooseBool(c.TLSDisableVerify, "TLS_DISABLE_VERIFY")
			return err
		},
		func() (err error) {
			o.Timeout, err = parseSeconds(sys.choose(c.Timeout, "--timeout", "", probe.EnvTimeout))
			return err
		},
		func() (err error) {
			given, err := parseSeconds(interval)
			o.Interval = probe.Interval(given, interval.set, len(files.names()) > 0, output.text != "")
			return err
		},
		func() (err error) { o.Once, err = sys.chooseBool(c.Once, probe.EnvOnce); return err },
		func() (err error) { o.KeyLog, err = sys.keyLog(nil); return err },
		func() (err error) { verbose, err = sys.chooseBool(c.Verbose, "VERBOSE"); return err },
		func() (err error) {
			o.Output, err = openOutput(output, "stdout carries the lines, or --json")
			return err
		},
	} {
		if err := read(); err != nil {
			return o, err
		}
	}
	o.QLOGDir = sys.choose(c.QLOGDir, "--qlog-dir", "", "QLOGDIR").text
	o.Logger = logger(sys.stderr, verbose)
	return o, nil
}

// readTargets takes the URLs and what the files have, and says what it does not take.
func (c *probeCmd) readTargets(sys *system, files setting, o *probe.Options) error {
	for _, name := range c.URLs {
		t, err := probe.ParseTarget(name)
		if err != nil {
			return usage("%w", err)
		}
		o.Targets = append(o.Targets, t)
	}
	targets, leftOut, err := probe.FromFiles(c.Inactive, files.names()...)
	if err != nil {
		return files.fail(err)
	}
	for _, text := range leftOut {
		sys.say("left out: %s", text)
	}
	if o.Targets = append(o.Targets, targets...); len(o.Targets) == 0 {
		return usage(
			"no relay: name URLs, embedded, or a file with --relays (--relays default is the built-in catalogue)")
	}
	return nil
}

// parseSeconds reads seconds or a duration; 0 when nothing is set.
func parseSeconds(v setting) (time.Duration, error) {
	if !v.set {
		return 0, nil
	}
	d, err := probe.ParseDuration(v.text)
	if err != nil {
		return 0, v.fail(err)
	}
	return d, nil
}
