//go:build !js

package reference

import (
	"context"
	"crypto/tls"
	"fmt"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// BenchmarkRelay sends objects of 4 KiB from one publisher through the relay to subscribers, over UDP on loopback, as
// fast as they take them. b.N counts objects; an object that is lost fails it.
func BenchmarkRelay(b *testing.B) {
	for _, subscribers := range []int{1, 4} {
		b.Run(fmt.Sprintf("subscribers=%d", subscribers), func(b *testing.B) { benchmarkRelay(b, subscribers) })
	}
}

func benchmarkRelay(b *testing.B, subscribers int) {
	const size, perGroup = 4096, 256
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	relay, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer relay.Close()
	l, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go relay.ServeListener(ctx, l)
	dial := func() *moqt.Session {
		u, _ := transport.ParseURL("moqt://" + l.Addr().String())
		conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: u, Transport: transport.OnlyQUIC,
			Drafts: []wire.Draft{wire.Draft18}, TLS: &tls.Config{InsecureSkipVerify: true}})
		if err != nil {
			b.Fatal(err)
		}
		s, err := moqt.Client(ctx, conn, moqt.Config{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close(wire.NoError, "") })
		return s
	}
	pub, err := dial().Publish(ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
	if err != nil {
		b.Fatal(err)
	}
	received := make(chan int, subscribers)
	for range subscribers {
		sub, err := dial().Subscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			n := 0
			var o moqt.Object
			for {
				r, err := sub.AcceptSubgroup(ctx)
				if err != nil {
					break
				}
				for r.ReadObject(&o) == nil {
					n++
				}
			}
			received <- n
		}()
	}
	o := &moqt.Object{Payload: large(size)}
	b.SetBytes(size)
	b.ReportAllocs()
	b.ResetTimer()
	for sent := 0; sent < b.N; {
		w, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: uint64(sent / perGroup), FirstObject: true})
		if err != nil {
			b.Fatal(err)
		}
		w.SetAutoFlush(false)
		for id := 0; id < perGroup && sent < b.N; id++ {
			o.ObjectID = uint64(id)
			if err := w.WriteObject(o); err != nil {
				b.Fatal(err)
			}
			sent++
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if err := pub.Done(ctx, moqt.DoneTrackEnded, ""); err != nil {
		b.Fatal(err)
	}
	for range subscribers {
		if n := <-received; n != b.N {
			b.Errorf("%d of %d objects came", n, b.N)
		}
	}
}
