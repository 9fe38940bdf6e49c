package cases_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A relay may wait for a SUBSCRIBE whose joining FETCH has overtaken it, so join-unknown-request names a request that
// it has seen and that is none.
func TestJoinUnknownOnARelayThatWaits(t *testing.T) {
	for d := wire.Draft14; d <= wire.Draft19; d++ {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				statuses := map[uint64]bool{}
				relay := &scripted{t: t, fetch: func(r *moqt.Request, m *wire.Fetch) {
					mu.Lock()
					seen := statuses[m.JoiningRequestID]
					mu.Unlock()
					if !seen {
						return // its SUBSCRIBE may still come
					}
					r.Reject(r.Context(), moqt.RejectInvalidJoiningRequestID, "")
				}, other: func(r *moqt.Request) {
					mu.Lock()
					statuses[r.ID()] = true
					mu.Unlock()
				}}
				r := cases.Run(t.Context(), find(t, "join-unknown-request"), against(t, d, relay.peer()))
				if r.Status != cases.Pass {
					t.Errorf("%s: %s\n%s", r.Status, r.Message, strings.Join(r.Transcript, "\n"))
				}
			})
		})
	}
}
