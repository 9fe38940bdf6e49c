package reference

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// pattern gives bytes that differ from place to place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// upload is an object on its way through the relay, which its publisher sends in pieces.
type upload struct {
	*origin
	payload []byte
	sent    int
	w       *moqt.SubgroupWriter
}

// begin begins an object in a new stream, and sends no payload.
func (o *origin) begin(pub *moqt.Publication, group, id uint64, payload []byte) *upload {
	o.Helper()
	f := &upload{origin: o, payload: payload, w: o.open(pub, group)}
	f.next(id, payload)
	return f
}

// next begins another object on the stream.
func (f *upload) next(id uint64, payload []byte) {
	f.Helper()
	f.payload, f.sent = payload, 0
	h := wire.ObjectHeader{ObjectID: id, PayloadLength: uint64(len(payload))}
	if err := errors.Join(f.w.BeginObject(&h, 0), f.w.Flush()); err != nil {
		f.Fatal(err)
	}
	synctest.Wait()
}

// send sends n bytes more.
func (f *upload) send(n int) {
	f.Helper()
	if _, err := f.w.Write(f.payload[f.sent : f.sent+n]); err != nil {
		f.Fatal(err)
	}
	f.sent += n
	synctest.Wait()
}

// reset resets the stream with a code.
func (f *upload) reset(code moqt.ResetCode) {
	f.w.Reset(code.Number(f.s.Draft()))
	synctest.Wait()
}

// taker reads one object in pieces, on a stream of a subscription or a fetch.
type taker struct {
	*world
	draft wire.Draft
	r     *moqt.PayloadReader
	got   []byte
}

// taken takes the next stream of a subscription to its first object.
func (w *world) taken(sub *moqt.Subscription) (*taker, *wire.ObjectHeader) {
	w.Helper()
	r, err := sub.AcceptSubgroup(w.ctx)
	if err != nil {
		w.Fatal(err)
	}
	h, err := r.Next()
	if err != nil {
		w.Fatal(err)
	}
	return &taker{world: w, draft: r.Draft(), r: &r.PayloadReader}, h
}

// fetching takes the stream of a fetch to its first object.
func (w *world) fetching(f *moqt.Fetch) *taker {
	w.Helper()
	r, err := f.Accept(w.ctx)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		w.Fatal(err)
	}
	return &taker{world: w, draft: r.Draft(), r: &r.PayloadReader}
}

// has expects that so much of an object can be read now, and no more.
func (r *taker) has(f *upload) {
	r.Helper()
	for len(r.got) < f.sent {
		n, err := r.r.Await()
		if err != nil {
			r.Fatalf("after %d of %d bytes: %v", len(r.got), f.sent, err)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r.r, b); err != nil {
			r.Fatal(err)
		}
		r.got = append(r.got, b...)
	}
	if !bytes.Equal(r.got, f.payload[:f.sent]) {
		r.Fatalf("%d bytes came, not the %d that were sent", len(r.got), f.sent)
	}
}

// ends expects a reset with a code.
func (r *taker) ends(code moqt.ResetCode) {
	r.Helper()
	err := r.r.Discard()
	var reset *transport.StreamError
	if !errors.As(err, &reset) || !reset.Remote || reset.Code != code.Number(r.draft) {
		r.Errorf("the stream ended with %v, want a reset with %s (0x%x)", err, moqt.ResetName(r.draft,
			code.Number(r.draft)), code.Number(r.draft))
	}
}

// pairs runs a test on all pairs of drafts, of a publisher and of a client.
func pairs(t *testing.T, f func(t *testing.T, from, to wire.Draft)) {
	for _, from := range wire.Drafts() {
		for _, to := range wire.Drafts() {
			t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { f(t, from, to) })
			})
		}
	}
}

// TestFlow: what has come of an object goes out before the rest comes (draft-18 §5.1), to a subscriber and to those who
// fetch it while it comes (draft-22 §3.2).
func TestFlow(t *testing.T) {
	pairs(t, func(t *testing.T, from, to wire.Draft) {
		o, pub, sub := published(t, from, to, Options{}, nil)
		f := o.begin(pub, 3, 0, pattern(200_000))
		live, h := o.taken(sub)
		if h.PayloadLength != 200_000 {
			t.Fatalf("the header says %d bytes", h.PayloadLength)
		}
		live.has(f)
		f.send(1)
		live.has(f)
		f.send(99_999)
		live.has(f)
		past := o.fetching(o.fetch(o.dial(to), wire.LocationFilter{}, false, "t", "n"))
		past.has(f)
		f.send(50_000)
		live.has(f)
		past.has(f)
		f.send(50_000)
		live.has(f)
		past.has(f)
		f.next(1, pattern(10))
		f.send(10)
		if err := f.w.Close(); err != nil {
			t.Fatal(err)
		}
		if o.relay.Counters().Duplicates.Load() != 0 {
			t.Error("duplicates were counted")
		}
	})
}

