package cases_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A deviation that has a name is called by it: the message says which tolerance would let it pass, and with that the
// case passes and says so.
func TestWouldPass(t *testing.T) {
	for d := wire.Draft17; d <= wire.Newest; d++ {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				relay := session(func(_ *moqt.Session, r *moqt.Request) {
					r.Send(r.Context(), &wire.Raw{Type: 0x7, Body: []byte{1, 0x10, 1}}) // REQUEST_OK with FORWARD
				}, nil)
				cfg := against(t, d, relay)
				r := cases.Run(t.Context(), find(t, "announce-only"), cfg)
				if r.Status != cases.Fail || !strings.Contains(r.Message, "FORWARD is not allowed in REQUEST_OK") ||
					!strings.Contains(r.Message, "would pass with --compat misplaced-parameters") {
					t.Errorf("%s %s", r.Status, r.Message)
				}
				if err := cfg.SetTolerance("misplaced-parameters"); err != nil {
					t.Fatal(err)
				}
				r = cases.Run(t.Context(), find(t, "announce-only"), cfg)
				if r.Status != cases.Pass || len(r.Tolerated) != 1 ||
					!strings.HasPrefix(r.Tolerated[0], "misplaced-parameters: REQUEST_OK") {
					t.Errorf("%s %s, tolerated %q", r.Status, r.Message, r.Tolerated)
				}
			})
		})
	}
}
