package reference

import (
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestWidening: whatever the first subscriber asks for, the publisher is asked for the whole track with Forward State
// 1, so that the next ones get what they ask for without another request.
func TestWidening(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(d, "n")
		narrow := w.subscribe(w.dial(d), filter(wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1,
			StartObject: 1, EndGroup: 1}), "t", "n")
		paused := w.subscribe(w.dial(d), parameter(wire.ParamForward, 0), "t", "n")
		late := w.subscribe(w.dial(d), filter(wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 2}), "t",
			"n")
		whole := w.subscribe(w.dial(d), nil, "t", "n")
		pub := o.publication()
		// 14 always has one
		if f, ok := pub.Parameters().Filter(); ok && d > wire.Draft14 || ok && f.Form != wire.FilterNextObject {
			t.Errorf("the publisher is asked for %v", f)
		}
		if pub.Parameters().UintOr(wire.ParamForward, 1) != 1 {
			t.Error("the publisher is asked for nothing yet")
		}
		for g := range uint64(3) {
			o.send(pub, g, 0, 1)
		}
		synctest.Wait()
		pub.Done(w.ctx, moqt.DoneTrackEnded, "")
		for name, test := range map[string]struct {
			sub  *moqt.Subscription
			want []wire.Location
		}{
			"narrow": {narrow, []wire.Location{loc(1, 1)}}, "paused": {paused, nil},
			"late":  {late, []wire.Location{loc(2, 0), loc(2, 1)}},
			"whole": {whole, []wire.Location{loc(0, 0), loc(0, 1), loc(1, 0), loc(1, 1), loc(2, 0), loc(2, 1)}},
		} {
			got, _ := w.finish(test.sub)
			w.same(name, o.expected(test.want...), got)
		}
		if n := w.relay.Counters().UpstreamSubscribes.Load(); n != 1 {
			t.Errorf("%d SUBSCRIBEs to the publisher, want 1", n)
		}
	})
}

// TestUpdatedPriority: a REQUEST_UPDATE of the Subscriber Priority moves what waits of the track before that of another
// (draft-18 §7.1).
func TestUpdatedPriority(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		for _, raised := range []string{"t", "u"} {
			w := newWorld(t, Options{})
			o := w.origin(wire.Draft18)
			s := w.dial(d)
			pubs, subs := make(map[string]*moqt.Publication), make(map[string]*moqt.Subscription)
			for _, name := range []string{"t", "u"} {
				pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: name})
				if err != nil {
					t.Fatal(err)
				}
				pubs[name], subs[name] = pub, w.subscribe(s, parameter(wire.ParamSubscriberPriority, 100), name, "n")
			}
			for g := range uint64(activeTurns) {
				// more than a stream takes unread: all others wait
				if err := o.open(pubs["t"], g).WriteObject(&moqt.Object{Payload: large(400_000)}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			if _, err := subs[raised].Update(w.ctx, parameter(wire.ParamSubscriberPriority, 50)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // 14 has no answer to it
			for _, name := range []string{"t", "u"} {
				o.send(pubs[name], activeTurns, 0)
				synctest.Wait()
			}
			for range activeTurns {
				first, err := subs["t"].AcceptSubgroup(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				var x moqt.Object
				if err := first.ReadObject(&x); err != nil { // and now it is their turn
					t.Fatal(err)
				}
				synctest.Wait() // one turn after the other
			}
			ids := make(map[string]uint64)
			for name, sub := range subs {
				r, err := sub.AcceptSubgroup(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				ids[name] = r.StreamID()
			}
			if other := map[string]string{"t": "u", "u": "t"}[raised]; ids[raised] > ids[other] {
				t.Errorf("%s was raised, but its stream has id %d and the other's %d", raised, ids[raised], ids[other])
			}
			w.relay.Close()
		}
	})
}
