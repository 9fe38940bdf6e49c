package tap

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
)

// Directive is what follows the "#" of a point.
type Directive int

// The directives of TAP 14.
const (
	None Directive = iota
	Skip           // the case was not run, or does not apply
	Todo           // the case is not expected to pass
)

// String returns "", "SKIP" or "TODO".
func (d Directive) String() string {
	switch d {
	case Skip:
		return "SKIP"
	case Todo:
		return "TODO"
	}
	return ""
}

// Status is what one point amounts to. A higher value is a worse one.
type Status int

// The outcomes of a point, from best to worst.
const (
	StatusPassed Status = iota
	StatusSkipped
	StatusTodo
	StatusFailed
)

// String returns "passed", "skipped", "todo" or "failed".
func (s Status) String() string {
	return [...]string{"passed", "skipped", "todo", "failed"}[s]
}

// Point is one test point.
type Point struct {
	Number    int       // 1 and up; the reader fills in what the line leaves out
	OK        bool      // "ok" or "not ok"; not yet the outcome, see Status
	Name      string    // the description, unescaped, without the leading "- "
	Directive Directive // None, Skip or Todo
	Reason    string    // what follows the directive, unescaped

	// YAML is the diagnostic block, keys in order. The Writer prints it when it is not empty. The reader fills it as
	// well as it can; see RawYAML for what was there.
	YAML yaml.MapSlice

	RawYAML string   // reader: the text between the markers, indentation removed
	Line    int      // reader: line number of the point, from 1
	Subtest *Subtest // reader: the subtest that this point ends, if any
}

// Status returns the outcome; the directive goes before OK.
func (p *Point) Status() Status {
	switch {
	case p.Directive == Skip:
		return StatusSkipped
	case p.Directive == Todo:
		return StatusTodo
	case p.OK:
		return StatusPassed
	}
	return StatusFailed
}

// Subtest is an indented TAP document. It never decides anything: the point that ends it does.
type Subtest struct {
	Name   string // from "# Subtest: name"; may be empty
	Plan   *Plan  // nil without a plan
	Points []*Point
}

// Plan is a line "1..Count".
type Plan struct {
	Count  int
	Reason string // what follows "#", unescaped; for 1..0 why everything was skipped
	Line   int    // line number, from 1
}

// Bail is a "Bail out!" line.
type Bail struct {
	Reason string // unescaped; may be empty
	Line   int    // line number, from 1
}

// Comment is a "#" line, without the "#" and the space around it.
type Comment struct {
	Line  int // line number, from 1
	Depth int // 0 at the top level, 1 in a subtest, …
	Text  string
}

// Draft is a claim about which draft was negotiated: a comment "# Draft: …", or sessions.<role>.moqt_version of a
// point's YAML. What was asked for is no claim ("# request: … draft=18").
type Draft struct {
	Line   int    // line number of the comment or of the point, from 1
	Point  int    // number of the point; 0 for a comment
	Role   string // the session's role; "" for a comment
	Text   string // as it was written
	Number int    // 16 for "draft-16", "moqt-16", "16 (ALPN: moqt-16)"; 0 when it names none or several
}

// Problem is a place where the document deviates from TAP 14.
type Problem struct {
	Line   int // line number, from 1; 0 for the document as a whole
	Text   string
	Breaks bool // the document cannot be a pass any more
}

// String returns "line 7: text".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.Text
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Text)
}

// Document is what Parse found. Points and Plan are those of the top level only.
type Document struct {
	Version  int    // 13, 14, or 0 without a version line
	Source   string // the prefix name the TAP lines had ("client-1"); "" without one
	Comments []Comment
	Drafts   []Draft
	Plan     *Plan // nil without a plan
	Points   []*Point
	Bail     *Bail // the first one; nil without any
	Problems []Problem

	// MoreProblems is the number of problems that Problems has no room for. None of them breaks the document, unless
	// Problems already has many that do.
	MoreProblems int
}

// Lookup follows keys through nested mappings: Lookup(m, "sessions", "client").
func Lookup(m yaml.MapSlice, path ...string) (any, bool) {
	var v any = m
	for _, key := range path {
		inner, ok := v.(yaml.MapSlice)
		if !ok {
			return nil, false
		}
		found := false
		for _, item := range inner {
			if k, ok := item.Key.(string); ok && k == key {
				v, found = item.Value, true
				break
			}
		}
		if !found {
			return nil, false
		}
	}
	return v, true
}

var escaper = strings.NewReplacer(`\`, `\\`, `#`, `\#`)

// escape makes text fit for a description or a reason (TAP 14, Escaping).
func escape(s string) string { return escaper.Replace(oneLine(s)) }

// unescape undoes escape: only \\ and \# are escapes, any other \ is itself.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == '#') {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// oneLine turns every run of white space and control characters into one space: TAP has no escape for a line break, and
// some readers break lines at U+0085, U+2028 and the like too.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}
