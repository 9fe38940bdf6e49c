package runner

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// caughtText is what the walk of rules, faults and drafts has found (TestWalk in package cases): a line for each rule,
// with the drafts on which it was caught.
//
//go:embed caught.txt
var caughtText string

var caughtRules = sync.OnceValue(func() map[rules.ID][]string {
	all := map[rules.ID][]string{}
	for line := range strings.Lines(caughtText) {
		if words := strings.Fields(line); len(words) > 1 {
			all[rules.ID(words[0])] = words[1:]
		}
	}
	return all
})

// Caught reports whether a case that judges a rule was seen to fail on a draft, under a fault of the reference relay.
func Caught(id rules.ID, d wire.Draft) bool {
	return slices.Contains(caughtRules()[id], strings.TrimPrefix(d.String(), "draft-"))
}
