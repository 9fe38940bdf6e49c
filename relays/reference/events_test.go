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
