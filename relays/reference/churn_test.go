package reference

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestChurn: subscribers of all drafts subscribe to one track, unsubscribe and subscribe again, at random moments. No
// one is ever refused, whoever stays gets objects, and the publisher never sees a second SUBSCRIBE beside the first.
// CHURN_ROUNDS is how often, for each draft of the publisher.
func TestChurn(t *testing.T) {
	rounds := 300
	if text := os.Getenv("CHURN_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		rounds = n
	}
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			seed := rand.Uint64()
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			synctest.Test(t, func(t *testing.T) { churn(t, d, rounds, seed) })
		})
	}
}

func churn(t *testing.T, d wire.Draft, rounds int, seed uint64) {
	w := newWorld(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	w.ctx = ctx // the limit of other tests is not this one's
	p := &steady{world: w, s: w.dial(d)}
	if _, err := p.s.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
		t.Fatal(err)
	}
	p.tasks.Go(p.serve)
	var left atomic.Int64
	left.Store(int64(rounds))
	var all sync.WaitGroup
	var sessions []*moqt.Session
	for i, d := range []wire.Draft{14, 16, 17, 18, 22} {
		s := w.dial(d)
		sessions = append(sessions, s)
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		all.Go(func() {
			for left.Add(-1) >= 0 && !t.Failed() {
				visitOnce(w, s, random)
			}
		})
	}
	all.Wait()
	if err := p.s.Err(); err != nil {
		t.Errorf("the publisher's session has ended: %v", err)
	}
	for _, s := range append(sessions, p.s) {
		s.Close(wire.NoError, "")
	}
	time.Sleep(DefaultLimits().Forget + 2*time.Second)
	w.nothingHeld()
	cancel()
	p.tasks.Wait()
}

// nothingHeld checks that the relay's account is empty: all sessions have ended, and their tracks are forgotten.
func (w *world) nothingHeld() {
	w.Helper()
	for _, h := range heldNames {
		if n := w.relay.account.Of(h.kind); n != 0 {
			w.Errorf("%d bytes of %s are still counted", n, h.name)
		}
	}
	if n := w.relay.account.Sum(); n != 0 {
		w.Errorf("%d bytes are still counted", n)
	}
}

// visitOnce subscribes, perhaps takes objects, unsubscribes, and perhaps pauses.
func visitOnce(w *world, s *moqt.Session, random *rand.Rand) {
	sub, err := s.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
	if err != nil {
		w.Errorf("SUBSCRIBE on %s: %v", s.Draft(), err)
		return
	}
	for range random.IntN(3) {
		ctx, cancel := context.WithTimeout(w.ctx, 2*time.Second)
		if _, err := sub.Next(ctx); err != nil {
			w.Errorf("no object on %s: %v", s.Draft(), err)
		}
		cancel()
	}
	sub.Unsubscribe()
	keep := DefaultLimits().Keep
	pauses := []time.Duration{0, 0, time.Millisecond, time.Duration(random.Int64N(int64(2 * keep))), keep,
		keep + time.Millisecond, keep + parting/2, keep + parting, keep + 2*parting}
	time.Sleep(pauses[random.IntN(len(pauses))])
}

// steady is a publisher that sends an object every 10 ms to who subscribes, each in a group of its own, and takes one
// SUBSCRIBE at a time.
type steady struct {
	*world
	s     *moqt.Session
	group atomic.Uint64
	last  *moqt.Request
	tasks sync.WaitGroup
}

func (p *steady) serve() {
	for {
		req, err := p.s.AcceptRequest(p.ctx)
		if err != nil {
			return
		}
		switch req.Kind() {
		case wire.KindSubscribe:
		case wire.KindFetch:
			req.Reject(p.ctx, moqt.RejectNotSupported, "")
			continue
		default:
			p.Errorf("%s comes", req.Kind())
			continue
		}
		if p.last != nil && p.last.Context().Err() == nil {
			p.Errorf("a second SUBSCRIBE comes beside the first")
			req.Reject(p.ctx, moqt.RejectInternalError, "one is active")
			continue
		}
		p.last = req
		p.tasks.Go(func() { p.publish(req) })
	}
}

func (p *steady) publish(req *moqt.Request) {
	pub, err := req.AcceptSubscribe(p.ctx, nil)
	if err != nil {
		return
	}
	for pub.Context().Err() == nil {
		group := p.group.Add(1)
		if w, err := pub.OpenSubgroup(pub.Context(), wire.SubgroupHeader{GroupID: group,
			FirstObject: true}); err == nil {
			w.WriteObject(&moqt.Object{Payload: fmt.Append(nil, group)})
			w.Close()
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-pub.Context().Done():
		}
	}
}
