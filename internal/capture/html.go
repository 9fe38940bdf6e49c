package capture

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/sequence"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// page has no scripts and no outside resources, and tells the browser so.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{.Name}}</title>
<style>
body{font:15px/1.5 ui-sans-serif,system-ui,sans-serif;margin:2rem;color:#1b1f24;background:#fff}
section{overflow-x:auto}.broken{color:#b3261e}
@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#1b1f24}.broken{color:#ff8a80}}
</style>
<h1>{{.Name}}</h1>
{{range .Parts}}<section><h2>{{.Title}}</h2>
{{range .Broken}}<p class="broken">✗ {{.Section}} {{.Rule}}: {{.Says}} Found: {{.Found}}</p>
{{end}}{{.SVG}}</section>
{{else}}<p>Nothing was decoded.</p>
{{end}}</html>
`))

// HTML writes a page with the sequence diagram of each connection. Values of messages are in it, but for those of
// authorization tokens.
func HTML(w io.Writer, name string, lines []Line) error {
	type part struct {
		Title  string
		Broken []Breach
		SVG    template.HTML
	}
	var names []string
	of := make(map[string][]Line)
	for _, l := range lines {
		if of[l.Connection] == nil {
			names = append(names, l.Connection)
		}
		of[l.Connection] = append(of[l.Connection], l)
	}
	var parts []part
	for _, c := range names {
		p := part{Title: strings.TrimSpace(fmt.Sprintf("%s %s", wire.Draft(of[c][0].Draft), c))}
		for _, l := range of[c] {
			p.Broken = append(p.Broken, l.Broken...)
		}
		var svg strings.Builder
		d := sequence.Diagram{Title: p.Title, Lanes: []string{"client", "server"}, Events: Sequence(of[c])}
		if err := d.SVG(&svg); err != nil {
			return err
		}
		p.SVG = template.HTML(svg.String()) // which escapes its text
		parts = append(parts, p)
	}
	return page.Execute(w, map[string]any{"Name": name, "Parts": parts})
}

// Sequence gives the events of one connection's diagram. The objects of a stream are one bar.
func Sequence(lines []Line) []sequence.Event {
	var events []sequence.Event
	bars := make(map[streamKey]*bar)
	for i := range lines {
		l := &lines[i]
		e := sequence.Event{At: fmt.Sprintf("+%.1f ms", l.TimeMS), From: l.From, To: "server", Text: l.Type,
			Bad: l.Error != "" || len(l.Broken) > 0}
		if l.From == "server" {
			e.To = "client"
		}
		if l.Stream != nil {
			e.Text = fmt.Sprintf("%s · stream %d", l.Type, *l.Stream)
		}
		e.Detail = detail(l)
		switch l.Type {
		case "SUBGROUP_HEADER", "FETCH_HEADER", "OBJECT", "END_OF_RANGE":
			if l.Stream == nil {
				break
			}
			key := streamKey{*l.Stream, l.From == "server"}
			b := bars[key]
			if b == nil {
				e.Kind = sequence.Data
				events = append(events, e)
				b = &bar{at: len(events) - 1, kind: "fetch"}
				bars[key] = b
			}
			b.add(&events[b.at], l)
			continue
		case "OBJECT_DATAGRAM":
			e.Kind = sequence.Data
			e.Text = fmt.Sprintf("OBJECT_DATAGRAM {%s, %s}", field(l, "group_id"), field(l, "object_id"))
		case "FIN", "RESET_STREAM", "STOP_SENDING":
			e.Kind = sequence.End
			if code := field(l, "code"); code != "" {
				e.Text += " " + code
			}
			e.Bad = e.Bad || l.Type == "RESET_STREAM" && l.On == "uni"
		case "ERROR":
			e.Text = l.Error
		case "WEBTRANSPORT_STREAM", "WEBTRANSPORT_DATAGRAM":
			continue
		}
		events = append(events, e)
	}
	return events
}

// bar is the data of one stream.
type bar struct {
	at             int
	kind           string
	group          string
	objects, bytes uint64
}

// add counts what a line of the stream adds.
func (b *bar) add(e *sequence.Event, l *Line) {
	switch l.Type {
	case "SUBGROUP_HEADER":
		b.kind, b.group = "subgroup", field(l, "group_id")
	case "OBJECT":
		n, _ := number(l.Fields, "payload_length")
		b.objects, b.bytes = b.objects+1, b.bytes+n
	}
	what := b.kind
	if b.group != "" {
		what = "group " + b.group
	}
	e.Text = fmt.Sprintf("%s · stream %d: %d objects, %d B", what, *l.Stream, b.objects, b.bytes)
	e.Bad = e.Bad || l.Error != "" || len(l.Broken) > 0
}

func field(l *Line, name string) string {
	v, _ := l.Fields.Get(name)
	text, _ := v.(string)
	return text
}

// detail is what a line tells beside its name, without the values of tokens.
func detail(l *Line) string {
	text, err := withoutTokens(l.Fields).MarshalJSON()
	if err != nil {
		return ""
	}
	parts := []string{string(text)}
	for _, more := range []string{l.Track, l.Error} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	for _, b := range l.Broken {
		parts = append(parts, fmt.Sprintf("breaks %s (%s): %s", b.Rule, b.Section, b.Found))
	}
	return strings.Join(parts, "\n")
}

// withoutTokens hides the values of authorization tokens.
func withoutTokens(fields wire.Fields) wire.Fields {
	out := make(wire.Fields, len(fields))
	for i, f := range fields {
		out[i] = f
		switch v := f.Value.(type) {
		case wire.Fields:
			out[i].Value = withoutTokens(v)
		case []any:
			list := make([]any, len(v))
			for j, x := range v {
				if list[j] = x; x != nil {
					if inner, ok := x.(wire.Fields); ok {
						list[j] = withoutTokens(inner)
					}
				}
			}
			out[i].Value = list
		}
		if f.Name == "token_value" || strings.EqualFold(f.Name, "authorization") {
			out[i].Value = "(token)"
		}
	}
	return out
}
