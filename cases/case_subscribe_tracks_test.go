package cases_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// TestRelayThatOffersOtherTracks: what a relay PUBLISHes unasked of other namespaces is refused and noted, and the case
// waits for its own.
func TestRelayThatOffersOtherTracks(t *testing.T) {
	for _, name := range []string{"namespace-discovery", "subscribe-tracks", "subscribe-tracks-paused"} {
		c := find(t, name)
		for _, d := range wire.Drafts() {
			if !c.Applies(d) {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				relay, err := reference.New(reference.Options{})
				if err != nil {
					t.Fatal(err)
				}
				var served sync.WaitGroup
				cfg := cases.Config{Drafts: []wire.Draft{d}, Dial: func(ctx context.Context, _ string,
					drafts []wire.Draft) (transport.Conn, error) {
					client, server := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN()}})
					served.Go(func() {
						ctx := context.WithoutCancel(ctx)
						s, err := moqt.Server(ctx, server, moqt.Config{})
						if err != nil {
							return
						}
						time.Sleep(time.Millisecond) // until the case waits for a PUBLISH
						s.Publish(ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"other"}, TrackName: "news",
							TrackAlias: 1 << 20})
						relay.Serve(ctx, s)
					})
					return client, nil
				}}
				r := cases.Run(t.Context(), c, cfg)
				relay.Close()
				served.Wait()
				want(t, r, cases.Result{Status: cases.Pass})
				if text := strings.Join(r.Notes, "\n"); !strings.Contains(text,
					`the relay sent PUBLISH (namespace "other" track "news"); refused`) {
					t.Errorf("%s in %s: notes %s", name, d, text)
				}
			})
		}
	}
}
