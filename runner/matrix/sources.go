package matrix

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner/glob"
)

// clients takes those of the options, then those of the catalogue.
func (p *planner) clients() {
	p.plan.Clients = []Client{}
	for _, c := range p.o.Clients {
		p.client(c)
	}
	for _, im := range p.o.Catalogue.Implementations {
		if slices.Contains(im.Roles, relays.RoleClient) {
			p.catalogued(im)
		}
	}
}

// client takes one, unless the filter is against it.
func (p *planner) client(c Client) {
	switch p.clientNames = append(p.clientNames, c.Name); {
	case !p.in(p.o.Filter.Clients, c.Name):
		p.leave(LeftOut{Client: c.Name, Reason: "not among the clients asked for"})
	case slices.ContainsFunc(p.plan.Clients, func(d Client) bool { return strings.EqualFold(d.Name, c.Name) }):
		p.leave(LeftOut{Client: c.Name, Reason: "another client has the same name"})
	case c.Kind == KindContainer && !p.o.Containers:
		p.leave(LeftOut{Client: c.Name, Reason: "a container, and no engine to run it with"})
	case len(c.Drafts) == 0:
		p.leave(LeftOut{Client: c.Name, Reason: "claims no draft that this program speaks"})
	default:
		p.plan.Clients = append(p.plan.Clients, c)
	}
}

// catalogued takes the ways in which the catalogue says a client can be run. Where there are several, each has a name
// of its own.
func (p *planner) catalogued(im relays.Implementation) {
	type way struct {
		name       relays.Name
		key        string
		transports []transport.Choice
		settings   relays.Settings
		client     Client
	}
	var ways []way
	for _, c := range im.Commands {
		if c.Role == relays.RoleClient {
			ways = append(ways, way{c.Name, commandKey(c.Command, c.Env, ""), c.Transports, c.Settings,
				Client{Kind: KindCommand, Command: c.Command, Env: c.Env, Cases: c.Cases, Version: c.Version}})
		}
	}
	for _, c := range im.Containers {
		if c.Role == relays.RoleClient {
			ways = append(ways, way{c.Name, containerKey(string(c.Image), c.Env, ""), c.Transports, c.Settings,
				Client{Kind: KindContainer, Image: string(c.Image), Args: c.Args, Env: c.Env, Cases: c.Cases}})
		}
	}
	if im.Browser != "" {
		ways = append(ways, way{name: relays.Name(im.Browser), key: string(im.Browser),
			transports: []transport.Choice{transport.OnlyWebTransport}, client: browserClient(im.Browser)})
	}
	if len(ways) == 0 {
		p.clientNames = append(p.clientNames, string(im.Name))
		p.leave(LeftOut{Client: string(im.Name), Reason: "the catalogue has neither a command nor a container for " +
			"the client"})
	}
	for i, w := range ways {
		c := w.client
		c.Name = string(im.Name)
		switch {
		case len(ways) > 1 && w.name != "":
			c.Name += "+" + string(w.name)
		case i > 0:
			c.Name += "+" + w.key
		}
		if !reflect.ValueOf(w.settings).IsZero() {
			p.fault("client %s: settings are those of a relay: what a client must be told stands with the relay",
				c.Name)
		}
		c.Drafts, c.Transports = spoken(im.Drafts), spokenOver(w.transports)
		for name, only := range p.o.ClientTransports {
			if strings.EqualFold(name, string(im.Name)) {
				c.Transports = only
			}
		}
		p.client(c)
	}
}

// spokenOver gives the transports that a client says it has; both when it says nothing.
func spokenOver(said []transport.Choice) []string {
	if len(said) == 0 || slices.Contains(said, transport.Auto) {
		return transports()
	}
	return slices.DeleteFunc(transports(), func(t string) bool { return !slices.Contains(said, transport.Choice(t)) })
}

// fault notes what is wrong in the catalogue.
func (p *planner) fault(format string, args ...any) {
	p.wrong = errors.Join(p.wrong, fmt.Errorf("plan: "+format, args...))
}

