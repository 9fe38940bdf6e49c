package turns

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// columns are those of the table that are figures.
var columns = []struct{ name, title string }{
	{"goodput_mbps", "Mbit/s"}, {"objects_per_s", "objects/s"}, {"latency_ms.p50", "p50 ms"},
	{"latency_ms.p99", "p99 ms"}, {"relay_cpu_us_per_object", "relay µs/object"}, {"relay_peak_mib", "relay MiB"},
}

// Table gives the survey as text: what heads the columns, and a row for each relay, which begins with its name. Figures
// are medians, with the lowest and the highest of the turns.
func (s *Survey) Table() (head []string, rows [][]string) {
	head = []string{"relay", "draft"}
	for _, c := range columns {
		head = append(head, c.title)
	}
	head = append(head, "lost", "turns")
	for _, r := range s.Relays {
		draft, lost := "-", uint64(0)
		for _, x := range r.Results {
			draft = x.Draft
			if x.Received != nil {
				lost += x.Received.Lost
			}
		}
		row := []string{r.Name, draft}
		for _, c := range columns {
			for _, f := range bench.Compared() {
				if f.Name == c.name {
					row = append(row, Text(f.Over(r.Results)))
				}
			}
		}
		rows = append(rows, append(row, fmt.Sprint(lost),
			fmt.Sprintf("%d of %d", len(r.Results), len(r.Results)+len(r.Errors))))
	}
	return head, rows
}

// Text writes the table.
func (s *Survey) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head, rows := s.Table()
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// ReadSurvey reads what JSON writes.
func ReadSurvey(r io.Reader) (*Survey, error) {
	var s Survey
	if err := json.NewDecoder(r).Decode(&s); err != nil {
		return nil, fmt.Errorf("not what bench relays --json writes: %w", err)
	}
	if s.Version != 1 || len(s.Relays) == 0 {
		return nil, fmt.Errorf("not what bench relays --json writes: version %d, %d relays", s.Version, len(s.Relays))
	}
	return &s, nil
}
