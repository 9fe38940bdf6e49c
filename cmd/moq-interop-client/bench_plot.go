package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/moqinterop/moq-interop-client/internal/bench"
	"github.com/moqinterop/moq-interop-client/internal/bench/pictures"
)

// benchPlotCmd draws results.
type benchPlotCmd struct {
	Output string   `short:"o" type:"string" default:"bench" placeholder:"NAME" help:"Beginning of the files' names."`
	Form   []string `enum:"svg,png" default:"svg,png" placeholder:"FORM" help:"svg, png, or both. Default both."`
	Files  []string `arg:"" name:"file" placeholder:"FILE" help:"What benches wrote with --json; - is stdin."`
}

// Help teaches.
func (*benchPlotCmd) Help() string {
	return `Writes up to three pictures, each as SVG and PNG, and prints their names:

  NAME-time         throughput and latency over time
  NAME-percentiles  which share of the objects was faster than what
  NAME-bars         rates, latencies, processor time and memory side by side

A file may hold several results. Results with the same label and the same load are runs of one thing: they have one
colour, and their bar is as long as the median, with a line from the lowest to the highest. What a result has no figure
for is said on stderr.

Examples:

  moq-interop-client bench relay moqt://relay.example:4443 --json > one.json
  moq-interop-client bench plot one.json two.json -o results/bench/both
`
}

// Run draws.
func (c *benchPlotCmd) Run(sys *system) error {
	results, err := sys.results(c.Files)
	if err != nil {
		return err
	}
	drawn, left, err := pictures.Draw(results)
	if err != nil {
		return err
	}
	for _, line := range left {
		sys.say("%s", line)
	}
	if len(drawn) == 0 {
		return errors.New("no picture: the results have no figures that can be drawn")
	}
	return sys.pictures(drawn, c.Output, slices.Compact(slices.Sorted(slices.Values(c.Form))), sys.stdout)
}

// pictures writes pictures to files whose names begin in the same way, and tells the names.
func (s *system) pictures(drawn []pictures.Picture, output string, forms []string, tell io.Writer) error {
	for _, p := range drawn {
		for _, form := range forms {
			name := fmt.Sprintf("%s-%s.%s", output, p.Name, form)
			if err := s.write(name, func(w io.Writer) error { return p.Write(w, form) }); err != nil {
				return err
			}
			if _, err := fmt.Fprintln(tell, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// results reads files of results.
func (s *system) results(names []string) (all []*bench.Result, err error) {
	for _, name := range names {
		results, err := bench.ReadFile(name, s.stdin)
		if err != nil {
			return nil, usage("%w", err)
		}
		all = append(all, results...)
	}
	return all, nil
}
