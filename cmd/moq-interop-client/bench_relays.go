package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/bench/pictures"
	"github.com/moqinterop/moq-interop-client/internal/bench/turns"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/relays"
)

// benchRelaysCmd measures relays in turns.
type benchRelaysCmd struct {
	relaysFlag
	Rounds     int      `default:"5" placeholder:"N" help:"How often each relay is measured. Default 5."`
	Processors string   `placeholder:"LIST" help:"Hold the bench to these: 0,1 or 0-3. Default all."`
	Output     string   `short:"o" type:"string" placeholder:"NAME" help:"Draw pictures too; see bench plot."`
	JSON       bool     `name:"json" help:"As JSON, with the results of every turn."`
	List       []string `arg:"" optional:"" passthrough:"" name:"relay" help:"Relays, --, and flags of bench relay."`
}

// Help teaches.
func (*benchRelaysCmd) Help() string {
	return `Measures relays in turns (A B C A B C …) with the same load, each with a publisher and a subscriber, and
prints a table: rates, latencies, processor time of the relay for each delivered object, its memory, and what was lost;
medians, with the lowest and the highest. A relay that fails is told, does not hold up the others, and makes the exit
code 1.

A relay is a URL, "embedded" (as a process of its own), or a command that is started anew for every turn, whose words
may have {port}, {cert}, {key} and {VARIABLE}. NAME= before it says what to call it. --relays takes those of a catalogue
that have a command or an active endpoint, and says which it leaves out. What stands behind -- goes to bench relay. The
processor time and the memory of relays that are reached by URL are not known.

Examples:

  moq-interop-client bench relays embedded moqt://127.0.0.1:4443 -- -s 1KiB -r 1000 -t 10 --tls-disable-verify
  moq-interop-client bench relays ours=embedded 'other=other-relay --port {port} --cert {cert} --key {key}' -o both
  MOQ_PEERS=.venv-peers moq-interop-client bench relays --relays results/peers.json --rounds 3 -- -r 1000 -t 5
`
}

