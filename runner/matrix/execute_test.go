package matrix

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner"
)

// valid holds a run against the schema, as it stands in its folder.
func valid(t *testing.T, dir string) *Run {
	t.Helper()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("run.schema.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("run.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, runFile))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(doc); err != nil {
		t.Errorf("%s: %v", runFile, err)
	}
	run, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func execute(t *testing.T, p *Plan, o Options) *Run {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "run")
	}
	o.Sync = SyncNone
	run, err := Execute(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(run, valid(t, o.Dir)); d != "" {
		t.Errorf("run.json is another run (-returned +written):\n%s", d)
	}
	return run
}

var one = []relays.Draft{"draft-18"}

func TestForeignClients(t *testing.T) {
	tests := []struct {
		behaviour string
		cases     []string // asked for
		status    Status
		reason    string
		want      []string
		attempts  int
		exit      int
	}{
		{"pass", nil, Pass, "", []string{"setup-only pass", "announce-only pass", "subscribe-error pass"}, 1, 0},
		{"pass", []string{"fetch", "join"}, Pass, "", []string{"fetch pass", "join pass"}, 1, 0},
		{"fail", nil, Fail, "announce-only: no answer", []string{"setup-only pass", "announce-only fail x2",
			"subscribe-error pass"}, 2, 1},
		{"fail", []string{"announce-only", "fetch"}, Fail, "announce-only: no answer",
			[]string{"announce-only fail x2", "fetch pass"}, 2, 1},
		{"flaky", nil, Flaky, "announce-only did not fail again: no answer",
			[]string{"setup-only pass", "announce-only flaky x2", "subscribe-error pass"}, 2, 1},
		{"crash-once", nil, Flaky, "the first attempt: the client ended before its last case; exit code 139",
			[]string{"setup-only pass", "announce-only pass", "subscribe-error pass"}, 2, 0},
		{"exit1", nil, Error, "no pass: exit code 1", []string{"setup-only pass", "announce-only pass",
			"subscribe-error pass"}, 2, 1},
		{"exit1", []string{"fetch"}, Error, "no result for 1 of 1 cases, first fetch: the client's report is no pass",
			[]string{"fetch missing x2"}, 2, 1},
		{"exit0", nil, Fail, "setup-only: no", []string{"setup-only fail x2", "announce-only pass",
			"subscribe-error pass"}, 2, 0},
		{"bail", nil, Fail, "setup-only", []string{"setup-only fail x2", "(point 2) missing x2",
			"(point 3) missing x2"}, 2, 1},
		{"bail", []string{"setup-only", "fetch"}, Fail, "setup-only", []string{"setup-only fail x2", "fetch fail x2"},
			2, 1},
		{"only-setup", []string{"setup-only", "join"}, Pass, "", []string{"setup-only pass", "join not-applicable"}, 1,
			0},
		{"only-setup", []string{"join"}, NotApplicable, "does not have the case", []string{"join not-applicable"}, 1,
			127},
		{"other-draft", nil, Error, "was to offer draft-18 alone, and reports draft-14", nil, 1, 0},
		{"silent", nil, Error, "the client reported nothing; exit code 3; it says: no idea", nil, 2, 3},
	}
	var clients []Client
	remember := t.TempDir()
	for i, test := range tests {
		clients = append(clients, asClient(fmt.Sprintf("c%02d", i), test.behaviour,
			filepath.Join(remember, fmt.Sprint(i))))
		if err := os.Mkdir(filepath.Join(remember, fmt.Sprint(i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i, test := range tests {
		t.Run(test.behaviour+" "+strings.Join(test.cases, ","), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "run")
			run := execute(t, planOf(t, 1, one, test.cases, clients[i]), Options{Dir: dir})
			r := run.Cells[0]
			if r.Status != test.status || !strings.Contains(r.Reason, test.reason) || r.Attempts != test.attempts {
				t.Errorf("%s %q after %d, want %s %q after %d\n%+v", r.Status, r.Reason, r.Attempts, test.status,
					test.reason, test.attempts, r)
			}
			if test.want != nil {
				if d := cmp.Diff(test.want, brief(r.Cases)); d != "" {
					t.Errorf("cases (-want +got):\n%s", d)
				}
			}
			if r.ExitCode == nil || *r.ExitCode != test.exit {
				t.Errorf("exit code %v, want %d", r.ExitCode, test.exit)
			}
			if !strings.Contains(r.Command, "MOQT_DRAFT=draft-18") ||
				!strings.Contains(r.Command, "RELAY_URL=moqt://127.0.0.1:10000") {
				t.Errorf("command: %s", r.Command)
			}
			for _, f := range append([]string{r.Files.TAP, r.Files.Transcript, r.Files.Stderr}, r.Files.Retries...) {
				if f == "" {
					continue
				}
				if info, err := os.Stat(filepath.Join(dir, f)); err != nil || info.Size() == 0 {
					t.Errorf("%s: %v", f, err)
				}
			}
			if (r.Files.TAP == "") != (test.behaviour == "silent") ||
				(len(r.Files.Retries) > 0) != (test.attempts > 1 && test.behaviour != "silent") {
				t.Errorf("files: %+v", r.Files)
			}
			if test.behaviour == "fail" {
				if b, err := os.ReadFile(filepath.Join(dir, r.Files.Transcript)); err != nil ||
					!strings.Contains(string(b), "== announce-only: fail\nlayer: request\nmessage: no "+
						"answer\nexpected: an answer\nreceived: nothing\n> SUBSCRIBE\n< nothing\n") {
					t.Errorf("transcript: %v\n%s", err, b)
				}
				if b, err := os.ReadFile(filepath.Join(dir, r.Files.Stderr)); err != nil ||
					!strings.Contains(string(b), "it went wrong") {
					t.Errorf("stderr: %v\n%s", err, b)
				}
			}
		})
	}
}

// The line that repeats a cell does what the run did, in a shell.
func TestCommandsRepeat(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the lines are for a POSIX shell")
	}
	for _, cases := range [][]string{nil, {"fetch"}, {"fetch", "join"}} {
		c := asClient("c", "pass", t.TempDir())
		c.Env["ODD"] = "it's $HOME"
		r := execute(t, planOf(t, 1, one, cases, c), Options{}).Cells[0]
		cmd := program(t.Context(), []string{"sh", "-c", r.Command}, os.Environ())
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if code, err := finish(cmd); err != nil || code == nil || *code != 0 {
			t.Errorf("%v %v: %s", code, err, r.Command)
		}
		for _, name := range cases {
			if !strings.Contains(out.String(), "ok 1 - "+name) {
				t.Errorf("no %s in\n%s", name, out.String())
			}
		}
	}
}

// A foreign client gets the contract's variables of its cell and none of ours, and its placeholders are filled in.
func TestEnvironmentOfClients(t *testing.T) {
	for _, name := range []string{"RELAY_URL", "TESTCASE", "DRAFT", "VERBOSE", "MOQT_ROLE"} {
		t.Setenv(name, "ours")
	}
	c := asClient("c", "env", t.TempDir())
	c.Command = append(c.Command, "-r", "{relay}", "--draft={number}", "-t", "{case}", "{tls-disable-verify}", "-q",
		"{qlog}", `{"a":1}`)
	c.Env["OWN"] = "{draft} over {transport}"
	p := planOf(t, 1, one, nil, c)
	p.Endpoints[0].TLSDisableVerify = true
	p.Endpoints[0].Tolerances = []string{"a", "b"}
	p.ID = p.ref().digest(p.Cells)
	r := execute(t, p, Options{}).Cells[0]
	name, env, _ := strings.Cut(r.Cases[0].Name, " # ")
	if want := `-r moqt://127.0.0.1:10000 --draft=18 --tls-disable-verify {"a":1}`; name != want {
		t.Errorf("arguments %s, want %s", name, want)
	}
	if want := "COMPAT=a,b DRAFT=18 MOQT_DRAFT=draft-18 OWN=draft-18 over quic RELAY_URL=moqt://127.0.0.1:10000 " +
		"TLS_DISABLE_VERIFY=1"; env != want {
		t.Errorf("environment %s, want %s", env, want)
	}
	c.Command = []string{self(), "{nonsense}"}
	if r := execute(t, planOf(t, 1, one, nil, c), Options{NoRetry: true}).Cells[0]; r.Status != Error ||
		!strings.Contains(r.Reason, "no placeholder is called {nonsense}") {
		t.Errorf("%s %s", r.Status, r.Reason)
	}
	c.Command = []string{filepath.Join(t.TempDir(), "nobody")}
	if r := execute(t, planOf(t, 1, one, nil, c), Options{}).Cells[0]; r.Status != Error ||
		!strings.Contains(r.Reason, "did not start") {
		t.Errorf("%s %s", r.Status, r.Reason)
	}
}

// What a slow path leaves open is no word about the relay, and a run of nothing else has tested nothing.
func TestPathTooSlow(t *testing.T) {
	slow := fake(func(_ context.Context, r Request, c cases.Case) runner.Result {
		if r.Cell.Relay == "relay00" && c.ID == "setup-only" {
			return passed(r)
		}
		if c.ID == "announce-only" {
			return runner.Result{Status: runner.Skip, Reason: "no"}
		}
		return runner.Result{Status: runner.Skip, TooSlow: true, Reason: "the path is too slow: 1 Mbit/s"}
	})
	run := execute(t, planOf(t, 2, one, nil, Builtin()), Options{Builtin: slow})
	for i, want := range []struct {
		status Status
		cases  []string
	}{
		{Pass, []string{"setup-only pass", "announce-only skip", "subscribe-error too-slow"}},
		{TooSlow, []string{"setup-only too-slow", "announce-only skip", "subscribe-error too-slow"}},
	} {
		r := run.Cells[i]
		if d := cmp.Diff(want.cases, brief(r.Cases)); d != "" || r.Status != want.status {
			t.Errorf("%s: %s %s (-want +got):\n%s", r.ID, r.Status, r.Reason, d)
		}
	}
	if s := run.Summary(); !strings.HasSuffix(s, ": 1 pass, 1 too-slow") {
		t.Error(s)
	}
	if j := Judge(run, nil); !j.Pass {
		t.Errorf("%+v", j)
	}
	run.Cells = run.Cells[1:]
	if j := Judge(run, nil); j.Pass || !j.Untested {
		t.Errorf("%+v", j)
	}
}

func TestDeadlineOfACell(t *testing.T) {
	t.Parallel() // it mostly waits
	run := execute(t, planOf(t, 1, one, nil, asClient("c", "hang", t.TempDir())),
		Options{CellTimeout: 500 * time.Millisecond})
	r := run.Cells[0]
	if r.Status != Error || !strings.Contains(r.Reason, "the cell's deadline of 500ms: no result for 1 of 3 cases") ||
		r.ExitCode != nil {
		t.Errorf("%s %q %v", r.Status, r.Reason, r.ExitCode)
	}
	block := fake(func(ctx context.Context, r Request, c cases.Case) runner.Result {
		if c.ID == "announce-only" {
			<-ctx.Done()
			return runner.Result{Status: runner.Fail, Message: "cut short"}
		}
		return passed(r)
	})
	r = execute(t, planOf(t, 1, one, nil, Builtin()), Options{CellTimeout: 20 * time.Millisecond,
		Builtin: block}).Cells[0]
	if r.Status != Error || !strings.Contains(r.Reason, "the cell's deadline") {
		t.Errorf("%s %q", r.Status, r.Reason)
	}
}

func TestBuiltinClient(t *testing.T) {
	var mu sync.Mutex
	ran := make(map[string]int)
	run := func(ctx context.Context, r Request, c cases.Case) runner.Result {
		mu.Lock()
		ran[r.Cell.Relay+" "+c.ID]++
		n := ran[r.Cell.Relay+" "+c.ID]
		mu.Unlock()
		switch r.Cell.Relay + " " + c.ID {
		case "relay00 announce-only":
			if n == 1 {
				return runner.Result{Status: runner.Fail, Layer: "request", Message: "late", Expected: "OK",
					Received: "nothing", Transcript: []string{"> A"}, Sessions: passed(r).Sessions}
			}
		case "relay01 subscribe-error":
			return runner.Result{Status: runner.Fail, Level: "MUST", Message: "code 0"}
		case "relay02 setup-only":
			return runner.Result{Status: runner.Fail, Layer: transport.LayerUDP, Message: "nobody there"}
		case "relay03 announce-only":
			return runner.Result{Status: runner.Todo, Level: "SHOULD", Reason: "SHOULD: code"}
		case "relay03 subscribe-error":
			return runner.Result{Status: runner.Skip, Reason: "no"}
		case "relay04 setup-only", "relay04 announce-only", "relay04 subscribe-error":
			return runner.Result{Status: runner.NotApplicable, Reason: "not on this transport"}
		case "relay05 announce-only":
			panic("oh")
		case "relay06 announce-only":
			out := passed(r)
			out.Sessions = []runner.Session{session("publisher", "draft-18", "quic"),
				session("subscriber", "draft-18", "quic")}
			return out
		}
		return passed(r)
	}
	got := execute(t, planOf(t, 7, one, nil, Builtin()),
		Options{Builtin: fake(run), Program: []string{"moq-interop-client"}})
	want := []struct {
		status Status
		layer  string
		cases  []string
	}{
		{Flaky, "request", []string{"setup-only pass", "announce-only flaky x2", "subscribe-error pass"}},
		{Fail, "", []string{"setup-only pass", "announce-only pass", "subscribe-error fail x2"}},
		{Fail, "udp", []string{"setup-only fail x2", "announce-only missing x2", "subscribe-error missing x2"}},
		{Pass, "", []string{"setup-only pass", "announce-only todo", "subscribe-error skip"}},
		{NotApplicable, "", []string{"setup-only not-applicable", "announce-only not-applicable",
			"subscribe-error not-applicable"}},
		{Fail, "", []string{"setup-only pass", "announce-only fail x2", "subscribe-error pass"}},
		{Pass, "", []string{"setup-only pass", "announce-only pass", "subscribe-error pass"}},
	}
	for i, w := range want {
		r := got.Cells[i]
		if r.Status != w.status || r.Layer != w.layer {
			t.Errorf("%s: %s [%s] %q, want %s [%s]", r.ID, r.Status, r.Layer, r.Reason, w.status, w.layer)
		}
		if d := cmp.Diff(w.cases, brief(r.Cases)); d != "" {
			t.Errorf("%s: cases (-want +got):\n%s", r.ID, d)
		}
		if want := "moq-interop-client -r moqt://127.0.0.1:1000" + fmt.Sprint(i) +
			" --transport quic --draft 18"; r.Command != want {
			t.Errorf("command %s, want %s", r.Command, want)
		}
	}
	if l := got.Cells[6].Label; l.Source != Negotiated || l.Draft != "draft-18" || len(l.Roles) != 3 {
		t.Errorf("label %+v", l)
	}
	if l := got.Cells[4].Label; l.Source != Predicted {
		t.Errorf("label %+v, and nobody saw a session", l)
	}
	if n := ran["relay01 subscribe-error"] + ran["relay01 setup-only"]; n != 3 {
		t.Errorf("%d calls: only what failed is repeated", n)
	}
}

// Cells fill all slots, over relays and within one; and the last cell's cases take the slots that nobody else needs.
func TestSlotsAreUsed(t *testing.T) {
	for _, test := range []struct{ relays, perRelay, parallel, want int }{
		{6, 1, 4, 4},   // many relays, one at a time each
		{1, 3, 8, 3},   // one relay, up to its limit
		{2, 4, 100, 8}, // both
	} {
		var now, most atomic.Int64
		full := make(chan struct{})
		run := fake(func(ctx context.Context, r Request, c cases.Case) runner.Result {
			n := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if n == int64(test.want) {
				select {
				case <-full:
				default:
					close(full)
				}
			}
			select {
			case <-full: // every slot was in use at the same time
			case <-time.After(10 * time.Second):
				t.Error("slots stay empty")
			}
			return passed(r)
		})
		p := planOf(t, test.relays, []relays.Draft{"draft-14", "draft-16", "draft-18", "draft-20"}, nil, Builtin())
		execute(t, p, Options{Builtin: run, PerRelay: test.perRelay, Parallel: test.parallel})
		if got := most.Load(); got != int64(test.want) {
			t.Errorf("%+v: %d at once", test, got)
		}
	}
	// One cell alone: its first case runs alone, the others together.
	var together sync.WaitGroup
	together.Add(2)
	run := fake(func(ctx context.Context, r Request, c cases.Case) runner.Result {
		if c.ID != "setup-only" {
			together.Done()
			together.Wait()
		}
		return passed(r)
	})
	p := planOf(t, 1, one, nil, Builtin())
	execute(t, p, Options{Builtin: run, Limits: map[string]int{"RELAY00": 2}, PerRelay: 1})
}

// Programs run one at a time against a relay, in cells and in the cases of a cell, unless more are asked for.
func TestForeignClientsDoNotMeet(t *testing.T) {
	dir := t.TempDir()
	p := planOf(t, 1, []relays.Draft{"draft-14", "draft-16", "draft-18"}, []string{"setup-only", "fetch"},
		asClient("a", "alone", dir), asClient("b", "alone", dir))
	if run := execute(t, p, Options{Parallel: 8, PerRelay: 8}); run.Count(Pass) != len(p.Cells) {
		t.Errorf("%d of %d pass: %s", run.Count(Pass), len(p.Cells), run.Cells[0].Reason)
	}
	p = planOf(t, 1, []relays.Draft{"draft-14", "draft-16"}, nil, asClient("a", "meet", t.TempDir()))
	if run := execute(t, p, Options{Parallel: 8, PerRelay: 8, Foreign: 2}); run.Count(Pass) != len(p.Cells) {
		t.Errorf("%d of %d meet: %s", run.Count(Pass), len(p.Cells), run.Cells[0].Reason)
	}
}
