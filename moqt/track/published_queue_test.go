package track

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// manyStreams is a narrow path whose peer allows as many streams as anybody wants.
func manyStreams() memconn.Options {
	o := narrow(wire.Newest)
	o.MaxUniStreams = 1000
	return o
}

// TestEndedGroupsPushBack: of groups that have ended a slow subscriber lets only so much wait. What is behind waits in
// the write, and comes when it reads on.
func TestEndedGroupsPushBack(t *testing.T) {
	const objects, size, groups = 10, 10_000, 200
	synctest.Test(t, func(t *testing.T) {
		p := publishingOver(t, wire.Newest, Options{Stall: -1}, manyStreams(), moqt.Config{})
		sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
		noError(t, err)
		var writing sync.WaitGroup
		written := 0
		writing.Go(func() {
			for g := range uint64(groups) {
				for i := range uint64(objects) {
					o := &moqt.Object{GroupID: g, ObjectID: i, Payload: make([]byte, size)}
					noError(t, p.track.Write(context.Background(), o))
					written += size
				}
			}
			noError(t, p.track.End(context.Background()))
		})
		synctest.Wait()
		if most := mostLeaving + 4*objects*size; written > most {
			t.Errorf("%d bytes were taken, of which a subscriber that reads nothing may have %d", written, most)
		}
		s := Read(sub, ReadOptions{})
		if n := len(drain(t, p.ctx, s)); n != groups*objects {
			t.Errorf("%d objects", n)
		}
		writing.Wait()
	})
}

// TestEndedGroupsHoldUp: a subscriber that takes far less than the others does not set the pace of many small groups
// either.
func TestEndedGroupsHoldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track := NewPublished(testNS, testName, Options{})
		serve := moqt.Config{Handler: func(r *moqt.Request) { _ = track.Serve(r.Session().Context(), r) }}
		open := func() *moqt.Subscription {
			p := dialOver(t, wire.Newest, manyStreams(), moqt.Config{}, serve)
			sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
			noError(t, err)
			return sub
		}
		slow, quick := open(), open()
		var both sync.WaitGroup
		both.Go(func() { // an object each second
			for {
				if _, err := slow.Next(context.Background()); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		began := time.Now()
		both.Go(func() {
			for g := range uint64(400) {
				noError(t, track.Write(context.Background(), &moqt.Object{GroupID: g, Payload: make([]byte, 10_000)}))
			}
			noError(t, track.End(context.Background()))
		})
		s := Read(quick, ReadOptions{})
		n := len(drain(t, context.Background(), s))
		if took := time.Since(began); n != 400 || took > 10*time.Second {
			t.Errorf("%d objects after %v", n, took)
		}
		slow.Unsubscribe()
		s.Close()
		both.Wait()
	})
}
