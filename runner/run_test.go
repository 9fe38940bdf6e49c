package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

func TestMain(m *testing.M) { leak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden files")

// runs are whole runs of a fake client, each with a golden file.
var runs = []struct {
	name    string
	cases   []string
	results map[string]Result
	exit    int
	bail    string // what the bail out begins with
	ran     int    // cases that ran; 0 for all
}{
	{
		name: "passed", exit: 0,
		cases: []string{"setup-only", "announce-subscribe"},
		results: map[string]Result{
			"setup-only": passed("setup-only", quicSession("client", "0102")),
			"announce-subscribe": passed("announce-subscribe", quicSession("publisher", "0a"),
				quicSession("subscriber", "0b")),
		},
	},
	{
		name: "failed", exit: 1,
		cases: []string{"setup-only", "subscribe-error", "announce-subscribe", "goaway"},
		results: map[string]Result{
			"setup-only": passed("setup-only", quicSession("client", "0102")),
			"subscribe-error": {
				Case: "subscribe-error", Status: Fail, Level: "MUST", Sections: "draft-16 §9.8",
				Rules:   []rules.ID{rules.UnknownTrack, rules.OneAnswer},
				Layer:   transport.LayerRequest,
				Message: "no such track, and yet: SUBSCRIBE_OK", Expected: "REQUEST_ERROR with code 0x10 # " +
					"DOES_NOT_EXIST", Received: "SUBSCRIBE_OK: track_alias 0",
				Duration: 1999600 * time.Microsecond, Sessions: []Session{quicSession("subscriber", "ff")},
				Notes:     []string{"the relay announced a/b by itself: \"yes\""},
				Tolerated: []string{"lenient-extensions"},
				Transcript: []string{"subscriber > CLIENT_SETUP", "subscriber < SERVER_SETUP",
					"subscriber > SUBSCRIBE request_id=0 track_namespace=[a, b]"},
			},
			"announce-subscribe": { // only one of its two sessions was made
				Case: "announce-subscribe", Status: Fail, Level: "MUST", Layer: transport.LayerUDP,
				Message:  "the subscriber found nobody",
				Duration: time.Millisecond, Sessions: []Session{quicSession("publisher", "0a")},
			},
			"goaway": { // a role that connects twice, over WebTransport
				Case: "goaway", Status: Pass, Level: "MUST", Message: "went where it was sent",
				Sessions: []Session{
					{Role: "client", Version: "moqt-18", Transport: "webtransport-h3", ALPN: "h3",
						WebTransportProtocol: "moqt-18", ConnectionID: "01", Established: true},
					{Role: "client", Version: "moqt-14", Transport: "webtransport-h3", ALPN: "h3", Established: true},
				},
			},
		},
	},
	{
		name: "should", exit: 0,
		cases: []string{"setup-only", "rendezvous-timeout"},
		results: map[string]Result{
			"setup-only": passed("setup-only", quicSession("client", "0102")),
			"rendezvous-timeout": {
				Case: "rendezvous-timeout", Status: Todo, Level: "SHOULD", Layer: transport.LayerRequest,
				Reason:  "SHOULD: code TIMEOUT",
				Message: "refused at once", Expected: "TIMEOUT", Received: "0x10",
				Sessions: []Session{quicSession("subscriber", "03")},
			},
		},
	},
	{
		name: "skipped", exit: 127,
		cases: []string{"fetch", "join"},
		results: map[string]Result{
			"fetch": {Case: "fetch", Status: Skip, Level: "MUST", Reason: "FETCH: NOT_SUPPORTED (0x3)",
				Sessions: []Session{quicSession("fetcher", "05")}},
			"join": {Case: "join", Status: NotApplicable, Level: "MUST", Reason: "needs draft-17 or later"},
		},
	},
	{
		name: "unreachable", exit: 1, bail: "udp: nothing listens", ran: 1,
		cases: []string{"setup-only", "announce-only"},
		results: map[string]Result{
			"setup-only": unreached("setup-only", transport.LayerUDP, "nothing listens on UDP 127.0.0.1:1"),
		},
	},
	{
		name: "unreachable-after-skip", exit: 1, bail: "alpn: knows none", ran: 2,
		cases: []string{"rendezvous-timeout", "setup-only", "announce-only"},
		results: map[string]Result{
			"rendezvous-timeout": {Case: "rendezvous-timeout", Status: NotApplicable,
				Reason: "needs draft-17 or later"},
			"setup-only": unreached("setup-only", transport.LayerALPN, "knows none of the ALPNs offered"),
		},
	},
	{
		name: "silent", exit: 1, // the first failure is not below the session: nothing bails out, not even later
		cases: []string{"setup-only", "announce-only"},
		results: map[string]Result{
			"setup-only":    unreached("setup-only", transport.LayerSetup, "no SETUP within 2 s"),
			"announce-only": unreached("announce-only", transport.LayerUDP, "nothing listens on UDP 127.0.0.1:1"),
		},
	},
	{
		name: "dies", exit: 1, // unreachable only after the first case
		cases: []string{"setup-only", "announce-only"},
		results: map[string]Result{
			"setup-only": passed("setup-only", quicSession("client", "0102")),
			"announce-only": unreached("announce-only", transport.LayerTLS,
				"closed the connection during the handshake"),
		},
	},
}

var (
	started = regexp.MustCompile(`(?m)^# Started: \S+$`)
	lasted  = regexp.MustCompile(`(?m)^  duration_ms: \d+$`)
)

func TestRunPrintsTAPAndReports(t *testing.T) {
	for _, test := range runs {
		t.Run(test.name, func(t *testing.T) {
			client := &fakeClient{results: test.results}
			var out bytes.Buffer
			report, err := Run(t.Context(), Options{
				Client: client, Cases: plan(test.cases...), Relay: "moqt://localhost:4443/a b", Transport: "auto",
				Drafts: []string{"draft-18", "draft-16"}, TAP: &out,
			})
			if err != nil {
				t.Fatal(err)
			}
			if report.Exit != test.exit {
				t.Errorf("exit code %d, want %d", report.Exit, test.exit)
			}
			if !strings.HasPrefix(report.BailOut, test.bail) || (report.BailOut != "") != (test.bail != "") {
				t.Errorf("bail out %q, want %q", report.BailOut, test.bail)
			}
			ran := test.ran
			if ran == 0 {
				ran = len(test.cases)
			}
			if !slices.Equal(client.ran, test.cases[:ran]) || len(report.Results) != ran {
				t.Errorf("ran %v with %d results", client.ran, len(report.Results))
			}
			text := started.ReplaceAll(out.Bytes(), []byte("# Started: TIME"))
			golden(t, test.name+".tap", lasted.ReplaceAll(text, []byte("  duration_ms: TIME")))
			checkDocument(t, out.String(), report)
			validate(t, report)
		})
	}
}

// checkDocument reads the document back: nothing in it may be odd, and it must say what the report says.
func checkDocument(t *testing.T, text string, report *Report) {
	t.Helper()
	doc, err := tap.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Problems) > 0 && report.BailOut == "" {
		t.Errorf("problems: %v", doc.Problems)
	}
	if doc.Version != 14 || doc.Plan == nil || doc.Plan.Count != len(report.Planned) {
		t.Errorf("version %d, plan %v", doc.Version, doc.Plan)
	}
	verdict := doc.Verdict(report.Exit)
	if verdict.Pass != (report.Exit == ExitPass) || verdict.Unsupported != (report.Exit == ExitUnsupported) {
		t.Errorf("exit code %d, but the document says %+v", report.Exit, verdict)
	}
	s := doc.Summary()
	got := []int{s.Passed, s.Failed, s.Todo, s.Skipped}
	want := []int{report.Count(Pass), report.Count(Fail), report.Count(Todo), report.Count(Skip) +
		report.Count(NotApplicable)}
	if !slices.Equal(got, want) || s.Bailed != (report.BailOut != "") {
		t.Errorf("summary %v, want %v", s, want)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// validate holds a report against the schema.
func validate(t *testing.T, report *Report) {
	t.Helper()
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema(t).Validate(parseJSON(t, text)); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("result.schema.json", parseJSON(t, Schema)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("result.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parseJSON(t *testing.T, text []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestSchemaRefuses(t *testing.T) {
	report := &Report{Client: ClientInfo{Name: "x"}, Relay: "embedded", Transport: "auto",
		Planned: []string{"setup-only"}, Draft: "unknown", Exit: 1}
	validate(t, report)
	for name, change := range map[string]func(r *Report){
		"draft":      func(r *Report) { r.Draft = "16" },
		"exit code":  func(r *Report) { r.Exit = 2 },
		"empty plan": func(r *Report) { r.Planned = nil },
		"fail alone": func(r *Report) { r.Results = []Result{{Case: "setup-only", Status: Fail}} },
		"skip alone": func(r *Report) { r.Results = []Result{{Case: "setup-only", Status: Skip}} },
		"layer": func(r *Report) {
			r.Results =
				[]Result{{Case: "setup-only", Status: Fail, Layer: "ip", Message: "m"}}
		},
		"upper-case":   func(r *Report) { r.Results = []Result{passed("setup-only", quicSession("client", "AB"))} },
		"no such case": func(r *Report) { r.Results = []Result{passed("Setup only")} },
	} {
		t.Run(name, func(t *testing.T) {
			r := *report
			change(&r)
			text, err := json.Marshal(&r)
			if err != nil {
				t.Fatal(err)
			}
			if schema(t).Validate(parseJSON(t, text)) == nil {
				t.Errorf("accepted %s", text)
			}
		})
	}
}

// TestHeaderWaitsForTheFirstSession: nothing is printed before the first case has a session, and each point is there
// before the next case runs.
func TestHeaderWaitsForTheFirstSession(t *testing.T) {
	var out bytes.Buffer
	session := quicSession("client", "01")
	client := &fakeClient{results: map[string]Result{"setup-only": passed("setup-only", session),
		"announce-only": passed("announce-only", session)}}
	client.before = func(_ context.Context, c cases.Case, watch func(Session)) {
		switch c.ID {
		case "setup-only":
			if out.Len() != 0 {
				t.Errorf("printed before the first session: %q", out.String())
			}
			watch(session)
			want := []string{"TAP version 14", "# fake-client v1.2.3", "# Relay: embedded", "# Draft: draft-16",
				"# Transport: quic",
				"# Started: ", "# more", "1..2", ""}
			lines := strings.Split(out.String(), "\n")
			if len(lines) != len(want) {
				t.Fatalf("header %q", out.String())
			}
			for i, line := range lines {
				if !strings.HasPrefix(line, want[i]) {
					t.Errorf("line %d is %q, want %q", i+1, line, want[i])
				}
			}
		case "announce-only":
			if !strings.Contains(out.String(), "\nok 1 - setup-only\n") || !strings.HasSuffix(out.String(), "  ...\n") {
				t.Errorf("the first point was not there before the second case ran: %q", out.String())
			}
			before := out.String()
			watch(Session{Role: "client", Version: "moqt-22", Established: true})
			if out.String() != before {
				t.Errorf("a later session printed %q", strings.TrimPrefix(out.String(), before))
			}
		}
	}
	if _, err := Run(t.Context(), Options{Client: client, Cases: plan("setup-only", "announce-only"), Relay: "embedded",
		About: []string{"more"}, TAP: &out}); err != nil {
		t.Fatal(err)
	}
}

// TestInterrupted: a run that is stopped bails out, reports what is known, and calls nothing a failure that was only
// interrupted.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	client := &fakeClient{results: map[string]Result{
		"setup-only":    passed("setup-only", quicSession("client", "01")),
		"announce-only": {Case: "announce-only", Status: Fail, Message: "context canceled"},
	}}
	client.before = func(_ context.Context, c cases.Case, _ func(Session)) {
		if c.ID == "announce-only" {
			cancel(ErrInterrupted)
		}
	}
	var out bytes.Buffer
	report, err := Run(ctx, Options{Client: client, Cases: plan("setup-only", "announce-only", "fetch"),
		Relay: "embedded", Transport: "auto", TAP: &out})
	if err != nil {
		t.Fatal(err)
	}
	if report.Exit != ExitFail || report.BailOut != "interrupted" || len(report.Results) != 1 || len(client.ran) != 2 {
		t.Errorf("report %+v after %v", report, client.ran)
	}
	if !strings.HasSuffix(out.String(), "  ...\nBail out! interrupted\n") || strings.Contains(out.String(), "not ok") {
		t.Errorf("printed %q", out.String())
	}
	validate(t, report)

	out.Reset()
	if report, err = Run(ctx, Options{Client: client, Cases: plan("fetch"), Relay: "embedded", Transport: "auto",
		TAP: &out}); err != nil || report.Exit != ExitFail {
		t.Errorf("stopped before it began: %+v, %v", report, err)
	}
	if !strings.Contains(out.String(), "# Draft: unknown\n") ||
		!strings.HasSuffix(out.String(), "1..1\nBail out! interrupted\n") {
		t.Errorf("printed %q", out.String())
	}
}

type brokenWriter struct{ after int }

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.after--; w.after < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

// TestUnwritableOutput: a run whose document cannot be written ends, and says why.
func TestUnwritableOutput(t *testing.T) {
	client := &fakeClient{results: map[string]Result{"setup-only": passed("setup-only"),
		"announce-only": passed("announce-only")}}
	_, err := Run(t.Context(), Options{Client: client, Cases: plan("setup-only", "announce-only"), Relay: "embedded",
		TAP: &brokenWriter{after: 3}})
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v", err)
	}
	if len(client.ran) != 1 {
		t.Errorf("ran %v with nobody to tell", client.ran)
	}
}

