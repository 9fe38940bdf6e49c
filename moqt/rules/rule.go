// Package rules has the drafts' rules as data: each with a name that stays from draft to draft, what it demands in our
// own words, whom it binds, the sections where each draft has it, and how a breach is seen.
//
// It is below package wire, so that the codec, the session and the cases can name a rule alike. All functions are
// safe for concurrent use.
package rules

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Draft is a draft's number, 14 to 22, of whichever type.
type Draft interface{ ~int | ~uint8 }

// ID is a rule's name. It stays the same from draft to draft.
type ID string

// Level is how strongly a rule binds.
type Level string

// The levels of a rule, with their opposites: MUST is MUST NOT too.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
	May    Level = "MAY"
)

// Rule is one rule.
type Rule struct {
	// ID is its name.
	ID ID
	// Says is what it demands, in one sentence.
	Says string
	// Binds is who has to keep it; one or more.
	Binds Party
	// Level is how strongly it binds. A rule that is weaker in older drafts has the level of the newest that has it.
	Level Level
	// By is what sees a breach; zero when nothing can, and Why says the reason.
	By Judge
	// Why is the reason why no peer can see from outside whether the rule is kept; "" unless By is zero.
	Why string
	// Unwatched is the reason why no case judges the rule, on those of its drafts where none does; "" where a case
	// does on all.
	Unwatched string
	// In is where the drafts have it: "14-16 9.3/1,2 3.3; 17 9.4". Drafts come first, then sections, the most specific
	// first. The numbers behind the slash count the paragraphs of the section that have a MUST: those are the ones
	// that the rule stands for. A draft without the rule is left out.
	In string
}

// Place is a section of a draft, with the paragraphs of it that a rule stands for.
type Place struct {
	// Section is its number, without the sign: "9.5".
	Section string
	// Paragraphs are ordinals, from 1, among the paragraphs and list items of the section that have a MUST. None when
	// the rule only cites the section.
	Paragraphs []int
}

// Sections are the sections where a draft has the rule, without the sign: "9.5". None where it does not have it.
func (r *Rule) Sections(draft int) []string {
	words := r.places(draft)
	for i, w := range words {
		words[i], _, _ = strings.Cut(w, "/")
	}
	return words
}

// Places are the sections where a draft has the rule, with their paragraphs.
func (r *Rule) Places(draft int) []Place {
	var all []Place
	for _, w := range r.places(draft) {
		section, numbers, _ := strings.Cut(w, "/")
		p := Place{Section: section}
		for n := range strings.SplitSeq(numbers, ",") {
			if i := 0; n != "" {
				fmt.Sscan(n, &i)
				p.Paragraphs = append(p.Paragraphs, i)
			}
		}
		all = append(all, p)
	}
	return all
}

// places are the words of In behind a draft.
func (r *Rule) places(draft int) []string {
	for part := range strings.SplitSeq(r.In, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		if first, last := span(words[0]); first <= draft && draft <= last {
			return words[1:]
		}
	}
	return nil
}

// span reads "14" or "14-16".
func span(s string) (first, last int) {
	a, b, ok := strings.Cut(s, "-")
	fmt.Sscan(a, &first)
	if !ok {
		return first, first
	}
	fmt.Sscan(b, &last)
	return first, last
}

// table is every rule, in the order of topics, and the place of each in it.
var table = sync.OnceValues(func() ([]Rule, map[ID]int) {
	all := slices.Concat(sessions, tokens, encodings, names, requests, namespaces, publishing, subscriptions, objects,
		streams, properties, delivery, fetches)
	at := make(map[ID]int, len(all))
	for i, r := range all {
		at[r.ID] = i
	}
	return all, at
})

// All gives every rule, in the order of topics. The caller owns the slice.
func All() []Rule {
	all, _ := table()
	return slices.Clone(all)
}

// Find gives the rule with a name.
func Find(id ID) (Rule, bool) {
	all, at := table()
	if i, ok := at[id]; ok {
		return all[i], true
	}
	return Rule{}, false
}

// Sections are the sections where a draft has any of the rules, in the order of the rules, each once. It panics when
// there is no rule of a name, which is a mistake in the program.
func Sections[D Draft](draft D, ids ...ID) []string {
	var all []string
	for _, id := range ids {
		r, ok := Find(id)
		if !ok {
			panic(fmt.Sprintf("rules: there is no rule %q", id))
		}
		for _, s := range r.Sections(int(draft)) {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// Section is the most specific section where a draft has a rule, with the sign: "§9.5"; "" where it does not have it,
// and when there is no rule of the name.
func Section[D Draft](draft D, id ID) string {
	r, _ := Find(id)
	if all := r.Sections(int(draft)); len(all) > 0 {
		return "§" + all[0]
	}
	return ""
}

// Cite names the sections of rules with their draft, "draft-16 §9.3, §3.3"; "" when the draft has none of them.
func Cite[D Draft](draft D, ids ...ID) string {
	all := Sections(draft, ids...)
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf("draft-%d §%s", draft, strings.Join(all, ", §"))
}
