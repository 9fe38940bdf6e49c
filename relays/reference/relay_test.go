package reference

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	tracks "github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestPairs: a publisher of every draft towards a subscriber, a fetcher and a joiner of every draft.
func TestPairs(t *testing.T) {
	props := wire.Properties{{Type: 0x3800, Uint: 4660}, {Type: 0x3801, Bytes: []byte("high-type-3801")}}
	for _, from := range wire.Drafts() {
		onDrafts(t, []wire.Draft{from}, func(t *testing.T, from wire.Draft) {
			w := newWorld(t, Options{})
			o := w.announce(from, "meeting")
			o.props = props
			var subs []*moqt.Subscription
			var sessions []*moqt.Session
			for _, to := range wire.Drafts() {
				s := w.dial(to)
				sessions = append(sessions, s)
				subs = append(subs, w.subscribe(s, nil, "video", "meeting"))
			}
			pub := o.publication()
			for g := range uint64(3) {
				o.send(pub, g, 0, 1, 2, 3, 4)
			}
			for i, sub := range subs {
				w.same(fmt.Sprintf("subscriber on %s", sessions[i].Draft()), o.expected(all5(0, 1, 2)...),
					w.receive(sub, 15))
			}
			for _, s := range sessions {
				f := w.fetch(s, wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, EndGroup: 1}, false,
					"video", "meeting")
				w.same(fmt.Sprintf("fetch on %s", s.Draft()), o.expected(all5(1)...), w.fetched(f))
				if end, ok := f.End(); !ok || end.Group != 1 || s.Draft() >= wire.Draft20 && end != loc(1, 4) {
					t.Errorf("fetch on %s: End %s, %v", s.Draft(), end, ok)
				}
			}
			var joined []*tracks.Joined
			for _, to := range wire.Drafts() {
				j, err := tracks.Join(w.ctx, w.dial(to),
					tracks.JoinRequest{TrackNamespace: wire.TrackNamespace{"meeting"},
						TrackName: "video", GroupsBack: 1})
				if err != nil {
					t.Fatalf("join on %s: %v", to, err)
				}
				joined = append(joined, j)
			}
			for g := uint64(3); g <= 4; g++ {
				o.send(pub, g, 0, 1, 2, 3, 4)
			}
			if err := pub.Done(w.ctx, moqt.DoneTrackEnded, ""); err != nil {
				t.Fatal(err)
			}
			for i, to := range wire.Drafts() {
				w.same(fmt.Sprintf("past of the join on %s", to), o.expected(all5(1, 2)...), w.fetched(joined[i].Past))
				live, done := w.finish(joined[i].Live)
				w.same(fmt.Sprintf("live of the join on %s", to), o.expected(all5(3, 4)...), live)
				count := uint64(2)
				if to >= wire.Draft20 {
					count++ // the fill
				}
				if done.StreamCount != count || done.StatusCode != moqt.DoneTrackEnded.Number(to) {
					t.Errorf("join on %s: PUBLISH_DONE %+v, want Stream Count %d", to, done, count)
				}
				rest, done := w.finish(subs[i])
				w.same(fmt.Sprintf("rest on %s", to), o.expected(all5(3, 4)...), rest)
				if done.StreamCount != 5 {
					t.Errorf("subscriber on %s: Stream Count %d, want 5", to, done.StreamCount)
				}
			}
			if got := w.relay.Counters().UpstreamSubscribes.Load(); got != 1 {
				t.Errorf("%d SUBSCRIBEs to the publisher, want 1 for all", got)
			}
		})
	}
}

