package main

import (
	"io"
	"os"
	"strings"
)

// setting is the text of one setting, and where it comes from, for messages: "--draft" or "MOQT_DRAFT".
type setting struct {
	text string
	from string
	set  bool // by flag or environment
}

// choose takes the flag, else the first variable that is not empty, else the default.
func (s *system) choose(flag *string, name, fallback string, variables ...string) setting {
	if flag != nil {
		return setting{*flag, name, true}
	}
	for _, v := range variables {
		if text := s.getenv(v); text != "" {
			return setting{text, v, true}
		}
	}
	return setting{fallback, name, false}
}

// fail is the usage error that names the source of a bad value.
func (v setting) fail(err error) error { return usage("%s: %w", v.from, err) }

// chooseList is choose for flags that may be given several times; values are joined by commas.
func (s *system) chooseList(flag []string, name string, variables ...string) setting {
	var joined *string
	if flag != nil {
		text := strings.Join(flag, ",")
		joined = &text
	}
	return s.choose(joined, name, "", variables...)
}

// chooseBool takes the flag, else the variable: 1 or true, 0 or false.
func (s *system) chooseBool(flag *bool, variable string) (bool, error) {
	if flag != nil {
		return *flag, nil
	}
	switch text := s.getenv(variable); strings.ToLower(text) {
	case "1", "true":
		return true, nil
	case "", "0", "false":
		return false, nil
	default:
		return false, usage("%s: %q is neither 1 or true nor 0 or false", variable, text)
	}
}

// names splits at commas; white space around names and empty names do not count.
func (v setting) names() (names []string) {
	for name := range strings.SplitSeq(v.text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// keyLog opens the file for TLS secrets that the flag or SSLKEYLOGFILE names; nil when none is named. It stays open
// until the program ends.
func (s *system) keyLog(flag *string) (io.Writer, error) {
	v := s.choose(flag, "--keylog", "", "SSLKEYLOGFILE")
	if v.text == "" {
		return nil, nil
	}
	f, err := os.OpenFile(v.text, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, v.fail(err)
	}
	return f, nil
}
