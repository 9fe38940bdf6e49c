// Package rules has the drafts' rules that cases judge, as data: each with a name that stays, what it demands in our
// own words, and the sections where each draft has it.
package rules

import (
	"fmt"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// ID is a rule's name. It stays the same from draft to draft.
type ID string

// Rule is one rule.
type Rule struct {
	// ID is its name.
	ID ID
	// Says is what it demands, in one sentence.
	Says string
	// sections has the numbers of the sections, "9.5 10.7", for each of the drafts 14 to 22; "" where a draft does not
	// have the rule. The most specific section stands first.
	sections [wire.Newest - wire.Oldest + 1]string
}

// Sections are the sections where draft d has the rule, without the sign: "9.5". None where d does not have it.
func (r *Rule) Sections(d wire.Draft) []string {
	if !d.Valid() {
		return nil
	}
	return strings.Fields(r.sections[d-wire.Oldest])
}

// All gives every rule, in the order of topics. The caller owns the slice.
func All() []Rule { return append([]Rule(nil), table...) }

// Find gives the rule with a name.
func Find(id ID) (Rule, bool) {
	for _, r := range table {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// Sections are the sections where draft d has any of the rules, in the order of the rules, each once. It panics when
// there is no rule of a name, which is a mistake in the program.
func Sections(d wire.Draft, ids ...ID) []string {
	var all []string
	seen := map[string]bool{}
	for _, id := range ids {
		r, ok := Find(id)
		if !ok {
			panic(fmt.Sprintf("rules: there is no rule %q", id))
		}
		for _, s := range r.Sections(d) {
			if !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
	}
	return all
}

// Cite names the sections of rules with their draft, "draft-16 §9.3, §3.3"; "" when d has none of them.
func Cite(d wire.Draft, ids ...ID) string {
	all := Sections(d, ids...)
	if len(all) == 0 {
		return ""
	}
	return d.String() + " §" + strings.Join(all, ", §")
}
