package reference

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestEventsAreCounted: namespaces that wait to be told to a session that does not read count for it, and when there is
// no room for more its request is cancelled. Then nothing of them is counted any more.
func TestEventsAreCounted(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft17, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{Limits: Limits{Session: moqt.Limits{HeldBytes: 200 << 10}}})
		w.conns = memconn.Options{StreamBuffer: 1000}
		s := w.dial(d)
		sub, err := s.SubscribeNamespace(w.ctx, wire.TrackNamespace{"n"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.conns = memconn.Options{}
		p := w.dial(d)
		most := int64(0)
		for i := range 300 {
			a, err := p.PublishNamespace(w.ctx, wire.TrackNamespace{"n", fmt.Sprint(i, strings.Repeat("x", 3000))}, nil)
			if err != nil {
				t.Fatal(err)
			}
			a.Withdraw()
			synctest.Wait()
			most = max(most, w.relay.account.Of(heldTasks))
		}
		if most < 100<<10 || most > 300<<10 {
			t.Errorf("at most %d bytes were counted", most)
		}
		var end *moqt.CancelError
		for err == nil {
			ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
			_, err = sub.Next(ctx)
			cancel()
		}
		if !errors.As(err, &end) || end.Code != moqt.ResetExcessiveLoad.Number(d) {
			t.Errorf("the request ended with %v, want EXCESSIVE_LOAD", err)
		}
		synctest.Wait()
		if n := w.relay.account.Of(heldTasks); n > 2*taskCost {
			t.Errorf("%d bytes are still counted", n)
		}
	})
}

// TestDatagramsAreCounted: datagrams that wait to be sent count for the subscriber's session, and where there is no
// room they are dropped and counted. Then nothing of them is counted any more.
func TestDatagramsAreCounted(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft16, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		o, _, sub := published(t, wire.Draft18, d, Options{Limits: Limits{Session: moqt.Limits{HeldBytes: 64 << 10}}},
			nil)
		var s *subscriber
		tr := o.relay.tracks[wire.TrackNamespace{"n"}.Join("t").Key()]
		tr.mu.Lock() // nothing is taken out of the queue
		s = tr.subscribers[0]
		for i := range uint64(100) {
			s.datagram(wholeEntry(moqt.Object{GroupID: 100 + i, Datagram: true, Payload: large(1000)}, time.Now()))
		}
		n, held := len(s.datagrams), o.relay.account.Of(heldOutflows)
		tr.mu.Unlock()
		if n == 0 || n == 100 || held < int64(n)*1000 || held > 64<<10 {
			t.Errorf("%d of 100 datagrams wait, %d bytes are counted", n, held)
		}
		if got := o.relay.Counters().DatagramsDropped.Load(); got != uint64(100-n) {
			t.Errorf("%d are counted as dropped, want %d", got, 100-n)
		}
		synctest.Wait()
		sub.Unsubscribe()
		synctest.Wait()
		if n := o.relay.account.Of(heldOutflows); n != 0 {
			t.Errorf("%d bytes are still counted", n)
		}
	})
}
