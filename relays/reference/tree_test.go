package reference

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestTree holds the tree against a plain list.
func TestTree(t *testing.T) {
	fields := rapid.SampledFrom([]string{"a", "b", "ab", ""})
	names := rapid.SliceOfN(fields, 0, 4)
	type item struct {
		ns wire.TrackNamespace
		v  int
	}
	rapid.Check(t, func(t *rapid.T) {
		var tr tree[int]
		var list []item
		for i := range rapid.IntRange(0, 20).Draw(t, "steps") {
			ns := wire.TrackNamespace(names.Draw(t, "ns"))
			if rapid.Bool().Draw(t, "add") || len(list) == 0 {
				tr.add(ns, i)
				list = append(list, item{ns, i})
				continue
			}
			k := rapid.IntRange(0, len(list)-1).Draw(t, "which")
			if !tr.remove(list[k].ns, list[k].v) {
				t.Fatalf("%d is not at %v", list[k].v, list[k].ns)
			}
			if tr.remove(list[k].ns, list[k].v) {
				t.Fatalf("%d was at %v twice", list[k].v, list[k].ns)
			}
			list = slices.Delete(list, k, k+1)
		}
		ns := wire.TrackNamespace(names.Draw(t, "query"))
		var above, here, under []int
		for _, x := range list {
			if ns.HasPrefix(x.ns) {
				above = append(above, x.v)
			}
			if ns.Equal(x.ns) {
				here = append(here, x.v)
			}
			if x.ns.HasPrefix(ns) {
				under = append(under, x.v)
			}
		}
		got := tr.prefixes(ns)
		length := func(v int) int {
			return len(list[slices.IndexFunc(list, func(x item) bool { return x.v == v })].ns)
		}
		if !slices.IsSortedFunc(got, func(a, b int) int { return length(b) - length(a) }) {
			t.Fatalf("prefixes(%v) = %v: the longest prefix is not first", ns, got)
		}
		same(t, "prefixes", got, above)
		same(t, "at", tr.at(ns), here)
		var found []int
		tr.below(ns, func(at wire.TrackNamespace, values []int) {
			for _, v := range values {
				if length(v) != len(at) {
					t.Fatalf("below says that %d is at %v", v, at)
				}
			}
			found = append(found, values...)
		})
		same(t, "below", found, under)
		for _, x := range list {
			tr.remove(x.ns, x.v)
		}
		if len(tr.root.children) > 0 || len(tr.root.values) > 0 {
			t.Fatal("an empty tree has nodes left")
		}
	})
}

func same(t *rapid.T, what string, got, want []int) {
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s: %s", what, diff)
	}
}
