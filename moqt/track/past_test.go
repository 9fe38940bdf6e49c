package track

import (
	"fmt"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// pastPublisher answers a join with SUBSCRIBE_OK at {5,1}, and up to 19 with a FETCH_OK; what asked for the past is
// given to past.
func pastPublisher(p *sessions, past chan<- *moqt.Request) *moqt.Publication {
	ok := &wire.SubscribeOK{}
	ok.Parameters.SetLargest(loc(5, 1))
	r, err := p.server.AcceptRequest(p.ctx)
	noError(p.t, err)
	pub, err := r.AcceptSubscribe(p.ctx, ok)
	noError(p.t, err)
	if p.draft <= wire.Draft19 {
		if r, err = p.server.AcceptRequest(p.ctx); err == nil {
			err = r.AcceptFetchOnly(p.ctx, &wire.FetchOK{End: loc(5, 1)})
		}
		noError(p.t, err)
	}
	past <- r
	return pub
}

// TestPastThatNeverComes: in order, a fetch or fill of which nothing comes holds up what is live for a time only; the
// past is then told as a gap.
func TestPastThatNeverComes(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, moqt.Config{}, moqt.Config{})
		past, live := make(chan *moqt.Request, 1), make(chan struct{})
		go func() {
			pub := pastPublisher(p, past)
			w, err := pub.OpenSubgroup(p.ctx, wire.SubgroupHeader{GroupID: 5, IDMode: wire.SubgroupIDPresent})
			noError(t, err)
			p.objects(w, 2, 3, 4)
			noError(t, w.Flush())
			<-live
			w.Close()
		}()
		var gaps []string
		s, err := Open(p.ctx, p.client, Request{TrackNamespace: testNS, TrackName: testName,
			Past: &JoinRequest{GroupsBack: 1}, Read: ReadOptions{InOrder: true, Patience: time.Second,
				Gap: func(from, to wire.Location) { gaps = append(gaps, fmt.Sprint(from, to)) }}})
		noError(t, err)
		defer s.Close()
		began := time.Now()
		for i := range uint64(3) {
			o, err := s.Next(p.ctx)
			noError(t, err)
			if o.Location() != loc(5, 2+i) {
				t.Fatalf("%s, want {5,%d}", o.Location(), 2+i)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("waited %v", took)
		}
		if len(gaps) != 1 || gaps[0] != "{4,0} {5,2}" {
			t.Errorf("gaps %v", gaps)
		}
		close(live)
	})
}

// TestSlowPastIsWaitedFor: while bytes of the past come, what is live waits for it, however long an object takes.
func TestSlowPastIsWaitedFor(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d > wire.Draft19 {
			return // the stream is the same
		}
		p := dialSessions(t, d, moqt.Config{}, moqt.Config{})
		past := make(chan *moqt.Request, 1)
		go func() {
			pub := pastPublisher(p, past)
			p.objects(must[*moqt.SubgroupWriter](t)(pub.OpenSubgroup(p.ctx,
				wire.SubgroupHeader{GroupID: 5, IDMode: wire.SubgroupIDPresent})), 2)
		}()
		s, err := Open(p.ctx, p.client, Request{TrackNamespace: testNS, TrackName: testName, Past: &JoinRequest{},
			Read: ReadOptions{InOrder: true, Patience: time.Second}})
		noError(t, err)
		defer s.Close()
		go func() {
			w := must[*moqt.FetchWriter](t)((<-past).OpenFetch(p.ctx))
			noError(t, w.BeginObject(&wire.FetchObject{Group: 5, PayloadLength: 6}, d))
			for range 6 {
				time.Sleep(2 * time.Second)
				_, err := w.Write([]byte{1})
				noError(t, err)
				noError(t, w.Flush())
			}
			w.Close()
		}()
		if o, err := s.Next(p.ctx); err != nil || o.Location() != loc(5, 0) {
			t.Errorf("%v, %v; want the past first", o, err)
		}
	})
}
