package track

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestTrackFilters: what passes the location filter comes, nothing else, and up to 19 the subscription ends behind its
// range.
func TestTrackFilters(t *testing.T) {
	all := locations(0, 6, 3)
	filters := []struct {
		filter wire.LocationFilter
		first  wire.Draft
		want   func(l wire.Location) bool // of groups 2 to 5, after {1, 2}
		ends   bool
	}{
		{wire.LocationFilter{}, wire.Draft14, func(wire.Location) bool { return true }, false},
		{wire.LocationFilter{Form: wire.FilterNextObject}, wire.Draft14, func(wire.Location) bool { return true },
			false},
		{wire.LocationFilter{Form: wire.FilterRelative}, wire.Draft14,
			func(l wire.Location) bool { return l.Group >= 2 }, false},
		{wire.LocationFilter{Form: wire.FilterRelative, StartGroup: 1}, wire.Draft20,
			func(wire.Location) bool { return true }, false},
		{wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 3, StartObject: 1}, wire.Draft14,
			func(l wire.Location) bool { return l.Compare(wire.Location{Group: 3, Object: 1}) >= 0 }, false},
		{wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 2, StartObject: 1, EndGroup: 4}, wire.Draft14,
			func(l wire.Location) bool { return l.Compare(wire.Location{Group: 2, Object: 1}) >= 0 && l.Group <= 4 },
			true},
		{wire.LocationFilter{Form: wire.FilterRange, StartGroup: 2, EndGroup: 4, EndObject: 0}, wire.Draft20,
			func(l wire.Location) bool { return l.Compare(wire.Location{Group: 4}) <= 0 }, true},
	}
	for _, f := range filters {
		t.Run(f.filter.String(), func(t *testing.T) {
			eachDraft(t, func(t *testing.T, d wire.Draft) {
				if d < f.first {
					return
				}
				p := publishing(t, d, Options{})
				p.write(all[:6]...)
				s := p.open(Request{Filter: f.filter, Read: ReadOptions{InOrder: true}})
				p.write(all[6:]...)
				var want []wire.Location
				for _, l := range all[6:] {
					if f.want(l) {
						want = append(want, l)
					}
				}
				if f.ends && d <= wire.Draft19 {
					same(t, drain(t, p.ctx, s), want, true)
					done, _ := s.Subscription().Done(p.ctx)
					if moqt.DoneName(d, done.StatusCode) != "SUBSCRIPTION_ENDED" {
						t.Errorf("%s", moqt.DoneName(d, done.StatusCode))
					}
				} else {
					same(t, take(t, p.ctx, s, len(want)), want, true)
					quiet(t, s)
				}
				if r := s.Report(); r.Resets != 0 {
					t.Errorf("%d streams were reset", r.Resets)
				}
				noError(t, p.track.End(p.ctx))
			})
		})
	}
}

// TestTrackRangePassed: up to 19 a range that has been published is refused (draft-19 §5.1.2); later it is accepted,
// and nothing comes.
func TestTrackRangePassed(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{})
		p.write(locations(0, 3, 1)...)
		s, err := Open(p.ctx, p.client, Request{TrackNamespace: testNS, TrackName: testName,
			Filter: wire.LocationFilter{Form: wire.FilterGroupEnd, EndGroup: 1}})
		var refused *moqt.RequestError
		switch {
		case d >= wire.Draft20:
			noError(t, err)
			quiet(t, s)
		case !errors.As(err, &refused) || refused.Name != "INVALID_RANGE":
			t.Errorf("error %v", err)
		}
		noError(t, p.track.End(p.ctx))
	})
}

// TestTrackRangeFilters: objects are chosen by subgroup, ID, priority and property; sets are alternatives (19 and
// later).
func TestTrackRangeFilters(t *testing.T) {
	ranges := func(t wire.ParameterType, set uint8, property, first, last uint64) wire.Parameter {
		return wire.Parameter{Type: t, Ranges: wire.RangeFilter{SetID: set, PropertyType: property,
			Ranges: []wire.Range{{Start: first, End: last}}}}
	}
	for name, f := range map[string]struct {
		filters wire.Parameters
		want    func(o uint64) bool
	}{
		"subgroup": {wire.Parameters{ranges(wire.ParamSubgroupFilter, 0, 0, 1, 1)},
			func(o uint64) bool { return o%3 == 1 }},
		"object": {wire.Parameters{ranges(wire.ParamObjectIDFilter, 0, 0, 4, 7)},
			func(o uint64) bool { return o >= 4 && o <= 7 }},
		"priority": {wire.Parameters{ranges(wire.ParamPriorityFilter, 0, 0, 0, 101)},
			func(o uint64) bool { return o%3 <= 1 }},
		"property": {wire.Parameters{ranges(wire.ParamObjectPropertyFilter, 0, 0x3800, 3, 5)},
			func(o uint64) bool { return o >= 3 && o <= 5 }},
		"both hold": {wire.Parameters{ranges(wire.ParamSubgroupFilter, 0, 0, 1, 1),
			ranges(wire.ParamObjectIDFilter, 0, 0, 4, 9)}, func(o uint64) bool { return o%3 == 1 && o >= 4 }},
		"either of two": {wire.Parameters{ranges(wire.ParamSubgroupFilter, 0, 0, 1, 1),
			ranges(wire.ParamObjectIDFilter, 1, 0, 8, 8)}, func(o uint64) bool { return o%3 == 1 || o == 8 }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, d := range []wire.Draft{wire.Draft19, wire.Draft22} {
					p := publishing(t, d, Options{Layout: Layout{Mode: LayoutSpread, Subgroups: 3},
						Priority:         func(o *moqt.Object) uint8 { return 100 + uint8(o.ObjectID%3) },
						ObjectProperties: true})
					s := p.open(Request{Parameters: f.filters})
					var want []wire.Location
					for _, l := range locations(0, 1, 10) {
						o := objectAt(l)
						noError(t, o.EncodeProperties(d, wire.Properties{{Type: 0x3800, Uint: l.Object}}))
						noError(t, p.track.Write(p.ctx, o))
						if f.want(l.Object) {
							want = append(want, l)
						}
					}
					noError(t, p.track.End(p.ctx))
					same(t, drain(t, p.ctx, s), want, false)
				}
			})
		})
	}
}
