package tap

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Limits of one document. Beyond them text is dropped, or reading stops, and a Problem says so.
const (
	maxRaw      = 512 << 10 // bytes of one YAML block that are kept
	maxYAML     = 2 << 20   // bytes of all blocks that the YAML library parses
	maxKept     = 16 << 20  // bytes that the whole document keeps, roughly
	maxProblems = 1000      // of each kind: breaking or not
	maxNumber   = 1 << 30   // a point number or plan from here on is taken for nonsense
)

// Parse reads one TAP document to its end. The Document is never nil; the error is the reader's own, and whatever came
// before it is in the Document, which then cannot pass. Parse stops early only when the document is over the limit (16
// MiB kept).
func Parse(r io.Reader) (*Document, error) { return ParseFunc(r, nil) }

// ParseFunc is like Parse, and also calls each, unless it is nil, with every top-level point as soon as it is complete:
// when its YAML block ends, or the next TAP line begins, or the input ends. The calls come from this goroutine. Only
// the Document tells what a point amounts to in the end.
func ParseFunc(r io.Reader, each func(*Point)) (*Document, error) {
	return parse(r, each, maxKept)
}

func parse(r io.Reader, each func(*Point), limit int) (*Document, error) {
	p := &parsing{doc: &Document{}, frames: []*frame{{}}, each: each}
	lines := newLineReader(r)
	for p.kept < limit {
		l, err := lines.next()
		if err != nil {
			if err == io.EOF {
				err = nil
			} else {
				p.breaks(lines.no, "reading failed: %v", err)
			}
			p.finish()
			return p.doc, err
		}
		p.line(l)
	}
	p.breaks(lines.no, "document too long, the rest was not read")
	p.finish()
	return p.doc, nil
}

// parsing is one Parse under way.
type parsing struct {
	doc     *Document
	each    func(*Point)
	locked  bool     // the source of the TAP lines is known
	sources []string // of doc.Comments and then of doc.Drafts, until locked
	frames  []*frame // the top level, then the subtests that are open
	last    *Point   // the point that a YAML block would belong to
	level   int      // its depth
	pending *Point   // top-level point that each has not seen
	block   *block   // the open YAML block
	parsed  int      // bytes of YAML, and some for each block
	kept    int
	notes   int // problems that do not break
	broken  int // problems that do
}

// frame is one level of the document while it is read.
type frame struct {
	Subtest
	line                 int // where it began
	numbered, unnumbered bool
}

// block is an open YAML block.
type block struct {
	point  *Point
	level  int // of the point
	indent int // of the marker
	line   int
	text   strings.Builder
	cut    bool
}

func (p *parsing) note(no int, format string, args ...any) {
	p.problem(&p.notes, Problem{no, fmt.Sprintf(format, args...), false})
}

func (p *parsing) breaks(no int, format string, args ...any) {
	p.problem(&p.broken, Problem{no, fmt.Sprintf(format, args...), true})
}

func (p *parsing) problem(count *int, what Problem) {
	if *count++; *count > maxProblems {
		p.doc.MoreProblems++
		return
	}
	p.doc.Problems = append(p.doc.Problems, what)
}

// kind is what a line without its indentation looks like.
type kind int

const (
	other kind = iota
	version
	plan
	point
	bail
	pragma
	comment
	subtest // "# Subtest: name", a comment to older readers
	marker  // "---"
)

var kinds = []struct {
	kind  kind
	first string // bytes that it can begin with
	re    *regexp.Regexp
}{
	{point, "on", regexp.MustCompile(`^(not )?ok(?:\s|$)(.*)`)},
	{subtest, "#", regexp.MustCompile(`^#\s*Subtest(?:\s*|:(.*))$`)},
	{comment, "#", regexp.MustCompile(`^#(.*)`)},
	{marker, "-", regexp.MustCompile(`^---(?:\s|$)`)},
	{plan, "0123456789", regexp.MustCompile(`^(\d+)\.\.(\d+)\s*(?:#(.*))?$`)},
	{version, "tT", regexp.MustCompile(`(?i)^TAP version (\d+)\s*$`)},
	{bail, "bB", regexp.MustCompile(`(?i)^Bail out!(.*)`)},
	{pragma, "p", regexp.MustCompile(`^pragma [+-][\w-]+\s*$`)},
}

