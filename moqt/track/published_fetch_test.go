package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestTrackFetch: what is kept is fetched: whole, by location, by group, one object, in both orders, from every layout.
func TestTrackFetch(t *testing.T) {
	at := func(group, object uint64) wire.Location { return wire.Location{Group: group, Object: object} }
	for name, c := range map[string]struct {
		filter      wire.LocationFilter
		start, end  wire.Location
		endInAnswer wire.Location
	}{
		"everything": {wire.LocationFilter{}, at(0, 0), at(3, 4), at(3, 4)},
		"from a location": {wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 1, StartObject: 2},
			at(1, 2), at(3, 4), at(3, 4)},
		"two groups": {wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, EndGroup: 2}, at(1, 0),
			at(2, 4), at(2, 4)},
		"inside a group": {wire.LocationFilter{Form: wire.FilterRange, StartGroup: 2, StartObject: 1, EndGroup: 2,
			EndObject: 3}, at(2, 1), at(2, 3), at(2, 3)},
		"one object": {wire.LocationFilter{Form: wire.FilterRange, StartGroup: 2, StartObject: 1, EndGroup: 2,
			EndObject: 1}, at(2, 1), at(2, 1), at(2, 1)},
		"past the largest": {wire.LocationFilter{Form: wire.FilterRange, StartGroup: 3, EndGroup: 9, EndObject: 9},
			at(3, 0), at(3, 4), at(3, 4)},
	} {
		for _, layout := range []LayoutMode{LayoutGroup, LayoutObject, LayoutDatagram} {
			t.Run(fmt.Sprintf("%s/%d", name, layout), func(t *testing.T) {
				eachDraft(t, func(t *testing.T, d wire.Draft) {
					p := publishing(t, d, Options{Layout: Layout{Mode: layout}, KeepGroups: 10,
						Priority: func(*moqt.Object) uint8 { return 99 }})
					all := locations(0, 4, 5)
					p.write(all...)
					var want []wire.Location
					for _, l := range all {
						if l.Compare(c.start) >= 0 && l.Compare(c.end) <= 0 {
							want = append(want, l)
						}
					}
					for _, order := range []uint64{wire.Ascending, wire.Descending} {
						var ps wire.Parameters
						ps.SetUint(wire.ParamGroupOrder, order)
						s, err := Fetch(p.ctx, p.client, moqt.FetchRequest{TrackNamespace: testNS, TrackName: testName,
							Range: c.filter, Parameters: ps}, ReadOptions{})
						noError(t, err)
						if order == wire.Descending {
							slices.SortStableFunc(want, func(a,
								b wire.Location) int {
								return int(b.Group) - int(a.Group)
							})
						}
						got := drain(t, p.ctx, s)
						same(t, got, want, true)
						for _, o := range got {
							if o.Priority != 99 || o.Datagram != (layout == LayoutDatagram && d >= wire.Draft16) {
								t.Errorf("%s: priority %d, datagram %t", o.Location(), o.Priority, o.Datagram)
							}
						}
						s.mu.Lock()
						end, _ := s.fetches[0].End()
						s.mu.Unlock()
						if end != c.endInAnswer {
							t.Errorf("FETCH_OK ends at %s, want %s", end, c.endInAnswer)
						}
					}
				})
			})
		}
	}
}

// TestTrackFetchRefused: what cannot be answered is refused with the code that the draft has for it.
func TestTrackFetchRefused(t *testing.T) {
	for name, c := range map[string]struct {
		groups uint64
		keep   int
		filter wire.LocationFilter
		want   string
	}{
		"nothing published": {0, 10, wire.LocationFilter{Form: wire.FilterGroupEnd}, "INVALID_RANGE"},
		"beyond the largest": {2, 10, wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 5, EndGroup: 6},
			"INVALID_RANGE"},
		"nothing is kept": {2, 0, wire.LocationFilter{Form: wire.FilterGroupEnd}, "NOT_SUPPORTED"},
		"a hole between them": {6, 10, wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 3, EndGroup: 4},
			"NO_OBJECTS"},
	} {
		t.Run(name, func(t *testing.T) {
			eachDraft(t, func(t *testing.T, d wire.Draft) {
				p := publishing(t, d, Options{KeepGroups: c.keep})
				for _, l := range locations(0, c.groups, 2) {
					if l.Group != 3 && l.Group != 4 {
						p.write(l)
					}
				}
				s, err := Fetch(p.ctx, p.client, moqt.FetchRequest{TrackNamespace: testNS, TrackName: testName,
					Range: c.filter}, ReadOptions{})
				if c.want == "NO_OBJECTS" && d > wire.Draft14 {
					noError(t, err)
					if got := drain(t, p.ctx, s); len(got) != 0 {
						t.Errorf("%d objects", len(got))
					}
					return
				}
				var refused *moqt.RequestError
				if !errors.As(err, &refused) || refused.Name != c.want {
					t.Errorf("error %v, want %s", err, c.want)
				}
			})
		})
	}
}

