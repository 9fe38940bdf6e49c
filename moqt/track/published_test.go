package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestTrackLayouts: every layout on every draft brings every object once, in the subgroup that the layout says, and
// PUBLISH_DONE counts the streams exactly.
func TestTrackLayouts(t *testing.T) {
	layouts := map[string]struct {
		layout   Layout
		streams  uint64
		subgroup func(o uint64) uint64
	}{
		"group":           {Layout{}, 3, func(uint64) uint64 { return 0 }},
		"group, explicit": {Layout{IDs: wire.SubgroupIDPresent}, 3, func(uint64) uint64 { return 0 }},
		"object":          {Layout{Mode: LayoutObject}, 18, func(o uint64) uint64 { return o }},
		"object, first": {Layout{Mode: LayoutObject, IDs: wire.SubgroupIDFirstObject}, 18,
			func(o uint64) uint64 { return o }},
		"spread": {Layout{Mode: LayoutSpread, Subgroups: 2}, 6, func(o uint64) uint64 { return o % 2 }},
		"spread, first": {Layout{Mode: LayoutSpread, Subgroups: 4, IDs: wire.SubgroupIDFirstObject}, 12,
			func(o uint64) uint64 { return o % 4 }},
		"spread by the zero": {Layout{Mode: LayoutSpread}, 3, func(uint64) uint64 { return 0 }},
		"given":              {Layout{Mode: LayoutGiven}, 9, func(o uint64) uint64 { return 7 * (o / 2) }},
		"datagram":           {Layout{Mode: LayoutDatagram}, 0, func(uint64) uint64 { return 0 }},
	}
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			eachDraft(t, func(t *testing.T, d wire.Draft) {
				p := publishing(t, d, Options{Layout: l.layout,
					Priority: func(o *moqt.Object) uint8 { return 200 + uint8(o.GroupID) }})
				s := p.open(Request{})
				for _, at := range locations(4, 3, 6) {
					o := objectAt(at)
					o.SubgroupID = l.subgroup(at.Object)
					noError(t, p.track.Write(p.ctx, o))
				}
				noError(t, p.track.End(p.ctx))
				got := drain(t, p.ctx, s)
				same(t, got, locations(4, 3, 6), false)
				for _, o := range got {
					if o.SubgroupID != l.subgroup(o.ObjectID) || o.Priority != 200+uint8(o.GroupID) ||
						o.Datagram != (l.layout.Mode == LayoutDatagram) {
						t.Errorf("%s: subgroup %d, priority %d, datagram %t", o.Location(), o.SubgroupID, o.Priority,
							o.Datagram)
					}
					if first := o.ObjectID == l.subgroup(o.ObjectID) || l.layout.Mode == LayoutGiven &&
						o.ObjectID%2 == 0; l.layout.Mode != LayoutDatagram && d >= wire.Draft18 &&
						o.FirstObject != first {
						t.Errorf("%s: FIRST_OBJECT is %t", o.Location(), o.FirstObject)
					}
				}
				done, err := s.Subscription().Done(p.ctx)
				noError(t, err)
				if done.StreamCount != l.streams || s.Subscription().StreamsSeen() != l.streams ||
					moqt.DoneName(d, done.StatusCode) != "TRACK_ENDED" {
					t.Errorf("%s with %d streams, %d seen, want %d", moqt.DoneName(d, done.StatusCode),
						done.StreamCount,
						s.Subscription().StreamsSeen(), l.streams)
				}
				if r := s.Report(); r.Objects != 18 || r.Duplicates+r.Missing+r.MissingGroups+r.Resets != 0 {
					t.Errorf("report %+v", r)
				}
				if p.track.Subscribers() != 0 {
					t.Error("the subscription is not forgotten")
				}
			})
		})
	}
}

