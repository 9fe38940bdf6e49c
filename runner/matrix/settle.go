package matrix

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// CheckFaults says which fault in the URL of the embedded relay there is not, and which may have been meant.
func CheckFaults(url relays.URL) error {
	if !url.Embedded() {
		return nil
	}
	_, err := runner.ParseTarget(string(url), reference.FaultNames(), reference.QuirkNames())
	return err
}

// CheckCatalogue says of each implementation which faults and tolerances it names that there are not.
func CheckCatalogue(c *relays.Catalogue) []error {
	var wrong []error
	for _, im := range c.Implementations {
		var config cases.Config
		tolerances := slices.Concat(im.Tolerances, im.Settings.Compat)
		for i, e := range im.Endpoints {
			tolerances = slices.Concat(tolerances, e.Tolerances, e.Settings.Compat)
			if err := CheckFaults(e.URL); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: endpoint %d: %w", im.Name, i+1, err))
			}
		}
		for _, k := range im.Commands {
			tolerances = append(tolerances, k.Settings.Compat...)
		}
		for _, k := range im.Containers {
			tolerances = append(tolerances, k.Settings.Compat...)
		}
		slices.Sort(tolerances)
		for _, name := range slices.Compact(tolerances) {
			if err := config.SetTolerance(string(name)); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", im.Name, err))
			}
		}
	}
	return wrong
}

// onThisHost reports whether the relay listens on this host's loopback, where a container has no way to without the
// host's network.
func (e *Endpoint) onThisHost() bool {
	switch e.Kind {
	case KindEmbedded, KindCommand:
		return true
	case KindRemote:
		return onLoopback(e.URL)
	}
	return false
}

// onLoopback reports whether a URL is one of this host's loopback.
func onLoopback(url string) bool {
	u, err := transport.ParseURL(url)
	if err != nil {
		return false
	}
	ip := net.ParseIP(strings.Trim(u.Host, "[]"))
	return strings.EqualFold(u.Host, "localhost") || ip != nil && ip.IsLoopback()
}

// casesOf gives those of the cases that are asked for which a client runs: the names of another client's own cases are
// for that one alone.
func casesOf(asked []string, clients []Client, c Client) []string {
	if c.Kind == KindPair && len(asked) > 0 {
		return slices.DeleteFunc(slices.Clone(asked), func(name string) bool { return name != PairCase })
	}
	var out []string
	for _, name := range asked {
		_, ours := cases.Find(name)
		has := func(c Client) bool { return slices.Contains(c.Cases, name) }
		if ours || has(c) || !slices.ContainsFunc(clients, has) {
			out = append(out, name)
		}
	}
	return out
}

// repositories takes the sources of those that have cells.
func (p *planner) repositories() {
	for _, im := range p.o.Catalogue.Implementations {
		name := string(im.Name)
		if im.Repository == "" || !slices.ContainsFunc(p.plan.Cells, func(c Cell) bool {
			return c.Relay == name || c.Client == name || strings.HasPrefix(c.Client, name+"+")
		}) {
			continue
		}
		if p.plan.Repositories == nil {
			p.plan.Repositories = make(map[string]string)
		}
		p.plan.Repositories[name] = im.Repository
	}
}
