package reference

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	tracks "github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// groupEnd and exactly are ranges of a FETCH; the latter is not for what ends with the last object of a group.
func groupEnd(start wire.Location, group uint64) wire.LocationFilter {
	return wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: start.Group, StartObject: start.Object,
		EndGroup: group}
}

func exactly(start, end wire.Location) wire.LocationFilter {
	return wire.LocationFilter{Form: wire.FilterRange, StartGroup: start.Group, StartObject: start.Object,
		EndGroup: end.Group, EndObject: end.Object}
}

// TestFetchRanges: every form of range in both orders, from the cache alone.
func TestFetchRanges(t *testing.T) {
	tests := []struct {
		name  string
		r     wire.LocationFilter
		group [][]uint64 // of groups 0, 1, 2
	}{
		{"all", groupEnd(loc(0, 0), 2), [][]uint64{{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}}},
		{"one group", groupEnd(loc(1, 0), 1), [][]uint64{{}, {0, 1, 2, 3, 4}, {}}},
		{"one object", exactly(loc(1, 2), loc(1, 2)), [][]uint64{{}, {2}, {}}},
		{"from the middle of a group to the middle of another", exactly(loc(0, 3), loc(2, 1)),
			[][]uint64{{3, 4}, {0, 1, 2, 3, 4}, {0, 1}}},
		{"past the largest", groupEnd(loc(2, 3), 9), [][]uint64{{}, {}, {3, 4}}},
	}
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(wire.Draft18, "n")
		sub := w.subscribe(w.dial(d), nil, "t", "n")
		pub := o.publication()
		for g := range uint64(3) {
			o.send(pub, g, 0, 1, 2, 3, 4)
		}
		w.receive(sub, 15)
		synctest.Wait() // the streams have ended
		s := w.dial(d)
		for _, tt := range tests {
			for _, descending := range []bool{false, true} {
				var want []wire.Location
				for i := range tt.group {
					g := uint64(i)
					if descending {
						g = uint64(2 - i)
					}
					for _, id := range tt.group[g] {
						want = append(want, loc(g, id))
					}
				}
				f := w.fetch(s, tt.r, descending, "t", "n")
				w.same(tt.name, o.expected(want...), w.fetched(f))
			}
		}
		_, err := s.Fetch(w.ctx, moqt.FetchRequest{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
			Range: groupEnd(loc(3, 0), 3)})
		w.refused("beyond the largest", err, moqt.RejectInvalidRange)
		if o.fetches > 0 {
			t.Errorf("the publisher was asked %d times for what the cache has", o.fetches)
		}
	})
}

// TestFetchUpstream: what the cache lacks comes from the publisher, once.
func TestFetchUpstream(t *testing.T) {
	for _, from := range someDrafts {
		onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
			w := newWorld(t, Options{})
			o := w.announce(from, "n")
			for g := range uint64(3) {
				o.have(g, 0, 1, 2, 3, 4)
			}
			s := w.dial(d)
			f := w.fetch(s, groupEnd(loc(0, 0), 1), false, "t", "n")
			w.same("without a subscription", o.expected(all5(0, 1)...), w.fetched(f))
			sub := w.subscribe(w.dial(d), nil, "t", "n")
			o.send(o.publication(), 3, 0, 1, 2, 3, 4)
			w.receive(sub, 5)
			f = w.fetch(s, groupEnd(loc(0, 0), 3), true, "t", "n")
			w.same("around the edges of the cache", o.expected(all5(3, 2, 1, 0)...), w.fetched(f))
			asked := o.fetches
			f = w.fetch(s, groupEnd(loc(0, 0), 3), false, "t", "n")
			w.same("again", o.expected(all5(0, 1, 2, 3)...), w.fetched(f))
			if o.fetches > asked+1 { // the end of group 3 is not known
				t.Errorf("the publisher was asked %d times more for what the cache has", o.fetches-asked)
			}
		})
	}
}

