package main

import (
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/bench"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// shardFlags are for benches that measure together on several machines.
type shardFlags struct {
	Shard   string `placeholder:"I/N" help:"This is part I of N that measure together; see bench merge."`
	StartAt string `placeholder:"WHEN" help:"Begin the window then: at an RFC 3339 time, or the next */30s, */1m."`
}

// shard reads --shard; nil for none.
func (f *shardFlags) shard() (*bench.Shard, error) {
	if f.Shard == "" {
		return nil, nil
	}
	s, err := matrix.ParseShard(f.Shard)
	if err != nil {
		return nil, usage("--shard: %w", err)
	}
	return &bench.Shard{Index: s.Index, Of: s.Of}, nil
}

// soon is how near a start may be for machines to be ready for it.
const soon = 5 * time.Second

// startAt reads --start-at; the zero time for none. Machines that are asked within half a period of each other choose
// the same, mostly: bench merge refuses what has not.
func (f *shardFlags) startAt(now time.Time) (time.Time, error) {
	period, regular := strings.CutPrefix(f.StartAt, "*/")
	switch {
	case f.StartAt == "":
		return time.Time{}, nil
	case regular:
		d, err := time.ParseDuration(period)
		if err != nil || d < time.Second || d > 24*time.Hour {
			return time.Time{}, usage("--start-at: %q: want */ and a time from 1s to 24h", f.StartAt)
		}
		at := now.Truncate(d).Add(d)
		if at.Sub(now) < min(soon, d/2) {
			at = at.Add(d)
		}
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, f.StartAt)
	if err != nil {
		return at, usage("--start-at: %q is neither a time such as 2026-11-30T12:00:00Z nor */ and a period", f.StartAt)
	}
	if !at.After(now) {
		return at, usage("--start-at: %s is over", f.StartAt)
	}
	return at, nil
}
