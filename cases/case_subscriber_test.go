package cases_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Objects may come after a subscription was cancelled (draft-22 §3.1.3): that is noted. A relay that goes on for ever
// has not noticed that the subscriber left.
func TestObjectsAfterUnsubscribe(t *testing.T) {
	for _, d := range wire.Drafts() {
		for late, status := range map[time.Duration]cases.Status{0: cases.Pass, 700 * time.Millisecond: cases.Pass,
			time.Hour: cases.Fail} {
			t.Run(late.String()+"/"+d.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					relay := &scripted{t: t, late: late}
					r := cases.Run(t.Context(), find(t, "unsubscribe"), against(t, d, relay.peer()))
					noted := strings.Contains(strings.Join(r.Notes, "\n"),
						"4 streams and datagrams came after the subscriber had left")
					if r.Status != status || noted != (late > 0) || status == cases.Fail &&
						!strings.HasPrefix(r.Received, "4 streams and datagrams of the track") {
						t.Errorf("%s: %s, notes %q\n%s", r.Status, r.Message, r.Notes,
							strings.Join(r.Transcript, "\n"))
					}
				})
			})
		}
	}
}
