package matrix

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the plan for a person: a line for each client, endpoint and transport with its drafts, then what
// was left out and why.
func (p *Plan) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "CLIENT\tRELAY\tENDPOINT\tTRANSPORT\tDRAFTS\tPREDICTED"
	if p.Target != "" {
		head += "\t" + strings.ToUpper(p.Target)
	}
	fmt.Fprintln(t, head)
	for i := 0; i < len(p.Cells); {
		first := p.Cells[i]
		row := []Cell{}
		for _, c := range p.Cells[i:] { // the drafts of an endpoint stand together, their transports alternate
			if c.Client != first.Client || c.Relay != first.Relay || c.Endpoint != first.Endpoint {
				break
			}
			row = append(row, c)
		}
		i += len(row)
		for _, transport := range transports() {
			if err := p.row(t, row, transport); err != nil {
				return err
			}
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	part := ""
	if p.Shard != nil {
		part = fmt.Sprintf(" (shard %d/%d of %d)", p.Shard.Index, p.Shard.Of, p.Total)
	}
	_, err := fmt.Fprintf(w, "\n%d cells%s: plan %s\n", len(p.Cells), part, p.ID[:min(12, len(p.ID))])
	if err != nil || len(p.LeftOut) == 0 {
		return err
	}
	return p.writeLeftOut(w)
}

// row writes the drafts of one client at one endpoint over one transport.
func (p *Plan) row(w io.Writer, cells []Cell, transport string) error {
	var drafts []string
	var newest Cell
	for _, c := range slices.Backward(cells) {
		if c.Transport != transport {
			continue
		}
		drafts = append(drafts, cmp.Or(strings.TrimPrefix(c.Draft, "draft-"), anyDraft))
		if len(drafts) == 1 {
			newest = c
		}
	}
	if len(drafts) == 0 {
		return nil
	}
	predicted, class := cmp.Or(newest.Predicted, "-"), cmp.Or(string(newest.Classification), "-")
	if newest.Unclaimed {
		predicted, class = "-", "-" // nobody said anything that could be predicted from
	}
	line := []string{newest.Client, newest.Relay, cmp.Or(newest.URL, newest.Endpoint), transport,
		strings.Join(drafts, ","), predicted}
	if p.Target != "" {
		line = append(line, class)
	}
	_, err := fmt.Fprintln(w, strings.Join(line, "\t"))
	return err
}

// writeLeftOut writes the reasons, most frequent first, with the parts that each is for. What many share is summed up:
// the JSON form has every single one.
func (p *Plan) writeLeftOut(w io.Writer) error {
	type group struct {
		reason string
		what   []string
	}
	var groups []*group
	at := make(map[string]*group)
	for _, l := range p.LeftOut {
		key := l.Reason
		g := at[key]
		if g == nil {
			g = &group{reason: key}
			at[key] = g
			groups = append(groups, g)
		}
		g.what = append(g.what, l.String())
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(len(b.what), len(a.what)) })
	if _, err := fmt.Fprintf(w, "\nLeft out:\n"); err != nil {
		return err
	}
	for _, g := range groups {
		if _, err := fmt.Fprintf(w, "  %s (%d)\n", g.reason, len(g.what)); err != nil {
			return err
		}
		const most = 8
		for i, what := range g.what {
			if i == most && len(g.what) > most+1 {
				if _, err := fmt.Fprintf(w, "    and %d more\n", len(g.what)-most); err != nil {
					return err
				}
				break
			}
			if _, err := fmt.Fprintf(w, "    %s\n", what); err != nil {
				return err
			}
		}
	}
	return nil
}

// String says what was left out, without the reason.
func (l LeftOut) String() string {
	var parts []string
	for _, part := range []string{l.Client, l.Relay, l.Endpoint, l.Transport} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(l.Drafts) > 0 {
		numbers := make([]string, len(l.Drafts))
		for i, d := range l.Drafts {
			numbers[i] = strings.TrimPrefix(d, "draft-")
		}
		parts = append(parts, strings.Join(numbers, ","))
	}
	return strings.Join(parts, " ")
}
