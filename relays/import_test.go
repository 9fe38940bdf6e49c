package relays

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// What is wrong with a file is said with its line, its path, what was expected, and what came.
func TestErrors(t *testing.T) {
	const head, tail = "{\"format\": 1,\n\"implementations\": [\n", "\n]}"
	for _, test := range []struct{ name, in, want string }{
		{"empty", " \n", `f:1: empty: want a catalogue or a list of URLs`},
		{"not UTF-8", "moqt://a\n\xff", `f:2: not UTF-8`},
		{"cut", "{\n\"a\": [", `f:2: not JSON: unexpected end`},
		{"broken", "{\n\"a\": x}", `f:2: not JSON: invalid character 'x' looking for beginning of value`},
		{"more", "{}\n{}", `f:2: not JSON: more behind the end of the JSON value`},
		{"deep", strings.Repeat("[", 40), `f:1: not JSON: nested deeper than 32 levels`},
		{"key twice", "{\"relays\": [{\"a\": 1,\n\"a\": 2}]}", `f:2: relays[0].a: given twice, first on line 1`},
		{"no format", `{"x": 1}`,
			`f:1: want "implementations" (a catalogue or the public registry), "relays" (aiomoqt's list), or a list ` +
				`of URLs`},
		{"version", "{\"implementations\": [],\n\"format\": 2}",
			`f:2: format: unknown version of the format: want 1; came 2`},
		{"no version", `{"implementations": []}`, `f:1: want the field format; came {"implementations":[]}`},
		{"not a list", "{\"format\": 1, \"implementations\":\nnull}",
			"f:1: left out, because a required field is not usable; came " +
				"{\"format\":1,\"implementations\":null}\nf:2: implementations: want a list; came null"},
		{"unknown field", head + `{"name": "a", "roles": [], "colour": "red"}` + tail,
			`f:3: implementations[0].colour: no such field here: want one of name, title, organisation, repository, ` +
				`drafts, roles, endpoints, containers, commands, browser, announce_by, tolerances, settings, gating, ` +
				`disabled_suites, xfail_suites, notes; came "red"`},
		{"a token in the file", head + `{"name": "a", "roles": [], "settings": {"auth-token": "s3cret"}}` + tail,
			`f:3: implementations[0].settings.auth-token: want {env:NAME}, a variable of the environment: a secret ` +
				`does not stand in a file; came "s3cret"`},
		{"a factor of nothing", head + `{"name": "a", "roles": [], "settings": {"timeout-factor": 0}}` + tail,
			`f:3: implementations[0].settings.timeout-factor: 0 is not above 0 and at most 1000; came 0`},
		{"a prefix with a hole", head + `{"name": "a", "roles": [], "settings": {"namespace-prefix": "a//b"}}` + tail,
			`f:3: implementations[0].settings.namespace-prefix: bad namespace prefix: "a//b" has an empty field; ` +
				`came "a//b"`},
		{"bad name", head + `{"name": "a b", "roles": []}` + tail,
			"f:3: implementations[0].name: want a name of letters, digits and . _ + -; came \"a b\"\nf:3: " +
				"implementations[0]: left out, because a required field is not usable; came {\"name\":\"a " +
				"b\",\"roles\":[]}"},
		{"name twice", head + "{\"name\": \"a\", \"roles\": []},\n{\"name\": \"A\", \"roles\": []}" + tail,
			`f:4: implementations[1].name: name given twice, first on line 3; came "A"`},
		{"draft", head + `{"name": "a", "roles": [], "drafts": ["draft-18", "draft-23"]}` + tail,
			`f:3: implementations[0].drafts[1]: unknown draft: want draft-NN, not beyond draft-22; came "draft-23"`},
		{"draft's form", head + `{"name": "a", "roles": [], "gating": ["18"]}` + tail,
			`f:3: implementations[0].gating[0]: unknown draft: want draft-NN, not beyond draft-22; came "18"`},
		{"role", head + `{"name": "a", "roles": ["origin"]}` + tail,
			`f:3: implementations[0].roles[0]: unknown role: want relay, client, publisher, subscriber; came "origin"`},
		{"role not listed", head + "{\"name\": \"a\", \"roles\": [\"relay\"], \"endpoints\": " +
			"[\n{\"url\": \"moqt://h\", \"role\": \"client\"}]}" + tail,
			`f:4: implementations[0].endpoints[0]: the role client is not among the implementation's roles; came ` +
				`{"url":"moqt://h","role":"client"}`},
		{"transport",
			head + `{"name": "a", "roles": ["relay"], "endpoints": [{"url": "moqt://h", "transport": "udp"}]}` + tail,
			`f:3: implementations[0].endpoints[0].transport: unknown transport: want quic, webtransport, auto; came ` +
				`"udp"`},
		{"status", head + `{"name": "a", "roles": ["relay"], "endpoints": [{"url": "moqt://h", "status": "up"}]}` +
			tail,
			`f:3: implementations[0].endpoints[0].status: unknown status: want active, inactive, untested; came "up"`},
		{"type",
			head +
				`{"name": "a", "roles": ["relay"], "endpoints": [{"url": "moqt://h", "tls_disable_verify": "yes"}]}` +
				tail, `f:3: implementations[0].endpoints[0].tls_disable_verify: want true or false; came "yes"`},
		{"no URL", head + `{"name": "a", "roles": ["relay"], "endpoints": [{}]}` + tail,
			`f:3: implementations[0].endpoints[0]: want the field url; came {}`},
		{"endpoint twice", head + "{\"name\": \"a\", \"roles\": [\"relay\"], \"endpoints\": " +
			"[{\"url\": \"moqt://h\"},\n{\"url\": \"moqt://h\", \"transport\": \"auto\"}]}" + tail,
			`f:4: implementations[0].endpoints[1]: the same endpoint as on line 3; came {"url":"moqt://h",` +
				`"transport":"auto"}`},
		{"tolerance", head + `{"name": "a", "roles": [], "tolerances": ["A b"]}` + tail,
			`f:3: implementations[0].tolerances[0]: want a tolerance's name of lower-case letters, digits and -; ` +
				`came "A b"`},
		{"command", head + `{"name": "a", "roles": ["relay"], "commands": [{"command": []}]}` + tail,
			`f:3: implementations[0].commands[0]: want a program and its arguments; came {"command":[]}`},
		{"announcement", head + `{"name": "a", "roles": [], "announce_by": ["hello"]}` + tail,
			`f:3: implementations[0].announce_by[0]: unknown announcement: want publish, publish-namespace; came ` +
				`"hello"`},
		{"text", "# relays\nmoqt://a\nhttp://b # no\n",
			`f:3: bad URL (relay URL "http://b": the scheme must be https:// (WebTransport) or moqt:// (QUIC)); came ` +
				`"http://b"`},
		{"two on a line", "moqt://a moqt://b\n",
			`f:1: want one URL on a line, and a comment only behind #; came "moqt://a moqt://b"`},
		{"port", "moqt://a:99999\n",
			`f:1: bad URL (relay URL "moqt://a:99999": bad port "99999"); came "moqt://a:99999"`},
		{"URL twice", "moqt://a\n\nmoqt://a # again\n", `f:3: URL given twice, first on line 1; came "moqt://a"`},
		{"fault", "embedded?faults=x\n",
			`f:1: bad URL (relay "embedded?faults=x": want embedded or embedded?fault=NAME: unknown option "faults");` +
				` came "embedded?faults=x"`},
		{"list", "[\"moqt://a\",\n1,\n\"b\"]", "f:2: [1]: want a string; came 1\nf:3: [2]: bad URL (relay URL \"b\": " +
			"the scheme must be https:// (WebTransport) or moqt:// (QUIC)); came \"b\""},
		{"registry twice", `{"implementations": {"a": {}, "A": {}}}`,
			`f:1: implementations.A: name given twice, first on line 1; came {}`},
		{"aiomoqt twice", "{\"relays\": [{\"name\": \"a\"},\n{\"name\": \"a\"}]}",
			`f:2: relays[1].name: name given twice, first on line 1; came "a"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _, err := Load("f", strings.NewReader(test.in))
			if err == nil {
				t.Fatalf("taken: %+v", c)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
			var found Findings
			if !errors.As(err, &found) || found[0].File != "f" || found[0].Line < 1 {
				t.Errorf("%#v", err)
			}
		})
	}
}

func TestErrorsAreBounded(t *testing.T) {
	_, _, err := Load("f", strings.NewReader(strings.Repeat("nonsense\n", 1000)))
	if lines := strings.Split(err.Error(), "\n"); len(lines) != mostShown+1 || lines[mostShown] != "and 980 more" {
		t.Errorf("%d lines, last %q", len(lines), lines[len(lines)-1])
	}
	_, _, err = Load("f", strings.NewReader(strings.Repeat("#", mostBytes+1)))
	if err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Error(err)
	}
	_, _, err = Load("f", strings.NewReader(`["`+strings.Repeat("x", 100_000)+`"]`))
	if err == nil || len(err.Error()) > 300_000 {
		t.Errorf("%d bytes", len(err.Error()))
	}
	_, _, err = Import("yaml", "f", strings.NewReader("x"))
	if err == nil || !strings.Contains(err.Error(), `unknown format "yaml"`) {
		t.Error(err)
	}
	if _, _, err := Import(FormatRegistry, "f", strings.NewReader("[]")); err == nil ||
		!strings.Contains(err.Error(), "want an object") {
		t.Error(err)
	}
}

// Schema and reader are two descriptions of one format. What the schema allows and the reader refuses needs sight of
// several values, of the codec, or of a URL's inside.
func TestSchemaAndReaderAgree(t *testing.T) {
	const head, tail = `{"format": 1, "implementations": [{"name": "a", "roles": ["relay"], `, `}]}`
	for _, test := range []struct {
		in             string
		schema, reader bool
	}{
		{`{"format": 1, "implementations": []}`, true, true},
		{`{"format": 2, "implementations": []}`, false, false},
		{`{"format": 1, "implementations": [{"roles": []}]}`, false, false},
		{`{"format": 1, "implementations": [{"name": "a"}]}`, false, false},
		{`{"format": 1, "implementations": [], "more": 1}`, false, false},
		{`{"format": 1, "implementations": [], "target": "draft-18"}`, true, true},
		{`{"format": 1, "implementations": [], "target": "18"}`, false, false},
		{`{"format": 1, "implementations": [], "target": "draft-99"}`, true, false},
		{head + `"title": null` + tail, false, false},
		{head + `"drafts": []` + tail, true, true},
		{head + `"drafts": [18]` + tail, false, false},
		{head + `"endpoints": [{"url": "moqt://h"}]` + tail, true, true},
		{head + `"endpoints": [{"url": "MOQT://h/p"}]` + tail, true, true},
		{head + `"endpoints": [{"url": "embedded"}]` + tail, true, true},
		{head + `"endpoints": [{"url": "embedded?fault=x"}]` + tail, true, true},
		{head + `"endpoints": [{"url": "embeddedx"}]` + tail, false, false},
		{head + `"endpoints": [{"url": ""}]` + tail, false, false},
		{head + `"endpoints": [{"url": "h:443"}]` + tail, false, false},
		{head + `"endpoints": [{"url": "ftp://h"}]` + tail, true, false},
		{head + `"endpoints": [{"url": "moqt://h", "transport": ""}]` + tail, false, false},
		{head + `"endpoints": [{"url": "moqt://h", "role": ""}]` + tail, false, false},
		{head + `"endpoints": [{"url": "moqt://h", "tolerances": [""]}]` + tail, false, false},
		{head + `"endpoints": [{"url": "moqt://h", "role": "client"}]` + tail, true, false},
		{head + `"containers": [{"image": ""}]` + tail, false, false},
		{head + `"containers": [{"image": "x y"}]` + tail, false, false},
		{head + `"containers": [{"image": "x", "env": {"A": 1}}]` + tail, false, false},
		{head + `"containers": [{"image": "x", "env": {}, "build": {}}]` + tail, true, true},
		{head + `"containers": [{"image": "x", "build": {"target": "x"}}]` + tail, false, false},
		{head + `"commands": [{"command": []}]` + tail, false, false},
		{head + `"commands": [{"command": [""]}]` + tail, false, false},
		{head + `"commands": [{"command": ["x", ""]}]` + tail, true, true},
		{head + `"browser": "netscape"` + tail, false, false},
		{head + `"browser": "chromium"` + tail, true, false}, // no client
		{`{"format": 1, "implementations": [{"name": "a", "roles": ["client"], "browser": "firefox"}]}`, true, true},
	} {
		if err := validate(t, []byte(test.in)); (err == nil) != test.schema {
			t.Errorf("schema: %s: %v", test.in, err)
		}
		if _, _, err := Load("f", strings.NewReader(test.in)); (err == nil) != test.reader {
			t.Errorf("reader: %s: %v", test.in, err)
		}
	}
}

func TestURLs(t *testing.T) {
	const list = `# mine
moqt://relay.example:4433
https://RELAY.example:4433/moq   # the same relay over HTTP/3
  https://relay.example

embedded
embedded?fault=drop
moqt://[::1]:4443/a
moqt://relay-example
moqt://relay.example-4433
`
	want := []Implementation{
		{Name: "relay.example-4433", Roles: []Role{RoleRelay}, Endpoints: []Endpoint{
			{URL: "moqt://relay.example:4433", Role: RoleRelay, Transport: transport.Auto, Status: Active},
			{URL: "https://RELAY.example:4433/moq", Role: RoleRelay, Transport: transport.OnlyWebTransport,
				Status: Active},
		}},
		{Name: "relay.example", Roles: []Role{RoleRelay}, Endpoints: []Endpoint{
			{URL: "https://relay.example", Role: RoleRelay, Transport: transport.OnlyWebTransport, Status: Active},
		}},
		{Name: "embedded", Roles: []Role{RoleRelay},
			Endpoints: []Endpoint{{URL: "embedded", Role: RoleRelay, Transport: transport.Auto, Status: Active}}},
		{Name: "embedded-fault-drop", Roles: []Role{RoleRelay},
			Endpoints: []Endpoint{{URL: "embedded?fault=drop", Role: RoleRelay, Transport: transport.Auto,
				Status: Active}}},
		{Name: "1--4443", Roles: []Role{RoleRelay},
			Endpoints: []Endpoint{{URL: "moqt://[::1]:4443/a", Role: RoleRelay, Transport: transport.Auto,
				Status: Active}}},
		{Name: "relay-example", Roles: []Role{RoleRelay},
			Endpoints: []Endpoint{{URL: "moqt://relay-example", Role: RoleRelay, Transport: transport.Auto,
				Status: Active}}},
		{Name: "relay.example-4433-2", Roles: []Role{RoleRelay},
			Endpoints: []Endpoint{{URL: "moqt://relay.example-4433", Role: RoleRelay, Transport: transport.Auto,
				Status: Active}}},
	}
	c := load(t, "list.txt", list)
	if diff := cmp.Diff(want, c.Implementations); diff != "" {
		t.Error(diff)
	}
	roundTrip(t, c)
	c = load(t, "list.json", `["moqt://a", "https://a/x"]`)
	if diff := cmp.Diff([]string{"a"}, c.Names()); diff != "" || len(c.Implementations[0].Endpoints) != 2 {
		t.Errorf("%s %+v", diff, c)
	}
	if c := load(t, "comments.txt", "# nothing yet\n"); len(c.Implementations) != 0 {
		t.Errorf("%+v", c)
	}
}

// What of the public formats makes no sense is left out alone, and named; the rest is taken.
func TestImportNamesWhatItLeaves(t *testing.T) {
	registry := `{
"version": "2.0", "current_target": "draft-40",
"implementations": {
 "good": {"name": "Good", "draft_versions": ["draft-18", "draft-23"], "licence": "MIT", "roles": {
  "relay": {"remote": [
    {"url": "moqt://a", "transport": "udp"},
    {"url": "a:443", "transport": "quic", "notes": "lost with its URL"},
    {"transport": "quic"},
    {"url": "moqt://b", "transport": "quic", "draft_version": "draft-16"},
    {"url": "moqt://b", "transport": "quic", "draft_version": "draft-16", "notes": "again"}],
   "docker": {"build": {"context": "x"}}},
  "origin": {"remote": []}}},
 "not good": {"name": "x"},
 "odd": []
}}`
	c, report, err := Load("r", strings.NewReader(registry))
	if err != nil {
		t.Fatal(err)
	}
	want := []Implementation{{Name: "good", Title: "Good", Drafts: []Draft{"draft-18"}, Roles: []Role{RoleRelay},
		Endpoints: []Endpoint{
			{URL: "moqt://a", Role: RoleRelay, Transport: transport.Auto, Status: Active},
			{URL: "moqt://b", Role: RoleRelay, Transport: transport.OnlyQUIC, Drafts: []Draft{"draft-16"},
				Status: Active},
		}}}
	if diff := cmp.Diff(want, c.Implementations, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	var paths []string
	for _, f := range report.Lost() {
		paths = append(paths, f.Path)
	}
	good := "implementations.good."
	wantPaths := []string{
		"current_target", "version", good + "draft_versions[1]", good + "licence",
		good + "roles.relay.remote[0].transport",
		good + "roles.relay.remote[1].url", good + "roles.relay.remote[1]", good + "roles.relay.remote[2]",
		good + "roles.relay.remote[4]",
		good + "roles.relay.docker", good + "roles.origin", `implementations["not good"]`, "implementations.odd",
	}
	if diff := cmp.Diff(wantPaths, paths); diff != "" {
		t.Error(diff)
	}

	list := `{"_schema": {}, "relays": [
{"name": "a", "urls": {"raw-quic": "moqt://a", "h2": "https://a"}, "drafts": [18, 23, "16"], "pub_mode": "shout", ` +
		`"compat": ["x y"], "disabled": true, "insecure": true},
{"name": "b", "urls": {"h3-wt": "b"}, "insecure": true, "disabled": false},
{"urls": {}}, 7]}`
	c, report, err = Load("l", strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	want = []Implementation{
		{Name: "a", Drafts: []Draft{"draft-18"}, Roles: []Role{RoleRelay}, Endpoints: []Endpoint{
			{URL: "moqt://a", Role: RoleRelay, Transport: transport.OnlyQUIC, TLSDisableVerify: true,
				Status: Inactive}}},
		{Name: "b", Roles: []Role{RoleRelay}},
	}
	if diff := cmp.Diff(want, c.Implementations, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	var b strings.Builder
	if err := report.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	wantText := `l:1: _schema: about the file itself, which a catalogue has no place for; came {}
l:2: relays[0].urls.h2: no such field here: want one of raw-quic, h3-wt; came "https://a"
l:2: relays[0].drafts[1]: unknown draft: want a number, not beyond 22; came 23
l:2: relays[0].drafts[2]: want a whole number; came "16"
l:2: relays[0].pub_mode: unknown mode: want publish, publish-ns, publish-both; came "shout"
l:2: relays[0].compat[0]: want a tolerance's name of lower-case letters, digits and -; came "x y"
l:3: relays[1].urls.h3-wt: bad URL (relay URL "b": the scheme must be https:// (WebTransport) or moqt:// (QUIC)); ` +
		`came "b"
l:3: relays[1].insecure: holds for URLs, and there is none; came true
l:4: relays[2]: want the field name; came {"urls":{}}
l:4: relays[3]: want an object; came 7
`
	if diff := cmp.Diff(wantText, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestFailingReaderAndWriter(t *testing.T) {
	broken := errors.New("broken")
	if _, _, err := Load("f", failing{broken}); !errors.Is(err, broken) || !strings.Contains(err.Error(), "f") {
		t.Error(err)
	}
	c := mine(t)
	for name, write := range map[string]func() error{
		"table":  func() error { return WriteTable(failing{broken}, c) },
		"show":   func() error { return WriteShow(failing{broken}, c.Implementations[0]) },
		"json":   func() error { return c.WriteJSON(failing{broken}) },
		"report": func() error { return Report{Left: Findings{{Why: "x"}}}.WriteText(failing{broken}) },
	} {
		if err := write(); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }
