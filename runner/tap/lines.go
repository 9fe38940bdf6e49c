package tap

import (
	"bufio"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxLine is the most bytes of one line that are kept.
const maxLine = 256 << 10

// line is one line of input, cleaned.
type line struct {
	no      int    // from 1
	text    string // without prefix, escape sequences and line end
	source  string // name of the prefix; "" without one
	cut     bool   // longer than maxLine
	escapes bool   // had escape sequences
	invalid bool   // was not UTF-8
	noEnd   bool   // the input ended without a line break
}

// lineReader splits at LF, CRLF and lone CR in bounded memory.
type lineReader struct {
	r      *bufio.Reader
	no     int
	skipLF bool // the last line ended with CR: a LF now belongs to it
	err    error
}

// next returns the next line, or the error that ended the input. A line without an end before the error still comes
// first.
func (lr *lineReader) next() (line, error) {
	var buf []byte
	l := line{no: lr.no + 1}
	some := false
	for {
		var c byte
		if lr.err == nil {
			c, lr.err = lr.r.ReadByte()
		}
		if lr.err != nil {
			if !some {
				return line{}, lr.err
			}
			l.noEnd = true
			break
		}
		if lr.skipLF && c == '\n' && !some {
			lr.skipLF = false
			continue
		}
		lr.skipLF, some = c == '\r', true
		if c == '\n' || c == '\r' {
			break
		}
		if len(buf) < maxLine {
			buf = append(buf, c)
		} else {
			l.cut = true
		}
	}
	lr.no++
	l.clean(string(buf))
	return l, nil
}

var (
	// escapes are CSI, OSC and two-byte escape sequences.
	escapes = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])`)
	// stamp is an RFC 3339 time in front of a line; one space belongs to it.
	stamp = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)? ?`)
	// label is "name  | " as container engines print it in front of a line; one space belongs to it.
	label = regexp.MustCompile(`^(\[?[A-Za-z0-9][\w./:-]*\]?)[ \t]*\| ?`)
)

// clean sets text and what had to be removed to get it.
func (l *line) clean(s string) {
	if !utf8.ValidString(s) {
		// A cut may have gone through a character; that is no fault of the input.
		l.invalid = !l.cut || !utf8.ValidString(s[:max(0, len(s)-utf8.UTFMax)])
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	s = strings.TrimPrefix(s, "\uFEFF") // log lines may stand before the one that has it
	if strings.IndexByte(s, 0x1b) >= 0 {
		plain := escapes.ReplaceAllString(s, "")
		l.escapes, s = plain != s, plain
	}
	if m := stamp.FindString(s); m != "" {
		l.source, s = "time stamp", s[len(m):]
	}
	if m := label.FindStringSubmatch(s); m != nil && m[1] != "ok" {
		l.source, s = strings.Trim(m[1], "[]"), s[len(m[0]):]
		s = s[len(stamp.FindString(s)):]
	}
	l.text = s
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: bufio.NewReader(r)} }
