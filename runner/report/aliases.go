package report

import (
	"regexp"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// digestEnd is what tells two commands of one name apart; another flag or version makes another one.
var digestEnd = regexp.MustCompile(`-[0-9a-f]{6}$`)

// loosely names a cell without what changes daily at an event: the endpoint's address, a command line.
func loosely(c *matrix.CellResult) string {
	return strings.Join([]string{digestEnd.ReplaceAllString(c.Client, ""), c.Relay, c.Draft, c.Transport}, "/")
}

// aliases gives for cells of an earlier run the IDs that the same cells have now. Cells whose ID is in both runs keep
// it. Of the others, those are the same whose client, relay, draft and transport are, where these name one cell in each
// run.
func aliases(old, now *matrix.Run) map[string]string {
	theirs, ours := make(map[string]bool, len(old.Cells)), make(map[string]bool, len(now.Cells))
	for i := range old.Cells {
		theirs[old.Cells[i].ID] = true
	}
	for i := range now.Cells {
		ours[now.Cells[i].ID] = true
	}
	left := loose(now, theirs)
	if len(left) == 0 {
		return nil
	}
	found := make(map[string]string)
	for name, id := range loose(old, ours) {
		if to := left[name]; id != "" && to != "" {
			found[id] = to
		}
	}
	return found
}

// loose gives the IDs of a run's cells that are not among others, by their loose names; empty where several share one.
func loose(r *matrix.Run, others map[string]bool) map[string]string {
	names := make(map[string]string)
	for i := range r.Cells {
		c := &r.Cells[i]
		if others[c.ID] || c.Relay == "" {
			continue
		}
		name := loosely(c)
		if _, twice := names[name]; twice {
			names[name] = ""
		} else {
			names[name] = c.ID
		}
	}
	return names
}

// renamed gives an ID's alias, or itself.
func renamed(names map[string]string, id string) string {
	if to, ok := names[id]; ok {
		return to
	}
	return id
}
