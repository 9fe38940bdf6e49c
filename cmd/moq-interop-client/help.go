package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

const helpBegin = `Usage: moq-interop-client [-r URL] [-t NAME,…] [flags]
       moq-interop-client COMMAND …

Tells whether a Media over QUIC (MoQT) relay works, drafts 14 to 22, over raw QUIC and WebTransport. It runs test cases
against the relay and prints TAP 14 on stdout, each result as soon as it is known. Everything else goes to stderr.

Examples:
  moq-interop-client -r embedded                              every standard case against the built-in relay
  moq-interop-client -r https://relay.example:4443            the same against a relay, over WebTransport
  moq-interop-client -r moqt://relay.example:4443 -d 16       over raw QUIC, offering draft 16 alone
  moq-interop-client -r moqt://localhost:4443 -t subscribe-error,fetch --tls-disable-verify
  moq-interop-client -r embedded --suite all -j 8             all cases, eight at a time
  moq-interop-client -r embedded --suite all -t '!fetch*'     all but those whose name begins with fetch
  moq-interop-client -l --long --suite all                    list all cases, with their titles
  moq-interop-client -r "embedded?fault=NAME" -t fetch        see a case fail; --list-faults lists the names
  moq-interop-client -r moqt://localhost:4443 -o results.json -v

`

const helpEnd = `
Relays (-r), %s by default:
  https://HOST:PORT/PATH  WebTransport
  moqt://HOST:PORT/PATH   raw QUIC
  embedded                the reference relay, in this process
  embedded?fault=NAME     the same, misbehaving
  embedded?quirk=NAME     the same, odd as the drafts allow

Cases (-t), with commas between them:
  fetch                   a case by its name or alias
  fetch-*                 all cases whose name matches
  tag:data                all cases with the tag
  section:11.3            all cases about the section, and those below it, of the first draft that is offered
  rule:prefix-overlap     all cases that judge the rule; the command rules lists them
  !fetch*                 not these. If all names are of this form: the rest of the suite

Transports (--transport):
  scheme                  what the URL's scheme says
  auto                    for moqt:// one handshake that also offers WebTransport, from draft 18 on; the relay chooses
  quic, webtransport      this one, whatever the scheme says

Drafts (-d): offered in this order, in one handshake. Default: all, newest first.

Deviations (--compat) that can be allowed; the results name those that were needed:
  %s

Output: TAP. A terminal gets a short form for people if -r is given and none of CI, RELAY_URL, TESTCASE and MOQT_ROLE is
set. The log files of --qlog-dir, <odcid>_client.sqlog, have QUIC's events and MoQT's.

Commands:
%s  COMMAND --help says more.

Environment:
  The variable in brackets behind a flag does what the flag does. A flag wins over the variable, and the variable
  over the default. An empty variable counts as unset. MOQT_DRAFT wins over DRAFT. SSLKEYLOGFILE names a file for TLS
  secrets. MOQT_ROLE=relay stands for the command serve if no command is named.

Exit codes:
  0    all cases passed; some may have been skipped
  1    a case failed, or the run bailed out
  2    usage error: a flag, an argument or a variable is wrong; stdout stays empty
  127  no such case or role, and stdout stays empty; or every case was skipped or did not apply
`

// help prints the help of a command. The program's own is that of its hidden default command, with what a newcomer
// needs around it.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if selected := ctx.Selected(); selected != nil && selected != ctx.Model.DefaultCmd {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	flags, err := kong.New(&testCmd{}, kong.Name(program), kong.Writers(ctx.Stdout, ctx.Stderr), names)
	if err != nil {
		return err
	}
	list, err := kong.Trace(flags, nil)
	if err != nil {
		return err
	}
	fmt.Fprint(ctx.Stdout, helpBegin)
	options.NoAppSummary = true
	if err := kong.DefaultHelpPrinter(options, list); err != nil {
		return err
	}
	_, err = fmt.Fprintf(ctx.Stdout, helpEnd, defaultRelay, wrap(names["tolerances"], 116, "  "),
		commands(ctx.Model.Node))
	return err
}

// commands lists those of a node, a line each.
func commands(n *kong.Node) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range n.Children {
		if !c.Hidden {
			fmt.Fprintf(t, "  %s\t%s\n", c.Name, c.Help)
		}
	}
	t.Flush()
	return b.String()
}

// wrap breaks text between words, so that no line is longer than width; all but the first begin with an indent.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
