package runner

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// RuleQuery says which rules a RuleList has.
type RuleQuery struct {
	// Drafts are those whose rules are wanted; none means the newest.
	Drafts []wire.Draft
	// Relay keeps the rules that bind a relay, Unwatched those of which no breach would be seen.
	Relay, Unwatched bool
}

// RuleList is what is known of the drafts' rules, and which of them are watched.
type RuleList struct {
	Rules  []WatchedRule `json:"rules"`
	Totals []RuleTotals  `json:"totals"`
}

// WatchedRule is one rule, and who watches it.
type WatchedRule struct {
	ID    rules.ID    `json:"id"`
	Says  string      `json:"says"`
	Level rules.Level `json:"level"`
	Binds string      `json:"binds"`
	Relay bool        `json:"binds_relay"`
	// By is what sees a breach: "codec, cases". Why says the reason where nothing can, Unwatched the reason on those of
	// its drafts where no case does.
	By        string        `json:"judged_by,omitempty"`
	Why       string        `json:"untestable,omitempty"`
	Unwatched string        `json:"unwatched,omitempty"`
	Drafts    []RuleInDraft `json:"drafts"`
}

// RuleInDraft is a rule in one draft.
type RuleInDraft struct {
	Draft wire.Draft `json:"draft"`
	// Sections are without the sign. Paragraphs has those that the rule stands for, "9.5/2": the second paragraph or
	// list item of the section that has a MUST.
	Sections   []string `json:"sections"`
	Paragraphs []string `json:"paragraphs,omitempty"`
	// Cases are those that judge the rule, Watched whether a breach would be seen.
	Cases   []string `json:"cases,omitempty"`
	Watched bool     `json:"watched"`
	// Fault is set when one of the cases names a fault of the reference relay that it finds.
	Fault bool `json:"fault"`
	// Caught is set when one was seen to fail under such a fault, when all were walked.
	Caught bool `json:"caught"`
}

// RuleTotals counts the rules of a draft. Levels other than MUST count in Rules alone.
type RuleTotals struct {
	Draft wire.Draft `json:"draft"`
	// Rules is how many there are, Must how many of them are a MUST. Paragraphs is how many paragraphs of the text have
	// a MUST, all of them claimed; 0 where the text was not read paragraph by paragraph.
	Rules      int `json:"rules"`
	Must       int `json:"must"`
	Paragraphs int `json:"paragraphs,omitempty"`
	// Relay is how many of the MUSTs bind a relay. Of these no peer can see Untestable, Watched are watched, and Fault
	// by a case that names a fault; Caught were seen to be broken under one.
	Relay      int `json:"bind_relays"`
	Untestable int `json:"untestable"`
	Watched    int `json:"watched"`
	Fault      int `json:"with_fault"`
	Caught     int `json:"caught"`
}

// ListRules finds rules. The totals are of all rules of the drafts, whichever of them the query keeps.
func ListRules(q RuleQuery) RuleList {
	if len(q.Drafts) == 0 {
		q.Drafts = []wire.Draft{wire.Newest}
	}
	list := RuleList{Rules: []WatchedRule{}}
	for _, d := range q.Drafts {
		list.Totals = append(list.Totals, RuleTotals{Draft: d})
	}
	paragraphs := map[string]bool{}
	for _, r := range rules.All() {
		w := WatchedRule{ID: r.ID, Says: r.Says, Level: r.Level, Binds: r.Binds.String(), Relay: r.Binds.Relay(),
			By: r.By.String(), Why: r.Why, Unwatched: r.Unwatched}
		for i, d := range q.Drafts {
			x, ok := ruleIn(&r, d)
			if !ok {
				continue
			}
			list.Totals[i].count(&w, x)
			for _, p := range x.Paragraphs {
				if at := d.String() + p; !paragraphs[at] {
					paragraphs[at] = true
					list.Totals[i].Paragraphs++
				}
			}
			if !q.Unwatched || !x.Watched && r.Why == "" {
				w.Drafts = append(w.Drafts, x)
			}
		}
		if len(w.Drafts) > 0 && (w.Relay || !q.Relay) {
			list.Rules = append(list.Rules, w)
		}
	}
	return list
}

// ruleIn is a rule in a draft, false where the draft does not have it.
func ruleIn(r *rules.Rule, d wire.Draft) (x RuleInDraft, ok bool) {
	x.Draft = d
	for _, p := range r.Places(int(d)) {
		x.Sections = append(x.Sections, p.Section)
		for _, n := range p.Paragraphs {
			x.Paragraphs = append(x.Paragraphs, fmt.Sprintf("%s/%d", p.Section, n))
		}
	}
	for _, c := range cases.Watching(r.ID, d) {
		x.Cases = append(x.Cases, c.ID)
		x.Fault = x.Fault || slices.ContainsFunc(c.Faults, func(f cases.Fault) bool {
			return !f.Refused && f.Applies(d)
		})
	}
	x.Caught = x.Fault && Caught(r.ID, d)
	x.Watched = len(x.Cases) > 0 || r.By != 0 && r.By&rules.Cases == 0
	return x, len(x.Sections) > 0
}

func (t *RuleTotals) count(w *WatchedRule, x RuleInDraft) {
	t.Rules++
	if w.Level != rules.Must {
		return
	}
	t.Must++
	switch {
	case !w.Relay:
		return
	case w.Why != "":
		t.Untestable++
	case x.Watched:
		t.Watched++
		if x.Fault {
			t.Fault++
		}
		if x.Caught {
			t.Caught++
		}
	}
	t.Relay++
}

// WriteJSON writes the list as one JSON object.
func (l RuleList) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(l)
}

// WriteText writes the list for people: a paragraph for each rule, then the totals.
func (l RuleList) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, r := range l.Rules {
		fmt.Fprintf(&b, "%s  %s; binds %s\n    %s\n", r.ID, r.Level, r.Binds, r.Says)
		for _, x := range r.Drafts {
			fmt.Fprintf(&b, "    %s §%s: %s\n", x.Draft, strings.Join(x.Sections, ", §"), r.judges(x))
		}
	}
	if len(l.Rules) > 0 {
		b.WriteByte('\n')
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "draft\tparagraphs with a MUST\trules\tMUST\tbind relays\tuntestable\twatched\twith a fault\t"+
		"caught")
	for _, x := range l.Totals {
		paragraphs := "-"
		if x.Paragraphs > 0 {
			paragraphs = fmt.Sprint(x.Paragraphs)
		}
		testable := max(1, x.Relay-x.Untestable)
		fmt.Fprintf(t, "%d\t%s\t%d\t%d\t%d\t%d\t%d (%d %%)\t%d\t%d\n", x.Draft, paragraphs, x.Rules, x.Must, x.Relay,
			x.Untestable, x.Watched, 100*x.Watched/testable, x.Fault, x.Caught)
	}
	return t.Flush()
}

// judges says who sees a breach of the rule in a draft.
func (r *WatchedRule) judges(x RuleInDraft) string {
	switch {
	case r.Why != "":
		return "untestable: " + r.Why
	case len(x.Cases) > 0:
		return "cases " + strings.Join(x.Cases, ", ")
	case x.Watched:
		return "every case, by the " + r.By
	}
	return "unwatched: " + r.Unwatched
}
