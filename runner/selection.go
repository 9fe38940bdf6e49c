package runner

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner/glob"
)

// UnknownCaseError says that no case has this name. The exit code of a run that asks for it is ExitUnsupported.
type UnknownCaseError struct {
	// Name is what was asked for, as it was written. Near are the names that may have been meant, the closest first.
	Name string
	Near []string
	// Draft is the draft whose sections were searched.
	Draft wire.Draft
}

// Error implements error.
func (e *UnknownCaseError) Error() string {
	name := strings.TrimPrefix(e.Name, exclusion)
	text := fmt.Sprintf("unknown case %q", name)
	if tag, ok := strings.CutPrefix(name, tagPrefix); ok {
		text = fmt.Sprintf("no case has the tag %q", tag)
	} else if section, ok := strings.CutPrefix(name, sectionPrefix); ok {
		text = fmt.Sprintf("no case is about section %q of %s", section, e.Draft)
	} else if rule, ok := strings.CutPrefix(name, rulePrefix); ok {
		text = fmt.Sprintf("there is no rule %q", rule)
		if slices.ContainsFunc(RuleNames(), func(id string) bool { return glob.Match(rule, id) }) {
			text = fmt.Sprintf("no case judges the rule %q", rule)
		}
	} else if glob.Is(name) {
		text = fmt.Sprintf("no case matches %q", name)
	}
	if len(e.Near) > 0 {
		text += ": did you mean " + strings.Join(e.Near, " or ") + "?"
	}
	return text
}

// ErrNoCaseLeft says that the names exclude every case.
var ErrNoCaseLeft = errors.New("every case that is named is excluded too")

// What a name of cases may begin with.
const (
	exclusion     = "!"
	tagPrefix     = "tag:"
	sectionPrefix = "section:"
	rulePrefix    = "rule:"
)

// Selection finds the cases that names stand for.
type Selection struct {
	// Suite is the suite that names beginning with "!" exclude from; empty is the standard suite.
	Suite string
	// Draft is the draft whose sections "section:" names; zero is the newest.
	Draft wire.Draft
}

// Cases finds cases of any suite by identifier or alias, by pattern ("fetch-*"), by tag ("tag:data"), by a rule that
// they judge ("rule:upstream", or a pattern of names), or by section of the draft ("section:11.3", which includes
// 11.3.2). They come in the order of the names and, for a name that stands
// for several, in the order of the list; each once. A name after "!" excludes its cases, wherever it stands; if all
// names do, they exclude from the suite. An error is an *UnknownCaseError or ErrNoCaseLeft.
func (s Selection) Cases(names []string) ([]cases.Case, error) {
	s.Draft = cmp.Or(s.Draft, wire.Newest)
	var out, not []cases.Case
	for _, name := range names {
		positive, excluded := strings.CutPrefix(name, exclusion)
		found := s.named(positive)
		if len(found) == 0 {
			return nil, &UnknownCaseError{Name: name, Near: s.near(positive), Draft: s.Draft}
		}
		if excluded {
			not = append(not, found...)
		} else {
			out = append(out, found...)
		}
	}
	if out == nil {
		out = cases.Suite(cmp.Or(s.Suite, cases.SuiteStandard))
	}
	var kept []cases.Case
	for _, c := range out {
		same := func(o cases.Case) bool { return o.ID == c.ID }
		if !slices.ContainsFunc(kept, same) && !slices.ContainsFunc(not, same) {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 {
		return nil, ErrNoCaseLeft
	}
	return kept, nil
}

// named finds the cases that one name stands for.
func (s Selection) named(name string) []cases.Case {
	which := func(want func(c cases.Case) bool) []cases.Case {
		return slices.DeleteFunc(cases.Everything(), func(c cases.Case) bool { return !want(c) })
	}
	if tag, ok := strings.CutPrefix(name, tagPrefix); ok {
		return which(func(c cases.Case) bool { return slices.Contains(c.Tags, tag) })
	}
	if section, ok := strings.CutPrefix(name, sectionPrefix); ok {
		section = strings.TrimPrefix(section, "§")
		return which(func(c cases.Case) bool {
			return c.Applies(s.Draft) && slices.ContainsFunc(sections(c, s.Draft), func(have string) bool {
				return have == section || strings.HasPrefix(have, section+".")
			})
		})
	}
	if rule, ok := strings.CutPrefix(name, rulePrefix); ok {
		return which(func(c cases.Case) bool {
			return slices.ContainsFunc(c.Rules, func(id rules.ID) bool { return glob.Match(rule, string(id)) })
		})
	}
	if glob.Is(name) {
		matches := func(id string) bool { return glob.Match(name, id) }
		return which(func(c cases.Case) bool { return matches(c.ID) || slices.ContainsFunc(c.Aliases, matches) })
	}
	if c, ok := cases.Find(name); ok {
		return []cases.Case{c}
	}
	return nil
}

// sections are the numbers of the sections that a case is about: "9.3".
func sections(c cases.Case, d wire.Draft) (numbers []string) {
	for _, word := range strings.Fields(c.Sections(d)) {
		if number, ok := strings.CutPrefix(strings.TrimSuffix(word, ","), "§"); ok {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// near are names that may have been meant.
func (s Selection) near(name string) []string {
	if tag, ok := strings.CutPrefix(name, tagPrefix); ok {
		var near []string
		for _, t := range Nearest(tag, Tags()) {
			near = append(near, tagPrefix+t)
		}
		return near
	}
	if rule, ok := strings.CutPrefix(name, rulePrefix); ok {
		if _, ok := rules.Find(rules.ID(rule)); ok {
			return nil // the rule is meant; no case judges it
		}
		var near []string
		for _, id := range Nearest(rule, RuleNames()) {
			near = append(near, rulePrefix+id)
		}
		return near
	}
	if strings.HasPrefix(name, sectionPrefix) || glob.Is(name) {
		return nil
	}
	return Nearest(name, CaseNames())
}

// CaseNames are all identifiers and aliases.
func CaseNames() (names []string) {
	for _, c := range cases.Everything() {
		names = append(append(names, c.ID), c.Aliases...)
	}
	return names
}

// RuleNames are the names of all rules.
func RuleNames() (names []string) {
	for _, r := range rules.All() {
		names = append(names, string(r.ID))
	}
	return names
}

// Tags are all tags of cases, sorted.
func Tags() (all []string) {
	for _, c := range cases.Everything() {
		all = append(all, c.Tags...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
