package runner

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner/glob"
)

// The totals of every draft fit together, and the query keeps what it says.
func TestListRules(t *testing.T) {
	for _, d := range wire.Drafts() {
		all := ListRules(RuleQuery{Drafts: []wire.Draft{d}})
		x := all.Totals[0]
		if x.Draft != d || x.Rules != len(all.Rules) || x.Must > x.Rules || x.Relay > x.Must ||
			x.Untestable+x.Watched > x.Relay || x.Fault > x.Watched || x.Fault == 0 || x.Caught > x.Fault ||
			(x.Paragraphs > 0) != (d <= wire.Draft19) {
			t.Errorf("%s: %+v of %d rules", d, x, len(all.Rules))
		}
		watched := 0
		for _, r := range all.Rules {
			if r.Level == rules.Must && r.Relay && r.Drafts[0].Watched {
				watched++
			}
		}
		left := ListRules(RuleQuery{Drafts: []wire.Draft{d}, Relay: true, Unwatched: true})
		must := slices.DeleteFunc(left.Rules, func(r WatchedRule) bool { return r.Level != rules.Must })
		if watched != x.Watched || len(must) != x.Relay-x.Untestable-x.Watched || left.Totals[0] != x {
			t.Errorf("%s: %d watched, %d left; totals %+v", d, watched, len(must), x)
		}
		for _, r := range must {
			if !r.Relay || len(r.Drafts[0].Cases) > 0 || r.Why != "" {
				t.Errorf("%s is no rule that binds a relay and is unwatched: %+v", r.ID, r)
			}
		}
	}
}

// Each rule that is unwatched on one of its drafts says why, and no other rule does.
func TestUnwatchedSayWhy(t *testing.T) {
	for _, r := range ListRules(RuleQuery{Drafts: wire.Drafts()}).Rules {
		unwatched := r.Why == "" && slices.ContainsFunc(r.Drafts, func(x RuleInDraft) bool { return !x.Watched })
		if unwatched && !strings.HasSuffix(r.Unwatched, ".") || !unwatched && r.Unwatched != "" {
			t.Errorf("%s is unwatched: %t, and says why: %q", r.ID, unwatched, r.Unwatched)
		}
	}
}

// One rule of each kind: judged by cases, by the codec or the session alone, untestable, unwatched.
func TestListRulesText(t *testing.T) {
	var b bytes.Buffer
	list := ListRules(RuleQuery{Drafts: []wire.Draft{15, 18, 19}})
	if err := list.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nprefix-overlap  MUST; binds publisher\n    A second SUBSCRIBE_NAMESPACE",
		"    draft-15 §9.23: cases namespaces-cancelled, namespace-overlap",
		"    draft-18 §10.18: cases namespaces-cancelled, namespace-overlap",
		"    draft-18 §11.4.4.2: every case, by the codec\n",
		"    draft-15 §12.1: untestable: The limits of a peer",
		"    draft-19 §10.3.1.7: unwatched: A relay that answers each update",
		"    draft-18 §2.5: unwatched: A relay need not read an object again",
		"\ndraft  paragraphs with a MUST  rules  MUST  bind relays  untestable  watched",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	b.Reset()
	if err := list.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back RuleList
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || !cmp.Equal(list, back) {
		t.Errorf("%v\n%s", err, cmp.Diff(list, back))
	}
}

func TestSelectionByRule(t *testing.T) {
	for name, want := range map[string]string{"rule:prefix-overlap": "namespace-overlap",
		"rule:token-c*": "token-cache-overflow"} {
		got, err := Selection{}.Cases([]string{name})
		if err != nil || !slices.Contains(ids(got), want) {
			t.Errorf("%s: %v, %v", name, ids(got), err)
		}
		for _, c := range got {
			if pattern := strings.TrimPrefix(name, "rule:"); !slices.ContainsFunc(c.Rules, func(id rules.ID) bool {
				return glob.Match(pattern, string(id))
			}) {
				t.Errorf("%s: %s judges %v", name, c.ID, c.Rules)
			}
		}
	}
	for name, want := range map[string]string{
		"rule:greese":          `there is no rule "greese": did you mean rule:grease?`,
		"rule:printed-*":       `no case judges the rule "printed-*"`,
		"rule:reset-at-header": `no case judges the rule "reset-at-header"`,
		"!rule:none-*":         `there is no rule "none-*"`,
	} {
		if _, err := (Selection{}).Cases([]string{name}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// Each rule that a case names is one of the table.
func TestCasesNameRules(t *testing.T) {
	for _, c := range cases.All() {
		for _, id := range c.Rules {
			if _, ok := rules.Find(id); !ok {
				t.Errorf("%s names the rule %q", c.ID, id)
			}
		}
	}
}
