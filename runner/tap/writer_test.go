package tap_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// TestWriterGolden prints every form the Writer has, and reads it back without a problem.
func TestWriterGolden(t *testing.T) {
	var b bytes.Buffer
	w := tap.NewWriter(&b)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.Version())
	must(w.Comment("moq-interop-client 1.0\nRelay: moqt://127.0.0.1:4443\r\n\nDraft: draft-18"))
	must(w.Comment(""))
	must(w.Plan(6))
	must(w.Point(tap.Point{Number: 1, OK: true, Name: "setup-only", YAML: yaml.MapSlice{
		{Key: "duration_ms", Value: 12},
		{Key: "connection_id", Value: "0123456789abcdef"},
		{Key: "sessions", Value: yaml.MapSlice{{Key: "client", Value: yaml.MapSlice{
			{Key: "moqt_version", Value: "moqt-18"}, {Key: "transport", Value: "webtransport-h3"},
		}}}},
		{Key: "transcript", Value: []any{
			yaml.MapSlice{{Key: "at", Value: 1.0}, {Key: "message", Value: "SETUP"}, {Key: "ids", Value: []int{1, 2}}},
			"plain text", "", []string{"a", "b: c"}, nil, yaml.MapSlice{}, []any{},
		}},
	}}))
	must(w.Point(tap.Point{Number: 2, Name: "announce # \\ only\nsecond line", YAML: yaml.MapSlice{
		{Key: "message", Value: "first: line\n...\n---\n  \x1b[31mred\x1b[0m\ttab\x00\u2028\ufeff"},
		{Key: "...", Value: "..."},
		{Key: "---", Value: "---"},
		{Key: "yes", Value: "No"},
		{Key: "hex", Value: []byte{0, 0xff}},
		{Key: "error", Value: errors.New("quic: closed")},
		{Key: "after", Value: 1500 * time.Millisecond},
		{Key: "map", Value: map[string]any{"b": true, "a": nil, "1": uint64(math.MaxUint64)}},
		{Key: "floats", Value: []float64{1, 1e21, -0.5, math.Inf(1), math.Inf(-1), math.NaN()}},
		{Key: "struct", Value: struct{ A int }{5}},
		{Key: "pointer", Value: new(int)},
		{Key: "nil pointer", Value: (*int)(nil)},
		{Key: "invalid", Value: "a\xffb"},
		{Key: 7, Value: "é😀"},
	}}))
	must(w.Point(tap.Point{Number: 3, OK: true, Name: "fetch", Directive: tap.Skip, Reason: "NOT_SUPPORTED (#1)"}))
	must(w.Point(tap.Point{Number: 4, Name: "join", Directive: tap.Todo, Reason: "SHOULD: answer"}))
	sub, err := w.Subtest("phases")
	must(err)
	must(w.Comment("between"))
	inner, err := sub.Subtest("")
	must(err)
	must(inner.Plan(0))
	must(sub.Point(tap.Point{Number: 1, OK: true}))
	must(sub.Comment("one of two"))
	must(sub.Point(tap.Point{Number: 2, OK: true, Name: "two", YAML: yaml.MapSlice{{Key: "a", Value: 1}}}))
	must(sub.Plan(2))
	must(w.Point(tap.Point{Number: 5, OK: true, Name: "phases"}))
	must(w.Point(tap.Point{Number: 6, OK: true}))
	must(w.Close())
	golden(t, "testdata/writer.golden", b.String())

	doc := parse(t, b.String())
	if len(doc.Problems) != 0 {
		t.Errorf("problems %v", doc.Problems)
	}
	if got := doc.Summary().String(); got != "3 passed, 1 failed, 1 skipped, 1 todo" {
		t.Error(got)
	}
}

