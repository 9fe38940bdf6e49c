package reference

import (
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestDoneThenGone: the code of a publisher's PUBLISH_DONE reaches subscribers also when its session ends right after
// that, while streams that it has promised may still come.
func TestDoneThenGone(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(d, "n")
		sub := w.subscribe(w.dial(wire.Draft18), nil, "t", "n")
		pub := o.publication()
		o.send(pub, 0, 0)
		w.receive(sub, 1)
		err := pub.Done(w.ctx, moqt.DoneTrackEnded, "the end", moqt.WithStreamCount(2))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		o.s.Close(wire.NoError, "")
		_, done := w.finish(sub)
		if done.StatusCode != moqt.DoneTrackEnded.Number(wire.Draft18) || done.Reason != "the end" {
			t.Errorf("PUBLISH_DONE with 0x%x %q, want TRACK_ENDED and the publisher's reason", done.StatusCode,
				done.Reason)
		}
	})
}

// TestRequestReset: a publisher that resets the stream of a subscription has not lost its session: the subscriber is
// told so, and a second track goes on.
func TestRequestReset(t *testing.T) {
	onDrafts(t, []wire.Draft{17, 18, 19, 20, 21, 22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		o := w.announce(d, "n")
		s := w.dial(wire.Draft18)
		sub, other := w.subscribe(s, nil, "t", "n"), w.subscribe(s, nil, "u", "n")
		pubs := map[string]*moqt.Publication{}
		for range 2 {
			pub := o.publication()
			pubs[pub.Request().TrackName()] = pub
		}
		pubs["t"].Request().Cancel(moqt.ResetInternalError)
		_, done := w.finish(sub)
		if !strings.Contains(done.Reason, "cancelled") || strings.Contains(done.Reason, "session") {
			t.Errorf("PUBLISH_DONE says %q, want that the publisher has cancelled the track", done.Reason)
		}
		o.send(pubs["u"], 0, 0)
		w.receive(other, 1)
	})
}

// TestSilentPublisher: a publisher that never answers is given up after Limits.Fetch: the subscriber is refused with
// TIMEOUT (INTERNAL_ERROR where the draft has none), and the publisher is asked again by the next one.
func TestSilentPublisher(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{Limits: Limits{Fetch: time.Second}})
		s := w.dial(d)
		if _, err := s.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := w.dial(wire.Draft18).Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"},
			TrackName: "t"})
		w.refused("SUBSCRIBE", err, moqt.RejectTimeout)
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if _, err := s.AcceptRequest(w.ctx); err != nil {
			t.Fatal(err)
		}
		go func() {
			if req, err := s.AcceptRequest(w.ctx); err == nil {
				req.AcceptSubscribe(w.ctx, nil)
			}
		}()
		w.subscribe(w.dial(wire.Draft18), nil, "t", "n")
	})
}

// TestSilentSubscriber: a session that asked for tracks and never answers a PUBLISH does not keep the track's objects
// for ever: it is given up after Limits.Fetch.
func TestSilentSubscriber(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{Limits: Limits{Fetch: time.Second}})
		s := w.dial(d)
		if d >= wire.Draft18 {
			if _, err := s.SubscribeTracks(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
				t.Fatal(err)
			}
		} else {
			m := &wire.SubscribeNamespace{Prefix: wire.TrackNamespace{"n"}, Options: wire.SubscribePublishes}
			req, err := s.Start(w.ctx, m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := req.Response(w.ctx); err != nil {
				t.Fatal(err)
			}
		}
		o := w.origin(wire.Draft18)
		if _, err := o.s.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"},
			TrackName: "t"}); err != nil {
			t.Fatal(err)
		}
		w.eventually("it is a subscriber", func() bool { return w.relay.Counters().Subscriptions.Load() == 1 })
		w.eventually("it is given up", func() bool { return w.relay.Counters().Subscriptions.Load() == 0 })
	})
}
