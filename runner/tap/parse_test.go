package tap_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/runner/tap"
)

func parse(t *testing.T, in string) *tap.Document {
	t.Helper()
	doc, err := tap.Parse(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestVerdict has one row for each rule of the package's documentation.
func TestVerdict(t *testing.T) {
	const v = "TAP version 14\n"
	const six = "ok 1 - a\nok 2 - b\nok 3 - c\n"
	tests := []struct {
		name    string
		in      string
		exit    int
		summary string
		reasons []string // each must occur; none at all: a pass
	}{
		{"all passed", v + "1..3\n" + six, 0, "3 passed", nil},
		{"recorded", v + "1..3\n" + six, tap.NoExitCode, "3 passed", nil},
		{"plan at the end", v + six + "1..3\n", 0, "3 passed", nil},
		{"no version", "1..3\n" + six, 0, "3 passed", nil},
		{"TAP 13", "TAP version 13\n1..3\n" + six, 0, "3 passed", nil},
		{"CRLF", strings.ReplaceAll(v+"1..3\n"+six, "\n", "\r\n"), 0, "3 passed", nil},
		{"lone CR", strings.ReplaceAll(v+"1..3\n"+six, "\n", "\r"), 0, "3 passed", nil},
		{"no final line break", v + "1..1\nok 1 - a", 0, "1 passed", nil},
		{"byte order mark", "\uFEFF" + v + "1..1\nok 1 - a\n", 0, "1 passed", nil},
		{"pragma", v + "pragma +strict\npragma -bail\n1..1\nok 1\n", 0, "1 passed", nil},
		{"any order", v + "1..3\nok 2\nok 3\nok 1\n", 0, "3 passed", nil},
		{"no numbers", v + "1..3\nok - a\nok\nok b\n", 0, "3 passed", nil},
		{"a skip beside a pass", v + "1..2\nok 1 - a\nok 2 - b # SKIP not for draft 14\n", 0, "1 passed, 1 skipped",
			nil},
		{"a SHOULD beside a pass", v + "1..2\nok 1 - a\nnot ok 2 - b # TODO SHOULD: x\n", 0, "1 passed, 1 todo", nil},
		{"the parent decides", v + "1..1\n    not ok 1\n    1..1\nok 1\n", 0, "1 passed", nil},
		{"same plan twice", v + "1..1\nok 1\n1..1\n", 0, "1 passed", nil},

		{"failed, exit 1", v + "1..2\nok 1 - a\nnot ok 2 - b\n", 1, "1 passed, 1 failed",
			[]string{"1 of 2 points failed: 2 b", "exit code 1"}},
		{"failed, exit 0", v + "1..2\nok 1 - a\nnot ok 2 - b\n", 0, "1 passed, 1 failed",
			[]string{"2 b", "exit code 0 all the same"}},
		{"passed, exit 1", v + "1..3\n" + six, 1, "3 passed", []string{"exit code 1"}},
		{"passed, killed", v + "1..3\n" + six, -1, "3 passed", []string{"ended by a signal"}},
		{"missing", v + "1..4\n" + six, 0, "3 passed, 1 missing", []string{"1 of 4 points missing"}},
		{"gap without a plan", v + "ok 1\nok 3\n", 0, "2 passed, 1 missing",
			[]string{"1 of 3 points missing", "no plan"}},
		{"more than planned", v + "1..2\n" + six, 0, "2 passed, 1 outside the plan",
			[]string{"1 points outside the plan 1..2"}},
		{"more failed than planned", v + "1..1\nok 1\nnot ok 2\n", 0, "1 passed, 1 outside the plan",
			[]string{"outside the plan"}},
		{"number 0", v + "1..1\nok 0\nok 1\n", 0, "1 passed, 1 outside the plan", []string{"outside the plan"}},
		{"number beyond int", v + "1..1\nok 99999999999999999999\n", 0, "1 missing, 1 outside the plan",
			[]string{"missing"}},
		{"no plan", v + six, 0, "3 passed", []string{"no plan"}},
		{"empty", "", 0, "no points", []string{"no plan", "no point passed"}},
		{"plan 0", v + "1..0 # SKIP none\n", 0, "no points", []string{"no point passed"}},
		{"only skipped", v + "1..1\nok 1 # skip\n", 0, "1 skipped", []string{"no point passed"}},
		{"only todo", v + "1..1\nok 1 # todo\n", 0, "1 todo", []string{"no point passed"}},
		{"twice, worst counts", v + "1..2\nok 1\nnot ok 1\nok 1\nok 2\n", 0, "1 passed, 1 failed",
			[]string{"point 1 was there already at line 3"}},
		{"twice ok and one missing", v + "1..2\nok 1\nok 1\n", 0, "1 passed, 1 missing",
			[]string{"already", "missing"}},
		{"numbers mixed", v + "1..2\nok 1\nok ready\n", 0, "2 passed", []string{"points with and without numbers"}},
		{"two plans", v + "1..2\nok 1\nok 2\n1..3\n", 0, "2 passed", []string{"a second plan, 1..3 after 1..2"}},
		{"plan from 2", v + "2..3\nok 2\nok 3\n", 0, "2 passed, 1 missing", []string{"does not begin at 1"}},
		{"plan beyond int", v + "1..99999999999999999999\nok 1\n", 0, "1 passed", []string{"has no end"}},
		{"two documents", v + "1..1\nok 1\n" + v, 0, "1 passed", []string{"more than one document"}},
		{"version late", "ok 1\n" + v + "1..1\n", 0, "1 passed", []string{"more than one document"}},
		{"bail out after results", v + "1..3\n" + six + "Bail out! relay gone\n", 0, "3 passed, bailed out",
			[]string{"bail out: relay gone"}},
		{"bail out, no reason, any case", v + "1..3\n" + six + "bail OUT!\n", 0, "3 passed, bailed out",
			[]string{"bail out"}},
		{"bail out in a subtest", v + "1..1\n        Bail out! x\nok 1\n", 0, "1 passed, bailed out",
			[]string{"bail out: x"}},
		{"bail out after open YAML", v + "1..1\nok 1\n  ---\n  a: b\nBail out! x\n", 0, "1 passed, bailed out",
			[]string{"bail out: x"}},
		{"bail out from elsewhere", "c-1 | " + v + "c-1 | 1..1\nc-1 | ok 1\nBail out! x\n", 0, "1 passed, bailed out",
			[]string{"bail out: x"}},
		{"points from elsewhere", v + "1..1\nok 1\nrelay | not ok 2\n", 0, "1 passed",
			[]string{"TAP from another source"}},
		{"only a subtest", v + "1..1\n    ok 1\n    1..1\n", 0, "1 missing",
			[]string{"missing", "no point of its own"}},
		{"subtest left open", v + "1..1\nok 1\n# Subtest: x\n    not ok 1\n", 0, "1 passed",
			[]string{`the subtest "x" from line 4 has no point`}},
		{"subtest without parent", v + "1..1\n        ok 1\nok 1\n", 0, "1 passed",
			[]string{"has no point of its own"}},
		{"wrong indentation", v + "1..1\n  ok 1\n", 0, "1 missing", []string{"missing"}},
		{"not quite ok", v + "1..4\nOK 1\nokay 2\nnot  ok 3\nnotok 4\n", 0, "4 missing",
			[]string{"4 of 4 points missing"}},
		{"unsupported", "", 127, "no points", []string{"not supported"}},
		{"unsupported, skipped", v + "1..1\nok 1 # SKIP\n", 127, "1 skipped", []string{"not supported"}},
		{"127 after a pass", v + "1..1\nok 1\n", 127, "1 passed", []string{"exit code 127"}},
		{"127 with points missing", v + "1..1\n", 127, "1 missing", []string{"missing", "exit code 127"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, tt.in)
			if got := doc.Summary().String(); got != tt.summary {
				t.Errorf("summary %q, want %q", got, tt.summary)
			}
			got := doc.Verdict(tt.exit)
			if got.Pass != (len(tt.reasons) == 0) || got.Pass != (len(got.Reasons) == 0) {
				t.Errorf("%+v, want reasons %q", got, tt.reasons)
			}
			if want := strings.HasPrefix(tt.name, "unsupported"); got.Unsupported != want {
				t.Errorf("unsupported %t, want %t", got.Unsupported, want)
			}
			all := strings.Join(got.Reasons, "\n")
			for _, r := range tt.reasons {
				if !strings.Contains(all, r) {
					t.Errorf("no reason %q in %q", r, got.Reasons)
				}
			}
		})
	}
}

func TestFailedNamesAreBounded(t *testing.T) {
	doc := parse(t, "1..20\n"+strings.Repeat("not ok\n", 20))
	want := "20 of 20 points failed: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …"
	if got := doc.Verdict(1).Reasons[0]; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestPointLine covers the forms of a point's line, with TAP 14's own examples.
func TestPointLine(t *testing.T) {
	tests := []struct {
		line      string
		number    int
		name      string
		directive tap.Directive
		reason    string
		note      string // part of a problem; "" when there is none
	}{
		{`ok 42 - this is fine`, 42, "this is fine", tap.None, "", ""},
		{`ok 42 this is fine`, 42, "this is fine", tap.None, "", ""},
		{`ok`, 1, "", tap.None, "", ""},
		{`ok 3 -`, 3, "", tap.None, "", ""},
		{`ok - - x`, 1, "- x", tap.None, "", ""},
		{`ok 7x`, 1, "7x", tap.None, "", ""},
		{"ok\t5\t-\tx ", 5, "-\tx", tap.None, "", ""},
		{`ok 2 - # SKIP no /sys directory`, 2, "", tap.Skip, "no /sys directory", ""},
		{`ok 1 # skip this test`, 1, "", tap.Skip, "this test", ""},
		{`ok 1 - do it later # Skipped`, 1, "do it later", tap.Skip, "", ""},
		{`ok 2 - works # Skipped: only on windows`, 2, "works", tap.Skip, "only on windows", ""},
		{`ok 3 - #SkIp any case`, 3, "", tap.Skip, "any case", "delimited"},
		{`ok 3 - warn# skip`, 3, "warn", tap.Skip, "", "delimited"},
		{`ok 4 - warn #skip`, 4, "warn", tap.Skip, "", "delimited"},
		{`ok 2 x: https://e/p.html#skip is a url`, 2, "x: https://e/p.html#skip is a url", tap.None, "",
			"part of the name"},
		{`ok 1 - hello # todo`, 1, "hello", tap.Todo, "", ""},
		{`ok 2 - hello \# todo`, 2, "hello # todo", tap.None, "", ""},
		{`ok 3 - hello # todo hash \# character`, 3, "hello", tap.Todo, "hash # character", ""},
		{`ok 4 - hello # todo hash # character`, 4, "hello", tap.Todo, "hash # character", ""},
		{`ok 5 - hello \\# todo hash`, 5, `hello \`, tap.Todo, "hash", "delimited"},
		{`ok 8 - hello \\\\\\\# todo`, 8, `hello \\\# todo`, tap.None, "", ""},
		{`ok 7 - hello # description # todo`, 7, "hello # description", tap.Todo, "", "delimited"},
		{`ok 9 - a # time=3ms`, 9, "a # time=3ms", tap.None, "", "not a directive"},
		{`ok 9 - C:\x \y\`, 9, `C:\x \y\`, tap.None, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			doc := parse(t, "TAP version 14\n"+tt.line+"\n")
			if len(doc.Points) != 1 {
				t.Fatalf("%d points", len(doc.Points))
			}
			want := &tap.Point{Number: tt.number, OK: true, Name: tt.name, Directive: tt.directive, Reason: tt.reason,
				Line: 2}
			if diff := cmp.Diff(want, doc.Points[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if all := fmt.Sprint(doc.Problems); len(doc.Problems) > 0 != (tt.note != "") ||
				!strings.Contains(all, tt.note) {
				t.Errorf("problems %v, want %q", doc.Problems, tt.note)
			}
		})
	}
}

// TestPrefixes reads the same document behind every prefix, with the same result.
func TestPrefixes(t *testing.T) {
	const in = "TAP version 14\n# Draft: draft-18\n1..2\n# Subtest: x\n    ok 1 - y\n    1..1\nok 1 - x\n  ---\n  n: " +
		"1\n\n  m: a\n  ...\nnot ok 2 - z # TODO a | b\n"
	want := parse(t, in)
	for _, prefix := range []string{
		"client-1  | ", "[client] | ", "\x1b[36mclient-1  | \x1b[0m", "proj_client.1 | ",
		"2026-07-06T12:00:00.123456789Z ", "2026-07-06 12:00:00 ", "client-1  | 2026-07-06T12:00:00Z ",
		"2026-07-06T12:00:00+02:00 client-1  | ",
	} {
		t.Run(prefix, func(t *testing.T) {
			doc := parse(t, prefix+strings.ReplaceAll(strings.TrimSuffix(in, "\n"), "\n", "\n"+prefix)+"\n")
			if diff := cmp.Diff(want.Points, doc.Points); diff != "" {
				t.Errorf("points (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.Drafts, doc.Drafts); diff != "" {
				t.Errorf("drafts (-want +got):\n%s", diff)
			}
			if v := doc.Verdict(0); !v.Pass || doc.Source == "" {
				t.Errorf("source %q, %+v", doc.Source, v)
			}
		})
	}
}

func TestDrafts(t *testing.T) {
	for text, want := range map[string]int{
		"draft-18": 18, "16 (ALPN: moqt-16)": 16, "Draft-14": 14, "moqt-17": 17, "draft-ietf-moq-transport-22": 22,
		"unknown": 0, "16,18": 0, "draft-16, draft-18": 0, "": 0, "0xff00000e": 0, "draft-18beta": 0,
	} {
		doc := parse(t, "TAP version 14\n# request: draft=15\n#draft:  "+text+"\n1..1\nok 1\n")
		if diff := cmp.Diff([]tap.Draft{{Line: 3, Text: text, Number: want}}, doc.Drafts); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// TestRealFiles reads the output of real clients.
func TestRealFiles(t *testing.T) {
	const dir = "../../../shared/data/tap"
	files, err := filepath.Glob(filepath.Join(dir, "*.tap"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("%s is not there: recorded outputs of other clients", dir)
	}
	type result struct {
		Summary tap.Summary
		Drafts  []tap.Draft
		Notes   int
	}
	all := result{Summary: tap.Summary{Expected: 6, Passed: 6}}
	want := map[string]result{
		"imquic-draft18.tap":     all,
		"moq-dev-js-draft18.tap": all,
		"moq5-draft18.tap":       all,
		"xquic-draft18.tap":      {all.Summary, []tap.Draft{{Line: 3, Text: "draft-18", Number: 18}}, 0},
		"mlmtest-draft16.tap": {tap.Summary{Expected: 6, Passed: 3, Failed: 3},
			[]tap.Draft{{Line: 4, Text: "16 (ALPN: moqt-16)", Number: 16}}, 2},
		"mlmtest-draft16-failures.tap": {tap.Summary{Expected: 6, Passed: 2, Failed: 4},
			[]tap.Draft{{Line: 4, Text: "16 (ALPN: moqt-16)", Number: 16}}, 4},
	}
	names := []string{"setup-only", "announce-only", "publish-namespace-done", "subscribe-error", "announce-subscribe",
		"subscribe-before-announce"}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			in, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			doc, err := tap.Parse(in)
			if err != nil {
				t.Fatal(err)
			}
			w, known := want[filepath.Base(file)]
			if !known {
				t.Fatalf("no expectation for this file; it gives %+v", doc.Summary())
			}
			if diff := cmp.Diff(w, result{doc.Summary(), doc.Drafts, len(doc.Problems)}); diff != "" {
				t.Errorf("(-want +got):\n%s\n%v", diff, doc.Problems)
			}
			if pass := doc.Verdict(tap.NoExitCode).Pass; pass != (w.Summary.Passed == 6) {
				t.Errorf("pass %t", pass)
			}
			for i, p := range doc.Points {
				if p.Name != names[i] {
					t.Errorf("point %d %q, want %q", p.Number, p.Name, names[i])
				}
				if _, ok := tap.Lookup(p.YAML, "error"); ok != (p.Status() == tap.StatusFailed) {
					t.Errorf("point %d: YAML %v", p.Number, p.YAML)
				}
			}
		})
	}
}

// TestParseFunc sees every point before the line after it has arrived whole.
func TestParseFunc(t *testing.T) {
	r, w := io.Pipe()
	got := make(chan *tap.Point)
	done := make(chan *tap.Document)
	go func() {
		defer close(done)
		doc, _ := tap.ParseFunc(r, func(p *tap.Point) { got <- p })
		done <- doc
	}()
	for _, step := range []struct {
		send string
		want string // names of the points that are complete now
	}{
		{"TAP version 14\n1..4\nok 1 - a\n  ---\n  n: 1\n  ...\n", "a"},
		{"ok 2 - b\nlog line\nok 3 - c\n", "b"},
		{"# Subtest: d\n", "c"},
		{"    ok 1 - inner\n    1..1\nok 4 - d\n", ""},
	} {
		if _, err := io.WriteString(w, step.send); err != nil {
			t.Fatal(err)
		}
		if step.want != "" {
			if p := <-got; p.Name != step.want {
				t.Errorf("%q, want %q", p.Name, step.want)
			}
		}
	}
	w.Close()
	if p := <-got; p.Name != "d" || p.Subtest == nil {
		t.Errorf("%+v, want d with its subtest", p)
	}
	if doc := <-done; !doc.Verdict(0).Pass {
		t.Errorf("%+v", doc.Verdict(0))
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("pipe broke")
	doc, err := tap.Parse(io.MultiReader(strings.NewReader("1..1\nok 1\nhal"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if v := doc.Verdict(0); v.Pass || doc.Summary().Passed != 1 || !strings.Contains(v.Reasons[0], "pipe broke") {
		t.Errorf("%+v", v)
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, tt := range []struct {
		name, in string
		pass     bool
		notes    int
	}{
		{"a passed point", "1..1\nok 1 - " + long + " # SKIP\n", false, 2},
		{"noise", "1..1\n" + long + "\nok 1\n", true, 1},
		{"comment", "1..1\n# " + long + "\nok 1\n", true, 1},
		{"cut inside a character", "1..1\n# " + strings.Repeat("é€", 1<<18) + "\nok 1\n", true, 1},
		{"YAML", "1..1\nok 1\n  ---\n  a: " + long + "\n  b: 1\n  ...\n", true, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, "TAP version 14\n"+tt.in)
			v := doc.Verdict(0)
			if v.Pass != tt.pass || len(doc.Problems) != tt.notes {
				t.Errorf("%+v %v", v, doc.Problems)
			}
			for _, p := range doc.Points {
				if len(p.Name)+len(p.RawYAML) > 300<<10 {
					t.Errorf("kept %d bytes", len(p.Name)+len(p.RawYAML))
				}
			}
		})
	}
}

func TestLongYAML(t *testing.T) {
	doc := parse(t, "TAP version 14\n1..1\nok 1\n  ---\n  first: 1\n  sub:\n"+strings.Repeat("    key: value\n", 1<<16)+
		"  ...\n")
	if v, ok := tap.Lookup(doc.Points[0].YAML, "first"); !ok || v != uint64(1) {
		t.Errorf("first %v", v)
	}
	if n := len(doc.Points[0].RawYAML); n > 512<<10 {
		t.Errorf("%d bytes kept", n)
	}
	if len(doc.Problems) != 2 || !doc.Verdict(0).Pass {
		t.Errorf("%v", doc.Problems)
	}
}

// endless repeats a text.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

func TestEndlessInput(t *testing.T) {
	for _, text := range []string{"ok\n", "# comment\n", "ok 1 - a\n  ---\n  a: b\n  ...\n",
		"# Subtest: x\n    1..1\nok\n"} {
		doc, err := tap.ParseLimited(&endless{text: "log line\n" + strings.Repeat(text, 2000)}, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		v := doc.Verdict(0)
		if v.Pass || !strings.Contains(strings.Join(v.Reasons, "\n"), "document too long") || len(doc.Problems) > 2000 {
			t.Errorf("%q: %d problems, %.200q", text, len(doc.Problems), v.Reasons)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	doc := parse(t, "TAP version 14\n1..1\nok 1\n"+strings.Repeat("log\n", 5000)+strings.Repeat("1..2\n", 5000))
	if len(doc.Problems) != 2000 || doc.MoreProblems != 8000 || doc.Verdict(0).Pass {
		t.Errorf("%d problems and %d more", len(doc.Problems), doc.MoreProblems)
	}
}

// TestOddYAML reads blocks that are no mapping, or that the library must not get.
func TestOddYAML(t *testing.T) {
	own := yaml.MapSlice{{Key: "n", Value: uint64(1)}}
	for _, tt := range []struct {
		name, raw string
		want      yaml.MapSlice
		note      string
	}{
		{"empty", "", nil, ""},
		{"blank lines", "\n\n", nil, ""},
		{"only a comment", "# nothing\n", nil, "not valid YAML"},
		{"a list", "- a\n- b\n", nil, "not a mapping"},
		{"text", "something\n", nil, "not a mapping"},
		{"two documents", "n: 1\n--- # again\n", own, "not one document"},
		{"deep brackets", "n: 1\nx: " + strings.Repeat("[", 100) + "\n",
			append(own[:1:1], yaml.MapItem{Key: "x", Value: strings.Repeat("[", 100)}), "nested deeper than 64"},
		{"deep list", "n: 1\n" + strings.Repeat("- ", 100) + "\n",
			yaml.MapSlice{{Key: "n", Value: "1\n" + strings.TrimSpace(strings.Repeat("- ", 100))}},
			"nested deeper than 64"},
		{"merge of itself", "n: 1\na: &a\n  <<: *a\n", append(own[:1:1], yaml.MapItem{Key: "a", Value: "&a\n  <<: *a"}),
			"aliases"},
		{"same key twice", "n: 2\nn: 1\n", append(yaml.MapSlice{{Key: "n", Value: uint64(2)}}, own...), ""},
		{"quoted, negative, broken", "q: 'a'\nm: -5\n%: x\n  y\n\t\n",
			yaml.MapSlice{{Key: "q", Value: "a"}, {Key: "m", Value: "-5\n%: x\n  y"}}, "line by line"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			block := strings.ReplaceAll("---\n"+tt.raw+"...\n", "\n", "\n  ")
			doc := parse(t, "TAP version 14\n1..1\nok 1\n  "+strings.TrimRight(block, " "))
			if diff := cmp.Diff(tt.want, doc.Points[0].YAML); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if all := fmt.Sprint(doc.Problems); len(doc.Problems) > 0 != (tt.note != "") ||
				!strings.Contains(all, tt.note) {
				t.Errorf("problems %s, want %q", all, tt.note)
			}
			if !doc.Verdict(0).Pass {
				t.Errorf("%+v", doc.Verdict(0))
			}
		})
	}
}

func TestLookup(t *testing.T) {
	m := yaml.MapSlice{{Key: 1, Value: 2}, {Key: "a", Value: yaml.MapSlice{{Key: "b", Value: "c"}}}}
	if v, ok := tap.Lookup(m, "a", "b"); !ok || v != "c" {
		t.Errorf("%v %t", v, ok)
	}
	for _, path := range [][]string{{"x"}, {"a", "x"}, {"a", "b", "c"}, {"1"}} {
		if v, ok := tap.Lookup(m, path...); ok {
			t.Errorf("%q gives %v", path, v)
		}
	}
}

// TestSubtestOddities: nothing inside a subtest breaks the document.
func TestSubtestOddities(t *testing.T) {
	doc := parse(t, "TAP version 14\n1..1\n# Subtest: a\n    TAP version 14\n    1..2\n    1..3\n    2..3\n    ok "+
		"1\n    ok 1\n      ---\n      sessions: {c: {moqt_version: moqt-16}}\n      ...\nok 1 - b\n")
	if !doc.Verdict(0).Pass || len(doc.Problems) != 4 || len(doc.Drafts) != 0 {
		t.Errorf("%+v %v", doc.Verdict(0), doc.Problems)
	}
}
