package cases_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A relay that takes one publisher of a namespace alone may reject either of them (draft-18 §9.3): this one rejects the
// first when the second comes.
func TestTwoPublishersWhereTheNewestIsTaken(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var first *moqt.Request
				cfg := against(t, d, session(func(s *moqt.Session, r *moqt.Request) {
					switch r.Kind() {
					case wire.KindSubscribe:
						r.AcceptSubscribe(r.Context(), nil)
					case wire.KindPublishNamespace:
						mu.Lock() // before the answer, which sets the second publisher off
						defer mu.Unlock()
						r.Accept(r.Context(), &wire.RequestOK{})
						if first == nil {
							first = r
						} else {
							first.Cancel(moqt.ResetCancelled)
						}
					}
				}, nil))
				want(t, cases.Run(t.Context(), find(t, "two-publishers"), cfg), cases.Result{
					Status: cases.Skip, Reason: "a second publisher was given up, as " +
						rules.Cite(d, rules.FurtherPublisher) + " allows: PUBLISH_NAMESPACE of publisher-1 was ended",
				})
			})
		})
	}
}
