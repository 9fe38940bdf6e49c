package tap

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	// pointNumber is the number behind "ok"; white space or the line's end ends it.
	pointNumber = regexp.MustCompile(`^\s*(\d+)(?:\s|$)`)
	// directive is what may follow the "#"; further letters belong to the word ("Skipped:").
	directive = regexp.MustCompile(`(?i)^\s*(skip|todo)\S*(?:\s+(.*))?$`)
)

// point reads what follows "ok" in a point's line, and ends the subtest below it.
func (p *parsing) point(l line, level int, ok bool, rest string) {
	p.flush()
	f := p.frame(level, l.no)
	pt := &Point{OK: ok, Line: l.no}

	if m := pointNumber.FindStringSubmatch(rest); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || n >= maxNumber {
			n = maxNumber // in no plan
		}
		pt.Number, f.numbered, rest = n, true, rest[len(m[0]):]
	} else {
		f.unnumbered = true
		pt.Number = 1
		if n := len(f.Points); n > 0 {
			pt.Number = f.Points[n-1].Number + 1
		}
	}
	if n := len(f.Points); n > 0 && pt.Number < f.Points[n-1].Number {
		p.note(l.no, "point %d after point %d", pt.Number, f.Points[n-1].Number)
	}
	p.describe(pt, rest)
	if l.cut && level == 0 && pt.Status() == StatusPassed {
		// The directive may be in the part that is gone.
		p.breaks(l.no, "a point's line was cut")
	}

	if len(p.frames) > level+1 {
		p.drop(level+2, l.no)
		sub := p.frames[level+1].Subtest
		p.frames = p.frames[:level+1]
		pt.Subtest = &sub
		if sub.Name != "" && sub.Name != pt.Name {
			p.note(l.no, "the subtest before it is %q", sub.Name)
		}
		if s := summarize(sub.Plan, sub.Points); pt.Status() == StatusPassed && s.Failed+s.Missing+s.Unplanned > 0 {
			p.note(l.no, "ok, though its subtest has %s", s)
		}
	}
	if level == 0 {
		p.pending = pt
	}
	f.Points = append(f.Points, pt)
	p.last, p.level = pt, level
	p.kept += len(l.text) + 256
}

// describe splits text into name and directive.
func (p *parsing) describe(pt *Point, text string) {
	name := text
	first := true // no earlier "#" could be meant as the delimiter
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			i++
			continue
		}
		if text[i] != '#' {
			continue
		}
		m := directive.FindStringSubmatch(text[i+1:])
		before := i == 0 || isBlank(text[i-1])
		after := i+1 < len(text) && isBlank(text[i+1])
		switch {
		case m != nil && (before || after):
			if !before || !after || !first {
				p.note(pt.Line, "directive not delimited as it should be: %s", excerpt(text[i:]))
			}
			pt.Directive = Skip
			if strings.EqualFold(m[1], "todo") {
				pt.Directive = Todo
			}
			pt.Reason, name = reason(m[2]), text[:i]
		case m != nil:
			p.note(pt.Line, "read as part of the name, not as a directive: %s", excerpt(text[i:]))
		case before && after:
			p.note(pt.Line, "not a directive, left in the name: %s", excerpt(text[i:]))
			first = false
		}
		if pt.Directive != None {
			break
		}
	}
	name = strings.TrimSpace(name)
	if name == "-" {
		name = ""
	} else if strings.HasPrefix(name, "- ") {
		name = strings.TrimSpace(name[2:])
	}
	pt.Name = unescape(name)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
