package bench

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// recorded is the spread of samples in nanoseconds, with its histogram.
func recorded(t rapid.TB, samples []int64) *Spread {
	h := newHistogram()
	for _, v := range samples {
		if err := h.RecordValue(v); err != nil {
			t.Fatal(err)
		}
	}
	s, err := logged(h)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestMergedHistogramsAreExact: the histogram of parts that were merged is that of one machine that had measured all.
func TestMergedHistogramsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "parts")
		var all []int64
		var parts []*Result
		for i := range n {
			samples := rapid.SliceOfN(rapid.Int64Range(1, longestLatency), 1, 50).Draw(t, "samples")
			all = append(all, samples...)
			s := recorded(t, samples)
			parts = append(parts, &Result{Version: ResultVersion, Bench: "relay", Shard: &Shard{Index: i + 1, Of: n},
				Latency: &Latency{Spread: *s, Jitter: 1}, Join: s})
		}
		m, err := Merge(rapid.Permutation(parts).Draw(t, "order"))
		if err != nil {
			t.Fatal(err)
		}
		want := recorded(t, all)
		near := cmpopts.EquateApprox(1e-9, 0)
		if d := cmp.Diff(*want, m.Latency.Spread, near); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(want, m.Join, near); d != "" || m.Latency.Jitter < 0.999 || m.Latency.Jitter > 1.001 {
			t.Errorf("%s jitter %v", d, m.Latency.Jitter)
		}
	})
}

// two are the shards of a bench; change changes the second.
func two(change func(*Result)) []*Result {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var parts []*Result
	for i := range 2 {
		relay := float64(3 + i)
		window := at.Add(time.Duration(i) * 100 * time.Millisecond)
		parts = append(parts, &Result{Version: ResultVersion, Bench: "relay", Draft: "draft-22", Transport: "quic",
			Relay: "moqt://relay", Started: at, Window: &window, DurationS: 10,
			Machine: Machine{Host: fmt.Sprint("host", i), CPUs: 2}, Load: Load{ObjectBytes: 1024, Processes: 1},
			Shard: &Shard{Index: i + 1, Of: 2},
			Sent:  &Sent{Objects: 100, Bytes: 1000, ObjectsPerS: 10, Mbps: 1, Due: 110, Shortfall: 10},
			Received: &Received{Subscribers: 1, Expected: 100, Objects: 90, Bytes: 900, Lost: 10, Gaps: 2,
				LongestGap: uint64(5 + i), ObjectsPerS: 9, GoodputMbps: 0.9, SecondsS: 10},
			CPU: &CPU{ProcessS: 1, RelayS: &relay}, Memory: &Memory{ProcessMiB: 30, RelayMiB: &relay},
			Intervals: []Interval{{AtS: 1, Seconds: 1, Sent: 10, Objects: 9, GoodputMbps: 1,
				Latency: &Spread{P50: 1}}}})
	}
	if change != nil {
		change(parts[1])
	}
	return parts
}

