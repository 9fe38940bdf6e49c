package peers

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/moqinterop/moq-interop-client/internal/bench/turns"
)

// bench runs our bench with arguments that end in JSON.
func benchJSON(t *testing.T, to any, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), ourBinary, append([]string{"bench"}, args...)...)
	cmd.Env = append(os.Environ(), "MOQ_PEERS="+venv())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, tail(string(out), 4000))
	}
	if err := json.Unmarshal(out, to); err != nil {
		t.Fatal(err)
	}
}

// TestBenchCompare: aiomoqt's loopback bench in turns with ours, which gets its size, rate, draft and transport. Paced,
// both deliver what was asked for, so the ratio of the rates is 1.
func TestBenchCompare(t *testing.T) {
	t.Parallel()
	theirs := program(t, "moq-loopback-bench")
	cert, key := certificate(t)
	var c turns.Comparison
	benchJSON(t, &c, "compare", "--rounds", "2", "--processors", "0", "--json", "--", theirs, "-Q", "--draft", "18",
		"-s", "1024", "-r", "500", "-t", "2", "-p", freePort(t), "-k", "--cert", cert, "--key", key)
	if len(c.Rounds) != 2 {
		t.Fatalf("%d rounds", len(c.Rounds))
	}
	for name, want := range map[string][2]float64{"objects_per_s": {0.8, 1.25}, "goodput_mbps": {0.8, 1.25},
		"latency_ms.p50": {0, 1e6}, "cpu_us_per_object": {0, 1e6}, "peak_mib": {0, 1e6}} {
		r, ok := c.Ratios[name]
		if !ok || r.Of == nil || r.Of.Runs != 2 || r.Of.Median <= want[0] || r.Of.Median >= want[1] {
			b, _ := json.Marshal(r)
			t.Errorf("%s: %s", name, b)
		}
	}
}

// TestBenchRelays: the same load in turns through our relay, aiomoqt's and one on the Rust stack. Nothing is lost, and
// each relay's processor time and memory are known.
func TestBenchRelays(t *testing.T) {
	t.Parallel()
	relay := program(t, "moq-interop-relay")
	python := program(t, "python")
	script, err := filepath.Abs(filepath.Join("testdata", "rs_relay.py"))
	if err != nil {
		t.Fatal(err)
	}
	var s turns.Survey
	benchJSON(t, &s, "relays", "--rounds", "1", "--json", "ours=embedded",
		"aiomoqt="+relay+" --bind 127.0.0.1 --port {port} --dual --cert {cert} --key {key} --draft 14,16,18,20,22",
		"rust="+python+" "+script+" 127.0.0.1:{port}", "--", "-d", "18", "-s", "1KiB", "-g", "100", "-r", "500",
		"-t", "2")
	if len(s.Relays) != 3 {
		t.Fatalf("%d relays", len(s.Relays))
	}
	for _, r := range s.Relays {
		if len(r.Results) != 1 {
			t.Errorf("%s: %d results, %q", r.Name, len(r.Results), r.Errors)
			continue
		}
		x := r.Results[0]
		v := x.Received
		if x.Draft != "draft-18" || v == nil || v.Lost != 0 || v.Objects != x.Sent.Objects || v.Objects < 500 ||
			x.Latency == nil || x.Latency.Samples != v.Objects {
			b, _ := json.Marshal(v)
			t.Errorf("%s: %s: %d sent, %s", r.Name, x.Draft, x.Sent.Objects, b)
		}
		if x.CPU == nil || x.CPU.RelayS == nil || *x.CPU.RelayS <= 0 || x.Memory.RelayMiB == nil ||
			*x.Memory.RelayMiB < 5 {
			t.Errorf("%s: the relay's processor time and memory are not known: %+v %+v", r.Name, x.CPU, x.Memory)
		}
	}
}
