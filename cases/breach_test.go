package cases_test

import (
	"os"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// everyBreach reports whether the whole table is to be walked, rather than a sample of it.
func everyBreach() bool { return os.Getenv("MOQ_BREACHES") != "" || os.Getenv("MOQ_FULL") != "" }

// The reference relay refuses what it must, on every draft, and the innocent session beside does not notice.
func TestBreachesOnReference(t *testing.T) {
	for i, c := range cases.Suite(cases.SuiteConformance) {
		for j, d := range wire.Drafts() {
			if !c.Applies(d) || !everyBreach() && (i+j)%3 != 0 { // .ci/run has every one on every draft, over UDP
				continue
			}
			t.Run(c.ID+"/"+d.String(), func(t *testing.T) {
				t.Parallel()
				r := onReference(t, c, d)
				if r.Status != cases.Pass {
					t.Errorf("%s %s: %s%s\nnotes %q\n%s", r.Status, r.Layer, r.Message, r.Reason, r.Notes,
						strings.Join(r.Transcript, "\n"))
				}
			})
		}
	}
}

// Each breach is found out when the relay lets it through, answers it with the wrong code, or takes it out on others.
func TestBreachFaults(t *testing.T) {
	for i, c := range cases.Suite(cases.SuiteConformance) {
		for j, f := range c.Faults {
			drafts := triedOn(c, f, i+j)
			if everyBreach() {
				drafts = nil
				for _, d := range wire.Drafts() {
					if c.Applies(d) && f.Applies(d) {
						drafts = append(drafts, d)
					}
				}
			} else if len(drafts) > 0 {
				drafts = drafts[(i+j)%len(drafts):][:1]
			}
			for _, d := range drafts {
				t.Run(c.ID+"/"+f.Name+"/"+d.String(), func(t *testing.T) {
					t.Parallel()
					r := onReference(t, c, d, f.Name)
					if !f.Shows(&r) || (r.Todo != "") != f.Should {
						t.Errorf("%s %s: %s%s\nwant %s: %q\nnotes %q\n%s", r.Status, r.Layer, r.Message, r.Reason,
							f.Layer, f.Says, r.Notes, strings.Join(r.Transcript, "\n"))
					}
				})
			}
		}
	}
}
