//go:build !small

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// TestDrawBar: each interval has its line, and the bar below says how far the window is.
func TestDrawBar(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	c := bench.Config{Duration: 4 * time.Second}
	end := drawBar(&c, &out, mpb.WithAutoRefresh())
	c.Say("connected to %s", "a relay")
	for at := range 3 {
		c.Live(bench.Interval{AtS: float64(at + 1), Seconds: 1, ObjectsPerS: 1234, GoodputMbps: 5.5})
		time.Sleep(300 * time.Millisecond) // it is drawn five times a second
	}
	end()
	text := out.String()
	for _, want := range []string{"connected to a relay\n", "1234", "3 of 4 s", "75 %", "[", "]"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}

func TestStartAt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 10, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"":                     {},
		"*/30s":                now.Add(20 * time.Second),
		"*/12s":                now.Add(14 * time.Second), // 2 s are too near
		"*/1m":                 now.Add(50 * time.Second),
		"2026-11-30T12:00:11Z": now.Add(time.Second),
	} {
		if at, err := (&shardFlags{StartAt: in}).startAt(now); err != nil || !at.Equal(want) {
			t.Errorf("%s: %v, %v, want %v", in, at, err, want)
		}
	}
	for in, want := range map[string]string{"*/5": "want */ and a time", "*/1ms": "want */ and a time",
		"soon": "neither a time", "2026-11-30T12:00:10Z": "is over"} {
		if at, err := (&shardFlags{StartAt: in}).startAt(now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %s", in, at, err, want)
		}
	}
	if s, err := (&shardFlags{Shard: "2/3"}).shard(); err != nil || *s != (bench.Shard{Index: 2, Of: 3}) {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := (&shardFlags{Shard: "4/3"}).shard(); err == nil {
		t.Error("part 4 of 3")
	}
}
