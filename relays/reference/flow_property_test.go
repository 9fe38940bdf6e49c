package reference

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestAnyFlow: whatever the sizes and the pieces in which objects come, the pauses between, the resets, and the moments
// at which others join, everybody gets what was sent, in order, and nothing of an object that was not sent.
func TestAnyFlow(t *testing.T) {
	drafts := rapid.SampledFrom(wire.Drafts())
	rapid.Check(t, func(q *rapid.T) {
		from, to, past := drafts.Draw(q, "from"), drafts.Draw(q, "to"), drafts.Draw(q, "past")
		size := rapid.SampledFrom([]int{0, 1, 100, 4000, 65_000, 66_000, 200_000})
		sizes := rapid.SliceOfN(size, 1, 5).Draw(q, "sizes")
		piece := rapid.SampledFrom([]int{1000, 5000, 64 << 10, 300_000}).Draw(q, "piece")
		join := rapid.IntRange(0, len(sizes)-1).Draw(q, "join")
		cut := rapid.IntRange(0, 2*len(sizes)).Draw(q, "cut")
		small := rapid.Bool().Draw(q, "small cache")
		synctest.Test(t, func(t *testing.T) {
			var limits Limits
			if small {
				limits = Limits{CacheBytes: 50_000, WaitingBytes: 1 << 20}
			}
			o, pub, sub := published(t, from, to, Options{Limits: limits}, nil)
			o.refuse = moqt.RejectInternalError // of a FETCH for what the small cache does not have
			late := o.dial(past)
			var readers sync.WaitGroup
			f := &upload{origin: o, w: o.open(pub, 7)}
			readers.Go(func() { o.readAll(sub, sizes, cut) })
			for i, size := range sizes {
				f.next(uint64(i), pattern(size))
				for f.sent < size {
					if cut == i && f.sent > 0 {
						break
					}
					f.send(min(piece, size-f.sent))
					time.Sleep(time.Millisecond)
				}
				if i == join {
					readers.Go(func() { o.joinLate(late, i, size, cut == i && size > piece, small) })
					synctest.Wait()
				}
				if cut == i && f.sent < size {
					f.reset(moqt.ResetCancelled)
					break
				}
			}
			f.w.Close()
			pub.Done(o.ctx, moqt.DoneTrackEnded, "")
			readers.Wait()
			o.eventually("nothing waits any more", func() bool { return o.relay.Counters().WaitingBytes.Load() == 0 })
		})
	})
}

// readAll reads all streams of a subscription. The object with the ID cut may be broken off.
func (w *world) readAll(sub *moqt.Subscription, sizes []int, cut int) {
	got := make(map[uint64]bool)
	for {
		r, err := sub.AcceptSubgroup(w.ctx)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				w.Error(err)
			}
			break
		}
		for {
			var o moqt.Object
			if err := r.ReadObject(&o); err != nil {
				var reset *transport.StreamError
				if !errors.Is(err, io.EOF) && (!errors.As(err, &reset) || cut >= len(sizes)) {
					w.Error(err)
				}
				break
			}
			if got[o.ObjectID] || !bytes.Equal(o.Payload, pattern(sizes[o.ObjectID])) {
				w.Errorf("object %d: %d bytes, again: %v", o.ObjectID, len(o.Payload), got[o.ObjectID])
			}
			got[o.ObjectID] = true
		}
	}
	for i := range sizes {
		if i < cut && !got[uint64(i)] && cut >= len(sizes) {
			w.Errorf("object %d is missing", i)
		}
	}
}

// joinLate fetches one object while it comes, or once it has.
func (w *world) joinLate(s *moqt.Session, id, size int, cut, small bool) {
	at := uint64(id)
	f, err := s.Fetch(w.ctx, moqt.FetchRequest{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t",
		Range: wire.LocationFilter{Form: wire.FilterRange, StartGroup: 7, StartObject: at, EndGroup: 7, EndObject: at}})
	if err != nil {
		if !cut && !small {
			w.Errorf("FETCH of %d bytes: %v", size, err)
		}
		return
	}
	for {
		o, err := f.Next(context.WithoutCancel(w.ctx))
		switch {
		case err == nil && o.Range == wire.NoRange && !bytes.Equal(o.Payload, pattern(size)):
			w.Errorf("the fetch has %d bytes of %d", len(o.Payload), size)
		case err == nil:
			continue
		case !errors.Is(err, io.EOF) && !cut && !small:
			w.Errorf("the fetch: %v", err)
		}
		return
	}
}
