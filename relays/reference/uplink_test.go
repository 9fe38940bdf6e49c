//go:build !js

package reference

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

const (
	overQUIC = transport.OnlyQUIC
	overWeb  = transport.OnlyWebTransport
)

// link is a way from a relay to its parent.
type link struct {
	draft     wire.Draft
	transport transport.Choice
}

// behind says how a relay reaches its parent at an address, which may not be known yet.
func (k link) behind(addr func() string) *Parent {
	return &Parent{Name: "parent", Authority: "parent", Backoff: 20 * time.Millisecond,
		MaxBackoff: 200 * time.Millisecond,
		Dial: func(ctx context.Context) (transport.Conn, error) {
			u, err := transport.ParseURL("moqt://" + addr())
			if err != nil {
				return nil, err
			}
			return endpoint.Dial(ctx, endpoint.DialOptions{URL: u, Transport: k.transport,
				Drafts: []wire.Draft{k.draft}, TLS: &tls.Config{InsecureSkipVerify: true}})
		}}
}

// onSocket has a world's relay listen on an address, of which port 0 is any; stop ends that.
func onSocket(w *world, addr string) (at string, stop func()) {
	w.Helper()
	l, err := endpoint.Listen(endpoint.ListenOptions{Addr: addr})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.relay.ServeListener(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
		l.Close()
	})
	w.Cleanup(stop)
	return l.Addr().String(), stop
}

// chain is a row of relays over real sockets, the first with no parent and each other one behind the one before.
func chain(t *testing.T, links ...link) []*world {
	t.Helper()
	row := []*world{newWorld(t, Options{})}
	for _, k := range links {
		at, _ := onSocket(row[len(row)-1], "127.0.0.1:0")
		w := newWorld(t, Options{Parent: k.behind(func() string { return at })})
		row = append(row, w)
		connected(w)
	}
	return row
}

// connected waits until a relay may ask its parent.
func connected(w *world) {
	w.Helper()
	w.eventually("the parent is there", func() bool {
		w.relay.mu.Lock()
		defer w.relay.mu.Unlock()
		return w.relay.uplink.ready
	})
}

// TestChain: three relays in a row over real sockets, of which each hop speaks another draft. What is published at one
// end is found, subscribed to and fetched at the other, both ways.
func TestChain(t *testing.T) {
	for _, c := range []struct {
		first, second link
		top, bottom   wire.Draft // of the clients
	}{
		{link{wire.Draft14, overQUIC}, link{wire.Draft18, overWeb}, wire.Draft22, wire.Draft16},
		{link{wire.Draft22, overQUIC}, link{wire.Draft16, overQUIC}, wire.Draft18, wire.Draft14},
		{link{wire.Draft17, overWeb}, link{wire.Draft20, overQUIC}, wire.Draft15, wire.Draft19},
		{link{wire.Draft21, overQUIC}, link{wire.Draft15, overWeb}, wire.Draft17, wire.Draft21},
	} {
		name := fmt.Sprintf("%d-[%d]-[%d]-%d", c.top, c.first.draft, c.second.draft, c.bottom)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row := chain(t, c.first, c.second)
			testChain(t, row[0], c.top, row[2], c.bottom)
			testChain(t, row[2], c.bottom, row[0], c.top)
		})
	}
}

