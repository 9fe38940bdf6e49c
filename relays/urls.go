package relays

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// readURLs makes a relay of each host and port in a list of URLs; root is nil when the list is a text. Nothing is known
// about their drafts. What goes over https:// is WebTransport; moqt:// leaves the choice to the handshake.
func (f *filler) readURLs(root *node, b []byte) *Catalogue {
	c := &Catalogue{Implementations: []Implementation{}}
	lines := map[URL]int{}
	hosts := map[string]int{} // index in c.Implementations
	names := map[Name]bool{}
	for _, l := range f.listed(root, b) {
		fail := func(why string) {
			l.Why, l.Value = why, quote(string(l.url))
			f.found = append(f.found, l.Finding)
		}
		parts, err := l.url.Parse()
		switch first, twice := lines[l.url]; {
		case err != nil:
			fail(check(l.url).Error())
			continue
		case twice:
			fail(fmt.Sprintf("URL given twice, first on line %d", first))
			continue
		}
		lines[l.url] = l.Line
		host := strings.ToLower(parts.Addr())
		e := Endpoint{URL: l.url, Role: RoleRelay, Transport: transport.Auto}
		switch {
		case l.url.Embedded():
			host = string(l.url)
		case parts.Scheme == "https":
			e.Transport = transport.OnlyWebTransport
		}
		i, known := hosts[host]
		if !known {
			i = len(c.Implementations)
			hosts[host] = i
			c.Implementations = append(c.Implementations, Implementation{Name: nameFor(host, names),
				Roles: []Role{RoleRelay}})
		}
		im := &c.Implementations[i]
		im.Endpoints = append(im.Endpoints, e)
	}
	return c
}

// listedURL is an entry of a list, and where it stands.
type listedURL struct {
	Finding
	url URL
}

func (f *filler) listed(root *node, b []byte) (out []listedURL) {
	if root != nil {
		if !f.want(root, array) {
			return nil
		}
		for _, item := range root.items {
			if f.want(item, text) {
				out = append(out, listedURL{Finding{File: f.file, Line: item.line, Path: item.path()}, URL(item.value)})
			}
		}
		return out
	}
	for i, line := range strings.Split(string(b), "\n") {
		fields := strings.Fields(line)
		switch at := (Finding{File: f.file, Line: i + 1}); {
		case len(fields) == 0 || fields[0][0] == '#':
		case len(fields) > 1 && fields[1][0] != '#':
			at.Why, at.Value = "want one URL on a line, and a comment only behind #", quote(strings.TrimSpace(line))
			f.found = append(f.found, at)
		default:
			out = append(out, listedURL{at, URL(fields[0])})
		}
	}
	return out
}

// nameFor makes a name of host:port that is not taken yet: "relay.example" for port 443, else "relay.example-4433".
func nameFor(host string, taken map[Name]bool) Name {
	base := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._+", r)) {
			return r
		}
		return '-'
	}, strings.TrimSuffix(host, ":443"))
	base = strings.Trim(base, "-._+")
	base = base[:min(len(base), 80)]
	if base == "" {
		base = "relay"
	}
	name := Name(base)
	for n := 2; taken[name]; n++ {
		name = Name(fmt.Sprintf("%s-%d", base, n))
	}
	taken[name] = true
	return name
}
