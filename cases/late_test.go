package cases

import (
	"testing"
	"time"
)

func TestNumbersForPeople(t *testing.T) {
	for want, got := range map[string]string{
		"1.2 Mbit/s": bitRate(1.23e6), "12 kbit/s": bitRate(12_000),
		"8 Mbit/s": bitRate(8.04e6), "950 bit/s": bitRate(950),
		"2.5 Gbit/s": bitRate(2.5e9), "10 Mbit/s": bitRate(9.96e6),
		"554 kB": byteCount(554_321), "1 MB": byteCount(1_000_000), "1 byte": byteCount(1), "12 bytes": byteCount(12),
		"10 MB": byteCount(10_000_000), "5.5 MB": byteCount(5_520_000),
		"4.2 s": seconds(4230 * time.Millisecond), "12 ms": seconds(12 * time.Millisecond),
		"61 s": seconds(61 * time.Second),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// What a path carries shows in writes that had to wait, and not in those that only went into its queue.
func TestWhatAPathCarries(t *testing.T) {
	var began time.Time
	write := func(pieces int, each, first time.Duration) float64 {
		tr := newTraffic(nil)
		now := began
		for i := range pieces {
			took := each
			if i == 0 {
				took = first
			}
			tr.went(piece, now, now.Add(took))
			now = now.Add(took)
		}
		return tr.up.carried()
	}
	const mbit = 1e6
	// 64 KiB at 1 Mbit/s take 524 ms; the first piece goes into the queue
	if r := write(10, 524*time.Millisecond, 0); r < 0.9*mbit || r > 1.2*mbit {
		t.Errorf("%s of a path of 1 Mbit/s", bitRate(r))
	}
	// the relay takes 1 MiB at once and then nothing for 10 s: the path is not slow
	tr := newTraffic(nil)
	for i := range 16 {
		at := began.Add(time.Duration(i) * time.Millisecond)
		tr.went(piece, at, at.Add(time.Millisecond))
	}
	tr.went(piece, began.Add(16*time.Millisecond), began.Add(10*time.Second))
	if r := tr.up.carried(); r < 100*mbit {
		t.Errorf("%s of a path that carried 1 MiB in 16 ms", bitRate(r))
	}
	if r := newTraffic(nil).up.carried(); r != 0 {
		t.Errorf("%s of a path that carried nothing", bitRate(r))
	}
}