// testChain publishes at one relay and reads at another.
func testChain(t *testing.T, at *world, d wire.Draft, from *world, e wire.Draft) {
	t.Helper()
	ns := wire.TrackNamespace{"chain", fmt.Sprintf("%p", at)}
	reader := from.dial(e)
	names, err := reader.SubscribeNamespace(from.ctx, ns[:1], nil)
	if err != nil {
		t.Fatal(err)
	}
	o := at.announce(d, ns...)
	if got, err := names.Next(from.ctx); err != nil || got.Done || !got.Namespace.Equal(ns) {
		t.Fatalf("discovered %+v, %v", got, err)
	}
	sub := from.subscribe(reader, nil, "track", ns...)
	o.send(o.publication(), 0, 0, 1, 2)
	from.same("objects", o.expected(loc(0, 0), loc(0, 1), loc(0, 2)), from.receive(sub, 3))
	from.same("fetched", o.expected(loc(0, 0), loc(0, 1), loc(0, 2)),
		from.fetched(from.fetch(reader, groupEnd(loc(0, 0), 0), false, "track", ns...)))

	// A track that comes by PUBLISH, to one who asks for tracks.
	asks := from.dial(e)
	if _, err := asks.SubscribeTracks(from.ctx, wire.TrackNamespace{"tracks", ns[1]}, nil); err != nil {
		t.Fatal(err)
	}
	publisher := at.dial(d)
	m := &wire.Publish{TrackNamespace: wire.TrackNamespace{"tracks", ns[1]}, TrackName: "published",
		Parameters: wire.Parameters{{Type: wire.ParamForward, Uint: 0}}}
	pub, err := publisher.Publish(at.ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	for {
		req, err := asks.AcceptRequest(from.ctx)
		if err != nil {
			t.Fatalf("no PUBLISH came: %v", err)
		}
		if req.Kind() != wire.KindPublish { // 14 and 15 tell of namespaces too
			req.Accept(from.ctx, nil)
			continue
		}
		ok := &wire.RequestOK{}
		if e <= wire.Draft19 {
			ok.Parameters.SetUint(wire.ParamForward, 1)
		}
		got, err := req.AcceptPublish(from.ctx, ok)
		if err != nil {
			t.Fatal(err)
		}
		p := &origin{world: at, s: publisher, objects: make(map[wire.Location]*moqt.Object)}
		from.eventually("the publisher is asked to send", func() bool { return pub.Forward() })
		// Where the links have no Forward State 0, it sends before the last relay has asked.
		first := make(chan *moqt.Object, 1)
		go func() {
			o, _ := got.Next(from.ctx)
			first <- o
		}()
		var o *moqt.Object
		for g := uint64(5); o == nil; g++ {
			p.send(pub, g, 0, 1)
			select {
			case o = <-first:
			case <-time.After(20 * time.Millisecond):
			}
		}
		from.same("published objects", p.expected(loc(o.GroupID, 0), loc(o.GroupID, 1)),
			append([]item{from.item(o)}, from.receive(got, 1)...))
		break
	}

	o.s.Close(wire.NoError, "")
	if got, err := names.Next(from.ctx); err != nil || !got.Done || !got.Namespace.Equal(ns) {
		t.Errorf("after the publisher has left: %+v, %v", got, err)
	}
	if done, err := sub.Done(from.ctx); err != nil {
		t.Errorf("the subscription's end: %+v, %v", done, err)
	}
}

// TestLostParent: while the parent is away, subscriptions to what came from there end, and new ones are refused with
// what is the matter; when it is back they work again.
func TestLostParent(t *testing.T) {
	top := newWorld(t, Options{Limits: Limits{Keep: time.Minute}}) // it stays subscribed
	// It comes back where it was.
	free, err := freeport.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	at, stop := onSocket(top, free.String())
	w := newWorld(t, Options{Parent: link{wire.Draft18, overQUIC}.behind(func() string { return at })})
	connected(w)
	o := top.announce(wire.Draft18, "n")
	reader := w.dial(wire.Draft18)
	sub := w.subscribe(reader, nil, "track", "n")
	pub := o.publication()
	o.send(pub, 0, 0)
	w.receive(sub, 1)
	own := w.announce(wire.Draft18, "own")
	mine := w.subscribe(reader, nil, "track", "own")
	stop()
	done, err := sub.Done(w.ctx)
	if err != nil || done.StatusCode != uint64(moqt.DoneInternalError.Number(wire.Draft18)) {
		t.Errorf("the end: %+v, %v", done, err)
	}
	w.eventually("the parent is gone", func() bool {
		w.relay.mu.Lock()
		defer w.relay.mu.Unlock()
		return !w.relay.uplink.ready
	})
	_, err = reader.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "track"})
	w.refused("while the parent is away", err, moqt.RejectInternalError)
	own.send(own.publication(), 3, 0, 1)
	w.receive(mine, 2)

	onSocket(top, at)
	connected(w)
	sub = w.subscribe(reader, nil, "track", "n")
	o.send(pub, 1, 0)
	w.receive(sub, 1)
	_, err = reader.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"none"}, TrackName: "track"})
	w.refused("nobody publishes it", err, moqt.RejectDoesNotExist)
}

// TestRingOfRelays: relays that are each other's parents find out. One way at most is left, so that no request goes
// round; what is published at either is found where there is a way.
func TestRingOfRelays(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			addresses, known := make([]string, n), make(chan struct{})
			var ring []*world
			for i := range n {
				k := link{wire.Drafts()[i], overQUIC}
				w := newWorld(t, Options{Parent: k.behind(func() string {
					<-known
					return addresses[(i+1)%n]
				})})
				addresses[i], _ = onSocket(w, "127.0.0.1:0")
				ring = append(ring, w)
			}
			close(known)
			time.Sleep(300 * time.Millisecond) // they dial at once, and again
			for i, w := range ring {
				began := time.Now()
				none := &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"none"}, TrackName: "track"}
				_, err := w.dial(wire.Draft18).Subscribe(w.ctx, none)
				if err == nil || time.Since(began) > 2*time.Second {
					t.Errorf("relay %d: %v after %v", i, err, time.Since(began))
				}
			}
			// At least one of the ways is cut at any time.
			cut := 0
			for _, w := range ring {
				w.relay.mu.Lock()
				if !w.relay.uplink.ready {
					cut++
				}
				w.relay.mu.Unlock()
			}
			if cut == 0 {
				t.Error("no way of the ring is cut")
			}
		})
	}
}
