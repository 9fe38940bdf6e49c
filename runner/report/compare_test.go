package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
	"pgregory.net/rapid"
)

func TestKindOf(t *testing.T) {
	is := func(s matrix.Status) *State { return &State{Status: s} }
	fail := func(layer, reason string) *State {
		return &State{Status: matrix.Fail, Layer: layer, Reason: reason}
	}
	took := func(ms int64) *State { return &State{Status: matrix.Pass, DurationMS: ms} }
	for name, c := range map[string]struct {
		a, b *State
		want Kind
	}{
		"pass stays":                 {is(matrix.Pass), is(matrix.Pass), ""},
		"pass, then failed":          {is(matrix.Pass), is(matrix.Fail), Broken},
		"pass, then a known failure": {is(matrix.Pass), &State{Status: matrix.Fail, Known: "a race"}, Changed},
		"pass, then flaky":           {is(matrix.Pass), is(matrix.Flaky), Broken},
		"pass, then no result":       {is(matrix.Pass), is(matrix.Missing), Broken},
		"pass, then not judged":      {is(matrix.Pass), is(matrix.Error), Broken},
		"pass, then a SHOULD broken": {is(matrix.Pass), is(matrix.Todo), Broken},
		"pass, then not supported":   {is(matrix.Pass), is(matrix.Skip), Broken},
		"pass, then gone":            {is(matrix.Pass), nil, Gone},
		"skipped, then failed":       {is(matrix.Skip), is(matrix.Fail), Broken},
		"a SHOULD, then failed":      {is(matrix.Todo), is(matrix.Flaky), Broken},
		"failed, then pass":          {is(matrix.Fail), is(matrix.Pass), Fixed},
		"flaky, then pass":           {is(matrix.Flaky), is(matrix.Pass), Fixed},
		"too slow, then pass":        {is(matrix.TooSlow), is(matrix.Pass), New},
		"too slow, then failed":      {is(matrix.TooSlow), is(matrix.Fail), New},
		"too slow twice":             {is(matrix.TooSlow), is(matrix.TooSlow), ""},
		"pass, then too slow":        {is(matrix.Pass), is(matrix.TooSlow), Changed},
		"skipped, then pass":         {is(matrix.Skip), is(matrix.Pass), Fixed},
		"no result, then pass":       {is(matrix.Missing), is(matrix.Pass), New},
		"no result, then failed":     {is(matrix.Missing), is(matrix.Fail), New},
		"no result, and again":       {is(matrix.Missing), is(matrix.Missing), ""},
		"flaky, then failed":         {is(matrix.Flaky), is(matrix.Fail), Changed},
		"failed, then skipped":       {is(matrix.Fail), is(matrix.Skip), Changed},
		"failed, then no result":     {is(matrix.Fail), is(matrix.Missing), Changed},
		"another layer":              {fail("request", "x"), fail("data", "x"), Changed},
		"another reason":             {fail("data", "4 of 5 objects"), fail("data", "3 of 5 objects"), Changed},
		"another random name": {fail("data", "track 00112233445566778899aabbccddeeff"),
			fail("data", "track ffeeddccbbaa99887766554433221100"), ""},
		"another duration and port": {fail("udp", "127.0.0.1:4443 silent for 2.001s"),
			fail("udp", "127.0.0.1:9999 silent for 1m3s"), ""},
		"another code":                 {fail("request", "code 0x4"), fail("request", "code 0x10"), Changed},
		"only in the first":            {is(matrix.Fail), nil, Gone},
		"only in the second":           {nil, is(matrix.Fail), New},
		"in neither":                   {nil, nil, ""},
		"much slower":                  {took(300), took(900), Slower},
		"twice as slow, but fast":      {took(10), took(100), ""},
		"slower by a second, but slow": {took(5000), took(6000), ""},
		"faster":                       {took(5000), took(10), ""},
		"failed slower is not of weight": {&State{Status: matrix.Fail, DurationMS: 1},
			&State{Status: matrix.Fail, DurationMS: 9000}, ""},
	} {
		if got := kindOf(c.a, c.b, CompareOptions{SlowerFactor: 2, SlowerMS: 250}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestExitCodeOfAComparison(t *testing.T) {
	if c := Compare(hand(1), hand(2), CompareOptions{}); c.ExitCode() != 1 {
		t.Errorf("%s: exit code %d", c.Summary(), c.ExitCode())
	}
	if c := Compare(hand(1), hand(1), CompareOptions{}); c.ExitCode() != 0 || len(c.Changes) != 0 {
		t.Errorf("a run and itself: %s, exit code %d", c.Summary(), c.ExitCode())
	}
}

// TestAPassInACellThatCouldNotBeJudged holds what a label that is contradicted means: its passes are none.
func TestAPassInACellThatCouldNotBeJudged(t *testing.T) {
	a, b := hand(1), hand(1)
	c := &b.Cells[0]
	c.Status, c.Reason = matrix.Error, "the client claims draft-18"
	got := Compare(a, b, CompareOptions{})
	if got.Count(Broken) != 2 || got.Changes[0].After.Reason != c.Reason {
		t.Errorf("%+v", got.Changes)
	}
	b = hand(1)
	b.Cells[0].Draft, a.Cells[0].Draft = "", ""
	b.Cells[0].Label.Draft = "draft-14"
	got = Compare(a, b, CompareOptions{})
	if len(got.Changes) != 1 || got.Changes[0].Kind != Changed || got.Changes[0].After.Reason != "negotiated draft-14" {
		t.Errorf("another draft was negotiated: %+v", got.Changes)
	}
}

// Cells that only one of the runs has can be left out: a part of the plan against the whole.
func TestCompareWhatBothHave(t *testing.T) {
	cell := func(id string, s matrix.Status) matrix.CellResult {
		return matrix.CellResult{Cell: matrix.Cell{ID: id}, Status: s,
			Cases: []matrix.CaseResult{{Name: "fetch", Status: s}}}
	}
	whole := &matrix.Run{ID: "whole", Cells: []matrix.CellResult{cell("a", matrix.Pass), cell("b", matrix.Pass)}}
	part := &matrix.Run{ID: "part", Cells: []matrix.CellResult{cell("b", matrix.Fail), cell("c", matrix.Pass)}}
	c := Compare(whole, part, CompareOptions{Common: true})
	if len(c.Changes) != 1 || c.Changes[0].Cell != "b" || c.Changes[0].Kind != Broken {
		t.Errorf("%+v", c.Changes)
	}
	if c := Compare(whole, part, CompareOptions{}); c.Count(Gone) != 1 || c.Count(New) != 1 || c.Count(Broken) != 1 {
		t.Errorf("%+v", c.Changes)
	}
}

func TestSlowerAsAskedFor(t *testing.T) {
	a, b := hand(1), hand(1)
	b.Cells[0].Cases[0].DurationMS += 30
	if c := Compare(a, b, CompareOptions{SlowerMS: 20, SlowerFactor: 1.5}); c.Count(Slower) != 1 {
		t.Errorf("%s", c.Summary())
	}
	if c := Compare(a, b, CompareOptions{}); c.Count(Slower) != 0 {
		t.Errorf("%s", c.Summary())
	}
}

// TestComparisonIsComplete: every case is in the changes or counted as the same, and the other direction tells the
// opposite.
func TestComparisonIsComplete(t *testing.T) {
	statuses := []matrix.Status{matrix.Pass, matrix.Fail, matrix.Flaky, matrix.Todo, matrix.Skip}
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(label string) *matrix.Run {
			run := &matrix.Run{Format: matrix.Format, ID: label}
			for _, id := range []string{"a", "b", "c"} {
				if rapid.Bool().Draw(rt, label+" has "+id) {
					c := matrix.CellResult{Cell: matrix.Cell{ID: id}, Status: matrix.Pass}
					for _, k := range []string{"x", "y", "z"} {
						if i := rapid.IntRange(-1, len(statuses)-1).Draw(rt, label+id+k); i >= 0 {
							c.Cases = append(c.Cases, matrix.CaseResult{Name: k, Status: statuses[i]})
						}
					}
					run.Cells = append(run.Cells, c)
				}
			}
			return run
		}
		a, b := draw("A"), draw("B")
		there, back := Compare(a, b, CompareOptions{}), Compare(b, a, CompareOptions{})
		if there.Same != back.Same || len(there.Changes) != len(back.Changes) || there.Count(New) != back.Count(Gone) ||
			there.Count(Gone) != back.Count(New) {
			rt.Fatalf("%s; back: %s", there.Summary(), back.Summary())
		}
		for _, c := range there.Changes {
			i := slices.IndexFunc(back.Changes, func(d Change) bool { return d.Cell == c.Cell && d.Case == c.Case })
			if i < 0 {
				rt.Fatalf("%+v is not told on the way back", c)
			}
			if other := back.Changes[i].Kind; c.Kind == Fixed && other != Broken || c.Kind == Broken &&
				c.Before.Status == matrix.Pass && other != Fixed {
				rt.Fatalf("%+v is %s on the way back", c, other)
			}
		}
	})
}

func TestSame(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"id 0123456789abcdef gone", "id fedcba9876543210 gone"},
		{"in 2.001s\n", "in 1999ms"},
		{"received nothing (0 bytes) for 2003 ms", "received nothing (0 bytes) for 2010 ms"},
		{"a limit of 2 s", "a limit of 1.5 s"},
		{"dial [::1]:4443", "dial [::1]:50001"},
		{"no UDP socket is bound to its port 57203", "no UDP socket is bound to its port 60145"},
		{"localhost:1", "localhost:1"},
	} {
		if same(c.a) != same(c.b) {
			t.Errorf("%q and %q differ: %q, %q", c.a, c.b, same(c.a), same(c.b))
		}
	}
	for _, c := range []struct{ a, b string }{{"code 0x4", "code 0x10"}, {"relay.example:4443", "relay.example:443"},
		{"4 of 5", "3 of 5"}, {"4 sessions", "3 sessions"}, {"draft-16", "draft-18"}} {
		if same(c.a) == same(c.b) {
			t.Errorf("%q and %q are the same: %q", c.a, c.b, same(c.a))
		}
	}
}

