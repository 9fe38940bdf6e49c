package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/versions"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
	"github.com/moqinterop/moq-interop-client/runner/report"
)

// matrixRunCmd executes a plan.
type matrixRunCmd struct {
	PlanFile string `arg:"" optional:"" name:"plan" help:"A plan, or a run's folder. Default: the flags make one."`
	planFlags

	Dir      string  `placeholder:"DIR" help:"The run's folder. Default: results/ and the time."`
	Resume   bool    `help:"Go on with the run in --dir, or begin it if there is none and a plan is given."`
	Expect   *string `placeholder:"FILE" help:"Known failures, a YAML list; see above."`
	Report   bool    `help:"Write the report too: page, Markdown, JUnit, badges."`
	NoRetry  bool    `help:"Do not repeat what failed. Then nothing is flaky."`
	QLOG     bool    `name:"qlog" help:"Keep qlog files of each cell."`
	Pcap     bool    `help:"Keep packets and TLS keys, with tcpdump. They may hold secrets."`
	Quiet    bool    `short:"q" help:"No progress on stderr."`
	Strict   bool    `help:"For the built-in client: a broken SHOULD fails a case."`
	Jobs     int     `short:"j" placeholder:"N" help:"Cells that run at a time. Default: 4 for each core."`
	PerRelay int     `default:"4" placeholder:"N" help:"Cells that run at a time against one relay. Default: 4."`
	Foreign  int     `default:"1" placeholder:"N" help:"Programs and containers among them. Default: 1; see above."`

	Serve      *string `placeholder:"ADDR" help:"Show the page while the run goes on; loopback unless ADDR has a host."`
	AllowRerun bool    `help:"With --serve: its pages may run a cell again. It goes on until Ctrl-C then."`

	Limit         map[string]int `placeholder:"RELAY=N" help:"Cells that run at a time against this relay."`
	Deadline      time.Duration  `placeholder:"TIME" help:"End the run after so long. --resume goes on with it."`
	CellTimeout   time.Duration  `default:"5m" placeholder:"TIME" help:"Limit for a cell, both times. Default: 5m."`
	StartTimeout  time.Duration  `default:"20s" placeholder:"TIME" help:"Limit for the start of a relay. Default: 20s."`
	TimeoutFactor float64        `default:"1" placeholder:"F" help:"For the built-in client: stretch every limit."`
}

// Help teaches.
func (*matrixRunCmd) Help() string {
	return `Runs the cells of a plan, and keeps the results in --dir: run.json, the TAP of each cell, the decoded
transcript of each case that failed. A failure is repeated once, to tell flaky from failed. Ctrl-C writes what is known;
--resume goes on with a run that was ended or killed. Progress goes to stderr, everything that is no pass to stdout.

An entry of --expect has client, relay, draft, transport and case (names or patterns; a field that is left out stands
for any), flaky, and a reason. A pass that was expected to fail, and an entry that matches nothing, fail the run.

Programs run one at a time against a relay, since many use the same names in every process: with --foreign 2 they would
answer each other, and pass wrongly.

Examples:

  moq-interop-client matrix run --relays mine.json --draft 16,18 --expect known.yaml --report
  moq-interop-client matrix run plan.json --shard 2/4 --dir results/part-2 --deadline 30m
  moq-interop-client matrix run --resume --dir results/part-2

Exit codes:

  0  every cell has a result, and all is as expected
  1  something is not as expected, a cell has no result, or an entry of --expect matches nothing
  2  usage error, or nothing was run: the folder has a run already, or cannot be written to
`
}

