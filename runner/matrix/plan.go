package matrix

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/badpath"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner/glob"
)

// BuiltinName is the name of the client that runs in this process.
const BuiltinName = "builtin"

// Builtin is the client that runs in this process: all drafts, both transports.
func Builtin() Client {
	return Client{Name: BuiltinName, Kind: KindBuiltin, Drafts: spoken(nil), Transports: transports()}
}

// transports are the two that there are, in the order of cells.
func transports() []string {
	return []string{string(transport.OnlyQUIC), string(transport.OnlyWebTransport)}
}

// spoken gives the drafts among those given that this program speaks, newest first; all of them when none are given.
func spoken(claimed []relays.Draft) []string {
	if len(claimed) == 0 {
		for _, d := range wire.Drafts() {
			claimed = append(claimed, relays.Draft(d.String()))
		}
	}
	var out []string
	for _, d := range relays.Spoken(claimed) {
		out = append(out, d.String())
	}
	return out
}

// Pin says which of the drafts that client and relay share get a cell.
type Pin string

// The ways to pin.
const (
	// PinEach: each shared draft has a cell of its own, in which only that draft is offered.
	PinEach Pin = "each"
	// PinNewest: only the newest shared draft has one.
	PinNewest Pin = "newest"
	// PinNone: one cell, in which the client offers what it has; the newest shared draft is the prediction.
	PinNone Pin = "none"
)

// Filter narrows a plan. Empty fields leave everything in.
type Filter struct {
	// Clients and Relays are names or globs that ignore upper and lower case. A relay that is named, not only matched
	// by a glob, also has its inactive endpoints.
	Clients, Relays []string
	// Only are the classifications wanted; it needs a target.
	Only []Classification
	// Modes are the kinds of endpoints: the public runner's "docker only" is KindContainer, "remote only" is
	// KindRemote.
	Modes []Kind
	// Transports are "quic", "webtransport"; Drafts are "draft-18".
	Transports, Drafts []string
	// Cells are IDs of cells, or globs in which * stands for anything between two slashes.
	Cells []string
}

// PlanOptions say what to cross.
type PlanOptions struct {
	// Catalogue has the relays and the foreign clients; Names are what relays.Open was given for it.
	Catalogue *relays.Catalogue
	Names     []string
	// Clients come before those of the catalogue: Builtin, and whatever else the caller has.
	Clients []Client
	// Target is the draft to compare with, "draft-18"; empty for the catalogue's, "none" for none at all.
	Target string
	// Pin is PinEach when it is empty.
	Pin    Pin
	Filter Filter
	// TLSDisableVerify accepts any certificate of relays that are reached by URL; else the catalogue says it for each
	// endpoint.
	TLSDisableVerify bool
	// Settings are those of the whole plan; what the catalogue says of a relay or endpoint goes before them.
	Settings relays.Settings
	// Pairs asks for cells of three: a publisher and a subscriber with the relay between them, this program's own at
	// least. They are there without being asked for when the catalogue has a publisher or a subscriber.
	Pairs bool
	// Networks are the paths to each endpoint, as badpath.ParsePath reads them; "none" is the way as it is. No entry
	// means that way alone.
	Networks []string
	// Containers says that there is an engine to run containers with; without one they are left out. HostNetwork says
	// that a container can be in this host's network, where relays on loopback are: so on Linux.
	Containers, HostNetwork bool
	// Cases are those that every cell runs, each once; none for the standard set of each client. A name that is none of
	// this program's and is a case of a client's own is for that client alone.
	Cases []string
	// SchemeOnly takes each URL's scheme at its word: moqt:// and the embedded relay stand for raw QUIC alone. Without
	// it moqt:// is WebTransport too from draft 18 on, and the embedded relay is both.
	SchemeOnly bool
	// ClientTransports are the transports of catalogue clients, by name, that do not speak both.
	ClientTransports map[string][]string
}

