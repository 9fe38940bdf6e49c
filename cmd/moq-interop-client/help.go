package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

const helpBegin = `Usage: moq-interop-client [-r URL] [-t NAME,…] [flags]
       moq-interop-client COMMAND …

Tells whether a Media over QUIC (MoQT) relay works, drafts 14 to 22, over raw QUIC and WebTransport: runs test cases against it
and prints TAP 14 on stdout, each result as soon as it is known. Everything else goes to stderr.

Examples:
  moq-interop-client -r embedded                              every standard case against the built-in relay
  moq-interop-client -r https://relay.example:4443            the same against a relay, over WebTransport
  moq-interop-client -r moqt://relay.example:4443 -d 16       over raw QUIC, offering draft 16 only
  moq-interop-client -r moqt://localhost:4443 -t subscribe-error,fetch --tls-disable-verify
  moq-interop-client -r embedded --suite all -j 8             all cases there are, eight at a time
  moq-interop-client -r embedded -t "fetch-*",tag:datagram    those that match, and those with the tag
  moq-interop-client -l --long --suite all                    what there is: titles, drafts, tags, sections
  moq-interop-client -r "embedded?fault=NAME" -t fetch        see a case fail; --list-faults lists the names
  moq-interop-client -r moqt://localhost:4443 -o results.json -v

`

const helpEnd = `
Commands:
  serve        Run the reference relay.
  matrix       Run clients against relays: plan, run, merge.
  relays       List, show, check and import catalogues of relays.
  report       Show what came of a run of the matrix: HTML, Markdown, JUnit, badges.
  compare      Say what broke, was fixed or changed between two runs, or between drafts.
  probe        Find out which drafts relays answer to.
  decode       Show bytes as JSON lines, one for each message, header or object.
  encode       Turn such lines back into bytes, in hex.
  badpath      Stand between clients and a relay as a bad network path: delay, loss, little bandwidth.
  versions     Say what this program is made of, for bug reports.
  healthcheck  Tell whether a relay of this host is up.
  completion   Print a script that completes names in a shell.
  COMMAND --help says more.

Environment:
  A flag may also be given by the variable that stands in brackets behind it. The flag goes first, then the variable, then the
  default; an empty variable counts as unset, and MOQT_DRAFT goes before DRAFT. SSLKEYLOGFILE names a file for TLS secrets.
  MOQT_ROLE=relay stands for the command serve where none is named, MOQT_ROLE=client for none; another role is not supported (127).

Exit codes:
  0    all cases passed (some may have been skipped)
  1    a case failed, or the run bailed out
  2    usage error: a flag, an argument or a variable is wrong; stdout stays empty
  127  no such case (stdout stays empty), or every case was skipped or did not apply
`

// help prints the help of a command. The program's own is that of its hidden default command, with what a newcomer
// needs around it.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if selected := ctx.Selected(); selected != nil && selected.Name != "test" {
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
	_, err = fmt.Fprint(ctx.Stdout, helpEnd)
	return err
}
