package relays

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/moqinterop/moq-interop-client/internal/printable"
)

// WriteTable writes a line for each implementation: name, organisation, roles, drafts, transports, and how many ways
// there are to reach or to run it.
func WriteTable(w io.Writer, c *Catalogue) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = printable.Text(orDash(cell))
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	row("NAME", "ORGANISATION", "ROLES", "DRAFTS", "TRANSPORTS", "WHERE")
	for _, im := range c.Implementations {
		row(string(im.Name), im.Organisation, joined(im.Roles, ","), numbers(im.Drafts), transports(im.Endpoints),
			where(im))
	}
	return t.Flush()
}

// WriteShow writes all that the catalogue knows about an implementation.
func WriteShow(w io.Writer, im Implementation) error {
	s := &sheet{}
	s.line("", "name", string(im.Name))
	s.line("", "title", im.Title)
	s.line("", "organisation", im.Organisation)
	s.line("", "repository", im.Repository)
	s.line("", "roles", joined(im.Roles, ", "))
	s.line("", "drafts", orDash(numbers(im.Drafts)))
	s.line("", "announce by", joined(im.AnnounceBy, ", "))
	s.line("", "tolerances", joined(im.Tolerances, ", "))
	s.settings("", im.Settings)
	s.line("", "gating", numbers(im.Gating))
	s.line("", "disabled suites", joined(im.DisabledSuites, ", "))
	s.line("", "xfail suites", joined(im.XfailSuites, ", "))
	s.line("", "notes", im.Notes)
	for _, e := range im.Endpoints {
		s.line("", "endpoint", string(e.URL))
		s.line("  ", "name", string(e.Name))
		s.line("  ", "role", string(e.Role))
		s.line("  ", "transport", string(e.Transport))
		if u, err := e.URL.Parse(); err == nil {
			s.line("  ", "path", u.Path)
		}
		s.line("  ", "drafts", numbers(e.Drafts))
		if e.TLSDisableVerify {
			s.line("  ", "tls", "certificate does not verify")
		}
		s.line("  ", "status", string(e.Status))
		s.line("  ", "tolerances", joined(e.Tolerances, ", "))
		s.settings("  ", e.Settings)
		s.line("  ", "notes", e.Notes)
	}
	for _, c := range im.Containers {
		s.line("", "container", string(c.Image))
		s.line("  ", "name", string(c.Name))
		s.line("  ", "role", string(c.Role))
		s.line("  ", "url", string(c.URL))
		if c.Build != nil {
			s.line("  ", "dockerfile", c.Build.Dockerfile)
			s.line("  ", "context", c.Build.Context)
		}
		s.line("  ", "upstream image", string(c.UpstreamImage))
		s.env(c.Env)
		s.line("  ", "args", quoted(c.Args))
		s.line("  ", "transports", joined(c.Transports, ", "))
		s.line("  ", "cases", joined(c.Cases, ", "))
		s.settings("  ", c.Settings)
		s.line("  ", "notes", c.Notes)
	}
	for _, c := range im.Commands {
		s.line("", "command", fmt.Sprintf("%q", c.Command))
		s.line("  ", "name", string(c.Name))
		s.line("  ", "role", string(c.Role))
		s.line("  ", "url", string(c.URL))
		s.env(c.Env)
		s.line("  ", "version", quoted(c.Version))
		s.line("  ", "transports", joined(c.Transports, ", "))
		s.line("  ", "cases", joined(c.Cases, ", "))
		s.settings("  ", c.Settings)
		s.line("  ", "notes", c.Notes)
	}
	s.line("", "browser", string(im.Browser))
	_, err := io.WriteString(w, s.b.String())
	return err
}

// sheet is lines of a key and a value.
type sheet struct{ b strings.Builder }

// line writes nothing for an empty value.
func (s *sheet) line(indent, key, value string) {
	if value != "" {
		fmt.Fprintf(&s.b, "%-17s %s\n", indent+key, printable.Text(value))
	}
}

// settings writes those that are said.
func (s *sheet) settings(indent string, v Settings) {
	s.line(indent, "auth-token", string(v.AuthToken))
	s.line(indent, "namespace-prefix", string(v.NamespacePrefix))
	s.line(indent, "compat", joined(v.Compat, ", "))
	if v.TimeoutFactor != 0 {
		s.line(indent, "timeout-factor", fmt.Sprint(float64(v.TimeoutFactor)))
	}
	if v.Strict {
		s.line(indent, "strict", "yes")
	}
	s.line(indent, "tls", v.TLS)
}

func quoted(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return fmt.Sprintf("%q", words)
}

func (s *sheet) env(env map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(env)) {
		s.line("  ", "env", key+"="+env[key])
	}
}

// transports are those of the endpoints, each once.
func transports(endpoints []Endpoint) string {
	var all []string
	for _, e := range endpoints {
		if t := string(e.Transport); !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// where counts the ways to an implementation: "2 urls, 1 inactive; 1 image".
func where(im Implementation) string {
	var parts []string
	count := func(n int, one string) string {
		if n != 1 {
			one += "s"
		}
		return fmt.Sprintf("%d %s", n, one)
	}
	if n := len(im.Endpoints); n > 0 {
		urls := count(n, "url")
		for _, status := range []Status{Inactive, Untested} {
			k := 0
			for _, e := range im.Endpoints {
				if e.Status == status {
					k++
				}
			}
			if k > 0 {
				urls += fmt.Sprintf(", %d %s", k, status)
			}
		}
		parts = append(parts, urls)
	}
	if n := len(im.Containers); n > 0 {
		parts = append(parts, count(n, "image"))
	}
	if n := len(im.Commands); n > 0 {
		parts = append(parts, count(n, "command"))
	}
	if im.Browser != "" {
		parts = append(parts, string(im.Browser))
	}
	return strings.Join(parts, "; ")
}

func numbers(drafts []Draft) string {
	out := make([]string, len(drafts))
	for i, d := range drafts {
		out[i] = d.Number()
	}
	return strings.Join(out, ",")
}

func joined[T ~string](list []T, by string) string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return strings.Join(out, by)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
