package runner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
)

// UnknownCaseError says that there is no case of a name; the exit code of a run that asks for it is ExitUnsupported.
type UnknownCaseError struct {
	// Name is what was asked for, Near the names that may have been meant, best first.
	Name string
	Near []string
}

// Error implements error.
func (e *UnknownCaseError) Error() string {
	text := fmt.Sprintf("unknown case %q", e.Name)
	if len(e.Near) > 0 {
		text += ": did you mean " + strings.Join(e.Near, " or ") + "?"
	}
	return text
}

// SelectCases finds cases of any suite by identifier or alias, in the order of names and each once. The error is an *UnknownCaseError.
func SelectCases(names []string) ([]cases.Case, error) {
	var out []cases.Case
	for _, name := range names {
		c, ok := cases.Find(name)
		if !ok {
			return nil, &UnknownCaseError{Name: name, Near: Nearest(name, caseNames())}
		}
		if !slices.ContainsFunc(out, func(o cases.Case) bool { return o.ID == c.ID }) {
			out = append(out, c)
		}
	}
	return out, nil
}

// caseNames are all identifiers and aliases.
func caseNames() (names []string) {
	for _, c := range cases.All() {
		names = append(append(names, c.ID), c.Aliases...)
	}
	return names
}
