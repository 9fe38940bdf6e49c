package cases_test

import (
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A relay that asks no publisher for a FETCH uses a MAY up to 19, and breaks a MUST from 20 on (draft-18 §9.5, draft-20
// §9.5, draft-22 §7.6).
func TestFetchFromTheCacheAlone(t *testing.T) {
	for _, d := range wire.Drafts() {
		r := onReference(t, find(t, "fetch-upstream"), d, "fetch-cache-only")
		allowed := "FETCH of what the relay does not hold was refused, as " + rules.Cite(d, rules.FetchUpstream) +
			" allows: "
		if d <= wire.Draft19 && (r.Status != cases.Skip || !strings.HasPrefix(r.Reason, allowed)) ||
			d >= wire.Draft20 && (r.Status != cases.Fail || r.Todo != "" || r.Level != cases.Must) {
			t.Errorf("%s: %s %s %s%s", d, r.Status, r.Level, r.Message, r.Reason)
		}
	}
}
