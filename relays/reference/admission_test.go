package reference

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestLobby: connections that send no SETUP do not lock anybody out. The one that has waited longest makes room.
func TestLobby(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{Limits: Limits{Lobby: 3, Sessions: 2}})
		var silent []transport.Conn
		for range 10 {
			silent = append(silent, w.connect(d))
			synctest.Wait()
		}
		w.eventually("seven have made room", func() bool { return w.relay.Counters().Sessions.Load() == 3 })
		for i, conn := range silent {
			ended := conn.Context().Err() != nil
			if ended != (i < 7) {
				t.Errorf("connection %d: ended %v", i, ended)
			}
			var why *transport.CloseError
			if ended && (!errors.As(context.Cause(conn.Context()), &why) || why.Code != uint64(wire.InternalError) ||
				!strings.Contains(why.Reason, "without SETUP")) {
				t.Errorf("connection %d is told %v", i, context.Cause(conn.Context()))
			}
		}
		a, b := w.dial(d), w.dial(d)
		synctest.Wait() // a client has its session before the relay has let it in
		if _, err := a.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
			t.Error(err)
		}
		if b.Err() != nil {
			t.Error(b.Err())
		}
		s, err := moqt.Client(w.ctx, w.connect(d), moqt.Config{Drafts: []wire.Draft{d}})
		if err == nil {
			<-s.Context().Done()
			err = s.Err()
		}
		if !strings.Contains(err.Error(), "limit of 2 sessions") {
			t.Errorf("the third session: %v", err)
		}
	})
}

// TestLobbyWithoutToken: with RequireToken, sessions that have shown no valid token wait there too.
func TestLobbyWithoutToken(t *testing.T) {
	onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{RequireToken: "secret", Limits: Limits{Lobby: 2, Sessions: 1}})
		token := wire.Parameters{{Type: wire.ParamAuthorizationToken,
			Token: wire.Token{AliasType: wire.TokenUseValue, Value: []byte("secret")}}}
		good := w.dial(d)
		if _, err := good.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, token); err != nil {
			t.Fatal(err)
		}
		first := w.dial(d)
		for range 3 {
			synctest.Wait()
			w.dial(d)
		}
		<-first.Context().Done()
		var end *moqt.SessionError
		if !errors.As(first.Err(), &end) || end.Code != wire.InternalError ||
			!strings.Contains(end.Reason, "without a valid token") {
			t.Errorf("who has waited longest is told %v", first.Err())
		}
		if good.Err() != nil {
			t.Errorf("the one with a token: %v", good.Err())
		}
		late := w.dial(d)
		_, err := late.PublishNamespace(w.ctx, wire.TrackNamespace{"m"}, token)
		w.refused("a second session with a token", err, moqt.RejectExcessiveLoad)
	})
}

// TestPerAddress: a limit for each address, where it is asked for.
func TestPerAddress(t *testing.T) {
	onDrafts(t, []wire.Draft{18}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{Limits: Limits{PerAddress: 2}})
		from := func(host string, port int) *moqt.Session {
			w.conns = memconn.Options{Info: transport.Info{ALPN: d.ALPN(),
				RemoteAddr: &net.UDPAddr{IP: net.ParseIP(host), Port: port}}}
			s, err := moqt.Client(w.ctx, w.connect(d), moqt.Config{Drafts: []wire.Draft{d}})
			if err != nil {
				return nil
			}
			w.Cleanup(func() { s.Close(wire.NoError, "") })
			return s
		}
		a, b := from("192.0.2.1", 1), from("192.0.2.1", 2)
		if a == nil || b == nil {
			t.Fatal("two sessions of an address are refused")
		}
		if s := from("192.0.2.1", 3); s != nil {
			<-s.Context().Done()
		}
		if from("192.0.2.2", 1) == nil {
			t.Error("another address is refused")
		}
		a.Close(wire.NoError, "")
		w.eventually("a has left", func() bool { return w.relay.Counters().Sessions.Load() == 2 })
		if from("192.0.2.1", 4) == nil {
			t.Error("the address is refused though one has left")
		}
	})
}
