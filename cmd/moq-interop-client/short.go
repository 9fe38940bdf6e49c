package main

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner"
)

// machine are the variables that say that no person is looking: those of containers and of CI.
var machine = []string{"CI", "RELAY_URL", "TESTCASE", "MOQT_ROLE"}

// short is the form for people, or nil for TAP: a line for each case, or a tree for the conformance suite. Without the
// flag people get it on a terminal, where the relay stands on
// the command line and no machine started the program.
func (t *testCmd) short(sys *system) *runner.Short {
	width, terminal := terminalWidth(sys.stdout)
	people := terminal && t.Relay != nil
	for _, v := range machine {
		people = people && sys.getenv(v) == ""
	}
	if t.TAP != nil {
		people = !*t.TAP
	}
	if !people {
		return nil
	}
	return &runner.Short{To: sys.stdout, Color: terminal && sys.getenv("NO_COLOR") == "", Width: width,
		Tree: t.Suite == cases.SuiteConformance}
}

// terminalWidth is how many columns a terminal has; false for what is none.
func terminalWidth(w io.Writer) (columns int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, true
	}
	return columns, true
}

// repeat gives the command that runs one case again, in the same way. A token is a secret: the command takes it from
// the environment.
func (s *settings) repeat(id string) string {
	words := []string{program, "-r", s.target.Name, "-t", id}
	if !slices.Equal(s.cases.Drafts, wire.Drafts()) {
		var drafts []string
		for _, d := range s.cases.Drafts {
			drafts = append(drafts, strconv.Itoa(int(d)))
		}
		words = append(words, "-d", strings.Join(drafts, ","))
	}
	if s.choice != transport.Scheme {
		words = append(words, "--transport", string(s.choice))
	}
	if s.connect.TLS.InsecureSkipVerify {
		words = append(words, "--tls-disable-verify")
	}
	if s.ca != "" {
		words = append(words, "--ca", s.ca)
	}
	if len(s.cases.NamespacePrefix) > 0 {
		words = append(words, "--namespace-prefix", strings.Join(s.cases.NamespacePrefix, "/"))
	}
	if len(s.compat) > 0 {
		words = append(words, "--compat", strings.Join(s.compat, ","))
	}
	if s.cases.Strict {
		words = append(words, "--strict")
	}
	if f := s.cases.TimeoutFactor; f != 1 {
		words = append(words, "--timeout-factor", strconv.FormatFloat(f, 'g', -1, 64))
	}
	for i, w := range words {
		if strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=@%+") != "" {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	if s.cases.AuthToken != "" {
		words = append(words, "--auth-token", `"$AUTH_TOKEN"`)
	}
	return strings.Join(words, " ")
}
