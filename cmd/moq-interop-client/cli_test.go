package main

import (
	"reflect"
	"strings"
	"testing"
)

// TestGrammar: each command is worked out alone, and all of them where an argument may be about any.
func TestGrammar(t *testing.T) {
	all := reflect.TypeFor[cli]()
	for i := range all.NumField() {
		name := strings.ToLower(all.Field(i).Name)
		got := reflect.TypeOf(grammar([]string{name, "x"})).Elem()
		if alone := got.NumField() == 1 && got.Field(0).Name == all.Field(i).Name; alone == (name == "complete") {
			t.Errorf("%s: %s", name, got)
		}
	}
	got := reflect.TypeOf(grammar([]string{"-r", "embedded", "-v"})).Elem()
	if got.Field(0).Name != "Test" || got == all {
		t.Errorf("flags of a test: %s", got)
	}
	for _, args := range [][]string{nil, {"-h"}, {"--help"}, {"-vh"}, {"-d", "18", "serve"}, {"-v", "--", "serve"},
		{"test", "--help"}, {"servve"}, {"complete", "ser"}} {
		if got := reflect.TypeOf(grammar(args)).Elem(); got != all {
			t.Errorf("%q: %s, want all commands", args, got)
		}
	}
}
