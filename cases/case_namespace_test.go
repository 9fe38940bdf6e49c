package cases_test

import (
	"fmt"
	"strings"
	"sync/atomic"
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

// The last step of namespace-overlap: prefixes that differ in their last field alone. From 15 on the text forbids two
// that share a common prefix, which these do by the letter (draft-15 §9.23, draft-22 §4.2): a refusal is noted. Draft
// 14 says when two overlap, and these do not (draft-14 §9.28).
func TestNamespaceOverlapByTheLetter(t *testing.T) {
	for _, d := range wire.Drafts() {
		for _, accepts := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", d, accepts), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var seen atomic.Int32
					cfg := against(t, d, session(func(s *moqt.Session, r *moqt.Request) {
						ns := r.TrackNamespace()
						if seen.Add(1) == 1 || accepts && ns[len(ns)-1] == "ab" {
							acceptAll(s, r)
							return
						}
						r.Reject(r.Context(), moqt.RejectPrefixOverlap, "")
					}, nil))
					r := cases.Run(t.Context(), find(t, "namespace-overlap"), cfg)
					want := cases.Pass
					if d == wire.Draft14 && !accepts {
						want = cases.Fail
					}
					noted := strings.Contains(strings.Join(r.Notes, "\n"), "which the text may mean")
					if r.Status != want || noted != (want == cases.Pass && !accepts) {
						t.Errorf("%s: %s, notes %q\n%s", r.Status, r.Message, r.Notes,
							strings.Join(r.Transcript, "\n"))
					}
				})
			})
		}
	}
}
