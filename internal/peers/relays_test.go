package peers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// standard are the cases that run without -t.
var standard = []string{"setup-only", "announce-only", "publish-namespace-done", "subscribe-error", "announce-subscribe", "subscribe-before-announce", "fetch", "join"}

// deviation is a verdict other than ok that a peer earns, and why. Nothing else may differ.
type deviation struct {
	test        string
	first, last wire.Draft
	transport   string // "" = both
	want        tap.Status
	why         string
}

// expected gives the verdict of a case.
func expected(list []deviation, test string, d wire.Draft, transport string) (tap.Status, string) {
	for _, x := range list {
		if x.test == test && x.first <= d && d <= x.last && (x.transport == "" || x.transport == transport) {
			return x.want, x.why
		}
	}
	return tap.StatusPassed, ""
}

// rustRelayDeviations: what the relay on the Rust stack does otherwise than the text says.
var rustRelayDeviations = []deviation{}

// aiomoqtRelayDeviations: what aiomoqt's relay does otherwise than the text says.
var aiomoqtRelayDeviations = []deviation{}

func TestOurClientAgainstRustRelay(t *testing.T) {
	checkRelay(t, rustRelay(t), wire.Drafts(), rustRelayDeviations)
}

func TestOurClientAgainstAiomoqtRelay(t *testing.T) {
	checkRelay(t, aiomoqtRelay(t), []wire.Draft{22, 20, 18, 16, 14}, aiomoqtRelayDeviations)
}

// checkRelay runs the standard cases on every draft and transport and compares each verdict with the table.
func checkRelay(t *testing.T, port string, drafts []wire.Draft, deviations []deviation) {
	t.Run("drafts", func(t *testing.T) { // a group, so that the relay outlives its parallel members
		for _, d := range drafts {
			for transport, scheme := range schemes {
				t.Run(fmt.Sprintf("%s/%s", d, transport), func(t *testing.T) {
					t.Parallel()
					url := fmt.Sprintf("%s://127.0.0.1:%s", scheme, port)
					doc, exit := runTAP(t, 2*time.Minute, ourBinary, "-r", url, "-d", fmt.Sprint(uint8(d)), "--transport", transport, "--tls-disable-verify")
					checkLabels(t, doc, d)
					failures := 0
					seen := map[string]bool{}
					for _, p := range doc.Points {
						seen[p.Name] = true
						want, why := expected(deviations, p.Name, d, transport)
						if got := p.Status(); got != want {
							t.Errorf("%s is %v, want %v (%s)", p.Name, got, want, why)
						}
						if p.Status() == tap.StatusFailed {
							failures++
						}
					}
					for _, name := range standard {
						if !seen[name] {
							t.Errorf("no point for %s", name)
						}
					}
					if (exit == 1) != (failures > 0) || exit != 0 && exit != 1 {
						t.Errorf("exit code %d with %d failures", exit, failures)
					}
				})
			}
		}
	})
}

// checkLabels: the draft in the header is the one that was asked for, since nothing else was offered.
func checkLabels(t *testing.T, doc *tap.Document, d wire.Draft) {
	t.Helper()
	for _, c := range doc.Comments {
		if got, ok := strings.CutPrefix(c.Text, "Draft: "); ok && got != d.String() {
			t.Errorf("the header says %s, only %s was offered", got, d)
		}
	}
	if doc.Bail != nil {
		t.Errorf("bail out: %s", doc.Bail.Reason)
	}
}
