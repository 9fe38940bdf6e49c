package reference

import (
	"errors"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestNamespaces: a subscriber of a prefix is told of what there is, what comes and what goes.
func TestNamespaces(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		first, second := w.dial(d), w.dial(wire.Draft16)
		announce := func(s *moqt.Session, ns ...string) *moqt.Announcement {
			a, err := s.PublishNamespace(w.ctx, ns, nil)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		a := announce(first, "live", "one")
		announce(first, "other")
		s := w.dial(d)
		sub, err := s.SubscribeNamespace(w.ctx, wire.TrackNamespace{"live"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		expect := func(ns wire.TrackNamespace, done bool) {
			t.Helper()
			e, err := sub.Next(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			w.same("event", moqt.NamespaceEvent{Namespace: ns, Done: done}, e)
		}
		one, two := wire.TrackNamespace{"live", "one"}, wire.TrackNamespace{"live", "two", "x"}
		expect(one, false)
		b := announce(second, "live", "two", "x")
		expect(two, false)
		again := announce(second, "live", "one") // a second publisher changes nothing
		a.Withdraw()
		b.Withdraw()
		expect(two, true)
		again.Withdraw()
		expect(one, true)
		announce(second, "live", "one").Withdraw() // comes and goes
		expect(one, false)
		expect(one, true)
	})
}

// TestPrefixOverlap: one prefix of a session may not be a prefix of another.
func TestPrefixOverlap(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		s := w.dial(d)
		sub, err := s.SubscribeNamespace(w.ctx, wire.TrackNamespace{"a", "b"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, prefix := range []wire.TrackNamespace{{"a"}, {"a", "b"}, {"a", "b", "c"}} {
			_, err := s.SubscribeNamespace(w.ctx, prefix, nil)
			w.refused(prefix.String(), err, moqt.RejectPrefixOverlap)
		}
		if _, err := s.SubscribeNamespace(w.ctx, wire.TrackNamespace{"a", "x"}, nil); err != nil {
			t.Errorf("another prefix with the same first field: %v", err)
		}
		sub.Close()
		w.eventually("it is taken once the first is closed", func() bool {
			_, err := s.SubscribeNamespace(w.ctx, wire.TrackNamespace{"a", "b", "c"}, nil)
			return err == nil
		})
	})
}

// TestTracks: PUBLISH goes on to who subscribed to the tracks of a prefix, before or after.
func TestTracks(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.origin(wire.Draft17)
		publish := func(name string) *moqt.Publication {
			pub, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n", "m"},
				TrackName: name})
			if err != nil {
				t.Fatal(err)
			}
			return pub
		}
		before := publish("before")
		s := w.dial(d)
		if _, err := s.SubscribeTracks(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
			t.Fatal(err)
		}
		accept := func(name string) *moqt.Subscription {
			t.Helper()
			req, err := s.AcceptRequest(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if req.Kind() != wire.KindPublish || req.TrackName() != name ||
				!req.TrackNamespace().Equal(wire.TrackNamespace{"n", "m"}) {
				t.Fatalf("%s of %s/%s, want PUBLISH of n/m/%s", req.Kind(), req.TrackNamespace(), req.TrackName(), name)
			}
			sub, err := req.AcceptPublish(w.ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			return sub
		}
		one := accept("before")
		after := publish("after")
		two := accept("after")
		o.send(before, 0, 0)
		w.same("track published before", o.expected(loc(0, 0)), w.receive(one, 1))
		o.send(after, 0, 0)
		w.same("track published after", o.expected(loc(0, 0)), w.receive(two, 1))
		before.Done(w.ctx, moqt.DoneTrackEnded, "")
		if _, done := w.finish(one); done.StreamCount != 1 {
			t.Errorf("Stream Count %d, want 1", done.StreamCount)
		}
	})
}

// TestOwnTracks: from 18 on a session is not given its own tracks (draft-18 §6.1).
func TestOwnTracks(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft18, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		s := w.dial(d)
		if _, err := s.SubscribeTracks(w.ctx, nil, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"},
			TrackName: "own"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.dial(d).Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"},
			TrackName: "other"}); err != nil {
			t.Fatal(err)
		}
		req, err := s.AcceptRequest(w.ctx)
		if err != nil || req.TrackName() != "other" {
			t.Fatalf("got %v, %v, want the PUBLISH of the other session", req, err)
		}
	})
}

