package relays

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Format is a form in which relays are listed.
type Format string

// The formats.
const (
	// FormatAuto finds out which of the others it is.
	FormatAuto Format = "auto"
	// FormatCatalogue is this package's own format, as Schema describes it.
	FormatCatalogue Format = "catalogue"
	// FormatRegistry is the public registry of implementations that interop runners read (implementations.json).
	FormatRegistry Format = "registry"
	// FormatAiomoqt is the list of relays that aiomoqt's tools read.
	FormatAiomoqt Format = "aiomoqt"
	// FormatURLs is a list of URLs: a JSON list of strings, or a text with a URL on each line, where # begins a
	// comment.
	FormatURLs Format = "urls"
)

// Formats are all formats, for help texts.
func Formats() []Format {
	return []Format{FormatAuto, FormatCatalogue, FormatRegistry, FormatAiomoqt, FormatURLs}
}

// mostBytes bounds a file; the public registry has 20 kB.
const mostBytes = 4 << 20

// BuiltinName is the name under which Open knows the built-in catalogue.
const BuiltinName = "default"

// Open reads catalogues in any format from files and merges them in order, later ones over earlier ones (see Merge).
// The name "default" is the built-in catalogue, and what is there when no name is given: one file alone replaces it,
// "default" and a file extend it. There is a report for each file.
func Open(names ...string) (*Catalogue, []Report, error) {
	if len(names) == 0 {
		names = []string{BuiltinName}
	}
	var all *Catalogue
	var reports []Report
	for _, name := range names {
		c, report, err := open(name)
		if err != nil {
			return nil, reports, err
		}
		if name != BuiltinName {
			reports = append(reports, report)
		}
		if all != nil {
			c = Merge(all, c)
		}
		all = c
	}
	return all, reports, nil
}

func open(name string) (*Catalogue, Report, error) {
	if name == BuiltinName {
		c, err := Default()
		return c, Report{}, err
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, Report{}, fmt.Errorf("relays: %w", err)
	}
	defer file.Close()
	return Import(FormatAuto, name, file)
}

// Load is Import with the format found out.
func Load(name string, r io.Reader) (*Catalogue, Report, error) { return Import(FormatAuto, name, r) }

// Import reads a catalogue from any format; name is the input's, for messages. In the two public formats, what the
// catalogue has no place for and values that make no sense are left out and named in the report. In one's own files,
// catalogues and lists of URLs, they are errors, and so are everywhere input that cannot be read, keys given twice and
// names given twice. Errors about the input are Findings.
func Import(format Format, name string, r io.Reader) (*Catalogue, Report, error) {
	report := Report{File: name, Format: format}
	b, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err != nil {
		return nil, report, fmt.Errorf("relays: reading %s: %w", name, err)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	fail := func(why string) (*Catalogue, Report, error) {
		return nil, report, Findings{{File: name, Line: 1, Why: why}}
	}
	switch {
	case len(b) > mostBytes:
		return fail(fmt.Sprintf("longer than %d bytes", mostBytes))
	case !utf8.Valid(b):
		valid := len(b) - len(bytes.TrimLeftFunc(b, func(r rune) bool { return r != utf8.RuneError }))
		return nil, report, Findings{{File: name, Line: 1 + bytes.Count(b[:valid], []byte("\n")), Why: "not UTF-8"}}
	case len(bytes.TrimSpace(b)) == 0:
		return fail("empty: want a catalogue or a list of URLs")
	case !slices.Contains(Formats(), format):
		return nil, report, fmt.Errorf("relays: unknown format %q: want one of %v", format, Formats())
	}
	var root *node
	if first := bytes.TrimSpace(b)[0]; first == '{' || first == '[' || format != FormatAuto && format != FormatURLs {
		if root, err = parseJSON(name, b); err != nil {
			return nil, report, err
		}
	}
	if format == FormatAuto {
		if format, err = detect(root); err != nil {
			return fail(err.Error())
		}
		report.Format = format
	}
	f := &filler{file: name}
	c := f.read(format, root, b)
	slices.SortStableFunc(f.found, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	if c == nil || len(f.found) > 0 && (format == FormatCatalogue || format == FormatURLs) {
		return nil, report, f.found
	}
	report.Left = f.found
	c.complete()
	return c, report, nil
}

// read gives nil when nothing can be made of the input; then there are findings that say why.
func (f *filler) read(format Format, root *node, b []byte) *Catalogue {
	switch format {
	case FormatCatalogue:
		return f.readCatalogue(root)
	case FormatRegistry:
		return f.readRegistry(root)
	case FormatAiomoqt:
		return f.readAiomoqt(root)
	}
	return f.readURLs(root, b)
}

// detect tells the formats apart by what only they have; root is nil for a text.
func detect(root *node) (Format, error) {
	switch {
	case root == nil || root.kind == array:
		return FormatURLs, nil
	case root.get("relays") != nil:
		return FormatAiomoqt, nil
	case root.get("implementations") == nil:
		return "",
			errors.New(
				`want "implementations" (a catalogue or the public registry), "relays" (aiomoqt's list), or a list ` +
					`of URLs`)
	case root.get("implementations").kind == object:
		return FormatRegistry, nil
	}
	return FormatCatalogue, nil
}

func (f *filler) readCatalogue(root *node) *Catalogue {
	c := &Catalogue{}
	if !f.fill(reflect.ValueOf(c).Elem(), root) || len(f.found) > 0 {
		return nil
	}
	if c.Format != FormatVersion {
		f.add(root.get("format"), fmt.Sprintf("unknown version of the format: want %d", FormatVersion))
		return nil
	}
	c.complete()
	items := root.get("implementations").items
	named := make([]*node, len(items))
	for i, im := range c.Implementations {
		named[i] = items[i].get("name")
		f.implementation(im, items[i])
	}
	f.names(c, named)
	return c
}

// names finds names given twice; the nodes are where the names stand.
func (f *filler) names(c *Catalogue, nodes []*node) (twice bool) {
	first := map[string]int{}
	for i, im := range c.Implementations {
		key := strings.ToLower(string(im.Name))
		if line, known := first[key]; known {
			f.add(nodes[i], fmt.Sprintf("name given twice, first on line %d", line))
			twice = true
			continue
		}
		first[key] = nodes[i].line
	}
	return twice
}

// implementation checks what one value alone does not show. n is what im was read from.
func (f *filler) implementation(im Implementation, n *node) {
	role := func(r Role, at *node) {
		if !slices.Contains(im.Roles, r) {
			f.add(at, fmt.Sprintf("the role %s is not among the implementation's roles", r))
		}
	}
	for i, e := range im.Endpoints {
		at := n.get("endpoints").items[i]
		role(e.Role, at)
		if j := slices.IndexFunc(im.Endpoints[:i], e.same); j >= 0 {
			f.add(at, fmt.Sprintf("the same endpoint as on line %d", n.get("endpoints").items[j].line))
		}
	}
	for i, c := range im.Containers {
		role(c.Role, n.get("containers").items[i])
	}
	if im.Browser != "" {
		role(RoleClient, n.get("browser"))
	}
	for i, c := range im.Commands {
		at := n.get("commands").items[i]
		role(c.Role, at)
		if len(c.Command) == 0 || c.Command[0] == "" {
			f.add(at, "want a program and its arguments")
		}
	}
}

// same tells whether two endpoints would give the same runs.
func (e Endpoint) same(o Endpoint) bool {
	return e.URL == o.URL && e.Role == o.Role && e.Transport == o.Transport && slices.Equal(e.Drafts, o.Drafts)
}
