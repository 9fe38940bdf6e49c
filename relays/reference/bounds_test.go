package reference

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestFewStreams: a client that allows one stream at a time gets the newest of what waits, and the rest is counted.
func TestFewStreams(t *testing.T) { synctest.Test(t, testFewStreams) }

func testFewStreams(t *testing.T) {
	w := newWorld(t, Options{Limits: Limits{Waiting: 2, Streams: 1}})
	o := w.origin(wire.Draft18)
	pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
	if err != nil {
		t.Fatal(err)
	}
	w.conns = memconn.Options{StreamBuffer: 1000}
	sub := w.subscribe(w.dial(wire.Draft18), nil, "t", "n")
	sw := o.open(pub, 0)
	if err := sw.WriteObject(&moqt.Object{Payload: large(200_000)}); err != nil { // keeps the one stream busy
		t.Fatal(err)
	}
	sw.Close()
	synctest.Wait()
	for g := uint64(1); g <= 5; g++ {
		o.send(pub, g, 0)
		synctest.Wait()
	}
	if got := w.relay.Counters().TooFarBehind.Load(); got != 3 {
		t.Errorf("%d streams dropped, want 3", got)
	}
	var groups []uint64
	for range 3 {
		x, err := sub.Next(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, x.GroupID)
	}
	slices.Sort(groups) // their streams may be read in any order
	w.same("groups", []uint64{0, 4, 5}, groups)
	pub.Done(w.ctx, moqt.DoneTrackEnded, "")
	if _, done := w.finish(sub); done.StreamCount != 3 {
		t.Errorf("Stream Count %d, want the 3 that were opened", done.StreamCount)
	}
}

// TestCacheDuration: what is older than the track's MAX_CACHE_DURATION is not served any more (draft-18 §12.3).
func TestCacheDuration(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft15, wire.Draft16, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.origin(d)
		m := &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"}
		if d <= wire.Draft15 {
			m.Parameters.SetUint(wire.ParamRendezvousTimeout, 1000) // MAX_CACHE_DURATION's code there
		} else {
			m.Properties = wire.Properties{{Type: wire.PropMaxCacheDuration, Uint: 1000}}
		}
		pub, err := o.s.Publish(w.ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		s := w.dial(wire.Draft18)
		sub := w.subscribe(s, nil, "t", "n")
		if p, _ := sub.Properties().Get(wire.PropMaxCacheDuration); p.Uint != 1000 {
			t.Errorf("MAX_CACHE_DURATION %d at the subscriber, want 1000", p.Uint)
		}
		o.send(pub, 0, 0, 1)
		w.receive(sub, 2)
		synctest.Wait()
		f := w.fetch(s, exactly(loc(0, 0), loc(0, 1)), false, "t", "n")
		w.same("at once", o.expected(loc(0, 0), loc(0, 1)), w.fetched(f))
		asked := o.fetches
		time.Sleep(2 * time.Second)
		f = w.fetch(s, exactly(loc(0, 0), loc(0, 1)), false, "t", "n")
		w.same("later, from the publisher", o.expected(loc(0, 0), loc(0, 1)), w.fetched(f))
		if asked != 0 || o.fetches != 1 {
			t.Errorf("the publisher was asked %d times before and %d after, want 0 and 1", asked, o.fetches)
		}
	})
}

// TestSubgroupTimeout: a subgroup that is complete and cannot be delivered in time is reset (draft-18 §8).
func TestSubgroupTimeout(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft18, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		o, pub, sub := published(t, wire.Draft16, d, Options{}, parameter(wire.ParamSubgroupDeliveryTimeout, 50))
		sw := o.open(pub, 0)
		if err := sw.WriteObject(&moqt.Object{Payload: large(400_000)}); err != nil {
			t.Fatal(err)
		}
		sw.Close()
		sr, err := sub.AcceptSubgroup(o.ctx)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		var x moqt.Object
		err = sr.ReadObject(&x)
		var reset *transport.StreamError
		if !errors.As(err, &reset) || reset.Code != moqt.ResetDeliveryTimeout.Number(d) {
			t.Errorf("%v, want a reset with DELIVERY_TIMEOUT", err)
		}
	})
}

// TestCrossing: a publisher that refuses the relay's SUBSCRIBE because its own PUBLISH is under way serves the
// subscriber all the same.
func TestCrossing(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		p := w.dial(d)
		if _, err := p.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
			t.Fatal(err)
		}
		sub, err := w.dial(d).StartSubscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"},
			TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		req, err := p.AcceptRequest(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		pub, err := p.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if err := req.Reject(w.ctx, moqt.RejectDuplicateSubscription, ""); err != nil {
			t.Fatal(err)
		}
		if err := sub.Ready(w.ctx); err != nil {
			t.Fatal(err)
		}
		o := &origin{world: w, s: p, objects: make(map[wire.Location]*moqt.Object)}
		o.send(pub, 0, 0)
		w.same("objects", o.expected(loc(0, 0)), w.receive(sub, 1))
		_, err = p.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
		w.refused("a second PUBLISH", err, moqt.RejectDuplicateSubscription)
	})
}

// TestMandatoryProperty: a track with a Mandatory Track Property that the relay does not know is not forwarded
// (draft-18 §2.5.1).
func TestMandatoryProperty(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft18, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		props := wire.Properties{{Type: 0x4001, Bytes: []byte("x")}}
		_, err := w.dial(d).Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
			Properties: props})
		w.refused("PUBLISH", err, moqt.RejectUnsupportedExtension)
		p := w.dial(d)
		if _, err := p.PublishNamespace(w.ctx, wire.TrackNamespace{"m"}, nil); err != nil {
			t.Fatal(err)
		}
		sub, err := w.dial(d).StartSubscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"m"},
			TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		req, err := p.AcceptRequest(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		pub, err := req.AcceptSubscribe(w.ctx, &wire.SubscribeOK{Properties: props})
		if err != nil {
			t.Fatal(err)
		}
		w.refused("SUBSCRIBE", sub.Ready(w.ctx), moqt.RejectUnsupportedExtension)
		<-pub.Context().Done()
	})
}

// TestProperties: what is said of a track goes to every draft that has a place for it.
func TestProperties(t *testing.T) {
	all := wire.Properties{{Type: wire.PropObjectDeliveryTimeout, Uint: 5000},
		{Type: wire.PropDefaultPublisherPriority, Uint: 9}, {Type: wire.PropDefaultGroupOrder, Uint: 2}}
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.origin(wire.Draft18)
		pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
			Properties: all})
		if err != nil {
			t.Fatal(err)
		}
		sub := w.subscribe(w.dial(d), nil, "t", "n")
		if d >= wire.Draft16 {
			w.same("properties", all, sub.Properties())
		} else {
			ps := sub.OK().Parameters
			w.same("DELIVERY_TIMEOUT", uint64(5000), ps.UintOr(wire.ParamObjectDeliveryTimeout, 0))
			w.same("GROUP_ORDER", uint64(2), ps.UintOr(wire.ParamGroupOrder, 0))
		}
		sw, err := pub.OpenSubgroup(w.ctx, wire.SubgroupHeader{DefaultPriority: true, FirstObject: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := sw.WriteObject(&moqt.Object{Payload: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		x, err := sub.Next(w.ctx)
		if err != nil || x.Priority != 9 {
			t.Errorf("priority %d, %v, want the track's, 9", x.Priority, err)
		}
	})
}