// TestTrackProperties: properties of track and objects arrive, also from a publisher that writes in another draft's
// form; 14 and 15 say the track's in parameters.
func TestTrackProperties(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{Properties: wire.Properties{{Type: wire.PropObjectDeliveryTimeout,
			Uint: 5000}, {Type: wire.PropDefaultPublisherPriority, Uint: 77}}})
		s := p.open(Request{})
		want := wire.Properties{{Type: 0x3800, Uint: 4660}, {Type: 0x3801, Bytes: []byte("some")}}
		o := objectAt(wire.Location{})
		noError(t, o.EncodeProperties(wire.Draft17, want))
		noError(t, p.track.Write(p.ctx, o))
		if err := p.track.Write(p.ctx, objectAt(wire.Location{Object: 1})); err != nil {
			t.Errorf("an object without properties on such a stream: %v", err)
		}
		noError(t, p.track.End(p.ctx))
		got := drain(t, p.ctx, s)
		props, err := got[0].DecodeProperties()
		noError(t, err)
		if diff := cmp.Diff(want, props); diff != "" || len(got[1].Properties) > 0 {
			t.Errorf("properties (-want +got):\n%s", diff)
		}
		if d >= wire.Draft15 && (!got[0].DefaultPriority || got[0].Priority != 77) || d == wire.Draft14 &&
			got[0].Priority != moqt.DefaultPublisherPriority {
			t.Errorf("priority %d, by default %t", got[0].Priority, got[0].DefaultPriority)
		}
		ok := s.Subscription().OK()
		timeout := ok.Parameters.UintOr(wire.ParamObjectDeliveryTimeout, 0)
		if d >= wire.Draft16 {
			x, _ := ok.Properties.Get(wire.PropObjectDeliveryTimeout)
			timeout = x.Uint
		}
		if timeout != 5000 {
			t.Errorf("delivery timeout %d ms", timeout)
		}
	})
}

// TestTrackWithoutProperties: a stream that was opened without properties refuses an object that has some, and goes on.
func TestTrackWithoutProperties(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := publishing(t, wire.Newest, Options{})
		s := p.open(Request{})
		p.write(wire.Location{})
		o := objectAt(wire.Location{Object: 1})
		noError(t, o.EncodeProperties(wire.Newest, wire.Properties{{Type: 0x3800, Uint: 1}}))
		var e *wire.Error
		if err := p.track.Write(p.ctx, o); !errors.As(err, &e) {
			t.Errorf("error %v", err)
		}
		p.write(wire.Location{Object: 2})
		noError(t, p.track.End(p.ctx))
		same(t, drain(t, p.ctx, s), []wire.Location{{}, {Object: 2}}, true)
	})
}

// TestTrackLateSubscriber: who comes in the middle of a subgroup is told its ID, and gets what follows the Largest
// Object that SUBSCRIBE_OK names.
func TestTrackLateSubscriber(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{Layout: Layout{Mode: LayoutSpread, Subgroups: 2,
			IDs: wire.SubgroupIDFirstObject}})
		early := p.open(Request{})
		p.write(locations(0, 1, 5)...)
		p.sessions = dialSessions(t, d, moqt.Config{},
			moqt.Config{Handler: func(r *moqt.Request) { _ = p.track.Serve(r.Session().Context(), r) }})
		late := p.open(Request{})
		if l, ok := late.Subscription().Largest(); !ok || l != (wire.Location{Object: 4}) {
			t.Errorf("Largest Object %v, %t", l, ok)
		}
		for o := uint64(5); o < 9; o++ {
			p.write(wire.Location{Object: o})
		}
		noError(t, p.track.End(p.ctx))
		same(t, drain(t, p.ctx, early), locations(0, 1, 9), false)
		got := drain(t, p.ctx, late)
		same(t, got, []wire.Location{{Object: 5}, {Object: 6}, {Object: 7}, {Object: 8}}, false)
		for _, o := range got {
			if o.SubgroupID != o.ObjectID%2 || o.FirstObject {
				t.Errorf("%s: subgroup %d, FIRST_OBJECT %t", o.Location(), o.SubgroupID, o.FirstObject)
			}
		}
	})
}

// TestTrackManySubscribers: sessions of all drafts have one track; each gets everything in the form of its draft.
func TestTrackManySubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track := NewPublished(testNS, testName, Options{Layout: Layout{Mode: LayoutSpread, Subgroups: 3},
			ObjectProperties: true})
		serve := moqt.Config{Handler: func(r *moqt.Request) { _ = track.Serve(r.Session().Context(), r) }}
		var readers []*Subscribed
		var ctx context.Context
		for _, d := range wire.Drafts() {
			p := dialSessions(t, d, moqt.Config{}, serve)
			ctx = p.ctx
			open := func() (*Subscribed, error) {
				return Open(p.ctx, p.client, Request{TrackNamespace: testNS, TrackName: testName,
					Read: ReadOptions{InOrder: true}})
			}
			readers = append(readers, must[*Subscribed](t)(open()))
			if d >= wire.Draft16 && d <= wire.Draft18 { // one subscription per track there
				var refused *moqt.RequestError
				if _, err := open(); !errors.As(err, &refused) || refused.Name != "DUPLICATE_SUBSCRIPTION" {
					t.Errorf("%s: a second subscription: %v", d, err)
				}
			}
			if d <= wire.Draft18 {
				p = dialSessions(t, d, moqt.Config{}, serve)
			}
			readers = append(readers, must[*Subscribed](t)(open()))
		}
		noError(t, track.WaitForward(ctx, len(readers)))
		for _, at := range locations(0, 4, 7) {
			noError(t, track.Write(ctx, objectAt(at)))
		}
		noError(t, track.End(ctx))
		for _, s := range readers {
			same(t, drain(t, ctx, s), locations(0, 4, 7), true)
		}
	})
}

