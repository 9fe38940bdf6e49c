// Package printable makes text that others wrote safe to print: it moves no cursor and turns no line around.
package printable

import (
	"strings"
	"unicode"
)

// OneLine makes one line of a text. Each run of white space and of what cannot be printed (control characters, line
// breaks, marks that turn the direction of text) becomes one space, and what is not UTF-8 the replacement character.
func OneLine(s string) string {
	if isLine(s) {
		return s
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
}

// isLine reports whether a text is one line already, as most are: ASCII that can be printed, with single spaces inside.
func isLine(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && last == ' ' {
			return false
		}
		last = s[i]
	}
	return s == "" || last != ' '
}

// Text puts the replacement character in the place of everything that cannot be printed. Every rune stays one, so
// that the columns of a table stay where they are.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
