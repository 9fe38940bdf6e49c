package main

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/bench/turns"
)

// benchCompareCmd runs another program's bench in turns with ours.
type benchCompareCmd struct {
	Rounds     int      `default:"5" placeholder:"N" help:"How often each runs. Default 5."`
	Processors string   `name:"processors" placeholder:"LIST" help:"Hold both to these: 0,1 or 0-3. Default all."`
	Name       string   `default:"theirs" placeholder:"NAME" help:"What to call the other program. Default theirs."`
	JSON       bool     `name:"json" help:"As JSON, with the results of every turn."`
	Command    []string `arg:"" passthrough:"" placeholder:"[BENCH ARGS…] -- COMMAND" help:"Ours, --, and theirs."`
}

// Help teaches.
func (*benchCompareCmd) Help() string {
	return `Runs a bench of this program and another program's in turns (A B A B …), both on the same processors, and
prints the median of each figure, and of the ratio of each round, with the lowest and the highest. Processor time and
memory are those of the whole run, its start included, measured in the same way for both.

What the other program prints must hold a summary of aiomoqt's benches, or a result of this program as JSON. Where it is
aiomoqt's moq-loopback-bench, ours needs not be said: it gets the same size, rate, time, draft and transport.

Examples:

  moq-interop-client bench compare -- moq-loopback-bench -Q -s 1024 -t 5 --draft 18 --cert c.pem --key k.pem
  moq-interop-client bench compare --rounds 3 loopback -s 64 -t 5 -- moq-loopback-bench -Q -s 64 -t 5 …
  moq-interop-client bench compare relay moqt://one:4443 -t 5 -- another-bench --json moqt://two:4443
`
}

// Run compares.
func (c *benchCompareCmd) Run(sys *system) error {
	if c.Rounds < 1 || c.Rounds > 1000 {
		return usage("--rounds: %d is not from 1 to 1000", c.Rounds)
	}
	processors, err := parseProcessors(c.Processors)
	if err != nil {
		return err
	}
	at := slices.Index(c.Command, "--")
	if at < 0 || at == len(c.Command)-1 {
		return usage("the other program is missing: give it behind --")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ours, theirs := c.Command[:at], c.Command[at+1:]
	command := slices.Concat([]string{self, "bench"}, ours, []string{"--json"})
	if at == 0 {
		if command, err = turns.Ours(self, theirs); err != nil {
			return usage("%w", err)
		}
	}
	result, err := turns.Compare(sys.ctx, [2]turns.Program{{Name: program, Command: command},
		{Name: c.Name, Command: theirs}}, c.Rounds, processors, sys.say)
	if err != nil {
		return err
	}
	if c.JSON {
		return result.JSON(sys.stdout)
	}
	return result.Text(sys.stdout)
}

// parseProcessors reads a list such as 0,2-3.
func parseProcessors(list string) (all []int, err error) {
	if list == "" {
		return nil, nil
	}
	const most = 1024 // of a set of processors
	for part := range strings.SplitSeq(list, ",") {
		first, last, ranges := strings.Cut(part, "-")
		if !ranges {
			last = first
		}
		from, err := strconv.Atoi(first)
		if err != nil {
			return nil, usage("--processors: %q is no list such as 0,2-3", list)
		}
		to, err := strconv.Atoi(last)
		if err != nil || from < 0 || to < from || to >= most {
			return nil, usage("--processors: %q is no list such as 0,2-3", list)
		}
		for n := from; n <= to; n++ {
			all = append(all, n)
		}
	}
	return all, nil
}