func TestWriterRefuses(t *testing.T) {
	point := func(n int) tap.Point { return tap.Point{Number: n, OK: true, Name: "x"} }
	tests := []struct {
		name string
		do   func(w *tap.Writer) error // the version is out
		want string
	}{
		{"version twice", func(w *tap.Writer) error { return w.Version() }, "first line"},
		{"first point is 2", func(w *tap.Writer) error { return w.Point(point(2)) }, "the next number is 1"},
		{"same number twice", func(w *tap.Writer) error { return errors.Join(w.Point(point(1)), w.Point(point(1))) },
			"the next number is 2"},
		{"plan twice", func(w *tap.Writer) error { return errors.Join(w.Plan(1), w.Plan(1)) }, "second plan"},
		{"negative plan", func(w *tap.Writer) error { return w.Plan(-1) }, "plan 1..-1"},
		{"plan does not fit", func(w *tap.Writer) error { return errors.Join(w.Point(point(1)), w.Plan(2)) },
			"after 1 points"},
		{"point over the plan", func(w *tap.Writer) error { return errors.Join(w.Plan(0), w.Point(point(1))) },
			"outside the plan"},
		{"point after the last plan", func(w *tap.Writer) error {
			return errors.Join(w.Point(point(1)), w.Plan(1),
				w.Point(point(2)))
		}, "outside the plan"},
		{"directive", func(w *tap.Writer) error { return w.Point(tap.Point{Number: 1, Directive: 9}) },
			"no such directive"},
		{"reason alone", func(w *tap.Writer) error { return w.Point(tap.Point{Number: 1, Reason: "x"}) },
			"without a directive"},
		{"reader's field", func(w *tap.Writer) error { return w.Point(tap.Point{Number: 1, RawYAML: "x"}) }, "reader"},
		{"after a bail out", func(w *tap.Writer) error { return errors.Join(w.Bail("x"), w.Point(point(1))) },
			"bail out"},
		{"no plan", func(w *tap.Writer) error { return errors.Join(w.Point(point(1)), w.Close()) }, "no plan"},
		{"points missing", func(w *tap.Writer) error { return errors.Join(w.Plan(2), w.Point(point(1)), w.Close()) },
			"1 of 2 points"},
		{"subtest without plan", func(w *tap.Writer) error {
			_, err := w.Subtest("x")
			return errors.Join(err,
				w.Point(point(1)))
		}, "its subtest: tap: no plan"},
		{"another point than the subtest's", func(w *tap.Writer) error {
			s, err := w.Subtest("y")
			return errors.Join(err, s.Plan(0), w.Point(point(1)))
		}, `the open subtest is "y"`},
		{"subtest in a subtest's place", func(w *tap.Writer) error {
			_, err1 := w.Subtest("y")
			_, err2 := w.Subtest("z")
			return errors.Join(err1, err2)
		}, `before the point of subtest "y"`},
		{"plan in a subtest", func(w *tap.Writer) error {
			_, err := w.Subtest("y")
			return errors.Join(err,
				w.Plan(1))
		}, `before the point of subtest "y"`},
		{"version in a subtest", func(w *tap.Writer) error {
			s, err := w.Subtest("y")
			return errors.Join(err,
				s.Version())
		}, "first line"},
		{"line in an ended subtest", func(w *tap.Writer) error {
			s, err := w.Subtest("x")
			return errors.Join(err, s.Plan(0), w.Point(point(1)), s.Comment("late"))
		}, `subtest "x" has ended`},
		{"subtest left open", func(w *tap.Writer) error {
			_, err := w.Subtest("x")
			return errors.Join(err,
				w.Close())
		}, "no point of its own"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := tap.NewWriter(io.Discard)
			if err := w.Version(); err != nil {
				t.Fatal(err)
			}
			err := tt.do(w)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("error %v, want only %q", err, tt.want)
			}
		})
	}
	t.Run("version missing", func(t *testing.T) {
		var b bytes.Buffer
		if err := tap.NewWriter(&b).Plan(1); err == nil || b.Len() > 0 {
			t.Errorf("error %v, printed %q", err, b.String())
		}
	})
	t.Run("a refused point can be mended", func(t *testing.T) {
		var b bytes.Buffer
		w := tap.NewWriter(&b)
		if err := errors.Join(w.Version(), w.Plan(1)); err != nil {
			t.Fatal(err)
		}
		if w.Point(point(2)) == nil {
			t.Error("no error")
		}
		if err := errors.Join(w.Point(point(1)), w.Close()); err != nil {
			t.Error(err)
		}
		if want := "TAP version 14\n1..1\nok 1 - x\n"; b.String() != want {
			t.Errorf("%q", b.String())
		}
	})
}

