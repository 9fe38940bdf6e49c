package reference

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// filterDrafts are those that have range filters.
var filterDrafts = []wire.Draft{wire.Draft19, wire.Draft20, wire.Draft22}

// ranged is a range filter of one range.
func ranged(t wire.ParameterType, set uint8, property, start, end uint64) wire.Parameter {
	return wire.Parameter{Type: t, Ranges: wire.RangeFilter{SetID: set, PropertyType: property,
		Ranges: []wire.Range{{Start: start, End: end}}}}
}

// someProperty is an even property type that means nothing to the relay.
const someProperty = 0x3800

// subgroups publishes two subgroups of group 0 of priority 10 and 20, with the even and the odd of the objects 0 to 5;
// each has its ID as a property.
func subgroups(o *origin, pub *moqt.Publication, group uint64) (want map[uint64]item) {
	o.Helper()
	want = make(map[uint64]item)
	for sub := range uint64(2) {
		sw, err := pub.OpenSubgroup(o.ctx, wire.SubgroupHeader{GroupID: group, SubgroupID: sub,
			IDMode: wire.SubgroupIDPresent, Priority: uint8(10 * (sub + 1)),
			HasProperties: true, FirstObject: true, EndOfGroup: sub == 1})
		if err != nil {
			o.Fatal(err)
		}
		for id := sub; id < 6; id += 2 {
			x := &moqt.Object{ObjectID: id, Payload: payload(group, id)}
			props := wire.Properties{{Type: someProperty, Uint: id}}
			if err := x.EncodeProperties(o.s.Draft(), props); err != nil {
				o.Fatal(err)
			}
			if err := sw.WriteObject(x); err != nil {
				o.Fatal(err)
			}
			want[id] = item{Group: group, Subgroup: sub, Object: id, Priority: uint8(10 * (sub + 1)),
				Payload: string(x.Payload), Properties: props}
		}
		if err := sw.Close(); err != nil {
			o.Fatal(err)
		}
	}
	return want
}

// pick gives the objects with these IDs.
func pick(all map[uint64]item, ids ...uint64) (some []item) {
	for _, id := range ids {
		some = append(some, all[id])
	}
	return some
}

// TestRangeFilters: a subscriber gets what passes its filters and nothing else, on streams that end with FIN although
// objects are left out; who subscribes beside it gets everything, and the publisher hears of no filter.
func TestRangeFilters(t *testing.T) {
	for _, test := range []struct {
		name   string
		ps     wire.Parameters
		passes []uint64
	}{
		{"subgroup", wire.Parameters{ranged(wire.ParamSubgroupFilter, 0, 0, 1, 1)}, []uint64{1, 3, 5}},
		{"object", wire.Parameters{ranged(wire.ParamObjectIDFilter, 0, 0, 2, 3)}, []uint64{2, 3}},
		{"object-hole", wire.Parameters{{Type: wire.ParamObjectIDFilter,
			Ranges: wire.RangeFilter{Ranges: []wire.Range{{Start: 0, End: 1}, {Start: 4, Open: true}}}}},
			[]uint64{0, 1, 4, 5}},
		{"priority", wire.Parameters{ranged(wire.ParamPriorityFilter, 0, 0, 0, 10)}, []uint64{0, 2, 4}},
		{"property", wire.Parameters{ranged(wire.ParamObjectPropertyFilter, 0, someProperty, 4, 9)}, []uint64{4, 5}},
		{"another property", wire.Parameters{ranged(wire.ParamObjectPropertyFilter, 0, someProperty+2, 0, 9)}, nil},
		{"and", wire.Parameters{ranged(wire.ParamSubgroupFilter, 0, 0, 1, 1),
			ranged(wire.ParamObjectIDFilter, 0, 0, 2, 3)}, []uint64{3}},
		{"or", wire.Parameters{ranged(wire.ParamSubgroupFilter, 0, 0, 1, 1),
			ranged(wire.ParamObjectIDFilter, 7, 0, 2, 3)}, []uint64{1, 2, 3, 5}},
		{"location too", append(filter(exactly(loc(0, 0), loc(0, 3))), ranged(wire.ParamObjectIDFilter, 0, 0, 2, 9)),
			[]uint64{2, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			onDrafts(t, filterDrafts, func(t *testing.T, d wire.Draft) {
				if test.name == "location too" && d == wire.Draft19 {
					return // its filters end with a group
				}
				w := newWorld(t, Options{})
				o := w.announce(d, "n")
				s := w.dial(d)
				sub := w.subscribe(s, test.ps, "t", "n")
				everything := w.subscribe(w.dial(wire.Draft16), nil, "t", "n")
				pub := o.publication()
				if !moqt.RangeFiltersOf(pub.Parameters()).Empty() {
					t.Errorf("the publisher is asked for %v", pub.Parameters())
				}
				all := subgroups(o, pub, 0)
				synctest.Wait()
				f := w.fetch(s, exactly(loc(0, 0), loc(0, 5)), false, "t", "n")
				w.same("fetched without filter", pick(all, 0, 1, 2, 3, 4, 5), w.fetched(f))
				if test.name != "location too" {
					f, err := s.Fetch(w.ctx, moqt.FetchRequest{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
						Range: exactly(loc(0, 0), loc(0, 5)), Parameters: test.ps})
					if err != nil {
						t.Fatal(err)
					}
					w.same("fetched", pick(all, test.passes...), w.fetched(f))
				}
				pub.Done(w.ctx, moqt.DoneTrackEnded, "")
				got, _ := w.finish(sub)
				w.same("subscribed", pick(all, test.passes...), got)
				got, _ = w.finish(everything)
				w.same("beside it", pick(all, 0, 1, 2, 3, 4, 5), got)
				if lost := sub.Resets(); lost > 0 && test.name != "location too" {
					t.Errorf("%d streams were reset", lost)
				}
			})
		})
	}
}

