package cases

import (
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"pgregory.net/rapid"
)

func testLayout() Layout {
	return NewLayout(Span(0, 1), Span(0, 2), LayoutOptions{
		Payload:  func(g, o uint64) []byte { return []byte{byte(g), byte(o), 7} },
		Priority: func(g uint64) uint8 { return uint8(200 + g) },
		Properties: func(g, o uint64) wire.Properties {
			if o == 0 {
				return wire.Properties{{Type: 0x3800, Uint: 4660}}
			}
			return nil
		},
	})
}

func received(t testing.TB, x Item) *moqt.Object {
	o, err := x.asObject(wire.Draft18)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCheckerSaysWhatIsWrong(t *testing.T) {
	l := testLayout()
	for _, test := range []struct {
		name   string
		change func(objects []*moqt.Object) []*moqt.Object
		want   string // "" for none
	}{
		{"all", func(all []*moqt.Object) []*moqt.Object { return all }, ""},
		{"one missing", func(all []*moqt.Object) []*moqt.Object { return all[1:] },
			"5 of 6 objects came, {0, 0} is missing"},
		{"none", func([]*moqt.Object) []*moqt.Object { return nil },
			"0 of 6 objects came, {0, 0} to {0, 2}, {1, 0} to {1, 2} are missing"},
		{"doubled", func(all []*moqt.Object) []*moqt.Object { return append(all, all[4]) },
			"6 of 6 objects came; more than once {1, 1}"},
		{"unexpected", func(all []*moqt.Object) []*moqt.Object {
			return append(all, &moqt.Object{GroupID: 9})
		}, "6 of 6 objects came; unexpected {9, 0}"},
		{"length", func(all []*moqt.Object) []*moqt.Object {
			all[0].Payload = all[0].Payload[:1]
			return all
		}, "6 of 6 objects came; corrupted {0, 0}: 1 bytes of payload instead of 3"},
		{"payload", func(all []*moqt.Object) []*moqt.Object {
			all[5].Payload = []byte{1, 2, 8}
			return all
		}, "6 of 6 objects came; corrupted {1, 2}: payload differs from byte 2 of 3 on"},
		{"subgroup", func(all []*moqt.Object) []*moqt.Object {
			all[5].SubgroupID = 3
			return all
		}, "6 of 6 objects came; corrupted {1, 2}: subgroup 3 instead of 0"},
		{"priority", func(all []*moqt.Object) []*moqt.Object {
			all[5].Priority = 3
			return all
		}, "6 of 6 objects came; corrupted {1, 2}: priority 3 instead of 201"},
		{"property gone", func(all []*moqt.Object) []*moqt.Object {
			all[0].Properties = nil
			return all
		}, "6 of 6 objects came; corrupted {0, 0}: property 0x3800 is missing"},
		{"property changed", func(all []*moqt.Object) []*moqt.Object {
			all[0].EncodeProperties(wire.Draft18, wire.Properties{{Type: 0x3800, Uint: 1}})
			return all
		}, "6 of 6 objects came; corrupted {0, 0}: property 0x3800 has another value"},
		{"all corrupted in the same way", func(all []*moqt.Object) []*moqt.Object {
			for _, o := range all {
				o.Priority = 7
			}
			return all
		}, "6 of 6 objects came; corrupted {0, 0} to {0, 2}: priority 7 instead of 200; " +
			"corrupted {1, 0} to {1, 2}: priority 7 instead of 201"},
		{"property added", func(all []*moqt.Object) []*moqt.Object {
			all[1].EncodeProperties(wire.Draft18, wire.Properties{{Type: 0x10, Uint: 1}})
			return all
		}, ""},
		{"end of track", func(all []*moqt.Object) []*moqt.Object {
			return append(all, &moqt.Object{GroupID: 1, ObjectID: 3, Status: wire.StatusEndOfTrack})
		}, ""},
		{"marked", func(all []*moqt.Object) []*moqt.Object {
			return append(all[1:], &moqt.Object{Range: wire.UnknownRange})
		}, "5 of 6 objects came, {0, 0} is missing; the peer marked {0, 0}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := NewChecker(l, Checks{Priority: true, Properties: true})
			var all []*moqt.Object
			for _, x := range l {
				all = append(all, received(t, x))
			}
			for _, o := range test.change(all) {
				k.Add(o)
			}
			if got := k.Problem(); got != test.want && !(test.name == "marked" && strings.HasPrefix(got, test.want)) {
				t.Errorf("problem %q, want %q", got, test.want)
			}
			if want := !strings.Contains(test.want, " is missing") && !strings.Contains(test.want, " are missing") ||
				strings.HasPrefix(test.want, "6 of 6"); k.Complete() != want {
				t.Errorf("complete is %v, want %v", k.Complete(), want)
			}
		})
	}
}

