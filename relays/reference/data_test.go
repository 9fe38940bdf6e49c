package reference

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// published is an origin with a track that a subscriber of draft d follows.
func published(t *testing.T, from, to wire.Draft, opts Options, ps wire.Parameters) (*origin, *moqt.Publication,
	*moqt.Subscription) {
	w := newWorld(t, opts)
	o := w.origin(from)
	pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return o, pub, w.subscribe(w.dial(to), ps, "t", "n")
}

// TestHeaders: what the header of a subgroup stream says comes through, FIRST_OBJECT also where the publisher's draft
// does not have it.
func TestHeaders(t *testing.T) {
	headers := []wire.SubgroupHeader{
		{GroupID: 0, Priority: 7},
		{GroupID: 1, SubgroupID: 70, IDMode: wire.SubgroupIDPresent, Priority: 200, EndOfGroup: true},
		{GroupID: 2, IDMode: wire.SubgroupIDFirstObject, Priority: 128, HasProperties: true},
		{GroupID: 3, Priority: 128, DefaultPriority: true, EndOfGroup: true},
	}
	for _, from := range someDrafts {
		onDrafts(t, someDrafts, func(t *testing.T, to wire.Draft) {
			o, pub, sub := published(t, from, to, Options{}, nil)
			for _, h := range headers {
				if h.DefaultPriority && from == wire.Draft14 {
					continue
				}
				h.FirstObject = true
				sw, err := pub.OpenSubgroup(o.ctx, h)
				if err != nil {
					t.Fatal(err)
				}
				for _, id := range []uint64{3, 9} {
					if err := sw.WriteObject(&moqt.Object{ObjectID: id, Payload: payload(h.GroupID, id)}); err != nil {
						t.Fatal(err)
					}
				}
				sw.Close()
				sr, err := sub.AcceptSubgroup(o.ctx)
				if err != nil {
					t.Fatal(err)
				}
				var x moqt.Object
				for _, id := range []uint64{3, 9} {
					if err := sr.ReadObject(&x); err != nil || x.ObjectID != id {
						t.Fatalf("group %d: object %d, %v, want %d", h.GroupID, x.ObjectID, err, id)
					}
				}
				if err := sr.ReadObject(&x); err == nil {
					t.Error("no FIN")
				}
				got := sr.Header()
				want := h
				want.TrackAlias = got.TrackAlias
				want.FirstObject = to >= wire.Draft18
				if want.IDMode == wire.SubgroupIDFirstObject {
					want.SubgroupID = 3
				}
				if to == wire.Draft14 {
					want.DefaultPriority = false
				}
				if got.DefaultPriority {
					want.Priority = got.Priority // is not on the wire
				}
				o.same("header", want, got)
				if sr.Priority() != h.Priority {
					t.Errorf("priority %d, want %d", sr.Priority(), h.Priority)
				}
			}
		})
	}
}

// TestFromTheMiddle: who comes while a stream is open gets the rest of it, on a stream that does not claim to start the
// subgroup.
func TestFromTheMiddle(t *testing.T) { synctest.Test(t, testFromTheMiddle) }

func testFromTheMiddle(t *testing.T) {
	o, pub, early := published(t, wire.Draft20, wire.Draft22, Options{}, nil)
	sw, err := pub.OpenSubgroup(o.ctx, wire.SubgroupHeader{GroupID: 4, IDMode: wire.SubgroupIDFirstObject,
		Priority: 100, FirstObject: true})
	if err != nil {
		t.Fatal(err)
	}
	o.write(sw, 4, 2)
	o.receive(early, 1)
	late := o.subscribe(o.dial(wire.Draft18), nil, "t", "n")
	o.write(sw, 4, 3)
	sr, err := late.AcceptSubgroup(o.ctx)
	if err != nil {
		t.Fatal(err)
	}
	h := sr.Header()
	o.same("header", wire.SubgroupHeader{TrackAlias: h.TrackAlias, GroupID: 4, SubgroupID: 2,
		IDMode: wire.SubgroupIDPresent, Priority: 100}, h)
	var x moqt.Object
	if err := sr.ReadObject(&x); err != nil || x.ObjectID != 3 {
		t.Errorf("object %d, %v, want 3", x.ObjectID, err)
	}
}

