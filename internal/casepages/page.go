// Package casepages writes docs/cases: a page for each test case, with its purpose, its procedure as a diagram of
// messages, the rules that it judges and the faults that it finds. `go generate ./internal/casepages` writes them anew.
package casepages

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

//go:generate go test . -run TestPages -update

// File is the name of the page of a case.
func File(c *cases.Case) string { return strings.ReplaceAll(c.ID, ":", "-") + ".md" }

// Newest is the newest draft that a case applies to: that of its diagram.
func Newest(c *cases.Case) wire.Draft {
	if c.Last != 0 {
		return c.Last
	}
	return wire.Newest
}

// Text is the page of a case but for the diagram: what is before it, and what is behind.
func Text(c *cases.Case) (before, after string) {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n", c.ID, c.Title)
	if len(c.Aliases) > 0 {
		fmt.Fprintf(&b, "Others call it %s.\n\n", strings.Join(c.Aliases, ", "))
	}
	fmt.Fprintf(&b, "- for %s; level %s; suite %s\n- sessions: %s\n- tags: %s\n\n", c.DraftRange(), c.Level, c.Suite,
		strings.Join(c.Roles, ", "), strings.Join(c.Tags, ", "))
	fmt.Fprintf(&b, "    moq-interop-client -r URL -t %s\n\n", c.ID)
	fmt.Fprintf(&b, "## Procedure\n\nThe messages on %s, with the reference relay:\n\n", Newest(c))
	before = b.String()
	b.Reset()
	b.WriteString("## Rules\n\n| rule | what it demands | level | where |\n|---|---|---|---|\n")
	for _, id := range c.Rules {
		if r, ok := rules.Find(id); ok {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.ID, cell(r.Says), r.Level, where(&r))
		}
	}
	if len(c.Faults) > 0 {
		b.WriteString("\n## Faults that it finds\n\nThe reference relay can be asked for them: " +
			"`-r \"embedded?fault=NAME\"`.\n\n| fault | what the relay then does | what the case says |\n" +
			"|---|---|---|\n")
	}
	for _, f := range c.Faults {
		says := fmt.Sprintf("not ok, layer %s: “%s”", f.Layer, cell(f.Says))
		if f.Refused {
			says = fmt.Sprintf("skipped: “%s”", cell(f.Says))
		}
		fmt.Fprintf(&b, "| %s%s | %s | %s |\n", f.Name, onDrafts(&f), cell(doc(f.Name)), says)
	}
	return before, b.String()
}

// onDrafts says on which drafts a fault shows, if not on all of its case's.
func onDrafts(f *cases.Fault) string {
	switch {
	case f.First != 0 && f.Last != 0:
		return fmt.Sprintf(" (drafts %d to %d)", f.First, f.Last)
	case f.First != 0:
		return fmt.Sprintf(" (from draft %d)", f.First)
	case f.Last != 0:
		return fmt.Sprintf(" (up to draft %d)", f.Last)
	}
	return ""
}

// doc is what the relay does with a fault, which may be one that is named with a rule.
func doc(name string) string {
	kind, _, keyed := strings.Cut(name, ":")
	for _, f := range append(reference.Faults(), reference.KeyedFaults()...) {
		if f.Name == name || keyed && strings.HasPrefix(f.Name, kind+":") {
			return f.Doc
		}
	}
	return ""
}

// where is where the drafts have a rule: "14-16 §9.4, §3.5; 17 §9.5".
func where(r *rules.Rule) string {
	var all []string
	for part := range strings.SplitSeq(r.In, ";") {
		words := strings.Fields(part)
		for i, w := range words[1:] {
			section, _, _ := strings.Cut(w, "/")
			words[i+1] = "§" + section
		}
		all = append(all, words[0]+" "+strings.Join(words[1:], ", "))
	}
	return strings.Join(all, "; ")
}

// cell makes a text fit for a table.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }

// The most steps of a diagram.
const mostSteps = 48

// step is an arrow of a diagram.
type step struct {
	at     string
	role   string
	sent   bool
	what   string
	data   bool
	ending bool
}

var (
	event   = regexp.MustCompile(`^\+(\d+)ms (\S+) (->|<-) (.*)$`)
	numbers = regexp.MustCompile(`( stream \d+| track alias \d+| request \d+| priority \d+)`)
)

