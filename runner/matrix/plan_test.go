package matrix

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/relays"
)

var update = flag.Bool("update", false, "write the golden files")

// catalogue reads the catalogue of the golden plan.
func catalogue(t *testing.T) *relays.Catalogue {
	t.Helper()
	c, _, err := relays.Open("testdata/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustPlan(t *testing.T, o PlanOptions) *Plan {
	t.Helper()
	p, err := MakePlan(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", name, d)
	}
}

func TestPlanIsGolden(t *testing.T) {
	p := mustPlan(t, PlanOptions{Catalogue: catalogue(t), Clients: []Client{Builtin()},
		Cases: []string{"setup-only", "fetch"}})
	var table, file bytes.Buffer
	if err := p.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteJSON(&file); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.txt", table.Bytes())
	golden(t, "plan.json", file.Bytes())
	back, err := ReadPlan(&file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p, back); d != "" {
		t.Errorf("read back (-made +read):\n%s", d)
	}
}

// cellsOf gives the IDs, for comparing.
func cellsOf(p *Plan) []string {
	ids := []string{}
	for _, c := range p.Cells {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestFilters(t *testing.T) {
	all := PlanOptions{Clients: []Client{Builtin()}, Containers: true, Target: "draft-18"}
	tests := []struct {
		name  string
		set   func(*PlanOptions)
		check func(Cell) bool // what every cell is
		ids   []string        // cells that must be there
		left  string          // a reason that must be there
	}{
		{"one relay", func(o *PlanOptions) { o.Filter.Relays = []string{"Alpha"} },
			func(c Cell) bool { return c.Relay == "alpha" },
			[]string{"builtin/alpha/moqt-alpha.example-4433/draft-18/quic",
				"builtin/alpha/https-down.example-443/draft-18/webtransport"}, "not among the relays asked for"},
		{"a glob does not wake the inactive", func(o *PlanOptions) { o.Filter.Relays = []string{"a*"} },
			func(c Cell) bool { return c.Endpoint != "https-down.example-443" },
			[]string{"builtin/alpha/moqt-alpha.example-4433/draft-18/quic"}, "inactive"},
		{"one client", func(o *PlanOptions) { o.Filter.Clients = []string{"script"} },
			func(c Cell) bool { return c.Client == "script" },
			[]string{"script/embedded/embedded/draft-16/quic"}, "not among the clients asked for"},
		{"at", func(o *PlanOptions) { o.Filter.Only = []Classification{At} },
			func(c Cell) bool { return c.Draft == "draft-18" && c.Classification == At },
			[]string{"builtin/embedded/embedded/draft-18/quic"},
			"ahead of the target draft-18, which was not asked for"},
		{"ahead and behind", func(o *PlanOptions) { o.Filter.Only = []Classification{Ahead, Behind} },
			func(c Cell) bool { return c.Draft != "draft-18" },
			[]string{"builtin/embedded/embedded/draft-22/quic", "builtin/embedded/embedded/draft-14/quic"},
			"at the target draft-18, which was not asked for"},
		{"docker only", func(o *PlanOptions) { o.Filter.Modes = []Kind{KindContainer} },
			func(c Cell) bool { return c.Mode == KindContainer },
			nil, "remote, which was not asked for"},
		{"remote only", func(o *PlanOptions) { o.Filter.Modes = []Kind{KindRemote} },
			func(c Cell) bool { return c.Mode == KindRemote },
			[]string{"builtin/alpha/moqt-alpha.example-4433/draft-18/quic"}, "container, which was not asked for"},
		{"one transport", func(o *PlanOptions) { o.Filter.Transports = []string{"webtransport"} },
			func(c Cell) bool { return c.Transport == "webtransport" },
			[]string{"builtin/embedded/embedded/draft-22/webtransport"}, "not among the transports asked for"},
		{"schemes alone", func(o *PlanOptions) { o.SchemeOnly = true },
			func(c Cell) bool {
				return c.Transport == "quic" || !strings.HasPrefix(c.URL, "moqt:")
			},
			[]string{"builtin/embedded/embedded/draft-22/quic"},
			"not the transport that the endpoint's URL stands for (with --transport auto it may be)"},
		{"drafts", func(o *PlanOptions) { o.Filter.Drafts = []string{"16", "draft-14"} },
			func(c Cell) bool { return c.Draft == "draft-16" || c.Draft == "draft-14" },
			[]string{"builtin/embedded/embedded/draft-14/quic"}, "not among the drafts asked for"},
		{"one cell", func(o *PlanOptions) { o.Filter.Cells = []string{"Builtin/*/embedded/draft-16/quic"} },
			func(c Cell) bool { return c.ID == "builtin/embedded/embedded/draft-16/quic" },
			[]string{"builtin/embedded/embedded/draft-16/quic"}, "not among the cells asked for"},
		{"newest", func(o *PlanOptions) { o.Pin = PinNewest },
			func(c Cell) bool { return c.Newest && c.Draft == c.Predicted },
			[]string{"builtin/embedded/embedded/draft-22/quic", "script/embedded/embedded/draft-18/quic"},
			"shared, but not the newest that is"},
		{"not pinned", func(o *PlanOptions) { o.Pin = PinNone }, func(c Cell) bool {
			return c.Draft == "" &&
				c.Unclaimed == (c.Predicted == "")
		},
			[]string{"builtin/embedded/embedded/any/quic"}, "neither claims it"},
		{"client of one transport", func(o *PlanOptions) {
			o.ClientTransports =
				map[string][]string{"script": {"quic"}}
		},
			func(c Cell) bool { return c.Client != "script" || c.Transport == "quic" },
			[]string{"script/embedded/embedded/draft-18/quic"}, "the client does not speak this transport"},
		{"no engine", func(o *PlanOptions) { o.Containers = false },
			func(c Cell) bool { return c.Mode != KindContainer && c.Client != "boxed" },
			nil, "a container, and no engine to run it with"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := all
			o.Catalogue = catalogue(t)
			test.set(&o)
			p := mustPlan(t, o)
			if len(p.Cells) == 0 {
				t.Fatal("no cells")
			}
			for _, c := range p.Cells {
				if !test.check(c) {
					t.Errorf("should not be there: %+v", c)
				}
			}
			ids := cellsOf(p)
			for _, id := range test.ids {
				if !slices.Contains(ids, id) {
					t.Errorf("no cell %s in\n%s", id, strings.Join(ids, "\n"))
				}
			}
			if !slices.ContainsFunc(p.LeftOut, func(l LeftOut) bool { return l.Reason == test.left }) {
				t.Errorf("nothing left out because %q: %v", test.left, p.LeftOut)
			}
		})
	}
}

// Every draft of every client, endpoint and transport that the cross has is either a cell or left out with a reason.
func TestNothingIsLeftOutSilently(t *testing.T) {
	for _, pin := range []Pin{PinEach, PinNewest} {
		p := mustPlan(t, PlanOptions{Catalogue: catalogue(t), Clients: []Client{Builtin()}, Containers: true, Pin: pin})
		for _, c := range p.Clients {
			for _, e := range p.Endpoints {
				for _, tr := range transports() {
					for _, d := range spoken(nil) {
						n := 0
						for _, cell := range p.Cells {
							if cell.Client == c.Name && cell.Relay == e.Relay && cell.Endpoint == e.Name &&
								cell.Transport == tr && cell.Draft == d {
								n++
							}
						}
						for _, l := range p.LeftOut {
							is := func(have, want string) bool { return have == "" || have == want }
							if is(l.Client, c.Name) && is(l.Relay, e.Relay) && is(l.Endpoint, e.Name) &&
								is(l.Transport, tr) &&
								(len(l.Drafts) == 0 || slices.Contains(l.Drafts, d)) {
								n++
							}
						}
						if n != 1 {
							t.Errorf("pin %s: %s %s %s %s %s: %d cells and reasons, want 1", pin, c.Name, e.Relay,
								e.Name, tr, d, n)
						}
					}
				}
			}
		}
	}
}

func TestPlanRefusesSlips(t *testing.T) {
	tests := []struct {
		name string
		set  func(*PlanOptions)
		want string
	}{
		{"target", func(o *PlanOptions) { o.Target = "draft-99" }, "target"},
		{"pin", func(o *PlanOptions) { o.Pin = "all" }, `pin "all"`},
		{"only without target", func(o *PlanOptions) { o.Target = "none"; o.Filter.Only = []Classification{At} },
			"needs a target"},
		{"classification", func(o *PlanOptions) { o.Filter.Only = []Classification{"near"} }, `only "near"`},
		{"mode", func(o *PlanOptions) { o.Filter.Modes = []Kind{"docker"} }, `mode "docker"`},
		{"transport", func(o *PlanOptions) { o.Filter.Transports = []string{"tcp"} }, `transport "tcp"`},
		{"draft", func(o *PlanOptions) { o.Filter.Drafts = []string{"13"} }, "draft"},
		{"glob", func(o *PlanOptions) { o.Filter.Relays = []string{"[a"} }, "pattern"},
		{"no such relay", func(o *PlanOptions) { o.Filter.Relays = []string{"alpha", "nobody"} },
			`no relay is called "nobody"; there are: embedded, alpha`},
		{"no such client", func(o *PlanOptions) { o.Filter.Clients = []string{"x*"} }, `no client is called "x*"`},
		{"transport of a client", func(o *PlanOptions) { o.ClientTransports = map[string][]string{"script": {"tcp"}} },
			`transport "tcp" of client script`},
		{"transport of nobody", func(o *PlanOptions) { o.ClientTransports = map[string][]string{"x": {"quic"}} },
			`transport of "x"`},
		{"case twice", func(o *PlanOptions) { o.Cases = []string{"fetch", "fetch"} }, "named twice"},
		{"no catalogue", func(o *PlanOptions) { o.Catalogue = nil }, "no catalogue"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := PlanOptions{Catalogue: catalogue(t), Clients: []Client{Builtin()}}
			test.set(&o)
			if _, err := MakePlan(o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestReadPlanRefuses(t *testing.T) {
	p := mustPlan(t, PlanOptions{Catalogue: catalogue(t), Clients: []Client{Builtin()}})
	tests := []struct {
		name   string
		change func(*Plan)
		want   string
	}{
		{"changed", func(p *Plan) { p.Cells[0].URL = "moqt://elsewhere" }, "it was changed"},
		{"tool changed", func(p *Plan) { p.Endpoints[0].TLSDisableVerify = !p.Endpoints[0].TLSDisableVerify },
			"it was changed"},
		{"ID", func(p *Plan) { p.Cells[0].Draft = "draft-19" }, "cell"},
		{"order", func(p *Plan) { p.Cells[0], p.Cells[1] = p.Cells[1], p.Cells[0] }, "does not come after"},
		{"client", func(p *Plan) { p.Clients = p.Clients[1:] }, "no client"},
		{"endpoint", func(p *Plan) { p.Endpoints = nil }, "no endpoint"},
		{"short", func(p *Plan) { p.Cells = p.Cells[1:] }, "cells, want"},
		{"format", func(p *Plan) { p.Format = 9 }, "format 9"},
		{"shard", func(p *Plan) { p.Shard = &Shard{3, 2} }, "shard 3/2"},
		{"path", func(p *Plan) {
			p.Cells[0].Client = ".."
			p.Clients[0].Name = ".."
			p.Cells[0].ID =
				cellID(p.Cells[0])
		}, "cannot be part of a path"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, _ := json.Marshal(p)
			changed := &Plan{}
			if err := json.Unmarshal(b, changed); err != nil {
				t.Fatal(err)
			}
			test.change(changed)
			var file bytes.Buffer
			if err := changed.WriteJSON(&file); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadPlan(&file); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
	for _, text := range []string{"", "{}{}", `{"format":1,"unknown":2}`} {
		if _, err := ReadPlan(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestParseShard(t *testing.T) {
	for text, want := range map[string]Shard{"1/1": {1, 1}, "3/8": {3, 8}} {
		if s, err := ParseShard(text); err != nil || s != want {
			t.Errorf("%s: %v %v", text, s, err)
		}
	}
	for _, text := range []string{"", "1", "0/2", "3/2", "-1/2", "a/b", "1/2/3", "1/0"} {
		if s, err := ParseShard(text); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
}

func TestRunID(t *testing.T) {
	at := time.Date(2026, 11, 22, 13, 4, 5, 0, time.FixedZone("", 3600))
	if a, b := RunID(at, nil), RunID(at, &Shard{2, 8}); a != "2026-11-22T120405Z" || b != a+"-2-of-8" {
		t.Errorf("%s %s", a, b)
	}
}

// big is the catalogue of the figures: 30 relays that all have both transports and all drafts, and as many clients.
func big(n int) PlanOptions {
	c := &relays.Catalogue{Target: "draft-18"}
	o := PlanOptions{Catalogue: c, Containers: true}
	for i := range n {
		c.Implementations = append(c.Implementations,
			relays.Implementation{Name: relays.Name(fmt.Sprintf("relay%d", i)), Roles: []relays.Role{relays.RoleRelay},
				Containers: []relays.Container{{Role: relays.RoleRelay, Image: "relay"}}})
		client := Builtin()
		client.Name = fmt.Sprintf("client%d", i)
		o.Clients = append(o.Clients, client)
	}
	return o
}

func TestPlanOfTheWholeField(t *testing.T) {
	o := big(30)
	start := time.Now()
	p, err := MakePlan(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Part(Shard{3, 16}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("made and sharded in %v, want less than 2 s", took)
	}
	if len(p.Cells) != 30*30*9*2 {
		t.Fatalf("%d cells", len(p.Cells))
	}
	const shards = 4
	seen := make(map[string]int)
	for i := 1; i <= shards; i++ {
		part, err := p.Part(Shard{i, shards})
		if err != nil {
			t.Fatal(err)
		}
		if err := part.Validate(); err != nil {
			t.Fatal(err)
		}
		if n := len(part.Cells); n < len(p.Cells)/shards || n > len(p.Cells)/shards+1 {
			t.Errorf("part %d has %d cells", i, n)
		}
		quic := 0
		for _, c := range part.Cells {
			seen[c.ID]++
			if c.Transport == "quic" {
				quic++
			}
		}
		if quic < len(part.Cells)/3 || quic > len(part.Cells)*2/3 {
			t.Errorf("part %d: %d of %d cells over QUIC", i, quic, len(part.Cells))
		}
	}
	for _, c := range p.Cells {
		if seen[c.ID] != 1 {
			t.Fatalf("%s is in %d parts", c.ID, seen[c.ID])
		}
	}
	if one, again := mustPlan(t, big(4)), mustPlan(t, big(4)); one.ID != again.ID {
		t.Error("the same options made another plan")
	}
	part, _ := p.Part(Shard{2, 3})
	if _, err := part.Part(Shard{1, 2}); err == nil {
		t.Error("a shard of a shard")
	}
	if _, err := p.Part(Shard{0, 2}); err == nil {
		t.Error("shard 0/2")
	}
}

// The ID of a cell outlives changes of its neighbours.
func TestCellIDsAreStable(t *testing.T) {
	c := catalogue(t)
	before := cellsOf(mustPlan(t, PlanOptions{Catalogue: c, Clients: []Client{Builtin()}, Containers: true}))
	slices.Reverse(c.Implementations)
	for i := range c.Implementations {
		slices.Reverse(c.Implementations[i].Endpoints)
	}
	c.Implementations = append(c.Implementations, relays.Implementation{
		Name: "newcomer", Roles: []relays.Role{relays.RoleRelay},
		Endpoints: []relays.Endpoint{{URL: "moqt://new.example", Role: relays.RoleRelay, Transport: "auto",
			Status: relays.Active}},
	})
	after := cellsOf(mustPlan(t, PlanOptions{Catalogue: c, Clients: []Client{Builtin()}, Containers: true}))
	for _, id := range before {
		if !slices.Contains(after, id) {
			t.Errorf("%s is gone", id)
		}
	}
}

func TestKeys(t *testing.T) {
	urls := []relays.URL{
		"moqt://h.example", "moqt://h.example:4443", "https://h.example:4443", "https://h.example:4443/",
		"https://h.example:4443/a-b", "https://h.example:4443/a/b",
		"https://h.example:4443/A", "https://h.example:4443/a", "https://h.example:4443/a?x=1", "moqt://[::1]:4443",
		"moqt://[::2]:4443", "embedded",
		"embedded?fault=a", "embedded?fault=b",
	}
	seen := make(map[string]relays.URL)
	for _, u := range urls {
		key := urlKey(u)
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s are both %s", u, other, key)
		}
		seen[key] = u
		if strings.ContainsAny(key, "/\\:?[]") || key != strings.ToLower(key) {
			t.Errorf("%s: key %s", u, key)
		}
	}
	if a, b := commandKey([]string{"/opt/a b", "c"}, nil, ""), commandKey([]string{"/opt/a", "b c"}, nil, ""); a == b {
		t.Errorf("two commands are %s", a)
	}
	if a, b := containerKey("ghcr.io/x/relay:1", nil, ""), containerKey("ghcr.io/x/relay:2", nil, ""); a == b ||
		!strings.HasPrefix(a, "relay-") {
		t.Errorf("two images are %s and %s", a, b)
	}
}
