package peers

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// exception is a verdict other than a pass that a relay earns, and why. Nothing else may differ.
type exception struct {
	// cases are identifiers and patterns, separated by blanks.
	cases string
	// drafts are numbers and ranges, "14 16-19"; "" for all.
	drafts string
	// want is the verdict: "fail LAYER", "todo", "skip" or "not-applicable"; more than one, separated by "|" ("pass"
	// may be among them), where the relay itself varies.
	want string
	// says is a piece of the message or the reason that such a verdict comes with, one of them where "|" separates
	// more: another cause would be another verdict.
	says string
	// why is one sentence on what the relay does, with the section of the draft that decides.
	why string
}

// names reports whether the exception is about a case.
func (x *exception) names(id string) bool {
	return slices.ContainsFunc(strings.Fields(x.cases), func(pattern string) bool {
		ok, err := path.Match(pattern, id)
		return ok && err == nil
	})
}

// holds reports whether the exception is about a case on a draft.
func (x *exception) holds(c *cases.Case, d wire.Draft) bool {
	return c.Applies(d) && x.names(c.ID) && (x.drafts == "" || slices.Contains(draftList(x.drafts), d))
}

// draftList reads "14 16-19"; what it cannot read is missing from the list.
func draftList(text string) (list []wire.Draft) {
	for _, part := range strings.Fields(text) {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		for d := a; errA == nil && errB == nil && d <= b; d++ {
			list = append(list, wire.Draft(d))
		}
	}
	return list
}

// table is what a relay is expected to do.
type table struct {
	drafts     []wire.Draft
	exceptions []exception
}

// expected gives the exception for a case on a draft, nil where it must pass.
func (t *table) expected(c *cases.Case, d wire.Draft) *exception {
	for i := range t.exceptions {
		if t.exceptions[i].holds(c, d) {
			return &t.exceptions[i]
		}
	}
	return nil
}

// verdict is one result of a run, as it stands in the JSON report.
type verdict struct {
	Case, Status, Layer, Message, Reason string
	Transcript                           []string
}

// String is the verdict as exceptions write it.
func (v *verdict) String() string { return strings.TrimSpace(v.Status + " " + v.layer()) }

func (v *verdict) layer() string {
	if v.Status == "fail" {
		return v.Layer
	}
	return ""
}

// differs says in what a verdict is not the one expected, "" if in nothing.
func (t *table) differs(v *verdict, d wire.Draft) string {
	c, ok := cases.Find(v.Case)
	if !ok {
		return "no such case"
	}
	want, says, why := "pass", "", ""
	if x := t.expected(&c, d); x != nil {
		want, says, why = x.want, x.says, x.why
	} else if !c.Applies(d) {
		want = "not-applicable"
	}
	text := v.Reason + " " + v.Message
	switch {
	case !slices.Contains(strings.Split(want, "|"), v.String()):
		return fmt.Sprintf("%s (%s), want %s %s", v, text, want, why)
	case v.Status != "pass" && !slices.ContainsFunc(strings.Split(says, "|"),
		func(piece string) bool { return strings.Contains(text, piece) }):
		return fmt.Sprintf("%s for another reason: %s, want %q", v, text, says)
	}
	return ""
}

// jobs is how many cases meet one relay at a time on one transport: most of the time goes into waiting for what does
// not come.
const jobs = 8

// wanted reports whether a draft is to be tried: MOQ_PEER_DRAFTS names them ("14 18-22"); without it all are.
func wanted(d wire.Draft) bool {
	only := os.Getenv("MOQ_PEER_DRAFTS")
	return only == "" || slices.Contains(draftList(only), d)
}

