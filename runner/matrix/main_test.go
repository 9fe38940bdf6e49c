package matrix

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner"
)

// The test binary plays the foreign programs too: the role is in its environment.
const roleName = "MATRIX_TEST_ROLE"

func TestMain(m *testing.M) {
	role, arg, _ := strings.Cut(os.Getenv(roleName), ":")
	switch role {
	case "client":
		playClient(arg)
	case "relay":
		playRelay(arg)
	case "engine":
		playEngine()
	case "execute":
		playExecute(arg)
	default:
		// A program built for the race detector waits a second before it ends, unless it is told not to.
		os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
		grace = time.Second
		flag.Set("test.parallel", "6") // what is parallel mostly waits; -parallel changes it
		leak.VerifyTestMain(m)
	}
}

// asClient is a client that is the test binary with a behaviour. What it needs to remember is in dir.
func asClient(name, behaviour, dir string) Client {
	c := Builtin()
	c.Name, c.Kind, c.Command = name, KindCommand, []string{self()}
	c.Env = map[string]string{roleName: "client:" + behaviour, "MATRIX_TEST_DIR": dir}
	return c
}

func self() string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return path
}

// firstTime reports whether this is the first call for a key.
func firstTime(key string) bool {
	f, err := os.OpenFile(filepath.Join(os.Getenv("MATRIX_TEST_DIR"),
		strings.NewReplacer("/", "_", ":", "_").Replace(key)), os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// playClient prints TAP as a behaviour says, and exits.
func playClient(behaviour string) {
	draft, test, url := os.Getenv("MOQT_DRAFT"), os.Getenv("TESTCASE"), os.Getenv("RELAY_URL")
	names := []string{"setup-only", "announce-only", "subscribe-error"}
	if test != "" {
		names = strings.Split(test, ",")
	}
	header := "TAP version 14\n# player 1\n# Relay: " + url + "\n# Draft: " + draft + "\n"
	doc := func(bad map[string]string) string {
		var b strings.Builder
		b.WriteString(header + fmt.Sprintf("1..%d\n", len(names)))
		for i, n := range names {
			point := "ok"
			if bad[n] != "" {
				point = "not ok"
			}
			fmt.Fprintf(&b, "%s %d - %s\n  ---\n  duration_ms: %d\n", point, i+1, n, i+3)
			if bad[n] != "" {
				fmt.Fprintf(&b, "  layer: request\n  message: %s\n  expected: an answer\n  received: nothing\n  "+
					"transcript: [\"> SUBSCRIBE\", \"< nothing\"]\n", bad[n])
			}
			fmt.Fprintf(&b, "  sessions:\n    client:\n      moqt_version: moqt-%s\n  ...\n",
				strings.TrimPrefix(draft, "draft-"))
		}
		return b.String()
	}
	exit := func(code int, text string) {
		os.Stdout.WriteString(text)
		os.Exit(code)
	}
	switch behaviour {
	case "pass":
		exit(0, doc(nil))
	case "fail":
		fmt.Fprintln(os.Stderr, "it went wrong")
		if !slices.Contains(names, "announce-only") {
			exit(0, doc(nil))
		}
		exit(1, doc(map[string]string{"announce-only": "no answer"}))
	case "flaky":
		if firstTime(url + draft) {
			exit(1, doc(map[string]string{"announce-only": "no answer"}))
		}
		exit(0, doc(nil))
	case "crash-once":
		if firstTime(url + draft) {
			full := doc(nil)
			exit(139, full[:strings.Index(full, "ok 3")])
		}
		exit(0, doc(nil))
	case "exit1":
		exit(1, doc(nil))
	case "exit0":
		exit(0, doc(map[string]string{"setup-only": "no"}))
	case "bail":
		exit(1, header+"1..3\nnot ok 1 - setup-only\nBail out! udp: nobody there\n")
	case "only-setup":
		if test != "" && test != "setup-only" {
			exit(127, "")
		}
		exit(0, doc(nil))
	case "other-draft":
		draft = "draft-14"
		exit(0, doc(nil))
	case "raw": // over WebTransport, as it says, and then it tells the ALPN
		exit(0, doc(nil)+"# ALPN: moqt-18\n")
	case "errors":
		fmt.Fprintln(os.Stderr, "starting, 0 errors\nValueError: no such host\n  at line 3\nbye")
		exit(3, "")
	case "tells": // the secret that it was given
		fmt.Fprintln(os.Stderr, "token", os.Getenv("AUTH_TOKEN"))
		exit(1, doc(map[string]string{names[0]: "refused " + os.Getenv("AUTH_TOKEN") + os.Getenv("OTHER")}))
	case "silent":
		fmt.Fprintln(os.Stderr, "no idea")
		exit(3, "")
	case "hang":
		os.Stdout.WriteString(strings.SplitAfter(doc(nil), "ok 2")[0] + "\n")
		time.Sleep(time.Hour)
	case "env":
		env := slices.DeleteFunc(os.Environ(), func(s string) bool {
			name, _, _ := strings.Cut(s, "=")
			return !slices.Contains(contractNames, name) && name != "OWN"
		})
		slices.Sort(env)
		exit(0, fmt.Sprintf("1..1\nok 1 - %s # %s\n", strings.Join(os.Args[1:], " "), strings.Join(env, " ")))
	case "alone", "meet": // passes if no other such client is there at the same time, or if one is
		place := filepath.Join(os.Getenv("MATRIX_TEST_DIR"), "here", fmt.Sprint(os.Getpid()))
		os.MkdirAll(filepath.Dir(place), 0o700)
		os.WriteFile(place, nil, 0o600)
		most, looks := 0, 30
		if behaviour == "meet" { // as long as another takes to start on a busy machine
			looks = 10_000
		}
		for range looks {
			there, _ := os.ReadDir(filepath.Dir(place))
			if most = max(most, len(there)); most > 1 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if most > 1 && behaviour == "meet" {
			time.Sleep(300 * time.Millisecond) // to be seen by the other
		}
		os.Remove(place)
		if (most > 1) == (behaviour == "meet") {
			exit(0, doc(nil))
		}
		exit(1, doc(map[string]string{names[0]: fmt.Sprint(most, " at once")}))
	case "cat":
		b, err := os.ReadFile(os.Args[1])
		if err != nil {
			exit(2, "")
		}
		exit(0, string(b))
	default:
		exit(2, "")
	}
}

// playRelay binds its UDP port, and answers a datagram, until it is asked to end.
func playRelay(behaviour string) {
	port, _ := strconv.Atoi(os.Getenv("MOQT_PORT"))
	fmt.Println("relay on", port, strings.Join(os.Args[1:], " "))
	if behaviour == "dies" {
		fmt.Println("cannot go on")
		os.Exit(4)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	if behaviour == "stubborn" {
		signal.Ignore(syscall.SIGTERM)
	}
	if behaviour == "never" {
		<-stop
		os.Exit(0)
	}
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() {
		b := make([]byte, 2000)
		for {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if string(b[:n]) == "die" {
				os.Exit(5)
			}
			c.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	<-stop
	fmt.Println("asked to end")
	os.Exit(0)
}

// probe does for playRelay what a QUIC handshake does for a relay.
func probe(ctx context.Context, url string) error {
	return exchange(ctx, url, "hello")
}

func exchange(ctx context.Context, url, word string) error {
	_, rest, _ := strings.Cut(url, "://")
	address, _, _ := strings.Cut(rest, "/")
	c, err := (&net.Dialer{}).DialContext(ctx, "udp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := c.Write([]byte(word)); err != nil {
		return err
	}
	if word == "die" {
		return errors.New("it was killed")
	}
	_, err = c.Read(make([]byte, 100))
	return err
}

// fakeClient is a built-in client whose results are made by a function.
type fakeClient struct {
	run func(ctx context.Context, c cases.Case, watch func(runner.Session)) runner.Result
}

func (f *fakeClient) Info() runner.ClientInfo {
	return runner.ClientInfo{Name: "fake", Version: "v1"}
}

func (f *fakeClient) Run(ctx context.Context, c cases.Case, watch func(runner.Session)) runner.Result {
	return f.run(ctx, c, watch)
}

// fake is Options.Builtin with a function for all cells. Without names it has three cases.
func fake(run func(ctx context.Context, r Request, c cases.Case) runner.Result) func(Request) (runner.Client,
	[]cases.Case, error) {
	return func(r Request) (runner.Client, []cases.Case, error) {
		names := r.Cases
		if len(names) == 0 {
			names = []string{"setup-only", "announce-only", "subscribe-error"}
		}
		var list []cases.Case
		for _, n := range names {
			list = append(list, cases.Case{ID: n, Roles: []string{"client"}})
		}
		return &fakeClient{run: func(ctx context.Context, c cases.Case, watch func(runner.Session)) runner.Result {
			out := run(ctx, r, c)
			for _, s := range out.Sessions {
				watch(s)
			}
			return out
		}}, list, nil
	}
}

// passed is a result of a session with the draft of the cell.
func passed(r Request) runner.Result {
	return runner.Result{Status: runner.Pass, Duration: time.Millisecond,
		Sessions: []runner.Session{session("client", r.Cell.Draft, r.Cell.Transport)}}
}

func session(role, draft, transport string) runner.Session {
	if transport == "webtransport" {
		transport = "webtransport-h3"
	}
	return runner.Session{Role: role, Version: "moqt-" + strings.TrimPrefix(draft, "draft-"), Transport: transport,
		Established: true}
}

// planOf crosses clients with n relays that have the drafts over QUIC.
func planOf(t testing.TB, n int, drafts []relays.Draft, cases []string, clients ...Client) *Plan {
	t.Helper()
	c := &relays.Catalogue{Target: "draft-18"}
	for i := range n {
		c.Implementations = append(c.Implementations, relays.Implementation{
			Name: relays.Name(fmt.Sprintf("relay%02d", i)), Drafts: drafts, Roles: []relays.Role{relays.RoleRelay},
			Endpoints: []relays.Endpoint{{URL: relays.URL(fmt.Sprintf("moqt://127.0.0.1:%d", 10000+i)),
				Role: relays.RoleRelay, Transport: "quic", Status: relays.Active}},
		})
	}
	p, err := MakePlan(PlanOptions{Catalogue: c, Clients: clients, Cases: cases, Containers: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hold binds a port until the returned function is called.
func hold(t *testing.T, port int) func() {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Skipf("somebody else took the port: %v", err)
	}
	return func() { c.Close() }
}

// playExecute executes the plan in a folder, to be killed.
func playExecute(dir string) {
	f, err := os.Open(filepath.Join(dir, "plan.json"))
	if err != nil {
		panic(err)
	}
	p, err := ReadPlan(f)
	if err != nil {
		panic(err)
	}
	if _, err := Execute(context.Background(), p, Options{Dir: filepath.Join(dir, "run"), Resume: true, NoRetry: true,
		Sync: SyncNone}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}
