package main

import (
	"fmt"
	"io"

	"github.com/moqinterop/moq-interop-client/runner"
	"github.com/moqinterop/moq-interop-client/runner/report"
)

// compareCmd tells two runs apart, or the drafts of one run.
type compareCmd struct {
	By       string   `enum:"run,draft" default:"run" help:"draft: the drafts of one run, side by side."`
	Relay    []string `placeholder:"NAME" help:"With --by draft: only these relays."`
	Drafts   *string  `short:"d" placeholder:"A,B" help:"Compare two drafts of one run: B with A."`
	Common   bool     `help:"Leave out cells that only one of the runs has."`
	JSON     bool     `name:"json" xor:"form" help:"As JSON."`
	Markdown bool     `xor:"form" help:"As Markdown."`

	SlowerFactor float64 `default:"2" placeholder:"F" help:"A case is slower if it took F times as long. Default 2."`
	SlowerMS     int64   `name:"slower-ms" default:"250" placeholder:"N" help:"And N ms more, at least. Default 250."`

	Runs []string `arg:"" name:"run" help:"Folders of runs, run.json files or baselines; the earlier one first."`
}

// Help teaches.
func (*compareCmd) Help() string {
	return `Says which cases are fixed, broken, new, gone or slower, and which fail for another reason.
Random names, durations and local ports make no difference.

Exit codes: 0 nothing broke (always with --by draft), 1 something that passed does not, 2 usage error or no such run.

Examples:

  moq-interop-client compare results/baseline results/2026-11-22
  moq-interop-client compare results/2026-11-22 --drafts 16,18
  moq-interop-client compare results/2026-11-22 --by draft --relay moqtail
`
}

// comparison is what can be shown.
type comparison interface {
	WriteText(io.Writer) error
	WriteJSON(io.Writer) error
	WriteMarkdown(io.Writer) error
	ExitCode() int
}

// Run compares.
func (c *compareCmd) Run(sys *system) error {
	result, err := c.compare(sys)
	if err != nil {
		return err
	}
	write := result.WriteText
	switch {
	case c.JSON:
		write = result.WriteJSON
	case c.Markdown:
		write = result.WriteMarkdown
	}
	if err := write(sys.stdout); err != nil {
		return err
	}
	if code := result.ExitCode(); code != runner.ExitPass {
		return &exit{code: code}
	}
	return nil
}

// compare chooses what to compare.
func (c *compareCmd) compare(sys *system) (comparison, error) {
	if !(c.SlowerFactor > 0) || c.SlowerMS <= 0 {
		return nil, usage("--slower-factor, --slower-ms: want numbers above 0")
	}
	o := report.CompareOptions{Common: c.Common, SlowerFactor: c.SlowerFactor, SlowerMS: c.SlowerMS}
	drafts := sys.choose(c.Drafts, "--drafts", "")
	byDraft := c.By == "draft"
	want, what := 2, "two runs"
	if byDraft || drafts.set {
		want, what = 1, "one run"
	}
	switch {
	case byDraft && drafts.set:
		return nil, usage("--by draft and --drafts are two comparisons")
	case c.Relay != nil && !byDraft:
		return nil, usage("--relay: goes with --by draft")
	case len(c.Runs) != want:
		return nil, usage("%d given, want %s", len(c.Runs), what)
	}
	a, err := loadRun(c.Runs[0])
	if err != nil {
		return nil, err
	}
	switch {
	case byDraft:
		tables, err := report.ByDraft(a, c.Relay...)
		if err != nil {
			return nil, usage("--relay: %w", err)
		}
		return tables, nil
	case drafts.set:
		pair, err := parseDrafts(drafts)
		if err == nil && len(pair) != 2 {
			err = drafts.fail(fmt.Errorf("%q: want two drafts", drafts.text))
		}
		if err != nil {
			return nil, err
		}
		within, err := report.CompareDrafts(a, pair[0].String(), pair[1].String(), o)
		if err != nil {
			return nil, drafts.fail(err)
		}
		return within, nil
	}
	b, err := loadRun(c.Runs[1])
	if err != nil {
		return nil, err
	}
	return report.Compare(a, b, o), nil
}
