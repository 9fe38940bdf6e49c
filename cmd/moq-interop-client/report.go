package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/bench/turns"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
	"github.com/moqinterop/moq-interop-client/runner/report"
)

// reportCmd shows what came of a run of the matrix.
type reportCmd struct {
	Output  string   `short:"o" type:"string" placeholder:"DIR" help:"Where to write. Default: the run's folder."`
	Only    []string `enum:"html,markdown,junit,badges,rules" placeholder:"FORM" help:"Any of ${enum}."`
	History []string `placeholder:"RUN" help:"Earlier runs, or a folder of runs. Later ones are ignored."`
	Expect  *string  `placeholder:"FILE" help:"Known failures. The report says which of them passed."`
	Bench   string   `placeholder:"FILE" help:"What bench relays --json wrote: figures beside the verdicts."`
	Title   string   `placeholder:"TEXT" help:"The page's title. Default \"MoQ interop\"."`
	Path    string   `arg:"" name:"run" help:"The run: its folder, its run.json, or a baseline."`
}

// Help teaches.
func (*reportCmd) Help() string {
	return `Writes index.html, summary.md, junit.xml, badges/ and rules.json, and prints where. The page needs no
scripts and can be printed; the details of its cells lie beside it in data/, and in rules/ which rules of the drafts
each relay has kept, broken, and not been tried for. With --history it shows what has changed, a strip of all
runs, and results that this run lacks. With --bench it shows figures of the same relays. With --only markdown, junit or
rules, -o - writes to stdout.

It judges nothing. Exit codes: 0 all was written, 2 usage error or no such run.

Examples:

  moq-interop-client report results/2026-11-22 --history results
  moq-interop-client report results/2026-11-22 --only markdown -o - >> "$GITHUB_STEP_SUMMARY"
`
}

// Run writes the report.
func (c *reportCmd) Run(sys *system) error {
	run, o, err := c.read()
	if err != nil {
		return err
	}
	if c.Output == "-" {
		switch {
		case slices.Equal(o.Forms, []report.Form{report.Markdown}):
			return report.WriteMarkdown(sys.stdout, run, o)
		case slices.Equal(o.Forms, []report.Form{report.RulesKept}):
			return report.WriteRules(sys.stdout, run)
		case slices.Equal(o.Forms, []report.Form{report.JUnit}):
			return report.WriteJUnit(sys.stdout, run)
		}
		return usage("--output: - takes one form, with --only markdown, --only junit or --only rules")
	}
	dir := c.Output
	if dir == "" {
		dir = o.Files
	}
	if err := report.Write(dir, run, o); err != nil {
		return err
	}
	if dir == o.Files && slices.Contains(o.Forms, report.HTML) {
		if err := report.Latest(dir); err != nil {
			return err
		}
	}
	for _, f := range o.Forms {
		if _, err := fmt.Fprintln(sys.stdout, filepath.Join(dir, f.File())); err != nil {
			return err
		}
	}
	return nil
}

// read reads the run and what lies beside it.
func (c *reportCmd) read() (run *matrix.Run, o report.Options, err error) {
	if run, err = loadRun(c.Path); err != nil {
		return nil, o, err
	}
	o = report.Options{Title: c.Title, Files: c.Path, Forms: report.Forms()}
	if info, err := os.Stat(c.Path); err == nil && !info.IsDir() {
		o.Files = filepath.Dir(c.Path)
	}
	if len(c.Only) > 0 {
		o.Forms = nil
		for _, name := range c.Only {
			o.Forms = append(o.Forms, report.Form(name))
		}
	}
	if o.History, err = report.LoadHistory(c.History, run); err != nil {
		return nil, o, usage("--history: %w", err)
	}
	if o.Bench, err = c.bench(); err != nil {
		return nil, o, usage("--bench: %w", err)
	}
	known, err := expectations(c.Expect)
	if err != nil {
		return nil, o, err
	}
	o.Notices = notices(matrix.Judge(run, known))
	return run, o, nil
}

// bench reads the figures of a bench, if there are some.
func (c *reportCmd) bench() (*report.Bench, error) {
	if c.Bench == "" {
		return nil, nil
	}
	f, err := os.Open(c.Bench)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	survey, err := turns.ReadSurvey(f)
	if err != nil {
		return nil, err
	}
	head, rows := survey.Table()
	return &report.Bench{Load: strings.Join(survey.Load, " "), Columns: head[1:], Rows: rows}, nil
}

// notices are what a report says at the top: what passed and should not have, and what was expected of nothing.
func notices(j matrix.Judgement) []string {
	out := slices.Clone(j.Fixed)
	for _, entry := range j.Unused {
		out = append(out, "An expected failure matches nothing in the run: "+entry)
	}
	return out
}

// loadRun reads a run. One that is not there is a usage error, so that no exit code of a comparison can be mistaken for
// a result.
func loadRun(path string) (*matrix.Run, error) {
	run, err := report.Load(path)
	if err != nil {
		return nil, usage("%w", err)
	}
	return run, nil
}