// TestFetchRefusedUpstream: what the publisher refuses is refused, and what it leaves unanswered is named where the
// draft can.
func TestFetchRefusedUpstream(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{Limits: Limits{Fetch: 100 * time.Millisecond}})
		o := w.announce(wire.Draft16, "n")
		o.refuse = moqt.RejectNotSupported
		s := w.dial(d)
		request := moqt.FetchRequest{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
			Range: groupEnd(loc(0, 0), 1)}
		_, err := s.Fetch(w.ctx, request)
		w.refused("NOT_SUPPORTED", err, moqt.RejectNotSupported)
		o.mu.Lock()
		o.refuse, o.mute = 0, true
		o.largest = &wire.Location{Group: 0, Object: 4}
		o.mu.Unlock()
		_, err = s.Fetch(w.ctx, request)
		w.refused("silence", err, moqt.RejectTimeout)
		sub := w.subscribe(w.dial(d), nil, "t", "n")
		o.send(o.publication(), 1, 0, 1)
		w.receive(sub, 2)
		request.Range = exactly(loc(0, 3), loc(1, 1))
		if d <= wire.Draft15 {
			_, err := s.Fetch(w.ctx, request)
			w.refused("a draft without markers", err, moqt.RejectTimeout)
			return
		}
		f := w.fetch(s, request.Range, false, "t", "n")
		marker := item{Group: 0, Object: d.MaxVarint(), Range: wire.UnknownRange}
		if d >= wire.Draft20 {
			marker.Range = wire.TimedOutRange
		}
		w.same("with a marker for what is unknown", append([]item{marker}, o.expected(loc(1, 0), loc(1, 1))...),
			w.fetched(f))
	})
}

// TestLateJoiner: who comes after all was sent joins from the cache, then follows; nothing is missing and nothing comes
// twice at the seam, also in the middle of a group.
func TestLateJoiner(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(wire.Draft17, "n")
		early := w.subscribe(w.dial(d), nil, "t", "n")
		pub := o.publication()
		o.send(pub, 0, 0, 1, 2)
		open := o.open(pub, 1)
		o.write(open, 1, 0, 1)
		w.receive(early, 5)
		j, err := tracks.Join(w.ctx, w.dial(d), tracks.JoinRequest{TrackNamespace: wire.TrackNamespace{"n"},
			TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		o.write(open, 1, 2, 3)
		open.Close()
		w.same("past", o.expected(loc(1, 0), loc(1, 1)), w.fetched(j.Past))
		w.same("live", o.expected(loc(1, 2), loc(1, 3)), w.receive(j.Live, 2))
	})
}

// TestJoinRefusals: what a joining FETCH may not join.
func TestJoinRefusals(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft14, wire.Draft16, wire.Draft17, wire.Draft19}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		w.announce(d, "n")
		s := w.dial(d)
		sub := w.subscribe(s, filter(wire.LocationFilter{Form: wire.FilterNextObject}), "t", "n")
		for id, want := range map[uint64]moqt.RejectCode{sub.Request().ID(): moqt.RejectInvalidRange,
			1000: moqt.RejectInvalidJoiningRequestID} {
			r, err := s.Start(w.ctx, &wire.Fetch{Type: wire.FetchRelativeJoining, JoiningRequestID: id})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Response(w.ctx)
			w.refused("joining FETCH", err, want)
		}
	})
}

// TestRestart: a publisher that begins anew is not served from what its predecessor left.
func TestRestart(t *testing.T) { synctest.Test(t, testRestart) }

func testRestart(t *testing.T) {
	w := newWorld(t, Options{})
	s := w.dial(wire.Draft18)
	for range 2 {
		o := w.origin(wire.Draft16)
		pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		sub := w.subscribe(s, nil, "t", "n")
		o.send(pub, 0, 0, 1)
		w.same("objects", o.expected(loc(0, 0), loc(0, 1)), w.receive(sub, 2))
		pub.Done(w.ctx, moqt.DoneTrackEnded, "")
		w.finish(sub)
		f := w.fetch(s, groupEnd(loc(0, 0), 0), false, "t", "n")
		w.same("cache after the end", o.expected(loc(0, 0), loc(0, 1)), w.fetched(f))
		o.s.Close(wire.NoError, "")
		w.eventually("it is gone", func() bool { return len(upstreams(w.relay)) == 0 })
	}
}

// TestFillByUpdate: an update can ask for the past too (20 and later).
func TestFillByUpdate(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft20, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		o, pub, sub := published(t, wire.Draft16, d, Options{}, nil)
		o.send(pub, 0, 0, 1)
		o.send(pub, 1, 0)
		o.receive(sub, 3)
		synctest.Wait()
		inner := filter(wire.LocationFilter{Form: wire.FilterRelative, StartGroup: 2})
		inner.SetUint(wire.ParamGroupOrder, wire.Descending)
		_, fill, err := sub.UpdateFill(o.ctx, wire.Parameters{{Type: wire.ParamFillParameters, Inner: inner}})
		if err != nil {
			t.Fatal(err)
		}
		o.same("fill", o.expected(loc(1, 0), loc(0, 0), loc(0, 1)), o.fetched(fill))
		pub.Done(o.ctx, moqt.DoneTrackEnded, "")
		if _, done := o.finish(sub); done.StreamCount != 3 {
			t.Errorf("Stream Count %d, want 2 and the fill", done.StreamCount)
		}
	})
}