// Run executes the plan and judges.
func (c *matrixRunCmd) Run(sys *system) error {
	known, err := expectations(c.Expect)
	if err != nil {
		return err
	}
	settings := &settings{}
	if err := settings.readFactor(c.TimeoutFactor); err != nil {
		return err
	}
	settings.cases.Strict, settings.cases.Implementation = c.Strict, program+" "+runner.Version()
	p, err := c.thePlan(sys)
	if err == nil && p.Total == 0 {
		err = usage("the plan has no cells: %s matrix plan, with the same flags, says why", program)
	}
	if err != nil {
		return err
	}
	if c.Dir == "" {
		c.Dir = filepath.Join("results", matrix.RunID(time.Now(), p.Shard))
	}
	o := matrix.Options{
		Dir: c.Dir, Resume: c.Resume, Versions: versions.Get().Map(), Program: []string{program},
		Engine:   engine(c.Engine),
		Parallel: c.Jobs, PerRelay: c.PerRelay, Limits: c.Limit, Foreign: c.Foreign, NoRetry: c.NoRetry,
		CellTimeout: c.CellTimeout, StartTimeout: c.StartTimeout,
		QLOG: c.QLOG, Capture: c.Pcap, Expected: known, Variables: c.variables(),
	}
	if !c.Quiet {
		o.Progress = progress(sys.stderr, sys.getenv("TERM"), p)
	}
	if c.Pcap {
		if err := os.MkdirAll(c.Dir, 0o755); err != nil {
			return usage("--pcap: %w", err)
		}
		keys := filepath.Join(c.Dir, matrix.KeysFile)
		if settings.connect.KeyLog, err = sys.keyLog(&keys); err != nil {
			return err
		}
	}
	matrix.Here{
		Info: runner.ClientInfo{Name: program, Version: runner.Version()}, Config: settings.cases,
		Standard: cases.Suite(cases.SuiteStandard),
		Relay:    reference.Options{Logger: logger(sys.stderr, false)}, KeyLog: settings.connect.KeyLog,
	}.Fill(&o)
	ctx := sys.ctx
	if c.Deadline > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, c.Deadline, fmt.Errorf("the run's deadline of %v", c.Deadline))
		defer cancel()
		ctx = limited
	}
	show, err := c.serve(sys, p, &o)
	if err != nil {
		return err
	}
	defer show.close()
	run, err := matrix.Execute(ctx, p, o)
	if err != nil {
		return usage("%w", err) // not 1: those who run shards take that for a result, which merge judges
	}
	if !run.Complete() {
		sys.say("to go on: %s matrix run --resume --dir %s", program, c.Dir)
	}
	return errors.Join(sys.finish(run, known, c.Dir, c.Report), show.finish(sys, run, known))
}

// thePlan is the plan that is named, or that of the run to take up, or one that the flags ask for.
func (c *matrixRunCmd) thePlan(sys *system) (*matrix.Plan, error) {
	if c.Jobs < 0 || c.PerRelay < 1 || c.Foreign < 1 || c.Deadline < 0 || c.CellTimeout <= 0 || c.StartTimeout <= 0 {
		return nil, usage("a number or a duration of the flags is not above 0")
	}
	if c.Resume && c.Dir == "" {
		return nil, usage("--resume: it needs --dir, the folder of the run")
	}
	name := c.PlanFile
	if c.Resume && name == "" && c.onlyPart() && c.Shard == "" {
		// a slip in the name would begin a run of the whole built-in catalogue
		if _, err := os.Stat(c.Dir); err != nil {
			return nil, usage("--resume: there is no run to go on with: %w; to begin one, name its plan or what to "+
				"plan it from, as --relays default", err)
		}
		name = c.Dir
	}
	if name == "" {
		return c.plan(sys)
	}
	if !c.onlyPart() {
		return nil, usage("%s is a plan already: of the flags that make one only --shard goes with it", name)
	}
	p, err := matrix.LoadPlan(name)
	if err != nil {
		return nil, usage("%w", err)
	}
	return c.part(p)
}

// progress is bars on a terminal, and lines elsewhere.
func progress(w io.Writer, term string, p *matrix.Plan) matrix.Progress {
	if f, ok := w.(*os.File); ok && term != "dumb" {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return matrix.NewBars(w, p)
		}
	}
	return matrix.NewLines(w)
}

// finish writes the report, if it is asked for, says where things are, and judges.
func (s *system) finish(run *matrix.Run, known *matrix.Expectations, dir string, withReport bool) error {
	var failed error
	if withReport {
		failed = errors.Join(report.Write(dir, run, report.Options{Files: dir,
			Notices: notices(matrix.Judge(run, known))}), report.Latest(dir))
	}
	err := s.judge(run, known)
	if failed == nil && withReport {
		_, failed = fmt.Fprintln(s.stdout, filepath.Join(dir, report.HTMLFile))
	}
	return errors.Join(failed, err)
}

// matrixMergeCmd joins shards.
type matrixMergeCmd struct {
	Parts  []string `arg:"" name:"part" placeholder:"PART" help:"The runs of all shards: their folders."`
	Dir    string   `placeholder:"DIR" help:"The folder of the whole. Default: results/ and the time."`
	Expect *string  `placeholder:"FILE" help:"Known failures, as for matrix run."`
	Report bool     `help:"Write the report too."`
}

// Help teaches.
func (*matrixMergeCmd) Help() string {
	return `Joins the runs of all shards of one plan, with their files, and judges the whole as matrix run does.
A shard that is missing or there twice, a cell in two shards, and shards of different plans are errors: then nothing is
written, and the exit code is 2.

Example:

  moq-interop-client matrix merge --dir results/nightly --expect known.yaml --report results/part-*
`
}

// Run joins and judges.
func (c *matrixMergeCmd) Run(sys *system) error {
	known, err := expectations(c.Expect)
	if err != nil {
		return err
	}
	if c.Dir == "" {
		c.Dir = filepath.Join("results", matrix.RunID(time.Now(), nil))
	}
	run, err := matrix.MergeDirs(c.Dir, known, c.Parts...)
	if err != nil {
		return usage("%w", err)
	}
	return sys.finish(run, known, c.Dir, c.Report)
}