// Diagram draws a transcript: the messages of all sessions in order of time, several alike as one.
func Diagram(transcript, roles []string) string {
	var steps []step
	for _, l := range transcript {
		if m := event.FindStringSubmatch(l); m != nil {
			if s, ok := stepOf(m[1], m[2], m[3] == "->", m[4]); ok {
				steps = append(steps, s)
			}
		}
	}
	inOrder(steps, roles)
	steps = slices.CompactFunc(steps, func(a, b step) bool {
		return a.role == b.role && a.sent == b.sent && a.what == b.what
	})
	var b strings.Builder
	b.WriteString("```mermaid\nsequenceDiagram\n")
	for i, r := range roles {
		if i > 0 && i == (len(roles)+1)/2 {
			b.WriteString("    participant relay\n")
		}
		fmt.Fprintf(&b, "    participant %s\n", r)
	}
	if len(roles) < 2 {
		b.WriteString("    participant relay\n")
	}
	for i, s := range steps {
		if i == mostSteps {
			fmt.Fprintf(&b, "    Note over relay: and %d more\n", len(steps)-i)
			break
		}
		from, to := s.role, "relay"
		if !s.sent {
			from, to = to, from
		}
		arrow := "->>"
		if s.data {
			arrow = "-)"
		}
		fmt.Fprintf(&b, "    %s%s%s: %s\n", from, arrow, to, s.what)
	}
	b.WriteString("```\n\n")
	return b.String()
}

// stepOf reads an event. What says nothing about the procedure is left out: SETUP, FIN of a request, the case's own
// close.
func stepOf(at, role string, sent bool, text string) (s step, ok bool) {
	s = step{at: fmt.Sprintf("%8s", at), role: role, sent: sent}
	name, rest, _ := strings.Cut(text, " ")
	switch name {
	case "SETUP", "CLIENT_SETUP", "SERVER_SETUP", "FIN":
		return s, false
	case "closed:":
		if strings.Contains(rest, "by us") {
			return s, false
		}
		s.what, s.ending = "closes the session: "+code(rest), true
		s.sent = false
	case "SUBGROUP_HEADER", "OBJECT_DATAGRAM", "FETCH_HEADER":
		s.data = true
		s.what = plain(numbers.ReplaceAllString(text, ""))
	case "(raw,": // bytes of a breach, with what they stand for
		s.what = "bytes, " + plain(rest[:strings.IndexAny(rest+")", "):")])
	case "STOP_SENDING":
		if sent { // for what is on its way when a request is cancelled
			return s, false
		}
		s.what = plain(numbers.ReplaceAllString(text, ""))
	case "RESET_STREAM":
		s.what = plain(numbers.ReplaceAllString(text, ""))
	case "REQUEST_ERROR", "SUBSCRIBE_ERROR", "FETCH_ERROR", "PUBLISH_ERROR", "PUBLISH_NAMESPACE_ERROR",
		"TRACK_STATUS_ERROR", "SUBSCRIBE_NAMESPACE_ERROR":
		s.what = name + " " + code(rest)
	default:
		if name == strings.ToUpper(name) { // else it is what the session says of a message
			s.what = name
		}
	}
	return s, s.what != ""
}

var errorCode = regexp.MustCompile(`"error_code":"(\d+)"|(\S+ \(0x[0-9a-f]+\))`)

// code finds the code of an error or of a close.
func code(text string) string {
	m := errorCode.FindStringSubmatch(text)
	switch {
	case m == nil:
		return ""
	case m[1] != "":
		return m[1]
	}
	return m[2]
}

// plain is a text without what a diagram would take for its own signs.
func plain(s string) string {
	s, _, _ = strings.Cut(s, " {")
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return strings.NewReplacer(";", ",", ":", " ", "#", "no. ").Replace(s)
}

// inOrder sorts steps by time. What a role receives at one time comes before what it then sends.
func inOrder(steps []step, roles []string) {
	slices.SortStableFunc(steps, func(a, b step) int {
		less := func(x, y bool) int {
			switch {
			case x == y:
				return 0
			case x:
				return 1
			}
			return -1
		}
		for _, c := range []int{strings.Compare(a.at, b.at),
			slices.Index(roles, a.role) - slices.Index(roles, b.role), less(a.sent, b.sent), less(a.ending, b.ending),
			less(a.data, b.data)} {
			if c != 0 {
				return c
			}
		}
		if a.data {
			return strings.Compare(a.what, b.what)
		}
		return 0
	})
}