// TestFlowReset: a reset in the middle of an object is passed on with its code, and what follows comes on a new stream.
func TestFlowReset(t *testing.T) {
	pairs(t, func(t *testing.T, from, to wire.Draft) {
		o, pub, sub := published(t, from, to, Options{}, nil)
		code := moqt.ResetDeliveryTimeout
		f := o.begin(pub, 3, 0, pattern(1000))
		f.send(500)
		live, _ := o.taken(sub)
		past := o.fetching(o.fetch(o.dial(to), wire.LocationFilter{}, false, "t", "n"))
		live.has(f)
		past.has(f)
		f.reset(code)
		live.ends(code)
		past.ends(code)
		f = o.begin(pub, 3, 1, pattern(100))
		f.send(100)
		live, h := o.taken(sub)
		if h.ObjectID != 1 {
			t.Errorf("object %d follows", h.ObjectID)
		}
		live.has(f)
		if n := o.relay.cache.used; n > 5000 {
			t.Errorf("%d bytes are in the cache", n)
		}
	})
}

// TestFlowNothing: a subscriber learns of an object of which nothing but its header came.
func TestFlowNothing(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		o, pub, sub := published(t, wire.Draft18, d, Options{}, nil)
		f := o.begin(pub, 3, 0, pattern(1000))
		f.reset(moqt.ResetCancelled)
		live, _ := o.taken(sub)
		live.ends(moqt.ResetCancelled)
	})
}

// TestLargeObject: a relay that bounds objects refuses a larger one aloud.
func TestLargeObject(t *testing.T) {
	pairs(t, func(t *testing.T, from, to wire.Draft) {
		o, pub, sub := published(t, from, to, Options{Limits: Limits{ObjectBytes: 1000}}, nil)
		f := o.begin(pub, 3, 0, pattern(1000))
		f.send(1000)
		live, _ := o.taken(sub)
		live.has(f)
		f = o.begin(pub, 4, 0, pattern(1001))
		live, _ = o.taken(sub)
		live.ends(moqt.ResetExcessiveLoad)
		_, err := f.w.Write(f.payload)
		var stopped *transport.StreamError
		if !errors.As(err, &stopped) || stopped.Code != moqt.ResetExcessiveLoad.Number(from) {
			t.Errorf("the publisher's stream: %v, want EXCESSIVE_LOAD", err)
		}
	})
}

// TestLateFlow: who comes while an object comes gets it from its start, if its filter says so. One that begins behind
// the largest object begins with the next: Largest Object moves with the first byte (draft-22 §3.1.4).
func TestLateFlow(t *testing.T) {
	filters := []struct {
		name string
		ps   wire.Parameters
		late bool
	}{
		{"no filter", nil, true},
		{"absolute start", filter(wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 3}), true},
		{"next object", filter(wire.LocationFilter{Form: wire.FilterNextObject}), false},
		{"behind it", filter(wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 3, StartObject: 1}),
			false},
	}
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		for _, tt := range filters {
			if d == wire.Draft14 && tt.ps == nil {
				continue // it cannot do without a filter
			}
			o, pub, _ := published(t, wire.Draft18, wire.Draft18, Options{}, nil)
			f := o.begin(pub, 3, 0, pattern(1000))
			f.send(500)
			sub := o.subscribe(o.dial(d), tt.ps, "t", "n")
			if largest, has := sub.OK().Parameters.Largest(); !has || largest != loc(3, 0) {
				t.Errorf("%s: the largest object is said to be %v", tt.name, largest)
			}
			if tt.late {
				live, h := o.taken(sub)
				if h.ObjectID != 0 {
					t.Errorf("%s: object %d comes first", tt.name, h.ObjectID)
				}
				live.has(f)
				f.send(500)
				live.has(f)
				continue
			}
			f.send(500)
			f.next(1, pattern(10))
			live, h := o.taken(sub)
			if h.ObjectID != 1 {
				t.Errorf("%s: object %d comes first", tt.name, h.ObjectID)
			}
			f.send(10)
			live.has(f)
		}
	})
}
