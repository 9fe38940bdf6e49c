package probe

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/printable"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/relays"
)

// group is attempts at one endpoint over one transport that ended the same way.
type group []Attempt

// WriteLines writes a line for each endpoint, transport and outcome: drafts with the same outcome share a line. Drafts
// that were answered come first, those that were not asked last.
func WriteLines(w io.Writer, r *Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) // drafts and what follows are no columns: they can be long
	for _, e := range r.Endpoints {
		for _, g := range groups(e.Attempts) {
			fmt.Fprintf(t, "%s\t%s\t%s  %s\n", printable.Text(e.Label), g[0].Transport, g.drafts(),
				printable.Text(g.text(e, r.Started)))
		}
		for _, n := range e.NotAsked {
			var drafts []string
			for _, d := range n.Drafts {
				drafts = append(drafts, string(d))
			}
			fmt.Fprintf(t, "%s\t%s\t%s  not asked: %s\n", printable.Text(e.Label), n.Transport,
				strings.Join(drafts, ","), n.Reason)
		}
	}
	return t.Flush()
}

// drafts are the drafts of the group. If several were offered at once it is the chosen one, how it was chosen, and from
// which.
func (g group) drafts() string {
	var names []string
	for _, a := range g {
		names = append(names, string(a.Draft))
	}
	a := g[0]
	if len(a.Offered) == 0 {
		return strings.Join(names, ",")
	}
	var offered []string
	for _, d := range a.Offered {
		offered = append(offered, d.Number())
	}
	of := strings.Join(offered, ",")
	switch {
	case a.Draft == "":
		return "none of " + of
	case a.Transport == transport.OnlyWebTransport && a.Protocol == "":
		return fmt.Sprintf("%s of %s (no WT-Protocol)", a.Draft, of)
	case a.Transport == transport.OnlyWebTransport:
		return fmt.Sprintf("%s of %s (WT-Protocol %s)", a.Draft, of, a.Protocol)
	}
	return fmt.Sprintf("%s of %s (ALPN %s)", a.Draft, of, a.ALPN)
}

// groups are the attempts that belong together, in order of transport, then OK before the rest.
func groups(attempts []Attempt) (out []group) {
	index := map[string]int{}
	for _, a := range attempts {
		k := strings.Join([]string{string(a.Transport), string(a.Status), a.Implementation, a.Certificate, a.general()},
			"\x00")
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], a)
	}
	slices.SortStableFunc(out, func(a, b group) int {
		if c := strings.Compare(string(a[0].Transport), string(b[0].Transport)); c != 0 {
			return c
		}
		return rank(a) - rank(b)
	})
	return out
}

func rank(g group) int {
	if g[0].Status == OK {
		return 0
	}
	return 1
}

var (
	aboutDraft = regexp.MustCompile(`\bmoqt-\d\d\b|\bmoq-00\b|\bdraft-\d\d\b( §[0-9.]+)?|` +
		`\bSERVER_SETUP\b|\bSETUP from the relay\b`)
	aboutTime = regexp.MustCompile(`\b\d+(\.\d+)?(ms|s)\b|\b\d+ datagrams\b`)
)

// general is the message without what differs by draft and by time.
func (a Attempt) general() string {
	return aboutTime.ReplaceAllString(a.generalDraft(), "#")
}

func (a Attempt) generalDraft() string {
	return aboutDraft.ReplaceAllStringFunc(a.Message, func(s string) string {
		switch {
		case strings.HasPrefix(s, "draft"):
			return "draft-NN"
		case strings.HasPrefix(s, "moq"):
			return "moqt-NN"
		}
		return "SETUP"
	})
}

// text is the text of a group after its drafts.
func (g group) text(e Endpoint, now time.Time) string {
	a := g[0]
	if a.Status == OK {
		parts := []string{fmt.Sprintf("ok (%s)", g.times())}
		if a.Implementation != "" {
			parts = append(parts, strconv.Quote(a.Implementation))
		}
		if text := expiry(e, a.Certificate); text != "" {
			parts = append(parts, text)
		}
		if text := g.options(); text != "" {
			parts = append(parts, text)
		}
		if text := g.notStaying(); text != "" {
			parts = append(parts, text)
		}
		return strings.Join(parts, "  ")
	}
	text := a.Message
	if len(g) > 1 {
		text = a.generalDraft()
	}
	if a.Hint != "" {
		text += "; " + a.Hint
	}
	return string(a.Status) + ": " + text
}

// times is how long the attempts took: "4 ms", or a range from the fastest to the slowest.
func (g group) times() string {
	ms := func(a Attempt) int {
		return max(1, int(time.Duration(a.Duration).Round(time.Millisecond).Milliseconds()))
	}
	least, most := ms(g[0]), ms(g[0])
	for _, a := range g {
		least, most = min(least, ms(a)), max(most, ms(a))
	}
	if least == most {
		return fmt.Sprintf("%d ms", least)
	}
	return fmt.Sprintf("%d-%d ms", least, most)
}

// expiry says until when a certificate of the endpoint is valid.
func expiry(e Endpoint, sha256 string) string {
	for _, c := range e.Certificates {
		switch day := c.NotAfter.Format(time.DateOnly); {
		case c.SHA256 != sha256:
		case c.Days < 0:
			return "certificate expired " + day
		default:
			text := fmt.Sprintf("certificate until %s (%d days)", day, c.Days)
			return strings.Replace(text, "(1 days)", "(1 day)", 1)
		}
	}
	return ""
}

// options are the SETUP options of the group except the implementation. An option that differs between drafts names the
// drafts that have it.
func (g group) options() string {
	var texts []string
	having := map[string][]relays.Draft{}
	for _, a := range g {
		byType := slices.Clone(a.Options) // some relays shuffle them
		slices.SortStableFunc(byType, func(x, y Option) int {
			return cmp.Or(cmp.Compare(len(x.Type), len(y.Type)), cmp.Compare(x.Type, y.Type))
		})
		for _, o := range byType {
			if o.Text != nil && *o.Text == a.Implementation {
				continue
			}
			text := o.String()
			if !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
			if d := having[text]; len(d) == 0 || d[len(d)-1] != a.Draft {
				having[text] = append(d, a.Draft)
			}
		}
	}
	for i, text := range texts {
		if d := having[text]; len(d) < len(g) {
			var numbers []string
			for _, x := range d {
				numbers = append(numbers, x.Number())
			}
			texts[i] = fmt.Sprintf("%s (%s)", text, strings.Join(numbers, ","))
		}
	}
	if len(texts) == 0 {
		return ""
	}
	return "options " + strings.Join(texts, ", ")
}

// String is NAME=value.
func (o Option) String() string {
	name := o.Name
	if name == "" {
		name = o.Type
	}
	switch {
	case o.Value != nil:
		return fmt.Sprintf("%s=%d", name, *o.Value)
	case o.Text != nil:
		return fmt.Sprintf("%s=%q", name, *o.Text)
	case o.Hex != nil:
		return fmt.Sprintf("%s=0x%s", name, *o.Hex)
	}
	return name
}

// notStaying says which drafts' sessions ended by themselves right after SETUP.
func (g group) notStaying() string {
	var numbers []string
	for _, a := range g {
		if a.Ended {
			numbers = append(numbers, a.Draft.Number())
		}
	}
	switch len(numbers) {
	case 0:
		return ""
	case len(g):
		return "but the relay ended the session right after SETUP"
	}
	return fmt.Sprintf("but the relay ended the session right after SETUP (%s)", strings.Join(numbers, ","))
}
