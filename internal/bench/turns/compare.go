package turns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// Comparison is two programs that were run in turns.
type Comparison struct {
	Version    int              `json:"version"`
	Machine    bench.Machine    `json:"machine"`
	Processors []int            `json:"processors,omitempty"` // that both ran on; none is all
	Programs   [2]Program       `json:"programs"`             // ours, theirs
	Rounds     []Round          `json:"rounds"`
	Ratios     map[string]Ratio `json:"ratios"` // by the figure's name
}

// Round is a turn of each.
type Round [2]*Turn

// Ratio is how a figure of ours compares with theirs. Of is the ratio of each round's turns.
type Ratio struct {
	Ours   *bench.Range `json:"ours"`
	Theirs *bench.Range `json:"theirs"`
	Of     *bench.Range `json:"ratio,omitempty"`
}

// Compare runs two programs in turns, on the same processors. say is told of every turn.
func Compare(ctx context.Context, programs [2]Program, rounds int, processors []int,
	say func(format string, args ...any)) (*Comparison, error) {
	c := &Comparison{Version: 1, Machine: bench.ThisMachine(programs[0].Name), Processors: processors,
		Programs: programs, Ratios: map[string]Ratio{}}
	for i := range rounds {
		var round Round
		for side, p := range programs {
			t, err := p.run(ctx, processors)
			if err != nil {
				return nil, fmt.Errorf("round %d: %w", i+1, err)
			}
			round[side] = t
			if v := t.Result.Received; v != nil {
				say("round %d of %d: %s: %.0f objects/s, %.1f Mbit/s", i+1, rounds, p.Name, v.ObjectsPerS,
					v.GoodputMbps)
			}
		}
		c.Rounds = append(c.Rounds, round)
	}
	for _, f := range compared() {
		if r, ok := c.ratio(f); ok {
			c.Ratios[f.Name] = r
		}
	}
	return c, nil
}

// figure is one of a turn.
type figure struct {
	Name, Title string
	Of          func(*Turn) (float64, bool)
}

// compared are the figures of a result, but for processor time and memory, which are of the whole run here, so that
// they are the same for both.
func compared() (all []figure) {
	for _, f := range bench.Compared() {
		switch f.Name {
		case "goodput_mbps", "objects_per_s", "latency_ms.p50", "latency_ms.p99":
			all = append(all, figure{f.Name, f.Title, func(t *Turn) (float64, bool) { return f.Of(t.Result) }})
		}
	}
	return append(all,
		figure{"cpu_us_per_object", "processor time of an object, µs", func(t *Turn) (float64, bool) {
			v := t.Result.Received
			if v == nil || v.Objects == 0 {
				return 0, false
			}
			return t.CPUS * 1e6 / float64(v.Objects), true
		}},
		figure{"peak_mib", "peak memory, MiB", func(t *Turn) (float64, bool) { return t.PeakMiB, t.PeakMiB > 0 }})
}

func (c *Comparison) ratio(f figure) (r Ratio, ok bool) {
	var values [2][]float64
	var ratios []float64
	for _, round := range c.Rounds {
		ours, okOurs := f.Of(round[0])
		theirs, okTheirs := f.Of(round[1])
		if !okOurs || !okTheirs {
			continue
		}
		values[0], values[1] = append(values[0], ours), append(values[1], theirs)
		if theirs > 0 {
			ratios = append(ratios, ours/theirs)
		}
	}
	r = Ratio{bench.RangeOf(values[0]), bench.RangeOf(values[1]), bench.RangeOf(ratios)}
	return r, r.Ours != nil
}

// Results are those of all turns, for pictures.
func (c *Comparison) Results() (all []*bench.Result) {
	for _, round := range c.Rounds {
		for _, t := range round {
			all = append(all, t.Result)
		}
	}
	return all
}

// JSON writes the comparison.
func (c *Comparison) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(c)
}

// Text writes a table: medians, with the lowest and the highest of the rounds.
func (c *Comparison) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "medians of %d rounds in turns (lowest-highest)\t%s\t%s\tratio\n", len(c.Rounds), c.Programs[0].Name,
		c.Programs[1].Name)
	for _, f := range compared() {
		if r, ok := c.Ratios[f.Name]; ok {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Title, Text(r.Ours), Text(r.Theirs), Text(r.Of))
		}
	}
	return t.Flush()
}

// Text writes a range for people.
func Text(r *bench.Range) string {
	if r == nil {
		return "-"
	}
	if r.Runs == 1 {
		return bench.Number(r.Median)
	}
	return fmt.Sprintf("%s (%s-%s)", bench.Number(r.Median), bench.Number(r.Lowest), bench.Number(r.Highest))
}

// Ours makes our command of that of a bench which takes the customary letters: what both know is the same.
func Ours(self string, theirs []string) ([]string, error) {
	if !slices.ContainsFunc(theirs, func(w string) bool { return filepath.Base(w) == "moq-loopback-bench" }) {
		return nil, errors.New("which bench of ours to hold against it is not known: put its arguments before the --")
	}
	ours := []string{self, "bench", "loopback", "--json"}
	transport, draft := "webtransport", "14" // its defaults
	size, group, streams, seconds := "4096", "10000", "1", "20"
	var more []string
	for i := 0; i < len(theirs); i++ {
		value := ""
		if i+1 < len(theirs) {
			value = theirs[i+1]
		}
		switch theirs[i] {
		case "-Q", "--quic":
			transport = "quic"
		case "-D", "--datagram":
			more = append(more, "-D")
		case "-s", "--object-size":
			size = value
		case "-g", "--group-size":
			group = value
		case "-P", "--streams":
			streams = value
		case "-t", "--duration":
			seconds = value
		case "-r", "--rate":
			more = append(more, "-r", value)
		case "--draft":
			draft = value
		}
	}
	return append(append(ours, "--transport", transport, "--draft", draft, "-s", size, "-g", group, "-P", streams, "-t",
		seconds), more...), nil
}