// TestTrackForward: objects flow while the Forward State is 1, a stream that misses objects is reset, and from 20 on a
// change is reported when asked for.
func TestTrackForward(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{NotifyState: true})
		var ps wire.Parameters
		ps.SetUint(wire.ParamForward, 0)
		s := p.open(Request{Parameters: ps})
		p.write(wire.Location{}, wire.Location{Object: 1})
		quiet(t, s)
		forward := func(on uint64) {
			var ps wire.Parameters
			ps.SetUint(wire.ParamForward, on)
			ok, err := s.Subscription().Update(p.ctx, ps)
			noError(t, err)
			settle()
			if l, has := p.track.Largest(); d >= wire.Draft15 && on == 1 {
				if got, _ := ok.Parameters.Largest(); !has || got != l {
					t.Errorf("REQUEST_OK says Largest Object %s, want %s", got, l)
				}
			}
			if d >= wire.Draft20 {
				n, err := s.Subscription().NextNotify(p.ctx)
				noError(t, err)
				if n.UintOr(wire.ParamForward, 9) != on {
					t.Errorf("PUBLISH_STATE_NOTIFY says %v", n)
				}
			}
		}
		forward(1)
		p.write(wire.Location{Object: 2}, wire.Location{Object: 3})
		same(t, take(t, p.ctx, s, 2), []wire.Location{{Object: 2}, {Object: 3}}, true)
		forward(0)
		p.write(wire.Location{Object: 4})
		quiet(t, s)
		if r := s.Report(); r.Resets != 1 {
			t.Errorf("%d streams were reset", r.Resets)
		}
		forward(1)
		p.write(wire.Location{Object: 5})
		noError(t, p.track.End(p.ctx))
		same(t, drain(t, p.ctx, s), []wire.Location{{Object: 5}}, true)
		if done, _ := s.Subscription().Done(p.ctx); done.StreamCount != 2 {
			t.Errorf("Stream Count %d", done.StreamCount)
		}
	})
}

// TestTrackGroupEnds: the end of a group is told in every layout, and nothing may be written behind it.
func TestTrackGroupEnds(t *testing.T) {
	for _, mode := range []LayoutMode{LayoutGroup, LayoutObject, LayoutSpread, LayoutGiven, LayoutDatagram} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			eachDraft(t, func(t *testing.T, d wire.Draft) {
				p := publishing(t, d, Options{Layout: Layout{Mode: mode, Subgroups: 2}, GroupEnds: true})
				s := p.open(Request{})
				p.write(locations(0, 2, 3)...)
				if err := p.track.Write(p.ctx, objectAt(wire.Location{Object: 3})); err == nil {
					t.Error("an object was written to a group that has ended")
				}
				noError(t, p.track.End(p.ctx))
				if err := p.track.Write(p.ctx, objectAt(wire.Location{Group: 9})); err != errTrackEnded {
					t.Errorf("writing behind the end: %v", err)
				}
				got := drain(t, p.ctx, s)
				same(t, got, locations(0, 2, 3), false)
				ends := 0
				for _, o := range got {
					if o.Status == wire.StatusEndOfGroup && o.ObjectID == 3 {
						ends++
					}
				}
				if want := 2; mode != LayoutGroup && ends != want {
					t.Errorf("%d End of Group objects, want %d", ends, want)
				}
				for g := range uint64(2) {
					if a := s.account.groups[g]; !a.hasEnd || a.end != 3 {
						t.Errorf("group %d: the end is not known: %+v", g, a)
					}
				}
			})
		})
	}
}

// TestTrackPublish: PUBLISH brings the track to the peer; objects go before the answer; a refusal is an error and
// resets them.
func TestTrackPublish(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, moqt.Config{}, moqt.Config{})
		track := NewPublished(testNS, testName, Options{})
		noError(t, track.Write(p.ctx, objectAt(wire.Location{})))
		answered := make(chan *Subscribed)
		go func() {
			r := p.accept(p.end(far), wire.KindPublish)
			if l, ok := r.Parameters().Largest(); !ok || l != (wire.Location{}) {
				t.Errorf("PUBLISH says Largest Object %v, %t", l, ok)
			}
			sub, err := r.AcceptPublish(p.ctx, nil)
			noError(t, err)
			answered <- Read(sub, ReadOptions{})
		}()
		pub, err := track.Publish(p.ctx, p.end(near), nil)
		noError(t, err)
		s := <-answered
		noError(t, track.Write(p.ctx, objectAt(wire.Location{Object: 1})))
		same(t, take(t, p.ctx, s, 1), []wire.Location{{Object: 1}}, true)
		if pub.StreamCount() != 1 {
			t.Errorf("%d streams", pub.StreamCount())
		}
		s.Close()
		<-pub.Context().Done()
		settle()
		if track.Subscribers() != 0 {
			t.Error("the subscription is not forgotten")
		}
		go func() {
			noError(t, p.accept(p.end(far), wire.KindPublish).Reject(p.ctx, moqt.RejectUninterested, "no"))
		}()
		var refused *moqt.RequestError
		if _, err := track.Publish(p.ctx, p.end(near), nil); !errors.As(err, &refused) ||
			refused.Name != "UNINTERESTED" {
			t.Errorf("error %v", err)
		}
		noError(t, track.End(p.ctx))
	})
}

