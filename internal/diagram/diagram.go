// Package diagram draws the transcript of a test case as a sequence diagram: a lane for each role and one for the
// relay, an arrow for each control message, and a broad one for each data stream.
package diagram

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// relayLane is the name of the lane that every message begins or ends at.
const relayLane = "relay"

// Of the picture, in its own units.
const (
	laneWidth = 260
	rowHeight = 24
	top       = 44
	left      = 70
	mostRows  = 300 // what is more is counted
	mostText  = 60  // characters of a label
)

// event is a line of a transcript.
type event struct {
	at, role, text string
	out            bool // from the role to the relay
}

// line is how transcripts write an event: "+12ms subscriber -> SUBSCRIBE {…}".
var line = regexp.MustCompile(`^\+(\d+ms) (\S+) (->|<-) (.*)$`)

// alias is the part of a stream's header that says least.
var alias = regexp.MustCompile(`\b(track alias|priority) \d+ ?`)

// parse takes the events of a transcript.
func parse(transcript []string) (events []event, roles []string) {
	for _, text := range transcript {
		m := line.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		events = append(events, event{at: m[1], role: m[2], out: m[3] == "->", text: m[4]})
		if !slices.Contains(roles, m[2]) {
			roles = append(roles, m[2])
		}
	}
	return events, roles
}

// lanes puts publishers left of the relay, and everybody else right.
func lanes(roles []string) []string {
	var before, after []string
	for _, r := range roles {
		if strings.HasPrefix(r, "publisher") {
			before = append(before, r)
		} else {
			after = append(after, r)
		}
	}
	return slices.Concat(before, []string{relayLane}, after)
}

// SVG draws a transcript, and below it why the case failed. The result is empty when there is nothing to draw. The
// picture has no scripts and no outside resources.
func SVG(title string, transcript []string, failure string) []byte {
	events, roles := parse(transcript)
	if len(events) == 0 {
		return nil
	}
	more := max(0, len(events)-mostRows)
	if more > 0 { // the end tells most
		events = slices.Concat(events[:mostRows/2], events[len(events)-mostRows/2:])
	}
	all := lanes(roles)
	x := make(map[string]int, len(all))
	for i, name := range all {
		x[name] = left + laneWidth/2 + i*laneWidth
	}
	width := left + laneWidth*len(all)
	height := top + rowHeight*(len(events)+4)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+
		"\n<title>%s</title>\n<style>%s</style>\n<rect class=\"bg\" width=\"%d\" height=\"%d\"/>\n",
		width, height, width, height, escape(title), style, width, height)
	b.WriteString(`<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" ` +
		`markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>` + "\n")
	bottom := top + rowHeight*len(events) + 8
	for _, name := range all {
		fmt.Fprintf(&b, `<text class="lane" x="%d" y="22">%s</text>`+
			`<line class="lane" x1="%d" y1="30" x2="%d" y2="%d"/>`+"\n", x[name], escape(name), x[name],
			x[name], bottom)
	}
	for i, e := range events {
		y := top + rowHeight*i + rowHeight/2
		if more > 0 && i == mostRows/2 {
			fmt.Fprintf(&b, `<text class="more" x="%d" y="%d">… %d more …</text>`+"\n", x[relayLane], y-rowHeight/2,
				more)
		}
		draw(&b, e, x[e.role], x[relayLane], y)
	}
	fmt.Fprintf(&b, `<line class="failed" x1="%d" y1="%d" x2="%d" y2="%d"/>`+
		`<text class="failed" x="%d" y="%d">✗ %s</text>`+"\n</svg>\n", left, bottom+6, width-10, bottom+6,
		left, bottom+26, escape(cut(failure, 40*len(all))))
	return []byte(b.String())
}

// draw draws an event between its role and the relay.
func draw(b *strings.Builder, e event, role, relay, y int) {
	from, to := relay, role
	if e.out {
		from, to = role, relay
	}
	kind, label, _ := strings.Cut(e.text, " ")
	class := "message"
	switch {
	case strings.HasSuffix(kind, "_HEADER") || strings.Contains(kind, "DATAGRAM"):
		class = "data"
	case kind == "closed:" || strings.HasPrefix(kind, "RESET") || strings.Contains(kind, "ERROR"):
		class = "bad"
	case kind == "FIN" || kind == "STOP_SENDING":
		class = "end"
	}
	text := kind
	if class != "message" {
		text += " " + alias.ReplaceAllString(label, "")
	}
	fmt.Fprintf(b, `<text class="time" x="%d" y="%d">%s</text><g class="%s"><title>%s</title>`+
		`<line x1="%d" y1="%d" x2="%d" y2="%d" marker-end="url(#a)"/><text x="%d" y="%d">%s</text></g>`+"\n",
		left-12, y+4, e.at, class, escape(cut(e.text, 2000)), from, y, to, y, (from+to)/2, y-4,
		escape(cut(text, min(mostText, max(24, abs(to-from)/7)))))
}

func abs(n int) int { return max(n, -n) }

func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// escape makes text fit for XML; what XML cannot have is replaced.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(strings.ToValidUTF8(s, "\uFFFD"))) // a strings.Builder takes everything
	return b.String()
}

// style is for light and dark; the kinds differ by their lines too, not by colour alone.
const style = `
text{font:12px system-ui,sans-serif;fill:#1b1f24;text-anchor:middle}.bg{fill:#fff}.tip{fill:#59636e}
.lane{stroke:#d5dae0}text.lane{font-weight:600;stroke:none}text.time{text-anchor:end;fill:#59636e;font-size:10px}
g line{stroke:#59636e;stroke-width:1.4}g.data line{stroke:#009e73;stroke-width:5}g.end line{stroke-dasharray:3 3}
g.bad line{stroke:#c24a00;stroke-width:2.4}line.failed{stroke:#c24a00;stroke-width:3}
text.failed{text-anchor:start;font-weight:600;fill:#c24a00}.more{fill:#59636e}
@media (prefers-color-scheme:dark){text{fill:#e4e8ec}.bg{fill:#12161b}.lane{stroke:#333c46}
text.failed,g.bad line{fill:#ff9a5c;stroke:#ff9a5c}text.failed{stroke:none}}
`