// classify returns what body is, with the parts of its expression. Bail out counts at any indentation, the others only
// at a multiple of four, but for comments and markers.
func classify(indent int, body string) (kind, []string) {
	for _, k := range kinds {
		if body == "" || strings.IndexByte(k.first, body[0]) < 0 {
			continue
		}
		if m := k.re.FindStringSubmatch(body); m != nil {
			if indent%4 != 0 && k.kind != bail && k.kind != comment && k.kind != marker {
				return other, nil
			}
			return k.kind, m
		}
	}
	return other, nil
}

// carries reports whether lines of this kind make up the result.
func (k kind) carries() bool { return k == version || k == plan || k == point || k == bail }

func (p *parsing) line(l line) {
	body := strings.TrimLeft(l.text, " ")
	indent := len(l.text) - len(body)
	kind, m := classify(indent, body)
	if kind != other && indent/4 > maxDepth {
		kind = other
	}

	if p.locked && l.source != p.doc.Source {
		p.foreign(l, kind, m)
		return
	}
	if p.block != nil && p.inBlock(l, indent, body, kind) {
		return
	}
	if strings.TrimSpace(body) == "" {
		return
	}
	if kind.carries() {
		p.lock(l.source)
	}
	if kind != other {
		p.cleaned(l)
	}
	level := indent / 4
	switch kind {
	case version:
		p.version(l, level, m[1])
	case plan:
		p.plan(l, level, m)
	case point:
		p.point(l, level, m[1] == "", m[2])
	case bail:
		p.bail(l, m[1])
	case subtest:
		p.subtest(l, level, strings.TrimSpace(m[1]))
	case comment:
		p.comment(l, level, strings.TrimSpace(m[1]))
	case marker:
		p.marker(l, indent)
	case other:
		p.note(l.no, "not TAP, ignored: %s", excerpt(l.text))
	}
}

// cleaned notes what had to be removed to read l.
func (p *parsing) cleaned(l line) {
	if l.escapes {
		p.note(l.no, "escape sequences removed")
	}
	if l.invalid {
		p.note(l.no, "not UTF-8, replaced by U+FFFD")
	}
	if l.cut {
		p.note(l.no, "line cut after %d bytes", maxLine)
	}
	if l.noEnd {
		p.note(l.no, "the last line has no line break")
	}
}

// foreign handles a line from another source than the TAP lines. Such a line can break the document, but never add to
// it.
func (p *parsing) foreign(l line, kind kind, m []string) {
	switch {
	case kind == bail:
		p.bail(l, m[1])
	case kind.carries():
		p.breaks(l.no, "TAP from another source (%q, not %q): %s", l.source, p.doc.Source, excerpt(l.text))
	case strings.TrimSpace(l.text) != "":
		p.note(l.no, "from another source, ignored: %s", excerpt(l.text))
	}
}

// lock fixes the source of the document at its first line that carries a result, and drops the comments that others
// have written before.
func (p *parsing) lock(source string) {
	if p.locked {
		return
	}
	p.locked, p.doc.Source = true, source
	kept := p.doc.Comments[:0]
	for i, c := range p.doc.Comments {
		if p.sources[i] == source {
			kept = append(kept, c)
			continue
		}
		p.note(c.Line, "from another source, ignored: # %s", excerpt(c.Text))
		p.doc.Drafts = slices.DeleteFunc(p.doc.Drafts, func(d Draft) bool { return d.Line == c.Line })
	}
	p.doc.Comments, p.sources = kept, nil
}

