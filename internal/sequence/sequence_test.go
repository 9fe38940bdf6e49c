package sequence

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// draw gives the SVG.
func draw(t *testing.T, d *Diagram) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.SVG(&b); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, b.Bytes())
	return b.String()
}

// wellFormed wants one XML document.
func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
}

func TestSVG(t *testing.T) {
	svg := draw(t, &Diagram{Title: "a & b", Lanes: []string{"client", "relay"}, Events: []Event{
		{At: "+1 ms", From: "client", To: "relay", Text: "SETUP", Detail: "{}"},
		{From: "relay", To: "client", Kind: Data, Text: "group 0: 5 objects"},
		{From: "client", To: "relay", Kind: End, Text: "FIN"},
		{Kind: Note, Text: "a note"},
		{From: "late", To: "client", Text: "x", Bad: true},
	}})
	for _, want := range []string{"<title>a &amp; b</title>", ">client<", ">relay<", ">late<", ">SETUP<", ">+1 ms<",
		`class="d"`, `class="e"`, "group 0: 5 objects", ">a note<", `class="m b"`, "✗ x"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q in\n%s", want, svg)
		}
	}
}

// What peers say is text, whatever it looks like.
func TestTextIsText(t *testing.T) {
	svg := draw(t, &Diagram{Lanes: []string{"<a>", "b"}, Events: []Event{{From: "<a>", To: "b",
		Text: `</text><script>alert(1)</script>`, Detail: "]]>\x00\xff" + strings.Repeat("é", 5000)}}})
	if strings.Contains(svg, "<script>") || len(svg) > 12000 {
		t.Errorf("%d bytes\n%s", len(svg), svg)
	}
}

// A long list is cut in the middle, and says so.
func TestManyEvents(t *testing.T) {
	events := make([]Event, maxEvents+10)
	for i := range events {
		events[i] = Event{From: "a", To: "b", Text: "m"}
	}
	svg := draw(t, &Diagram{Lanes: []string{"a", "b"}, Events: events})
	if strings.Count(svg, ">m<") != 2*maxEvents || !strings.Contains(svg, "10 events are left out") {
		t.Error(strings.Count(svg, ">m<"))
	}
	if svg := draw(t, &Diagram{}); !strings.HasPrefix(svg, "<svg") {
		t.Error(svg)
	}
}
