package tap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Writer prints one TAP 14 document. Every method builds its text first and hands it over in a single Write, so that
// nobody reads half a line. A call that breaks the order of the document returns an error and prints nothing; the first
// error of the underlying writer stays and is returned by every later call.
//
// A Writer is not safe for concurrent use.
type Writer struct {
	out    *output
	parent *Writer
	indent string
	name   string  // of the subtest
	open   *Writer // the subtest whose point has not come yet

	begun bool // something has been printed at this level
	plan  int  // -1 before the plan
	last  int  // number of the last point
	trail bool // the plan came after a point: no more points
}

// output is what a Writer and its subtests share.
type output struct {
	w      io.Writer
	err    error
	bailed bool
}

const versionLine = "TAP version 14\n"

// NewWriter returns a Writer that prints to w. It prints nothing by itself.
func NewWriter(w io.Writer) *Writer {
	return &Writer{out: &output{w: w}, plan: -1}
}

// Version prints "TAP version 14". It must be the first line, and a subtest has none.
func (w *Writer) Version() error {
	if w.begun || w.parent != nil {
		return errors.New("tap: the version line must be the first line of the document")
	}
	return w.print(versionLine)
}

// Comment prints text as comment lines, one for each of its lines.
func (w *Writer) Comment(text string) error {
	var b bytes.Buffer
	for line := range strings.Lines(text) {
		b.WriteString(w.indent + strings.TrimRight("# "+oneLine(line), " ") + "\n")
	}
	if b.Len() == 0 {
		b.WriteString(w.indent + "#\n")
	}
	return w.print(b.String())
}

// Plan prints "1..n". It comes once, before the first point or after the last.
func (w *Writer) Plan(n int) error {
	switch {
	case w.plan >= 0:
		return fmt.Errorf("tap: a second plan 1..%d after 1..%d", n, w.plan)
	case n < 0 || w.last > 0 && n != w.last:
		return fmt.Errorf("tap: plan 1..%d after %d points", n, w.last)
	case w.open != nil:
		return fmt.Errorf("tap: plan before the point of subtest %q", w.open.name)
	}
	if err := w.print(w.indent + "1.." + strconv.Itoa(n) + "\n"); err != nil {
		return err
	}
	w.plan, w.trail = n, w.last > 0
	return nil
}

// Point prints one point and its YAML block. Its number must be the next one, and within the plan if there is one.
// RawYAML, Line and Subtest must be empty: they belong to the reader. Line breaks and control characters in Name and
// Reason become spaces.
func (w *Writer) Point(p Point) error {
	if err := w.check(&p); err != nil {
		return fmt.Errorf("tap: point %d %q: %w", p.Number, p.Name, err)
	}
	var b bytes.Buffer
	b.WriteString(w.indent)
	if !p.OK {
		b.WriteString("not ")
	}
	fmt.Fprintf(&b, "ok %d", p.Number)
	if name := escape(p.Name); name != "" {
		b.WriteString(" - " + name)
	}
	if p.Directive != None {
		b.WriteString(" # " + p.Directive.String())
		if reason := escape(p.Reason); reason != "" {
			b.WriteString(" " + reason)
		}
	}
	b.WriteByte('\n')
	if len(p.YAML) > 0 {
		b.WriteString(w.indent + "  ---\n")
		writeMap(&b, p.YAML, len(w.indent)+2, 0)
		b.WriteString(w.indent + "  ...\n")
	}
	if err := w.print(b.String()); err != nil {
		return err
	}
	w.last, w.open = p.Number, nil
	return nil
}

// check says why p cannot be printed now.
func (w *Writer) check(p *Point) error {
	switch {
	case p.Number != w.last+1:
		return fmt.Errorf("the next number is %d", w.last+1)
	case w.plan >= 0 && p.Number > w.plan || w.trail:
		return fmt.Errorf("outside the plan 1..%d", w.plan)
	case p.Directive < None || p.Directive > Todo:
		return fmt.Errorf("no such directive: %d", p.Directive)
	case p.Directive == None && p.Reason != "":
		return errors.New("a reason without a directive")
	case p.Subtest != nil || p.RawYAML != "" || p.Line != 0:
		return errors.New("a field of the reader is set")
	}
	if sub := w.open; sub != nil {
		if err := sub.Close(); err != nil {
			return fmt.Errorf("its subtest: %w", err)
		}
		if oneLine(p.Name) != sub.name {
			return fmt.Errorf("the open subtest is %q", sub.name)
		}
	}
	return nil
}

// Subtest prints "# Subtest: name" and returns the Writer of the lines below it, which are indented by 4 more spaces.
// The next call on w, apart from Comment and Bail, must be the Point of that name; the subtest needs a plan, and all
// its points, before it.
func (w *Writer) Subtest(name string) (*Writer, error) {
	name = oneLine(name)
	if w.open != nil {
		return nil, fmt.Errorf("tap: subtest %q before the point of subtest %q", name, w.open.name)
	}
	intro := "# Subtest: " + name
	if name == "" {
		intro = "# Subtest"
	}
	if err := w.print(w.indent + intro + "\n"); err != nil {
		return nil, err
	}
	w.open = &Writer{out: w.out, parent: w, indent: w.indent + "    ", name: name, plan: -1}
	return w.open, nil
}

// Bail prints "Bail out! reason", at the top level also when a subtest bails out, because it ends the whole run.
// Nothing can be printed after it.
func (w *Writer) Bail(reason string) error {
	err := w.print(strings.TrimRight("Bail out! "+escape(reason), " ") + "\n")
	if err == nil {
		w.out.bailed = true
	}
	return err
}

// Close prints nothing. It returns the first error of the underlying writer, or says what the document lacks: the plan,
// points of the plan, the point of a subtest. A document that bailed out lacks nothing.
func (w *Writer) Close() error {
	switch {
	case w.out.err != nil:
		return w.out.err
	case w.out.bailed:
		return nil
	case w.open != nil:
		return fmt.Errorf("tap: subtest %q has no point of its own", w.open.name)
	case w.plan < 0:
		return errors.New("tap: no plan")
	case w.last != w.plan:
		return fmt.Errorf("tap: %d of %d points printed", w.last, w.plan)
	}
	return nil
}

// print hands text over in one Write.
func (w *Writer) print(text string) error {
	switch {
	case w.out.err != nil:
		return w.out.err
	case w.out.bailed:
		return errors.New("tap: nothing can follow a bail out")
	case w.parent == nil && !w.begun && text != versionLine:
		return errors.New("tap: the version line must come first")
	case w.parent != nil && w.parent.open != w:
		return fmt.Errorf("tap: subtest %q has ended", w.name)
	}
	n, err := io.WriteString(w.out.w, text)
	if err == nil && n < len(text) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.out.err = fmt.Errorf("tap: %w", err)
		return w.out.err
	}
	w.begun = true
	return nil
}