// checkRelay runs every case on every draft, over both transports at a time, and compares each verdict with the table.
func checkRelay(t *testing.T, port string, expect *table) {
	for _, d := range expect.drafts {
		if !wanted(d) {
			continue
		}
		t.Run(d.String(), func(t *testing.T) {
			for transport, scheme := range schemes {
				t.Run(transport, func(t *testing.T) {
					t.Parallel()
					m := &meeting{url: fmt.Sprintf("%s://127.0.0.1:%s", scheme, port), draft: d, transport: transport}
					verdicts := m.run(t, "--suite", "all", "-j", fmt.Sprint(jobs))
					if len(verdicts) != len(cases.All()) {
						t.Errorf("%d results of %d cases", len(verdicts), len(cases.All()))
					}
					for _, v := range verdicts {
						what := expect.differs(&v, d)
						if what != "" && v.Status == "fail" { // a busy machine keeps objects waiting, too
							t.Logf("%s beside others: %s; now alone", v.Case, what)
							v = m.run(t, "-t", v.Case)[0]
							what = expect.differs(&v, d)
						}
						if what != "" {
							t.Errorf("%s: %s\n%s", v.Case, what, strings.Join(v.Transcript, "\n"))
						}
					}
				})
			}
		})
	}
}

// meeting is our client and a relay on one draft and transport.
type meeting struct {
	url, transport string
	draft          wire.Draft
}

// run runs cases and reads their results from the report; TAP and exit code must say the same.
func (m *meeting) run(t *testing.T, what ...string) []verdict {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	args := []string{"-r", m.url, "-d", fmt.Sprint(uint8(m.draft)), "--transport", m.transport, "--tls-disable-verify",
		"-o", file}
	doc, exit := runTAP(t, 3*time.Minute, ourBinary, append(args, what...)...)
	checkLabels(t, doc, m.draft)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct{ Results []verdict }
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, v := range report.Results {
		count[v.Status]++
	}
	if len(report.Results) == 0 || len(doc.Points) != len(report.Results) {
		t.Fatalf("%d results and %d points", len(report.Results), len(doc.Points))
	}
	want := 0
	switch {
	case count["fail"] > 0:
		want = 1
	case count["skip"]+count["not-applicable"] == len(report.Results):
		want = 127
	}
	if exit != want {
		t.Errorf("exit code %d, want %d: %v", exit, want, count)
	}
	return report.Results
}

// checkLabels: the draft in the header is the one that was asked for, since nothing else was offered.
func checkLabels(t *testing.T, doc *tap.Document, d wire.Draft) {
	t.Helper()
	for _, c := range doc.Comments {
		if got, ok := strings.CutPrefix(c.Text, "Draft: "); ok && got != d.String() {
			t.Errorf("the header says %s, only %s was offered", got, d)
		}
	}
	if doc.Bail != nil {
		t.Errorf("bail out: %s", doc.Bail.Reason)
	}
}

// TestTablesAreSound: each exception is about something, no two are about the same, and each says why. It needs no
// peer.
func TestTablesAreSound(t *testing.T) {
	for name, expect := range map[string]*table{"the Rust relay": &rustRelay, "aiomoqt's relay": &aiomoqtRelay} {
		seen := map[string]string{}
		for _, x := range expect.exceptions {
			if x.why == "" || x.says == "" {
				t.Errorf("%s: %q says nothing", name, x.cases)
			}
			for _, want := range strings.Split(x.want, "|") {
				if kind, layer, failed := strings.Cut(want, " "); failed != (kind == "fail") || failed && layer == "" ||
					!slices.Contains([]string{"pass", "fail", "todo", "skip", "not-applicable"}, kind) {
					t.Errorf("%s: %q wants %q", name, x.cases, want)
				}
			}
			for _, pattern := range strings.Fields(x.cases) {
				one := x
				one.cases = pattern
				found := false
				for _, c := range cases.All() {
					for _, d := range expect.drafts {
						if !one.holds(&c, d) {
							continue
						}
						found = true
						key := c.ID + " on " + d.String()
						if before, twice := seen[key]; twice {
							t.Errorf("%s: %s stands in %q and in %q", name, key, before, x.cases)
						}
						seen[key] = x.cases
					}
				}
				if !found {
					t.Errorf("%s: %q %s is about no case", name, pattern, x.drafts)
				}
			}
		}
	}
}