// TestTrackFetchForgotten: groups that are not kept any more are told as unknown, or refused where the draft has no
// form for that; a payload from a reader is not kept.
func TestTrackFetchForgotten(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{KeepGroups: 3})
		p.write(locations(0, 5, 4)...)
		noError(t, p.track.WriteFrom(p.ctx, &moqt.Object{GroupID: 4, ObjectID: 4}, 3, strings.NewReader("abc")))
		p.write(wire.Location{Group: 4, Object: 5})
		fetch := func(order uint64) (story []string, err error) {
			var ps wire.Parameters
			ps.SetUint(wire.ParamGroupOrder, order)
			f, err := p.client.Fetch(p.ctx, moqt.FetchRequest{TrackNamespace: testNS, TrackName: testName,
				Parameters: ps})
			for err == nil {
				var o *moqt.Object
				if o, err = f.Next(p.ctx); err == nil && (o.Range != wire.NoRange || o.ObjectID == 0) {
					story = append(story, strings.Replace(o.String(), fmt.Sprint(d.MaxVarint()), "max", 1))
				}
			}
			return story, err
		}
		story, err := fetch(wire.Ascending)
		if d <= wire.Draft15 {
			var refused *moqt.RequestError
			if !errors.As(err, &refused) || refused.Name != "UNKNOWN_STATUS_IN_RANGE" {
				t.Errorf("error %v", err)
			}
			return
		}
		unknown := wire.UnknownRange.String()
		want := []string{"{1, max} " + unknown, "{2, 0} 3 bytes", "{3, 0} 3 bytes", "{4, 0} 3 bytes",
			"{4, 4} " + unknown}
		if !slices.Equal(story, want) || err != io.EOF {
			t.Errorf("ascending, the stream has %q: %v", story, err)
		}
		story, err = fetch(wire.Descending)
		want = []string{"{4, 0} 3 bytes", "{4, 4} " + unknown, "{3, 0} 3 bytes", "{2, 0} 3 bytes",
			"{0, max} " + unknown}
		if !slices.Equal(story, want) || err != io.EOF {
			t.Errorf("descending, the stream has %q: %v", story, err)
		}
	})
}

// TestTrackFetchBytes: the bound on bytes holds, also against one group that is larger alone.
func TestTrackFetchBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track := NewPublished(testNS, testName, Options{KeepGroups: 100, KeepBytes: 10_000})
		for i := range uint64(50) {
			noError(t, track.Write(t.Context(), &moqt.Object{GroupID: i, Payload: make([]byte, 1000)}))
			if track.kept.bytes > 10_000 {
				t.Fatalf("%d bytes are held", track.kept.bytes)
			}
		}
		if n := len(track.kept.groups); n != 10 {
			t.Errorf("%d groups are kept", n)
		}
		noError(t, track.Write(t.Context(), &moqt.Object{GroupID: 60, Payload: make([]byte, 20_000)}))
		if track.kept.bytes != 0 || len(track.kept.groups) != 0 || len(track.kept.unknown) != 2 {
			t.Errorf("%d bytes are held of %d groups, unknown are %v", track.kept.bytes, len(track.kept.groups),
				track.kept.unknown)
		}
	})
}

// TestTrackJoin: whoever joins a track while it is written gets each object of the range once, in order, whatever the
// layout; from 20 on with a fill, before with a joining FETCH.
func TestTrackJoin(t *testing.T) {
	for name, c := range map[string]struct {
		past  JoinRequest
		first wire.Location // of what has been published up to {3, n}
	}{
		"current group":   {JoinRequest{}, wire.Location{Group: 3}},
		"two groups back": {JoinRequest{GroupsBack: 2}, wire.Location{Group: 1}},
		"further back":    {JoinRequest{GroupsBack: 9}, wire.Location{}},
		"absolute":        {JoinRequest{Start: &wire.Location{Group: 2}}, wire.Location{Group: 2}},
	} {
		for _, layout := range []Layout{{}, {Mode: LayoutSpread, Subgroups: 3}, {Mode: LayoutObject}} {
			t.Run(fmt.Sprintf("%s/%d", name, layout.Mode), func(t *testing.T) {
				eachDraft(t, func(t *testing.T, d wire.Draft) {
					p := publishing(t, d, Options{Layout: layout, KeepGroups: 10})
					all := locations(0, 6, 20)
					p.write(all[:70]...)
					go func() {
						for _, l := range all[70:] {
							p.write(l)
							time.Sleep(time.Millisecond)
						}
						noError(t, p.track.End(p.ctx))
					}()
					time.Sleep(3 * time.Millisecond)
					var readers []*Subscribed
					for _, in := range []bool{true, false} {
						s := dialSessions(t, d, moqt.Config{},
							moqt.Config{Handler: func(r *moqt.Request) { _ = p.track.Serve(r.Session().Context(), r) }})
						track, err := Open(p.ctx, s.client,
							Request{TrackNamespace: testNS, TrackName: testName, Past: &c.past,
								Read: ReadOptions{InOrder: in}})
						noError(t, err)
						readers = append(readers, track)
					}
					want := slices.Clone(all)
					want = slices.DeleteFunc(want, func(l wire.Location) bool { return l.Compare(c.first) < 0 })
					for i, s := range readers {
						same(t, drain(t, p.ctx, s), want, i == 0)
						if r := s.Report(); r.Duplicates+r.Missing+r.Late+r.MissingGroups != 0 ||
							r.Objects != uint64(len(want)) {
							t.Errorf("report %+v", r)
						}
					}
				})
			})
		}
	}
}