// TestResets: a publisher's reset comes through with its meaning, after what had come.
func TestResets(t *testing.T) {
	for _, from := range someDrafts {
		onDrafts(t, someDrafts, func(t *testing.T, to wire.Draft) {
			o, pub, sub := published(t, from, to, Options{}, nil)
			sw := o.open(pub, 0)
			o.write(sw, 0, 0)
			sr, err := sub.AcceptSubgroup(o.ctx)
			if err != nil {
				t.Fatal(err)
			}
			var x moqt.Object
			if err := sr.ReadObject(&x); err != nil {
				t.Fatal(err)
			}
			sw.Reset(moqt.ResetDeliveryTimeout.Number(from))
			err = sr.ReadObject(&x)
			var reset *transport.StreamError
			if !errors.As(err, &reset) || reset.Code != moqt.ResetDeliveryTimeout.Number(to) {
				t.Errorf("%v, want a reset with DELIVERY_TIMEOUT", err)
			}
			o.send(pub, 1, 0)
			if _, err := sub.AcceptSubgroup(o.ctx); err != nil {
				t.Errorf("the next group: %v", err)
			}
		})
	}
}

// TestDatagrams: datagrams come through with properties and statuses, and are fetched afterwards.
func TestDatagrams(t *testing.T) {
	for _, from := range someDrafts {
		onDrafts(t, someDrafts, func(t *testing.T, to wire.Draft) {
			o, pub, sub := published(t, from, to, Options{}, nil)
			x := &moqt.Object{GroupID: 1, ObjectID: 0, Priority: 9, Payload: []byte("first")}
			x.EncodeProperties(from, wire.Properties{{Type: 0x3802, Uint: 270544960}})
			end := &moqt.Object{GroupID: 1, ObjectID: 2, Priority: 9, Status: wire.StatusEndOfGroup}
			for _, d := range []*moqt.Object{x, {GroupID: 1, ObjectID: 1, Priority: 9, Payload: []byte("second")},
				end} {
				if err := pub.SendDatagram(d); err != nil {
					t.Fatal(err)
				}
			}
			want := []item{
				{Group: 1, Priority: 9, Payload: "first", Datagram: true,
					Properties: wire.Properties{{Type: 0x3802, Uint: 270544960}}},
				{Group: 1, Object: 1, Priority: 9, Payload: "second", Datagram: true},
				{Group: 1, Object: 2, Priority: 9, Status: wire.StatusEndOfGroup, Datagram: true},
			}
			o.same("datagrams", want, o.receive(sub, 3))
			s := sub.Request().Session()
			got := o.fetched(o.fetch(s, exactly(loc(1, 0), loc(1, 1)), false, "t", "n"))
			for i := range want[:2] {
				if to <= wire.Draft15 { // shown as a subgroup of its own (draft-14 §10.4.4)
					want[i].Datagram, want[i].Subgroup = false, want[i].Object
				}
			}
			o.same("fetched", want[:2], got)
			if err := pub.Done(o.ctx, moqt.DoneTrackEnded, ""); err != nil {
				t.Fatal(err)
			}
			if _, done := o.finish(sub); done.StreamCount != 0 {
				t.Errorf("Stream Count %d, want 0", done.StreamCount)
			}
		})
	}
}

// TestFilters: objects outside of a location filter do not come.
func TestFilters(t *testing.T) {
	tests := []struct {
		name  string
		f     wire.LocationFilter
		first wire.Draft
		want  []wire.Location
	}{
		{"next group", wire.LocationFilter{Form: wire.FilterRelative}, wire.Draft14,
			[]wire.Location{loc(2, 0), loc(2, 1), loc(3, 0)}},
		{"next object", wire.LocationFilter{Form: wire.FilterNextObject}, wire.Draft14,
			[]wire.Location{loc(1, 2), loc(2, 0), loc(2, 1), loc(3, 0)}},
		{"absolute start", wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 2, StartObject: 1},
			wire.Draft14, []wire.Location{loc(2, 1), loc(3, 0)}},
		{"to the end of a group", groupEnd(loc(1, 0), 2), wire.Draft14,
			[]wire.Location{loc(1, 2), loc(2, 0), loc(2, 1)}},
		{"to an object", exactly(loc(1, 0), loc(2, 0)), wire.Draft20, []wire.Location{loc(1, 2), loc(2, 0)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
				if d < tt.first {
					t.Skip("the draft has no such filter")
				}
				o, pub, early := published(t, wire.Draft16, d, Options{}, nil)
				sw := o.open(pub, 1)
				o.write(sw, 1, 0, 1)
				o.receive(early, 2)
				sub := o.subscribe(o.dial(d), filter(tt.f), "t", "n")
				o.write(sw, 1, 2)
				sw.Close()
				o.send(pub, 2, 0, 1)
				o.send(pub, 3, 0)
				pub.Done(o.ctx, moqt.DoneTrackEnded, "")
				items, _ := o.finish(sub)
				o.same("objects", o.expected(tt.want...), items)
			})
		})
	}
}

