package track_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// hall is the namespace of the examples' tracks.
var hall = wire.TrackNamespace{"hall"}

// inOrder hands out objects in ascending order.
var inOrder = track.ReadOptions{InOrder: true}

// serving answers the requests for a track.
func serving(clock *track.Published) func(*moqt.Request) {
	return func(r *moqt.Request) { clock.Serve(r.Session().Context(), r) }
}

// text makes an object with a text.
func text(group, id uint64, text string) *moqt.Object {
	return &moqt.Object{GroupID: group, ObjectID: id, Payload: []byte(text)}
}

// show prints what is left of a track.
func show(ctx context.Context, clock *track.Subscribed) {
	for {
		object, err := clock.Next(ctx)
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(object.Location(), string(object.Payload))
	}
}

// One track, two subscribers, and each of them on its own draft.
func ExamplePublished() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "clock", track.Options{})
	var subscribers []*track.Subscribed
	for _, d := range []wire.Draft{wire.Draft14, wire.Draft22} {
		session, closeBoth := connect(ctx, d, serving(clock))
		defer closeBoth()
		subscriber, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "clock",
			Read: inOrder})
		if err != nil {
			log.Fatal(err)
		}
		subscribers = append(subscribers, subscriber)
	}
	if err := clock.WaitForward(ctx, 2); err != nil {
		log.Fatal(err)
	}
	for group := range uint64(2) {
		if err := clock.Write(ctx, text(group, 0, "tick")); err != nil {
			log.Fatal(err)
		}
	}
	if err := clock.End(ctx); err != nil {
		log.Fatal(err)
	}
	for _, subscriber := range subscribers {
		show(ctx, subscriber)
		done, _ := subscriber.Subscription().Done(ctx)
		fmt.Println("Stream Count", done.StreamCount)
	}
	// Output:
	// {0,0} tick
	// {1,0} tick
	// Stream Count 2
	// {0,0} tick
	// {1,0} tick
	// Stream Count 2
}

// The publisher may ask: PUBLISH instead of SUBSCRIBE.
func ExamplePublished_Publish() {
	ctx := context.Background()
	read := make(chan struct{})
	session, closeBoth := connect(ctx, wire.Draft18, func(r *moqt.Request) {
		defer close(read)
		sub, err := r.AcceptPublish(ctx, nil)
		if err != nil {
			log.Fatal(err)
		}
		show(ctx, track.Read(sub, track.ReadOptions{}))
	})
	defer closeBoth()
	clock := track.NewPublished(hall, "clock", track.Options{})
	pub, err := clock.Publish(ctx, session, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := pub.WaitForward(ctx); err != nil {
		log.Fatal(err)
	}
	if err := clock.Write(ctx, text(0, 0, "tick")); err != nil {
		log.Fatal(err)
	}
	if err := clock.End(ctx); err != nil {
		log.Fatal(err)
	}
	<-read
	// Output: {0,0} tick
}

// Subgroups by hand: the two halves of a group, each on a stream of its own.
func ExamplePublished_OpenSubgroup() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "video",
		track.Options{Priority: func(o *moqt.Object) uint8 { return uint8(o.ObjectID) }})
	session, closeBoth := connect(ctx, wire.Draft16, serving(clock))
	defer closeBoth()
	subscriber, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "video",
		Read: inOrder})
	if err != nil {
		log.Fatal(err)
	}
	for id, layer := range []string{"base", "detail"} {
		subgroup, err := clock.OpenSubgroup(7, uint64(id))
		if err != nil {
			log.Fatal(err)
		}
		if err := subgroup.WriteObject(ctx, text(7, uint64(id), layer)); err != nil {
			log.Fatal(err)
		}
		subgroup.Close()
	}
	if err := clock.End(ctx); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		object, err := subscriber.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(object.Location(), "subgroup", object.SubgroupID, "priority", object.Priority,
			string(object.Payload))
	}
	// Output:
	// {7,0} subgroup 0 priority 0 base
	// {7,1} subgroup 1 priority 1 detail
}

