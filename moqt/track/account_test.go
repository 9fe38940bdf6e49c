package track

import (
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestGroupsAreForgotten: groups that do not follow on each other, as those named by the time do not, take no memory
// for ever, and what is missing between them is counted all the same.
func TestGroupsAreForgotten(t *testing.T) {
	const groups, remembered = 20000, 64
	a := account{draft: wire.Draft18, maxGroups: remembered, groups: make(map[uint64]*groupAccount)}
	for i := range uint64(groups) {
		b := &batch{objects: []moqt.Object{{GroupID: 3 * i}}}
		if err := a.take(b); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.known) > remembered+2 {
		t.Errorf("%d runs of groups are kept, %d groups are remembered", len(a.known), remembered)
	}
	if r := a.total(); r.Objects != groups || r.MissingGroups != 2*(groups-1) {
		t.Errorf("%d objects, %d groups missing; want %d and %d", r.Objects, r.MissingGroups, groups, 2*(groups-1))
	}
}
