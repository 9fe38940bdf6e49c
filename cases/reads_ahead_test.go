package cases_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// A browser does not tell of a stream that was reset at once, so that a fill that failed may have none.
func TestFailedFillInABrowser(t *testing.T) {
	for _, readsAhead := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			relay, err := reference.New(reference.Options{Faults: []string{"join-silent"}})
			if err != nil {
				t.Fatal(err)
			}
			var served sync.WaitGroup
			r := cases.Run(t.Context(), find(t, "fill-failure"), cases.Config{Drafts: []wire.Draft{wire.Draft22},
				Dial: func(ctx context.Context, _ string, drafts []wire.Draft) (transport.Conn, error) {
					near, far := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN(),
						ReadsAhead: readsAhead}})
					served.Go(func() { _ = relay.ServeConn(context.WithoutCancel(ctx), far) })
					return near, nil
				}})
			relay.Close()
			served.Wait()
			if passed := r.Status == cases.Pass; passed != readsAhead || !strings.Contains(r.Message, "no stream of") {
				t.Errorf("reads ahead %t: %s %s", readsAhead, r.Status, r.Message)
			}
		})
	}
}

// Cases of a slow subscriber do not apply where nobody can be slow, and only these.
func TestLagsWhereTransportReadsAhead(t *testing.T) {
	for _, c := range cases.All() {
		if !c.Lags && c.ID != "setup-only" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			play := session(nil, nil)
			r := cases.Run(t.Context(), c, cases.Config{Drafts: []wire.Draft{wire.Draft18},
				Dial: func(ctx context.Context, _ string, drafts []wire.Draft) (transport.Conn, error) {
					near, far := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN(),
						ReadsAhead: true}})
					go play(context.WithoutCancel(ctx), t, far)
					return near, nil
				}})
			if c.Lags != (r.Status == cases.NotApplicable) || c.Lags != (r.Reason != "") {
				t.Errorf("%s: %s %s", r.Status, r.Reason, r.Message)
			}
		})
	}
}
