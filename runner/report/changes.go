package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// changeGroup are cases that changed in the same way to the same end, in one cell, or the same ones in several cells of
// a client and an endpoint.
type changeGroup struct {
	Kind          Kind
	Cells         []string // their names in the comparison
	Cases         []string
	Before, After *State // of the first
}

// groups joins what belongs together, so that a relay that is gone is a line an endpoint and not one a case, draft and
// transport. What is slower stays apart by cell: there the numbers tell.
func (c *Comparison) groups() []changeGroup {
	type key struct {
		kind        Kind
		cell, after string
	}
	at := make(map[key]int)
	var list []changeGroup
	for _, ch := range c.Changes {
		id := key{ch.Kind, ch.Cell, alike(ch.After)}
		i, ok := at[id]
		if !ok {
			i = len(list)
			at[id] = i
			list = append(list, changeGroup{Kind: ch.Kind, Cells: []string{ch.Cell}, Before: ch.Before,
				After: ch.After})
		}
		if ch.Case != "" {
			list[i].Cases = append(list[i].Cases, ch.Case)
		}
	}
	type wide struct {
		key
		cases, before string
	}
	first := make(map[wide]int)
	var joined []changeGroup
	for _, g := range list {
		id := wide{key{g.Kind, endpointOf(g.Cells[0]), alike(g.After)}, strings.Join(g.Cases, "\x00"), alike(g.Before)}
		if i, ok := first[id]; ok && g.Kind != Slower {
			joined[i].Cells = append(joined[i].Cells, g.Cells...)
			continue
		}
		first[id] = len(joined)
		joined = append(joined, g)
	}
	slices.SortStableFunc(joined, func(a, b changeGroup) int {
		return cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind))
	})
	return joined
}

// endpointOf is the part of a cell's name that says who: client/relay/endpoint.
func endpointOf(cell string) string {
	return strings.Join(strings.SplitN(cell, "/", 4)[:min(3, strings.Count(cell, "/")+1)], "/")
}

// Where names the cell, or what its several cells have in common.
func (g *changeGroup) Where() string {
	if len(g.Cells) == 1 {
		return line(g.Cells[0])
	}
	return line(endpointOf(g.Cells[0]))
}

// mostWays is how many cells of a group are named.
const mostWays = 6

// Ways are the cells of a group that has several, by what tells them apart.
func (g *changeGroup) Ways() (ways []cellWay) {
	if len(g.Cells) == 1 {
		return nil
	}
	for _, cell := range g.Cells[:min(len(g.Cells), mostWays)] {
		ways = append(ways, cellWay{cell, line(strings.TrimPrefix(strings.TrimPrefix(cell, endpointOf(cell)), "/"))})
	}
	return ways
}

// cellWay is a cell of a group: its whole name, and the rest of it behind that of the endpoint ("draft-18/quic").
type cellWay struct{ Cell, Rest string }

// MoreWays counts those that Ways does not name.
func (g *changeGroup) MoreWays() int { return max(0, len(g.Cells)-mostWays) }

// ways are Ways in a line.
func (g *changeGroup) ways() string {
	var rest []string
	for _, w := range g.Ways() {
		rest = append(rest, w.Rest)
	}
	text := strings.Join(rest, ", ")
	if n := g.MoreWays(); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// alike is equal for states that a reader would not tell apart.
func alike(s *State) string {
	if s == nil {
		return "\x00"
	}
	return string(s.Status) + "\x00" + s.Layer + "\x00" + same(s.Reason)
}

// Text says in a line what the state is: "fail in request: no answer".
func (s *State) Text() string {
	if s == nil {
		return "absent"
	}
	t := markOf(s.Status).Word
	if s.Layer != "" {
		t += " in " + s.Layer
	}
	if reason := strings.TrimPrefix(s.Reason, s.Layer+": "); reason != "" {
		t += ": " + reason
	}
	return line(t)
}
