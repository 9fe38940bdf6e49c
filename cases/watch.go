package cases

import (
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Watching gives the cases that judge a rule in a draft, in the order of All.
func Watching(id rules.ID, d wire.Draft) []Case {
	var all []Case
	for _, c := range Everything() {
		if c.Applies(d) && slices.Contains(c.Rules, id) {
			all = append(all, c)
		}
	}
	return all
}
