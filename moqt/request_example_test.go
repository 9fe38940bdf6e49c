package moqt_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A namespace is offered and taken back. Requests carry tokens by value, or registered ones by alias; the receiver sees
// values.
func ExampleSession_PublishNamespace() {
	ctx := context.Background()
	over := make(chan struct{})
	session, closeBoth := connect(ctx, wire.Draft18, func(r *moqt.Request) {
		defer close(over)
		fmt.Printf("%s %s, token %s\n", r.Kind(), r.TrackNamespace(), r.Tokens()[0].Value)
		r.Accept(ctx, nil)
		<-r.Context().Done()
	})
	defer closeBoth()
	token := wire.Token{AliasType: wire.TokenUseValue, Value: []byte("secret")}
	announcement, err := session.PublishNamespace(ctx, hall,
		wire.Parameters{{Type: wire.ParamAuthorizationToken, Token: token}})
	if err != nil {
		log.Fatal(err)
	}
	announcement.Withdraw()
	<-over
	fmt.Println("withdrawn")
	// Output:
	// PUBLISH_NAMESPACE hall, token secret
	// withdrawn
}

// What a track has come to, without a subscription.
func ExampleSession_TrackStatus() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "clock", track.Options{})
	session, closeBoth := connect(ctx, wire.Draft18, serving(clock))
	defer closeBoth()
	if err := clock.Write(ctx, text(4, 2, "tick")); err != nil {
		log.Fatal(err)
	}
	ok, err := session.TrackStatus(ctx, &wire.TrackStatus{TrackNamespace: hall, TrackName: "clock"})
	if err != nil {
		log.Fatal(err)
	}
	largest, _ := ok.Parameters.Largest()
	fmt.Println("Largest Object", largest)
	// Output: Largest Object {4,2}
}

// The tracks under a prefix: each comes as a PUBLISH, or the peer says that it will not.
func ExampleSession_SubscribeTracks() {
	ctx := context.Background()
	session, closeBoth := connect(ctx, wire.Draft19, func(r *moqt.Request) {
		r.Accept(ctx, nil)
		r.Send(ctx, &wire.PublishSkipped{Suffix: wire.TrackNamespace{"back"}, TrackName: "clock"})
		<-r.Context().Done()
	})
	defer closeBoth()
	tracks, err := session.SubscribeTracks(ctx, hall, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tracks.Close()
	skipped, err := tracks.NextSkipped(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("no PUBLISH of", hall.Join(skipped.Suffix...), skipped.TrackName)
	// Output: no PUBLISH of hall/back clock
}

// PUBLISH stream by stream. The subscriber's updates are answered by hand; otherwise the session does it.
func ExampleSession_Publish() {
	ctx := context.Background()
	session, closeBoth := connect(ctx, wire.Draft18, func(r *moqt.Request) {
		sub, err := r.AcceptPublish(ctx, nil)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := sub.Update(ctx, wire.Parameters{{Type: wire.ParamSubscriberPriority, Uint: 7}}); err != nil {
			log.Fatal(err)
		}
		sub.Unsubscribe()
	})
	defer closeBoth()
	pub, err := session.Publish(ctx, &wire.Publish{TrackNamespace: hall, TrackName: "clock"}, moqt.ManualUpdates())
	if err != nil {
		log.Fatal(err)
	}
	update, err := pub.NextUpdate(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := update.Accept(ctx, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println("priority", pub.Parameters().UintOr(wire.ParamSubscriberPriority, 128))
	<-pub.Context().Done()
	fmt.Println("unsubscribed")
	// Output:
	// priority 7
	// unsubscribed
}

// An object as a datagram, without package track.
func ExamplePublication_SendDatagram() {
	ctx := context.Background()
	session, closeBoth := connect(ctx, wire.Draft16, func(r *moqt.Request) {
		pub, err := r.AcceptSubscribe(ctx, nil)
		if err != nil {
			log.Fatal(err)
		}
		if err := pub.SendDatagram(text(5, 1, "sound")); err != nil {
			log.Fatal(err)
		}
	})
	defer closeBoth()
	sub, err := session.Subscribe(ctx, &wire.Subscribe{TrackNamespace: hall, TrackName: "audio"})
	if err != nil {
		log.Fatal(err)
	}
	object, err := sub.AcceptDatagram(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(object.Location(), string(object.Payload))
	// Output: {5,1} sound
}

// A peer that is about to close says where to go.
func ExampleSession_Goaway() {
	ctx := context.Background()
	session, closeBoth := connect(ctx, wire.Draft18, func(r *moqt.Request) {
		r.Session().Goaway(ctx, &wire.Goaway{NewSessionURI: "moqt://other.example/live"})
	})
	defer closeBoth()
	if _, err := session.StartPublishNamespace(ctx, hall, nil); err != nil {
		log.Fatal(err)
	}
	<-session.PeerGoaway()
	fmt.Println(session.LastGoaway().NewSessionURI)
	// Output: moqt://other.example/live
}

// Requests of which the answers are waited for later: two are on their way at once.
func ExampleSession_StartSubscribe() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "clock", track.Options{})
	session, closeBoth := connect(ctx, wire.Draft18, func(r *moqt.Request) {
		if !clock.Asks(r) {
			r.Reject(ctx, moqt.RejectDoesNotExist, "no such track")
			return
		}
		clock.Serve(ctx, r)
	})
	defer closeBoth()
	var asked []*moqt.Subscription
	for _, name := range []string{"clock", "mirror"} {
		sub, err := session.StartSubscribe(ctx, &wire.Subscribe{TrackNamespace: hall, TrackName: name})
		if err != nil {
			log.Fatal(err)
		}
		asked = append(asked, sub)
	}
	for _, sub := range asked {
		err := sub.Ready(ctx)
		var refused *moqt.RequestError
		if errors.As(err, &refused) {
			fmt.Println(refused.Name)
			continue
		}
		fmt.Println(err)
		sub.Unsubscribe()
	}
	// Output:
	// <nil>
	// DOES_NOT_EXIST
}

// A server looks at a client's SETUP before it answers; the client learns why it was not let in.
func ExampleServer() {
	ctx := context.Background()
	near, far := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: wire.Draft18.ALPN()}})
	refused := make(chan struct{})
	go func() {
		defer close(refused)
		_, err := moqt.Server(ctx, far, moqt.Config{CheckSetup: func(path, _ string, _ *wire.Setup) error {
			if path != "/live" {
				return &moqt.SessionError{Code: wire.InvalidPath, Reason: "only /live is served"}
			}
			return nil
		}})
		if err == nil {
			log.Fatal("let in")
		}
	}()
	session, err := moqt.Client(ctx, near, moqt.Config{Path: "/other"})
	if err == nil { // in 18 neither side waits for the other's SETUP
		<-session.Context().Done()
		err = session.Err()
	}
	<-refused
	var end *moqt.SessionError
	if errors.As(err, &end) {
		fmt.Println(end.Code.In(wire.Draft18), end.Reason)
	}
	// Output: 0x8 INVALID_PATH only /live is served
}
