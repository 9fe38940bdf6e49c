package track

import (
	"errors"
	"io"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestJoin: live and past together are each object once, whatever the draft's means: joining FETCH or fill.
func TestJoin(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		for _, q := range []JoinRequest{{GroupsBack: 0}, {GroupsBack: 2}, {GroupsBack: 99},
			{Start: &wire.Location{Group: 3}}, {Start: &wire.Location{}}} {
			q.TrackNamespace, q.TrackName = testNS, testName
			p := dialSessions(t, d, moqt.Config{}, moqt.Config{})
			go servePast(p, p.end(far), q)
			j, err := Join(p.ctx, p.end(near), q)
			noError(t, err)
			past, err := rest(t, p.ctx, j.Past.Next)
			if err != io.EOF {
				t.Fatalf("the past ended with %v", err)
			}
			first := uint64(0)
			switch {
			case q.Start != nil:
				first = q.Start.Group
			case q.GroupsBack <= 5:
				first = 5 - q.GroupsBack
			}
			var want []wire.Location
			for g := first; g <= 5; g++ {
				want = append(want, loc(g, 0), loc(g, 1))
			}
			live, err := rest(t, p.ctx, j.Live.Next)
			if err != io.EOF || len(live) != 1 || live[0] != loc(5, 2) {
				t.Errorf("live %v, %v", live, err)
			}
			if len(past) != len(want) {
				t.Fatalf("past %v, want %v", past, want)
			}
			for i := range past {
				if past[i] != want[i] {
					t.Errorf("past %v, want %v", past, want)
				}
			}
		}
	})
}

// servePast is a publisher of groups up to 5 with objects 0 and 1, that answers a join and goes on with {5,2}.
func servePast(p *sessions, s *moqt.Session, q JoinRequest) {
	r, err := s.AcceptRequest(p.ctx)
	if err != nil {
		p.t.Error(err)
		return
	}
	pub, err := r.AcceptSubscribe(p.ctx, largest(5, 1))
	if err != nil {
		p.t.Error(err)
		return
	}
	if f, _ := pub.Parameters().Filter(); f.Form != wire.FilterNextObject {
		p.t.Errorf("filter %s", f)
	}
	w, first := (*moqt.FetchWriter)(nil), uint64(0)
	if p.draft >= wire.Draft20 {
		inner, _ := r.AskedParameters().Get(wire.ParamFillParameters)
		f, _ := inner.Inner.Filter()
		start, _, _ := f.Bounds(loc(5, 1), true)
		first = start.Group
		w, err = s.OpenFill(p.ctx, r.ID())
	} else {
		var fetch *moqt.Request
		if fetch, err = s.AcceptRequest(p.ctx); err != nil {
			p.t.Error(err)
			return
		}
		asked, _ := fetch.FetchRange()
		if asked.Joining == nil || asked.Joining.Target != r || asked.TrackName != testName ||
			!asked.TrackNamespace.Equal(testNS) {
			p.t.Errorf("%+v", asked)
			return
		}
		first = asked.Joining.Start
		if asked.Joining.Relative {
			first = 5 - asked.Joining.Start
		}
		w, err = fetch.AcceptFetch(p.ctx, &wire.FetchOK{End: loc(5, 1)})
	}
	if err != nil {
		p.t.Error(err)
		return
	}
	for g := first; g <= 5; g++ {
		for o := range uint64(2) {
			if err := w.WriteObject(&moqt.Object{GroupID: g, ObjectID: o, Payload: []byte("x")}); err != nil {
				p.t.Error(err)
				return
			}
		}
	}
	noError(p.t, w.Close())
	send(p.t, p.ctx, pub, wire.SubgroupHeader{GroupID: 5}, 2)
	noError(p.t, pub.Done(p.ctx, moqt.DoneTrackEnded, ""))
	want := uint64(1)
	if p.draft >= wire.Draft20 {
		want = 2 // fills count (draft-20 §10.12)
	}
	if pub.StreamCount() != want {
		p.t.Errorf("%d streams, want %d", pub.StreamCount(), want)
	}
}

// TestJoinNothing: nothing was published: there is no past, and nothing goes wrong.
func TestJoinNothing(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, moqt.Config{}, moqt.Config{})
		j, err := StartJoin(p.ctx, p.client, JoinRequest{TrackNamespace: testNS, TrackName: testName})
		noError(t, err)
		pub, err := p.accept(p.server, wire.KindSubscribe).AcceptSubscribe(p.ctx, nil)
		noError(t, err)
		noError(t, j.Ready(p.ctx))
		if _, err := j.Past.Next(p.ctx); err != io.EOF {
			t.Errorf("the past: %v", err)
		}
		send(t, p.ctx, pub, wire.SubgroupHeader{}, 0)
		_, err = j.Live.Next(p.ctx)
		noError(t, err)
		j.Past.Cancel()
	})
}

// TestFillFails: a fill that is reset leaves the subscription as it is; cancelling the subscription ends its fills (20
// and later).
func TestFillFails(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft20 {
			return
		}
		p := dialSessions(t, d, moqt.Config{}, moqt.Config{})
		j, err := StartJoin(p.ctx, p.client, JoinRequest{TrackNamespace: testNS, TrackName: testName})
		noError(t, err)
		r := p.accept(p.server, wire.KindSubscribe)
		pub, err := r.AcceptSubscribe(p.ctx, largest(1, 1), moqt.ManualUpdates())
		noError(t, err)
		w, err := p.server.OpenFill(p.ctx, r.ID())
		noError(t, err)
		noError(t, w.Flush())
		settle()
		w.Reset(moqt.ResetTooFarBehind.Number(d))
		var reset *transport.StreamError
		if _, err := j.Past.Next(p.ctx); !errors.As(err, &reset) || reset.Code != moqt.ResetTooFarBehind.Number(d) {
			t.Errorf("the fill: %v", err)
		}
		send(t, p.ctx, pub, wire.SubgroupHeader{GroupID: 2}, 0)
		_, err = j.Live.Next(p.ctx)
		noError(t, err)

		var ps wire.Parameters
		ps.Set(wire.Parameter{Type: wire.ParamFillParameters,
			Inner: filtered(wire.LocationFilter{Form: wire.FilterRelative, StartGroup: 2})})
		var fill *moqt.Fetch
		done := make(chan error, 1)
		go func() {
			var err error
			_, fill, err = j.Live.UpdateFill(p.ctx, ps)
			done <- err
		}()
		u, err := pub.NextUpdate(p.ctx)
		noError(t, err)
		answer := &wire.RequestOK{}
		answer.Parameters.SetLargest(loc(2, 0))
		noError(t, u.Accept(p.ctx, answer))
		noError(t, <-done)
		w, err = p.server.OpenFill(p.ctx, u.Message.RequestID)
		noError(t, err)
		noError(t, w.WriteObject(&moqt.Object{GroupID: 1, Payload: []byte("x")}))
		_, err = fill.Next(p.ctx)
		noError(t, err)
		j.Live.Unsubscribe()
		var cancelled *moqt.CancelError
		if _, err := fill.Next(p.ctx); !errors.As(err, &cancelled) {
			t.Errorf("the fill of a cancelled subscription: %v", err)
		}
		settle()
		if err := w.WriteObject(&moqt.Object{GroupID: 1, ObjectID: 1}); !errors.As(err, &reset) {
			t.Errorf("the publisher fills on: %v", err)
		}
	})
}
