package matrix

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner"
)

// read reads one in its own format.
func read(t testing.TB, implementations string) *relays.Catalogue {
	t.Helper()
	c, _, err := relays.Load("test.json", strings.NewReader(`{"format": 1, "implementations": [`+implementations+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func planned(t testing.TB, o PlanOptions) *Plan {
	t.Helper()
	if o.Filter.Transports == nil {
		o.Filter.Transports = []string{"quic"}
	}
	p, err := MakePlan(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const settled = `{"name": "r", "drafts": ["draft-18"], "roles": ["relay"],
  "tolerances": ["lenient-extensions"],
  "settings": {"auth-token": "{env:R_TOKEN}", "namespace-prefix": "a/b", "compat": ["no-request-limit"],
    "strict": true},
  "endpoints": [{"name": "main", "url": "moqt://127.0.0.1:9", "settings": {"timeout-factor": 2, "tls": "no-verify"}}]}`

// What the endpoint says goes before what its entry says, and that before the flags; a token is a name everywhere but
// in the environment.
func TestSettings(t *testing.T) {
	t.Setenv("R_TOKEN", "very-secret")
	dir := t.TempDir()
	client := asClient("teller", "tells", dir)
	client.Env["OTHER"] = "{env:R_TOKEN}"
	p := planned(t, PlanOptions{Catalogue: read(t, settled), Clients: []Client{Builtin(), client},
		Settings: relays.Settings{NamespacePrefix: "flag", TimeoutFactor: 9, Compat: []relays.Tolerance{
			"largest-object-length"}}})
	e := p.Endpoints[0]
	want := relays.Settings{AuthToken: "{env:R_TOKEN}", NamespacePrefix: "a/b", TimeoutFactor: 2, Strict: true}
	if d := cmp.Diff(want, e.Settings); d != "" || !e.TLSDisableVerify || e.Name != "main" {
		t.Errorf("%+v: %s", e, d)
	}
	tolerances := []string{"lenient-extensions", "largest-object-length", "no-request-limit"}
	if d := cmp.Diff(tolerances, e.Tolerances); d != "" {
		t.Error(d)
	}
	var got atomic.Value
	run := execute(t, p, Options{Dir: filepath.Join(dir, "run"), NoRetry: true, Builtin: fake(func(_ context.Context,
		r Request, _ cases.Case) runner.Result {
		got.Store(r)
		out := passed(r)
		out.Notes = []string{"it took " + r.AuthToken}
		return out
	})})
	if r := got.Load().(Request); r.AuthToken != "very-secret" {
		t.Errorf("the client got %q", r.AuthToken)
	}
	if c := run.Cells[1]; !strings.Contains(c.Reason, "refused {env:R_TOKEN}{env:R_TOKEN}") ||
		!strings.HasPrefix(c.Command, `AUTH_TOKEN="$R_TOKEN" OTHER="$R_TOKEN" env RELAY_URL=`) ||
		!strings.Contains(c.Command, "NAMESPACE_PREFIX=a/b") {
		t.Errorf("%s\n%s", c.Reason, c.Command)
	}
	if c := run.Cells[0]; !strings.HasPrefix(c.Command, `AUTH_TOKEN="$R_TOKEN" moq-interop-client -r `) ||
		!strings.Contains(c.Command, "--namespace-prefix a/b --timeout-factor 2 --strict") {
		t.Error(c.Command)
	}
	files := 0
	fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if b, err := os.ReadFile(filepath.Join(dir, path)); err == nil {
			if files++; strings.Contains(string(b), "very-secret") {
				t.Errorf("%s has the secret", path)
			}
		}
		return nil
	})
	if files < 4 {
		t.Errorf("%d files were looked into", files)
	}
}

func TestSecretsThatAreNotThere(t *testing.T) {
	t.Setenv("R_TOKEN", "")
	p := planned(t, PlanOptions{Catalogue: read(t, settled), Clients: []Client{Builtin()}})
	c := execute(t, p, Options{NoRetry: true, Builtin: fake(nil)}).Cells[0]
	if c.Status != Error || !strings.Contains(c.Reason, "the variable R_TOKEN, which has a secret, is not set") {
		t.Errorf("%s %s", c.Status, c.Reason)
	}
	if _, err := here(&Options{}, nil).expand([]string{"x", "{env:HOME}"}); err == nil ||
		!strings.Contains(err.Error(), "list of processes") {
		t.Errorf("a secret among arguments: %v", err)
	}
}

func TestPlanRefuses(t *testing.T) {
	for entry, want := range map[string]string{
		`{"name": "r", "roles": ["relay"], "endpoints": [{"url": "embedded?fault=drop-objct"}]}`: `relay r: unknown ` +
			`fault "drop-objct": did you mean drop-object`,
		`{"name": "r", "roles": ["relay"], "tolerances": ["kindness"], "endpoints": [{"url": "embedded"}]}`: `relay ` +
			`r: unknown tolerance "kindness"`,
		`{"name": "c", "roles": ["client"], "commands": [{"role": "client", "command": ["x"],
			"settings": {"strict": true}}]}`: "settings are those of a relay",
	} {
		c := read(t, entry)
		if _, err := MakePlan(PlanOptions{Catalogue: c, Clients: []Client{Builtin()}}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", entry, err, want)
		}
	}
}

// A client has the transports that the catalogue says, names of its own for cases, and a name that stays.
func TestClientsOfTheCatalogue(t *testing.T) {
	c := read(t, `{"name": "r", "drafts": ["draft-18"], "roles": ["relay"], "repository": "https://git.example/r",
		"endpoints": [{"url": "moqt://r.example"}]},
		{"name": "c", "drafts": ["draft-18"], "roles": ["client"], "commands": [
		  {"role": "client", "name": "old", "command": ["c", "--v1"], "transports": ["quic"], "cases": ["its-own"]},
		  {"role": "client", "name": "new", "command": ["c", "--v2"]}]}`)
	var got []string
	p := planned(t, PlanOptions{Catalogue: c, Filter: Filter{Transports: transports()}})
	for _, cell := range p.Cells {
		got = append(got, cell.Client+" "+cell.Transport)
	}
	if d := cmp.Diff([]string{"c+new quic", "c+new webtransport", "c+old quic"}, got); d != "" {
		t.Error(d)
	}
	if p.Repositories["r"] != "https://git.example/r" {
		t.Errorf("%v", p.Repositories)
	}
	p = planned(t, PlanOptions{Catalogue: c, Cases: []string{"its-own"}, Clients: []Client{Builtin()}})
	if len(p.Cells) != 1 || p.Cells[0].Client != "c+old" {
		t.Errorf("%+v", p.Cells)
	}
	if got := casesOf([]string{"fetch", "its-own"}, p.Clients, Builtin()); !slices.Equal(got, []string{"fetch"}) {
		t.Errorf("%q", got)
	}
}

// A container has a way to a relay on loopback only where it can be in the host's network.
func TestContainerAndLoopback(t *testing.T) {
	c := read(t, `{"name": "r", "drafts": ["draft-18"], "roles": ["relay"], "endpoints": [
		{"url": "moqt://localhost:4443"}, {"url": "moqt://r.example"}]},
		{"name": "c", "drafts": ["draft-18"], "roles": ["client"], "containers": [{"role": "client", "image": "i",
		  "args": ["--relay", "{relay}", "-t", "{case}"]}]}`)
	if p := planned(t, PlanOptions{Catalogue: c, Containers: true}); len(p.Cells) != 1 ||
		!slices.ContainsFunc(p.LeftOut, func(l LeftOut) bool { return strings.Contains(l.Reason, "--network host") }) {
		t.Errorf("%+v %+v", p.Cells, p.LeftOut)
	}
	p := planned(t, PlanOptions{Catalogue: c, Containers: true, HostNetwork: true})
	f := foreign{o: &Options{Engine: "docker"}, spec: p.Clients[0]}
	w := &work{cell: p.Cells[0], url: p.Cells[0].URL}
	if got := f.repeat(w, nil); got != "docker run --rm --network host -e RELAY_URL=moqt://localhost:4443 -e "+
		"MOQT_DRAFT=draft-18 -e DRAFT=18 i --relay moqt://localhost:4443" {
		t.Error(got)
	}
}

// A report that says what the cell is not is an error, whoever says it.
func TestContradictions(t *testing.T) {
	dir := t.TempDir()
	raw := asClient("raw", "raw", dir)
	p := planned(t, PlanOptions{Catalogue: read(t, `{"name": "r", "drafts": ["draft-18"], "roles": ["relay"],
		"endpoints": [{"url": "https://127.0.0.1:9"}]}`), Clients: []Client{raw, asClient("silent", "errors", dir)},
		Filter: Filter{Transports: []string{"webtransport"}}})
	run := execute(t, p, Options{NoRetry: true})
	const told = "was to use webtransport, and reports quic"
	if c := run.Cells[0]; c.Status != Error || !strings.Contains(c.Reason, told) || c.Count(Pass) != 0 {
		t.Errorf("%s %s %v", c.Status, c.Reason, c.Cases)
	}
	if c := run.Cells[1]; !strings.HasSuffix(c.Reason, "it says: ValueError: no such host") {
		t.Error(c.Reason)
	}
}

// One dead relay among fifteen costs less than five seconds: it is asked once, and nothing is run against it.
func TestRelayThatIsDown(t *testing.T) {
	t.Parallel()
	var runs, asked atomic.Int64
	p := planOf(t, 15, []relays.Draft{"draft-16", "draft-18"}, nil, Builtin())
	start := time.Now()
	run := execute(t, p, Options{
		Builtin: fake(func(_ context.Context, r Request, _ cases.Case) runner.Result {
			if r.Cell.Relay == "relay07" {
				runs.Add(1)
			}
			return passed(r)
		}),
		Probe: func(ctx context.Context, url string) error {
			switch {
			case strings.HasSuffix(url, ":10007"): // never answers
				asked.Add(1)
				<-ctx.Done()
				return &transport.DialError{Layer: transport.LayerUDP, Reason: "silence"}
			case strings.HasSuffix(url, ":10003"): // refuses: it is there
				return &transport.DialError{Layer: transport.LayerTLS, Reason: "bad certificate"}
			}
			return nil
		}})
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if run.Count(Down) != 2 || run.Count(Pass) != 28 || runs.Load() != 0 || asked.Load() != 1 {
		t.Errorf("%s; %d runs, asked %d times", run.Summary(), runs.Load(), asked.Load())
	}
	j := Judge(run, nil)
	if j.Pass || len(j.Down) != 2 || len(j.Errors) != 0 || !strings.Contains(j.Down[0], "the relay is down: udp") {
		t.Errorf("%+v", j)
	}
}

// The path of a command's URL stays, whatever port it is given.
func TestPathBehindThePort(t *testing.T) {
	var url atomic.Value
	p := commandPlan(t, "", "moqt://127.0.0.1:{port}/live/x", one, Builtin())
	keep := func(_ context.Context, r Request, _ cases.Case) runner.Result {
		url.Store(r.URL)
		return passed(r)
	}
	run := execute(t, p, Options{Probe: probe, Builtin: fake(keep)})
	if got := url.Load().(string); run.Count(Pass) != 1 || !strings.HasSuffix(got, "/live/x") ||
		strings.Contains(got, "{port}") {
		t.Errorf("%s %s", run.Summary(), got)
	}
}