// MakePlan crosses clients, relays, endpoints, drafts and transports. The same options give the same plan on every
// machine. The error says which option makes no sense. A plan without cells is no error.
func MakePlan(o PlanOptions) (*Plan, error) {
	p := &planner{o: o, all: spoken(nil), cellGlobs: make(map[int]bool), plan: &Plan{Format: Format, Cases: o.Cases,
		Catalogues: o.Names, LeftOut: []LeftOut{}, Cells: []Cell{}}}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.clients()
	p.pairs()
	p.endpoints()
	p.transports()
	if err := errors.Join(p.wrong, p.matched()); err != nil {
		return nil, err
	}
	for _, c := range p.plan.Clients {
		for _, e := range p.found {
			for _, t := range transports() {
				p.cross(c, e, t)
			}
		}
	}
	for i, pattern := range o.Filter.Cells {
		if !p.cellGlobs[i] {
			return nil, fmt.Errorf("plan: no cell is called %q", pattern)
		}
	}
	p.finish()
	return p.plan, nil
}

// planner is the state of MakePlan.
type planner struct {
	o     PlanOptions
	plan  *Plan
	found []place
	all   []string // drafts that this program speaks, newest first
	// names are all clients and relays there were, before filters, for the globs that match none.
	clientNames, relayNames []string
	cellGlobs               map[int]bool // those of the filter that matched one
	wrong                   error        // in the catalogue
}

// place is an Endpoint with what is claimed for it, by transport. A URL that is listed once for each transport, or
// twice, is one.
type place struct {
	Endpoint
	by map[string]*claim
}

// claim is what the catalogue says about an endpoint over one transport.
type claim struct {
	drafts    []string // that this program speaks
	unclaimed bool     // nobody said which: drafts has them all
	unspoken  []string // claimed, but not spoken by this program
	first     string   // the oldest draft for which the endpoint is that
}

// check looks at the options and settles the target.
func (p *planner) check() error {
	o := &p.o
	if o.Catalogue == nil {
		return errors.New("plan: no catalogue")
	}
	p.plan.Target = cmp.Or(o.Target, string(o.Catalogue.Target))
	if p.plan.Target == "none" {
		p.plan.Target = ""
	}
	if p.plan.Target != "" {
		d, err := wire.ParseDraft(p.plan.Target)
		if err != nil {
			return fmt.Errorf("plan: target: %w", err)
		}
		p.plan.Target = d.String()
	}
	switch o.Pin = cmp.Or(o.Pin, PinEach); o.Pin {
	case PinEach, PinNewest, PinNone:
	default:
		return fmt.Errorf("plan: pin %q: want each, newest or none", o.Pin)
	}
	f := &o.Filter
	for _, c := range f.Only {
		if c != At && c != Ahead && c != Behind {
			return fmt.Errorf("plan: only %q: want at, ahead or behind", c)
		}
		if p.plan.Target == "" {
			return fmt.Errorf("plan: only %q needs a target draft", c)
		}
	}
	for _, network := range o.Networks {
		if network == noNetwork {
			continue
		}
		if _, err := badpath.ParsePath(network); err != nil {
			return fmt.Errorf("plan: %w", err)
		}
	}
	for _, m := range f.Modes {
		if !slices.Contains([]Kind{KindEmbedded, KindRemote, KindCommand, KindContainer}, m) {
			return fmt.Errorf("plan: mode %q: want embedded, remote, command or container", m)
		}
	}
	for _, t := range f.Transports {
		if !slices.Contains(transports(), t) {
			return fmt.Errorf("plan: transport %q: want quic or webtransport", t)
		}
	}
	drafts := make([]string, len(f.Drafts)) // a copy: the caller's stay as they are
	for i, name := range f.Drafts {
		d, err := wire.ParseDraft(name)
		if err != nil {
			return fmt.Errorf("plan: draft: %w", err)
		}
		drafts[i] = d.String()
	}
	f.Drafts = drafts
	for _, pattern := range slices.Concat(f.Clients, f.Relays, f.Cells) {
		if err := glob.Check(pattern); err != nil {
			return fmt.Errorf("plan: pattern %q: %w", pattern, err)
		}
	}
	for name, only := range o.ClientTransports {
		for _, t := range only {
			if !slices.Contains(transports(), t) {
				return fmt.Errorf("plan: transport %q of client %s: want quic or webtransport", t, name)
			}
		}
		if !slices.ContainsFunc(o.Catalogue.Implementations, func(im relays.Implementation) bool {
			return strings.EqualFold(string(im.Name), name) && slices.Contains(im.Roles, relays.RoleClient)
		}) {
			return fmt.Errorf("plan: the transport of %q: the catalogue has no client of this name", name)
		}
	}
	seen := make(map[string]bool)
	for _, c := range o.Cases {
		if c == "" || seen[c] {
			return fmt.Errorf("plan: case %q: empty or named twice", c)
		}
		seen[c] = true
	}
	return nil
}

