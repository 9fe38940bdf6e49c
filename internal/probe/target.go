package probe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// Target is one endpoint to probe.
type Target struct {
	runner.Target
	// Relay is the implementation's name in the catalogue; "" for a bare URL.
	Relay string
	// Transports are those that the endpoint is for, transport.OnlyQUIC or transport.OnlyWebTransport. None leaves it
	// to the URL: WebTransport for https://; for moqt:// raw QUIC, and WebTransport with the drafts for which the URI
	// names both (draft-18 §3.1.3), unless another target has that host and port over https://; both for the embedded
	// relay.
	Transports []transport.Choice
	// Claimed are the drafts that the catalogue claims, as it writes them.
	Claimed []relays.Draft
	// TLSDisableVerify accepts any certificate.
	TLSDisableVerify bool
	// Tolerate are deviations to let pass.
	Tolerate wire.Tolerance
}

// firstInURI is the draft from which on a moqt:// URI names the resource for both transports (draft-18 §3.1.3).
const firstInURI = wire.Draft18

// ParseTarget reads a relay URL, "embedded" or "embedded?fault=NAME".
func ParseTarget(name string) (Target, error) {
	var faults []string
	for _, f := range reference.Faults() {
		faults = append(faults, f.Name)
	}
	t, err := runner.ParseTarget(name, faults)
	return Target{Target: t}, err
}

// FromFiles reads targets from files in any form that package relays knows: a catalogue, one of the public formats, or
// a list of URLs; "default" is the built-in catalogue. Later files go over earlier ones, as relays.Open has it. leftOut
// says for a person what was not taken, and why. See FromCatalogue.
func FromFiles(inactive bool, names ...string) (targets []Target, leftOut []string, err error) {
	if len(names) == 0 {
		return nil, nil, nil
	}
	c, reports, err := relays.Open(names...)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range reports {
		for _, f := range r.Lost() {
			leftOut = append(leftOut, f.Error())
		}
	}
	targets, more, err := FromCatalogue(c, inactive)
	return targets, append(leftOut, more...), err
}

// FromCatalogue takes the endpoints of the relays in a catalogue, inactive ones only when asked to. leftOut says what
// was not taken, and why.
func FromCatalogue(c *relays.Catalogue, inactive bool) (targets []Target, leftOut []string, err error) {
	for _, im := range c.Implementations {
		for _, e := range im.Endpoints {
			if e.Role != relays.RoleRelay && e.Role != "" {
				continue
			}
			if e.Status == relays.Inactive && !inactive {
				leftOut = append(leftOut, fmt.Sprintf("%s %s: inactive", im.Name, e.URL))
				continue
			}
			t, err := ParseTarget(string(e.URL))
			if err != nil {
				return nil, leftOut, fmt.Errorf("%s: %w", im.Name, err)
			}
			t.Relay, t.Claimed, t.TLSDisableVerify = string(im.Name), im.DraftsAt(e), e.TLSDisableVerify
			if e.Transport != transport.Auto && e.Transport != "" {
				t.Transports = []transport.Choice{e.Transport}
			}
			for _, name := range im.TolerancesAt(e) {
				if bit, err := wire.ParseTolerance(string(name)); err == nil { // others are for test cases
					t.Tolerate |= bit
				}
			}
			targets = append(targets, t)
		}
	}
	return targets, leftOut, nil
}

// label is the endpoint for people: host and port, and the path where it tells endpoints apart.
func (t Target) label() string {
	if t.Embedded {
		return t.Name
	}
	if t.URL.Path == "/" {
		return t.URL.Addr()
	}
	return t.URL.Addr() + t.URL.Path
}

// address is what connections are bounded by.
func (t Target) address() string {
	if t.Embedded {
		return t.Name
	}
	return strings.ToLower(t.URL.Addr())
}

// way is a transport and the drafts to try over it.
type way struct {
	transport transport.Choice
	drafts    []wire.Draft
}

// ways are what to try at a target; others are all targets.
func (o Options) ways(t Target, others []Target) (ways []way) {
	add := func(c transport.Choice, drafts []wire.Draft) {
		if len(drafts) > 0 {
			ways = append(ways, way{c, drafts})
		}
	}
	both := []transport.Choice{transport.OnlyQUIC, transport.OnlyWebTransport}
	choices := t.Transports
	switch {
	case len(choices) == 0 && len(o.Transports) > 0:
		choices = o.Transports
	case len(choices) == 0 && t.Embedded:
		choices = both
	case len(choices) == 0 && t.URL.Scheme == "https":
		choices = both[1:]
	case len(choices) == 0:
		add(transport.OnlyQUIC, o.Drafts)
		if !slices.ContainsFunc(others, func(x Target) bool {
			return x.URL.Scheme == "https" &&
				x.address() == t.address()
		}) {
			late := slices.DeleteFunc(slices.Clone(o.Drafts), func(d wire.Draft) bool { return d < firstInURI })
			add(transport.OnlyWebTransport, late)
		}
		return ways
	}
	for _, c := range both {
		if slices.Contains(choices, c) && (len(o.Transports) == 0 || slices.Contains(o.Transports, c)) {
			add(c, o.Drafts)
		}
	}
	return ways
}
