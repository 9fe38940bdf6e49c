package endpoint_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A subscriber over the network: dial, set up, subscribe, read objects. Here the relay is a publisher on loopback.
func ExampleDial() {
	ctx := context.Background()
	listener, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	go serveClock(ctx, listener)

	u, err := transport.ParseURL(fmt.Sprintf("moqt://%s/live", listener.Addr()))
	if err != nil {
		log.Fatal(err)
	}
	conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: u, Drafts: wire.Drafts(),
		TLS: &tls.Config{InsecureSkipVerify: true}})
	if err != nil {
		log.Fatal(err)
	}
	session, err := moqt.Client(ctx, conn, moqt.Config{Path: u.Path, Authority: u.Authority})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close(wire.NoError, "")
	sub, err := session.Subscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"hall"}, TrackName: "clock"})
	if err != nil {
		log.Fatal(err)
	}
	for {
		object, err := sub.Next(ctx)
		if err == io.EOF {
			break // PUBLISH_DONE, and every stream it counts was read
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(object.Location(), string(object.Payload))
	}
	// Output:
	// {0,0} tick
	// {0,1} tock
}

// serveClock answers the first session's SUBSCRIBE with one group of two objects.
func serveClock(ctx context.Context, listener *endpoint.Listener) {
	conn, err := listener.Accept(ctx)
	if err != nil {
		return
	}
	_, err = moqt.Server(ctx, conn, moqt.Config{Handler: func(r *moqt.Request) {
		pub, err := r.AcceptSubscribe(ctx, nil)
		if err != nil {
			return
		}
		w, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{Priority: 128})
		if err != nil {
			return
		}
		for id, text := range []string{"tick", "tock"} {
			w.WriteObject(&moqt.Object{ObjectID: uint64(id), Payload: []byte(text)})
		}
		w.Close()
		pub.Done(ctx, moqt.DoneTrackEnded, "")
	}})
	if err != nil {
		log.Print(err)
	}
}
