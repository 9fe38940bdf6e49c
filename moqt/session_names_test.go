package moqt

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestNamespaceEvents: namespaces under a prefix come and go, however the draft says so.
func TestNamespaceEvents(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		prefix := wire.TrackNamespace{"room"}
		sub, err := p.end(near).StartSubscribeNamespace(p.ctx, &wire.SubscribeNamespace{Prefix: prefix,
			Options: wire.SubscribeNamespaces})
		noError(t, err)
		in := p.accept(p.end(far), wire.KindSubscribeNamespace)
		noError(t, in.Accept(p.ctx, nil))
		noError(t, sub.Ready(p.ctx))
		one, two, other := prefix.Join("1"), prefix.Join("2"), wire.TrackNamespace{"hall"}
		var announcements []*Announcement
		for _, ns := range []wire.TrackNamespace{one, two} {
			if d <= wire.Draft15 {
				a, err := p.end(far).PublishNamespace(p.ctx, ns, nil)
				noError(t, err)
				announcements = append(announcements, a)
			} else {
				noError(t, in.Send(p.ctx, &wire.Namespace{Suffix: ns[len(prefix):]}))
			}
			e, err := sub.Next(p.ctx)
			noError(t, err)
			if e.Done || !e.Namespace.Equal(ns) {
				t.Errorf("%+v, want %s", e, ns)
			}
		}
		if _, err := p.end(far).StartPublishNamespace(p.ctx, other, nil); err != nil {
			t.Fatal(err)
		}
		if r := p.accept(p.end(near), wire.KindPublishNamespace); !r.TrackNamespace().Equal(other) {
			t.Errorf("what is not under the prefix is a request: %s", r.TrackNamespace())
		}
		if d <= wire.Draft15 {
			announcements[0].Withdraw()
		} else {
			noError(t, in.Send(p.ctx, &wire.NamespaceDone{Suffix: one[len(prefix):]}))
		}
		e, err := sub.Next(p.ctx)
		noError(t, err)
		if !e.Done || !e.Namespace.Equal(one) {
			t.Errorf("%+v, want the end of %s", e, one)
		}
		if d >= wire.Draft17 { // the publisher ends the subscription: what it had announced is gone
			in.Cancel(ResetGoingAway)
			e, err := sub.Next(p.ctx)
			noError(t, err)
			if !e.Done || !e.Namespace.Equal(two) {
				t.Errorf("%+v, want the end of %s", e, two)
			}
			var cancelled *CancelError
			if _, err := sub.Next(p.ctx); !errors.As(err, &cancelled) || cancelled.Code != ResetGoingAway.Number(d) {
				t.Errorf("the end: %v", err)
			}
			return
		}
		sub.Close()
		<-in.Context().Done()
	})
}

// TestNamespacesKnown: in 14 and 15 a peer may announce unasked, and does not announce that again to a subscription
// (draft-14 §9.28), nor to the next one. Each is told of it all the same, and of its end.
func TestNamespacesKnown(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		if d > wire.Draft15 {
			return
		}
		p := dialSessions(t, d, Config{}, Config{})
		room := wire.TrackNamespace{"room"}
		var announcements []*Announcement
		for _, ns := range []wire.TrackNamespace{room.Join("1"), {"hall"}, room.Join("2"), room.Join("refused")} {
			a, err := p.end(far).StartPublishNamespace(p.ctx, ns, nil)
			noError(t, err)
			announcements = append(announcements, a)
			in := p.accept(p.end(near), wire.KindPublishNamespace)
			if ns.Equal(room.Join("refused")) {
				noError(t, in.Reject(p.ctx, RejectUnauthorized, "no"))
			} else {
				noError(t, in.Accept(p.ctx, nil))
			}
		}
		for range 2 {
			sub, err := p.end(near).StartSubscribeNamespace(p.ctx, &wire.SubscribeNamespace{Prefix: room})
			noError(t, err)
			in := p.accept(p.end(far), wire.KindSubscribeNamespace)
			noError(t, in.Accept(p.ctx, nil))
			noError(t, sub.Ready(p.ctx))
			for _, want := range []string{"1", "2"} {
				e, err := sub.Next(p.ctx)
				noError(t, err)
				if e.Done || !e.Namespace.Equal(room.Join(want)) {
					t.Errorf("%+v, want %s", e, want)
				}
			}
			sub.Close()
			<-in.Context().Done()
		}
		sub, err := p.end(near).StartSubscribeNamespace(p.ctx, &wire.SubscribeNamespace{Prefix: room.Join("1")})
		noError(t, err)
		announcements[0].Withdraw()
		for _, done := range []bool{false, true} {
			e, err := sub.Next(p.ctx)
			noError(t, err)
			if e.Done != done || !e.Namespace.Equal(room.Join("1")) {
				t.Errorf("%+v, want 1, done %v", e, done)
			}
		}
	})
}

