package runner

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/printable"
)

// Short is the form of a run for a person at a terminal: a line for each case, and at the end the failures again, each
// with what was expected, what was received, and the command that repeats the case.
type Short struct {
	// To gets the text.
	To io.Writer
	// Color switches colours on. Width is the terminal's width in columns, to which each case's line is cut; 0 cuts
	// nothing.
	Color bool
	Width int
	// Tree prints the results by section and rule of the draft when all are there, instead of line by line.
	Tree bool
}

// shortForm prints the short form of one run.
type shortForm struct {
	*Short
	client ClientInfo
	relay  string
	repeat func(id string) string
	column int // of what comes behind the names of cases

	mu     sync.Mutex
	begun  bool
	draft  string
	broken []Result
	err    error
}

func newShort(o *Options) *shortForm {
	s := &shortForm{Short: o.Short, client: o.Client.Info(), relay: o.Relay, repeat: o.Repeat, draft: draftUnknown}
	for _, c := range o.Cases {
		s.column = max(s.column, len(c.ID))
	}
	return s
}

func (s *shortForm) state() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft, s.err
}

func (s *shortForm) header(first Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.headerLocked(first)
}

func (s *shortForm) headerLocked(first Session) {
	if s.begun {
		return
	}
	s.begun = true
	what := "no session yet"
	if d := first.Draft(); d != "" {
		s.draft = d
		what = d + " over " + first.Transport
		if first.PeerImplementation != "" {
			what += ", " + printable.OneLine(first.PeerImplementation)
		}
	}
	s.print("%s  %s\n\n", s.paint(bold, printable.OneLine(s.relay)), what)
}

func (s *shortForm) result(_ cases.Case, r Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, _ := r.established()
	s.headerLocked(first)
	word, color, why := "ok", green, ""
	switch r.Status {
	case Pass:
		why = r.Message
	case Todo:
		word, color, why = "SHOULD", yellow, r.Message
	case Skip:
		word, color, why = "skip", yellow, r.Reason
	case NotApplicable:
		word, color, why = "n/a", faint, r.Reason
	default:
		word, color, why = "NOT OK", red, string(r.Layer)+": "+firstOf(r.Message, r.Received)
	}
	if r.Status == Fail || r.Status == Todo {
		s.broken = append(s.broken, r)
	}
	line := fmt.Sprintf("%-*s %7s  %s", s.column, r.Case, took(r.Duration), printable.OneLine(why))
	if room := s.Width - 8; s.Width > 0 && len([]rune(line)) > max(room, s.column+10) {
		line = string([]rune(line)[:max(room, s.column+10)-1]) + "…"
	}
	s.print("%s  %s\n", s.paint(color, fmt.Sprintf("%-6s", word)), strings.TrimRight(line, " "))
	return s.err
}

func (s *shortForm) bail(reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.headerLocked(Session{})
	s.again()
	s.print("\n%s %s\n", s.paint(red, "Ended early:"), printable.OneLine(reason))
	return s.err
}

func (s *shortForm) close(r *Report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.headerLocked(Session{})
	s.again()
	s.print("\n%s in %s\n", s.paint(bold, r.Totals()), took(r.Duration))
	return s.err
}

// again prints each failure in full.
func (s *shortForm) again() {
	for _, r := range s.broken {
		color := red
		if r.Status == Todo {
			color = yellow
		}
		s.print("\n%s", s.paint(color, r.Case))
		if where := strings.TrimSpace(r.Level + " " + r.Sections); where != "" {
			s.print("  (%s)", where)
		}
		s.print("\n")
		expected, received := printable.OneLine(r.Expected), printable.OneLine(r.Received)
		if message := printable.OneLine(r.Message); expected == "" || !strings.Contains(message, expected) {
			s.print("  %s\n", message)
		}
		if expected != "" {
			s.print("  expected  %s\n  received  %s\n", expected, received)
		}
		for _, n := range r.Notes {
			s.print("  note      %s\n", printable.OneLine(n))
		}
		if s.repeat != nil {
			s.print("  again     %s\n", printable.OneLine(s.repeat(r.Case)))
		}
	}
}

// took is a duration for people: "12 ms", "1.2 s".
func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// The colours, as a terminal's codes.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
	faint  = "2"
)

func (s *shortForm) paint(code, text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// print remembers the first error.
func (s *shortForm) print(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.To, format, args...)
	}
}