// Many objects take few words.
func TestCheckerIsShort(t *testing.T) {
	k := NewChecker(NewLayout(Span(0, 8), Span(0, 11), LayoutOptions{}), Checks{})
	for _, x := range k.Want {
		if x.Group != 3 || x.Object == 0 || x.Object > 3 {
			k.Add(received(t, x))
		}
	}
	if got := k.Problem(); got != "105 of 108 objects came, {3, 1} to {3, 3} are missing" {
		t.Error(got)
	}
	none := NewChecker(nil, Checks{})
	for _, x := range k.Want[:3] {
		none.Add(received(t, x))
	}
	if got := none.Problem(); got != "unexpected {0, 0} to {0, 2}" {
		t.Error(got)
	}
}

// Whatever is dropped, doubled and shuffled, the checker names exactly that.
func TestCheckerProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 50), 1, 5, rapid.ID).Draw(t, "groups")
		l := NewLayout(groups, Span(0, rapid.Uint64Range(0, 5).Draw(t, "objects")), LayoutOptions{})
		times := rapid.SliceOfN(rapid.IntRange(0, 2), len(l), len(l)).Draw(t, "times")
		var sent []Item
		missing, twice := 0, 0
		for i, n := range times {
			for range n {
				sent = append(sent, l[i])
			}
			if n == 0 {
				missing++
			}
			if n == 2 {
				twice++
			}
		}
		k := NewChecker(l, Checks{})
		for _, x := range rapid.Permutation(sent).Draw(t, "order") {
			o, err := x.asObject(wire.Draft22)
			if err != nil {
				t.Fatal(err)
			}
			k.Add(o)
		}
		if k.Complete() != (missing == 0) || (k.Problem() == "") != (missing+twice == 0) {
			t.Fatalf("missing %d, twice %d: complete %v, problem %q", missing, twice, k.Complete(), k.Problem())
		}
		select {
		case <-k.done:
			if missing > 0 {
				t.Fatal("done with objects missing")
			}
		default:
			if missing == 0 {
				t.Fatal("not done with nothing missing")
			}
		}
	})
}

func TestCheckerIsBounded(t *testing.T) {
	k := NewChecker(testLayout(), Checks{})
	for i := range uint64(100_000) {
		k.Add(&moqt.Object{GroupID: 1000 + i})
		k.Add(&moqt.Object{GroupID: i, Status: wire.StatusEndOfGroup})
	}
	if got := k.Problem(); len(got) > 1000 || !strings.Contains(got, "unexpected {1000, 0}") ||
		!strings.Contains(got, "more") {
		t.Errorf("problem %q", got)
	}
	if len(k.extra) > maxKept || len(k.marks) > maxKept {
		t.Errorf("kept %d and %d", len(k.extra), len(k.marks))
	}
}

func TestLayout(t *testing.T) {
	for _, test := range []struct {
		l    Layout
		text string
		// streams is the number of subgroups that begin and end.
		streams int
	}{
		{NewLayout(Span(0, 2), Span(0, 4), LayoutOptions{}), "15 objects: groups 0-2, objects 0-4 each", 3},
		{NewLayout(Span(1, 1), Span(0, 4), LayoutOptions{}), "5 objects: group 1, objects 0-4", 1},
		{NewLayout([]uint64{0, 2, 4}, []uint64{0, 2, 4}, LayoutOptions{}),
			"9 objects: groups 0, 2, 4, objects 0, 2, 4 each", 3},
		{NewLayout(Span(3, 3), Span(7, 7), LayoutOptions{}), "1 object: group 3, object 7", 1},
		{NewLayout(Span(0, 0), Span(0, 5), LayoutOptions{Subgroup: func(o uint64) uint64 { return o % 2 }}),
			"6 objects: group 0, objects 0-5", 2},
		{NewLayout(Span(0, 0), Span(0, 2), LayoutOptions{Subgroup: func(o uint64) uint64 { return o }}),
			"3 objects: group 0, objects 0-2", 3},
		{NewLayout(Span(0, 2), Span(0, 4), LayoutOptions{})[1:],
			"14 objects: {0, 1} to {0, 4}, {1, 0} to {1, 4}, {2, 0} to {2, 4}", -1},
		{nil, "no objects", 0},
	} {
		if got := test.l.String(); got != test.text {
			t.Errorf("layout is %q, want %q", got, test.text)
		}
		first, last := 0, 0
		for _, x := range test.l {
			if x.first {
				first++
			}
			if x.last {
				last++
			}
		}
		if test.streams >= 0 && (first != test.streams || last != test.streams) {
			t.Errorf("%s: %d subgroups begin and %d end, want %d", test.text, first, last, test.streams)
		}
	}
}
