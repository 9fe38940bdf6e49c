package track_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Objects in the order of the track although their streams come in another, what did not come, and a fetch that brings
// it.
func ExampleSubscribed() {
	ctx := context.Background()
	session, closeBoth := connect(ctx, wire.Draft18, func(r *moqt.Request) {
		switch r.Kind() {
		case wire.KindSubscribe: // group 1 before group 0, and group 0 without object 1
			pub, err := r.AcceptSubscribe(ctx, nil)
			if err != nil {
				log.Fatal(err)
			}
			for _, group := range []uint64{1, 0} {
				w, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: group, FirstObject: true,
					EndOfGroup: true})
				if err != nil {
					log.Fatal(err)
				}
				for _, id := range []uint64{0, 2 - group} {
					w.WriteObject(text(group, id, "live"))
				}
				w.Close()
			}
			pub.Done(ctx, moqt.DoneTrackEnded, "")
		case wire.KindFetch:
			w, err := r.AcceptFetch(ctx, &wire.FetchOK{End: wire.Location{Object: 1}})
			if err != nil {
				log.Fatal(err)
			}
			w.WriteObject(text(0, 1, "fetched"))
			w.Close()
		}
	})
	defer closeBoth()
	clock, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "clock",
		Read: track.ReadOptions{
			InOrder: true,
			Gap:     func(from, to wire.Location) { fmt.Println("nothing between", from, "and", to) },
		}})
	if err != nil {
		log.Fatal(err)
	}
	show(ctx, clock)
	report := clock.Report()
	fmt.Println(report.Objects, "objects, missing", report.Gaps)

	missing := wire.LocationFilter{Form: wire.FilterRange, StartObject: report.Gaps[0].First,
		EndObject: report.Gaps[0].Last}
	past, err := track.Fetch(ctx, session, moqt.FetchRequest{TrackNamespace: hall, TrackName: "clock", Range: missing},
		track.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	show(ctx, past)
	// Output:
	// {0,0} live
	// nothing between {0,1} and {0,2}
	// {0,2} live
	// {1,0} live
	// {1,1} live
	// 4 objects, missing [{0, 1}]
	// {0,1} fetched
}

// From one group back, and live from there, as one track: a joining FETCH up to 19, a fill from 20 on.
func ExampleOpen() {
	ctx := context.Background()
	for _, d := range []wire.Draft{wire.Draft16, wire.Draft22} {
		clock := track.NewPublished(hall, "clock", track.Options{KeepGroups: 2})
		session, closeBoth := connect(ctx, d, serving(clock))
		for group := range uint64(3) {
			if err := clock.Write(ctx, text(group, 0, "past")); err != nil {
				log.Fatal(err)
			}
		}
		joined, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "clock",
			Past: &track.JoinRequest{GroupsBack: 1}, Read: inOrder})
		if err != nil {
			log.Fatal(err)
		}
		if err := clock.Write(ctx, text(2, 1, "live")); err != nil {
			log.Fatal(err)
		}
		if err := clock.End(ctx); err != nil {
			log.Fatal(err)
		}
		fmt.Println(d)
		show(ctx, joined)
		closeBoth()
	}
	// Output:
	// draft-16
	// {1,0} past
	// {2,0} past
	// {2,1} live
	// draft-22
	// {1,0} past
	// {2,0} past
	// {2,1} live
}

// A part of the past, newest group first.
func ExampleFetch() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "clock", track.Options{KeepGroups: 8})
	session, closeBoth := connect(ctx, wire.Draft18, serving(clock))
	defer closeBoth()
	for group := range uint64(4) {
		if err := clock.Write(ctx, text(group, 0, "tick")); err != nil {
			log.Fatal(err)
		}
	}
	fetched, err := track.Fetch(ctx, session, moqt.FetchRequest{TrackNamespace: hall, TrackName: "clock",
		Range:      wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, EndGroup: 2},
		Parameters: wire.Parameters{{Type: wire.ParamGroupOrder, Uint: wire.Descending}}}, track.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	show(ctx, fetched)
	// Output:
	// {2,0} tick
	// {1,0} tick
}

// A track that is not wanted any more: its publisher hears of it.
func ExampleSubscribed_Close() {
	ctx := context.Background()
	over := make(chan error, 1)
	clock := track.NewPublished(hall, "clock", track.Options{})
	session, closeBoth := connect(ctx, wire.Draft18, func(r *moqt.Request) { over <- clock.Serve(ctx, r) })
	defer closeBoth()
	subscriber, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "clock"})
	if err != nil {
		log.Fatal(err)
	}
	subscriber.Close()
	<-over
	fmt.Println(clock.Subscribers(), "subscribers")
	// Output: 0 subscribers
}

// Filters by location and, from 19 on, by what objects are: here the objects of subgroup 1 from group 1 on.
func ExampleRangeFilters() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "video",
		track.Options{Layout: track.Layout{Mode: track.LayoutSpread, Subgroups: 2}})
	maxFilterRanges := wire.Properties{{Type: 0x06, Uint: 16}} // the publisher allows them
	session, closeBoth := connectTo(ctx, wire.Draft19,
		moqt.Config{Handler: serving(clock), SetupOptions: maxFilterRanges})
	defer closeBoth()
	subgroups := wire.RangeFilter{Ranges: []wire.Range{{Start: 1, End: 1}}}
	subscriber, err := track.Open(ctx, session, track.Request{TrackNamespace: hall, TrackName: "video",
		Filter:     wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 1},
		Parameters: wire.Parameters{{Type: wire.ParamSubgroupFilter, Ranges: subgroups}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("all pass:", moqt.RangeFiltersOf(subscriber.Subscription().Parameters()).Empty())
	for group := range uint64(2) {
		for id := range uint64(4) {
			if err := clock.Write(ctx, text(group, id, "frame")); err != nil {
				log.Fatal(err)
			}
		}
	}
	if err := clock.End(ctx); err != nil {
		log.Fatal(err)
	}
	show(ctx, subscriber)
	// Output:
	// all pass: false
	// {1,1} frame
	// {1,3} frame
}

// Streams one by one, and a payload in pieces, as a relay reads them: nothing waits for a whole object.
func ExampleSubscription_AcceptSubgroup() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "clock", track.Options{})
	session, closeBoth := connect(ctx, wire.Draft18, serving(clock))
	defer closeBoth()
	sub, err := session.Subscribe(ctx, &wire.Subscribe{TrackNamespace: hall, TrackName: "clock"})
	if err != nil {
		log.Fatal(err)
	}
	if err := clock.Write(ctx, text(3, 0, "ticktock")); err != nil {
		log.Fatal(err)
	}
	stream, err := sub.AcceptSubgroup(ctx)
	if err != nil {
		log.Fatal(err)
	}
	header, err := stream.Next()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("group", stream.Header().GroupID, "object", header.ObjectID)
	piece := make([]byte, 4)
	for stream.Remaining() > 0 {
		n, err := io.ReadFull(stream, piece)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(piece[:n]))
	}
	if err := clock.End(ctx); err != nil {
		log.Fatal(err)
	}
	_, err = stream.Next()
	fmt.Println(err, stream.EndOfGroup())
	// Output:
	// group 3 object 0
	// tick
	// tock
	// EOF true
}
