package moqt

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestSetup(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{Implementation: "one", Path: "/p?q=1", Authority: "example.com:443"},
			Config{Implementation: "two"})
		if p.client.Draft() != d || p.server.Draft() != d {
			t.Errorf("drafts %s and %s, want %s", p.client.Draft(), p.server.Draft(), d)
		}
		if a, b := p.client.PeerImplementation(), p.server.PeerImplementation(); a != "two" || b != "one" {
			t.Errorf("implementations %q and %q", a, b)
		}
		if a, b := p.server.Path(), p.server.Authority(); a != "/p?q=1" || b != "example.com:443" {
			t.Errorf("path %q, authority %q", a, b)
		}
		noError(t, p.client.Close(wire.NoError, "bye"))
		<-p.server.Context().Done()
		cause := context.Cause(p.server.Context())
		var e *SessionError
		if !errors.As(cause, &e) || e.Side != wire.ClientSide || e.Local || e.Code != wire.NoError ||
			e.Reason != "bye" || e.Name != "NO_ERROR" {
			t.Errorf("the server sees %#v", cause)
		}
		if !errors.Is(cause, net.ErrClosed) {
			t.Error("not net.ErrClosed")
		}
		if err := p.server.Close(wire.InternalError, "late"); err != cause {
			t.Errorf("Close gave %v, want the first cause", err)
		}
	})
}

func TestSubscribeAndObjects(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		sub, pub := p.established(p.end(near), p.end(far), subscribeMessage(), nil)
		for g := range uint64(3) {
			w, err := pub.OpenSubgroup(p.ctx, wire.SubgroupHeader{GroupID: g, Priority: 128})
			noError(t, err)
			for o := range uint64(5) {
				noError(t, w.WriteObject(&Object{ObjectID: o, Payload: []byte{byte(g), byte(o)}}))
			}
			noError(t, w.Close())
		}
		noError(t, pub.Done(p.ctx, DoneTrackEnded, "over"))
		seen := map[wire.Location]bool{}
		for {
			o, err := sub.Next(p.ctx)
			if err == io.EOF {
				break
			}
			noError(t, err)
			if seen[o.Location()] || o.Priority != 128 ||
				string(o.Payload) != string([]byte{byte(o.GroupID), byte(o.ObjectID)}) {
				t.Errorf("object %v again or wrong: %+v", o, o)
			}
			seen[o.Location()] = true
		}
		if len(seen) != 15 || sub.StreamsSeen() != 3 {
			t.Errorf("%d objects on %d streams", len(seen), sub.StreamsSeen())
		}
		done, err := sub.Done(p.ctx)
		noError(t, err)
		if done.StreamCount != 3 || DoneName(d, done.StatusCode) != "TRACK_ENDED" || done.Reason != "over" {
			t.Errorf("PUBLISH_DONE %+v", done)
		}
	})
}
