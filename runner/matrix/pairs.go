package matrix

import (
	"slices"

	"github.com/moqinterop/moq-interop-client/relays"
)

// PairCase is the one case of a pair: what a publisher sends through the relay is what a subscriber gets.
const PairCase = "pub-sub"

// Half is one of the two programs of a pair. The publisher gets objects from stdin, one a line; the subscriber writes
// each payload to stdout, one a line.
type Half struct {
	Command []string          `json:"command"`
	Env     map[string]string `json:"env,omitempty"`
}

// half is a Half as the catalogue has it.
type half struct {
	Half
	name               string
	drafts, transports []string
	version            []string
}

// ours is this program as both halves.
func ours() (publisher, subscriber half) {
	h := half{name: BuiltinName, drafts: spoken(nil), transports: transports()}
	shared := []string{"{relay}", "-n", "{namespace}", "-t", "{track}", "{tls-disable-verify}", "--draft", "{number}",
		"--transport", "{transport}", "--ca", "{ca}"}
	publisher, subscriber = h, h
	publisher.Command = append([]string{"{self}", "pub"}, shared...)
	subscriber.Command = slices.Concat([]string{"{self}", "sub"}, shared, []string{"--wait", "10s"})
	return publisher, subscriber
}

// pairs takes every publisher with every subscriber, where the catalogue has one or they are asked for.
func (p *planner) pairs() {
	publishers, subscribers := p.halves(relays.RolePublisher), p.halves(relays.RoleSubscriber)
	if len(publishers)+len(subscribers) == 0 && !p.o.Pairs {
		return
	}
	publisher, subscriber := ours()
	for _, a := range append([]half{publisher}, publishers...) {
		for _, b := range append([]half{subscriber}, subscribers...) {
			both := func(x, y []string) []string {
				return slices.DeleteFunc(slices.Clone(x), func(s string) bool { return !slices.Contains(y, s) })
			}
			p.client(Client{Name: a.name + "-to-" + b.name, Kind: KindPair, Drafts: both(a.drafts, b.drafts),
				Transports: both(a.transports, b.transports), Cases: []string{PairCase},
				Publisher: &a.Half, Subscriber: &b.Half, Version: a.version})
		}
	}
}

// halves gives the commands of a role.
func (p *planner) halves(role relays.Role) (list []half) {
	for _, im := range p.o.Catalogue.Implementations {
		n := 0
		for _, c := range im.Commands {
			if c.Role != role {
				continue
			}
			h := half{Half: Half{Command: c.Command, Env: c.Env}, name: string(im.Name), drafts: spoken(im.Drafts),
				transports: spokenOver(c.Transports), version: c.Version}
			switch {
			case c.Name != "":
				h.name += "+" + string(c.Name)
			case n > 0:
				h.name += "+" + commandKey(c.Command, c.Env, "")
			}
			n++
			list = append(list, h)
		}
		for _, c := range im.Containers {
			if c.Role == role {
				p.leave(LeftOut{Client: string(im.Name), Reason: "a " + string(role) + " that is a container: pairs " +
					"are of programs"})
			}
		}
	}
	return list
}
