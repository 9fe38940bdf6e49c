package track_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Live from here, and the past from there: a joining FETCH up to 19, a fill from 20 on.
func ExampleJoin() {
	ctx := context.Background()
	session, closeBoth := connect(ctx, wire.Draft22, func(r *moqt.Request) {
		ok := &wire.SubscribeOK{}
		ok.Parameters.SetLargest(wire.Location{Group: 4, Object: 0})
		pub, err := r.AcceptSubscribe(ctx, ok)
		if err != nil {
			return
		}
		past, err := r.Session().OpenFill(ctx, r.ID())
		if err != nil {
			return
		}
		past.WriteObject(&moqt.Object{GroupID: 4, ObjectID: 0, Payload: []byte("past")})
		past.Close()
		live, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: 4})
		if err != nil {
			return
		}
		live.WriteObject(&moqt.Object{ObjectID: 1, Payload: []byte("live")})
		live.Close()
		pub.Done(ctx, moqt.DoneTrackEnded, "")
	})
	defer closeBoth()
	joined, err := track.Join(ctx, session, track.JoinRequest{TrackNamespace: wire.TrackNamespace{"hall"},
		TrackName: "clock"})
	if err != nil {
		log.Fatal(err)
	}
	for _, next := range []func(context.Context) (*moqt.Object, error){joined.Past.Next, joined.Live.Next} {
		for {
			object, err := next(ctx)
			if err == io.EOF {
				break
			}
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(object.Location(), string(object.Payload))
		}
	}
	// Output:
	// {4,0} past
	// {4,1} live
}

// A hundred turns a second: the times for which they were meant are 10 ms apart, however late who asks for them.
func ExamplePacer() {
	pacer := track.NewPacer(100)
	var last time.Time
	for turn := range 3 {
		due, err := pacer.Wait(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		if turn > 0 {
			fmt.Println(due.Sub(last))
		}
		last = due
	}
	// Output:
	// 10ms
	// 10ms
}

// A hole is filled by a fetch beside the subscription: one track, each object once.
func ExampleSubscribed_AddFetch() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "clock", track.Options{KeepGroups: 4})
	session, closeBoth := connect(ctx, wire.Draft18, serving(clock))
	defer closeBoth()
	if err := clock.Write(ctx, text(0, 0, "before")); err != nil {
		log.Fatal(err)
	}
	live, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "clock"})
	if err != nil {
		log.Fatal(err)
	}
	if err := clock.Write(ctx, text(0, 1, "live")); err != nil {
		log.Fatal(err)
	}
	object, err := live.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(object.Location(), string(object.Payload))
	past, err := session.Fetch(ctx, moqt.FetchRequest{TrackNamespace: hall, TrackName: "clock",
		Range: wire.LocationFilter{Form: wire.FilterGroupEnd}})
	if err != nil {
		log.Fatal(err)
	}
	live.AddFetch(past)
	if err := clock.End(ctx); err != nil {
		log.Fatal(err)
	}
	show(ctx, live)
	fmt.Println(live.Report().Duplicates, "came again")
	// Output:
	// {0,1} live
	// {0,0} before
	// 1 came again
}