// TestUnknownTrack: a SUBSCRIBE, FETCH or TRACK_STATUS that nobody can serve is refused at once.
func TestUnknownTrack(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		s := w.dial(d)
		began := time.Now()
		_, err := s.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"a"}, TrackName: "b"})
		w.refused("SUBSCRIBE", err, moqt.RejectDoesNotExist)
		_, err = s.Fetch(w.ctx, moqt.FetchRequest{TrackNamespace: wire.TrackNamespace{"a"}, TrackName: "b",
			Range: wire.LocationFilter{Form: wire.FilterGroupEnd}})
		w.refused("FETCH", err, moqt.RejectDoesNotExist)
		_, err = s.TrackStatus(w.ctx, &wire.TrackStatus{TrackNamespace: wire.TrackNamespace{"a"}, TrackName: "b"})
		w.refused("TRACK_STATUS", err, moqt.RejectDoesNotExist)
		if took := time.Since(began); took > time.Second {
			t.Errorf("the refusals took %v", took)
		}
		w.eventually("the tracks are forgotten", func() bool { return w.relay.Counters().Tracks.Load() == 0 })
	})
}

// TestRouting: all publishers of a namespace or a prefix of it are asked, and their refusals come through.
func TestRouting(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		short, long := w.announce(d, "a"), w.announce(d, "a", "b")
		w.subscribe(w.dial(d), nil, "t", "a", "b", "c")
		short.publication()
		long.publication()
		w.subscribe(w.dial(d), nil, "t", "a", "x")
		short.publication()
		select {
		case <-long.pubs:
			t.Error("a publisher of a/b was asked for a/x")
		default:
		}
		_, err := w.dial(d).Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"ab"}, TrackName: "t"})
		w.refused("SUBSCRIBE to ab", err, moqt.RejectDoesNotExist)
	})
}

// TestAggregation: many subscribers, one upstream subscription, which ends with the last of them.
func TestAggregation(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(d, "n")
		var subs []*moqt.Subscription
		for range 3 {
			subs = append(subs, w.subscribe(w.dial(d), nil, "t", "n"))
		}
		pub := o.publication()
		o.send(pub, 0, 0, 1)
		for _, sub := range subs {
			w.same("objects", o.expected(loc(0, 0), loc(0, 1)), w.receive(sub, 2))
		}
		subs[0].Unsubscribe()
		subs[1].Unsubscribe()
		o.send(pub, 1, 0)
		w.same("objects of who stayed", o.expected(loc(1, 0)), w.receive(subs[2], 1))
		subs[2].Unsubscribe()
		select {
		case <-pub.Context().Done():
		case <-w.ctx.Done():
			t.Fatal("the relay is still subscribed")
		}
		if got := w.relay.Counters().UpstreamSubscribes.Load(); got != 1 {
			t.Errorf("%d SUBSCRIBEs to the publisher, want 1", got)
		}
		w.eventually("no subscription is left", func() bool { return w.relay.Counters().Subscriptions.Load() == 0 })
		w.subscribe(w.dial(d), nil, "t", "n") // and it can be asked for again
		o.publication()
	})
}

// TestTwoPublishers: objects of two publishers of one track come once, and the track lives while one of them does.
func TestTwoPublishers(t *testing.T) { synctest.Test(t, testTwoPublishers) }

func testTwoPublishers(t *testing.T) {
	w := newWorld(t, Options{})
	a, b := w.announce(wire.Draft16, "n"), w.announce(wire.Draft22, "n")
	sub := w.subscribe(w.dial(wire.Draft18), nil, "t", "n")
	pa, pb := a.publication(), b.publication()
	w.eventually("both are followed", func() bool {
		return w.relay.Counters().UpstreamSubscribes.Load() == 2 &&
			len(upstreams(w.relay)) == 2
	})
	wa, wb := a.open(pa, 0), b.open(pb, 0)
	a.write(wa, 0, 0)
	w.same("first object", a.expected(loc(0, 0)), w.receive(sub, 1))
	b.write(wb, 0, 0, 1)
	w.same("second object", a.expected(loc(0, 1)), w.receive(sub, 1))
	wa.Reset(1)
	pa.Done(w.ctx, moqt.DoneTrackEnded, "")
	b.write(wb, 0, 2)
	wb.Close()
	w.same("third object", a.expected(loc(0, 2)), w.receive(sub, 1))
	pb.Done(w.ctx, moqt.DoneTrackEnded, "")
	rest, done := w.finish(sub)
	if len(rest) > 0 || done.StreamCount != 1 {
		t.Errorf("after the end %d objects and Stream Count %d, want none and 1", len(rest), done.StreamCount)
	}
	if got := w.relay.Counters().Duplicates.Load(); got != 1 {
		t.Errorf("%d duplicates, want 1", got)
	}
}

