package peers

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var (
	sentObjects     = regexp.MustCompile(`Sent: ([\d,]+) objects`)
	receivedObjects = regexp.MustCompile(`Objects: +([\d,]+)`)
	lostObjects     = regexp.MustCompile(`Lost: +([\d,]+)`)
)

// TestAiomoqtBenchesThroughOurRelay: objects of its publisher reach its subscriber through our relay, none lost. Its
// publisher leaves without waiting for what it has just written, so up to a group may be missing at the end; its own
// relay shows the same.
func TestAiomoqtBenchesThroughOurRelay(t *testing.T) {
	pub, sub := program(t, "moq-pub-bench"), program(t, "moq-sub-bench")
	const group = 100
	for _, d := range []wire.Draft{22, 20, 18, 16, 14} {
		if !wanted(d) {
			continue
		}
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			url := "moqt://127.0.0.1:" + ourRelay(t)
			common := []string{url, "-k", "--draft", fmt.Sprint(uint8(d)), "-N", "bench", "-T", "track"}
			// its time runs without a subscriber too
			sender := start(t, pub, append(common, "-s", "1024", "-g", fmt.Sprint(group), "-r", "2000", "-t", "6")...)
			waitFor(t, sender, "waiting for subscriber", 10*time.Second)
			receiver := start(t, sub, append(common, "-t", "15")...)
			waitFor(t, receiver, "Lost:", 30*time.Second)
			waitFor(t, sender, "Sent:", 10*time.Second)
			sent, received := number(t, sentObjects, sender), number(t, receivedObjects, receiver)
			lost := number(t, lostObjects, receiver)
			t.Logf("sent %d, received %d, lost %d", sent, received, lost)
			if lost != 0 || received < sent-group || received > sent || received < 1000 {
				t.Errorf("sent %d objects, received %d, lost %d", sent, received, lost)
			}
		})
	}
}

// number finds the first match in a program's output.
func number(t *testing.T, re *regexp.Regexp, out *logBuffer) int {
	t.Helper()
	m := re.FindStringSubmatch(out.String())
	if m == nil {
		t.Fatalf("no %s in\n%s", re, tail(out.String(), 3000))
	}
	n, err := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
