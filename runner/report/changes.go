package report

import (
	"cmp"
	"slices"
	"strings"
)

// changeGroup are the cases of a cell that changed in the same way to the same end.
type changeGroup struct {
	Kind          Kind
	Cell          string
	Cases         []string
	Before, After *State // of the first
}

// groups joins what belongs together, so that a relay that is gone is a line a cell and not one a case.
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
			list = append(list, changeGroup{Kind: ch.Kind, Cell: ch.Cell, Before: ch.Before, After: ch.After})
		}
		if ch.Case != "" {
			list[i].Cases = append(list[i].Cases, ch.Case)
		}
	}
	slices.SortStableFunc(list, func(a, b changeGroup) int {
		return cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind))
	})
	return list
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