// endpoints takes those of the catalogue's relays.
func (p *planner) endpoints() {
	for _, im := range p.o.Catalogue.Implementations {
		if !slices.Contains(im.Roles, relays.RoleRelay) {
			continue
		}
		name := string(im.Name)
		p.relayNames = append(p.relayNames, name)
		if !p.in(p.o.Filter.Relays, name) {
			p.leave(LeftOut{Relay: name, Reason: "not among the relays asked for"})
			continue
		}
		ways := 0
		for _, e := range im.Endpoints {
			if e.Role == relays.RoleRelay {
				ways++
				p.address(im, e)
			}
		}
		for _, c := range im.Commands {
			if c.Role == relays.RoleRelay {
				ways++
				url := string(c.URL)
				p.endpoint(im, im.Drafts, scheme(url, "", !p.o.SchemeOnly), "", c.Settings, Endpoint{
					Name: cmp.Or(string(c.Name), commandKey(c.Command, c.Env, url)), Kind: KindCommand, URL: url,
					Command: c.Command, Env: c.Env, Version: c.Version, TLSDisableVerify: true,
				})
			}
		}
		for _, c := range im.Containers {
			if c.Role == relays.RoleRelay {
				ways++
				why := ""
				if !p.o.Containers {
					why = "a container, and no engine to run it with"
				}
				url := string(c.URL)
				p.endpoint(im, im.Drafts, scheme(url, "", false), why, c.Settings, Endpoint{
					Name: cmp.Or(string(c.Name), containerKey(string(c.Image), c.Env, url)), Kind: KindContainer,
					URL: url, Image: string(c.Image), Args: c.Args, Env: c.Env, TLSDisableVerify: true,
				})
			}
		}
		if ways == 0 {
			p.leave(LeftOut{Relay: name, Reason: "the catalogue has no endpoint, command or container for the relay"})
		}
	}
}

// address takes an endpoint that is a URL.
func (p *planner) address(im relays.Implementation, e relays.Endpoint) {
	why := ""
	if e.Status == relays.Inactive && !named(p.o.Filter.Relays, string(im.Name)) {
		why = "inactive"
	}
	out := Endpoint{Kind: KindRemote, Name: cmp.Or(string(e.Name), urlKey(e.URL)), URL: string(e.URL),
		TLSDisableVerify: e.TLSDisableVerify || p.o.TLSDisableVerify}
	if e.URL.Embedded() {
		out.Kind, out.TLSDisableVerify = KindEmbedded, true
		if err := CheckFaults(e.URL); err != nil {
			p.fault("relay %s: %w", im.Name, err)
		}
	}
	for _, t := range im.TolerancesAt(e) {
		out.Tolerances = append(out.Tolerances, string(t))
	}
	p.endpoint(im, im.DraftsAt(e), scheme(string(e.URL), e.Transport, !p.o.SchemeOnly), why, e.Settings, out)
}

// endpoint takes one, with its own settings, unless why or a filter is against it.
func (p *planner) endpoint(im relays.Implementation, claimed []relays.Draft, first map[string]string, why string,
	own relays.Settings, e Endpoint) {
	e.Relay = string(im.Name)
	if e.Tolerances == nil {
		for _, t := range im.Tolerances {
			e.Tolerances = append(e.Tolerances, string(t))
		}
	}
	p.settle(&e, own.Over(im.Settings).Over(p.o.Settings))
	drafts := spoken(claimed)
	switch modes := p.o.Filter.Modes; {
	case why != "":
	case len(modes) > 0 && !slices.Contains(modes, e.Kind):
		why = string(e.Kind) + ", which was not asked for"
	case len(drafts) == 0:
		why = "claims no draft that this program speaks"
	}
	if why != "" {
		p.leave(LeftOut{Relay: e.Relay, Endpoint: e.Name, Reason: why})
		return
	}
	var unspoken []string
	for _, d := range claimed {
		if _, ok := d.Wire(); !ok {
			unspoken = append(unspoken, string(d))
		}
	}
	for _, e := range overNetworks(e, p.o.Networks) {
		out := p.listed(e)
		for t, oldest := range first {
			said := out.by[t]
			if said == nil {
				said = &claim{first: oldest}
				out.by[t] = said
			}
			said.drafts = append(said.drafts, drafts...)
			said.unspoken = append(said.unspoken, unspoken...)
			said.unclaimed = said.unclaimed || len(claimed) == 0
			said.first = min(said.first, oldest)
		}
	}
}

