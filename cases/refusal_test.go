package cases_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A further publisher may be refused with any code (draft-18 §9.3). A SUBSCRIBE to a track whose namespace was accepted
// may not, also not with NOT_SUPPORTED.
func TestWhatMayBeRefused(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var namespaces atomic.Int32
				cfg := against(t, d, session(func(s *moqt.Session, r *moqt.Request) {
					switch {
					case r.Kind() != wire.KindPublishNamespace:
						r.Reject(r.Context(), moqt.RejectNotSupported, "no")
					case namespaces.Add(1) > 1:
						r.Reject(r.Context(), moqt.RejectUnauthorized, "one is enough")
					default:
						acceptAll(s, r)
					}
				}, nil))
				r := cases.Run(t.Context(), find(t, "two-publishers"), cfg)
				allowed := "a second PUBLISH_NAMESPACE was refused, as " + rules.Cite(d, rules.FurtherPublisher) +
					" allows"
				if r.Status != cases.Skip || !strings.HasPrefix(r.Reason, allowed) {
					t.Errorf("%s %s %s", r.Status, r.Message, r.Reason)
				}
				for _, id := range []string{"data-subgroup-basic", "announce-subscribe", "datagram",
					"filter-next-group"} {
					namespaces.Store(0)
					r := cases.Run(t.Context(), find(t, id), cfg)
					if r.Status != cases.Fail || !strings.Contains(r.Received, "NOT_SUPPORTED") {
						t.Errorf("%s: %s %s %s", id, r.Status, r.Message, r.Reason)
					}
				}
			})
		})
	}
}

// A relay that does not support a kind of request need not wait for the one that it requires: it tells no application
// (draft-17 §9.2).
func TestRequiredMayBeRefused(t *testing.T) {
	r := onReference(t, find(t, "required-request"), wire.Draft17, "required-ignored", "refuse-not-supported")
	if r.Status != cases.Skip || !strings.Contains(r.Reason, "NOT_SUPPORTED") {
		t.Errorf("%s %s %s", r.Status, r.Message, r.Reason)
	}
}