// TestPrefixUpdate: suffixes behind the answer are relative to the new prefix (draft-18 §10.9.2).
func TestPrefixUpdate(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft18 {
			return
		}
		p := dialSessions(t, d, Config{}, Config{})
		sub, err := p.client.StartSubscribeNamespace(p.ctx, &wire.SubscribeNamespace{Prefix: wire.TrackNamespace{"a"}})
		noError(t, err)
		in := p.accept(p.server, wire.KindSubscribeNamespace)
		noError(t, in.Accept(p.ctx, nil))
		noError(t, in.Send(p.ctx, &wire.Namespace{Suffix: wire.TrackNamespace{"b", "c"}}))
		var ps wire.Parameters
		ps.Set(wire.Parameter{Type: wire.ParamTrackNamespacePrefix, Namespace: wire.TrackNamespace{"a", "b"}})
		done := make(chan error, 1)
		go func() {
			_, err := sub.Request().Update(p.ctx, ps)
			done <- err
		}()
		u, err := in.Next(p.ctx)
		noError(t, err)
		noError(t, in.AcceptUpdate(p.ctx, u.(*wire.RequestUpdate), nil))
		noError(t, <-done)
		noError(t, in.Send(p.ctx, &wire.NamespaceDone{Suffix: wire.TrackNamespace{"c"}}))
		want := wire.TrackNamespace{"a", "b", "c"}
		for _, done := range []bool{false, true} {
			e, err := sub.Next(p.ctx)
			noError(t, err)
			if e.Done != done || !e.Namespace.Equal(want) {
				t.Errorf("%+v, want %s, done %v", e, want, done)
			}
		}
		in.CloseSend()
		if _, err := sub.Next(p.ctx); err != io.EOF {
			t.Errorf("FIN of the publisher: %v", err)
		}
	})
}

// TestSubscribeTracks: PUBLISHes come as requests, and what is skipped is told.
func TestSubscribeTracks(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		sub, err := p.end(near).StartSubscribeTracks(p.ctx, testNS[:1], nil)
		noError(t, err)
		kind := wire.KindSubscribeTracks
		if d <= wire.Draft17 {
			kind = wire.KindSubscribeNamespace
		}
		in := p.accept(p.end(far), kind)
		if m, ok := in.Message().(*wire.SubscribeNamespace); ok && m.Options != wire.SubscribePublishes {
			t.Errorf("options %d", m.Options)
		}
		noError(t, in.Accept(p.ctx, nil))
		noError(t, sub.Ready(p.ctx))
		pub, err := p.end(far).StartPublish(p.ctx, publishMessage())
		noError(t, err)
		got, err := p.accept(p.end(near), wire.KindPublish).AcceptPublish(p.ctx, nil)
		noError(t, err)
		noError(t, pub.Ready(p.ctx))
		if d >= wire.Draft17 {
			noError(t, in.Send(p.ctx, &wire.PublishSkipped{Suffix: testNS[1:], TrackName: "audio"}))
			skipped, err := sub.NextSkipped(p.ctx)
			noError(t, err)
			if skipped.TrackName != "audio" {
				t.Errorf("%+v", skipped)
			}
		}
		sub.Close()
		if d != wire.Draft16 {
			<-in.Context().Done()
		}
		if got.Context().Err() != nil {
			t.Errorf("the subscription went too: %v", context.Cause(got.Context()))
		}
	})
}

// TestAnnouncement: withdrawn, and announced again.
func TestAnnouncement(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{Handler: nil})
		for range 3 {
			a, err := p.end(near).StartPublishNamespace(p.ctx, testNS, nil)
			noError(t, err)
			in := p.accept(p.end(far), wire.KindPublishNamespace)
			noError(t, in.Accept(p.ctx, nil))
			noError(t, a.Ready(p.ctx))
			a.Withdraw()
			<-in.Context().Done()
			<-a.Context().Done()
		}
	})
}

// TestTrackStatus has an answer in every draft; from 18 on with properties.
func TestTrackStatus(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		go func() {
			r, err := p.end(far).AcceptRequest(p.ctx)
			if err != nil {
				t.Error(err)
				return
			}
			ok := &wire.RequestOK{}
			ok.Parameters.SetLargest(loc(2, 3))
			if d >= wire.Draft18 {
				ok.Properties = wire.Properties{{Type: wire.PropDefaultPublisherPriority, Uint: 9}}
			}
			if err := r.Accept(p.ctx, ok); err != nil {
				t.Error(err)
			}
		}()
		ok, err := p.end(near).TrackStatus(p.ctx, &wire.TrackStatus{TrackNamespace: testNS, TrackName: testName})
		noError(t, err)
		if l, _ := ok.Parameters.Largest(); l != loc(2, 3) {
			t.Errorf("%+v", ok)
		}
		if _, has := ok.Properties.Get(wire.PropDefaultPublisherPriority); has != (d >= wire.Draft18) {
			t.Errorf("properties %v", ok.Properties)
		}
	})
}