// matched says which name or glob of the filter matched nothing: a slip that would leave a plan silently smaller.
func (p *planner) matched() error {
	for _, f := range []struct {
		what        string
		globs, from []string
	}{{"client", p.o.Filter.Clients, p.clientNames}, {"relay", p.o.Filter.Relays, p.relayNames}} {
		for _, pattern := range f.globs {
			if !slices.ContainsFunc(f.from, func(name string) bool { return glob.Match(pattern, name) }) {
				return fmt.Errorf("plan: no %s is called %q; there are: %s", f.what, pattern,
					strings.Join(f.from, ", "))
			}
		}
	}
	return nil
}

// leave notes what has no cell.
func (p *planner) leave(l LeftOut) { p.plan.LeftOut = append(p.plan.LeftOut, l) }

// cross makes the cells of one client at one endpoint over one transport.
func (p *planner) cross(c Client, e place, t string) {
	left := func(reason string, drafts ...string) {
		p.leave(LeftOut{Client: c.Name, Relay: e.Relay, Endpoint: e.Name, Transport: t, Drafts: drafts, Reason: reason})
	}
	said := e.by[t]
	switch {
	case said == nil:
		return // the endpoint has the reason once
	case !slices.Contains(c.Transports, t):
		left("the client does not speak this transport")
		return
	case c.Kind == KindContainer && !p.o.HostNetwork && e.onThisHost():
		left("a container does not reach a relay on this host's loopback here (there is no --network host)")
		return
	case c.Kind == KindContainer && e.Network != "":
		left("a container is not led through a bad path")
		return
	case len(p.o.Cases) > 0 && len(casesOf(p.o.Cases, p.plan.Clients, c)) == 0:
		left("the client has none of the cases")
		return
	}
	var shared, mine, theirs, neither, early []string
	for _, d := range p.all {
		has, claims := slices.Contains(c.Drafts, d), slices.Contains(said.drafts, d)
		switch {
		case has && claims && d < said.first:
			early = append(early, d)
		case has && claims:
			shared = append(shared, d)
		case has:
			mine = append(mine, d)
		case claims:
			theirs = append(theirs, d)
		default:
			neither = append(neither, d)
		}
	}
	if len(early) > 0 {
		left("a moqt URL stands for WebTransport only from "+said.first+" on", early...)
	}
	if len(mine) > 0 {
		left("the relay does not claim it", mine...)
	}
	if len(theirs) > 0 {
		left("the client does not claim it", theirs...)
	}
	if len(neither) > 0 {
		left("neither claims it", neither...)
	}
	if len(shared) == 0 {
		return
	}
	newest := shared[0]
	wanted, rest := p.wanted(shared)
	if len(rest) > 0 {
		left("not among the drafts asked for", rest...)
	}
	if len(wanted) > 1 && p.o.Pin == PinNewest {
		left("shared, but not the newest that is", wanted[1:]...)
		wanted = wanted[:1]
	}
	if len(wanted) > 1 && p.o.Pin == PinNone {
		wanted = wanted[:1]
	}
	for _, d := range wanted {
		cell := Cell{
			Client: c.Name, Relay: e.Relay, Endpoint: e.Name, URL: e.URL, Draft: d, Transport: t, Predicted: d,
			Newest:         d == newest,
			Classification: classify(d, p.plan.Target), Mode: e.Kind, Unclaimed: said.unclaimed,
		}
		if p.o.Pin == PinNone {
			cell.Draft = ""
			if said.unclaimed {
				cell.Predicted, cell.Newest, cell.Classification = "", false, ""
			}
		}
		if e.Kind == KindRemote || e.Kind == KindCommand || e.Kind == KindContainer {
			cell.URL = urlFor(e.URL, t)
		}
		cell.ID = cellID(cell)
		if !p.asked(cell.ID) {
			left("not among the cells asked for", d)
			continue
		}
		if len(p.o.Filter.Only) > 0 && !slices.Contains(p.o.Filter.Only, cell.Classification) {
			left(fmt.Sprintf("%s the target %s, which was not asked for",
				cmp.Or(relation[cell.Classification], "not comparable with"), p.plan.Target), d)
			continue
		}
		p.plan.Cells = append(p.plan.Cells, cell)
	}
}

