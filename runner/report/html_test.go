package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
	"golang.org/x/net/html"
)

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// grid gives the texts of a matrix of the page, row by row, as somebody without scripts and styles reads them.
func grid(t *testing.T, page, caption string) [][]string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for table := range doc.Descendants() {
		if table.Data != "table" || !strings.HasPrefix(words(table), caption) {
			continue
		}
		for tr := range table.Descendants() {
			if tr.Data != "tr" {
				continue
			}
			var row []string
			for c := range tr.ChildNodes() {
				if c.Data == "td" || c.Data == "th" {
					row = append(row, words(c))
				}
			}
			rows = append(rows, row)
		}
		return rows
	}
	t.Fatalf("no matrix %q", caption)
	return nil
}

func words(n *html.Node) string {
	var parts []string
	for c := range n.Descendants() {
		if c.Type == html.TextNode && c.Parent.Data != "script" && c.Parent.Data != "style" {
			parts = append(parts, strings.TrimSpace(c.Data))
		}
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func TestPageIsReadableWithoutScripts(t *testing.T) {
	dir := t.TempDir()
	if err := WriteHTML(dir, hand(2), Options{History: []*matrix.Run{hand(1)}}); err != nil {
		t.Fatal(err)
	}
	page := content(t, filepath.Join(dir, HTMLFile))
	for caption, want := range map[string][][]string{
		"All drafts · all transports": {
			{"client ╲ relay", "embedded", "moqtail", "moqx", "cells that pass"},
			{"aiomoqt", "≈ 1/2", "◷ 1/2", "", "2/4"},
			{"builtin", "✗ req 0/2", "✗ data 0/2", "» 0/1", "0/5"},
			{"cells that pass", "1/4", "1/4", "0/1", "2/9"},
		},
		"draft-18 · QUIC": {
			{"client ╲ relay", "embedded", "moqtail", "cells that pass"},
			{"aiomoqt", "≈° 1/3", "✓ 2/3", "1/2"},
			{"builtin", "✗ req 0/1", "✗ data 1/2", "0/2"},
			{"cells that pass", "0/2", "1/2", "1/4"},
		},
		"draft-18 · WebTransport": {
			{"client ╲ relay", "moqtail", "moqx", "cells that pass"},
			{"aiomoqt", "◷✓", "", "0/1"},
			{"builtin", "", "»", "0/1"},
			{"cells that pass", "0/1", "0/1", "0/2"},
		},
	} {
		if diff := cmp.Diff(want, grid(t, page, caption)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", caption, diff)
		}
	}
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 of 9 cells pass", "Since nightly-11-20",
		"The run ended early: the deadline of 90s", "expected to fail: issue 12 of the relay",
		"received nothing", "no common draft", "the client was given draft-16 and reports draft-18"} {
		if !strings.Contains(strings.Join(strings.Fields(words(doc)), " "), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if regexp.MustCompile(`(?i)(src|href|url\()\s*=?\s*["'(]?\s*(https?:)?//`).MatchString(page) {
		t.Error("the page takes something from elsewhere")
	}
}

// TestEndpointsHaveColumns: a relay with two endpoints on one transport has two columns there, and one over all drafts.
func TestEndpointsHaveColumns(t *testing.T) {
	run := hand(1)
	for i := range run.Cells[:3] {
		c := &run.Cells[i]
		c.Client, c.Relay, c.Transport, c.Draft = "c", "r", "quic", "draft-18"
		c.Endpoint = []string{"one", "two", "two"}[i]
	}
	run.Cells = run.Cells[:3]
	run.Cells[2].Draft, run.Cells[2].Status = "", matrix.Fail // the same place, with the draft that was seen
	run.Cells[2].Label.Draft = "draft-18"
	dir := t.TempDir()
	if err := WriteHTML(dir, run, Options{}); err != nil {
		t.Fatal(err)
	}
	page := content(t, filepath.Join(dir, HTMLFile))
	want := [][]string{{"client ╲ relay", "r one", "r two", "cells that pass"}, {"c", "✓", "✗ setup 1/3", "2/3"},
		{"cells that pass", "1/1", "1/2", "2/3"}}
	if diff := cmp.Diff(want, grid(t, page, "draft-18 · QUIC")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want = [][]string{{"client ╲ relay", "r", "cells that pass"}, {"c", "✗ setup 2/3", "2/3"},
		{"cells that pass", "2/3", "2/3"}}
	if diff := cmp.Diff(want, grid(t, page, "All drafts · QUIC")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// call gives what a script of the details hands over.
func call(t *testing.T, path string, value any) {
	t.Helper()
	text := strings.TrimSpace(content(t, path))
	i := strings.Index(text, ",")
	if !strings.HasSuffix(text, ");") || i < 0 {
		t.Fatalf("%s is no call: %.80s", path, text)
	}
	if err := json.Unmarshal([]byte(text[i+1:len(text)-2]), value); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestDetails(t *testing.T) {
	root := t.TempDir()
	run := hand(2)
	files := filepath.Join(root, "run")
	long := strings.Repeat("a", textHead) + strings.Repeat("b", 1000) + strings.Repeat("c", textTail)
	write(t, root, "secret", "a secret")
	write(t, files, "tap", "TAP version 14\n")
	write(t, files, "retry", "TAP version 14\n# again\n")
	write(t, files, "long", long)
	run.Cells[0].Files = matrix.Files{TAP: "tap", Retries: []string{"retry"}, Transcript: "long", Stderr: "gone"}
	run.Cells[1].Files = matrix.Files{TAP: "../secret", Stderr: "."}
	dir := filepath.Join(root, "report")
	write(t, dir, "data/77-1.js", "of an earlier report")
	write(t, dir, "data/mine.js", "somebody's")
	if err := WriteHTML(dir, run, Options{Files: files, History: []*matrix.Run{hand(1)}}); err != nil {
		t.Fatal(err)
	}
	var d details
	call(t, filepath.Join(dir, "data/0-0.js"), &d)
	if d.Run != run.ID || len(d.Cells) != 2 || d.Drafts[0] != "draft-16" || d.History[d.Cells[1].ID] != "pk" {
		t.Errorf("details: %+v", d)
	}
	if diff := cmp.Diff(&run.Cells[0], d.Cells[0]); diff != "" {
		t.Errorf("a cell (-want +got):\n%s", diff)
	}
	said := make(map[string]texts)
	call(t, filepath.Join(dir, "data/0-0.text.js"), &said)
	first := said[run.Cells[0].ID]
	if first.TAP != "TAP version 14\n" || first.Retries[0] != "TAP version 14\n# again\n" || len(first.Lost) != 1 ||
		!strings.HasPrefix(first.Lost[0], "gone: ") {
		t.Errorf("texts: %.300q", first)
	}
	if want := strings.Repeat("a", textHead) + "\n… 1000 bytes left out …\n" +
		strings.Repeat("c", textTail); first.Transcript != want {
		t.Errorf("a long text: %d bytes, want %d", len(first.Transcript), len(want))
	}
	if second := said[run.Cells[1].ID]; second.TAP != "" || second.Stderr != "" || len(second.Lost) != 2 {
		t.Errorf("paths that lead elsewhere: %+v", second)
	}
	call(t, filepath.Join(dir, "data/0-1.js"), &d)
	if c := d.Cells[1]; c.Status != matrix.Stale || c.StaleFrom != "nightly-11-20" || len(c.Cases) != 2 ||
		d.Was[c.ID] != matrix.Pass {
		t.Errorf("a stale cell: %+v, was %v", c, d.Was)
	}
	if _, err := os.Stat(filepath.Join(dir, "data/77-1.js")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what an earlier report left: %v", err)
	}
	if got := content(t, filepath.Join(dir, "data/mine.js")); got != "somebody's" {
		t.Errorf("another's file: %q", got)
	}
}

// evil is text that would do something in each of the forms, were it not escaped.
const evil = "</script><script>hacked=1</script>\"'><img src=x onerror=hacked=1> | **b** [l](http://e) @me " +
	"`c` \x1b[31m\u202e\u2028\x00\xff\r\n]]> &amp; \\ {{.}}"

// spoil puts evil into every text of a value.
func spoil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				spoil(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i))
		}
	case reflect.String:
		v.SetString(v.String() + evil)
	}
}

func hostile() (*matrix.Run, *matrix.Run) {
	a, b := hand(1), hand(2)
	for _, run := range []*matrix.Run{a, b} {
		spoil(reflect.ValueOf(run))
		for i := range run.Cells {
			run.Cells[i].Files = matrix.Files{}
		}
		run.Versions = map[string]string{evil: evil}
	}
	return a, b
}

func TestHostileTexts(t *testing.T) {
	a, b := hostile()
	dir := t.TempDir()
	if err := Write(dir, b, Options{Title: evil, History: []*matrix.Run{a}}); err != nil {
		t.Fatal(err)
	}
	page := content(t, filepath.Join(dir, HTMLFile))
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(words(doc), func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
		t.Errorf("the page turns text around: %q", words(doc)[i:min(i+40, len(words(doc)))])
	}
	scripts := 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script":
			scripts++
		case "img":
			t.Error("the page has an image")
		}
		for _, at := range n.Attr {
			if strings.HasPrefix(at.Key, "on") || at.Key == "href" && !strings.HasPrefix(at.Val, "#") {
				t.Errorf("<%s %s=%q>", n.Data, at.Key, at.Val)
			}
		}
	}
	if scripts != 2 {
		t.Errorf("%d scripts", scripts)
	}
	var d details
	path := filepath.Join(dir, DataFolder, "0-0.js")
	call(t, path, &d)
	if text := content(t, path); strings.ContainsAny(text, "<>&\u2028") {
		t.Error("the details hold markup")
	}
	md := content(t, filepath.Join(dir, MarkdownFile))
	for _, bad := range []string{"<img", "<script", "**b**", " [l]", "@me", "`c`", "\x1b", "\u202e", "\x00",
		"http://"} {
		if strings.Contains(md, bad) {
			t.Errorf("the summary holds %q", bad)
		}
	}
	width := 0
	for _, l := range strings.Split(md, "\n") {
		if n := strings.Count(strings.ReplaceAll(l, `\|`, ""), "|"); strings.HasPrefix(l, "|") {
			if width != 0 && n != width {
				t.Errorf("a row with %d bars in a table of %d: %.200s", n, width, l)
			}
			width = n
		} else {
			width = 0
		}
	}
	dec := xml.NewDecoder(strings.NewReader(content(t, filepath.Join(dir, JUnitFile))))
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("junit.xml: %v", err)
		}
		if e, ok := tok.(xml.StartElement); ok && !strings.Contains(" testsuites testsuite properties property "+
			"testcase failure error skipped ", " "+e.Name.Local+" ") {
			t.Errorf("junit.xml has <%s>", e.Name.Local)
		}
	}
	table, err := ByDraft(b, b.Cells[0].Relay)
	if err != nil {
		t.Fatal(err)
	}
	c := Compare(a, b, CompareOptions{})
	for _, out := range []string{text(t, c.WriteText), text(t, table.WriteText)} {
		if i := strings.IndexFunc(out, func(r rune) bool {
			return r != '\n' && unicode.IsControl(r) ||
				unicode.Is(unicode.Bidi_Control, r)
		}); i >= 0 {
			t.Errorf("a terminal gets %q", out[i:min(i+20, len(out))])
		}
	}
}

