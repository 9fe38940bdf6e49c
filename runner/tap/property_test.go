package tap_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/runner/tap"
)

var nasty = []string{
	"", "...", "---", "ok 1", "not ok 2 - x", "Bail out!", "1..3", "# SKIP", "# TODO x", "#", `\`, `\#`, `\\`,
	"TAP version 14", "- ", "-", ": ", ":", "a: b",
	" #", "? x", "* ", "&a", "*a", "!!x", "|", ">", "%", "@", "`", "'", `"`, "[", "]", "{}", ",", "~", "null", "True",
	"yes", "0x10", "010", "1e3", ".5", "-1", "1_000",
	"12:30", "2026-01-01", "\n", "\r\n", "\t", "\x00", "\x1b[31m", "\x7f", "\u0085", "\u2028", "\ufeff", "\ufffd", "é",
	"😀", "<<", "=", "client-1  | ", "    ", "# Subtest: x", "x ", " x",
}

// text makes strings that look like everything they are not.
func text() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z][a-z-]{0,12}`),
		rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(nasty), 1, 5).Draw(t, "parts"),
				rapid.SampledFrom([]string{"", " ", "a"}).Draw(t, "between"))
		}))
}

// value makes YAML values in the form the library reads them back.
func value(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		text().AsAny(), rapid.Bool().AsAny(), rapid.Uint64().AsAny(), rapid.Just[any](nil),
		rapid.Int64Max(-1).AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	return rapid.OneOf(append(scalars,
		mapping(depth-1).AsAny(),
		rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) }), 0, 4).AsAny())...)
}

func mapping(depth int) *rapid.Generator[yaml.MapSlice] {
	return rapid.Custom(func(t *rapid.T) yaml.MapSlice {
		m := yaml.MapSlice{}
		for _, key := range rapid.SliceOfNDistinct(text(), 0, 5, rapid.ID[string]).Draw(t, "keys") {
			m = append(m, yaml.MapItem{Key: key, Value: value(depth).Draw(t, "value")})
		}
		return m
	})
}

// flat is what a name or a reason becomes on one line.
func flat(s string) string {
	var b bytes.Buffer
	w := tap.NewWriter(&b)
	if err := errors.Join(w.Version(), w.Comment("x"+strings.ReplaceAll(s, "\n", " ")+"x")); err != nil {
		panic(err)
	}
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(b.String(), "TAP version 14\n# x"), "x\n"))
}

func drawPoint(t *rapid.T, number int) tap.Point {
	p := tap.Point{Number: number, OK: rapid.Bool().Draw(t, "ok"), Name: text().Draw(t, "name")}
	if p.Directive = rapid.SampledFrom([]tap.Directive{tap.None, tap.Skip, tap.Todo}).Draw(t,
		"directive"); p.Directive != tap.None {
		p.Reason = text().Draw(t, "reason")
	}
	if m := mapping(2).Draw(t, "yaml"); len(m) > 0 {
		p.YAML = m
	}
	return p
}

// TestRoundTrip: what the Writer prints, Parse reads back, without a single problem.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		w := tap.NewWriter(&b)
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		check(w.Version())
		check(w.Comment("client " + text().Draw(t, "comment")))
		n := rapid.IntRange(0, 4).Draw(t, "points")
		early := rapid.Bool().Draw(t, "plan first") || n == 0
		if early {
			check(w.Plan(n))
		}
		var want []tap.Point
		for i := range n {
			p := drawPoint(t, i+1)
			if rapid.Bool().Draw(t, "subtest") {
				sub, err := w.Subtest(p.Name)
				check(err)
				inner := drawPoint(t, 1)
				check(sub.Point(inner))
				check(sub.Plan(1))
			}
			check(w.Point(p))
			want = append(want, p)
		}
		if !early {
			check(w.Plan(n))
		}
		check(w.Close())
		if rapid.Bool().Draw(t, "prefixed") {
			in := strings.TrimSuffix(b.String(), "\n")
			b.Reset()
			b.WriteString("client-1  | " + strings.ReplaceAll(in, "\n", "\nclient-1  | ") + "\n")
		}

		var seen int
		doc, err := tap.ParseFunc(bytes.NewReader(b.Bytes()), func(*tap.Point) { seen++ })
		check(err)
		if doc.Version != 14 || doc.Bail != nil || doc.Plan == nil || doc.Plan.Count != n || seen != n {
			t.Fatalf("%+v, %d points seen", doc, seen)
		}
		// A subtest that failed under a point that passed is the only thing to remark.
		for _, p := range doc.Problems {
			if !strings.Contains(p.Text, "ok, though its subtest") {
				t.Fatalf("problem %s in\n%s", p, b.String())
			}
		}
		var got []tap.Point
		for _, p := range doc.Points {
			p.Line, p.RawYAML, p.Subtest = 0, "", nil
			got = append(got, *p)
		}
		for i := range want {
			want[i].Name, want[i].Reason = flat(want[i].Name), flat(want[i].Reason)
			want[i].YAML = valid(want[i].YAML).(yaml.MapSlice)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%s", diff, b.String())
		}
		s := doc.Summary()
		if s.Passed+s.Failed+s.Skipped+s.Todo != n || s.Missing+s.Unplanned != 0 {
			t.Fatalf("%+v", s)
		}
		if pass := doc.Verdict(0).Pass; pass != (s.Passed > 0 && s.Failed == 0) {
			t.Fatalf("pass %t with %s", pass, s)
		}
	})
}

// valid is v with strings as they must be in UTF-8, and no empty mapping left nil.
func valid(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case []any:
		for i := range v {
			v[i] = valid(v[i])
		}
	case yaml.MapSlice:
		for i := range v {
			v[i].Key, v[i].Value = valid(v[i].Key), valid(v[i].Value)
		}
	}
	return v
}

// TestNeverPassesByDamage: cutting lines out of a document never turns it into a pass, and a bail out at its end, or a
// failed point, always ends that.
func TestNeverPassesByDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{"TAP version 14", "1..1", "1..2", "ok 1", "ok 2 - x", "ok", "not ok 1",
				"not ok 2 # TODO", "ok 1 # SKIP", "  ---", "---", "  ...", "    ---",
				"  a: b", "    ok 1", "    1..1", "# Subtest: x", "        ok 1", "c | ok 1", "c | 1..1", "c |   ---",
				"log", "", "\x1b[1mok 2\x1b[0m", "\"", "  a: |"}),
			text()), 0, 12).Draw(t, "lines")
		in := strings.Join(lines, "\n")
		for _, last := range []string{"Bail out!", "not ok 1", "not ok", "TAP version 14\n1..1\nnot ok 1"} {
			doc, err := tap.Parse(strings.NewReader(in + "\n" + last + "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if doc.Verdict(0).Pass {
				t.Fatalf("%q after\n%s\npasses", last, in)
			}
		}
	})
}