// inBlock gives l to the open YAML block and reports whether it belonged there.
func (p *parsing) inBlock(l line, indent int, body string, kind kind) bool {
	b, end := p.block, strings.TrimRight(body, " \t")
	switch {
	case end == "":
		b.add("")
	case (end == "..." || end == "---") && indent <= b.indent:
		if end == "---" || indent != b.indent {
			p.note(l.no, "YAML closed by %q at column %d", end, indent+1)
		}
		p.closeBlock()
	case (kind.carries() || kind == subtest) && (indent < b.indent || indent <= 4*b.level):
		p.note(l.no, "YAML from line %d closed by the next TAP line", b.line)
		p.closeBlock()
		return false
	case indent >= b.indent:
		p.cleaned(l)
		p.kept += len(l.text)
		b.add(l.text[b.indent:])
	case kind == comment:
		return false
	default:
		p.note(l.no, "not TAP, left out of the YAML: %s", excerpt(l.text))
	}
	return true
}

func (b *block) add(text string) {
	if b.cut || b.text.Len()+len(text) > maxRaw {
		b.cut = true
		return
	}
	b.text.WriteString(text + "\n")
}

// marker opens a YAML block, if one may begin here.
func (p *parsing) marker(l line, indent int) {
	if p.last == nil || indent < 4*p.level {
		p.note(l.no, "YAML without a point, ignored")
		return
	}
	if want := 4*p.level + 2; indent != want {
		p.note(l.no, "YAML indented by %d spaces, not %d", indent, want)
	}
	p.block, p.last = &block{point: p.last, level: p.level, indent: indent, line: l.no}, nil
}

// closeBlock parses the open block and hands its point on.
func (p *parsing) closeBlock() {
	b, at := p.block, p.block.point
	p.block = nil
	at.RawYAML = b.text.String()
	if b.cut {
		p.note(b.line, "YAML cut after %d bytes", maxRaw)
	}
	p.parsed += len(at.RawYAML) + 256 // even an empty block costs the library something
	whole := len(at.RawYAML) <= maxBlock && p.parsed <= maxYAML
	var err error
	if at.YAML, err = parseYAML(at.RawYAML, whole); err != nil {
		p.note(b.line, "%v", err)
	}
	p.kept += len(at.RawYAML)
	if b.level == 0 {
		p.sessions(at)
		p.flush()
	}
}

// sessions takes the drafts from a point's YAML.
func (p *parsing) sessions(at *Point) {
	v, _ := Lookup(at.YAML, "sessions")
	roles, _ := v.(yaml.MapSlice)
	for _, item := range roles {
		fields, _ := item.Value.(yaml.MapSlice)
		if v, ok := Lookup(fields, "moqt_version"); ok {
			text := fmt.Sprint(v)
			p.doc.Drafts = append(p.doc.Drafts, Draft{at.Line, at.Number, fmt.Sprint(item.Key), text,
				draftNumber(text)})
		}
	}
}

// flush hands the last top-level point on: nothing more can be added to it.
func (p *parsing) flush() {
	if p.pending != nil && p.each != nil {
		p.each(p.pending)
	}
	p.pending = nil
}

func (p *parsing) version(l line, level int, digits string) {
	n, _ := strconv.Atoi(digits)
	if level > 0 {
		return // a subtest may have one; it says nothing new
	}
	top := p.frames[0]
	if p.doc.Version != 0 || len(top.Points) > 0 || top.Plan != nil {
		p.breaks(l.no, "a version line in the middle: more than one document")
		return
	}
	if n != 14 {
		p.note(l.no, "TAP version %s, read as 14", digits)
	}
	p.doc.Version = n
}

func (p *parsing) plan(l line, level int, m []string) {
	p.flush()
	p.last = nil
	p.kept += len(l.text)
	f := p.frame(level, l.no)
	first, err1 := strconv.Atoi(m[1])
	count, err2 := strconv.Atoi(m[2])
	switch {
	case err1 != nil || err2 != nil || count >= maxNumber || first != 1:
		p.planProblem(level, l.no, "a plan that does not begin at 1 or has no end: %s", excerpt(l.text))
	case f.Plan == nil:
		f.Plan = &Plan{Count: count, Reason: reason(m[3]), Line: l.no}
	case f.Plan.Count == count:
		p.note(l.no, "the plan again")
	default:
		p.planProblem(level, l.no, "a second plan, 1..%d after 1..%d", count, f.Plan.Count)
	}
}

