// Package sequence draws sequence diagrams as SVG: lanes beside each other, time downward, an arrow for each message, a
// bar for what carries data. Who has events makes a list of them; the transcript of a test case is one already.
package sequence

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// Kind is how an event is drawn.
type Kind uint8

// The kinds of events.
const (
	Message Kind = iota // an arrow
	Data                // a thick arrow: objects
	End                 // a thin dashed arrow: the end of a stream
	Note                // text across the lanes
)

// Event is one arrow, or a note.
type Event struct {
	// At stands at the margin, as "+12 ms"; it may be empty.
	At string
	// From and To are names of lanes. Of a Note both may be empty.
	From, To string
	Kind     Kind
	// Text stands on the arrow. Detail shows on hover, and is read aloud.
	Text, Detail string
	// Bad marks a failure.
	Bad bool
}

// Diagram is what is drawn.
type Diagram struct {
	// Title is what a reader who does not see is told.
	Title string
	// Lanes are from left to right. Lanes that only events name are behind them.
	Lanes  []string
	Events []Event
	// Most is how many events are drawn, half of them from the end; 0 means 2000.
	Most int
}

// Sizes, in pixels.
const (
	margin    = 90 // for the times
	laneWidth = 260
	head      = 44
	step      = 30
	noteStep  = 26
	maxText   = 38 // letters on an arrow between neighbours
	charWidth = 6
)

// maxEvents bounds a picture: more than that nobody reads, and browsers choke on.
const maxEvents = 2000

// Style is CSS for pages that the SVG is put into; the SVG has it too, so that it stands alone. Colours follow the
// reader's light or dark, and nothing is told by colour alone.
const Style = `
.seq{font:12px ui-sans-serif,system-ui,sans-serif;--ink:#1b1f24;--dim:#667;--line:#99a}
.seq{--data:#0a66c2;--bad:#b3261e;--paper:#fff;background:var(--paper)}
.seq text{fill:var(--ink)}.seq .dim{fill:var(--dim)}
.seq .lane{stroke:var(--line);stroke-dasharray:2 4}.seq .box{fill:var(--paper);stroke:var(--line)}
.seq .m{stroke:var(--ink);stroke-width:1.4}.seq .d{stroke:var(--data);stroke-width:5}
.seq .e{stroke:var(--dim);stroke-dasharray:5 3}.seq .tip{fill:var(--ink);stroke:none}
.seq .b{stroke:var(--bad)}.seq text.b,.seq .tip.b{fill:var(--bad);stroke:none;font-weight:600}
@media (prefers-color-scheme:dark){
.seq{--ink:#e6e8eb;--dim:#9aa3ad;--line:#667;--data:#62a8f0;--bad:#ff8a80;--paper:#1b1f24}}
`

// SVG writes the picture. Its text may come from a peer: all of it is escaped, and nothing in it is run.
func (d *Diagram) SVG(w io.Writer) error {
	p := &picture{lanes: slices.Clone(d.Lanes)}
	events, most := d.Events, cmp.Or(d.Most, maxEvents)
	if left := len(events) - most; left > 0 {
		gap := Event{Kind: Note, Text: fmt.Sprintf("… %d events are left out …", left)}
		events = slices.Concat(events[:most/2], []Event{gap}, events[len(events)-most/2:])
	}
	for _, e := range events {
		for _, lane := range []string{e.From, e.To} {
			if lane != "" && !slices.Contains(p.lanes, lane) {
				p.lanes = append(p.lanes, lane)
			}
		}
	}
	y := head + step
	for _, e := range events {
		y = p.event(&e, y)
	}
	width, height := margin+max(len(p.lanes), 1)*laneWidth, y
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" class="seq" role="img" width="%d" height="%d" `, width,
		height)
	fmt.Fprintf(w, `viewBox="0 0 %d %d">`, width, height)
	fmt.Fprintf(w, "<title>%s</title><style>%s</style>\n", escape(d.Title), Style)
	for i, lane := range p.lanes {
		x := center(i)
		fmt.Fprintf(w, `<line class="lane" x1="%d" y1="%d" x2="%d" y2="%d"/>`, x, head-8, x, height)
		fmt.Fprintf(w, `<rect class="box" x="%d" y="6" width="160" height="26" rx="4"/>`, x-80)
		fmt.Fprintf(w, `<text x="%d" y="23" text-anchor="middle">%s</text>`+"\n", x, escape(cut(lane, 24)))
	}
	_, err := fmt.Fprintf(w, "%s</svg>\n", p.body.Bytes())
	return err
}

// picture is the body of the SVG.
type picture struct {
	lanes []string
	body  bytes.Buffer
}

func center(lane int) int { return margin + lane*laneWidth + laneWidth/2 }

// event draws one at y, and gives the next y.
func (p *picture) event(e *Event, y int) int {
	bad := ""
	if e.Bad {
		bad = " b"
	}
	text, tip := e.Text, e.Text
	if e.Bad {
		text = "✗ " + text
	}
	if e.Detail != "" {
		tip += "\n" + e.Detail
	}
	fmt.Fprintf(&p.body, "<g><title>%s</title>", escape(cut(tip, 2000)))
	defer p.body.WriteString("</g>\n")
	if e.At != "" {
		fmt.Fprintf(&p.body, `<text class="dim" x="8" y="%d">%s</text>`, y+4, escape(cut(e.At, 14)))
	}
	from, to := slices.Index(p.lanes, e.From), slices.Index(p.lanes, e.To)
	if e.Kind == Note || from < 0 || to < 0 || from == to {
		x := margin + 8
		if from >= 0 {
			x = center(from) + 8
		}
		fmt.Fprintf(&p.body, `<text class="dim%s" x="%d" y="%d">%s</text>`, bad, x, y+4, escape(cut(text, 120)))
		return y + noteStep
	}
	class := map[Kind]string{Message: "m", Data: "d", End: "e"}[e.Kind]
	a, b, d := center(from), center(to), 1
	if a > b {
		d = -1
	}
	fmt.Fprintf(&p.body, `<line class="%s%s" x1="%d" y1="%d" x2="%d" y2="%d"/>`, class, bad, a, y, b-d*8, y)
	fmt.Fprintf(&p.body, `<path class="tip%s" d="M%d %dl%d -5v10z"/>`, bad, b, y, -d*9)
	span := max(to-from, from-to)
	fmt.Fprintf(&p.body, `<text class="%s" x="%d" y="%d" text-anchor="middle">%s</text>`, bad[min(len(bad), 1):],
		(a+b)/2, y-6, escape(cut(text, maxText*span)))
	return y + step
}

// cut shortens text to so many letters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// escape makes text safe in XML; what XML has no letter for becomes a mark.
func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a Buffer takes everything
	return b.String()
}
