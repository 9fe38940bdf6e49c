package track_test

import (
	"context"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/internal/sessiontest"
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
	client, server, err := sessiontest.Pair(ctx, memconn.Options{Info: sessiontest.Info(d)},
		func(ctx context.Context, c transport.Conn) (*moqt.Session, error) {
			return moqt.Client(ctx, c, moqt.Config{})
		},
		func(ctx context.Context, c transport.Conn) (*moqt.Session, error) { return moqt.Server(ctx, c, config) })
	if err != nil {
		log.Fatal(err)
	}
	return client, func() {
		client.Close(wire.NoError, "")
		server.Close(wire.NoError, "")
	}
}
