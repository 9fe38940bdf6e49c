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
	PlanFile string `arg:"" optional:"" name:"plan" placeholder:"PLAN" help:"A plan, or the folder of a run: its plan. Default: one is made from the flags."`
	planFlags

	Dir      string         `placeholder:"DIR" help:"The run's folder. Default: results/ and the time."`
	Resume   bool           `help:"Go on with the run in --dir; its plan need not be given again. With a plan, or flags that make one, begin it when there is none."`
	Expect   *string        `placeholder:"FILE" help:"Known failures, a YAML list: client, relay, draft, transport, case (patterns), flaky, reason. What passes and should not, and an entry that is about nothing, fail the run."`
	Report   bool           `help:"Write the report too, beside run.json: page, Markdown, JUnit, badges."`
	Deadline time.Duration  `placeholder:"DURATION" help:"End the run after so long; what is known then is kept, and --resume goes on."`
	Jobs     int            `short:"j" placeholder:"N" help:"What runs at a time, over all relays. Default: 4 for each core."`
	PerRelay int            `default:"4" placeholder:"N" help:"What runs at a time against one relay. Default: 4."`
	Limit    map[string]int `placeholder:"RELAY=N" help:"The same for a relay by name."`
	Foreign  int            `default:"1" placeholder:"N" help:"How many programs or containers run at a time as clients against one relay. Default: 1; with more, those that use the same names in every process answer each other, and pass for that."`

	CellTimeout  time.Duration `default:"5m" placeholder:"DURATION" help:"Bound for a cell, repetition included. Default: 5m."`
	StartTimeout time.Duration `default:"20s" placeholder:"DURATION" help:"Bound for the start of a relay. Default: 20s."`
	NoRetry      bool          `help:"Do not repeat what failed: nothing is flaky then."`

	QLOG          bool    `name:"qlog" help:"Keep qlog files of each cell."`
	Strict        bool    `help:"For the built-in client: a broken SHOULD fails a case."`
	TimeoutFactor float64 `default:"1" placeholder:"F" help:"For the built-in client: stretch every limit."`
	Quiet         bool    `short:"q" help:"No progress on stderr."`
}

// Help teaches.
func (*matrixRunCmd) Help() string {
	return `Runs the cells of a plan, relays at the same time, and keeps results as they come in --dir: run.json, the TAP of each cell, the decoded transcript of each failed case. What failed is repeated once, to tell flaky from failed. Ctrl-C writes what is known; a run that was ended, or killed, is taken up with --resume.

Progress goes to stderr, what stands against a pass to stdout.

Examples:

  moq-interop-client matrix run --relays mine.json --draft 16,18 --expect known.yaml --report
  moq-interop-client matrix run plan.json --shard 2/4 --dir results/part-2 --deadline 30m
  moq-interop-client matrix run --resume --dir results/part-2

Exit codes:

  0  every cell has a result, and nothing is other than expected
  1  something failed, or passed, that was not expected to; a cell has no result; an entry of --expect is about nothing
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
		QLOG: c.QLOG, Expected: known,
	}
	if !c.Quiet {
		o.Progress = progress(sys.stderr, sys.getenv("TERM"))
	}
	matrix.Here{
		Info: runner.ClientInfo{Name: program, Version: runner.Version()}, Config: settings.cases,
		Standard: cases.Suite(cases.SuiteStandard),
		Relay:    reference.Options{Logger: logger(sys.stderr, false)},
	}.Fill(&o)
	ctx := sys.ctx
	if c.Deadline > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, c.Deadline, fmt.Errorf("the run's deadline of %v", c.Deadline))
		defer cancel()
		ctx = limited
	}
	run, err := matrix.Execute(ctx, p, o)
	if err != nil {
		return usage("%w", err) // not 1: those who run shards take that for a result, which merge judges
	}
	if !run.Complete() {
		sys.say("to go on: %s matrix run --resume --dir %s", program, c.Dir)
	}
	return sys.finish(run, known, c.Dir, c.Report)
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

// progress is a line that is written over on a terminal, and lines elsewhere.
func progress(w io.Writer, term string) matrix.Progress {
	if f, ok := w.(*os.File); ok && term != "dumb" {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return matrix.NewTerminal(w)
		}
	}
	return matrix.NewLines(w)
}

// finish writes the report, if it is asked for, says where things are, and judges.
func (s *system) finish(run *matrix.Run, known *matrix.Expectations, dir string, withReport bool) error {
	var failed error
	if withReport {
		failed = report.Write(dir, run, report.Options{Files: dir, Notices: notices(matrix.Judge(run, known))})
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
	return `Joins the runs of all shards of one plan into one, with their files, and judges it as matrix run does. It refuses a shard that is missing or there twice, a cell in two of them, and parts of different plans: then nothing is written, and the exit code is 2.

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
