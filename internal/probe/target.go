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
	// Transport is the only transport that the endpoint has, transport.OnlyQUIC or transport.OnlyWebTransport. If it is
	// empty the URL decides: WebTransport for https://, raw QUIC for moqt:// and the embedded relay. With
	// transport.Auto, moqt:// also stands for WebTransport in the drafts whose URI names both (draft-18 §3.1.3), unless
	// another target has that host and port with https://; and the embedded relay has both.
	Transport transport.Choice
	// Claimed are the drafts that the catalogue claims, as it writes them.
	Claimed []relays.Draft
	// TLSDisableVerify accepts any certificate.
	TLSDisableVerify bool
	// Tolerate are the deviations to tolerate.
	Tolerate wire.Tolerance
}

// firstInURI is the draft from which on a moqt:// URI names the resource for both transports (draft-18 §3.1.3).
const firstInURI = wire.Draft18

// ParseTarget reads a relay URL, "embedded" or "embedded?fault=NAME&quirk=NAME".
func ParseTarget(name string) (Target, error) {
	t, err := runner.ParseTarget(name, reference.FaultNames(), reference.QuirkNames())
	return Target{Target: t}, err
}

// FromFiles reads targets from files in any form that package relays knows: a catalogue, one of the public formats, or
// a list of URLs; "default" is the built-in catalogue. Later files override earlier ones, as in relays.Open. leftOut
// says for a person what was left out, and why. See FromCatalogue.
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

// FromCatalogue takes the endpoints of the relays in a catalogue, inactive ones only if inactive is set. leftOut says
// what was left out, and why.
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
				t.Transport = e.Transport
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

// address is the host and port by which connections are counted.
func (t Target) address() string {
	if t.Embedded {
		return t.Name
	}
	return strings.ToLower(t.URL.Addr())
}

// stands is the part of a target's name that decides its transport: "moqt://", or "embedded".
func (t Target) stands() string {
	if t.Embedded {
		return "embedded"
	}
	return t.URL.Scheme + "://"
}

// way is a transport and the drafts to try over it.
type way struct {
	transport transport.Choice
	drafts    []wire.Draft
}

// Why a transport or a draft is not asked.
const (
	notInScheme = "%s stands for raw QUIC; --transport auto or webtransport asks for this too"
	notInURI    = "moqt:// stands for WebTransport only from draft-18 on; --transport webtransport asks for all"
)

// offerWays are what to try at a target if all drafts are offered at once: one connection.
func (o Options) offerWays(t Target) []way {
	const quic, web = transport.OnlyQUIC, transport.OnlyWebTransport
	choice := o.Transport
	switch {
	case t.Transport != "" && (choice == quic || choice == web) && choice != t.Transport:
		return nil
	case t.Transport != "":
		choice = t.Transport
	case choice == quic || choice == web:
	case !t.Embedded && t.URL.Scheme == "https":
		choice = web
	case choice != transport.Auto || t.Embedded:
		choice = quic
	}
	return []way{{choice, o.Drafts}}
}

// ways are what to try at a target, and what is left out though the target may support it. others are all targets.
func (o Options) ways(t Target, others []Target) (ways []way, left []NotAsked) {
	if o.Offer {
		return o.offerWays(t), nil
	}
	const quic, web = transport.OnlyQUIC, transport.OnlyWebTransport
	https := !t.Embedded && t.URL.Scheme == "https"
	choice := t.Transport
	switch asked := o.Transport; {
	case choice == "" && (asked == quic || asked == web):
		choice = asked
	case (asked == quic || asked == web) && asked != choice:
		return nil, nil
	case choice == "" && https:
		choice = web
	case choice == "":
		ways = []way{{quic, o.Drafts}}
		twin := func(x Target) bool { return x.URL.Scheme == "https" && x.address() == t.address() }
		switch {
		case slices.ContainsFunc(others, twin):
		case asked != transport.Auto:
			left = notAsked(web, o.Drafts, fmt.Sprintf(notInScheme, t.stands()))
		case t.Embedded:
			ways = append(ways, way{web, o.Drafts})
		default:
			early := func(d wire.Draft) bool { return d < firstInURI }
			if late := slices.DeleteFunc(slices.Clone(o.Drafts), early); len(late) > 0 {
				ways = append(ways, way{web, late})
			}
			old := slices.DeleteFunc(slices.Clone(o.Drafts), func(d wire.Draft) bool { return !early(d) })
			left = notAsked(web, old, notInURI)
		}
		return ways, left
	}
	return []way{{choice, o.Drafts}}, nil
}