// TestLargestPage holds the page of 30 clients, 30 relays, 9 drafts and 2 transports below 1 MB, with a history and
// failures everywhere.
func TestLargestPage(t *testing.T) {
	if testing.Short() {
		t.Skip("a large run")
	}
	s := shape{clients: 30, relays: 30, drafts: 9, cases: 1, full: true, day: 2, lost: 1}
	run := generate(t, s, "")
	for i := range run.Cells { // as if each had 25 cases, without the time it takes to make them
		run.Cells[i].Cases = []matrix.CaseResult{{Name: someCases[i%25], Status: run.Cells[i].Status,
			Message: failedIn[i%9].message, Layer: run.Cells[i].Layer}}
	}
	s.day = 1
	before := generate(t, s, "")
	v := newView(run, []*matrix.Run{before})
	for i := range v.cells {
		c := &v.cells[i]
		c.pass, c.of = 17, 25 // every cell shows a fraction
		if i%4 == 0 {
			c.change, c.guessed = Broken, true
		}
	}
	var page bytes.Buffer
	if err := v.writePage(&page, v.page(Options{})); err != nil {
		t.Fatal(err)
	}
	if len(run.Cells) != 16200 || page.Len() >= 1_000_000 {
		t.Errorf("%d cells, %d bytes", len(run.Cells), page.Len())
	}
	t.Logf("%d bytes", page.Len())
}

// TestWritePage: the page that goes to a writer is the one that stands in the folder.
func TestWritePage(t *testing.T) {
	dir := t.TempDir()
	options := Options{History: []*matrix.Run{hand(1)}}
	if err := WriteHTML(dir, hand(2), options); err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	if err := WritePage(&page, hand(2), options); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(content(t, filepath.Join(dir, HTMLFile)), page.String()); diff != "" {
		t.Error(diff)
	}
}
