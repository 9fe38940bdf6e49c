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

// A message has the End of FETCH_OK as the wire has it: up to 19 that is one past the last object, and Object 0 for the
// end of the group (draft-18 §10.13); later it is the last object.
func TestEndAsOnTheWire(t *testing.T) {
	for _, d := range wire.Drafts() {
		last, whole := "{2, 4}", "{2, 0}"
		if d >= wire.Draft20 {
			last, whole = "{2, 3}", "{2, 18446744073709551615}"
		}
		if got := cases.EndText(d, wire.Location{Group: 2, Object: 3}); got != last {
			t.Errorf("%s: %s, want %s", d, got, last)
		}
		if got := cases.EndText(d, wire.Location{Group: 2, Object: 1<<64 - 1}); got != whole {
			t.Errorf("%s: %s, want %s", d, got, whole)
		}
		r := onReference(t, find(t, "fetch-past-the-end"), d, "fetch-wrong-end")
		_, end, _ := strings.Cut(r.Received, "FETCH_OK with End ")
		end = strings.NewReplacer("{", `"group":"`, ", ", `","object":"`, "}", `"`).Replace(end)
		if text := strings.Join(r.Transcript, "\n"); end == "" || !strings.Contains(text, end) {
			t.Errorf("%s: received %q, and %q is not in\n%s", d, r.Received, end, text)
		}
	}
}
