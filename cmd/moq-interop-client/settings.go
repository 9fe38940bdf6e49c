package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// defaultRelay is tested when no relay is named.
const defaultRelay = "https://localhost:4443"

// settings are what flags, environment and defaults amount to.
type settings struct {
	target  runner.Target
	names   []string // cases; nil for the suite
	choice  transport.Choice
	cases   cases.Config         // but for how to dial
	connect endpoint.DialOptions // for a relay with a URL
	output  *runner.Output       // may be nil
	compat  []string
	verbose bool
	ca      string // the file with authorities, if one is named
}

// settings reads them all; an error is a usage error that names the flag or the variable.
func (t *testCmd) settings(sys *system) (*settings, error) {
	s := &settings{}
	verify := true
	for _, read := range []func() error{
		func() error {
			return s.readTarget(sys.choose(t.Relay, "--relay", defaultRelay, "RELAY_URL"))
		},
		func() error { return s.readNames(sys.chooseList(t.Test, "--test", "TESTCASE")) },
		func() error { return s.readDrafts(sys.choose(t.Draft, "--draft", "", "MOQT_DRAFT", "DRAFT")) },
		func() error { return s.readTransport(sys.choose(t.Transport, "--transport", string(transport.Scheme))) },
		func() error {
			return s.readPrefix(sys.choose(t.NamespacePrefix, "--namespace-prefix", "", "NAMESPACE_PREFIX"))
		},
		func() error { return s.readCompat(sys.chooseList(t.Compat, "--compat", "COMPAT")) },
		func() (err error) { s.verbose, err = sys.chooseBool(t.Verbose, "VERBOSE"); return err },
		func() error {
			disabled, err := sys.chooseBool(t.TLSDisableVerify, "TLS_DISABLE_VERIFY")
			verify = !disabled
			return err
		},
		func() error { return s.readFactor(t.TimeoutFactor) },
		func() error { return checkJobs(t.Jobs) },
		func() error { return s.readOutput(sys.choose(t.Output, "--output", "")) },
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	keys, err := sys.keyLog(nil)
	if err != nil {
		return nil, err
	}
	ca := sys.choose(t.CA, "--ca", "")
	roots, err := authorities(ca)
	if err != nil {
		return nil, err
	}
	s.ca = ca.text
	s.cases.AuthToken = sys.choose(t.AuthToken, "--auth-token", "", "AUTH_TOKEN").text
	s.cases.Strict = t.Strict
	s.cases.Implementation = program + " " + runner.Version()
	s.connect = endpoint.DialOptions{
		URL: s.target.URL, Transport: s.choice, Drafts: s.cases.Drafts,
		TLS:     &tls.Config{InsecureSkipVerify: !verify, RootCAs: roots},
		QLOGDir: sys.choose(t.QLOGDir, "--qlog-dir", "", "QLOGDIR").text,
		KeyLog:  keys, UserAgent: program,
	}
	return s, nil
}

func (s *settings) readTarget(v setting) (err error) {
	if s.target, err = runner.ParseTarget(v.text, reference.FaultNames(), reference.QuirkNames()); err != nil {
		return v.fail(err)
	}
	return nil
}

func (s *settings) readNames(v setting) error {
	s.names = v.names()
	if v.set && len(s.names) == 0 {
		return v.fail(errors.New("no case named"))
	}
	return nil
}

func (s *settings) readDrafts(v setting) (err error) {
	if s.cases.Drafts, err = parseDrafts(v); err != nil {
		return err
	}
	return nil
}

// parseDrafts reads a list of drafts; one that is named twice counts where it stands first. Nothing set is all, newest
// first.
func parseDrafts(v setting) ([]wire.Draft, error) {
	if !v.set {
		return wire.Drafts(), nil
	}
	var drafts []wire.Draft
	for _, name := range v.names() {
		d, err := wire.ParseDraft(name)
		if err != nil {
			return nil, v.fail(err)
		}
		if !slices.Contains(drafts, d) {
			drafts = append(drafts, d)
		}
	}
	if len(drafts) == 0 {
		return nil, v.fail(errors.New("no draft named"))
	}
	return drafts, nil
}

func (s *settings) readTransport(v setting) (err error) {
	s.choice, err = parseTransport(v)
	return err
}

func parseTransport(v setting) (transport.Choice, error) {
	choice := transport.Choice(v.text)
	if !slices.Contains(transport.Choices(), choice) {
		return "", v.fail(fmt.Errorf("%q is none of %s", v.text, transportNames()))
	}
	return choice, nil
}

// transportNames lists the values of --transport.
func transportNames() string {
	var names []string
	for _, c := range transport.Choices() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

func (s *settings) readPrefix(v setting) (err error) {
	if s.cases.NamespacePrefix, err = relays.Prefix(v.text).Namespace(); err != nil {
		return v.fail(err)
	}
	return nil
}

func (s *settings) readCompat(v setting) error {
	s.compat = v.names()
	for _, name := range v.names() {
		if err := s.cases.SetTolerance(name); err != nil {
			return v.fail(err)
		}
	}
	return nil
}

func (s *settings) readFactor(f float64) error {
	if err := relays.Factor(f).Check(); err != nil {
		return usage("--timeout-factor: %w", err)
	}
	s.cases.TimeoutFactor = f
	return nil
}

// maxJobs bounds how many cases run at a time.
const maxJobs = 256

func checkJobs(n int) error {
	if n < 1 || n > maxJobs {
		return usage("--jobs: %d is not from 1 to %d", n, maxJobs)
	}
	return nil
}

func (s *settings) readOutput(v setting) (err error) {
	s.output, err = openOutput(v, "stdout carries TAP")
	return err
}

// openOutput opens the file that a setting names; nil when it names none. instead says what stdout is for.
func openOutput(v setting, instead string) (*runner.Output, error) {
	if !v.set {
		return nil, nil
	}
	if v.text == "" || v.text == "-" {
		return nil, v.fail(fmt.Errorf("want the name of a file (%s)", instead))
	}
	o, err := runner.OpenOutput(v.text)
	if err != nil {
		return nil, v.fail(err)
	}
	return o, nil
}

// draftNumbers is "16,18".
func draftNumbers(drafts []wire.Draft) string {
	var numbers []string
	for _, d := range drafts {
		numbers = append(numbers, strconv.Itoa(int(d)))
	}
	return strings.Join(numbers, ",")
}

func (s *settings) draftNames() (names []string) {
	for _, d := range s.cases.Drafts {
		names = append(names, d.String())
	}
	return names
}