func TestBail(t *testing.T) {
	var b bytes.Buffer
	w := tap.NewWriter(&b)
	err := errors.Join(w.Version(), w.Plan(2))
	sub, err2 := w.Subtest("x")
	if err := errors.Join(err, err2, sub.Bail("udp: #4443\nrefused "), w.Close()); err != nil {
		t.Fatal(err)
	}
	if want := "TAP version 14\n1..2\n# Subtest: x\nBail out! udp: \\#4443 refused\n"; b.String() != want {
		t.Errorf("%q", b.String())
	}
	if got := parse(t, b.String()).Bail; got == nil || *got != (tap.Bail{Reason: "udp: #4443 refused", Line: 4}) {
		t.Errorf("%+v", got)
	}
}

// writes records each Write and fails from one on.
type writes struct {
	calls []string
	fail  int // index of the first Write that fails; 0 for none
	short bool
}

func (w *writes) Write(b []byte) (int, error) {
	w.calls = append(w.calls, string(b))
	if w.fail > 0 && len(w.calls) > w.fail {
		if w.short {
			return len(b) - 1, nil
		}
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestOneWriteEach(t *testing.T) {
	out := &writes{}
	w := tap.NewWriter(out)
	p := tap.Point{Number: 1, OK: true, Name: "x", YAML: yaml.MapSlice{{Key: "a", Value: []int{1, 2}}}}
	if err := errors.Join(w.Version(), w.Comment("a\nb"), w.Plan(1), w.Point(p), w.Bail("")); err != nil {
		t.Fatal(err)
	}
	want := []string{"TAP version 14\n", "# a\n# b\n", "1..1\n", "ok 1 - x\n  ---\n  a:\n    - 1\n    - 2\n  ...\n",
		"Bail out!\n"}
	if strings.Join(out.calls, "|") != strings.Join(want, "|") {
		t.Errorf("%q", out.calls)
	}
}

func TestFirstErrorStays(t *testing.T) {
	for _, tt := range []struct {
		out  *writes
		want error
	}{{&writes{fail: 1}, io.ErrClosedPipe}, {&writes{fail: 1, short: true}, io.ErrShortWrite}} {
		w := tap.NewWriter(tt.out)
		if err := w.Version(); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{w.Plan(1), w.Point(tap.Point{Number: 1}), w.Comment("x"), w.Bail(""), w.Close()} {
			if !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		}
		if len(tt.out.calls) != 2 {
			t.Errorf("%d writes after the error", len(tt.out.calls)-2)
		}
	}
}

func TestDeepValues(t *testing.T) {
	var v any = "end"
	for range 200 {
		v = []any{yaml.MapSlice{{Key: "k", Value: v}}}
	}
	var b bytes.Buffer
	w := tap.NewWriter(&b)
	if err := errors.Join(w.Version(), w.Plan(1),
		w.Point(tap.Point{Number: 1, OK: true, YAML: yaml.MapSlice{{Key: "v", Value: v}}})); err != nil {
		t.Fatal(err)
	}
	doc := parse(t, b.String())
	if !strings.Contains(b.String(), "nested deeper than 64") || len(doc.Problems) != 0 {
		t.Errorf("%d bytes, %v", b.Len(), doc.Problems)
	}
}
