package matrix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner"
)

// commandPlan has one relay that is the test binary with a behaviour.
func commandPlan(t *testing.T, behaviour, url string, drafts []relays.Draft, clients ...Client) *Plan {
	t.Helper()
	c := &relays.Catalogue{Implementations: []relays.Implementation{{
		Name: "started", Drafts: drafts, Roles: []relays.Role{relays.RoleRelay},
		Commands: []relays.Command{{Role: relays.RoleRelay, Command: []string{self(), "--port", "{port}", "--cert",
			"{cert}"}, URL: relays.ServedURL(url), Env: map[string]string{roleName: "relay:" + behaviour}}},
	}}}
	p, err := MakePlan(PlanOptions{Catalogue: c, Clients: clients, Filter: Filter{Transports: []string{"quic"}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// certificate is Options.Certificate without a certificate.
func certificate(dir string) (string, string, error) {
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "priv.key")
	return cert, key, errors.Join(os.WriteFile(cert, nil, 0o600), os.WriteFile(key, nil, 0o600))
}

func TestCommandRelay(t *testing.T) {
	t.Parallel() // it mostly waits
	var seen atomic.Value
	ping := fake(func(ctx context.Context, r Request, _ cases.Case) runner.Result {
		if err := exchange(ctx, r.URL, "hello"); err != nil {
			return runner.Result{Status: runner.Fail, Message: err.Error()}
		}
		seen.Store(r)
		return passed(r)
	})
	for _, behaviour := range []string{"", "stubborn"} {
		dir := filepath.Join(t.TempDir(), "run")
		start := time.Now()
		run := execute(t, commandPlan(t, behaviour, "", []relays.Draft{"draft-16", "draft-18"}, Builtin()),
			Options{Dir: dir, Builtin: ping, Probe: probe, Certificate: certificate, QLOG: true})
		for _, c := range run.Cells {
			if c.Status != Pass {
				t.Errorf("%s: %s %s", c.ID, c.Status, c.Reason)
			}
		}
		r := seen.Load().(Request)
		if !strings.HasPrefix(r.URL, "moqt://127.0.0.1:") || !r.TLSDisableVerify || r.Instance == nil ||
			r.QLOGDir == "" {
			t.Errorf("%+v", r)
		}
		b, err := os.ReadFile(filepath.Join(dir, "relays", "started", run.Cells[0].Endpoint+".log"))
		if n := strings.Count(string(b), "relay on "); err != nil || n != 1 ||
			!strings.Contains(string(b), "cert.pem") {
			t.Errorf("started %d times: %v\n%s", n, err, b)
		}
		if behaviour == "" && runtime.GOOS != "windows" && !strings.Contains(string(b), "asked to end") {
			t.Errorf("not asked to end:\n%s", b)
		}
		if took := time.Since(start); behaviour == "" && took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		if err := exchange(t.Context(), r.URL, "hello"); err == nil {
			t.Error("the relay is still there")
		}
	}
}

// A relay that dies is the result of the cell that killed it; the next one has a new relay.
func TestRelayThatDies(t *testing.T) {
	var calls atomic.Int64
	w := &watcher{}
	kill := fake(func(ctx context.Context, r Request, c cases.Case) runner.Result {
		word := "hello"
		if r.Cell.Draft == "draft-16" && c.ID == "announce-only" && calls.Add(1) == 1 {
			word = "die"
		}
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if err := exchange(ctx, r.URL, word); err != nil {
			if word == "die" {
				select {
				case <-r.Instance.Done:
				case <-ctx.Done():
					t.Error("it did not die")
				}
			}
			return runner.Result{Status: runner.Fail, Message: "the connection is gone"}
		}
		return passed(r)
	})
	run := execute(t, commandPlan(t, "", "", []relays.Draft{"draft-16", "draft-18"}, Builtin()),
		Options{Builtin: kill, Probe: probe, PerRelay: 1, Progress: w})
	died, next := run.Cells[0], run.Cells[1]
	if died.Status != Error || !strings.HasPrefix(died.Reason, "the relay died in announce-only (exit code 5") {
		t.Errorf("%s %s %q", died.Status, died.Reason, died.Notes)
	}
	if next.Status != Pass {
		t.Errorf("%s %s", next.Status, next.Reason)
	}
	if len(w.notes) != 1 || !strings.Contains(w.notes[0], "starting it again") {
		t.Errorf("notes %q", w.notes)
	}
}

func TestRelaysThatDoNotStart(t *testing.T) {
	t.Parallel() // it mostly waits
	pass := fake(func(_ context.Context, r Request, _ cases.Case) runner.Result { return passed(r) })
	taken, err := freeport.UDP()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		plan *Plan
		o    Options
		want string
	}{
		{"ends at once", commandPlan(t, "dies", "", one, Builtin()), Options{},
			"the relay did not start: it ended: exit code 4; it says: cannot go on"},
		{"never binds", commandPlan(t, "never", "", one, Builtin()), Options{StartTimeout: 200 * time.Millisecond},
			"was not ready within 200ms: no UDP socket is bound to its port"},
		// A busy machine may take more than a second to start the program and see its socket.
		{"no handshake", commandPlan(t, "", "", one, Builtin()), Options{StartTimeout: 2 * time.Second, NoRetry: true,
			Probe: func(context.Context, string) error { return errors.New("alert 120") }},
			"was not ready within 2s: no QUIC handshake with moqt://127.0.0.1:"},
		{"port taken", commandPlan(t, "", fmt.Sprintf("moqt://127.0.0.1:%d", taken), one, Builtin()), Options{},
			fmt.Sprintf("its UDP port %d is taken", taken)},
		{"no embedded relay", embeddedPlan(t), Options{}, "there is no embedded relay here"},
		{"embedded relay fails", embeddedPlan(t),
			Options{Embedded: func(context.Context, Endpoint) (*Instance, error) {
				return nil,
					errors.New("no socket")
			}}, "did not start: no socket"},
		{"no certificate", commandPlan(t, "", "", one, Builtin()),
			Options{Certificate: func(string) (string, string, error) { return "", "", errors.New("no entropy") }},
			"its certificate: no entropy"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.o.StartTimeout > 0 {
				t.Parallel() // it mostly waits
			}
			if test.name == "never binds" && !canSeePorts {
				t.Skip("ports cannot be seen here")
			}
			if test.name == "port taken" {
				release := hold(t, taken)
				defer release()
			}
			test.o.Builtin = pass
			r := execute(t, test.plan, test.o).Cells[0]
			if r.Status != Error || !strings.Contains(r.Reason, test.want) || r.Attempts != 0 || r.Command != "" {
				t.Errorf("%s %q after %d, want %q", r.Status, r.Reason, r.Attempts, test.want)
			}
		})
	}
}

func embeddedPlan(t *testing.T) *Plan {
	t.Helper()
	p, err := MakePlan(PlanOptions{
		Catalogue: &relays.Catalogue{Implementations: []relays.Implementation{{
			Name: "embedded", Drafts: one, Roles: []relays.Role{relays.RoleRelay},
			Endpoints: []relays.Endpoint{{URL: "embedded", Role: relays.RoleRelay, Transport: "auto",
				Status: relays.Active}},
		}}},
		Clients: []Client{Builtin()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEmbeddedRelay(t *testing.T) {
	stopped := 0
	embedded := func(_ context.Context, e Endpoint) (*Instance, error) {
		return &Instance{Address: "127.0.0.1:5", Value: "mine " + e.URL, Stop: func() { stopped++ }}, nil
	}
	urls := make(chan string, 10)
	pass := fake(func(_ context.Context, r Request, _ cases.Case) runner.Result {
		urls <- r.URL + " " + r.Instance.Value.(string)
		return passed(r)
	})
	run := execute(t, embeddedPlan(t), Options{Builtin: pass, Embedded: embedded})
	close(urls)
	var got []string
	for u := range urls {
		got = append(got, u)
	}
	slices.Sort(got)
	if want := []string{"https://127.0.0.1:5 mine embedded", "moqt://127.0.0.1:5 mine embedded"}; !slices.Equal(
		slices.Compact(got), want) {
		t.Errorf("%q", got)
	}
	if run.Count(Pass) != 2 || stopped != 1 {
		t.Errorf("%d passed, stopped %d times", run.Count(Pass), stopped)
	}
	if got := run.Cells[0].Command; got != "moq-interop-client -r embedded --transport quic --draft 18" {
		t.Errorf("command %s", got)
	}
}

// playEngine is a container engine that runs the test binary in place of images, and keeps what it was asked.
func playEngine() {
	log, err := os.OpenFile(os.Getenv("MATRIX_TEST_LOG"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		os.Exit(9)
	}
	args := os.Args[1:]
	fmt.Fprintln(log, strings.Join(args, " "))
	log.Close()
	if args[0] == "image" && args[2] != "here" {
		fmt.Println("no such image")
		os.Exit(1)
	}
	if args[0] == "pull" && args[1] == "nowhere" {
		fmt.Println("denied")
		os.Exit(1)
	}
	if args[0] != "run" {
		os.Exit(0)
	}
	publish := ""
	for i, a := range args {
		switch a {
		case "-e":
			name, value, _ := strings.Cut(args[i+1], "=")
			os.Setenv(name, value)
		case "-p":
			publish = args[i+1]
		}
	}
	if image := args[len(args)-1]; image == "broken" {
		fmt.Fprintln(os.Stderr, "exec format error")
		os.Exit(126)
	}
	if publish == "" {
		playClient("pass")
	}
	os.Setenv("MOQT_PORT", strings.Split(publish, ":")[1])
	playRelay("")
}

func TestContainers(t *testing.T) {
	box := func(name, image string) Client {
		c := Builtin()
		c.Name, c.Kind, c.Image, c.Env = name, KindContainer, image, map[string]string{"OWN": "1"}
		return c
	}
	c := &relays.Catalogue{Implementations: []relays.Implementation{
		{Name: "boxed", Drafts: one, Roles: []relays.Role{relays.RoleRelay},
			Containers: []relays.Container{{Role: relays.RoleRelay, Image: "here", URL: "moqt://relay:4443/p",
				Env: map[string]string{"R": "2"}}}},
		{Name: "embedded", Drafts: one, Roles: []relays.Role{relays.RoleRelay},
			Endpoints: []relays.Endpoint{{URL: "embedded", Role: relays.RoleRelay, Transport: "quic",
				Status: relays.Active}}},
		{Name: "remote", Drafts: one, Roles: []relays.Role{relays.RoleRelay},
			Endpoints: []relays.Endpoint{{URL: "moqt://r.example", Role: relays.RoleRelay, Transport: "quic",
				Status: relays.Active}}},
		{Name: "gone", Drafts: one, Roles: []relays.Role{relays.RoleRelay},
			Containers: []relays.Container{{Role: relays.RoleRelay, Image: "nowhere", URL: "moqt://relay:4443"}}},
	}}
	p, err := MakePlan(PlanOptions{Catalogue: c, Clients: []Client{box("good", "there"), box("bad", "broken")},
		Containers: true, HostNetwork: true, Filter: Filter{Transports: []string{"quic"}}})
	if err != nil {
		t.Fatal(err)
	}
	log, dir := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "run")
	t.Setenv(roleName, "engine")
	t.Setenv("MATRIX_TEST_LOG", log)
	run := execute(t, p, Options{
		Dir: dir, Engine: self(), Certificate: certificate, QLOG: true,
		Probe: func(ctx context.Context, url string) error {
			if url == "moqt://r.example" {
				return nil
			}
			return probe(ctx, url)
		},
		Embedded: func(context.Context, Endpoint) (*Instance, error) {
			return &Instance{Address: "127.0.0.1:5", Stop: func() {}}, nil
		},
	})
	var got []string
	for _, r := range run.Cells {
		got = append(got, fmt.Sprintf("%s %s %s %s", r.Client, r.Relay, r.Status, r.Reason))
	}
	broken := "error the container did not start (exit code 126): exec format error"
	gone := "error the relay did not start: the image: "
	for i, want := range []string{"bad boxed " + broken, "bad embedded " + broken, "bad gone " + gone, "bad remote " +
		broken, "good boxed pass ", "good embedded pass ", "good gone " + gone, "good remote pass "} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("%s, want %s", got[i], want)
		}
	}
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	// What differs from run to run has names here.
	text := strings.NewReplacer(dir, "DIR").Replace(string(b))
	var calls []string
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		for i, w := range words {
			switch {
			case strings.HasPrefix(w, "moqt-"):
				words[i] = w[:strings.Index(w[5:], "-")+5]
			case strings.HasSuffix(w, "/udp"):
				words[i] = "127.0.0.1:PORT:4443/udp"
			case strings.Contains(w, ":/certs/"):
				words[i] = w[strings.Index(w, ":/certs/"):]
			}
		}
		calls = append(calls, strings.Join(words, " "))
	}
	for _, want := range []string{
		"image inspect here", "image inspect there", "pull there", "network create moqt-net",
		"run --rm --name moqt-relay --network moqt-net --network-alias relay -p 127.0.0.1:PORT:4443/udp -v " +
			":/certs/cert.pem:ro -v :/certs/priv.key:ro -v DIR/relays/boxed/" + run.Cells[0].Endpoint + ".mlog:/mlog" +
			" -e MOQT_ROLE=relay -e MOQT_PORT=4443 -e MOQT_CERT=/certs/cert.pem -e MOQT_KEY=/certs/priv.key -e " +
			"MOQT_MLOG_DIR=/mlog -e R=2 here",
		"run --rm --name moqt-client --network moqt-net -v DIR/cells/good/boxed/" + run.Cells[0].Endpoint +
			"/draft-18-quic.qlog:/qlog -e RELAY_URL=moqt://relay:4443/p" +
			" -e TLS_DISABLE_VERIFY=1 -e MOQT_DRAFT=draft-18 -e DRAFT=18 -e QLOGDIR=/qlog -e OWN=1 there",
		"run --rm --name moqt-client --network host -v DIR/cells/good/embedded/embedded/draft-18-quic.qlog:/qlog -e " +
			"RELAY_URL=moqt://127.0.0.1:5" +
			" -e TLS_DISABLE_VERIFY=1 -e MOQT_DRAFT=draft-18 -e DRAFT=18 -e QLOGDIR=/qlog -e OWN=1 there",
		"run --rm --name moqt-client -v DIR/cells/good/remote/moqt-r.example-443/draft-18-quic.qlog:/qlog -e " +
			"RELAY_URL=moqt://r.example -e MOQT_DRAFT=draft-18 -e DRAFT=18 -e QLOGDIR=/qlog -e OWN=1 there",
		"rm -f moqt-client", "rm -f moqt-relay", "network rm moqt-net",
	} {
		if !slices.Contains(calls, want) {
			t.Errorf("the engine was not asked to: %s", want)
		}
	}
	if n := strings.Count(text, "pull nowhere"); n != 1 {
		t.Errorf("an image that is not there was fetched %d times", n)
	}
	if t.Failed() {
		t.Logf("it was asked to:\n%s", strings.Join(calls, "\n"))
	}
	if c := run.Cells[len(run.Cells)-1].Command; strings.Contains(c, "--name") ||
		!strings.HasPrefix(c, self()+" run --rm ") {
		t.Errorf("command %s", c)
	}
}

func TestExpand(t *testing.T) {
	values := map[string]string{"relay": "URL", "case": "", "number": "18"}
	env := map[string]string{"PEERS": "/p", "EMPTY": ""}
	tests := []struct{ in, want []string }{
		{[]string{"a", "-r", "{relay}"}, []string{"a", "-r", "URL"}},
		{[]string{"a", "-t", "{case}", "x"}, []string{"a", "x"}},
		{[]string{"a", "--test={case}", "x"}, []string{"a", "x"}},
		{[]string{"a", "-v", "b", "{case}"}, []string{"a", "-v", "b"}},
		{[]string{"a", "{case}", "{case}"}, []string{"a"}},
		{[]string{"a", "-t", "{case}", "-u", "{case}"}, []string{"a"}},
		{[]string{"a", "{relay}/{number}{case}"}, []string{"a", "URL/18"}},
		{[]string{"a", `{"x": 1}`, "}{", "{", "{}"}, []string{"a", `{"x": 1}`, "}{", "{", "{}"}},
		{[]string{"{self}", "{PEERS}/bin", "--x={PEERS}"}, []string{"/opt/me", "/p/bin", "--x=/p"}},
		{[]string{"a", "{UNSET}"}, nil},
		{[]string{"a", "{EMPTY}"}, nil},
		{[]string{"a", "{0}", "{Peers}"}, []string{"a", "{0}", "{Peers}"}},
		{[]string{"a", "{nobody}"}, nil},
		{[]string{"{case}"}, nil},
		{nil, nil},
	}
	for _, test := range tests {
		got, err := scope{values: values, self: "/opt/me", variable: func(name string) (string, bool) {
			v, ok := env[name]
			return v, ok
		}}.expand(test.in)
		if (err != nil) != (test.want == nil) {
			t.Errorf("%q: %v", test.in, err)
		}
		if d := cmp.Diff(test.want, got); d != "" && err == nil {
			t.Errorf("%q (-want +got):\n%s", test.in, d)
		}
	}
}

// A relay ends with the program that started it, also when that is killed: it would hold its port.
func TestRelayOfAKilledRun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends programs with their parent")
	}
	root := t.TempDir()
	p := commandPlan(t, "", "", []relays.Draft{"draft-18"}, asClient("hangs", "hang", root))
	if err := writeFile(filepath.Join(root, planFile), p.WriteJSON); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self())
	cmd.Env = append(os.Environ(), roleName+"=execute:"+root)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within := func(done func() bool) bool {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if done() {
				return true
			}
		}
		return false
	}
	port := 0
	up := within(func() bool {
		b, _ := os.ReadFile(filepath.Join(root, "run", "relays", "started", p.Endpoints[0].Name+".log"))
		n, _ := fmt.Sscanf(string(b), "relay on %d", &port)
		bound, err := udpBound(port)
		return n == 1 && bound && err == nil
	})
	if err := errors.Join(cmd.Process.Kill(), ignoreExit(cmd.Wait())); err != nil {
		t.Fatal(err)
	}
	if !up {
		t.Fatal("the relay did not start")
	}
	if !within(func() bool { return free(port) == nil }) {
		t.Errorf("the relay is still there, on port %d", port)
	}
}

// ignoreExit leaves out of the errors of waiting that the program did not end well.
func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}