// TestRangeFilterUpdate: an update replaces a filter, keeps what it leaves out, and takes it away; objects that pass
// only then follow.
func TestRangeFilterUpdate(t *testing.T) {
	onDrafts(t, filterDrafts, func(t *testing.T, d wire.Draft) {
		o, pub, sub := published(t, wire.Draft16, d, Options{},
			wire.Parameters{ranged(wire.ParamSubgroupFilter, 0, 0, 1, 1), ranged(wire.ParamObjectIDFilter, 0, 0, 0, 3)})
		for group, step := range []struct {
			update wire.Parameters
			passes []uint64
		}{
			{nil, []uint64{1, 3}},
			{wire.Parameters{ranged(wire.ParamObjectIDFilter, 0, 0, 4, 9)}, []uint64{5}},
			// of another set now: either
			{wire.Parameters{ranged(wire.ParamSubgroupFilter, 3, 0, 0, 0)}, []uint64{0, 2, 4, 5}},
			{parameter(wire.ParamForward, 1), []uint64{0, 2, 4, 5}},
			{wire.Parameters{{Type: wire.ParamSubgroupFilter, Ranges: wire.RangeFilter{Remove: true}}}, []uint64{4, 5}},
			{wire.Parameters{{Type: wire.ParamObjectIDFilter, Ranges: wire.RangeFilter{Remove: true}}},
				[]uint64{0, 1, 2, 3, 4, 5}},
		} {
			if step.update != nil {
				if _, err := sub.Update(o.ctx, step.update); err != nil {
					t.Fatalf("update %d: %v", group, err)
				}
			}
			all := subgroups(o, pub, uint64(group))
			o.same("group", pick(all, step.passes...), o.receive(sub, len(step.passes)))
			synctest.Wait() // what does not pass has been judged before the next update
		}
		many := wire.Parameter{Type: wire.ParamObjectIDFilter}
		for i := range uint64(65) {
			many.Ranges.Ranges = append(many.Ranges.Ranges, wire.Range{Start: 2 * i, End: 2 * i})
		}
		_, err := sub.Update(o.ctx, wire.Parameters{many})
		o.refused("an update with 65 ranges", err, moqt.RejectInvalidFilter)
	})
}

// TestRangeFilterDatagram: a datagram has no Subgroup ID, so no filter of that lets it pass; others judge it.
func TestRangeFilterDatagram(t *testing.T) {
	onDrafts(t, filterDrafts, func(t *testing.T, d wire.Draft) {
		o, pub, sub := published(t, wire.Draft16, d, Options{},
			wire.Parameters{ranged(wire.ParamSubgroupFilter, 0, 0, 0, 9), ranged(wire.ParamObjectIDFilter, 1, 0, 3, 9)})
		for id := range uint64(5) {
			if err := pub.SendDatagram(&moqt.Object{ObjectID: id, Priority: 100, Payload: payload(0, id)}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		pub.Done(o.ctx, moqt.DoneTrackEnded, "")
		got, _ := o.finish(sub)
		if ids := objectIDs(got); !slices.Equal(ids, []uint64{3, 4}) {
			t.Errorf("objects %v, want 3 and 4", ids)
		}
	})
}

func objectIDs(items []item) (ids []uint64) {
	for _, x := range items {
		ids = append(ids, x.Object)
	}
	return ids
}

// TestRangeFilterFill: a fill has the range filters of its subscription, unless it has some of its own (draft-20
// §5.1.3).
func TestRangeFilterFill(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft20, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.origin(wire.Draft16)
		pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		subgroups(o, pub, 0)
		synctest.Wait()
		for _, test := range []struct {
			inner wire.Parameters
			want  []uint64
		}{
			{nil, []uint64{1, 3, 5}},
			{wire.Parameters{ranged(wire.ParamObjectIDFilter, 0, 0, 0, 2)}, []uint64{0, 1, 2}},
		} {
			inner := append(slices.Clone(test.inner), wire.Parameter{Type: wire.ParamLocationFilter,
				Filter: wire.LocationFilter{Form: wire.FilterRelative, StartGroup: 1}})
			inner = sorted(inner)
			sub := w.subscribe(w.dial(d), wire.Parameters{{Type: wire.ParamFillParameters, Inner: inner},
				ranged(wire.ParamSubgroupFilter, 0, 0, 1, 1)}, "t", "n")
			if ids := objectIDs(w.fetched(sub.Fill())); !slices.Equal(ids, test.want) {
				t.Errorf("filled with %v, want %v", ids, test.want)
			}
			sub.Unsubscribe()
		}
	})
}