func TestExitCode(t *testing.T) {
	of := func(statuses ...Status) (out []Result) {
		for _, s := range statuses {
			out = append(out, Result{Status: s})
		}
		return out
	}
	for _, test := range []struct {
		results []Result
		planned int
		bail    string
		strict  bool
		want    int
	}{
		{of(Pass), 1, "", false, 0},
		{of(Pass, Skip, NotApplicable), 3, "", false, 0},
		{of(Pass, Todo), 2, "", false, 0},
		{of(Todo), 1, "", false, 0},
		{of(Pass, Fail), 2, "", false, 1},
		{of(Skip, Fail), 2, "", false, 1},
		{of(Skip, NotApplicable), 2, "", false, 127},
		{of(Pass), 2, "", false, 1},
		{of(Pass), 1, "why", false, 1},
		{of("odd"), 1, "", false, 1},
		{of(Pass, NotApplicable), 2, "", true, 0},
		{of(Pass, Skip), 2, "", true, 1},
		{[]Result{{Status: Skip, TooSlow: true}, {Status: NotApplicable}}, 2, "", false, 1},
		{[]Result{{Status: Skip, TooSlow: true}, {Status: Pass}}, 2, "", false, 0},
	} {
		if got := exitCode(test.planned, test.results, test.bail, test.strict); got != test.want {
			t.Errorf("%v of %d, bail %q: exit code %d, want %d", test.results, test.planned, test.bail, got, test.want)
		}
	}
}