func upstreams(r *Relay) (found []*upstream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		t.mu.Lock()
		found = append(found, t.upstreams...)
		t.mu.Unlock()
	}
	return found
}

// TestRendezvous: from 17 on a SUBSCRIBE can wait for its publisher, be it by PUBLISH_NAMESPACE or by PUBLISH.
func TestRendezvous(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft17, wire.Draft19, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		s := w.dial(d)
		began := time.Now()
		_, err := s.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
			Parameters: parameter(wire.ParamRendezvousTimeout, 50)})
		w.refused("SUBSCRIBE", err, moqt.RejectTimeout)
		if took := time.Since(began); took < 50*time.Millisecond || took > time.Second {
			t.Errorf("refused after %v, want 50 ms", took)
		}
		held := func(ns string) *moqt.Subscription {
			sub, err := s.StartSubscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{ns}, TrackName: "t",
				Parameters: parameter(wire.ParamRendezvousTimeout, 10_000)})
			if err != nil {
				t.Fatal(err)
			}
			return sub
		}
		first, second := held("announced"), held("published")
		w.eventually("both are held", func() bool { return w.relay.Counters().Tracks.Load() == 2 })
		o := w.announce(wire.Draft16, "announced")
		if err := first.Ready(w.ctx); err != nil {
			t.Fatal(err)
		}
		o.send(o.publication(), 0, 0)
		w.same("announced", o.expected(loc(0, 0)), w.receive(first, 1))
		pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"published"}, TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Ready(w.ctx); err != nil {
			t.Fatal(err)
		}
		o.send(pub, 0, 0)
		w.same("published", o.expected(loc(0, 0)), w.receive(second, 1))
	})
}

// TestPublish: PUBLISH is accepted, can be subscribed to, and ends with its status.
func TestPublish(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.origin(d)
		pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if !pub.Forward() {
			t.Error("Forward State 0")
		}
		sub := w.subscribe(w.dial(d), nil, "t", "n")
		o.send(pub, 0, 0, 1)
		pub.Done(w.ctx, moqt.DoneTrackEnded, "over")
		items, done := w.finish(sub)
		w.same("objects", o.expected(loc(0, 0), loc(0, 1)), items)
		if done.StreamCount != 1 || done.StatusCode != moqt.DoneTrackEnded.Number(d) || done.Reason != "over" {
			t.Errorf("PUBLISH_DONE %+v", done)
		}
	})
}

// TestForwardState: a track published with Forward State 0 is turned on by the first subscriber, and a subscriber with
// 0 gets nothing until it asks.
func TestForwardState(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft15, wire.Draft16, wire.Draft18, wire.Draft20, wire.Draft22},
		func(t *testing.T, d wire.Draft) {
			w := newWorld(t, Options{})
			o := w.origin(d)
			pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
				Parameters: parameter(wire.ParamForward, 0)})
			if err != nil {
				t.Fatal(err)
			}
			if pub.Forward() {
				t.Error("Forward State 1 though nobody wants the track")
			}
			off := w.subscribe(w.dial(d), parameter(wire.ParamForward, 0), "t", "n")
			on := w.subscribe(w.dial(d), nil, "t", "n")
			if err := pub.WaitForward(w.ctx); err != nil {
				t.Fatal(err)
			}
			o.send(pub, 0, 0, 1)
			w.same("objects", o.expected(loc(0, 0), loc(0, 1)), w.receive(on, 2))
			ok, err := off.Update(w.ctx, parameter(wire.ParamForward, 1))
			if err != nil {
				t.Fatal(err)
			}
			if largest, has := ok.Parameters.Largest(); !has || largest != loc(0, 1) {
				t.Errorf("the update is answered with largest object %s, %v, want {0,1}", largest, has)
			}
			o.send(pub, 1, 0)
			w.same("after the update", o.expected(loc(1, 0)), w.receive(off, 1))
		})
}
