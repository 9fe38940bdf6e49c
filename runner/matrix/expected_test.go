package matrix

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func expectations(t *testing.T, text string) *Expectations {
	t.Helper()
	x, err := ReadExpectations("known.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestExpectations(t *testing.T) {
	cell := func(relay, draft string, s Status, cases ...CaseResult) CellResult {
		return CellResult{Cell: Cell{ID: "c/" + relay, Client: "c", Relay: relay, Draft: draft, Transport: "quic"},
			Status: s, Cases: cases, Reason: "why"}
	}
	one := func(name string, s Status) CaseResult { return CaseResult{Name: name, Status: s, Message: "msg"} }
	tests := []struct {
		name string
		file string
		cell CellResult
		want Judgement
	}{
		{"a pass", "", cell("r", "draft-18", Pass, one("fetch", Pass)), Judgement{Pass: true}},
		{"a failure", "", cell("r", "draft-18", Fail, one("fetch", Fail)),
			Judgement{Failures: []string{"c/r fetch: msg"}}},
		{"a known failure", "- {relay: R, draft: 18, case: fe*, reason: '#1'}",
			cell("r", "draft-18", Fail, one("fetch", Fail), one("join", Pass)), Judgement{Pass: true, Known: 1}},
		{"a known failure beside another", "- {case: fetch, reason: '#1'}",
			cell("r", "draft-18", Fail, one("fetch", Fail), one("join", Fail)),
			Judgement{Known: 1, Failures: []string{"c/r join: msg"}}},
		{"another draft", "- {draft: draft-16, case: fetch, reason: '#1'}",
			cell("r", "draft-18", Fail, one("fetch", Fail)),
			Judgement{Failures: []string{"c/r fetch: msg"}, Unused: []string{"known.yaml: */*/draft-16/*/fetch (#1)"}}},
		{"an unexpected pass", "- {case: fetch, reason: '#1'}", cell("r", "draft-18", Pass, one("fetch", Pass)),
			Judgement{Fixed: []string{"c/r fetch passed, and known.yaml expects it to fail: */*/*/*/fetch (#1)"}}},
		{"a pass that may be", "- {case: fetch, flaky: true, reason: '#1'}",
			cell("r", "draft-18", Pass, one("fetch", Pass)), Judgement{Pass: true}},
		{"a failure that may be", "- {case: fetch, flaky: true, reason: '#1'}",
			cell("r", "draft-18", Fail, one("fetch", Fail)), Judgement{Pass: true, Known: 1}},
		{"what may fail and is not there", "- {case: join, flaky: true, reason: '#1'}",
			cell("r", "draft-18", Pass, one("fetch", Pass)),
			Judgement{Unused: []string{"known.yaml: */*/*/*/join (#1)"}}},
		{"a skip is no pass", "- {case: fetch, reason: '#1'}", cell("r", "draft-18", Skip, one("fetch", Skip)),
			Judgement{Untested: true}},
		{"a skip beside a pass", "- {case: fetch, reason: '#1'}", cell("r", "draft-18", Pass, one("fetch", Skip),
			one("join", Pass)), Judgement{Pass: true}},
		{"nothing applies", "", cell("r", "draft-18", NotApplicable, one("fetch", NotApplicable)),
			Judgement{Untested: true}},
		{"only a SHOULD broken", "", cell("r", "draft-18", Todo, one("fetch", Todo)), Judgement{Pass: true}},
		{"flaky", "", cell("r", "draft-18", Flaky, one("fetch", Flaky)), Judgement{Flaky: []string{"c/r fetch: msg"}}},
		{"known and flaky", "- {case: fetch, reason: '#1'}", cell("r", "draft-18", Flaky, one("fetch", Flaky)),
			Judgement{Pass: true, Known: 1}},
		{"flaky as a whole", "", cell("r", "draft-18", Flaky, one("fetch", Pass)),
			Judgement{Flaky: []string{"c/r: why"}}},
		{"an error", "", cell("r", "draft-18", Error), Judgement{Errors: []string{"c/r: why"}}},
		{"a known error", "- {relay: r, reason: 'no image'}", cell("r", "draft-18", Error),
			Judgement{Pass: true, Known: 1}},
		{"an error is no case", "- {relay: r, case: fetch, reason: '#1'}", cell("r", "draft-18", Error),
			Judgement{Errors: []string{"c/r: why"}, Unused: []string{"known.yaml: */r/*/*/fetch (#1)"}}},
		{"a crash in a known case", "- {case: fetch, reason: '#1'}",
			cell("r", "draft-18", Error, one("fetch", Missing)), Judgement{Pass: true, Known: 1}},
		{"a crash in another", "- {case: fetch, reason: '#1'}", cell("r", "draft-18", Error, one("fetch", Fail),
			one("join", Missing)), Judgement{Known: 1, Errors: []string{"c/r: why"}}},
		{"a dead relay, its first case known", "- {case: fetch, reason: '#1'}",
			cell("r", "draft-18", Fail, one("fetch", Fail), one("join", Missing)),
			Judgement{Known: 1, Failures: []string{"c/r: no result for 1 cases, first join: msg"}}},
		{"an error in which cases failed counts once", "", cell("r", "draft-18", Error, one("fetch", Fail),
			one("join", Flaky)), Judgement{Errors: []string{"c/r: why; failed too: fetch, join"}}},
		{"down", "", cell("r", "draft-18", Down), Judgement{Down: []string{"c/r: why"}}},
		{"known to be down", "- {relay: r, reason: '#1'}", cell("r", "draft-18", Down),
			Judgement{Pass: true, Known: 1}},
		{"a dead relay, known", "- {relay: r, case: '*', reason: '#1'}", cell("r", "draft-18", Fail, one("fetch", Fail),
			one("join", Missing)), Judgement{Pass: true, Known: 2}},
		{"a bail out after passes", "", cell("r", "draft-18", Fail, one("fetch", Pass)),
			Judgement{Failures: []string{"c/r: why"}}},
		{"missing", "- {relay: r, reason: '#1'}", cell("r", "draft-18", Missing),
			Judgement{Missing: []string{"c/r: why"}, Unused: []string{"known.yaml: */r/*/*/* (#1)"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := expectations(t, test.file)
			c := test.cell
			x.Mark(&c)
			for _, r := range c.Cases {
				if (r.Known != "") != (test.want.Known > 0 && (r.Status == Fail || r.Status == Missing ||
					r.Status == Flaky) && x.reason(&c, r.Name) != "") {
					t.Errorf("%s is known for %q", r.Name, r.Known)
				}
			}
			if known := test.want.Known > 0 && c.Blamed() && x.reason(&c, "") != ""; known != (c.Known != "") {
				t.Errorf("the cell is known for %q", c.Known)
			}
			if d := cmp.Diff(test.want, Judge(&Run{Cells: []CellResult{c}}, x)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	mismatch := cell("r", "draft-18", Error, one("fetch", Pass), one("join", Missing))
	mismatch.Label.Conflict = "another draft"
	if j := Judge(&Run{Cells: []CellResult{mismatch}}, expectations(t, "- {case: join, reason: '#1'}")); j.Pass ||
		len(j.Errors) != 1 {
		t.Errorf("a wrong label is covered up: %+v", j)
	}
	x := expectations(t, "- {case: nothing, reason: '#1'}")
	part := &Run{Plan: PlanRef{Shard: &Shard{1, 2}}}
	if j := Judge(part, x); !j.Pass {
		t.Errorf("a shard cannot know what the others have: %+v", j)
	}
	if j := Judge(&Run{Cells: []CellResult{cell("r", "draft-18", Pass, one("fetch", Pass))}}, nil); !j.Pass {
		t.Errorf("%+v", j)
	}
}

func TestJudgementAsText(t *testing.T) {
	var b strings.Builder
	j := Judgement{Failures: []string{"a/b fetch: no\n\x1b\u202eanswer"}, Unused: []string{"x"}, Known: 2}
	if err := j.WriteText(&b); err != nil || b.String() != "failed (1):\n  a/b fetch: no answer\nexpected failures "+
		"that match nothing in the run (1):\n  x\n2 known failures\n" || j.Exit() != 1 {
		t.Errorf("%v %d\n%s", err, j.Exit(), b.String())
	}
	b.Reset()
	if err := (Judgement{Pass: true}).WriteText(&b); err != nil || b.String() != "" ||
		(Judgement{Pass: true}).Exit() != 0 {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestReadExpectationsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"- {relay: r}":                       "entry 1 (*/r/*/*/*) has no reason",
		"- {relay: r, reason: ' '}":          "has no reason",
		"- {rely: r, reason: x}":             "rely",
		"- {relay: '[', reason: x}":          "syntax error in pattern",
		"relay: r":                           "known.yaml",
		"- {relay: r, reason: x}\n- nothing": "known.yaml",
	} {
		if _, err := ReadExpectations("known.yaml", strings.NewReader(text)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"", "# nothing is known to fail\n", "[]",
		`[{"relay": "r", "draft": "18", "reason": "x"}]`} {
		if _, err := ReadExpectations("known.yaml", strings.NewReader(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
