package track

import (
	"fmt"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestTrackOpenSubgroup: subgroups opened by hand share a group in every layout: no header says that its subgroup has
// the group's last object, and with GroupEnds an object does.
func TestTrackOpenSubgroup(t *testing.T) {
	for _, mode := range []LayoutMode{LayoutGroup, LayoutObject, LayoutSpread, LayoutGiven} {
		for _, closed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d, closed by hand: %t", mode, closed), func(t *testing.T) {
				eachDraft(t, func(t *testing.T, d wire.Draft) {
					p := publishing(t, d, Options{Layout: Layout{Mode: mode, Subgroups: 2}, GroupEnds: true})
					s := p.open(Request{})
					var subgroups []*Subgroup
					for id := range uint64(2) {
						g := must[*Subgroup](t)(p.track.OpenSubgroup(7, id))
						subgroups = append(subgroups, g)
					}
					for object := range uint64(4) {
						noError(t, subgroups[object%2].WriteObject(p.ctx,
							objectAt(wire.Location{Group: 7, Object: object})))
					}
					if closed {
						for _, g := range subgroups {
							g.Close()
						}
					}
					noError(t, p.track.End(p.ctx))
					got := drain(t, p.ctx, s)
					same(t, got, locations(7, 1, 4), false)
					ends := 0
					for _, o := range got {
						if o.Status == wire.StatusEndOfGroup && o.ObjectID == 4 {
							ends++
						}
					}
					if ends != 1 {
						t.Errorf("%d End of Group objects, want 1: %v", ends, got)
					}
				})
			})
		}
	}
}

// TestTrackOpenSubgroupBesideWrite: a group that Write has put whole into one subgroup, as its header says, takes no
// other; a group that was begun by hand takes what Write adds.
func TestTrackOpenSubgroupBesideWrite(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{})
		s := p.open(Request{})
		p.write(wire.Location{})
		if _, err := p.track.OpenSubgroup(0, 1); err == nil {
			t.Error("a second subgroup in a group whose first one says that it has the last object")
		}
		g := must[*Subgroup](t)(p.track.OpenSubgroup(1, 1))
		noError(t, g.WriteObject(p.ctx, objectAt(wire.Location{Group: 1, Object: 5})))
		p.write(wire.Location{Group: 1, Object: 2})
		noError(t, g.WriteObject(p.ctx, objectAt(wire.Location{Group: 1, Object: 6})))
		noError(t, p.track.End(p.ctx))
		same(t, drain(t, p.ctx, s), []wire.Location{{}, {Group: 1, Object: 5}, {Group: 1, Object: 2},
			{Group: 1, Object: 6}}, false)
	})
}
