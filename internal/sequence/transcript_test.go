package sequence

import (
	"fmt"
	"strings"
	"testing"
)

func TestTranscript(t *testing.T) {
	got := Transcript("fetch", []string{
		`+1ms publisher -> SETUP {"a":1}`, "+2ms publisher <- SETUP {}", "no event", "+3ms subscriber -> SUBSCRIBE {}",
		"+4ms subscriber <- SUBGROUP_HEADER stream 7 track alias 3 group 0",
		`+5ms subscriber <- REQUEST_ERROR <"&` + "\x00", "+6ms subscriber -> closed: by us with NO_ERROR (0x0)",
	}, `expected <5>, received "4"`)
	wellFormed(t, got)
	text := string(got)
	publisher, relay, subscriber := strings.Index(text, ">publisher<"), strings.Index(text, ">relay<"),
		strings.Index(text, ">subscriber<")
	if publisher < 0 || relay < publisher || subscriber < relay {
		t.Errorf("lanes at %d, %d, %d", publisher, relay, subscriber)
	}
	for _, want := range []string{`class="d"`, `class="m b"`, "✗ REQUEST_ERROR", "✗ expected &lt;5&gt;", ">5ms<",
		">SUBGROUP stream 7 group 0<"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "✗ closed") {
		t.Error("an end without an error is marked")
	}
	if n := strings.Count(text, "<g>"); n != 7 {
		t.Errorf("%d events", n)
	}
	if Transcript("x", []string{"no event"}, "why") != nil {
		t.Error("a picture of nothing")
	}
}

// Whatever a peer makes us record, the picture has a bounded size and says what is left out.
func TestLongTranscript(t *testing.T) {
	var lines []string
	for i := range 10_000 {
		lines = append(lines, fmt.Sprintf("+%dms r%d -> GOAWAY %s", i, i%3, strings.Repeat("x", 5000)))
	}
	got := Transcript("many", lines, strings.Repeat("y", 10_000))
	wellFormed(t, got)
	if len(got) > 1<<20 || !strings.Contains(string(got), "… 9701 events are left out …") {
		t.Errorf("%d bytes", len(got))
	}
}

func FuzzTranscript(f *testing.F) {
	f.Add("+1ms publisher -> SETUP {}\n+2ms a <- FIN stream 1", "why")
	f.Fuzz(func(t *testing.T, transcript, why string) {
		if got := Transcript(why, strings.Split(transcript, "\n"), why); got != nil {
			wellFormed(t, got)
		}
	})
}
