package moqt_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/internal/sessiontest"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// hall is the namespace of the examples' tracks.
var hall = wire.TrackNamespace{"hall"}

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

// A publisher that answers SUBSCRIBE, and a subscriber that takes every object of the track.
func Example() {
	ctx := context.Background()
	publish := func(r *moqt.Request) {
		if r.Kind() != wire.KindSubscribe || r.TrackName() != "clock" {
			r.Reject(ctx, moqt.RejectDoesNotExist, "no such track")
			return
		}
		pub, err := r.AcceptSubscribe(ctx, nil)
		if err != nil {
			return
		}
		for group := range uint64(2) {
			w, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: group, Priority: 128})
			if err != nil {
				return
			}
			for id, text := range []string{"tick", "tock"} {
				w.WriteObject(&moqt.Object{ObjectID: uint64(id), Payload: []byte(text)})
			}
			w.Close()
		}
		pub.Done(ctx, moqt.DoneTrackEnded, "")
	}
	session, closeBoth := connect(ctx, wire.Draft18, publish)
	defer closeBoth()

	sub, err := session.Subscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"hall"}, TrackName: "clock"})
	if err != nil {
		log.Fatal(err)
	}
	count := 0
	for {
		object, err := sub.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		count += len(object.Payload)
	}
	done, _ := sub.Done(ctx)
	fmt.Println(count, "bytes on", done.StreamCount, "streams:", moqt.DoneName(session.Draft(), done.StatusCode))

	_, err = session.Subscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"hall"}, TrackName: "mirror"})
	var refused *moqt.RequestError
	if errors.As(err, &refused) {
		fmt.Println(refused.Kind, refused.Name)
	}
	// Output:
	// 16 bytes on 2 streams: TRACK_ENDED
	// SUBSCRIBE DOES_NOT_EXIST
}

// Requests are pulled where no handler is given; here the server asks, and the client answers.
func ExampleSession_AcceptRequest() {
	ctx := context.Background()
	session, closeBoth := connect(ctx, wire.Draft16, func(r *moqt.Request) {
		r.Accept(ctx, nil)
		r.Session().StartPublish(ctx, &wire.Publish{TrackNamespace: r.TrackNamespace(), TrackName: "news"})
	})
	defer closeBoth()
	if _, err := session.SubscribeTracks(ctx, wire.TrackNamespace{"room"}, nil); err != nil {
		log.Fatal(err)
	}
	request, err := session.AcceptRequest(ctx)
	if err != nil {
		log.Fatal(err)
	}
	sub, err := request.AcceptPublish(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(request.Kind(), request.TrackNamespace(), request.TrackName())
	sub.Unsubscribe()
	// Output: PUBLISH room news
}

// A range of the past, with the same call in every draft.
func ExampleSession_Fetch() {
	ctx := context.Background()
	for _, d := range []wire.Draft{wire.Draft14, wire.Draft22} {
		session, closeBoth := connect(ctx, d, func(r *moqt.Request) {
			asked, err := r.FetchRange()
			if err != nil {
				r.Reject(ctx, moqt.RejectNotSupported, "only FETCH")
				return
			}
			w, err := r.AcceptFetch(ctx, &wire.FetchOK{End: wire.Location{Group: asked.Range.EndGroup, Object: 1}})
			if err != nil {
				return
			}
			for id := range uint64(2) {
				w.WriteObject(&moqt.Object{GroupID: asked.Range.StartGroup, ObjectID: id, Payload: []byte("old")})
			}
			w.Close()
		})
		fetch, err := session.Fetch(ctx, moqt.FetchRequest{TrackNamespace: wire.TrackNamespace{"hall"},
			TrackName: "clock",
			Range:     wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 7, EndGroup: 7}})
		if err != nil {
			log.Fatal(err)
		}
		end, _ := fetch.End()
		fmt.Print(d, " to ", end, ":")
		for {
			object, err := fetch.Next(ctx)
			if err == io.EOF {
				break
			}
			if err != nil {
				log.Fatal(err)
			}
			fmt.Print(" ", object.Location())
		}
		fmt.Println()
		closeBoth()
	}
	// Output:
	// draft-14 to {7,1}: {7,0} {7,1}
	// draft-22 to {7,1}: {7,0} {7,1}
}

// Namespaces under a prefix, as they come and go.
func ExampleSession_SubscribeNamespace() {
	ctx := context.Background()
	session, closeBoth := connect(ctx, wire.Draft19, func(r *moqt.Request) {
		r.Accept(ctx, nil)
		r.Send(ctx, &wire.Namespace{Suffix: wire.TrackNamespace{"alice"}})
		r.Send(ctx, &wire.NamespaceDone{Suffix: wire.TrackNamespace{"alice"}})
		<-r.Context().Done()
	})
	defer closeBoth()
	names, err := session.SubscribeNamespace(ctx, wire.TrackNamespace{"room"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer names.Close()
	for range 2 {
		event, err := names.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Namespace, event.Done)
	}
	// Output:
	// room/alice false
	// room/alice true
}

// serving answers the requests for a track.
func serving(clock *track.Published) func(*moqt.Request) {
	return func(r *moqt.Request) { clock.Serve(r.Session().Context(), r) }
}

// text makes an object with a text.
func text(group, id uint64, text string) *moqt.Object {
	return &moqt.Object{GroupID: group, ObjectID: id, Payload: []byte(text)}
}
