package reference

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestFillInMidObject: a fill that ends with an object of which a part has come gives that part, and the rest as it
// comes (draft-20 §5.1.3, draft-22 §3.2). A reset in the middle is passed on with its code.
func TestFillInMidObject(t *testing.T) {
	inner := filter(wire.LocationFilter{Form: wire.FilterRelative, StartGroup: 1})
	for _, from := range someDrafts {
		onDrafts(t, []wire.Draft{wire.Draft20, wire.Draft21, wire.Draft22}, func(t *testing.T, to wire.Draft) {
			o, pub, sub := published(t, from, to, Options{}, nil)
			fill := func() *taker {
				_, f, err := sub.UpdateFill(o.ctx, wire.Parameters{{Type: wire.ParamFillParameters, Inner: inner}})
				if err != nil {
					t.Fatal(err)
				}
				return o.fetching(f)
			}
			f := o.begin(pub, 3, 0, pattern(100_000))
			f.send(40_000)
			live, _ := o.taken(sub)
			live.has(f)
			past := fill()
			past.has(f)
			for range 2 {
				f.send(30_000)
				live.has(f)
				past.has(f)
			}
			f = o.begin(pub, 4, 0, pattern(1000))
			f.send(400)
			past = fill()
			past.has(f)
			f.reset(moqt.ResetDeliveryTimeout)
			past.ends(moqt.ResetDeliveryTimeout)
		})
	}
}

// TestFetchInPieces: what a publisher answers to a FETCH goes on to whom asked for it as it comes, and a reset in the
// middle of an object with its code.
func TestFetchInPieces(t *testing.T) {
	pairs(t, func(t *testing.T, from, to wire.Draft) {
		w := newWorld(t, Options{})
		answers := make(chan *moqt.FetchWriter, 1)
		s := w.dial(from)
		if _, err := s.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				r, err := s.AcceptRequest(s.Context())
				if err != nil {
					return
				}
				if r.Kind() != wire.KindFetch {
					_ = r.Reject(w.ctx, moqt.RejectNotSupported, "")
					continue
				}
				if out, err := r.AcceptFetch(w.ctx, &wire.FetchOK{End: loc(0, 1)}); err == nil {
					answers <- out
				}
			}
		}()
		t.Cleanup(func() {
			s.Close(wire.NoError, "")
			<-done
		})
		asked := w.fetch(w.dial(to), groupEnd(loc(0, 0), 0), false, "t", "n")
		out := <-answers
		f := &upload{payload: pattern(100_000)}
		send := func(n int) {
			if _, err := out.Write(f.payload[f.sent : f.sent+n]); err != nil {
				t.Fatal(err)
			}
			f.sent += n
			if err := out.Flush(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		begin := func(id uint64) {
			h := wire.FetchObject{Object: id, Priority: 7, PayloadLength: uint64(len(f.payload))}
			f.sent = 0
			if err := errors.Join(out.BeginObject(&h, 0), out.Flush()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		begin(0)
		send(1)
		r, err := asked.Accept(w.ctx)
		if err == nil {
			_, err = r.Next()
		}
		if err != nil {
			t.Fatal(err)
		}
		past := &taker{world: w, draft: r.Draft(), r: &r.PayloadReader}
		past.has(f)
		send(59_999)
		past.has(f)
		send(40_000)
		past.has(f)
		begin(1)
		send(500)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		past.got = nil
		past.has(f)
		out.Reset(moqt.ResetCancelled.Number(from))
		past.ends(moqt.ResetCancelled)
	})
}
