package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner"
)

// cli is the command line. The flags of a test belong to a command of their own, which is taken when none is named, so
// that other commands can use the same letters. Pointers tell apart what was not given from what was given as nothing.
//
// What a flag takes, shells complete: the values of enum, files where the placeholder is FILE, folders where it is DIR,
// drafts where it is NN, and what the tag complete names, see completions.
type cli struct {
	Test   testCmd   `cmd:"" default:"withargs" hidden:"" help:"Run test cases against a relay."`
	Serve  serveCmd  `cmd:"" help:"Run the reference relay."`
	Matrix matrixCmd `cmd:"" help:"Run clients against relays: plan, run, merge, judge."`
	Relays relaysCmd `cmd:"" help:"List, show, check and import catalogues of relays."`

	Report  reportCmd  `cmd:"" help:"Show a run of the matrix as HTML, Markdown, JUnit and badges."`
	Compare compareCmd `cmd:"" help:"Say what broke, was fixed or changed between two runs, or between drafts."`
	Probe   probeCmd   `cmd:"" help:"Find out which drafts a relay answers."`
	Rules   rulesCmd   `cmd:"" help:"List the rules of the drafts, and which of them are watched."`

	Pub      pubCmd      `cmd:"" help:"Publish lines, files or generated objects as a track."`
	Sub      subCmd      `cmd:"" help:"Subscribe to tracks and print their objects."`
	Join     joinCmd     `cmd:"" help:"Subscribe from some groups back, and check that nothing is missing."`
	Fetch    fetchCmd    `cmd:"" help:"Print what has been published of a track."`
	Announce announceCmd `cmd:"" help:"Announce a namespace, and show what is asked for under it."`
	Watch    watchCmd    `cmd:"" help:"Show namespaces and tracks as they come and go."`
	Status   statusCmd   `cmd:"" help:"Ask for the status of a track."`
	Origin   originCmd   `cmd:"" help:"Serve files or a generated track without a relay."`

	Web webCmd `cmd:"" help:"Serve the page that runs cases in a browser, or have a browser run them."`

	Bench benchCmd `cmd:"" help:"Measure relays, and draw what was found."`

	Decode decodeCmd `cmd:"" help:"Show bytes as JSON, a line for each message, header and object."`
	Encode encodeCmd `cmd:"" help:"Turn such lines back into bytes."`

	Badpath badpathCmd `cmd:"" help:"Stand between clients and a relay, as a slow or lossy network path."`

	Versions    versionsCmd    `cmd:"" help:"Say what this program is made of, for bug reports."`
	Healthcheck healthcheckCmd `cmd:"" help:"Tell whether a relay on this host is up."`

	Completion completionCmd `cmd:"" help:"Print a script that completes commands, flags and names in a shell."`
	Complete   completeCmd   `cmd:"" hidden:"" help:"Answer that script."`
}

// grammar is what is needed of the command line for args: the command that they name first, or all of them. Kong works
// out each flag of each command that it is given, which would take longer than many commands do.
func grammar(args []string) any {
	if len(args) == 0 {
		return &cli{}
	}
	name, rest := args[0], args[1:]
	if strings.HasPrefix(name, "-") {
		name, rest = "test", args
	}
	if name == "test" && slices.ContainsFunc(rest, needsAll) || name == "complete" {
		return &cli{}
	}
	if f, ok := command(name); ok {
		return reflect.New(reflect.StructOf([]reflect.StructField{f})).Interface()
	}
	return &cli{}
}

// command is the field of a command.
func command(name string) (reflect.StructField, bool) {
	is := func(field string) bool { return strings.ToLower(field) == name }
	return reflect.TypeFor[cli]().FieldByNameFunc(is)
}

// needsAll reports whether an argument behind flags of a test is about other commands: it asks for the help, which
// lists them, or may name one.
func needsAll(arg string) bool {
	short := strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--")
	_, named := command(arg)
	return named || arg == "--" || arg == "--help" || short && strings.Contains(arg, "h")
}

// execute parses the command line and runs the command.
func execute(args []string, sys *system) error {
	helped := false
	parser, err := kong.New(grammar(args), options(sys, kong.Help(help), kong.Exit(func(int) { helped = true }))...)
	if err != nil {
		return err
	}
	ctx, err := parser.Parse(args)
	switch {
	case helped:
		return nil
	case err != nil:
		text := err.Error()
		return usage("%s%s", text, hint(parser.Model.Node, text, args))
	}
	return ctx.Run(sys)
}

// hint is what to say behind an error of the command line, whose first argument may be a command that is misspelt.
func hint(model *kong.Node, text string, args []string) string {
	switch {
	case strings.Contains(text, "unknown flag --fault"):
		return `: the built-in relay misbehaves with -r "embedded?fault=NAME", and serve with --fault`
	case !strings.Contains(text, "unexpected argument"):
		return ""
	case strings.Contains(text, "://"):
		return ": the relay is given with -r"
	}
	var commands []string
	for _, n := range model.Children {
		if !n.Hidden {
			commands = append(commands, n.Name)
		}
	}
	if near := runner.Nearest(args[0], commands); len(near) > 0 {
		return fmt.Sprintf(": did you mean %s?", near[0])
	}
	return ""
}

// names are what the help texts list.
var names = kong.Vars{
	"tolerances": strings.Join(cases.ToleranceNames(), ", "),
	"codec":      strings.Join(wire.ToleranceNames(), ", "),
	"suites":     strings.Join(cases.Suites(), ","),
	"formats":    formats(),
	"transports": transportNames(),
}

// options are those of every parser here.
func options(sys *system, more ...kong.Option) []kong.Option {
	return append([]kong.Option{
		kong.Name(program),
		kong.Description(
			"Tells whether a Media over QUIC (MoQT) relay works: runs test cases against it and prints TAP 14."),
		kong.Writers(sys.stdout, sys.stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		names,
		limitDefaults(),
	}, more...)
}
