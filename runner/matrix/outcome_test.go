package matrix

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// short form of a case: name, status, attempts.
func brief(list []CaseResult) (out []string) {
	for _, c := range list {
		s := c.Name + " " + string(c.Status)
		if c.Attempts > 1 {
			s += fmt.Sprintf(" x%d", c.Attempts)
		}
		out = append(out, s)
	}
	return out
}

func outcomeOf(t *testing.T, doc string, exit int, asked ...string) outcome {
	t.Helper()
	d, err := tap.Parse(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	code := &exit
	if exit < 0 {
		code = nil
	}
	return parsed(d, code, asked)
}

const six = "TAP version 14\n# Draft: draft-18\n1..2\nok 1 - setup-only\nok 2 - publish-namespace-only\n"

var pinned = Cell{Draft: "draft-18", Predicted: "draft-18"}

func TestVerdictsOfForeignClients(t *testing.T) {
	two := strings.ReplaceAll(sessions("moqt-18", "moqt-14"), "announce-subscribe", "two-drafts")
	tests := []struct {
		name   string
		doc    string
		exit   int
		asked  []string
		cell   Cell
		status Status
		layer  string
		reason string // in the reason
		cases  []string
		label  string
	}{
		{"passes", six, 0, nil, pinned, Pass, "", "", []string{"setup-only pass", "announce-only pass"},
			"negotiated draft-18 "},
		{"exit code contradicts a pass", six, 1, nil, pinned, Error, "", "no pass: exit code 1", nil,
			"negotiated draft-18 "},
		{"127 contradicts a pass", six, 127, nil, pinned, Error, "", "127", nil, ""},
		{"a signal ends it after all passed", six, -1, nil, pinned, Error, "", "signal", nil, ""},
		{"fails", "1..1\nnot ok 1 - fetch\n  ---\n  layer: request\n  message: no answer\n  ...\n", 1, nil, pinned,
			Fail, "request", "fetch: no answer", []string{"fetch fail"}, "predicted draft-18 "},
		{"fails with exit code 0", "1..1\nnot ok 1 - fetch\n", 0, nil, pinned, Fail, "", "does not say why",
			[]string{"fetch fail"}, ""},
		{"another client's word for why", "1..1\nnot ok 1 - fetch\n  ---\n  error: blocked: ids\n  ...\n", 1, nil,
			pinned, Fail, "", "blocked: ids", nil, ""},
		{"ends early", "1..3\nok 1 - setup-only\n", 1, nil, pinned, Error, "", "no result for 2 of 3 cases",
			[]string{"setup-only pass", "(point 2) missing", "(point 3) missing"}, ""},
		{"no plan", "ok 1 - setup-only\n", 0, nil, pinned, Error, "", "plan", nil, ""},
		{"bails out", "1..2\nnot ok 1 - setup-only\nBail out! udp: nobody there\n", 1, nil, pinned, Fail, "udp",
			"setup-only", []string{"setup-only fail", "(point 2) missing"}, ""},
		{"bails out at once", "TAP version 14\nBail out! no idea\n", 1, nil, pinned, Error, "", "Bail out! no idea",
			nil, ""},
		{"bails out after passes", "1..2\nok 1 - setup-only\nok 2 - fetch\nBail out!\n", 0, nil, pinned, Fail, "",
			"no reason given", nil, ""},
		{"skips all", "1..1\nok 1 - fetch # SKIP not supported\n", 127, nil, pinned, Skip, "", "fetch: not supported",
			[]string{"fetch skip"}, ""},
		{"a path that is too slow", "1..2\nok 1 - fetch # SKIP not supported\n" +
			"ok 2 - object-10-mb # SKIP the path is too slow: 1.2 Mbit/s\n", 1, nil, pinned, TooSlow, "",
			"object-10-mb: the path is too slow: 1.2 Mbit/s", []string{"fetch skip", "object-10-mb too-slow"}, ""},
		{"a path that is too slow for one", "1..2\nok 1 - fetch\n" +
			"ok 2 - object-10-mb # SKIP the path is too slow: 1.2 Mbit/s\n", 0, nil, pinned, Pass, "", "",
			[]string{"fetch pass", "object-10-mb too-slow"}, ""},
		{"an empty plan", "1..0 # SKIP nothing to do\n", 0, nil, pinned, Skip, "", "nothing to do", nil, ""},
		{"only a SHOULD", "1..1\nnot ok 1 - fetch # TODO SHOULD: code\n", 0, nil, pinned, Todo, "", "SHOULD: code",
			[]string{"fetch todo"}, ""},
		{"a SHOULD beside a pass", "1..2\nok 1 - setup-only\nnot ok 2 - fetch # TODO SHOULD: code\n", 0, nil, pinned,
			Pass, "", "", []string{"setup-only pass", "fetch todo"}, ""},
		{"prints nothing", "", 3, nil, pinned, Error, "", "reported nothing; exit code 3", nil, ""},
		{"prints nothing and 127", "", 127, nil, pinned, Error, "", "exit code 127", nil, ""},
		{"does not have the case", "", 127, []string{"join"}, pinned, NotApplicable, "", "127",
			[]string{"join not-applicable"}, ""},
		{"runs more than it was asked", six, 0, []string{"setup-only"}, pinned, Pass, "", "",
			[]string{"setup-only pass"}, ""},
		{"answers by its own name", six, 0, []string{"announce-only"}, pinned, Pass, "", "",
			[]string{"announce-only pass"}, ""},
		{"does not answer what it was asked", six, 0, []string{"join"}, pinned, Error, "", "no result for 1 of 1",
			[]string{"join missing"}, ""},
		{"a number twice", "1..1\nok 1 - a\nnot ok 1 - a\n", 1, nil, pinned, Fail, "", "a:", []string{"a fail"}, ""},
		{"a number twice, ok both", "1..1\nok 1 - a\nok 1 - a\n", 0, nil, pinned, Error, "", "was there already", nil,
			""},
		{"subtests do not count", "1..1\n# Subtest: a\n    1..1\n    ok 1 - inner\nnot ok 1 - a\n", 1, nil, pinned,
			Fail, "", "a:", []string{"a fail"}, ""},
		{"a claim that contradicts the pin", "# Draft: 14\n1..1\nok 1 - setup-only\n", 0, nil, pinned, Error, "",
			"was to offer draft-18 alone, and reports draft-14", []string{"setup-only missing"},
			"negotiated draft-14 "},
		{"failures with a draft that was not asked for", "# Draft: 14\n1..2\nnot ok 1 - setup-only\nnot ok 2 - " +
			"fetch\n  ---\n  layer: request\n  ...\n", 1, nil, pinned, Error, "",
			"was to offer draft-18 alone, and reports draft-14", []string{"setup-only missing", "fetch missing"},
			"negotiated draft-14 "},
		{"a claim without a pin", "# Draft: 14 (in band)\n1..1\nok 1 - setup-only\n", 0, nil,
			Cell{Predicted: "draft-18"}, Pass, "", "", nil, "negotiated draft-14 "},
		{"no claim", "# request: draft=14\n1..1\nok 1 - setup-only\n", 0, nil, Cell{Predicted: "draft-18"}, Pass, "",
			"", nil, "predicted draft-18 "},
		{"claims unknown", "# Draft: unknown\n1..1\nnot ok 1 - setup-only\n", 1, nil, pinned, Fail, "", "", nil,
			"predicted draft-18 "},
		{"two claims", "# Draft: 14\n# Draft: 16\n1..1\nok 1 - setup-only\n", 0, nil, Cell{Predicted: "draft-18"}, Pass,
			"", "", nil, "predicted draft-18 !"},
		{"roles differ", sessions("moqt-16", "moqt-18"), 0, nil, Cell{Predicted: "draft-18"}, Pass, "", "", nil,
			"negotiated  publisher=draft-16 subscriber=draft-18"},
		{"roles agree", sessions("moqt-16", "moqt-16"), 0, nil, Cell{Predicted: "draft-18"}, Pass, "", "", nil,
			"negotiated draft-16 publisher=draft-16 subscriber=draft-16"},
		{"the header contradicts the sessions", "# Draft: 18\n" + sessions("moqt-16", "moqt-16"), 0, nil, Cell{}, Pass,
			"", "", nil, "negotiated draft-16 publisher=draft-16 subscriber=draft-16!"},
		{"one role contradicts the pin", sessions("moqt-18", "moqt-16"), 0, nil, pinned, Error, "", "reports draft-16",
			[]string{"announce-subscribe missing"}, "negotiated  publisher=draft-18 subscriber=draft-16!"},
		{"a role that is to speak another draft", two, 0, nil, pinned, Pass, "", "", []string{"two-drafts pass"},
			"negotiated draft-18 publisher=draft-18"},
		{"the role beside it contradicts the pin", strings.ReplaceAll(two, "moqt-18", "moqt-16"), 0, nil, pinned, Error,
			"", "reports draft-16", []string{"two-drafts missing"}, "negotiated draft-16 publisher=draft-16!"},
		{"another transport than the cell's", "1..1\nok 1 - setup-only\n  ---\n  sessions:\n    client:\n      " +
			"transport: quic\n  ...\n", 0, nil, Cell{Transport: "webtransport", Predicted: "draft-18"}, Error, "",
			"was to use webtransport, and reports quic", []string{"setup-only missing"}, "predicted draft-18 !"},
		{"the cell's transport", "1..1\nok 1 - setup-only\n  ---\n  sessions:\n    client:\n      transport: " +
			"webtransport-h3\n  ...\n", 0, nil, Cell{Transport: "webtransport"}, Pass, "", "", nil, "predicted  "},
		{"a relay that chose what was not offered", strings.NewReplacer("ok 1", "not ok 1", "---",
			"---\n  layer: webtransport").Replace(sessions("moqt-16", "moqt-16")), 1, nil, pinned, Fail, "webtransport",
			"", []string{"announce-subscribe fail"}, "negotiated draft-16 publisher=draft-16 subscriber=draft-16"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := judge(test.cell, outcomeOf(t, test.doc, test.exit, test.asked...), "")
			if r.Status != test.status || r.Layer != test.layer || !strings.Contains(r.Reason, test.reason) {
				t.Errorf("%s [%s] %q, want %s [%s] %q\n%+v", r.Status, r.Layer, r.Reason, test.status, test.layer,
					test.reason, r)
			}
			if test.cases != nil {
				if d := cmp.Diff(test.cases, brief(r.Cases)); d != "" {
					t.Errorf("cases (-want +got):\n%s", d)
				}
			}
			got := string(r.Label.Source) + " " + r.Label.Draft + " "
			var roles []string
			for _, x := range r.Label.Roles {
				roles = append(roles, x.Role+"="+x.Draft)
			}
			got += strings.Join(roles, " ")
			if r.Label.Conflict != "" && test.status != Error || r.Label.Conflict != "" &&
				strings.HasSuffix(test.label, "!") {
				got += "!"
			}
			if test.label != "" && got != test.label {
				t.Errorf("label %q, want %q (%+v)", got, test.label, r.Label)
			}
		})
	}
}

