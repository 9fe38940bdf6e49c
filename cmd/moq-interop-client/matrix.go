package main

import (
	"errors"
	"fmt"
	"os/exec"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// matrixCmd runs clients against relays.
type matrixCmd struct {
	Plan  matrixPlanCmd  `cmd:"" help:"Say which client would be run against which relay, and why the rest would not."`
	Run   matrixRunCmd   `cmd:"" help:"Run a plan, or go on with a run that did not end."`
	Merge matrixMergeCmd `cmd:"" help:"Join the runs of all shards of a plan."`
	Judge matrixJudgeCmd `cmd:"" help:"Judge a run again, by another list of known failures."`
}

// Help teaches.
func (*matrixCmd) Help() string {
	return `Crosses clients, relays, endpoints, drafts and transports, and runs each cell. Clients are this program
("builtin") and the commands and containers of the catalogue. Relays are URLs, the embedded one, commands or containers.

Examples:

  moq-interop-client matrix plan --target draft-18
  moq-interop-client matrix run --relays mine.json --draft 16,18 --report
  moq-interop-client matrix plan --json -o plan.json
  moq-interop-client matrix run plan.json --shard 1/4 --dir results/part-1
  moq-interop-client matrix merge --dir results/whole results/part-*
`
}

// planFlags say what to cross. Their zero values leave everything in.
type planFlags struct {
	relaysFlag

	Client    []string `short:"c" placeholder:"NAME" help:"Only these clients: names or patterns."`
	Relay     []string `short:"r" placeholder:"NAME" help:"Only these relays: names or patterns."`
	Cell      []string `placeholder:"ID" help:"Only these cells: CLIENT/RELAY/ENDPOINT/DRAFT/TRANSPORT, or patterns."`
	Draft     []string `short:"d" placeholder:"NN" help:"Only these drafts."`
	Transport []string `placeholder:"NAME" complete:"transports" help:"${transports}. Default scheme."`
	Mode      []string `placeholder:"KIND" help:"Only these: remote, docker (any container), command, embedded."`
	Only      []string `placeholder:"CLASS" help:"Only what is at, ahead or behind the target draft."`
	Target    string   `placeholder:"draft-NN" help:"The draft to compare with, or none. Default: the catalogue's."`
	Pin       string   `placeholder:"HOW" help:"Drafts that a cell offers: each (default), newest or none; see above."`

	Test  []string `short:"t" sep:"none" placeholder:"NAME,…" complete:"cases" help:"Run these cases in every cell."`
	Suite string   `placeholder:"NAME" complete:"suites" help:"Run this suite: ${suites}. Default: each client's own."`

	ClientTransport  map[string]string `placeholder:"CLIENT=TRANSPORT" help:"A client that speaks one transport alone."`
	TLSDisableVerify bool              `help:"Accept any certificate of a relay that is reached by its URL."`

	Pairs   bool     `help:"Cells of publisher, relay and subscriber too: this program's, and the catalogue's."`
	Network []string `sep:"none" placeholder:"PATH" help:"Through a bad path: loss=3%,rtt=100ms,…; none is without."`

	settingFlags
	Engine string `placeholder:"PROGRAM" help:"Container engine, or none. Default: what is there."`
	Shard  string `placeholder:"I/N" help:"Only part I of N. The split is always the same."`
}

// settingFlags are what clients are told about every relay whose entry in the catalogue does not say it.
type settingFlags struct {
	CA              *string  `name:"ca" placeholder:"FILE" help:"Certificate authorities to trust, PEM."`
	NamespacePrefix *string  `placeholder:"A/B" help:"Leading fields of all namespaces. [NAMESPACE_PREFIX]"`
	AuthToken       *string  `placeholder:"T" help:"Authorization token of requests that allow one. [AUTH_TOKEN]"`
	Compat          []string `sep:"none" placeholder:"NAME,…" complete:"tolerances" help:"Tolerances. [COMPAT]"`
}

// tokenVariable is where the token of the flags and the environment is looked for.
const tokenVariable = "AUTH_TOKEN"

// settings gives them. The token's value is no part of them.
func (f *settingFlags) settings(sys *system) (relays.Settings, error) {
	var s relays.Settings
	checked := &settings{}
	prefix := sys.choose(f.NamespacePrefix, "--namespace-prefix", "", "NAMESPACE_PREFIX")
	compat := sys.chooseList(f.Compat, "--compat", "COMPAT")
	if err := errors.Join(checked.readPrefix(prefix), checked.readCompat(compat)); err != nil {
		return s, err
	}
	s.NamespacePrefix = relays.Prefix(prefix.text)
	for _, name := range compat.names() {
		s.Compat = append(s.Compat, relays.Tolerance(name))
	}
	if sys.choose(f.AuthToken, "--auth-token", "", tokenVariable).text != "" {
		s.AuthToken = relays.SecretOf(tokenVariable)
	}
	if f.CA != nil {
		s.TLS = *f.CA
	}
	return s, nil
}

// variables has the token of the flag, for a run.
func (f *settingFlags) variables() map[string]string {
	if f.AuthToken == nil {
		return nil
	}
	return map[string]string{tokenVariable: *f.AuthToken}
}

// plan makes the plan that the flags ask for. What could not be taken from a catalogue is said on stderr.
func (f *planFlags) plan(sys *system) (*matrix.Plan, error) {
	o := matrix.PlanOptions{
		Names: f.Relays, Clients: []matrix.Client{matrix.Builtin()}, Target: f.Target, Pin: matrix.Pin(f.Pin),
		Networks: f.Network, Pairs: f.Pairs,
		Containers: engine(f.Engine) != "", HostNetwork: runtime.GOOS == "linux", TLSDisableVerify: f.TLSDisableVerify,
		Filter: matrix.Filter{Clients: f.Client, Relays: f.Relay, Cells: f.Cell, Drafts: f.Draft},
	}
	if err := f.transports(&o); err != nil {
		return nil, err
	}
	for _, only := range f.Only {
		o.Filter.Only = append(o.Filter.Only, matrix.Classification(only))
	}
	for _, mode := range f.Mode {
		if mode == "docker" { // the public runner's word for it
			mode = string(matrix.KindContainer)
		}
		o.Filter.Modes = append(o.Filter.Modes, matrix.Kind(mode))
	}
	for name, only := range f.ClientTransport {
		if o.ClientTransports == nil {
			o.ClientTransports = make(map[string][]string)
		}
		o.ClientTransports[name] = []string{only}
	}
	var err error
	if o.Settings, err = f.settings(sys); err != nil {
		return nil, err
	}
	if o.Catalogue, err = openCatalogue(sys, f.Relays); err != nil {
		return nil, err
	}
	if o.Cases, err = f.cases(sys, append(o.Catalogue.OwnCases(), matrix.PairCase)); err != nil {
		return nil, err
	}
	p, err := matrix.MakePlan(o)
	if err != nil {
		return nil, usage("%w", err)
	}
	return f.part(p)
}

// transports takes each URL's scheme at its word, unless the flag says more. Cells that are named say it themselves.
func (f *planFlags) transports(o *matrix.PlanOptions) error {
	o.SchemeOnly = f.Cell == nil
	for _, name := range (setting{text: strings.Join(f.Transport, ",")}).names() {
		choice, err := parseTransport(setting{text: name, from: "--transport"})
		if err != nil {
			return err
		}
		switch choice {
		case transport.Scheme:
			continue
		case transport.OnlyQUIC, transport.OnlyWebTransport:
			o.Filter.Transports = append(o.Filter.Transports, name)
		}
		o.SchemeOnly = false
	}
	return nil
}

// part is the shard that the flags ask for, or all.
func (f *planFlags) part(p *matrix.Plan) (*matrix.Plan, error) {
	if f.Shard == "" {
		return p, nil
	}
	shard, err := matrix.ParseShard(f.Shard)
	if err == nil {
		p, err = p.Part(shard)
	}
	if err != nil {
		return nil, usage("--shard: %w", err)
	}
	return p, nil
}

// onlyPart reports whether no flag is given that a plan which is there already has the answer to.
func (f planFlags) onlyPart() bool {
	f.Shard, f.Engine, f.AuthToken = "", "", nil
	return reflect.ValueOf(f).IsZero()
}

// cases gives the names of -t and --suite; none for the standard set of each client. own are those that only clients of
// the catalogue have.
func (f *planFlags) cases(sys *system, own []string) (names []string, err error) {
	v := sys.chooseList(f.Test, "--test")
	asked := v.names()
	asked = slices.DeleteFunc(asked, func(name string) bool {
		_, ours := cases.Find(name)
		theirs := !ours && slices.Contains(own, name)
		if theirs {
			names = append(names, name)
		}
		return theirs
	})
	var selected []cases.Case
	switch {
	case v.set && f.Suite != "":
		return nil, usage("--test and --suite: give one of them")
	case v.set && len(asked) == 0 && len(names) > 0:
	case v.set:
		if selected, err = (runner.Selection{}).Cases(asked); err == nil && len(selected) == 0 {
			err = errors.New("no case named")
		}
		if err != nil {
			return nil, v.fail(err)
		}
	case f.Suite == "":
	case !slices.Contains(cases.Suites(), f.Suite):
		return nil, usage("--suite: %q is none of %s", f.Suite, strings.Join(cases.Suites(), ", "))
	default:
		selected = cases.Suite(f.Suite)
	}
	for i, c := range selected {
		names = slices.Insert(names, i, c.ID)
	}
	return names, nil
}

// engine is the container engine to use; empty for none.
func engine(asked string) string {
	if asked != "" {
		return strings.TrimPrefix(asked, "none")
	}
	for _, name := range []string{"docker", "podman"} {
		if _, err := exec.LookPath(name); err == nil {
			return name
		}
	}
	return ""
}

// openCatalogue reads the catalogues of --relays. Each value that one has and a catalogue has no place for is said on
// stderr.
func openCatalogue(sys *system, names []string) (*relays.Catalogue, error) {
	c, reports, err := relays.Open(names...)
	for _, r := range reports {
		r.WriteText(sys.stderr)
	}
	if err != nil {
		return nil, usage("--relays: %w", err)
	}
	return c, nil
}

// matrixPlanCmd makes a plan.
type matrixPlanCmd struct {
	planFlags
	JSON   bool   `name:"json" help:"As JSON, for matrix run, with every single reason."`
	Output string `short:"o" type:"string" placeholder:"FILE" help:"Write it there instead of to stdout."`
}

// Help teaches.
func (*matrixPlanCmd) Help() string {
	return `A row is a client at an endpoint of a relay over a transport, with the drafts that both claim. Each draft is
a cell. The newest is the prediction: against the target it is at, ahead or behind. Below stands what is left out, with
the reason.

By default there is a cell for each draft that both claim (--pin each). With newest there is one, for the newest of
them; with none there is one in which the client offers all that it has.

A relay that --relay names, and not only matches, is in with its inactive endpoints. --transport auto adds what a URL
may stand for beside its scheme: moqt:// is WebTransport too from draft 18 on, and embedded is both.

Examples:

  moq-interop-client matrix plan                                 the built-in catalogue
  moq-interop-client matrix plan --only at --mode remote --transport quic
  moq-interop-client matrix plan --client builtin --relay "moq-*" --draft 18
  moq-interop-client matrix plan --relays urls.txt --json -o plan.json
`
}

// Run prints the plan.
func (c *matrixPlanCmd) Run(sys *system) error {
	p, err := c.plan(sys)
	if err != nil {
		return err
	}
	if c.JSON {
		return sys.write(c.Output, p.WriteJSON)
	}
	return sys.write(c.Output, p.WriteTable)
}

// matrixJudgeCmd judges a run again.
type matrixJudgeCmd struct {
	Path   string  `arg:"" name:"run" placeholder:"RUN" help:"The run: its folder, or its run.json."`
	Expect *string `placeholder:"FILE" help:"Known failures, a YAML list; see matrix run."`
}

// Run says what the run amounts to.
func (c *matrixJudgeCmd) Run(sys *system) error {
	known, err := expectations(c.Expect)
	if err != nil {
		return err
	}
	run, err := matrix.Load(c.Path)
	if err != nil {
		return usage("%w", err)
	}
	return sys.judge(run, known)
}

// judge prints what a run amounts to, and gives the exit code that says it.
func (s *system) judge(run *matrix.Run, known *matrix.Expectations) error {
	j := matrix.Judge(run, known)
	if err := j.WriteText(s.stdout); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(s.stdout, run.Summary()); err != nil {
		return err
	}
	if j.Exit() != runner.ExitPass {
		return &exit{code: j.Exit()}
	}
	return nil
}

// expectations reads a file of known failures; nil when there is none.
func expectations(name *string) (*matrix.Expectations, error) {
	if name == nil {
		return nil, nil
	}
	x, err := matrix.LoadExpectations(*name)
	if err != nil {
		return nil, usage("--expect: %w", err)
	}
	return x, nil
}
