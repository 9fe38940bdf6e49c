package matrix

import (
	"errors"
	"fmt"
	"strings"
)

// scope gives the placeholders of a command their values.
type scope struct {
	values map[string]string
	more   map[string]string // as values
	// self stands for {self}, this program; variable gives the variables of our environment, which stand for {NAME}.
	self     string
	variable func(name string) (string, bool)
	// secret gives the variable of {env:NAME}, where secrets are allowed: in an environment, never among arguments.
	secret func(name string) (string, error)
}

// here is the scope of a command that is run.
func here(o *Options, values map[string]string) scope {
	return scope{values: values, self: o.Self, variable: o.variable}
}

// onLine is the scope of a command that is printed as a line for a shell, by line: the line holds on other machines
// too.
func onLine(values map[string]string) scope {
	return scope{values: values, self: mark("self"),
		variable: func(name string) (string, bool) { return mark("$" + name), true }}
}

// mark is a part of a word that line writes in a way of its own. No word of a command has a NUL.
func mark(name string) string { return "\x00" + name + "\x00" }

// value gives what a placeholder stands for; known is false for braces of the command's own, as in JSON.
func (s scope) value(name string) (value string, known bool, err error) {
	if value, known = s.values[name]; known {
		return value, true, nil
	}
	if value, known = s.more[name]; known {
		return value, true, nil
	}
	const lower, upper = "abcdefghijklmnopqrstuvwxyz-", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	switch {
	case strings.HasPrefix(name, "env:"):
		if s.secret == nil {
			return "", false, fmt.Errorf("{%s} among arguments would be in every list of processes: put it into env",
				name)
		}
		value, err := s.secret(strings.TrimPrefix(name, "env:"))
		return value, true, err
	case name == "self":
		return s.self, true, nil
	case name != "" && strings.Trim(name, lower) == "":
		return "", false, fmt.Errorf("no placeholder is called {%s}", name)
	case name != "" && strings.Trim(name, upper) == "" && strings.Trim(name[:1], "0123456789") != "":
		if value, known = s.variable(name); !known || value == "" {
			return "", false, fmt.Errorf("the variable %s is not set", name)
		}
		return value, true, nil
	}
	return "", false, nil
}

// expand replaces {name} in the words of a command by its value. A word whose values are all empty is dropped, and with
// it the word before, if that is a flag without a placeholder: ["-t", "{case}"] is nothing when no case is named.
func (s scope) expand(words []string) ([]string, error) {
	var out []string
	flag := false // the last word of out is a flag as it stood
	for _, w := range words {
		has, empty, plain := false, true, ""
		rest := w
		for {
			i := strings.IndexByte(rest, '{')
			j := strings.IndexByte(rest[max(i, 0):], '}') + max(i, 0)
			if i < 0 || j < i {
				plain += rest
				break
			}
			value, known, err := s.value(rest[i+1 : j])
			if err != nil {
				return nil, fmt.Errorf("%q: %w", w, err)
			}
			if !known {
				plain += rest[:j+1]
				rest = rest[j+1:]
				continue
			}
			has, empty = true, empty && value == ""
			plain += rest[:i] + value
			rest = rest[j+1:]
		}
		if has && empty {
			if flag {
				out = out[:len(out)-1]
			}
			flag = false
			continue
		}
		flag = !has && strings.HasPrefix(w, "-")
		out = append(out, plain)
	}
	if len(out) == 0 {
		return nil, errors.New("the command is empty")
	}
	return out, nil
}

// quote makes a line that a POSIX shell reads back as the words.
func quote(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w
		if w == "" ||
			strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-") != "" {
			out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}

// line is quote for words that may have marks: program is how this program is called.
func line(words, program []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		parts := strings.Split(w, "\x00")
		if len(parts) == 1 {
			out[i] = quote(parts)
			continue
		}
		for j, part := range parts {
			switch {
			case part == "":
			case j%2 == 0:
				out[i] += quote([]string{part})
			case part == "self":
				out[i] += quote(program)
			default:
				out[i] += `"` + part + `"`
			}
		}
	}
	return strings.Join(out, " ")
}