// sessions is a document of a case with two roles.
func sessions(publisher, subscriber string) string {
	return "1..1\nok 1 - announce-subscribe\n  ---\n  sessions:\n    publisher:\n      moqt_version: " + publisher +
		"\n    subscriber:\n      moqt_version: " + subscriber + "\n  ...\n"
}

func TestRepetitions(t *testing.T) {
	doc := func(points ...string) string {
		return fmt.Sprintf("1..%d\n", len(points)) + strings.Join(points, "\n") + "\n"
	}
	ok, bad := func(n int, name string) string { return fmt.Sprintf("ok %d - %s", n, name) },
		func(n int, name string) string { return fmt.Sprintf("not ok %d - %s", n, name) }
	tests := []struct {
		name          string
		first, second string
		exits         [2]int
		status        Status
		reason        string
		cases         []string
	}{
		{"fails twice", doc(ok(1, "a"), bad(2, "b")), doc(bad(1, "b")), [2]int{1, 1}, Fail, "b:",
			[]string{"a pass", "b fail x2"}},
		{"fails once", doc(ok(1, "a"), bad(2, "b")), doc(ok(1, "b")), [2]int{1, 0}, Flaky, "b did not fail again",
			[]string{"a pass", "b flaky x2"}},
		{"skips the second time", doc(bad(1, "b")), doc("ok 1 - b # SKIP no"), [2]int{1, 127}, Flaky, "",
			[]string{"b flaky x2"}},
		{"one of two", doc(bad(1, "a"), bad(2, "b")), doc(ok(1, "a"), bad(2, "b")), [2]int{1, 1}, Fail, "b:",
			[]string{"a flaky x2", "b fail x2"}},
		{"bails out, then passes", "1..2\nnot ok 1 - a\nBail out! udp: gone\n", doc(ok(1, "a"), ok(2, "b")),
			[2]int{1, 0}, Flaky, "a did not fail again", []string{"a flaky x2", "b pass"}},
		{"bails out twice", "1..2\nnot ok 1 - a\nBail out! udp: gone\n", "1..2\nnot ok 1 - a\nBail out! udp: gone\n",
			[2]int{1, 1}, Fail, "a:", []string{"a fail x2", "(point 2) missing x2"}},
		{"crashes, then passes", "1..2\nok 1 - a\n", doc(ok(1, "a"), ok(2, "b")), [2]int{-1, 0}, Flaky,
			"the first attempt: the client ended before its last case", []string{"a pass", "b pass"}},
		{"crashes, then fails elsewhere", "1..2\nok 1 - a\n", doc(bad(1, "a"), ok(2, "b")), [2]int{-1, 1}, Flaky,
			"a did not fail again", []string{"a flaky x2", "b pass"}},
		{"crashes twice", "1..2\nok 1 - a\n", "1..2\nok 1 - a\n", [2]int{-1, -1}, Error, "no result for 1 of 2",
			[]string{"a pass", "(point 2) missing x2"}},
		{"says nothing, then passes", "", doc(ok(1, "a")), [2]int{3, 0}, Flaky,
			"the client reported nothing; exit code 3", []string{"a pass"}},
		{"contradicts itself, then fails", doc(ok(1, "a")), doc(bad(1, "a")), [2]int{1, 1}, Flaky,
			"a did not fail again", []string{"a flaky x2"}},
		{"contradicts itself twice", doc(ok(1, "a")), doc(ok(1, "a")), [2]int{1, 1}, Error, "no pass",
			[]string{"a pass"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o, whole := repeated(outcomeOf(t, test.first, test.exits[0]), outcomeOf(t, test.second, test.exits[1]))
			r := judge(pinned, o, whole)
			if r.Status != test.status || !strings.Contains(r.Reason, test.reason) {
				t.Errorf("%s %q, want %s %q", r.Status, r.Reason, test.status, test.reason)
			}
			if d := cmp.Diff(test.cases, brief(r.Cases)); d != "" {
				t.Errorf("cases (-want +got):\n%s", d)
			}
		})
	}
}