// A long object goes through without being held as a whole, on either side.
func ExamplePublished_WriteFrom() {
	ctx := context.Background()
	const size = 1 << 20
	clock := track.NewPublished(hall, "film", track.Options{})
	session, closeBoth := connect(ctx, wire.Draft18, serving(clock))
	defer closeBoth()
	subscriber, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "film",
		Read: track.ReadOptions{StreamAbove: 64 << 10}})
	if err != nil {
		log.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		written <- clock.WriteFrom(ctx, &moqt.Object{}, size, strings.NewReader(strings.Repeat("x", size)))
	}()
	object, err := subscriber.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	body := subscriber.Body()
	n, err := io.Copy(io.Discard, body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(object.Location(), n == size, <-written)
	// Output: {0,0} true <nil>
}

// Datagrams, with the end of a group said in one.
func ExampleLayout() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "audio", track.Options{Layout: track.Layout{Mode: track.LayoutDatagram},
		GroupEnds: true})
	session, closeBoth := connect(ctx, wire.Draft18, serving(clock))
	defer closeBoth()
	subscriber, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "audio",
		Read: inOrder})
	if err != nil {
		log.Fatal(err)
	}
	for id := range uint64(2) {
		if err := clock.Write(ctx, text(0, id, "sound")); err != nil {
			log.Fatal(err)
		}
	}
	if err := clock.EndGroup(ctx, 0); err != nil {
		log.Fatal(err)
	}
	for range 3 {
		object, err := subscriber.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(object.Location(), object.Datagram, object.Status)
	}
	// Output:
	// {0,0} true Normal
	// {0,1} true Normal
	// {0,2} true End of Group
}

// Forward State 0, then 1: what is written in between goes to nobody. From 20 on the publisher can say from where on
// the change holds.
func ExampleSubscription_Update() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "clock", track.Options{NotifyState: true})
	session, closeBoth := connect(ctx, wire.Draft20, serving(clock))
	defer closeBoth()
	paused := wire.Parameters{{Type: wire.ParamForward, Uint: 0}}
	subscriber, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "clock",
		Parameters: paused})
	if err != nil {
		log.Fatal(err)
	}
	if err := clock.Write(ctx, text(0, 0, "unheard")); err != nil {
		log.Fatal(err)
	}
	if _, err := subscriber.Subscription().Update(ctx,
		wire.Parameters{{Type: wire.ParamForward, Uint: 1}}); err != nil {
		log.Fatal(err)
	}
	notice, err := subscriber.Subscription().NextNotify(ctx)
	if err != nil {
		log.Fatal(err)
	}
	largest, _ := notice.Largest()
	fmt.Println("Forward State", notice.UintOr(wire.ParamForward, 0), "behind", largest)
	if err := clock.Write(ctx, text(0, 1, "heard")); err != nil {
		log.Fatal(err)
	}
	if err := clock.End(ctx); err != nil {
		log.Fatal(err)
	}
	show(ctx, subscriber)
	// Output:
	// Forward State 1 behind {0,0}
	// {0,1} heard
}

// What holds for a whole track: properties, of which those that bear on publishing are heeded, and a pace.
func ExampleOptions() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "clock", track.Options{
		Properties: wire.Properties{{Type: wire.PropDefaultPublisherPriority, Uint: 7}},
		Rate:       1000, // objects per second
	})
	session, closeBoth := connect(ctx, wire.Draft18, serving(clock))
	defer closeBoth()
	subscriber, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "clock"})
	if err != nil {
		log.Fatal(err)
	}
	start := time.Now()
	for id := range uint64(11) {
		if err := clock.Write(ctx, text(0, id, "tick")); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("10 ms at least:", time.Since(start) >= 10*time.Millisecond)
	object, err := subscriber.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("priority", object.Priority)
	// Output:
	// 10 ms at least: true
	// priority 7
}