// TestPastFilter: up to 19 a range that is over is refused; later it is taken, and brings nothing.
func TestPastFilter(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		o, pub, early := published(t, wire.Draft16, d, Options{}, nil)
		o.send(pub, 5, 0)
		o.receive(early, 1)
		_, err := o.dial(d).Subscribe(o.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
			Parameters: filter(groupEnd(loc(1, 0), 2))})
		if d <= wire.Draft19 {
			o.refused("SUBSCRIBE", err, moqt.RejectInvalidRange)
		} else if err != nil {
			t.Error(err)
		}
	})
}

// TestUpdatedFilter: an update narrows and widens what comes.
func TestUpdatedFilter(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft16, wire.Draft18, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		o, pub, sub := published(t, wire.Draft16, d, Options{}, nil)
		if _, err := sub.Update(o.ctx, filter(wire.LocationFilter{Form: wire.FilterAbsoluteStart,
			StartGroup: 3})); err != nil {
			t.Fatal(err)
		}
		o.send(pub, 2, 0)
		o.send(pub, 3, 0)
		o.same("narrowed", o.expected(loc(3, 0)), o.receive(sub, 1))
		synctest.Wait() // group 2 has come and gone
		if _, err := sub.Update(o.ctx, filter(wire.LocationFilter{Form: wire.FilterAbsoluteStart})); err != nil {
			t.Fatal(err)
		}
		o.send(pub, 1, 0)
		o.same("widened", o.expected(loc(1, 0)), o.receive(sub, 1))
	})
}

// TestMalformed: an object that comes twice with different contents ends the track (draft-18 §2.4.2).
func TestMalformed(t *testing.T) { synctest.Test(t, testMalformed) }

func testMalformed(t *testing.T) {
	o, pub, sub := published(t, wire.Draft18, wire.Draft18, Options{}, nil)
	o.send(pub, 0, 0)
	o.receive(sub, 1)
	sw := o.open(pub, 0)
	if err := sw.WriteObject(&moqt.Object{ObjectID: 0, Payload: []byte("something else")}); err != nil {
		t.Fatal(err)
	}
	_, done := o.finish(sub)
	if done.StatusCode != moqt.DoneMalformedTrack.Number(wire.Draft18) {
		t.Errorf("PUBLISH_DONE %+v, want MALFORMED_TRACK", done)
	}
}

// TestLostPublisher: subscribers are told when the publisher's session is gone.
func TestLostPublisher(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		o, pub, sub := published(t, wire.Draft16, d, Options{}, nil)
		o.send(pub, 0, 0)
		o.receive(sub, 1)
		o.s.Close(wire.NoError, "")
		_, done := o.finish(sub)
		if done.StatusCode != moqt.DoneInternalError.Number(d) || done.StreamCount != 1 {
			t.Errorf("PUBLISH_DONE %+v, want INTERNAL_ERROR with Stream Count 1", done)
		}
	})
}

// TestSlowSubscriber: one who takes nothing is left behind, with a reset; nobody else notices, the relay holds no more
// than its bound, and the slow one goes on with later groups.
func TestSlowSubscriber(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		const size = 10_000
		w := newWorld(t, Options{Limits: Limits{CacheBytes: 300_000, WaitingBytes: 100_000, SubscriberBytes: 100_000,
			Patience: 10 * time.Second}})
		w.conns = memconn.Options{StreamBuffer: 20_000}
		o := w.origin(wire.Draft18)
		pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		slow, fast := w.subscribe(w.dial(d), nil, "t", "n"), w.subscribe(w.dial(d), nil, "t", "n")
		started := make(chan struct{})
		send := func(group uint64, n int) {
			sw, err := pub.OpenSubgroup(w.ctx, wire.SubgroupHeader{GroupID: group, Priority: 100, FirstObject: true})
			if err != nil {
				t.Error(err)
				return
			}
			for id := range uint64(n) {
				if err := sw.WriteObject(&moqt.Object{ObjectID: id, Payload: large(size)}); err != nil {
					t.Error(err)
				}
				if id == 0 {
					<-started
				}
			}
			sw.Close()
		}
		go send(0, 100)
		first, err := slow.AcceptSubgroup(w.ctx) // a stream that the slow one is too late for altogether is not opened
		close(started)
		if err != nil {
			t.Fatal(err)
		}
		w.receive(fast, 100)
		var x moqt.Object
		read := 0
		for err = error(nil); err == nil; read++ {
			err = first.ReadObject(&x)
		}
		var reset *transport.StreamError
		if !errors.As(err, &reset) || reset.Code != moqt.ResetTooFarBehind.Number(d) {
			t.Errorf("after %d objects: %v, want a reset with TOO_FAR_BEHIND", read-1, err)
		}
		w.eventually("the cache is within its bound",
			func() bool { return w.relay.Counters().CacheBytes.Load() <= 300_000 })
		send(1, 2)
		w.receive(fast, 2)
		next, err := slow.AcceptSubgroup(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := next.ReadObject(&x); err != nil || x.GroupID != 1 {
			t.Errorf("then {%d, %d}, %v, want group 1", x.GroupID, x.ObjectID, err)
		}
		if got := w.relay.Counters().TooFarBehind.Load(); got != 1 {
			t.Errorf("%d streams too far behind, want 1", got)
		}
	})
}

