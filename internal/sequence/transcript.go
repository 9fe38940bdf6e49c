package sequence

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// relayLane is the lane at which every message of a transcript begins or ends.
const relayLane = "relay"

// mostTranscript is how many events of a transcript are drawn: reports have a picture for each failure.
const mostTranscript = 300

// transcriptLine is how transcripts write an event: "+12ms subscriber -> SUBSCRIBE {…}".
var transcriptLine = regexp.MustCompile(`^\+(\d+ms) (\S+) (->|<-) (.*)$`)

// alias is the part of a stream's header that says least.
var alias = regexp.MustCompile(`\b(track alias|priority) \d+ ?`)

// Transcript draws the transcript of a test case: publishers left of the relay, everybody else right of it, and at the
// end why the case failed. The result is empty when there is nothing to draw.
func Transcript(title string, transcript []string, failure string) []byte {
	d := Diagram{Title: title, Most: mostTranscript}
	var left, right []string
	for _, text := range transcript {
		m := transcriptLine.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		e := said(m[4])
		e.At, e.From, e.To = m[1], m[2], relayLane
		if m[3] == "<-" {
			e.From, e.To = e.To, e.From
		}
		d.Events = append(d.Events, e)
		side := &right
		if strings.HasPrefix(m[2], "publisher") {
			side = &left
		}
		if !slices.Contains(*side, m[2]) {
			*side = append(*side, m[2])
		}
	}
	if len(d.Events) == 0 {
		return nil
	}
	d.Lanes = slices.Concat(left, []string{relayLane}, right)
	if failure != "" {
		d.Events = append(d.Events, Event{Kind: Note, Bad: true, Text: failure})
	}
	var b bytes.Buffer
	if err := d.SVG(&b); err != nil {
		return nil // a bytes.Buffer takes everything
	}
	return b.Bytes()
}

// said makes an event of what a line says behind its arrow.
func said(text string) Event {
	name, rest, _ := strings.Cut(text, " ")
	e := Event{Text: name, Detail: rest}
	switch {
	case strings.HasSuffix(name, "_HEADER"), strings.Contains(name, "DATAGRAM"):
		e.Kind = Data
	case name == "FIN", name == "STOP_SENDING", name == "closed:" && strings.Contains(rest, "NO_ERROR"):
		e.Kind = End
	case name == "closed:", strings.HasPrefix(name, "RESET"), strings.Contains(name, "ERROR"):
		e.Bad = true
	default:
		return e // what a message has shows on hover
	}
	e.Text = strings.TrimSpace(strings.TrimSuffix(name, "_HEADER") + " " + alias.ReplaceAllString(rest, ""))
	return e
}
