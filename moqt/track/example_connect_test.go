package track_test

import (
	"context"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// connect makes both ends of a session in memory. Over a network, package endpoint dials and listens.
func connect(ctx context.Context, d wire.Draft, handler func(*moqt.Request)) (client *moqt.Session, closeBoth func()) {
	return connectTo(ctx, d, moqt.Config{Handler: handler})
}

// connectTo is connect with more to say about the server.
func connectTo(ctx context.Context, d wire.Draft, config moqt.Config) (client *moqt.Session, closeBoth func()) {
	near, far := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: d.ALPN()}})
	accepted := make(chan *moqt.Session, 1)
	go func() {
		server, err := moqt.Server(ctx, far, config)
		if err != nil {
			log.Fatal(err)
		}
		accepted <- server
	}()
	client, err := moqt.Client(ctx, near, moqt.Config{})
	if err != nil {
		log.Fatal(err)
	}
	server := <-accepted
	return client, func() {
		client.Close(wire.NoError, "")
		server.Close(wire.NoError, "")
	}
}
