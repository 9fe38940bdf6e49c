package reference

import (
	"fmt"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// restarted sends a group whose payloads differ from those of an origin.
func restarted(w *world, pub *moqt.Publication, group uint64, ids ...uint64) (want []item) {
	w.Helper()
	sw, err := pub.OpenSubgroup(w.ctx, wire.SubgroupHeader{GroupID: group, Priority: 100, FirstObject: true})
	if err != nil {
		w.Fatal(err)
	}
	for _, id := range ids {
		payload := fmt.Sprintf("other %d of group %d", id, group)
		if err := sw.WriteObject(&moqt.Object{ObjectID: id, Payload: []byte(payload)}); err != nil {
			w.Fatal(err)
		}
		want = append(want, item{Group: group, Object: id, Priority: 100, Payload: payload})
	}
	if err := sw.Close(); err != nil {
		w.Fatal(err)
	}
	return want
}

// TestRestartedPublisher: a publisher comes back with other contents under the same names. Some send the current group
// from its start, whatever the filter: what the one that left had there gives way, and the track is not malformed.
func TestRestartedPublisher(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(d, "n")
		first := w.subscribe(w.dial(d), nil, "t", "n")
		o.send(o.publication(), 0, 0, 1, 2)
		w.receive(first, 3)
		o.s.Close(wire.NoError, "")
		w.finish(first)

		again := w.announce(d, "n")
		again.have(0, 9) // its SUBSCRIBE_OK says so
		s := w.dial(d)
		second := w.subscribe(s, filter(wire.LocationFilter{Form: wire.FilterNextObject}), "t", "n")
		want := restarted(w, again.publication(), 0, 0, 1, 10)
		w.same("what is new", want[2:], w.receive(second, 1))
		f := w.fetch(s, exactly(loc(0, 0), loc(0, 1)), false, "t", "n")
		w.same("what is fetched", want[:2], w.fetched(f))
	})
}

// TestRestartedPublisherOfFetches: the same where nobody subscribes.
func TestRestartedPublisherOfFetches(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(d, "n")
		o.have(1, 0, 1)
		s := w.dial(d)
		w.same("before", o.expected(loc(1, 0), loc(1, 1)),
			w.fetched(w.fetch(s, exactly(loc(1, 0), loc(1, 1)), false, "t",
				"n")))
		o.s.Close(wire.NoError, "")

		again := w.announce(d, "n")
		var want []item
		for group := range uint64(3) {
			x := &moqt.Object{GroupID: group, Priority: 100, Payload: fmt.Appendf(nil, "other of group %d", group)}
			again.have(group, 0)
			again.mu.Lock()
			again.objects[loc(group, 0)] = x
			again.mu.Unlock()
			want = append(want, item{Group: group, Priority: 100, Payload: string(x.Payload)})
		}
		w.same("after", want, w.fetched(w.fetch(s, exactly(loc(0, 0), loc(2, 0)), false, "t", "n")))
	})
}

// TestTwoTruths: two publishers of one track that contradict each other make it malformed, as long as one is there from
// before (draft-18 §2.4.2).
func TestTwoTruths(t *testing.T) {
	onDrafts(t, []wire.Draft{14, 18, 22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		a, b := w.announce(d, "n"), w.announce(d, "n")
		sub := w.subscribe(w.dial(d), nil, "t", "n")
		a.send(a.publication(), 0, 0)
		w.receive(sub, 1)
		restarted(w, b.publication(), 0, 0)
		if _, done := w.finish(sub); done.StatusCode != moqt.DoneMalformedTrack.Number(d) {
			t.Errorf("PUBLISH_DONE with 0x%x, want MALFORMED_TRACK", done.StatusCode)
		}
	})
}

// TestForget: what is left of a track outlives its publisher for Limits.Forget.
func TestForget(t *testing.T) {
	onDrafts(t, []wire.Draft{14, 18, 22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(d, "n")
		s := w.dial(d)
		sub := w.subscribe(s, nil, "t", "n")
		pub := o.publication()
		o.send(pub, 0, 0, 1)
		if err := pub.Done(w.ctx, moqt.DoneTrackEnded, ""); err != nil {
			t.Fatal(err)
		}
		w.finish(sub)
		want := o.expected(loc(0, 0), loc(0, 1))
		o.s.Close(wire.NoError, "")
		time.Sleep(9 * time.Second)
		w.same("after 9 s", want, w.fetched(w.fetch(s, groupEnd(loc(0, 0), 0), false, "t", "n")))
		time.Sleep(3 * time.Second)
		_, err := s.Fetch(w.ctx, moqt.FetchRequest{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
			Range: groupEnd(loc(0, 0), 0)})
		w.refused("after 12 s", err, moqt.RejectDoesNotExist)
		if n, tracks := w.relay.Counters().CacheBytes.Load(), w.relay.Counters().Tracks.Load(); n != 0 || tracks != 0 {
			t.Errorf("%d bytes of %d tracks are left", n, tracks)
		}
	})
}

// TestPublisherLeavesBehindItsSuccessor: the first object of the publisher that takes over comes just before the close
// of the one from before. The track is not malformed.
func TestPublisherLeavesBehindItsSuccessor(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(d, "n")
		again := w.announce(d, "n")
		sub := w.subscribe(w.dial(d), filter(wire.LocationFilter{Form: wire.FilterNextObject}), "t", "n")
		o.send(o.publication(), 0, 0, 1)
		w.receive(sub, 2)
		time.AfterFunc(leaveGrace/2, func() { o.s.Close(wire.NoError, "") })
		want := restarted(w, again.publication(), 0, 1, 10)
		w.same("what is new", want, w.receive(sub, 2))
	})
}
