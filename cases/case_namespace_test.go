package cases_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A relay that tells of a namespace under the prefix that nobody has published makes namespace-matching fail, also
// where it is as long as those that were.
func TestNamespaceMatchingOfOneThatNobodyPublished(t *testing.T) {
	for d := wire.Draft16; d <= wire.Newest; d++ {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := against(t, d, session(func(_ *moqt.Session, r *moqt.Request) {
					r.Accept(r.Context(), &wire.RequestOK{})
					if r.Kind() != wire.KindSubscribeNamespace {
						return
					}
					for _, suffix := range []wire.TrackNamespace{{}, {"a"}, {"other"}, {"b"}} {
						r.Send(r.Context(), &wire.Namespace{Suffix: suffix})
					}
				}, nil))
				got := cases.Run(t.Context(), find(t, "namespace-matching"), cfg)
				if got.Status != cases.Fail || !strings.Contains(got.Received, "/live/other") {
					t.Errorf("%s, received %q", got.Status, got.Received)
				}
			})
		})
	}
}
