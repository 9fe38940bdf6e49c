package cases_test

import (
	"slices"
	"strings"
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

// Who was accepted must be asked, whatever may be refused (draft-18 §9.5, draft-22 §7.6).
func TestTwoPublishersWhereOneIsAsked(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				relay := &scripted{t: t} // which asks whoever came last
				r := cases.Run(t.Context(), find(t, "two-publishers"), against(t, d, relay.peer()))
				if r.Status != cases.Fail || !strings.HasPrefix(r.Expected, "SUBSCRIBE at publisher-1 too") ||
					!strings.Contains(r.Received, "no request for the track there (publisher-2 has seen SUBSCRIBE") {
					t.Errorf("%s: expected %q, received %q", r.Status, r.Expected, r.Received)
				}
			})
		})
	}
}

// What a relay says to a PUBLISH beside an Established subscription is noted, whatever it says: draft-22 §7.3 lets it
// refuse a further publisher, and §7.6 demands PUBLISH_OK.
func TestTwoPublishersNoteThePublish(t *testing.T) {
	for fault, said := range map[string]string{"": "PUBLISH_OK", "publish-reject": "UNINTERESTED"} {
		var faults []string
		if fault != "" {
			faults = append(faults, fault)
		}
		for _, d := range wire.Drafts() {
			r := onReference(t, find(t, "two-publishers"), d, faults...)
			if r.Status != cases.Pass || !slices.ContainsFunc(r.Notes, func(n string) bool {
				return strings.HasPrefix(n, "PUBLISH of a third publisher") && strings.Contains(n, said) &&
					strings.Contains(n, "draft-22 §7.3")
			}) {
				t.Errorf("%s %q: %s %s, notes %q", d, fault, r.Status, r.Message, r.Notes)
			}
		}
	}
}
