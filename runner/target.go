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
	// Embedded is true for "embedded", the reference relay in this process, with Faults and Quirks switched on.
	Embedded       bool
	Faults, Quirks []string
}

// embedded is the name of the reference relay where a URL is wanted.
const embedded = "embedded"

// ParseTarget reads a relay URL, "embedded", or "embedded?fault=NAME&quirk=NAME", each as often as wanted. faults and
// quirks are the names of all there are.
func ParseTarget(name string, faults, quirks []string) (Target, error) {
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
		switch key {
		case "fault":
			t.Faults = names
		case "quirk":
			t.Quirks = names
		default:
			return t, fmt.Errorf("relay %q: unknown option %q, want fault=NAME or quirk=NAME", name, key)
		}
	}
	if err := CheckNames("fault", t.Faults, faults); err != nil {
		return t, err
	}
	return t, CheckNames("quirk", t.Quirks, quirks)
}

// CheckNames gives an error for the first name that is not a known fault, or quirk; what says which. It proposes names
// that may have been meant.
func CheckNames(what string, names, known []string) error {
	for _, n := range names {
		if !slices.Contains(known, n) {
			return fmt.Errorf("unknown %s %q%s (--list-faults lists them)", what, n, meant(n, known))
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
