package track

import (
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestReadTooLarge: an object above the limit is an error that ends nothing; from a stream it can be read all the same.
func TestReadTooLarge(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p, s, pub := receiving(t, d, ReadOptions{InOrder: true}, moqt.Limits{MaxObjectSize: 5000})
		go func() {
			w := p.stream(pub, wire.SubgroupHeader{}, 0)
			noError(t, w.WriteObject(&moqt.Object{ObjectID: 1, Payload: make([]byte, 5001)}))
			noError(t, w.WriteObject(&moqt.Object{ObjectID: 2, Payload: make([]byte, 5000)}))
			noError(t, w.Close())
			noError(t, pub.Done(p.ctx, moqt.DoneTrackEnded, ""))
		}()
		var seen []string
		for {
			o, err := s.Next(p.ctx)
			if err == io.EOF {
				break
			}
			var large *moqt.ObjectTooLargeError
			switch {
			case errors.As(err, &large):
				seen = append(seen, "too large: "+large.Location.String())
			case err != nil:
				t.Fatal(err)
			default:
				seen = append(seen, o.Location().String())
			}
		}
		slices.Sort(seen)
		if want := []string{"too large: {0,1}", "{0,0}", "{0,2}"}; !slices.Equal(seen, want) {
			t.Errorf("%q, want %q", seen, want)
		}
		if r := s.Report(); r.Skipped != 1 || r.Missing != 0 {
			t.Errorf("report %+v", r)
		}
	})
}

// TestReadBody: a payload can be read in part, passed over, cut by a reset, and the track goes on; Close ends the wait
// for one.
func TestReadBody(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p, s, pub := receiving(t, d, ReadOptions{StreamAbove: 100}, moqt.Limits{})
		go func() {
			w := p.stream(pub, wire.SubgroupHeader{})
			noError(t, w.WriteObject(&moqt.Object{Payload: make([]byte, 50_000)}))
			p.objects(w, 1)
			noError(t, w.BeginObject(&wire.ObjectHeader{ObjectID: 2, PayloadLength: 9000}, 0))
			_, err := w.Write(make([]byte, 3000))
			noError(t, err)
			settle()
			w.Reset(moqt.ResetInternalError.Number(d))
		}()
		if (&Subscribed{}).Body().Size() != 0 {
			t.Error("a body before any object")
		}
		take(t, p.ctx, s, 1)
		part := make([]byte, 1000)
		if n, err := io.ReadFull(s.Body(), part); n != 1000 || err != nil || s.Body().Size() != 50_000 {
			t.Errorf("%d bytes: %v", n, err)
		}
		same(t, take(t, p.ctx, s, 1), []wire.Location{{Object: 1}}, true)
		take(t, p.ctx, s, 1)
		n, err := io.Copy(io.Discard, s.Body())
		wantReset(t, d, err, moqt.ResetInternalError)
		if n > 3000 {
			t.Errorf("%d bytes", n)
		}
		w := p.stream(pub, wire.SubgroupHeader{GroupID: 1})
		noError(t, w.BeginObject(&wire.ObjectHeader{PayloadLength: 9000}, 0))
		noError(t, w.Flush())
		take(t, p.ctx, s, 1)
		settle()
		if r := s.Report(); r.Resets != 1 {
			t.Errorf("report %+v", r)
		}
		go func() {
			settle()
			s.Close()
		}()
		if _, err := io.Copy(io.Discard, s.Body()); err == nil {
			t.Error("the payload ended")
		}
	})
}

// TestReadBounded: what nobody takes is bounded however many streams bring it, and the rest waits at the sender.
func TestReadBounded(t *testing.T) {
	for _, inOrder := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p, s, pub := receiving(t, wire.Newest, ReadOptions{InOrder: inOrder}, moqt.Limits{QueuedBytes: 300 << 10})
			const streams, objects = 50, 100
			for g := range uint64(streams) {
				go func() {
					w := p.stream(pub, wire.SubgroupHeader{GroupID: streams - 1 - g, EndOfGroup: true})
					for i := range uint64(objects) {
						o := objectAt(wire.Location{Group: streams - 1 - g, Object: i})
						o.Payload = append(o.Payload, make([]byte, 1000)...)
						noError(t, w.WriteObject(o))
					}
					noError(t, w.Close())
				}()
			}
			settle()
			s.mu.Lock()
			held := s.held
			s.mu.Unlock()
			if most := 300<<10 + 3*stream.LargeBuffer; held > most {
				t.Errorf("%d bytes are held, want at most %d", held, most)
			}
			got := take(t, p.ctx, s, streams*objects)
			if inOrder && !slices.IsSortedFunc(got,
				func(a, b *moqt.Object) int { return a.Location().Compare(b.Location()) }) {
				t.Error("not in order")
			}
			settle()
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.line.empty() == false || len(s.blocked) > 0 {
				t.Errorf("%d batches wait, %d streams", len(s.line.batches), len(s.blocked))
			}
		})
	}
}
