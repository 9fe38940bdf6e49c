package report

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// shape says how large a generated run is.
type shape struct {
	clients, relays, drafts, cases int
	// full crosses everything; else each client and relay has drafts and transports of its own.
	full bool
	// day numbers the run; it changes a little from day to day.
	day int
	// lost is the share of cells without a result, in percent.
	lost int
}

var (
	someClients = []string{"builtin", "aiomoqt", "imquic", "moq-dev-js", "moq-dev-rs", "moq-go", "moq-rs",
		"moqlivemock", "moqx", "moxygen", "xquic", "moq5", "moqtopus"}
	someRelays = []string{"embedded", "aiomoqt-relay", "imquic", "libquicr", "moq-dev-rs", "moq-go", "moq-rs",
		"moq-rs-draft-14", "moqtail", "moqtransport", "moqt-nr", "moqx", "moxygen", "quiche-moq", "xquic",
		"xquic-draft-18"}
	someCases = []string{"setup-only", "announce-only", "publish-namespace-done", "subscribe-error",
		"announce-subscribe", "subscribe-before-announce", "fetch", "join",
		"rendezvous-timeout", "publish-track-only", "publish-track-subscribe", "namespace-discovery",
		"data-subgroup-basic", "subscribe-namespace-lifecycle",
		"subscribe-one-subgroup-per-group", "subscribe-one-subgroup-per-object", "subscribe-two-subgroups-per-group",
		"subscribe-nonzero-start-group",
		"subscribe-nonzero-start-object", "subscribe-sparse-group-object-ids", "subscribe-object-properties",
		"datagram-delivery", "fetch-range", "late-subscriber", "goaway"}
	failedIn = []struct{ layer, message, expected, received string }{
		{"udp", "udp: nobody answers on the port", "a QUIC handshake", "ECONNREFUSED"},
		{"tls", "tls: certificate has expired", "a valid certificate", "x509: certificate has expired"},
		{"alpn", "alpn: no common draft", "moqt-18", "CRYPTO_ERROR 0x178"},
		{"webtransport", "webtransport: CONNECT refused", "200", "404"},
		{"setup", "setup: the relay closed the session", "SERVER_SETUP",
			"close 0x3 PROTOCOL_VIOLATION: bad <b>path</b>"},
		{"request", "request: no answer to PUBLISH_NAMESPACE", "REQUEST_OK or REQUEST_ERROR within 2 s",
			"nothing in 2.001s"},
		{"request", "request: SUBSCRIBE refused", "SUBSCRIBE_OK", "REQUEST_ERROR 0x10 DOES_NOT_EXIST 'no such track'"},
		{"data", "data: 14 of 15 objects", "groups 0-2 of 5 objects", "object 4 of group 2 never came"},
		{"", "timed out", "", ""},
	}
)

func name(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return fmt.Sprintf("%s-%d", list[i%len(list)], i/len(list)+1)
}

// random gives numbers that depend on what is asked only, so that runs of several days resemble each other.
func chance(of int, what ...any) int {
	var seed [32]byte
	copy(seed[:], fmt.Sprint(what...))
	for i, b := range []byte(fmt.Sprint(what...)) {
		seed[i%32] = seed[i%32]*31 + b
	}
	return rand.New(rand.NewChaCha8(seed)).IntN(of)
}

// generate makes a run. With dir the files that cells leave are written there.
func generate(t testing.TB, s shape, dir string) *matrix.Run {
	t.Helper()
	started := time.Date(2026, 11, 1+s.day, 3, 0, 0, 0, time.UTC)
	run := &matrix.Run{
		Format: matrix.Format, ID: fmt.Sprintf("nightly-%s", started.Format("2006-01-02")), Started: started,
		Finished: started.Add(17 * time.Minute),
		Versions: map[string]string{"moq-interop-client": "1.0.0", "go": "go1.26.0", "quic-go": "v0.62.0"},
		Plan:     matrix.PlanRef{ID: strings.Repeat("ab", 32), Tools: strings.Repeat("cd", 32), Target: "draft-18"},
	}
	drafts := []int{22, 21, 20, 19, 18, 17, 16, 15, 14}
	if s.drafts < 9 {
		drafts = []int{22, 20, 18, 16, 14}[:min(s.drafts, 5)]
	}
	for c := range s.clients {
		for r := range s.relays {
			client, relay := name(someClients, c), name(someRelays, r)
			for _, transport := range []string{"quic", "webtransport"} {
				for _, draft := range drafts {
					if !s.full && (chance(3, "r", relay, draft/2) == 0 || chance(4, "c", client, draft/3) == 0 ||
						chance(6, "t", relay, transport) == 0 || chance(7, "t", client, transport) == 0) {
						if draft == drafts[0] {
							run.LeftOut = append(run.LeftOut, matrix.LeftOut{Client: client, Relay: relay,
								Transport: transport, Reason: "no common draft"})
						}
						continue
					}
					run.Cells = append(run.Cells, cellOf(t, s, dir, started, client, relay, transport, draft))
				}
			}
		}
	}
	run.Plan.Total = len(run.Cells)
	slices.SortFunc(run.Cells, func(a, b matrix.CellResult) int { return cmp.Compare(a.ID, b.ID) })
	return run
}

