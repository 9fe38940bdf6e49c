// Package glob matches names against shell patterns, whatever the case of letters: cases, clients, relays, drafts.
package glob

import (
	"path"
	"strings"
)

// Is reports whether a name is a pattern: it has one of the characters *, ? and [.
func Is(name string) bool { return strings.ContainsAny(name, "*?[") }

// Check reports what is wrong with a pattern, path.ErrBadPattern, or nil.
func Check(pattern string) error {
	_, err := path.Match(pattern, "")
	return err
}

// Match reports whether a name matches a pattern of package path. A pattern that Check refuses matches nothing.
func Match(pattern, name string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
	return ok && err == nil
}
