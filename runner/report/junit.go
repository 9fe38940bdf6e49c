package report

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// wholeCell names the test case that stands for the cell itself, when something is wrong that none of its cases tells.
const wholeCell = "(cell)"

// WriteJUnit writes a run as JUnit XML: a test suite for each cell, a test case for each case. A case that failed or
// was flaky is a failure, whose type is the layer. One that could not be judged or has no result is an error. One that
// was skipped, does not apply, only broke a SHOULD or was expected to fail is skipped, with the reason. Nothing but a
// pass becomes a pass.
func WriteJUnit(w io.Writer, run *matrix.Run) error {
	j := junit{w: bufio.NewWriter(w)}
	var total counts
	suites := make([]counts, len(run.Cells))
	for i := range run.Cells {
		for _, k := range casesOf(&run.Cells[i]) {
			suites[i].add(&k)
		}
		total.join(suites[i])
	}
	j.w.WriteString(xml.Header)
	j.open("testsuites", "name", run.ID, total.attrs()...)
	for i := range run.Cells {
		c := &run.Cells[i]
		attrs := suites[i].attrs()
		if !c.Started.IsZero() {
			attrs = append(attrs, "timestamp", c.Started.UTC().Format("2006-01-02T15:04:05"))
		}
		j.w.WriteString("  ")
		j.open("testsuite", "name", c.ID, attrs...)
		j.properties(c)
		for _, k := range casesOf(c) {
			j.testcase(c, &k)
		}
		j.w.WriteString("  </testsuite>\n")
	}
	j.w.WriteString("</testsuites>\n")
	return j.w.Flush()
}

// casesOf gives the cases of a cell, and one for the cell when something is wrong with it that none of them tells.
func casesOf(c *matrix.CellResult) []matrix.CaseResult {
	if c.Status == matrix.Stale { // its cases are those of another run
		return []matrix.CaseResult{{Name: wholeCell, Status: c.Status, Message: "no result since " + c.StaleFrom}}
	}
	told := false
	for i := range c.Cases {
		told = told || bad(c.Cases[i].Status)
	}
	if len(c.Cases) > 0 && (!bad(c.Status) || told && (c.Status != matrix.Error || !c.Blamed())) {
		return c.Cases
	}
	whole := matrix.CaseResult{Name: wholeCell, Status: c.Status, Layer: c.Layer, Message: c.Reason, Known: c.Known}
	if len(c.Cases) == 0 {
		whole.DurationMS = c.DurationMS
	}
	return append(c.Cases[:len(c.Cases):len(c.Cases)], whole)
}

// counts are the totals that JUnit's elements have.
type counts struct {
	tests, failures, errors, skipped int
	ms                               int64
}

func (n *counts) add(k *matrix.CaseResult) {
	n.tests++
	n.ms += k.DurationMS
	switch element(k) {
	case "failure":
		n.failures++
	case "error":
		n.errors++
	case "skipped":
		n.skipped++
	}
}

func (n *counts) join(m counts) {
	n.tests, n.failures, n.errors, n.skipped, n.ms = n.tests+m.tests, n.failures+m.failures, n.errors+m.errors,
		n.skipped+m.skipped, n.ms+m.ms
}

func (n counts) attrs() []string {
	return []string{"tests", fmt.Sprint(n.tests), "failures", fmt.Sprint(n.failures), "errors", fmt.Sprint(n.errors),
		"skipped", fmt.Sprint(n.skipped), "time", seconds(n.ms)}
}

func seconds(ms int64) string {
	return fmt.Sprintf("%.3f", (time.Duration(ms) * time.Millisecond).Seconds())
}

// element is the content of the test case; empty for a pass.
func element(k *matrix.CaseResult) string {
	switch k.Status {
	case matrix.Pass:
		return ""
	case matrix.Skip, matrix.TooSlow, matrix.NotApplicable, matrix.Todo:
		return "skipped"
	}
	switch {
	case k.Known != "":
		return "skipped"
	case k.Status == matrix.Fail, k.Status == matrix.Flaky:
		return "failure"
	}
	return "error"
}

type junit struct{ w *bufio.Writer }

// open writes an element's start, with attributes in pairs.
func (j *junit) open(name, key, value string, more ...string) {
	j.start(name, append([]string{key, value}, more...))
	j.w.WriteString(">\n")
}

func (j *junit) start(name string, attrs []string) {
	j.w.WriteString("<" + name)
	for i := 0; i < len(attrs); i += 2 {
		j.w.WriteString(" " + attrs[i] + `="` + xmlText(line(attrs[i+1])) + `"`)
	}
}

// xmlText escapes text; what XML cannot hold becomes the replacement character.
func xmlText(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"'&<>`, r) }) < 0 {
		return s // as most texts are
	}
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "" // a bytes.Buffer does not fail
	}
	return b.String()
}

func (j *junit) properties(c *matrix.CellResult) {
	list := []string{"client", c.Client, "relay", c.Relay, "endpoint", c.Endpoint, "transport", c.Transport, "draft",
		c.Label.Draft, "draft_source", string(c.Label.Source),
		"status", string(c.Status), "command", c.Command}
	j.w.WriteString("    <properties>\n")
	for i := 0; i < len(list); i += 2 {
		if list[i+1] != "" {
			j.w.WriteString("      ")
			j.start("property", []string{"name", list[i], "value", list[i+1]})
			j.w.WriteString("/>\n")
		}
	}
	j.w.WriteString("    </properties>\n")
}

func (j *junit) testcase(c *matrix.CellResult, k *matrix.CaseResult) {
	j.w.WriteString("    ")
	j.start("testcase", []string{"classname", c.ID, "name", k.Name, "time", seconds(k.DurationMS)})
	kind := element(k)
	if kind == "" {
		j.w.WriteString("/>\n")
		return
	}
	why := cmp.Or(reasonOf(k), markOf(k.Status).Word)
	switch {
	case kind == "skipped" && k.Known != "":
		why = "expected to fail (" + k.Known + "): " + why
	case k.Status == matrix.Flaky:
		why = "flaky: " + why
	case k.Status == matrix.Skip, k.Status == matrix.NotApplicable: // too slow and SHOULD stand in the reason
		why = markOf(k.Status).Word + ": " + why
	}
	j.w.WriteString(">\n      ")
	attrs := []string{"message", why}
	if kind != "skipped" {
		attrs = append(attrs, "type", cmp.Or(k.Layer, string(k.Status)))
	}
	j.start(kind, attrs)
	var body strings.Builder
	for _, part := range []struct{ name, text string }{{"expected", k.Expected}, {"received", k.Received},
		{"rule", strings.TrimSpace(k.Level + " " + k.Sections)}} {
		if part.text != "" && kind != "skipped" {
			fmt.Fprintf(&body, "%s: %s\n", part.name, line(part.text))
		}
	}
	if body.Len() == 0 {
		j.w.WriteString("/>\n")
	} else {
		j.w.WriteString(">" + xmlText(body.String()) + "</" + kind + ">\n")
	}
	j.w.WriteString("    </testcase>\n")
}
