package cases_test

import (
	"context"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

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
