package runner

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Target is the relay that a run tests.
type Target struct {
	// Name is the relay as the user named it.
	Name string
	// URL is the relay's URL; zero for the embedded relay, which has none before it is started.
	URL transport.URL
	// Embedded is true for "embedded", the reference relay in this process, with Faults switched on.
	Embedded bool
	Faults   []string
}

// embedded is the name of the reference relay where a URL is wanted.
const embedded = "embedded"

// ParseTarget reads a relay URL, "embedded", or "embedded?fault=NAME&fault=NAME". known are the names of all faults.
func ParseTarget(name string, known []string) (Target, error) {
	t := Target{Name: name}
	base, query, _ := strings.Cut(name, "?")
	if base != embedded {
		var err error
		if t.URL, err = transport.ParseURL(name); err != nil && !strings.Contains(name, "://") {
			err = fmt.Errorf("relay URL %q: want https://host:port/path, moqt://host:port/path or %s", name, embedded)
		}
		return t, err
	}
	t.Embedded = true
	values, err := url.ParseQuery(query)
	if err != nil {
		return t, fmt.Errorf("relay %q: %w", name, err)
	}
	for key, names := range values {
		if key != "fault" {
			return t, fmt.Errorf("relay %q: unknown option %q, want fault=NAME", name, key)
		}
		t.Faults = names
	}
	return t, CheckFaults(t.Faults, known)
}

// CheckFaults gives an error for the first name that is not a known fault. It proposes names that may have been meant.
func CheckFaults(names, known []string) error {
	for _, f := range names {
		if !slices.Contains(known, f) {
			return fmt.Errorf("unknown fault %q%s (--list-faults lists them)", f, meant(f, known))
		}
	}
	return nil
}

// meant is ": did you mean x or y?", or nothing.
func meant(name string, known []string) string {
	near := Nearest(name, known)
	if len(near) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(near, " or ") + "?"
}
