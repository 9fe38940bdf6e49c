package reference

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	tracks "github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestFirstObject: a publisher sends SUBSCRIBE_OK and its only object at once, as those of catalogs do. The subscriber
// who caused that gets the object: what counts is where the track stood when SUBSCRIBE came (draft-18 §5.1.2,
// §10.2.11). A joining FETCH at that moment neither misses nor doubles it.
func TestFirstObject(t *testing.T) {
	const rounds = 60
	drafts := wire.Drafts()
	for i, d := range drafts {
		from := drafts[(i+4)%len(drafts)]
		t.Run(fmt.Sprintf("%s from %s", d, from), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{})
				s := w.dial(from)
				if _, err := s.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
					t.Fatal(err)
				}
				var tasks sync.WaitGroup
				defer tasks.Wait()
				defer s.Close(wire.NoError, "")
				tasks.Go(func() {
					for {
						req, err := s.AcceptRequest(w.ctx)
						if err != nil {
							return
						}
						tasks.Go(func() { sendOnly(w, req) })
					}
				})
				one, two := w.dial(d), w.dial(drafts[(i+2)%len(drafts)])
				for i := range rounds {
					name := fmt.Sprint("track ", i)
					var both sync.WaitGroup
					both.Go(func() { getOnly(w, two, name) })
					getOnly(w, one, name)
					both.Wait()
				}
			})
		})
	}
}

// sendOnly answers a SUBSCRIBE, and sends {0, 0} and the end.
func sendOnly(w *world, req *moqt.Request) {
	if req.Kind() != wire.KindSubscribe {
		req.Reject(w.ctx, moqt.RejectDoesNotExist, "")
		return
	}
	pub, err := req.AcceptSubscribe(w.ctx, nil)
	if err != nil {
		return
	}
	sw, err := pub.OpenSubgroup(w.ctx, wire.SubgroupHeader{Priority: 100, FirstObject: true})
	if err != nil {
		return
	}
	sw.WriteObject(&moqt.Object{Payload: payload(0, 0)})
	sw.Close()
	select { // a joining FETCH needs a subscription that has not ended
	case <-time.After(200 * time.Millisecond):
	case <-pub.Context().Done():
	}
	pub.Done(w.ctx, moqt.DoneTrackEnded, "")
}

// getOnly joins a track and wants {0, 0} once, of its past or live.
func getOnly(w *world, s *moqt.Session, name string) {
	j, err := tracks.Join(w.ctx, s, tracks.JoinRequest{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: name})
	if err != nil {
		w.Errorf("%s on %s: %v", name, s.Draft(), err)
		return
	}
	want := []item{{Priority: 100, Payload: string(payload(0, 0))}}
	live, done := w.finish(j.Live)
	w.same(name, want, append(w.fetched(j.Past), live...))
	if done.StatusCode != moqt.DoneTrackEnded.Number(s.Draft()) {
		w.Errorf("%s on %s: PUBLISH_DONE with 0x%x, want TRACK_ENDED", name, s.Draft(), done.StatusCode)
	}
}
