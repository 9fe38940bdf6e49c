package tap_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/runner/tap"
)

var update = flag.Bool("update", false, "write the golden files")

// dump prints everything a Document holds.
func dump(d *tap.Document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version %d source %q\n", d.Version, d.Source)
	for _, c := range d.Comments {
		fmt.Fprintf(&b, "comment %d depth %d %q\n", c.Line, c.Depth, c.Text)
	}
	for _, x := range d.Drafts {
		fmt.Fprintf(&b, "draft %+v\n", x)
	}
	dumpPoints(&b, "", d.Plan, d.Points)
	if d.Bail != nil {
		fmt.Fprintf(&b, "bail %+v\n", *d.Bail)
	}
	for _, p := range d.Problems {
		fmt.Fprintf(&b, "problem %s breaks=%t\n", p, p.Breaks)
	}
	fmt.Fprintf(&b, "more problems %d\nsummary %s\n", d.MoreProblems, d.Summary())
	for _, code := range []int{0, 1, tap.NoExitCode} {
		v := d.Verdict(code)
		fmt.Fprintf(&b, "exit %d: pass=%t %s\n", code, v.Pass, strings.Join(v.Reasons, "; "))
	}
	return b.String()
}

func dumpPoints(b *strings.Builder, indent string, plan *tap.Plan, points []*tap.Point) {
	if plan != nil {
		fmt.Fprintf(b, "%splan %+v\n", indent, *plan)
	}
	for _, p := range points {
		fmt.Fprintf(b, "%spoint line %d: %d ok=%t %q %s %q %s yaml=%v\n", indent, p.Line, p.Number, p.OK, p.Name,
			p.Directive, p.Reason, p.Status(), p.YAML)
		if p.RawYAML != "" {
			fmt.Fprintf(b, "%s  raw %q\n", indent, p.RawYAML)
		}
		if p.Subtest != nil {
			fmt.Fprintf(b, "%s  subtest %q\n", indent, p.Subtest.Name)
			dumpPoints(b, indent+"    ", p.Subtest.Plan, p.Subtest.Points)
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestParseGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.tap")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			in, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := tap.Parse(bytes.NewReader(in))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".tap")+".golden", dump(doc))
		})
	}
}