// What changed alike on several drafts and transports of an endpoint is one group, which names its cells; what is
// slower stays apart.
func TestGroupsJoinCells(t *testing.T) {
	pass, fail := &State{Status: matrix.Pass, DurationMS: 1}, func(text string) *State {
		return &State{Status: matrix.Fail, Layer: "data", Reason: text}
	}
	c := &Comparison{A: "a", B: "b"}
	for i, way := range []string{"draft-16/quic", "draft-16/webtransport", "draft-18/quic", "draft-18/webtransport",
		"draft-20/quic", "draft-20/webtransport", "draft-22/quic", "draft-22/webtransport"} {
		c.Changes = append(c.Changes, Change{Broken, "x/relay/local/" + way, "fetch", pass,
			fail(fmt.Sprintf("nothing for %d ms", 2000+i))})
	}
	c.Changes = append(c.Changes,
		Change{Broken, "x/relay/other/draft-18/quic", "fetch", pass, fail("nothing for 2 ms")},
		Change{Broken, "x/relay/local/draft-14/quic", "fetch", pass, fail("4 of 5")},
		Change{Slower, "x/relay/local/draft-18/quic", "join", pass, &State{Status: matrix.Pass, DurationMS: 900}},
		Change{Slower, "x/relay/local/draft-20/quic", "join", pass, &State{Status: matrix.Pass, DurationMS: 800}})
	want := `a -> b: 10 broken, 2 slower, 0 the same

broken
  x/relay/local  fetch
      in 8 cells: draft-16/quic, draft-16/webtransport, draft-18/quic, draft-18/webtransport, ` +
		`draft-20/quic, draft-20/webtransport and 2 more
      pass -> fail in data: nothing for 2000 ms
  x/relay/other/draft-18/quic  fetch
      pass -> fail in data: nothing for 2 ms
  x/relay/local/draft-14/quic  fetch
      pass -> fail in data: 4 of 5

slower
  x/relay/local/draft-18/quic  join
      1 ms -> 900 ms
  x/relay/local/draft-20/quic  join
      1 ms -> 800 ms
`
	if diff := cmp.Diff(want, text(t, c.WriteText)); diff != "" {
		t.Error(diff)
	}
	if md := text(t, c.WriteMarkdown); !strings.Contains(md, "| x/relay/local<br><sub>draft-16/quic, ") {
		t.Error(md)
	}
}

// A message that has what was expected and what came is said once.
func TestTold(t *testing.T) {
	for _, c := range []struct {
		k    matrix.CaseResult
		want bool
	}{
		{matrix.CaseResult{Message: "expected 5, received 4 of 5", Expected: "5", Received: "4 of 5"}, true},
		{matrix.CaseResult{Message: "TimeoutError", Expected: "SETUP", Received: "TimeoutError"}, false},
		{matrix.CaseResult{Message: "no"}, true},
	} {
		if told(&c.k) != c.want {
			t.Errorf("%+v: %v", c.k, !c.want)
		}
	}
}