// Run measures.
func (c *benchRelaysCmd) Run(sys *system) error {
	if c.Rounds < 1 || c.Rounds > 1000 {
		return usage("--rounds: %d is not from 1 to 1000", c.Rounds)
	}
	processors, err := parseProcessors(c.Processors)
	if err != nil {
		return err
	}
	words, load := c.List, []string(nil)
	if at := slices.Index(words, "--"); at >= 0 {
		words, load = words[:at], words[at+1:]
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	list, err := c.relays(sys, self, words)
	if err != nil {
		return err
	}
	survey, err := turns.Measure(sys.ctx, list, c.Rounds, processors, load, func(url string, started bool) []string {
		command := []string{self, "bench", "relay", url, "--json", "--quiet"}
		if started { // its certificate is one that nobody has signed
			command = append(command, "--tls-disable-verify")
		}
		return command
	}, sys.say)
	if err != nil {
		return err
	}
	if err := c.show(sys, survey); err != nil {
		return err
	}
	if failed := survey.Failed(); len(failed) > 0 {
		return fmt.Errorf("turns without a result: %s", strings.Join(failed, ", "))
	}
	return nil
}

// show prints the table, and draws the pictures.
func (c *benchRelaysCmd) show(sys *system, survey *turns.Survey) error {
	write := survey.Text
	if c.JSON {
		write = survey.JSON
	}
	if err := write(sys.stdout); err != nil {
		return err
	}
	if c.Output == "" || len(survey.Results()) == 0 {
		return nil
	}
	drawn, _, err := pictures.Draw(survey.Results())
	if errors.Is(err, pictures.ErrNone) {
		sys.say("%v", err)
		return nil
	}
	if err != nil {
		return err
	}
	return sys.pictures(drawn, c.Output, pictures.Formats(), io.Discard)
}

// relays are those that are named, and those of the catalogues.
func (c *benchRelaysCmd) relays(sys *system, self string, words []string) (list []turns.Relay, err error) {
	for _, word := range words {
		r, err := parseBenchRelay(self, word)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	if len(c.Relays) > 0 {
		catalogue, err := openCatalogue(sys, c.Relays)
		if err != nil {
			return nil, err
		}
		for _, i := range catalogue.Implementations {
			r, ok := ofCatalogue(self, i)
			if !ok {
				if slices.Contains(i.Roles, relays.RoleRelay) {
					sys.say("%s is left out: %s", i.Name, whyLeftOut(i))
				}
				continue
			}
			list = append(list, r)
		}
	}
	seen := map[string]bool{}
	for _, r := range list {
		if seen[r.Name] {
			return nil, usage("two relays are called %s: give them names, NAME=RELAY", r.Name)
		}
		seen[r.Name] = true
	}
	if len(list) == 0 {
		return nil, usage("no relay: give a URL, a command or --relays")
	}
	return list, nil
}

// ofCatalogue is the relay of an implementation: its command, or its first active endpoint.
func ofCatalogue(self string, i relays.Implementation) (turns.Relay, bool) {
	for _, c := range i.Commands {
		if (c.Role == "" || c.Role == relays.RoleRelay) && c.URL == "" && len(c.Env) == 0 {
			words := slices.Clone(c.Command)
			for at := range words {
				words[at] = strings.ReplaceAll(words[at], "{self}", self)
			}
			return turns.Relay{Name: string(i.Name), Command: words}, true
		}
	}
	for _, e := range i.Endpoints {
		if (e.Role == "" || e.Role == relays.RoleRelay) && (e.Status == "" || e.Status == relays.Active) {
			r, err := parseBenchRelay(self, string(i.Name)+"="+string(e.URL))
			return r, err == nil
		}
	}
	return turns.Relay{}, false
}

// whyLeftOut says why a relay of a catalogue is not measured.
func whyLeftOut(i relays.Implementation) string {
	if slices.ContainsFunc(i.Containers, func(c relays.Container) bool { return c.Role == relays.RoleRelay }) {
		return "a container is not started here; start it, and give its URL, or its command as NAME=COMMAND"
	}
	return "it has no relay's command that stands alone, and no active endpoint"
}

var relayName = regexp.MustCompile(`^([\w.-]+)=(.+)$`)

// parseBenchRelay reads [NAME=]URL, embedded, or a command.
func parseBenchRelay(self, word string) (r turns.Relay, err error) {
	text := word
	if m := relayName.FindStringSubmatch(word); m != nil && !strings.HasPrefix(word, "embedded?") {
		r.Name, text = m[1], m[2]
	}
	words := strings.Fields(text)
	switch {
	case len(words) == 0:
		return r, usage("%q is no relay", word)
	case words[0] == "embedded" || strings.HasPrefix(words[0], "embedded?"):
		r.Command = []string{self, "serve", "--addr", "127.0.0.1:{port}", "--quiet"}
		_, query, _ := strings.Cut(words[0], "?")
		for pair := range strings.FieldsFuncSeq(query, func(c rune) bool { return c == '&' }) {
			name, value, _ := strings.Cut(pair, "=")
			if name != "fault" && name != "quirk" {
				return r, usage("%s: %s= is neither fault= nor quirk=", word, name)
			}
			r.Command = append(r.Command, "--"+name, value)
		}
	case len(words) == 1 && strings.Contains(text, "://"):
		if _, err := transport.ParseURL(text); err != nil {
			return r, usage("%w", err)
		}
		r.URL = text
	case len(words) > 1 && r.Name == "":
		return r, usage("%q: a command needs a name, NAME=COMMAND", word)
	case strings.HasPrefix(words[0], "-"):
		return r, usage("%s: flags stand before the first relay, those of the load behind --", word)
	default:
		r.Command = words
	}
	if r.Name == "" {
		r.Name = text
	}
	return r, nil
}