// TestTrackJoinNothing: joining a track that has no objects yet brings what follows.
func TestTrackJoinNothing(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{KeepGroups: 10})
		s := p.open(Request{Past: &JoinRequest{GroupsBack: 1}, Read: ReadOptions{InOrder: true}})
		p.write(locations(0, 2, 3)...)
		noError(t, p.track.End(p.ctx))
		same(t, drain(t, p.ctx, s), locations(0, 2, 3), true)
	})
}

// TestTrackJoinForgotten: the past of which nothing is kept is a gap, or an error that ends nothing; what is live
// comes.
func TestTrackJoinForgotten(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{KeepGroups: 1})
		p.write(locations(0, 3, 4)...)
		q := Request{TrackNamespace: testNS, TrackName: testName, Past: &JoinRequest{GroupsBack: 1},
			Read: ReadOptions{InOrder: true}}
		var gaps []string
		q.Read.Gap = func(from, to wire.Location) { gaps = append(gaps, from.String()+" "+to.String()) }
		s, err := Open(p.ctx, p.client, q)
		if d <= wire.Draft15 {
			var refused *moqt.RequestError
			if !errors.As(err, &refused) || refused.Kind != wire.KindFetch {
				t.Errorf("error %v", err)
			}
			return
		}
		noError(t, err)
		p.write(wire.Location{Group: 2, Object: 4})
		noError(t, p.track.End(p.ctx))
		same(t, drain(t, p.ctx, s), []wire.Location{{Group: 2}, {Group: 2, Object: 1}, {Group: 2, Object: 2},
			{Group: 2, Object: 3}, {Group: 2, Object: 4}}, true)
		if len(gaps) != 1 || gaps[0] != "{1,0} {2,0}" {
			t.Errorf("gaps %q", gaps)
		}
	})
}

// TestTrackFill: an update asks for a fill of its own, whose objects come once, also those that live has brought; a
// paused subscription gets none (20 and later).
func TestTrackFill(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft20 {
			return
		}
		p := publishing(t, d, Options{KeepGroups: 10})
		p.write(locations(0, 2, 5)...)
		s := p.open(Request{Filter: wire.LocationFilter{Form: wire.FilterNextObject}})
		p.write(locations(2, 1, 5)...)
		same(t, take(t, p.ctx, s, 5), locations(2, 1, 5), true)
		ask := func() *moqt.Fetch {
			var inner, ps wire.Parameters
			inner.SetFilter(wire.LocationFilter{Form: wire.FilterRelative, StartGroup: 2})
			ps.Set(wire.Parameter{Type: wire.ParamFillParameters, Inner: inner})
			_, fill, err := s.Subscription().UpdateFill(p.ctx, ps)
			noError(t, err)
			return fill
		}
		s.AddFetch(ask())
		same(t, take(t, p.ctx, s, 5), locations(1, 1, 5), true)
		quiet(t, s)
		if r := s.Report(); r.Duplicates != 5 {
			t.Errorf("%d duplicates", r.Duplicates)
		}
		var ps wire.Parameters
		ps.SetUint(wire.ParamForward, 0)
		_, err := s.Subscription().Update(p.ctx, ps)
		noError(t, err)
		s.AddFetch(ask())
		quiet(t, s)
		noError(t, p.track.End(p.ctx))
		if done, _ := s.Subscription().Done(p.ctx); done.StreamCount != 2 { // the group's and the fill's
			t.Errorf("%d streams", done.StreamCount)
		}
	})
}

// TestTrackFetchCancelled: a fetch that is given up does not hold up the track.
func TestTrackFetchCancelled(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishingOver(t, d, Options{KeepGroups: 10}, narrow(d), moqt.Config{})
		for i := range uint64(200) {
			noError(t, p.track.Write(p.ctx, &moqt.Object{ObjectID: i, Payload: make([]byte, 1000)}))
		}
		s, err := Fetch(p.ctx, p.client, moqt.FetchRequest{TrackNamespace: testNS, TrackName: testName}, ReadOptions{})
		noError(t, err)
		take(t, p.ctx, s, 1)
		s.Close()
		if _, err := s.Next(context.Background()); err != errTrackClosed {
			t.Errorf("error %v", err)
		}
		noError(t, p.track.End(p.ctx))
	})
}