// planProblem breaks the document at the top level only: a subtest decides nothing.
func (p *parsing) planProblem(level, no int, format string, args ...any) {
	if level == 0 {
		p.breaks(no, format, args...)
	} else {
		p.note(no, format, args...)
	}
}

// frame returns the level's frame, and opens it and those above it.
func (p *parsing) frame(level, no int) *frame {
	for len(p.frames) <= level {
		p.flush()
		p.last = nil
		p.frames = append(p.frames, &frame{line: no})
	}
	return p.frames[level]
}

func (p *parsing) bail(l line, text string) {
	if p.block != nil { // the line is from another source
		p.closeBlock()
	}
	p.flush()
	p.last = nil
	if p.doc.Bail == nil {
		p.doc.Bail = &Bail{Reason: reason(text), Line: l.no}
	}
}

// subtest opens the level below this line's.
func (p *parsing) subtest(l line, level int, name string) {
	p.flush()
	p.frame(level, l.no)
	p.drop(level+1, l.no)
	p.frame(level+1, l.no).Name = name
	p.kept += len(name) + 64
}

func (p *parsing) comment(l line, level int, text string) {
	p.kept += len(text) + 64
	p.doc.Comments = append(p.doc.Comments, Comment{l.no, level, text})
	if !p.locked {
		p.sources = append(p.sources, l.source)
	}
	if key, value, ok := strings.Cut(text, ":"); ok && strings.EqualFold(strings.TrimSpace(key), "draft") {
		value = strings.TrimSpace(value)
		p.doc.Drafts = append(p.doc.Drafts, Draft{Line: l.no, Text: value, Number: draftNumber(value)})
	}
}

// drop closes the frames from level on that no point has ended.
func (p *parsing) drop(level, no int) {
	for i := level; i < len(p.frames); i++ {
		if f := p.frames[i]; len(f.Points) > 0 || f.Plan != nil {
			p.breaks(no, "the subtest %q from line %d has no point of its own", f.Name, f.line)
		}
	}
	p.frames = p.frames[:min(level, len(p.frames))]
}

// finish closes what is open and looks at the document as a whole.
func (p *parsing) finish() {
	if b := p.block; b != nil {
		p.note(b.line, "YAML never closed")
		p.closeBlock()
	}
	p.flush()
	if p.doc.Bail == nil { // who bails out ends in the middle
		p.drop(1, 0)
	}
	doc, top := p.doc, p.frames[0]
	doc.Plan, doc.Points = top.Plan, top.Points
	if doc.Version == 0 {
		p.note(0, "no version line")
	}
	if top.numbered && top.unnumbered {
		p.breaks(0, "points with and without numbers")
	}
	seen := make(map[int]int, len(doc.Points))
	for _, pt := range doc.Points {
		if before, ok := seen[pt.Number]; ok {
			p.breaks(pt.Line, "point %d was there already at line %d", pt.Number, before)
		}
		seen[pt.Number] = pt.Line
	}
	slices.SortStableFunc(doc.Problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}

// reason trims and unescapes the text after "#" or "Bail out!".
func reason(s string) string { return unescape(strings.TrimSpace(s)) }

// excerpt quotes the beginning of a line for a problem.
func excerpt(s string) string {
	if r := []rune(s[:min(len(s), 400)]); len(r) > 80 {
		return strconv.Quote(string(r[:80])) + "…"
	}
	return strconv.Quote(s)
}

var draftText = regexp.MustCompile(`(?i)^(?:draft-(?:ietf-moq-transport-)?|moqt-)?(\d{1,3})(?:$|[ (])`)

// draftNumber returns the one draft that text names, or 0.
func draftNumber(text string) int {
	m := draftText.FindStringSubmatch(text)
	if m == nil || strings.Contains(text, ",") {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}
