package report

import (
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// RuleState says what a run has seen of a rule at a relay.
type RuleState string

// The states.
const (
	// Kept: a case that judges the rule has passed, and none has failed.
	Kept RuleState = "kept"
	// Broken: a case that judges the rule has failed. A case may judge several; its message says which was broken.
	RuleBroken RuleState = "broken"
	// NotTried: no case that judges the rule came to a verdict.
	NotTried RuleState = "not tried"
)

// RelayRules is what a run has seen of the rules that bind a relay: by relay and draft.
type RelayRules struct {
	Relay  string       `json:"relay"`
	Drafts []DraftRules `json:"drafts"`
	// Page is the page with all of it, beside index.html.
	Page string `json:"-"`
}

// On is what was seen on a draft; nil when nothing was.
func (r RelayRules) On(draft string) *DraftRules {
	if i := slices.IndexFunc(r.Drafts, func(d DraftRules) bool { return d.Draft == draft }); i >= 0 {
		return &r.Drafts[i]
	}
	return nil
}

// DraftRules is what was seen on one draft.
type DraftRules struct {
	Draft    string      `json:"draft"`
	Kept     int         `json:"kept"`
	Broken   int         `json:"broken"`
	NotTried int         `json:"not_tried"`
	Rules    []RuleFound `json:"rules"`
}

// RuleFound is what was seen of one rule.
type RuleFound struct {
	ID       rules.ID    `json:"id"`
	Says     string      `json:"says"`
	Level    rules.Level `json:"level"`
	Sections string      `json:"sections"`
	State    RuleState   `json:"state"`
	// Passed and Failed are the cases that judge the rule and did so; Untested those that came to no verdict. A rule
	// that the codec or the session judges in every case has none.
	Passed   []string `json:"passed,omitempty"`
	Failed   []string `json:"failed,omitempty"`
	Untested []string `json:"untested,omitempty"`
}

// Rules tells for each relay of a run and each draft which rules were kept, broken and not tried: of those that bind a
// relay and that a peer can see. Only results of clients that say which rules they judge count.
func Rules(run *matrix.Run) []RelayRules { return newView(run, nil).rules() }

// WriteRules writes them as JSON.
func WriteRules(w io.Writer, run *matrix.Run) error { return newView(run, nil).writeRulesJSON(w) }

func (v *view) writeRulesJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(struct {
		Run    string       `json:"run"`
		Relays []RelayRules `json:"relays"`
	}{v.run.ID, v.rules()})
}

// verdicts are how the cases of a relay and draft ended, by name.
type verdicts map[string]struct{ passed, failed, todo bool }

// rules is worked out once for all forms of a report.
func (v *view) rules() []RelayRules {
	if v.ruled != nil {
		return v.ruled
	}
	v.ruled = []RelayRules{}
	seen := v.verdicts()
	for i, relay := range v.relays {
		r := RelayRules{Relay: relay, Page: RulesFolder + "/" + strconv.Itoa(i) + "-" + slug(relay) + ".html"}
		for _, d := range v.drafts {
			number, err := strconv.Atoi(strings.TrimPrefix(d, "draft-"))
			if all := seen[[2]string{relay, d}]; err == nil && len(all) > 0 {
				r.Drafts = append(r.Drafts, rulesOf(wire.Draft(number), all))
			}
		}
		if len(r.Drafts) > 0 {
			v.ruled = append(v.ruled, r)
		}
	}
	return v.ruled
}

// verdicts collects the results of clients that say what they judge, by relay and draft. A failure below the session is
// none of a rule.
func (v *view) verdicts() map[[2]string]verdicts {
	all := make(map[[2]string]verdicts)
	says := v.saysRules()
	for i := range v.cells {
		c := &v.cells[i]
		if c.Status == matrix.Stale || !says[c.Client] {
			continue
		}
		key := [2]string{c.Relay, c.draft}
		if all[key] == nil {
			all[key] = verdicts{}
		}
		for j := range c.Cases {
			k := &c.Cases[j]
			s := all[key][k.Name]
			s.passed = s.passed || k.Status == matrix.Pass
			s.todo = s.todo || k.Status == matrix.Todo
			s.failed = s.failed || k.Status == matrix.Fail && judged(k.Layer)
			all[key][k.Name] = s
		}
	}
	return all
}

// saysRules gives the clients that say what they judge: the one that is built in, and those that name the sections of
// something broken. Only that is kept of a result. What another client's cases judge is not known, whatever they are
// called.
func (v *view) saysRules() map[string]bool {
	says := map[string]bool{matrix.BuiltinName: true}
	for i := range v.cells {
		for j := range v.cells[i].Cases {
			if v.cells[i].Cases[j].Sections != "" {
				says[v.cells[i].Client] = true
			}
		}
	}
	return says
}

// judged reports whether a failure in a layer can be a breach of the draft.
func judged(name string) bool {
	return slices.Contains([]string{string(transport.LayerSetup), string(transport.LayerRequest),
		string(transport.LayerData)}, name)
}

// boundRule is a rule that binds a relay in a draft, with what is the same for every relay.
type boundRule struct {
	rules.Rule
	sections string
	watching []string // the cases that judge it
}

// bounds has the rules of each draft that was asked for: a page of many relays asks for them thousands of times.
var bounds sync.Map // of wire.Draft to []boundRule

// bound gives the rules that bind a relay in a draft and that a peer can see, and those that a case breaks to see what
// the relay does. The caller must not change them.
func bound(d wire.Draft) []boundRule {
	if list, ok := bounds.Load(d); ok {
		return list.([]boundRule)
	}
	watching := make(map[rules.ID][]string)
	for _, c := range cases.Everything() {
		if !c.Applies(d) {
			continue
		}
		for _, id := range c.Rules {
			watching[id] = append(watching[id], c.ID)
		}
	}
	var list []boundRule
	for _, r := range rules.All() {
		sections, cases := r.Sections(int(d)), watching[r.ID]
		if len(sections) == 0 || r.By == 0 || !r.Binds.Relay() && len(cases) == 0 {
			continue
		}
		list = append(list, boundRule{Rule: r, sections: "§" + strings.Join(sections, ", §"), watching: cases})
	}
	bounds.Store(d, list)
	return list
}

// rulesOf judges the rules of a draft by how cases ended.
func rulesOf(d wire.Draft, seen verdicts) DraftRules {
	out := DraftRules{Draft: d.String()}
	anyPassed, anyFailed := false, false
	for _, s := range seen {
		anyPassed, anyFailed = anyPassed || s.passed, anyFailed || s.failed
	}
	for _, r := range bound(d) {
		f := RuleFound{ID: r.ID, Says: r.Says, Level: r.Level, Sections: r.sections, State: NotTried}
		watching := r.watching
		for _, id := range watching {
			switch s := seen[id]; {
			case s.failed, s.todo && r.Level == rules.Should:
				f.Failed = append(f.Failed, id)
			case s.passed, s.todo:
				f.Passed = append(f.Passed, id)
			default:
				f.Untested = append(f.Untested, id)
			}
		}
		switch {
		case len(f.Failed) > 0:
			f.State = RuleBroken
			out.Broken++
		case len(f.Passed) > 0, r.By&rules.Cases == 0 && len(watching) == 0 && anyPassed && !anyFailed:
			f.State = Kept
			out.Kept++
		default:
			out.NotTried++
		}
		out.Rules = append(out.Rules, f)
	}
	order := []RuleState{RuleBroken, NotTried, Kept}
	slices.SortStableFunc(out.Rules, func(a, b RuleFound) int {
		return slices.Index(order, a.State) - slices.Index(order, b.State)
	})
	return out
}
