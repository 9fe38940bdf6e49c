package track

import (
	"fmt"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestTrackEndOfTrack: an object with status End of Track goes the way of the layout, is told of behind the last
// object, and does not spoil a FETCH, which has no form for it from 16 on.
func TestTrackEndOfTrack(t *testing.T) {
	for _, mode := range []LayoutMode{LayoutGroup, LayoutObject, LayoutSpread, LayoutGiven, LayoutDatagram} {
		for _, ends := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d, ends of groups: %t", mode, ends), func(t *testing.T) {
				eachDraft(t, func(t *testing.T, d wire.Draft) {
					p := publishing(t, d, Options{Layout: Layout{Mode: mode, Subgroups: 2}, GroupEnds: ends,
						KeepGroups: 4})
					s := p.open(Request{Read: ReadOptions{InOrder: true}})
					p.write(locations(0, 2, 3)...)
					noError(t, p.track.Write(p.ctx, &moqt.Object{GroupID: 1, ObjectID: 3,
						Status: wire.StatusEndOfTrack}))
					noError(t, p.track.End(p.ctx))
					got := drain(t, p.ctx, s)
					same(t, got, locations(0, 2, 3), false)
					if n := len(got); n == 0 || got[n-1].Status != wire.StatusEndOfTrack ||
						got[n-1].Location() != (wire.Location{Group: 1, Object: 3}) {
						t.Errorf("the last object is not End of Track: %v", got)
					}
					if r := s.Report(); r.Missing+r.MissingGroups+r.Duplicates != 0 {
						t.Errorf("report %+v", r)
					}
					past, err := Fetch(p.ctx, p.client, moqt.FetchRequest{TrackNamespace: testNS, TrackName: testName},
						ReadOptions{InOrder: true})
					noError(t, err)
					same(t, drain(t, p.ctx, past), locations(0, 2, 3), false)
				})
			})
		}
	}
}
