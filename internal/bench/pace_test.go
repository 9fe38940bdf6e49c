package bench

import (
	"slices"
	"testing"
	"time"
)

// TestPacerIsOnTime: turns come when they are due, never before. A busy machine is late with most.
func TestPacerIsOnTime(t *testing.T) {
	p := newPacer(1000, 1)
	defer p.close()
	var late []time.Duration
	for range 200 {
		due, err := p.wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		late = append(late, time.Since(due))
	}
	slices.Sort(late)
	if late[0] < 0 || late[0] > time.Millisecond {
		t.Errorf("the first in time is late by %s", late[0])
	}
	t.Logf("late by %s, %s at the median, %s", late[0], late[len(late)/2], late[len(late)-1])
}

// TestPacersWatchLittle: all that run at a time watch a twentieth of the time at most.
func TestPacersWatchLittle(t *testing.T) {
	for _, c := range []struct {
		rate float64
		of   int
		want time.Duration
	}{{1, 1, watchMost}, {1000, 1, watchMost}, {10_000, 1, 5 * time.Microsecond}, {1000, 16, watchMost / 16},
		{0, 1, 0}} {
		if got := newPacer(c.rate, c.of).watch; got != c.want {
			t.Errorf("%v/s, one of %d: %s, want %s", c.rate, c.of, got, c.want)
		}
	}
}
