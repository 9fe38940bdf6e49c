package main

import (
	"encoding/json"
	"fmt"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// benchMergeCmd joins results.
type benchMergeCmd struct {
	JSON  bool     `name:"json" help:"Print the result as JSON."`
	Label string   `placeholder:"TEXT" help:"What to call the result beside others. Default: as its parts."`
	Files []string `arg:"" name:"file" placeholder:"FILE" help:"What benches wrote with --json; - is stdin."`
}

// Help teaches.
func (*benchMergeCmd) Help() string {
	return `Makes one result of those of several machines that measured at the same time. Counts, rates and processor
times are added up, and histograms are merged exactly, so percentiles are those of all objects. Shards must be of one
bench, and all there; a publisher and subscribers that were started by hand must at least have overlapped.

Examples:

  moq-interop-client bench merge part-*.json
  moq-interop-client bench merge pub.json sub-1.json sub-2.json --json > whole.json
`
}

// Run merges.
func (c *benchMergeCmd) Run(sys *system) error {
	parts, err := sys.results(c.Files)
	if err != nil {
		return err
	}
	r, err := bench.Merge(parts)
	if err != nil {
		return err
	}
	if c.Label != "" {
		r.Label = c.Label
	}
	if !c.JSON {
		return r.Text(sys.stdout)
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(sys.stdout, "%s\n", b)
	return err
}
