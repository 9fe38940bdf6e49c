package glob_test

import (
	"testing"

	"github.com/moqinterop/moq-interop-client/runner/glob"
)

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		is, match     bool
	}{
		{"fetch", "fetch", false, true},
		{"Fetch", "fETCH", false, true},
		{"fetch-*", "fetch-range", true, true},
		{"fetch-*", "fetch", true, false},
		{"f?tch", "fetch", true, true},
		{"[ef]*", "fetch", true, true},
		{"a*", "a/b", true, false}, // a pattern does not reach past a slash
	} {
		if glob.Is(c.pattern) != c.is || glob.Match(c.pattern, c.name) != c.match || glob.Check(c.pattern) != nil {
			t.Errorf("%q with %q: pattern %t, match %t, check %v", c.pattern, c.name, glob.Is(c.pattern),
				glob.Match(c.pattern, c.name), glob.Check(c.pattern))
		}
	}
	if glob.Check("[a") == nil || glob.Match("[a", "[a") {
		t.Error("a pattern that does not end is taken")
	}
}