// A client that says the same thing a thousand times fills neither the reason nor the notes with it.
func TestOdditiesAreBounded(t *testing.T) {
	o := outcomeOf(t, strings.Repeat("ok 1 - a\nlog\n", 5000), 0)
	r := judge(pinned, o, "")
	if r.Status != Error || len(r.Reason) > 1000 || len(r.Notes) != maxOddities+1 {
		t.Errorf("%s, %d bytes of reason, %d notes", r.Status, len(r.Reason), len(r.Notes))
	}
	for _, want := range []string{"no plan", "line 3: point 1 was there already", "more of these"} {
		if !strings.Contains(r.Reason, want) {
			t.Errorf("the reason does not say %q: %s", want, r.Reason)
		}
	}
	if last := r.Notes[maxOddities]; last != "TAP: and 9980 more" {
		t.Errorf("the last note is %q", last)
	}
}

// What the first attempt noted already is not said once more.
func TestNotesOfARepetition(t *testing.T) {
	first, second := outcome{notes: []string{"TAP: line 4: odd"}},
		outcome{notes: []string{"fetch: TAP: line 4: odd", "fetch: TAP: line 5: odd"}}
	got, _ := repeated(first, second)
	if d := cmp.Diff([]string{"TAP: line 4: odd", "repeated: fetch: TAP: line 5: odd"}, got.notes); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// No repetition makes a cell pass whose first attempt did not.
func TestNoRepetitionPasses(t *testing.T) {
	docs := []string{"", "1..1\nok 1 - a\n", "1..1\nnot ok 1 - a\n", "1..2\nok 1 - a\n",
		"1..1\nnot ok 1 - a # TODO x\n", "1..1\nok 1 - a # SKIP x\n",
		"Bail out! x\n", "1..2\nok 1 - a\nBail out! x\n", "1..2\nok 1 - a\nok 2 - b\n",
		"1..2\nok 1 - a\nnot ok 2 - b\n", "ok 1 - a\n"}
	for _, first := range docs {
		for _, second := range docs {
			for _, exits := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {127, 0}, {-1, 0}, {1, 1}} {
				one := outcomeOf(t, first, exits[0])
				alone := judge(pinned, one, "")
				if !one.broken() {
					continue // it would not have been repeated
				}
				both := judge(first2(repeated(one, outcomeOf(t, second, exits[1]))))
				if both.Status == Pass || alone.Status == Pass {
					t.Errorf("%q (%d), then %q (%d): %s", first, exits[0], second, exits[1], both.Status)
				}
			}
		}
	}
}

// first2 passes two values on behind a third.
func first2(o outcome, why string) (Cell, outcome, string) { return pinned, o, why }

// The documents that clients in use have printed.
func TestRecordedDocuments(t *testing.T) {
	dir := "../../../shared/data/tap"
	list, _ := filepath.Glob(filepath.Join(dir, "*.tap"))
	if len(list) == 0 {
		t.Skipf("no recorded documents in %s", dir)
	}
	want := map[string]Status{"mlmtest-draft16-failures.tap": Fail, "mlmtest-draft16.tap": Fail}
	for _, name := range list {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		status, exit := Pass, 0
		if w := want[filepath.Base(name)]; w != "" {
			status, exit = w, 1
		}
		r := judge(Cell{Predicted: "draft-99"}, outcomeOf(t, string(b), exit), "")
		if r.Status != status || len(r.Cases) < 6 {
			t.Errorf("%s: %s %q, %d cases", name, r.Status, r.Reason, len(r.Cases))
		}
		if claims := strings.Contains(string(b), "# Draft:") ||
			strings.Contains(string(b), "moqt_version"); claims != (r.Label.Source == Negotiated) {
			t.Errorf("%s: label %+v", name, r.Label)
		}
	}
}
