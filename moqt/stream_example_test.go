package moqt_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Data streams without a session: one of each kind, written in one draft and told apart by its header.
func ExampleReadUniHeader() {
	ctx := context.Background()
	near, far := memconn.Pair(memconn.Options{})
	defer near.CloseWithError(0, "")
	stream, err := near.OpenUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	subgroup, err := moqt.NewSubgroupWriter(stream, wire.Draft18, wire.SubgroupHeader{TrackAlias: 9, GroupID: 3})
	if err != nil {
		log.Fatal(err)
	}
	subgroup.WriteObject(text(3, 0, "live"))
	subgroup.Close()
	if stream, err = near.OpenUniStream(ctx); err != nil {
		log.Fatal(err)
	}
	fetch, err := moqt.NewFetchWriter(stream, wire.Draft18, 4, false)
	if err != nil {
		log.Fatal(err)
	}
	fetch.WriteObject(text(2, 7, "past"))
	fetch.WriteRange(wire.NonExistentRange, wire.Location{Group: 2, Object: 9})
	fetch.Close()

	for range 2 {
		stream, err := far.AcceptUniStream(ctx)
		if err != nil {
			log.Fatal(err)
		}
		uni, err := moqt.ReadUniHeader(stream, wire.Draft18, moqt.ReaderOptions{})
		if err != nil {
			log.Fatal(err)
		}
		var object moqt.Object
		if r, err := uni.SubgroupReader(); err == nil {
			for r.ReadObject(&object) == nil {
				fmt.Println("alias", r.Header().TrackAlias, object.Location(), string(object.Payload))
			}
			continue
		}
		r, err := uni.FetchReader(false)
		if err != nil {
			log.Fatal(err)
		}
		for r.ReadObject(&object) == nil {
			fmt.Println("request", r.RequestID(), object.Location(), string(object.Payload),
				object.Range == wire.NonExistentRange)
		}
	}
	// Output:
	// alias 9 {3,0} live
	// request 4 {2,7} past false
	// request 4 {2,9}  true
}

// A datagram and back, with properties.
func ExampleAppendDatagram() {
	object := text(5, 1, "sound")
	if err := object.EncodeProperties(wire.Draft18, wire.Properties{{Type: 0x3800, Uint: 4660}}); err != nil {
		log.Fatal(err)
	}
	datagram, err := moqt.AppendDatagram(nil, wire.Draft18, 9, object)
	if err != nil {
		log.Fatal(err)
	}
	var received moqt.Object
	alias, err := moqt.ParseDatagram(datagram, wire.Draft18, wire.Options{}, &received)
	if err != nil {
		log.Fatal(err)
	}
	property, _ := received.Property(0x3800)
	fmt.Println(alias, received.Location(), string(received.Payload), property.Uint)
	// Output: 9 {5,1} sound 4660
}

// From 20 on an update may ask for the past as well.
func ExampleSubscription_UpdateFill() {
	ctx := context.Background()
	clock := track.NewPublished(hall, "clock", track.Options{KeepGroups: 4})
	session, closeBoth := connect(ctx, wire.Draft22, serving(clock))
	defer closeBoth()
	if err := clock.Write(ctx, text(0, 0, "before")); err != nil {
		log.Fatal(err)
	}
	sub, err := session.Subscribe(ctx, &wire.Subscribe{TrackNamespace: hall, TrackName: "clock"})
	if err != nil {
		log.Fatal(err)
	}
	var inner wire.Parameters
	inner.SetFilter(wire.LocationFilter{Form: wire.FilterGroupEnd})
	_, fill, err := sub.UpdateFill(ctx, wire.Parameters{{Type: wire.ParamFillParameters, Inner: inner}})
	if err != nil {
		log.Fatal(err)
	}
	for {
		object, err := fill.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(object.Location(), string(object.Payload))
	}
	// Output: {0,0} before
}