// TestTrackRequests: what is not for the track is not answered; TRACK_STATUS is.
func TestTrackRequests(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, moqt.Config{}, moqt.Config{})
		track := NewPublished(testNS, testName,
			Options{Properties: wire.Properties{{Type: wire.PropMaxCacheDuration, Uint: 9}}})
		_, err := p.client.StartSubscribe(p.ctx, &wire.Subscribe{TrackNamespace: testNS, TrackName: "other"})
		noError(t, err)
		r := p.accept(p.server, wire.KindSubscribe)
		if track.Asks(r) || track.Serve(p.ctx, r) == nil {
			t.Error("a request for another track was served")
		}
		noError(t, r.Reject(p.ctx, moqt.RejectDoesNotExist, ""))
		noError(t, track.Write(p.ctx, objectAt(wire.Location{Group: 3, Object: 1})))
		go func() { _ = track.Serve(p.ctx, p.accept(p.server, wire.KindTrackStatus)) }()
		ok, err := p.client.TrackStatus(p.ctx, &wire.TrackStatus{TrackNamespace: testNS, TrackName: testName})
		noError(t, err)
		if l, _ := ok.Parameters.Largest(); l != (wire.Location{Group: 3, Object: 1}) {
			t.Errorf("Largest Object %v", l)
		}
		if v, _ := ok.Properties.Get(wire.PropMaxCacheDuration); d >= wire.Draft18 && v.Uint != 9 {
			t.Errorf("properties %v", ok.Properties)
		}
	})
}

// TestTrackSubscriberEnds: one that unsubscribes, or whose session ends, is no longer there, and the others go on.
func TestTrackSubscriberEnds(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		track := NewPublished(testNS, testName, Options{})
		serve := moqt.Config{Handler: func(r *moqt.Request) { _ = track.Serve(r.Session().Context(), r) }}
		var all []*Subscribed
		var pairs []*sessions
		for range 3 {
			p := dialSessions(t, d, moqt.Config{}, serve)
			s, err := Open(p.ctx, p.client, Request{TrackNamespace: testNS, TrackName: testName})
			noError(t, err)
			all, pairs = append(all, s), append(pairs, p)
		}
		ctx := pairs[0].ctx
		noError(t, track.Write(ctx, objectAt(wire.Location{})))
		for _, s := range all {
			same(t, take(t, ctx, s, 1), []wire.Location{{}}, true)
		}
		all[0].Close()
		if _, err := all[0].Next(ctx); err != errTrackClosed {
			t.Errorf("after Close: %v", err)
		}
		noError(t, pairs[1].client.Close(wire.NoError, ""))
		var closed *moqt.SessionError
		if _, err := all[1].Next(ctx); !errors.As(err, &closed) {
			t.Errorf("after the session: %v", err)
		}
		settle()
		if n := track.Subscribers(); n != 1 {
			t.Errorf("%d subscribers", n)
		}
		noError(t, track.Write(ctx, objectAt(wire.Location{Object: 1})))
		noError(t, track.End(ctx))
		same(t, drain(t, ctx, all[2]), []wire.Location{{Object: 1}}, true)
		if _, err := all[2].Next(ctx); err != io.EOF {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestTrackPace: a track is written at its rate, and who comes late gets the turns that are due.
func TestTrackPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track := NewPublished(testNS, testName, Options{Rate: 1000})
		start := time.Now()
		for _, l := range locations(0, 1, 11) {
			noError(t, track.Write(t.Context(), objectAt(l)))
			if l.Object == 4 {
				time.Sleep(3 * time.Millisecond)
			}
		}
		if d := time.Since(start); d != 10*time.Millisecond {
			t.Errorf("11 objects at 1000/s took %v", d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := track.Write(ctx, objectAt(wire.Location{Group: 1})); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		p := NewPacer(0)
		if _, err := p.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