// TestBackPressure: a publisher that is faster than its only subscriber is slowed down, and nothing is lost.
func TestBackPressure(t *testing.T) { synctest.Test(t, testBackPressure) }

func testBackPressure(t *testing.T) {
	const size, count = 10_000, 200
	w := newWorld(t, Options{Limits: Limits{CacheBytes: 200_000, WaitingBytes: 100_000, SubscriberBytes: 50_000,
		Patience: 10 * time.Second}})
	w.conns = memconn.Options{StreamBuffer: 20_000}
	o := w.origin(wire.Draft18)
	pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
	if err != nil {
		t.Fatal(err)
	}
	sub := w.subscribe(w.dial(wire.Draft22), nil, "t", "n")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		sw, err := pub.OpenSubgroup(w.ctx, wire.SubgroupHeader{FirstObject: true})
		if err != nil {
			t.Error(err)
			return
		}
		for id := range uint64(count) {
			sw.WriteObject(&moqt.Object{ObjectID: id, Payload: large(size)})
		}
		sw.Close()
	}()
	w.eventually("the relay holds back", func() bool { return w.relay.Counters().BytesIn.Load() >= 60_000 })
	select {
	case <-sent:
		t.Error("all was sent though nobody takes it")
	case <-time.After(50 * time.Millisecond):
	}
	w.receive(sub, count)
	<-sent
	if lost := w.relay.Counters().TooFarBehind.Load(); lost > 0 {
		t.Errorf("%d streams lost", lost)
	}
}

// TestDeliveryTimeout: what is too old when it could be sent is not sent, and the stream says why.
func TestDeliveryTimeout(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft15, wire.Draft16, wire.Draft18, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		w.conns = memconn.Options{StreamBuffer: 20_000}
		o := w.origin(wire.Draft18)
		pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
		if err != nil {
			t.Fatal(err)
		}
		sub := w.subscribe(w.dial(d), parameter(wire.ParamObjectDeliveryTimeout, 30), "t", "n")
		sw := o.open(pub, 0)
		for id := range uint64(40) {
			if err := sw.WriteObject(&moqt.Object{ObjectID: id, Payload: large(10_000)}); err != nil {
				t.Fatal(err)
			}
		}
		sw.Close()
		sr, err := sub.AcceptSubgroup(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(60 * time.Millisecond) // the timeout passes while the stream is blocked
		var x moqt.Object
		for err = error(nil); err == nil; {
			err = sr.ReadObject(&x)
		}
		var reset *transport.StreamError
		if !errors.As(err, &reset) || reset.Code != moqt.ResetDeliveryTimeout.Number(d) {
			t.Errorf("%v, want a reset with DELIVERY_TIMEOUT", err)
		}
	})
}

// TestEmptyStream: a stream without objects is forwarded and counted.
func TestEmptyStream(t *testing.T) { synctest.Test(t, testEmptyStream) }

func testEmptyStream(t *testing.T) {
	o, pub, sub := published(t, wire.Draft18, wire.Draft16, Options{}, nil)
	o.open(pub, 3).Close()
	sr, err := sub.AcceptSubgroup(o.ctx)
	if err != nil || sr.Header().GroupID != 3 {
		t.Fatalf("%v, want the stream of group 3", err)
	}
	pub.Done(o.ctx, moqt.DoneTrackEnded, "")
	done, err := sub.Done(o.ctx)
	if err != nil || done.StreamCount != 1 {
		t.Errorf("PUBLISH_DONE %+v, %v, want Stream Count 1", done, err)
	}
}
