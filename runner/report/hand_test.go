package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { leak.VerifyTestMain(m) }

// golden compares with a file of testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		write(t, "testdata", file, got)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", file, diff)
	}
}

// hand is a small run that has everything; day 2 differs from day 1 in every way that a comparison tells.
func hand(day int) *matrix.Run {
	at := time.Date(2026, 11, 19+day, 3, 0, 0, 0, time.UTC)
	run := &matrix.Run{
		Format: matrix.Format, ID: "nightly-" + at.Format("01-02"), Started: at, Finished: at.Add(83 * time.Second),
		Versions: map[string]string{"moq-interop-client": "1.2.3", "go": "go1.26.0"},
		Plan: matrix.PlanRef{ID: strings.Repeat("ab", 32), Tools: strings.Repeat("cd", 32), Target: "draft-18",
			Total: 9},
		LeftOut: []matrix.LeftOut{
			{Client: "aiomoqt", Relay: "moqtail", Transport: "quic", Drafts: []string{"draft-16"},
				Reason: "no common draft"},
			{Client: "builtin", Relay: "libquicr", Reason: "no common draft"},
			{Relay: "old", Reason: "inactive"},
		},
	}
	cell := func(client, relay, draft, transport string, status matrix.Status,
		cases ...matrix.CaseResult) *matrix.CellResult {
		c := matrix.CellResult{
			Cell: matrix.Cell{
				Client: client, Relay: relay, Endpoint: "local", URL: "moqt://127.0.0.1:4443", Draft: draft,
				Predicted: draft, Transport: transport,
				Mode: matrix.KindCommand, Classification: matrix.At,
			},
			Status: status, Label: matrix.Label{Source: matrix.Negotiated, Draft: draft}, Attempts: 1,
			Started: at.Add(time.Second), Cases: cases,
			Command: "moq-interop-client -r moqt://127.0.0.1:4443 --draft " + draft + " --transport " + transport,
		}
		c.ID = strings.Join([]string{client, relay, "local", draft, transport}, "/")
		for _, k := range cases {
			c.DurationMS += k.DurationMS
			if c.Layer == "" && bad(k.Status) {
				c.Layer, c.Reason = k.Layer, k.Name+": "+k.Message
			}
		}
		run.Cells = append(run.Cells, c)
		return &run.Cells[len(run.Cells)-1]
	}
	pass := func(name string, ms int64) matrix.CaseResult {
		return matrix.CaseResult{Name: name, Status: matrix.Pass, Level: "MUST", Sections: "draft-18 §9.2",
			DurationMS: ms}
	}
	fails := func(name, layer, message string) matrix.CaseResult {
		return matrix.CaseResult{Name: name, Status: matrix.Fail, Level: "MUST", Sections: "draft-18 §9.2",
			Layer: layer, Message: message,
			Expected: "REQUEST_OK within 2 s", Received: "nothing", DurationMS: 2001, Attempts: 2}
	}
	skips := matrix.CaseResult{Name: "publish-track-only", Status: matrix.Skip, Reason: "PUBLISH: NOT_SUPPORTED",
		DurationMS: 3}
	should := matrix.CaseResult{Name: "subscribe-error", Status: matrix.Todo, Level: "SHOULD",
		Reason: "SHOULD: the code is 0x4 | not *0x0*", DurationMS: 4}
	absent := matrix.CaseResult{Name: "rendezvous-timeout", Status: matrix.NotApplicable, Reason: "from draft-17 on"}

	cell("aiomoqt", "embedded", "draft-16", "quic", matrix.Pass, pass("setup-only", 5), pass("announce-only", 9),
		absent)
	if day == 1 {
		cell("aiomoqt", "embedded", "draft-18", "quic", matrix.Pass, pass("setup-only", 20), pass("fetch", 40), should)
		cell("aiomoqt", "moqtail", "draft-18", "quic", matrix.Fail,
			fails("setup-only", "setup", "setup: closed with 0x3"), pass("fetch", 40), skips)
		cell("aiomoqt", "moqtail", "draft-18", "webtransport", matrix.Pass, pass("setup-only", 4), pass("fetch", 7))
		cell("builtin", "embedded", "draft-16", "quic", matrix.Pass, pass("setup-only", 5))
		cell("builtin", "embedded", "draft-18", "quic", matrix.Fail,
			fails("setup-only", "request", "no answer about 00112233445566778899aabbccddeeff in 2.001s"))
		cell("builtin", "moqtail", "draft-16", "quic", matrix.Pass, pass("setup-only", 6), pass("fetch", 8))
		cell("builtin", "moqtail", "draft-18", "quic", matrix.Fail, fails("fetch", "data", "data: 4 of 5 objects"),
			pass("setup-only", 6))
	} else {
		flaky := fails("fetch", "data", "data: 14 of 15 objects")
		flaky.Status = matrix.Flaky
		c := cell("aiomoqt", "embedded", "draft-18", "quic", matrix.Flaky, pass("setup-only", 900), flaky, should)
		c.Label = matrix.Label{Source: matrix.Predicted, Draft: "draft-18"}
		cell("aiomoqt", "moqtail", "draft-18", "quic", matrix.Pass, pass("setup-only", 6), pass("fetch", 50), skips)
		c = cell("aiomoqt", "moqtail", "draft-18", "webtransport", matrix.Missing)
		c.Reason, c.Attempts, c.Label.Source, c.Started, run.Ended = "the run ended before it", 0, matrix.Predicted,
			time.Time{}, "the deadline of 90s"
		c = cell("builtin", "embedded", "draft-16", "quic", matrix.Error, pass("setup-only", 5))
		c.Reason, c.Label.Conflict = "the client was given draft-16 and reports draft-18", "publisher: draft-18"
		cell("builtin", "embedded", "draft-18", "quic", matrix.Fail,
			fails("setup-only", "request", "no answer about ffeeddccbbaa99887766554433221100 in 2.004s"))
		c = cell("builtin", "moqtail", "draft-16", "quic", matrix.Fail)
		c.Status, c.Layer, c.Reason = matrix.Fail, "udp", "udp: nobody answers"
		c.Cases = []matrix.CaseResult{{Name: "setup-only", Status: matrix.Fail, Layer: "udp",
			Message: "udp: nobody answers", DurationMS: 1}}
		known := fails("fetch", "data", "data: 3 of 5 objects")
		known.Known = "issue 12 of the relay"
		cell("builtin", "moqtail", "draft-18", "quic", matrix.Fail, known, pass("setup-only", 6))
		cell("builtin", "moqx", "draft-18", "webtransport", matrix.Skip, skips)
	}
	slices.SortFunc(run.Cells, func(a, b matrix.CellResult) int { return strings.Compare(a.ID, b.ID) })
	return run
}

// TestRunsOfTheseTestsAreRuns keeps what is tested here within the schema of run.json.
func TestRunsOfTheseTestsAreRuns(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(matrix.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("run.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("run.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []*matrix.Run{hand(1), hand(2),
		generate(t, shape{clients: 3, relays: 3, drafts: 3, cases: 9, lost: 10}, "")} {
		if run.LeftOut == nil {
			run.LeftOut = []matrix.LeftOut{}
		}
		text, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", run.ID, err)
		}
	}
}