// settle puts settings where an endpoint has them: each has one place.
func (p *planner) settle(e *Endpoint, s relays.Settings) {
	for _, t := range s.Compat {
		if !slices.Contains(e.Tolerances, string(t)) {
			e.Tolerances = append(e.Tolerances, string(t))
		}
	}
	s.Compat = nil
	if s.TLS == relays.NoVerify {
		e.TLSDisableVerify, s.TLS = true, ""
	}
	var config cases.Config
	for _, name := range e.Tolerances {
		if err := config.SetTolerance(name); err != nil {
			p.fault("relay %s: %w", e.Relay, err)
		}
	}
	e.Settings = s
}

// listed gives the endpoint, which may be there already. Two that are reached by one URL but not treated alike are two.
func (p *planner) listed(e Endpoint) place {
	for _, f := range p.found {
		if reflect.DeepEqual(f.Endpoint, e) {
			return f
		}
	}
	if slices.ContainsFunc(p.found, func(f place) bool {
		return strings.EqualFold(f.Relay, e.Relay) && strings.EqualFold(f.Name, e.Name)
	}) {
		e.Name += "-" + digestOf(e)[:6]
		return p.listed(e)
	}
	p.found = append(p.found, place{Endpoint: e, by: make(map[string]*claim)})
	return p.found[len(p.found)-1]
}

// transports says of each endpoint which transports it is not crossed with, and which drafts.
func (p *planner) transports() {
	for _, e := range p.found {
		for _, t := range transports() {
			left := LeftOut{Relay: e.Relay, Endpoint: e.Name, Transport: t}
			switch said := e.by[t]; {
			case said == nil:
				left.Reason = "the endpoint is not for this transport"
				if p.o.SchemeOnly {
					left.Reason = "not the transport that the endpoint's URL stands for (with --transport auto it " +
						"may be)"
				}
			case len(p.o.Filter.Transports) > 0 && !slices.Contains(p.o.Filter.Transports, t):
				delete(e.by, t)
				left.Reason = "not among the transports asked for"
			case len(said.unspoken) > 0:
				slices.Sort(said.unspoken)
				left.Drafts, left.Reason = slices.Compact(said.unspoken), "this program does not speak it"
			}
			if left.Reason != "" {
				p.leave(left)
			}
		}
	}
}

// scheme gives the transports of an endpoint, each with the oldest draft for it. choice is the transport that the
// catalogue names, if any. Else the URL's scheme decides: https stands for WebTransport, moqt for raw QUIC, and with
// mayBoth, from draft 18 on, for both (draft-18 §3.1.3). Without a URL it is both.
func scheme(url string, choice transport.Choice, mayBoth bool) map[string]string {
	const oldest = "draft-00"
	quic, webtransport := string(transport.OnlyQUIC), string(transport.OnlyWebTransport)
	switch {
	case choice == transport.OnlyQUIC:
		return map[string]string{quic: oldest}
	case choice == transport.OnlyWebTransport:
		return map[string]string{webtransport: oldest}
	case url == "":
		return map[string]string{quic: oldest, webtransport: oldest}
	case relays.URL(url).Embedded() && mayBoth:
		return map[string]string{quic: oldest, webtransport: oldest}
	case strings.HasPrefix(strings.ToLower(url), "https:"):
		return map[string]string{webtransport: oldest}
	case mayBoth:
		return map[string]string{quic: oldest, webtransport: wire.Draft18.String()}
	}
	return map[string]string{quic: oldest}
}

// in reports whether a name is wanted.
func (p *planner) in(globs []string, name string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(g string) bool { return glob.Match(g, name) })
}

// named reports whether a name is among those asked for as it is, not only by a glob.
func named(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(g string) bool { return strings.EqualFold(g, name) })
}

// urlFor gives the URL whose scheme says the transport: clients of others know it from nothing else.
func urlFor(url, t string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return url
	}
	if t == string(transport.OnlyQUIC) {
		return "moqt://" + rest
	}
	return "https://" + rest
}

// sortedEnv gives NAME=value pairs in the order of names.
func sortedEnv(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, fmt.Sprintf("%s=%s", k, env[k]))
	}
	return out
}