// TestSkipped: a track for which a session has no room is named in PUBLISH_SKIPPED.
func TestSkipped(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft17, wire.Draft18, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{Limits: Limits{Subscriptions: 1}})
		o := w.announce(d, "a")
		s := w.dial(d)
		w.subscribe(s, nil, "t", "a")
		tracks, err := s.SubscribeTracks(w.ctx, wire.TrackNamespace{"n"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n", "m"},
			TrackName: "t"}); err != nil {
			t.Fatal(err)
		}
		skipped, err := tracks.NextSkipped(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		w.same("skipped", &wire.PublishSkipped{Suffix: wire.TrackNamespace{"m"}, TrackName: "t"}, skipped)
	})
}

// TestChangedPrefix: an update moves a namespace subscription (draft-18 §10.9.2).
func TestChangedPrefix(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft18, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		for _, ns := range []string{"a", "b"} {
			if _, err := w.dial(d).PublishNamespace(w.ctx, wire.TrackNamespace{ns, "x"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		req, err := w.dial(d).Start(w.ctx, &wire.SubscribeNamespace{Prefix: wire.TrackNamespace{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := req.Response(w.ctx); err != nil {
			t.Fatal(err)
		}
		next := func() wire.Message {
			t.Helper()
			m, err := req.Next(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		w.same("under a", &wire.Namespace{Suffix: wire.TrackNamespace{"x"}}, next())
		if _, err := req.Update(w.ctx, wire.Parameters{{Type: wire.ParamTrackNamespacePrefix,
			Namespace: wire.TrackNamespace{"b"}}}); err != nil {
			t.Fatal(err)
		}
		w.same("under b", &wire.Namespace{Suffix: wire.TrackNamespace{"x"}}, next())
	})
}

// TestToken: requests without the token that is required are refused.
func TestToken(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{RequireToken: "secret"})
		s := w.dial(d)
		_, err := s.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil)
		w.refused("without", err, moqt.RejectUnauthorized)
		token := func(value string) wire.Parameters {
			return wire.Parameters{{Type: wire.ParamAuthorizationToken,
				Token: wire.Token{AliasType: wire.TokenUseValue, Value: []byte(value)}}}
		}
		_, err = s.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, token("wrong"))
		w.refused("a wrong one", err, moqt.RejectUnauthorized)
		if _, err = s.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, token("secret")); err != nil {
			t.Errorf("the right one: %v", err)
		}
	})
}

// TestLimits: what is too much is refused, and the session goes on.
func TestLimits(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{Limits: Limits{Sessions: 2, Subscriptions: 1, Namespaces: 1}})
		o := w.announce(d, "n")
		_, err := o.s.PublishNamespace(w.ctx, wire.TrackNamespace{"m"}, nil)
		w.refused("a second namespace", err, moqt.RejectExcessiveLoad)
		s := w.dial(d)
		w.subscribe(s, nil, "t", "n")
		_, err = s.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "u"})
		w.refused("a second subscription", err, moqt.RejectExcessiveLoad)
		_, err = moqt.Client(w.ctx, w.connect(d), moqt.Config{})
		var closed *moqt.SessionError
		if !errors.As(err, &closed) || closed.Local || closed.Code != wire.InternalError {
			t.Errorf("a third session: %v, want that the relay closes it with INTERNAL_ERROR", err)
		}
	})
}

// TestDuplicateSubscription: from 16 to 18 a second SUBSCRIBE of a session to a track is an error, from 19 on it is
// not.
func TestDuplicateSubscription(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft16, wire.Draft17, wire.Draft18, wire.Draft19, wire.Draft22},
		func(t *testing.T, d wire.Draft) {
			w := newWorld(t, Options{})
			o := w.announce(wire.Draft16, "n")
			s := w.dial(d)
			first := w.subscribe(s, nil, "t", "n")
			if d <= wire.Draft18 {
				_, err := s.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
				w.refused("second", err, moqt.RejectDuplicateSubscription)
				return
			}
			second := w.subscribe(s, nil, "t", "n")
			o.send(o.publication(), 0, 0)
			w.same("first", o.expected(loc(0, 0)), w.receive(first, 1))
			w.same("second", o.expected(loc(0, 0)), w.receive(second, 1))
		})
}

// TestTrackStatus: the relay answers what it follows, and asks the publisher for the rest.
func TestTrackStatus(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(wire.Draft16, "n")
		s := w.dial(d)
		status := func() wire.Location {
			t.Helper()
			ok, err := s.TrackStatus(w.ctx, &wire.TrackStatus{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
			if err != nil {
				t.Fatal(err)
			}
			largest, _ := ok.Parameters.Largest()
			return largest
		}
		w.same("from the publisher", loc(3, 4), status())
		sub := w.subscribe(s, nil, "t", "n")
		o.send(o.publication(), 7, 0, 1)
		w.receive(sub, 2)
		w.same("from the relay", loc(7, 1), status())
	})
}