// sorted puts parameters into the order of their types, as they must be encoded.
func sorted(ps wire.Parameters) wire.Parameters {
	slices.SortFunc(ps, func(a, b wire.Parameter) int { return int(a.Type) - int(b.Type) })
	return ps
}

// TestTrackPropertyFilter: SUBSCRIBE_TRACKS with a filter gets the tracks that pass it, those that pass after an update
// too, and of their objects those that pass the filters of the same set.
func TestTrackPropertyFilter(t *testing.T) {
	onDrafts(t, filterDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.origin(wire.Draft22)
		pubs := make(map[string]*moqt.Publication)
		for name, props := range map[string]wire.Properties{"one": {{Type: someProperty, Uint: 1}},
			"two": {{Type: someProperty, Uint: 2}}, "none": nil} {
			pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: name,
				Properties: props})
			if err != nil {
				t.Fatal(err)
			}
			pubs[name] = pub
		}
		synctest.Wait()
		s := w.dial(d)
		tracks, err := s.SubscribeTracks(w.ctx, wire.TrackNamespace{"n"}, wire.Parameters{
			ranged(wire.ParamObjectIDFilter, 0, 0, 2, 3), ranged(wire.ParamTrackPropertyFilter, 0, someProperty, 2, 5)})
		if err != nil {
			t.Fatal(err)
		}
		accept := func(want string) *moqt.Subscription {
			t.Helper()
			req, err := s.AcceptRequest(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if m, ok := req.Message().(*wire.Publish); !ok || m.TrackName != want {
				t.Fatalf("%s %q, want PUBLISH of %q", req.Kind(), req.TrackName(), want)
			}
			ok := &wire.RequestOK{}
			if d <= wire.Draft19 {
				ok.Parameters.SetUint(wire.ParamForward, 1)
			}
			sub, err := req.AcceptPublish(w.ctx, ok)
			if err != nil {
				t.Fatal(err)
			}
			return sub
		}
		two := accept("two")
		synctest.Wait()
		all := subgroups(o, pubs["two"], 0)
		w.same("of the track that passes", pick(all, 2, 3), w.receive(two, 2))
		if _, err := tracks.Request().Update(w.ctx, wire.Parameters{ranged(wire.ParamTrackPropertyFilter, 0,
			someProperty, 0, 5)}); err != nil {
			t.Fatal(err)
		}
		accept("one")
		synctest.Wait()
		quiet, stop := context.WithTimeout(w.ctx, time.Second)
		defer stop()
		if req, err := s.AcceptRequest(quiet); err == nil {
			t.Errorf("%s %q came too", req.Kind(), req.TrackName())
		}
	})
}

// TestRangeFiltersRefused: what is above MAX_FILTER_RANGES is refused with INVALID_FILTER, and so is everything where
// the relay takes none.
func TestRangeFiltersRefused(t *testing.T) {
	onDrafts(t, filterDrafts, func(t *testing.T, d wire.Draft) {
		two := wire.Parameters{{Type: wire.ParamObjectIDFilter,
			Ranges: wire.RangeFilter{Ranges: []wire.Range{{Start: 1, End: 1}, {Start: 3, End: 3}}}}}
		for limit, announced := range map[int]uint64{1: 1, -1: 0, 0: 64} {
			w := newWorld(t, Options{Limits: Limits{FilterRanges: limit}})
			w.announce(wire.Draft16, "n")
			s := w.dial(d)
			if option, ok := s.PeerSetup().Options.Get(wire.OptionMaxFilterRanges); option.Uint != announced ||
				ok != (announced > 0) {
				t.Errorf("limit %d: MAX_FILTER_RANGES %d, %v", limit, option.Uint, ok)
			}
			sub, err := s.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
				Parameters: two})
			if announced >= 2 {
				if err != nil {
					t.Errorf("limit %d: %v", limit, err)
				} else {
					sub.Unsubscribe()
				}
				continue
			}
			w.refused("two ranges", err, moqt.RejectInvalidFilter)
		}
	})
}