func TestMergeAddsUp(t *testing.T) {
	t.Parallel()
	m, err := Merge(two(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, m); err != nil {
		t.Error(err)
	}
	four := 4.0
	for _, x := range []struct{ got, want any }{
		{*m.Sent, Sent{Objects: 200, Bytes: 2000, ObjectsPerS: 20, Mbps: 2, Due: 220, Shortfall: 20}},
		{*m.Received, Received{Subscribers: 2, Expected: 200, Objects: 180, Bytes: 1800, Lost: 20, Gaps: 4,
			LongestGap: 6, ObjectsPerS: 18, GoodputMbps: 1.8, SecondsS: 10}},
		{*m.CPU, CPU{ProcessS: 2, RelayS: &four}}, {*m.Memory, Memory{ProcessMiB: 30, RelayMiB: &four}},
		{m.Intervals, []Interval{{AtS: 1, Seconds: 1, Sent: 20, Objects: 18, GoodputMbps: 2}}},
		{m.Machine.Host, "host0, host1"}, {m.Machine.CPUs, 4}, {m.Load.Processes, 2}, {m.Shard, (*Shard)(nil)},
		{m.Bench + m.Relay + m.Draft + m.Transport, "relaymoqt://relaydraft-22quic"},
		{m.Notes, []string{"of 2 parts: memory is the most that one had"}},
	} {
		if d := cmp.Diff(x.want, x.got); d != "" {
			t.Error(d)
		}
	}
}

// TestMergeByHand: a publisher and its subscribers on different machines make one result.
func TestMergeByHand(t *testing.T) {
	t.Parallel()
	parts := two(nil)
	for _, p := range parts {
		p.Shard = nil
	}
	parts[0].Bench, parts[0].Received = "pub", nil
	parts[1].Bench, parts[1].Sent, parts[1].Load = "sub", nil, Load{}
	parts[1].NoLatency = "the publisher's clock is not ours"
	parts[1].Notes = []string{"a note"}
	m, err := Merge(parts)
	if err != nil || m.Bench != "pub, sub" || m.Sent.Objects != 100 || m.Received.Objects != 90 ||
		m.Load.ObjectBytes != 1024 || m.NoLatency != parts[1].NoLatency || m.Notes[0] != "sub: a note" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	late := func(d time.Duration) func(*Result) {
		return func(r *Result) { *r.Window = r.Window.Add(d) }
	}
	for want, change := range map[string]func(*Result){
		"shard 1/2 is there twice":                         func(r *Result) { r.Shard.Index = 1 },
		"shard 1/2 and shard 2/3 are not of one bench":     func(r *Result) { r.Shard.Of = 3 },
		"shard 1/2 and shard 3/2 are not of one bench":     func(r *Result) { r.Shard.Index = 3 },
		"shard 1/2 and relay: some are shards":             func(r *Result) { r.Shard = nil },
		"shard 1/2 and shard 2/2 have different loads":     func(r *Result) { r.Load.RatePerS = 1 },
		"shard 1/2 is of draft-22 over quic, shard 2/2 of": func(r *Result) { r.Draft = "draft-16" },
		"shard 2/2 is a ramp":                              func(r *Result) { r.Steps = []Step{{}} },
		"the windows began 10.1 s apart, so they do not":   late(10 * time.Second),
	} {
		if m, err := Merge(two(change)); err == nil || !strings.HasPrefix(err.Error(), "merge: "+want) {
			t.Errorf("%s: %v, %+v", want, err, m)
		}
	}
	if _, err := Merge(two(nil)[:1]); err == nil || err.Error() != "merge: shard 2/2 is missing" {
		t.Error(err)
	}
	if _, err := Merge(nil); err == nil {
		t.Error("nothing was merged")
	}
	if m, err := Merge(two(late(time.Second))); err != nil || !strings.Contains(m.Notes[0], "began up to 1.1 s apart") {
		t.Errorf("%v, %v", m, err)
	}
	bare := func(r *Result) { r.Latency = &Latency{Spread: Spread{Samples: 1, P50: 1}} }
	parts := two(bare)
	bare(parts[0])
	if _, err := Merge(parts); err == nil || !strings.Contains(err.Error(), "percentiles without their histogram") {
		t.Error(err)
	}
}

// TestMergeAddsEveryCount: no count of a subscriber is forgotten.
func TestMergeAddsEveryCount(t *testing.T) {
	t.Parallel()
	one := Received{}
	fill(reflect.ValueOf(&one).Elem())
	sum := one
	sum.add(&one)
	v := reflect.ValueOf(sum)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		want := 2.0
		if name == "LongestGap" || name == "SecondsS" {
			want = 1
		}
		var got float64
		switch f := v.Field(i); {
		case f.CanUint():
			got = float64(f.Uint())
		case f.CanInt():
			got = float64(f.Int())
		default:
			got = f.Float()
		}
		if got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
