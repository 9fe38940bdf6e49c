package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// changeGroup is a set of cases of one cell that changed alike, or the same set in several cells of one client and
// endpoint.
type changeGroup struct {
	Kind          Kind
	Cells         []string // their names in the comparison
	Cases         []string
	Before, After *State // of the first
}

// groups joins changes that belong together: a relay that is gone is one line for each endpoint, not one for each case,
// draft and transport. Slower cases are not joined across cells, because their numbers differ.
func (c *Comparison) groups() []changeGroup {
	type key struct {
		kind        Kind
		cell, after string
	}
	at := make(map[key]int)
	var list []changeGroup
	for _, ch := range c.Changes {
		if ch.Kind == New && ch.Before != nil && ch.After.Status == matrix.Pass {
			continue // there was no result, and now all is well: the count says it
		}
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

// endpointOf gives the first part of a cell's name: client/relay/endpoint.
func endpointOf(cell string) string {
	return strings.Join(strings.SplitN(cell, "/", 4)[:min(3, strings.Count(cell, "/")+1)], "/")
}

// Where names the group's cell, or what its several cells have in common.
func (g *changeGroup) Where() string {
	if len(g.Cells) == 1 {
		return line(g.Cells[0])
	}
	return line(endpointOf(g.Cells[0]))
}

// mostWays is how many cells of a group are named.
const mostWays = 6

// Ways gives the cells of a group that has several, each named by what tells it apart.
func (g *changeGroup) Ways() (ways []cellWay) {
	if len(g.Cells) == 1 {
		return nil
	}
	for _, cell := range g.Cells[:min(len(g.Cells), mostWays)] {
		ways = append(ways, cellWay{cell, line(strings.TrimPrefix(strings.TrimPrefix(cell, endpointOf(cell)), "/"))})
	}
	return ways
}

// cellWay names a cell of a group: its whole name, and the part behind the endpoint ("draft-18/quic").
type cellWay struct{ Cell, Rest string }

// MoreWays counts the cells that Ways does not name.
func (g *changeGroup) MoreWays() int { return max(0, len(g.Cells)-mostWays) }

// ways gives Ways as one line.
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

// alike gives the same text for states that a reader would not tell apart.
func alike(s *State) string {
	if s == nil {
		return "\x00"
	}
	return string(s.Status) + "\x00" + s.Layer + "\x00" + same(s.Reason)
}

// Text describes the state in one line: "fail in request: no answer".
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
