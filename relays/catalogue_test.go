package relays

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var update = flag.Bool("update", false, "write the golden files")

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("catalogue.schema.json", schema); err != nil {
		return nil, err
	}
	return c.Compile("catalogue.schema.json")
})

// validate holds a document against the schema.
func validate(t testing.TB, b []byte) error {
	t.Helper()
	schema, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

func load(t testing.TB, name, content string) *Catalogue {
	t.Helper()
	c, _, err := Load(name, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mine(t testing.TB) *Catalogue {
	t.Helper()
	b, err := os.ReadFile("testdata/mine.json")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, "mine.json", string(b))
}

// roundTrip writes a catalogue, holds it against the schema, and reads it back.
func roundTrip(t testing.TB, c *Catalogue) {
	t.Helper()
	var b bytes.Buffer
	if err := c.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if err := validate(t, b.Bytes()); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	again, report, err := Load("again.json", &b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again, cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
	if report.Format != FormatCatalogue || len(report.Left) > 0 {
		t.Fatalf("%+v", report)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestDefault(t *testing.T) {
	if err := validate(t, builtin); err != nil {
		t.Fatal(err)
	}
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, c)
	im, ok := c.Find("Embedded")
	if !ok || !im.Endpoints[0].URL.Embedded() {
		t.Fatalf("%+v", im)
	}
	if diff := cmp.Diff(wire.Drafts(), Spoken(im.Drafts)); diff != "" {
		t.Errorf("the embedded relay speaks every draft that the codec does: %s", diff)
	}
	known := append(wire.ToleranceNames(), "no-request-limit")
	for _, im := range c.Implementations {
		for _, e := range append([]Endpoint{{}}, im.Endpoints...) {
			for _, tolerance := range im.TolerancesAt(e) {
				if !slices.Contains(known, string(tolerance)) {
					t.Errorf("%s: tolerance %s is none of this program's", im.Name, tolerance)
				}
			}
		}
	}
	if im, ok := c.Find("localhost"); !ok || im.Endpoints[0].Status != Inactive ||
		im.Endpoints[1].Transport != transport.OnlyWebTransport {
		t.Errorf("%+v", im)
	}
}

// Two callers must not see each other's changes.
func TestDefaultIsTheCallers(t *testing.T) {
	a, _ := Default()
	a.Implementations[0].Name = "changed"
	if b, err := Default(); err != nil || b.Implementations[0].Name != "embedded" {
		t.Fatal(b.Implementations[0].Name, err)
	}
}

func TestMine(t *testing.T) {
	c := mine(t)
	roundTrip(t, c)
	want := Endpoint{URL: "https://alpha.example/pub", Role: RolePublisher, Transport: transport.Auto, Status: Untested}
	if diff := cmp.Diff(want, c.Implementations[0].Endpoints[2]); diff != "" {
		t.Error(diff)
	}
	want = Endpoint{URL: "moqt://beta.example", Role: RoleRelay, Transport: transport.Auto, Status: Active}
	if diff := cmp.Diff(want, c.Implementations[1].Endpoints[0]); diff != "" {
		t.Error(diff)
	}
	alpha := c.Implementations[0]
	if diff := cmp.Diff([]Draft{"draft-18"}, alpha.DraftsAt(alpha.Endpoints[0])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]wire.Draft{18, 16}, Spoken(alpha.DraftsAt(alpha.Endpoints[1]))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Tolerance{"lenient-extensions", "no-request-limit"},
		alpha.TolerancesAt(alpha.Endpoints[0])); diff != "" {
		t.Error(diff)
	}
}

func TestMerge(t *testing.T) {
	base :=
		load(t, "a",
			`{"format": 1, "description": "a", "target": "draft-16", "implementations": [{"name": "x", "roles": [], `+
				`"notes": "old"}, {"name": "y", "roles": []}]}`)
	over :=
		load(t, "b",
			`{"format": 1, "description": "b", "implementations": [{"name": "z", "roles": []}, {"name": "X", `+
				`"roles": ["relay"]}]}`)
	got := Merge(base, over)
	want := &Catalogue{Format: 1, Description: "b", Target: "draft-16", Implementations: []Implementation{
		{Name: "X", Roles: []Role{RoleRelay}}, {Name: "y"}, {Name: "z"},
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"x", "y"}, base.Names()); diff != "" {
		t.Errorf("the base was changed: %s", diff)
	}
	roundTrip(t, got)
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "urls.txt")
	other := filepath.Join(dir, "other.json")
	for name, content := range map[string]string{list: "moqt://mine.example\n",
		other: `["https://other.example:4433/x"]`} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		files []string
		names []string
	}{
		{nil, all.Names()},
		{[]string{list}, []string{"mine.example"}},
		{[]string{list, other}, []string{"mine.example", "other.example-4433"}},
		{[]string{"default", list}, append(all.Names(), "mine.example")},
	} {
		c, reports, err := Open(test.files...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.names, c.Names()); diff != "" {
			t.Errorf("%q: %s", test.files, diff)
		}
		for _, r := range reports {
			if r.Format != FormatURLs || !strings.HasPrefix(r.File, dir) {
				t.Errorf("%q: %+v", test.files, r)
			}
		}
	}
	if _, _, err := Open(filepath.Join(dir, "absent")); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Error(err)
	}
}

func TestValidateWithoutFile(t *testing.T) {
	c := &Catalogue{Implementations: []Implementation{
		{Name: "a", Roles: []Role{RoleRelay}, Endpoints: []Endpoint{{URL: "http://a.example"}}},
	}}
	err := c.Validate()
	const want = "implementations[0].endpoints[0].url: bad URL"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("want %q, got %v", want, err)
	}
}

func TestGolden(t *testing.T) {
	c := mine(t)
	var table, show bytes.Buffer
	if err := WriteTable(&table, c); err != nil {
		t.Fatal(err)
	}
	for _, im := range c.Implementations {
		if err := WriteShow(&show, im); err != nil {
			t.Fatal(err)
		}
	}
	for name, got := range map[string][]byte{"table.golden": table.Bytes(), "show.golden": show.Bytes()} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Text from a file must not reach the terminal as control characters.
func TestTextIsPrintable(t *testing.T) {
	c :=
		load(t, "x",
			`{"format": 1, "implementations": [{"name": "a", "organisation": "\u001b[2J\tx\n", "roles": [], "notes": `+
				`"\u009b1m"}]}`)
	var b bytes.Buffer
	if err := WriteTable(&b, c); err != nil {
		t.Fatal(err)
	}
	if err := WriteShow(&b, c.Implementations[0]); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\u009b\t") || strings.Count(b.String(), "\n") != 6 {
		t.Errorf("%q", b.String())
	}
}
