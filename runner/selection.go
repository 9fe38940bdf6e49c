package runner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/runner/glob"
)

// UnknownCaseError says that there is no case of a name; the exit code of a run that asks for it is ExitUnsupported.
type UnknownCaseError struct {
	// Name is what was asked for: a name, a pattern or "tag:" and a tag. Near are the names that may have been meant,
	// best first.
	Name string
	Near []string
}

// Error implements error.
func (e *UnknownCaseError) Error() string {
	text := fmt.Sprintf("unknown case %q", e.Name)
	switch {
	case strings.HasPrefix(e.Name, tagPrefix):
		text = fmt.Sprintf("no case has the tag %q", strings.TrimPrefix(e.Name, tagPrefix))
	case glob.Is(e.Name):
		text = fmt.Sprintf("no case matches %q", e.Name)
	}
	if len(e.Near) > 0 {
		text += ": did you mean " + strings.Join(e.Near, " or ") + "?"
	}
	return text
}

// tagPrefix stands before a tag where a case may be named.
const tagPrefix = "tag:"

// SelectCases finds cases of any suite: by identifier or alias, by pattern ("fetch-*") or by tag ("tag:data"), in the
// order of names and, where one names several, of the list; each once. The error is an *UnknownCaseError.
func SelectCases(names []string) ([]cases.Case, error) {
	var out []cases.Case
	for _, name := range names {
		found := casesNamed(name)
		if len(found) == 0 {
			return nil, &UnknownCaseError{Name: name, Near: nearCases(name)}
		}
		for _, c := range found {
			if !slices.ContainsFunc(out, func(o cases.Case) bool { return o.ID == c.ID }) {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// casesNamed finds the cases that one name stands for.
func casesNamed(name string) []cases.Case {
	tag, byTag := strings.CutPrefix(name, tagPrefix)
	matches := func(id string) bool { return glob.Match(name, id) }
	switch {
	case byTag:
		return slices.DeleteFunc(cases.All(), func(c cases.Case) bool { return !slices.Contains(c.Tags, tag) })
	case glob.Is(name):
		return slices.DeleteFunc(cases.All(), func(c cases.Case) bool {
			return !matches(c.ID) &&
				!slices.ContainsFunc(c.Aliases, matches)
		})
	}
	if c, ok := cases.Find(name); ok {
		return []cases.Case{c}
	}
	return nil
}

// nearCases are names that may have been meant.
func nearCases(name string) []string {
	tag, byTag := strings.CutPrefix(name, tagPrefix)
	switch {
	case byTag:
		var near []string
		for _, t := range Nearest(tag, tags()) {
			near = append(near, tagPrefix+t)
		}
		return near
	case glob.Is(name):
		return nil
	}
	return Nearest(name, caseNames())
}

// caseNames are all identifiers and aliases.
func caseNames() (names []string) {
	for _, c := range cases.All() {
		names = append(append(names, c.ID), c.Aliases...)
	}
	return names
}

// tags are all tags, sorted.
func tags() (all []string) {
	for _, c := range cases.All() {
		all = append(all, c.Tags...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
