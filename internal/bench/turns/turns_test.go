package turns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// TestParse reads what aiomoqt's moq-loopback-bench has printed, as fast as it went, paced, and without statistics.
func TestParse(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bench.Result{
		"aiomoqt-fast": {DurationS: 3, Received: &bench.Received{Objects: 14494, Bytes: 59555846, ObjectsPerS: 4854.1,
			GoodputMbps: 159.56, SecondsS: 3}, Latency: &bench.Latency{Jitter: 10.93,
			Spread: bench.Spread{Min: 2.2, Mean: 71.7, P50: 51.1, P99: 871.4, Max: 961.8}}},
		"aiomoqt-paced": {DurationS: 2.3, Received: &bench.Received{Objects: 232, Bytes: 240584, ObjectsPerS: 100.5,
			GoodputMbps: 0.83, SecondsS: 2.3}, Latency: &bench.Latency{Jitter: 0.4,
			Spread: bench.Spread{Min: 0.3, Mean: 0.7, P50: 0.4, P99: 8.2, Max: 9.7}}},
		"aiomoqt-no-stats": {DurationS: 2, Received: &bench.Received{Objects: 2303, Bytes: 2388211, ObjectsPerS: 1124.3,
			GoodputMbps: 9.33, SecondsS: 2}},
	} {
		b, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		want.Version, want.Bench = bench.ResultVersion, "aiomoqt"
		want.Received.Subscribers, want.Received.Expected = 1, want.Received.Objects
		if want.Latency != nil {
			want.Latency.From, want.Latency.Clock = "aiomoqt", "aiomoqt's"
		}
		got, err := Parse(string(b))
		if d := cmp.Diff(&want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
	lossy := "aiomoqt-bench results  (1.0s active / 1.0s elapsed)\n Objects: 90\n Bytes: 1\n ObjRate: 1 obj/s\n" +
		" Throughput: 1 Mbps\n Lost: 10 (10.00%)\n Out-of-order:   3\n"
	if r, err := Parse(lossy); err != nil || r.Received.Lost != 10 || r.Received.Expected != 100 ||
		r.Received.Reordered != 3 {
		t.Errorf("%v %+v", err, r)
	}
	if r, err := Parse("hello\n{\"version\":1,\"label\":\"ours\"}\n"); err != nil || r.Label != "ours" {
		t.Errorf("%v %+v", err, r)
	}
	for in, want := range map[string]string{
		"":                                      "there is no summary in its output",
		"No data received.":                     "there is no summary in its output",
		"{}":                                    "no version",
		"aiomoqt-bench results":                 `no line "Objects" with a number`,
		lossy + lossy[:60]:                      `no line "Objects" with a number`,
		strings.Replace(lossy, "90", "many", 1): "invalid syntax",
	} {
		if r, err := Parse(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s; %+v", in, err, want, r)
		}
	}
}

// script is a program that prints a result with so many objects/s, which grows with every run.
func script(t *testing.T, name string, rate float64) Program {
	count := filepath.Join(t.TempDir(), "count")
	return Program{Name: name, Command: []string{"sh", "-c", fmt.Sprintf(`echo x >> %s
n=$(wc -l < %s)
echo "some words"
echo "{\"version\":1,\"received\":{\"objects\":1000,\"goodput_mbps\":1,\"objects_per_s\":$((%.0f * n))}}"`,
		count, count, rate)}}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	needsShell(t)
	var said []string
	programs := [2]Program{script(t, "ours", 100), script(t, "theirs", 50)}
	c, err := Compare(t.Context(), programs, 3, nil, func(format string, args ...any) {
		said = append(said, fmt.Sprintf(format, args...))
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Machine.CPUs == 0 || c.Machine.Host == "" || c.Machine.Program != "ours" {
		t.Errorf("the machine is not known: %+v", c.Machine)
	}
	want := Ratio{&bench.Range{Median: 200, Lowest: 100, Highest: 300, Runs: 3},
		&bench.Range{Median: 100, Lowest: 50, Highest: 150, Runs: 3},
		&bench.Range{Median: 2, Lowest: 2, Highest: 2, Runs: 3}}
	if d := cmp.Diff(want, c.Ratios["objects_per_s"]); d != "" {
		t.Error(d)
	}
	// A B A B A B
	order := []string{"1 of 3: ours: 100", "1 of 3: theirs: 50", "2 of 3: ours: 200", "2 of 3: theirs: 100",
		"3 of 3: ours: 300", "3 of 3: theirs: 150"}
	for i, line := range said {
		if !strings.Contains(line, order[i]) {
			t.Errorf("turn %d: %s, want %s", i+1, line, order[i])
		}
	}
	var text, json strings.Builder
	if err := errors.Join(c.Text(&text), c.JSON(&json)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"medians of 3 rounds", "objects/s", "200 (100-300)", "100 (50.0-150)",
		"2.00 (2.00-2.00)"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if _, ok := c.Ratios["latency_ms.p50"]; ok || strings.Contains(text.String(), "latency") {
		t.Error("a latency that neither has")
	}
	if len(c.Results()) != 6 || !strings.Contains(json.String(), `"objects_per_s": {`) {
		t.Errorf("%d results, %s", len(c.Results()), json.String())
	}
	if c := c.Ratios["cpu_us_per_object"]; c.Ours == nil {
		t.Error("no processor time")
	}
}

// TestCompareFails: whose fault it is, and what it said.
func TestCompareFails(t *testing.T) {
	t.Parallel()
	needsShell(t)
	good := script(t, "ours", 1)
	for want, command := range map[string][]string{
		"round 1: theirs: exit status 3: it broke":                   {"sh", "-c", "echo it broke >&2; exit 3"},
		"round 1: theirs: there is no summary":                       {"echo", "hello"},
		"it ended with: hello":                                       {"echo", "hello"},
		`theirs: exec: "no-such-program": executable file not found`: {"no-such-program"},
		"round 1: theirs: no command":                                nil,
	} {
		_, err := Compare(t.Context(), [2]Program{good, {"theirs", command}}, 1, nil, func(string, ...any) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestCancelled: a program and what it has started end with the context.
func TestCancelled(t *testing.T) {
	t.Parallel()
	needsShell(t)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, errors.New("enough"))
	defer cancel()
	began := time.Now()
	_, err := Program{"sleeper", []string{"sh", "-c", "sleep 60 & sleep 60"}}.run(ctx, nil)
	if err == nil || err.Error() != "sleeper: enough" || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

// TestPinned: a program runs on the processors that are named, and this process where it did.
func TestPinned(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux holds a program to processors here")
	}
	p := Program{"where", []string{"sh", "-c", `n=$(sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status)
echo "{\"version\":1,\"label\":\"x\",\"notes\":[\"$n\"]}"`}}
	turn, err := p.run(t.Context(), []int{0})
	if err != nil || len(turn.Result.Notes) != 1 || turn.Result.Notes[0] != "0" {
		t.Fatalf("%v, %+v", err, turn)
	}
	if turn, err = p.run(t.Context(), nil); err != nil || runtime.NumCPU() > 1 && turn.Result.Notes[0] == "0" {
		t.Errorf("%v, %+v", err, turn)
	}
	if _, err = p.run(t.Context(), []int{1023}); err == nil || !strings.Contains(err.Error(), "processors [1023]") {
		t.Error(err)
	}
}

func TestOurs(t *testing.T) {
	t.Parallel()
	got, err := Ours("self", strings.Fields("/opt/bin/moq-loopback-bench -Q -s 64 -t 5 -r 1000 --draft 22 -k"))
	want := "self bench loopback --json --transport quic --draft 22 -s 64 -g 10000 -P 1 -t 5 -r 1000"
	if err != nil || strings.Join(got, " ") != want {
		t.Errorf("%v, %q", err, got)
	}
	if _, err := Ours("self", []string{"iperf3"}); err == nil {
		t.Error("a program that is not known")
	}
}

func needsShell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
}