// asked reports whether a cell is among those asked for.
func (p *planner) asked(id string) bool {
	in := len(p.o.Filter.Cells) == 0
	for i, pattern := range p.o.Filter.Cells {
		if glob.Match(pattern, id) {
			in, p.cellGlobs[i] = true, true
		}
	}
	return in
}

// relation says what a classification is, for a sentence.
var relation = map[Classification]string{At: "at", Ahead: "ahead of", Behind: "behind"}

// wanted parts the drafts into those the filter wants and the rest.
func (p *planner) wanted(drafts []string) (wanted, rest []string) {
	if len(p.o.Filter.Drafts) == 0 {
		return drafts, nil
	}
	for _, d := range drafts {
		if slices.Contains(p.o.Filter.Drafts, d) {
			wanted = append(wanted, d)
		} else {
			rest = append(rest, d)
		}
	}
	return wanted, rest
}

// classify compares two drafts, which sort as texts do.
func classify(draft, target string) Classification {
	switch {
	case target == "" || draft == "":
		return ""
	case draft == target:
		return At
	case draft > target:
		return Ahead
	}
	return Behind
}

// finish sorts, drops the clients and endpoints that no cell needs, and names the plan.
func (p *planner) finish() {
	plan := p.plan
	slices.SortFunc(plan.Cells, func(a, b Cell) int { return strings.Compare(a.ID, b.ID) })
	plan.Total = len(plan.Cells)
	clients, endpoints := make(map[string]bool), make(map[[2]string]bool)
	for _, c := range plan.Cells {
		clients[c.Client] = true
		endpoints[[2]string{c.Relay, c.Endpoint}] = true
	}
	plan.Clients = slices.DeleteFunc(plan.Clients, func(c Client) bool { return !clients[c.Name] })
	slices.SortFunc(plan.Clients, func(a, b Client) int { return strings.Compare(a.Name, b.Name) })
	p.repositories()
	plan.Endpoints = []Endpoint{}
	for _, e := range p.found {
		if endpoints[[2]string{e.Relay, e.Name}] {
			plan.Endpoints = append(plan.Endpoints, e.Endpoint)
		}
	}
	slices.SortFunc(plan.Endpoints, func(a, b Endpoint) int {
		return cmp.Or(strings.Compare(a.Relay, b.Relay), strings.Compare(a.Name, b.Name))
	})
	plan.ID = plan.ref().digest(plan.Cells)
}
