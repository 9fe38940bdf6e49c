package matrix

import (
	"path/filepath"
	"strings"
	"testing"
)

// A publisher that takes its time to make itself known is no failure: a subscriber that found nothing asks again.
func TestPairWithASlowPublisher(t *testing.T) {
	t.Parallel() // it mostly waits
	file := filepath.Join(t.TempDir(), "track")
	c := Builtin()
	c.Name, c.Kind, c.Cases = "slow-to-hasty", KindPair, []string{PairCase}
	c.Publisher = &Half{Command: []string{"sh", "-c", `sleep 0.7; cat > "$0"`, file}}
	c.Subscriber = &Half{Command: []string{"sh", "-c", `[ -e "$0" ] || { echo "error: no such track" >&2; exit 1; }
		exec tail -n +1 -f "$0"`, file}}
	r := execute(t, planOf(t, 1, one, nil, c), Options{NoRetry: true}).Cells[0]
	if r.Status != Pass {
		t.Errorf("%s %s: %v", r.Status, r.Reason, r.Cases)
	}
}

// One that never publishes ends with what the subscriber says of it.
func TestPairWithoutATrack(t *testing.T) {
	t.Parallel() // it mostly waits
	c := Builtin()
	c.Name, c.Kind, c.Cases = "none-to-hasty", KindPair, []string{PairCase}
	c.Publisher = &Half{Command: []string{"sleep", "60"}}
	c.Subscriber = &Half{Command: []string{"sh", "-c", `echo "error: no such track" >&2; exit 1`}}
	r := execute(t, planOf(t, 1, one, nil, c), Options{NoRetry: true}).Cells[0]
	if r.Status != Fail || !strings.Contains(r.Cases[0].Message, "0 of 20 objects came") ||
		!strings.Contains(r.Cases[0].Message, "the subscriber says: error: no such track") {
		t.Errorf("%s %s: %v", r.Status, r.Reason, r.Cases)
	}
}

// A subscriber that has got something and ends has ended: another one would get it again.
func TestPairThatEndsEarly(t *testing.T) {
	t.Parallel() // it mostly waits
	c := Builtin()
	c.Name, c.Kind, c.Cases = "none-to-early", KindPair, []string{PairCase}
	c.Publisher = &Half{Command: []string{"sleep", "60"}}
	c.Subscriber = &Half{Command: []string{"echo", "what nobody sent"}}
	r := execute(t, planOf(t, 1, one, nil, c), Options{NoRetry: true}).Cells[0]
	if r.Status != Fail || !strings.Contains(r.Cases[0].Message, "; 1 that nobody sent") {
		t.Errorf("%s %s: %v", r.Status, r.Reason, r.Cases)
	}
}
