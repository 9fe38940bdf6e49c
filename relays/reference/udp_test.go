//go:build !js

package reference

import (
	"context"
	"crypto/tls"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestOverUDP: one port for both transports; a publisher on one and a subscriber on the other.
func TestOverUDP(t *testing.T) {
	w := newWorld(t, Options{})
	l, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.relay.ServeListener(w.ctx, l) }()
	var sessions []*moqt.Session
	dial := func(choice transport.Choice, d wire.Draft) *moqt.Session {
		t.Helper()
		u, err := transport.ParseURL("moqt://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := endpoint.Dial(w.ctx, endpoint.DialOptions{URL: u, Transport: choice, Drafts: []wire.Draft{d},
			TLS: &tls.Config{InsecureSkipVerify: true}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := moqt.Client(w.ctx, conn, moqt.Config{Drafts: []wire.Draft{d}, Path: u.Path, Authority: u.Authority})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close(wire.NoError, "") })
		sessions = append(sessions, s)
		return s
	}
	tracks := []struct {
		name        string
		from, to    transport.Choice
		first, next wire.Draft
	}{
		{"quic-to-webtransport", transport.OnlyQUIC, transport.OnlyWebTransport, wire.Draft14, wire.Draft22},
		{"webtransport-to-quic", transport.OnlyWebTransport, transport.OnlyQUIC, wire.Draft18, wire.Draft16},
	}
	for _, tt := range tracks {
		pub, err := dial(tt.from, tt.first).Publish(w.ctx,
			&wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: tt.name})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		s := dial(tt.to, tt.next)
		sub := w.subscribe(s, nil, tt.name, "n")
		o := &origin{world: w, objects: make(map[wire.Location]*moqt.Object)}
		o.send(pub, 0, 0, 1, 2, 3, 4)
		if err := pub.SendDatagram(&moqt.Object{GroupID: 1, Priority: 100, Payload: []byte("datagram")}); err != nil {
			t.Fatal(err)
		}
		want := append(o.expected(all5(0)...), item{Group: 1, Priority: 100, Payload: "datagram", Datagram: true})
		w.same(tt.name, want, w.receive(sub, 6))
		w.same("fetched", o.expected(all5(0)...), w.fetched(w.fetch(s, groupEnd(loc(0, 0), 0), false, tt.name, "n")))
	}
	gone := make(chan error, 1)
	go func() { gone <- w.relay.Shutdown(w.ctx) }()
	for _, s := range sessions {
		select {
		case <-s.PeerGoaway():
		case <-s.Context().Done():
			t.Errorf("the relay went without GOAWAY: %v", context.Cause(s.Context()))
		}
		s.Close(wire.NoError, "")
	}
	if err := <-gone; err != nil { // all have left
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Errorf("ServeListener: %v", err)
	}
	_, conn := memconn.Pair(memconn.Options{})
	if err := w.relay.ServeConn(w.ctx, conn); err == nil {
		t.Error("a closed relay serves")
	}
	l.Close()
}

func TestListenAndServe(t *testing.T) {
	w := newWorld(t, Options{})
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if err := w.relay.ListenAndServe(ctx, endpoint.ListenOptions{Addr: "127.0.0.1:0"}); err != nil {
		t.Error(err)
	}
	if err := w.relay.ListenAndServe(w.ctx, endpoint.ListenOptions{Addr: "no such address"}); err == nil {
		t.Error("no error for an address that is none")
	}
}
