package tap_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// FuzzReader: no input makes Parse panic, count more than it has seen, or contradict itself.
func FuzzReader(f *testing.F) {
	for _, pattern := range []string{"testdata/*.tap", "testdata/writer.golden", "../../../shared/data/tap/*.tap"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			in, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(in)
		}
	}
	for _, s := range []string{
		"1..1\rok\r\n", "ok 1\n  ---\n# Subtest: x\n", "c | ok 1\nc |   ---\nBail out!\nc |   a: b\n",
		"a | ok\nb | ok\n", "ok 1\n  ---\n  a: &a [*a]\n  ...\n", "ok 1\n  ---\n  ? - {[\n",
		"# Subtest\n    # Subtest\n        ok\n    ok\nok\n", "\x1b]0;title\x07ok 1\n1..1\n", "5..8\nok 5\n",
		"ok 1 # s\\#kip # TODO\n", "\xff\xfe1..0\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		calls := 0
		doc, err := tap.ParseFunc(bytes.NewReader(in), func(*tap.Point) { calls++ })
		if err != nil {
			t.Fatal(err)
		}
		if calls != len(doc.Points) {
			t.Errorf("%d points handed on, %d in the document", calls, len(doc.Points))
		}
		s := doc.Summary()
		// Escape sequences may stand inside the word.
		if oks := bytes.Count(in, []byte("ok")) + bytes.Count(in, []byte{0x1b}); s.Passed > oks ||
			len(doc.Points) > oks {
			t.Errorf("%d passed and %d points with %d ok", s.Passed, len(doc.Points), oks)
		}
		if s.Passed+s.Failed+s.Skipped+s.Todo+s.Missing != s.Expected || min(s.Passed, s.Failed, s.Skipped, s.Todo,
			s.Missing, s.Unplanned) < 0 {
			t.Errorf("%+v", s)
		}
		for _, code := range []int{0, 1, 127, -1, tap.NoExitCode} {
			v := doc.Verdict(code)
			if v.Pass != (len(v.Reasons) == 0) || v.Pass && v.Unsupported {
				t.Errorf("exit %d: %+v", code, v)
			}
			if v.Pass && (code > 0 || code == -1 || doc.Bail != nil || doc.Plan == nil || s.Passed == 0 ||
				s.Failed+s.Missing+s.Unplanned > 0 || len(doc.Points) != s.Expected) {
				t.Errorf("exit %d passes: %+v", code, s)
			}
		}
		lines := 1 + bytes.Count(in, []byte("\n")) + bytes.Count(in, []byte("\r"))
		if len(doc.Problems) > 2000 || len(doc.Comments) > lines {
			t.Errorf("%d problems, %d comments for %d lines", len(doc.Problems), len(doc.Comments), lines)
		}
		for _, p := range doc.Points {
			if strings.ContainsAny(p.Name+p.Reason, "\n\r") || p.Line < 1 || p.Line > lines {
				t.Errorf("%+v", p)
			}
		}
	})
}