func cellOf(t testing.TB, s shape, dir string, started time.Time, client, relay, transport string,
	draft int) matrix.CellResult {
	d := fmt.Sprintf("draft-%d", draft)
	c := matrix.CellResult{Cell: matrix.Cell{
		Client: client, Relay: relay, Endpoint: "local", URL: "moqt://127.0.0.1:4443", Draft: d, Predicted: d,
		Transport: transport, Mode: matrix.KindCommand,
	}, Status: matrix.Pass, Label: matrix.Label{Source: matrix.Negotiated, Draft: d}, Attempts: 1, Started: started}
	c.ID = strings.Join([]string{client, relay, c.Endpoint, d, transport}, "/")
	c.Command = "moq-interop-client -r moqt://127.0.0.1:4443 --draft " + d + " --transport " + transport +
		" --tls-disable-verify"
	if chance(100, "lost", c.ID, s.day) < s.lost {
		c.Status, c.Reason, c.Attempts, c.Started, c.Label.Source = matrix.Missing, "the run ended before it", 0,
			time.Time{}, matrix.Predicted
		return c
	}
	if chance(8, "foreign", client) == 0 {
		c.Label.Source = matrix.Predicted
	}
	exit := 0
	c.ExitCode = &exit
	quality := chance(10, "quality", relay, draft) // 0-5: all well
	if chance(40, "dead", relay, transport, s.day/3) == 0 {
		f := failedIn[chance(4, "why", relay, transport)]
		c.Status, c.Layer, c.Reason = matrix.Fail, f.layer, f.message
	} else if chance(150, "error", c.ID, s.day) == 0 {
		c.Status, c.Reason, c.Label.Conflict = matrix.Error, "the client claims draft-16 and was given draft-18",
			"draft-16"
		return c
	}
	for i := range s.cases {
		k := matrix.CaseResult{Name: name(someCases, i), Status: matrix.Pass, Level: "MUST",
			Sections: fmt.Sprintf("%s §8.%d", d, i), DurationMS: int64(4 + chance(60, c.ID, i)),
			Drafts: []matrix.RoleDraft{{Role: "publisher", Draft: d}, {Role: "subscriber", Draft: d}}}
		switch n := chance(100, "case", relay, draft, i); {
		case c.Layer != "":
			f := failedIn[slices.IndexFunc(failedIn,
				func(f struct{ layer, message, expected, received string }) bool { return f.layer == c.Layer })]
			k.Status, k.Layer, k.Message, k.Expected, k.Received = matrix.Fail, f.layer, f.message, f.expected,
				f.received
			if i > 0 {
				k = matrix.CaseResult{Name: k.Name, Status: matrix.Missing, Message: "bail out: " + f.message}
			}
		case i > 3 && quality > 5 && n < 12+quality || chance(900, "bad day", c.ID, i, s.day) == 0:
			f := failedIn[4+chance(5, "how", relay, draft, i)]
			k.Status, k.Layer, k.Message, k.Expected, k.Received, k.Attempts = matrix.Fail, f.layer, f.message,
				f.expected, f.received, 2
			k.DurationMS += 2000
			if chance(9, "flaky", c.ID, i, s.day) == 0 {
				k.Status = matrix.Flaky
			}
			if quality == 9 {
				k.Known = "github.com/example/relay/issues/12"
			}
		case i > 6 && n > 92:
			k.Status, k.Reason = matrix.Skip, "the relay refuses PUBLISH: NOT_SUPPORTED"
		case i > 6 && n > 88:
			k.Status, k.Level, k.Reason = matrix.Todo, "SHOULD", "SHOULD: the code is 0x4"
		case i == 8 && draft < 17:
			k.Status, k.Reason = matrix.NotApplicable, "from draft-17 on"
		}
		c.Cases = append(c.Cases, k)
		c.DurationMS += k.DurationMS
	}
	if c.Status == matrix.Pass {
		for _, k := range c.Cases {
			if bad(k.Status) && (c.Status == matrix.Pass || worse(k.Status, c.Status)) {
				c.Status, c.Layer, c.Reason = k.Status, k.Layer, k.Name+": "+k.Message
			}
		}
	}
	if c.Status != matrix.Pass {
		exit = 1
	}
	if dir != "" {
		c.Files.TAP = "cells/" + c.ID + ".tap"
		write(t, dir, c.Files.TAP, tapOf(&c))
		if c.Status == matrix.Fail {
			c.Files.Transcript = "cells/" + c.ID + ".txt"
			write(t, dir, c.Files.Transcript, "client -> SETUP implementation=\"x\"\nclient <- SETUP\nclient -> "+
				"PUBLISH_NAMESPACE request_id=0 namespace=(<script>)\n")
		}
	}
	return c
}

func tapOf(c *matrix.CellResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "TAP version 14\n# %s 1.0.0\n# Relay: %s\n# Draft: %s\n1..%d\n", c.Client, c.URL, c.Draft,
		len(c.Cases))
	for i, k := range c.Cases {
		ok := "ok"
		if bad(k.Status) {
			ok = "not ok"
		}
		fmt.Fprintf(&b, "%s %d - %s\n  ---\n  duration_ms: %d\n", ok, i+1, k.Name, k.DurationMS)
		if k.Message != "" {
			fmt.Fprintf(&b, "  message: %q\n  expected: %q\n  received: %q\n", k.Message, k.Expected, k.Received)
		}
		fmt.Fprintf(&b, "  sessions:\n    publisher:\n      moqt_version: moqt-%s\n      transport: %s\n  ...\n",
			strings.TrimPrefix(c.Draft, "draft-"), c.Transport)
	}
	return b.String()
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
