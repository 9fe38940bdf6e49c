//go:build !js

package reference

import (
	"context"
	"crypto/tls"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestFirstByte: over UDP the first bytes of an object of 1 MB are with the subscriber before the publisher sends the
// next, and about as soon as a program has them there that does nothing but pass on bytes.
func TestFirstByte(t *testing.T) {
	const size, piece, rounds = 1_000_000, 10_000, 9
	w := newWorld(t, Options{})
	listen := func() *endpoint.Listener {
		l, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	connect := func(l *endpoint.Listener) transport.Conn {
		u, err := transport.ParseURL("moqt://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := endpoint.Dial(w.ctx, endpoint.DialOptions{URL: u, Transport: transport.OnlyQUIC,
			Drafts: []wire.Draft{wire.Draft18}, TLS: &tls.Config{InsecureSkipVerify: true}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.CloseWithError(0, "") })
		return conn
	}
	session := func(l *endpoint.Listener) *moqt.Session {
		s, err := moqt.Client(w.ctx, connect(l), moqt.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close(wire.NoError, "") })
		return s
	}
	relay := listen()
	go w.relay.ServeListener(w.ctx, relay)
	pub, err := session(relay).Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
	if err != nil {
		t.Fatal(err)
	}
	sub := w.subscribe(session(relay), nil, "t", "n")
	payload := pattern(size)
	first := func(out io.Writer, in func() io.Reader) time.Duration {
		began := time.Now()
		var delay time.Duration
		var r io.Reader
		b := make([]byte, piece)
		for sent := 0; sent < size; sent += piece {
			if _, err := out.Write(payload[sent : sent+piece]); err != nil {
				t.Fatal(err)
			}
			if r == nil {
				r = in()
			}
			if _, err := io.ReadFull(r, b[:1]); err != nil { // before any more is sent
				t.Fatal(err)
			}
			if sent == 0 {
				delay = time.Since(began)
			}
			if _, err := io.ReadFull(r, b[1:]); err != nil {
				t.Fatal(err)
			}
		}
		return delay
	}
	plain := listen()
	pair := func() (theirs, ours transport.Conn) { // one by one: their order is not that of handshakes
		theirs = connect(plain)
		ours, err := plain.Accept(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return theirs, ours
	}
	a, from := pair()
	z, to := pair()
	go forward(w.ctx, from, to)
	var ours, theirs []time.Duration
	for i := range rounds {
		sw, err := pub.OpenSubgroup(w.ctx, wire.SubgroupHeader{GroupID: uint64(i), FirstObject: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := sw.BeginObject(&wire.ObjectHeader{PayloadLength: size}, 0); err != nil {
			t.Fatal(err)
		}
		ours = append(ours, first(sw, func() io.Reader {
			r, err := sub.AcceptSubgroup(w.ctx)
			if err == nil {
				_, err = r.Next()
			}
			if err != nil {
				t.Fatal(err)
			}
			return r
		}))
		sw.Close()
		out, err := a.OpenUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		theirs = append(theirs, first(out, func() io.Reader {
			in, err := z.AcceptUniStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			return in
		}))
		out.Close()
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	t.Logf("first byte after %s, through a forwarder after %s", ours[rounds/2], theirs[rounds/2])
	if most := 2*theirs[rounds/2] + 20*time.Millisecond; ours[rounds/2] > most { // the machine may be busy
		t.Errorf("more than %s", most)
	}
}

// forward passes on the unidirectional streams of a connection to another, in reads of 64 KiB.
func forward(ctx context.Context, a, z transport.Conn) {
	for {
		in, err := a.AcceptUniStream(ctx)
		if err != nil {
			return
		}
		out, err := z.OpenUniStream(ctx)
		if err != nil {
			return
		}
		_, _ = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, make([]byte, 64<<10))
		out.Close()
	}
}
