package moq_test

import (
	"context"
	"fmt"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

// A publisher and a subscriber that meet at a relay. Here the relay is the reference relay on this host.
func Example() {
	ctx := context.Background()
	relay := startRelay()
	defer relay.Close()
	options := &moq.Options{TLS: relay.clientTLS()} // nil for a relay whose certificate the system trusts

	publisher, err := moq.Dial(ctx, relay.url(), options)
	if err != nil {
		log.Fatal(err)
	}
	defer publisher.Close()
	clock := moq.NewTrack(moq.Namespace{"hall"}, "clock", moq.TrackOptions{})
	if err := publisher.Publish(ctx, clock); err != nil {
		log.Fatal(err)
	}

	subscriber, err := moq.Dial(ctx, relay.url(), options)
	if err != nil {
		log.Fatal(err)
	}
	defer subscriber.Close()
	hands, err := subscriber.Subscribe(ctx, moq.Namespace{"hall"}, "clock", moq.InOrder())
	if err != nil {
		log.Fatal(err)
	}

	if err := clock.WaitForward(ctx, 1); err != nil { // until somebody listens
		log.Fatal(err)
	}
	for group, text := range []string{"tick", "tock"} {
		if err := clock.Write(ctx, &moq.Object{GroupID: uint64(group), Payload: []byte(text)}); err != nil {
			log.Fatal(err)
		}
	}
	if err := clock.End(ctx); err != nil {
		log.Fatal(err)
	}
	for {
		object, err := hands.Next(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(object.Location(), string(object.Payload))
	}
	// Output:
	// {0,0} tick
	// {1,0} tock
	// EOF
}

// A server that has a track itself: whoever joins gets what was published before, and what comes.
func ExampleListen() {
	ctx := context.Background()
	clock := moq.NewTrack(moq.Namespace{"hall"}, "clock", moq.TrackOptions{KeepGroups: 8})
	listener, err := moq.Listen("127.0.0.1:0", &moq.Options{Handler: moq.Serve(clock)})
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	for id, text := range []string{"tick", "tock"} {
		if err := clock.Write(ctx, &moq.Object{ObjectID: uint64(id), Payload: []byte(text)}); err != nil {
			log.Fatal(err)
		}
	}

	session, err := moq.Dial(ctx, listener.URL(), &moq.Options{TLS: listener.ClientTLS()})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	hands, err := session.Subscribe(ctx, moq.Namespace{"hall"}, "clock", moq.FromPast(0), moq.InOrder())
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		object, err := hands.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(object.Location(), string(object.Payload))
	}
	// Output:
	// {0,0} tick
	// {0,1} tock
}

// A part of what was published.
func ExampleSession_Fetch() {
	ctx := context.Background()
	clock := moq.NewTrack(moq.Namespace{"hall"}, "clock", moq.TrackOptions{KeepGroups: 8})
	server := serve(clock)
	defer server.Close()
	for group := range uint64(5) {
		if err := clock.Write(ctx, &moq.Object{GroupID: group, Payload: []byte("tick")}); err != nil {
			log.Fatal(err)
		}
	}
	session, err := moq.Dial(ctx, server.URL(), &moq.Options{TLS: server.ClientTLS()})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	past, err := session.Fetch(ctx, clock.Namespace(), clock.Name(), moq.Location{Group: 1}, moq.Location{Group: 2})
	if err != nil {
		log.Fatal(err)
	}
	for {
		object, err := past.Next(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(object.Location(), string(object.Payload))
	}
	// Output:
	// {1,0} tick
	// {2,0} tick
	// EOF
}
