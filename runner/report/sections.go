package report

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// sections makes the matrices: one over all drafts, for all transports and for each, and one for each draft and
// transport.
func (v *view) sections(p *page) {
	p.Drafts = append(p.Drafts, choice{0, "all drafts"})
	for i, d := range v.drafts {
		p.Drafts = append(p.Drafts, choice{i + 1, strings.TrimPrefix(line(d), "draft-")})
	}
	p.Transports = append(p.Transports, choice{0, "all transports"})
	for i, t := range v.transports {
		p.Transports = append(p.Transports, choice{i + 1, transportName(t)})
	}
	if len(v.transports) == 1 {
		p.Transports = p.Transports[1:]
	}
	for t := range len(v.transports) + 1 {
		if t > 0 || len(v.transports) != 1 {
			p.Sections = append(p.Sections, v.overview(t))
		}
	}
	for t, name := range v.transports {
		columns, at := v.columns(name)
		p.Index.Columns = append(p.Index.Columns, columns)
		bySlot := make(map[[3]int][]int) // draft, client, column
		for pr, indexes := range v.pairs {
			for _, i := range indexes {
				if c := &v.cells[i]; c.Transport == name {
					key := [3]int{slices.Index(v.drafts, c.draft), pr.client, at[place{pr.relay, c.Endpoint}]}
					bySlot[key] = append(bySlot[key], i)
				}
			}
		}
		for d, draft := range v.drafts {
			s := section{Draft: d + 1, Transport: t + 1, Caption: line(draft) + " · " + transportName(name)}
			v.fill(&s, columns, len(columns), func(client,
				column int) []int {
				return bySlot[[3]int{d, client, column}]
			}, v.cellSlot)
			p.Sections = append(p.Sections, s)
		}
	}
}

func transportName(t string) string {
	switch t {
	case "quic":
		return "QUIC"
	case "webtransport":
		return "WebTransport"
	}
	return line(t)
}

// overview sums up all drafts; t is the number of a transport, or 0.
func (v *view) overview(t int) section {
	s := section{Transport: t, Caption: "All drafts · all transports"}
	if t > 0 {
		s.Caption = "All drafts · " + transportName(v.transports[t-1])
	}
	columns := make([]place, len(v.relays))
	for i := range columns {
		columns[i].Relay = i
	}
	v.fill(&s, columns, len(columns), func(client, column int) []int {
		all := v.pairs[pair{client, column}]
		if t == 0 {
			return all
		}
		var some []int
		for _, i := range all {
			if v.cells[i].Transport == v.transports[t-1] {
				some = append(some, i)
			}
		}
		return some
	}, v.pairSlot)
	return s
}

// columns gives the endpoints that a transport's matrices have, and where they stand.
func (v *view) columns(transport string) ([]place, map[place]int) {
	at := make(map[place]int)
	for p, indexes := range v.pairs {
		for _, i := range indexes {
			if c := &v.cells[i]; c.Transport == transport {
				at[place{p.relay, c.Endpoint}] = 0
			}
		}
	}
	list := make([]place, 0, len(at))
	for c := range at {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.Relay, b.Relay), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	for i, c := range list {
		at[c] = i
	}
	return list, at
}

func (v *view) fill(s *section, columns []place, n int, cells func(client, column int) []int, show func(sum) slot) {
	relays := make(map[int]int)
	for _, c := range columns {
		relays[c.Relay]++
	}
	for _, c := range columns {
		col := v.column(c)
		if relays[c.Relay] == 1 {
			col.Endpoint = ""
		}
		s.Columns = append(s.Columns, col)
	}
	down := make([]sum, n)
	var all sum
	for client, name := range v.clients {
		r := row{Name: line(name), Slots: make([]slot, n)}
		var across sum
		for i := range n {
			got := v.sum(cells(client, i))
			if got.n > 0 {
				r.Slots[i] = show(got)
			}
			for _, total := range []*sum{&down[i], &across, &all} {
				total.pass, total.of, total.n = total.pass+got.pass, total.of+got.of, total.n+got.n
			}
		}
		r.Total = fraction(across)
		s.Rows = append(s.Rows, r)
	}
	for _, d := range down {
		s.Totals = append(s.Totals, fraction(d))
	}
	s.Total, s.Empty = fraction(all), all.n == 0
}

// column heads a relay's column.
func (v *view) column(c place) column {
	name := v.relays[c.Relay]
	return column{Name: line(name), Endpoint: line(c.Endpoint), Repository: v.repositories()[name]}
}

// repositories gives the sources of relays and clients, as far as they are addresses that a page may link to.
func (v *view) repositories() map[string]string {
	out := make(map[string]string)
	for name, address := range v.run.Repositories {
		if u, err := url.Parse(address); err == nil && u.Scheme == "https" && u.Host != "" {
			out[name] = address
		}
	}
	return out
}

func fraction(s sum) string {
	if s.of == 0 {
		return ""
	}
	return strconv.Itoa(s.pass) + "/" + strconv.Itoa(s.of)
}

// cellSlot shows a cell: how many of its cases passed, when not all did. Cells that share a place (the same draft,
// pinned and chosen) are shown as the worst of them.
func (v *view) cellSlot(s sum) slot {
	c := &v.cells[s.worst]
	out := slotOf(s)
	switch c.Status {
	case matrix.Stale:
		out.Symbol += markOf(c.was).Symbol
	case matrix.Pass, matrix.Fail, matrix.Flaky, matrix.Todo:
		if c.pass < c.of {
			out.Count = fmt.Sprintf("%d/%d", c.pass, c.of)
		}
	}
	if c.guessed {
		out.Symbol += "°"
	}
	return out
}

// pairSlot shows what a client and a relay amount to over all drafts: how many cells passed, when not all did, also in
// tenths, for a background of two colours.
func (v *view) pairSlot(s sum) slot {
	out := slotOf(s)
	if s.pass < s.of {
		if s.pass > 0 {
			out.Class += " q" + strconv.Itoa(max(1, s.pass*10/s.of))
		}
		out.Count = fraction(s)
	}
	return out
}

func slotOf(s sum) slot {
	m := markOf(s.status)
	out := slot{Class: m.Class, Symbol: m.Symbol}
	if s.status == matrix.Fail {
		l := layerOf(s.layer)
		out.Layer = line(l.short)
		out.Class += strconv.Itoa(l.group)
		if s.known {
			out.Class += " x"
		}
	}
	switch s.change {
	case Broken:
		out.Class += " b"
	case Fixed:
		out.Class += " u"
	}
	return out
}

// switches gives the rules that show one of the sections: the buttons are radio buttons, so that they need no script.
func (p *page) switches() string {
	var b strings.Builder
	for _, d := range p.Drafts {
		for _, t := range p.Transports {
			shown := fmt.Sprintf(".d%d.t%d", d.N, t.N)
			if t.N == 0 && d.N > 0 {
				shown = fmt.Sprintf(".d%d", d.N)
			}
			fmt.Fprintf(&b, "main:has(#d%d:checked):has(#t%d:checked) %s{display:block}\n", d.N, t.N, shown)
		}
	}
	return b.String()
}
