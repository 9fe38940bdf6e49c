package badpath

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// fates gives what becomes of n packets of a client that come at the same distance.
func fates(d Direction, seed uint64, client, n int, apart time.Duration) (list []arrival) {
	l, f := &line{d: d.withDefaults()}, newFlow(seed, client, 0)
	for i := range n {
		list = append(list, l.take(f, began.Add(time.Duration(i)*apart), 1000))
	}
	return list
}

func count(list []arrival, is func(arrival) bool) (n int) {
	for _, a := range list {
		if is(a) {
			n++
		}
	}
	return n
}

func TestSharesOfPackets(t *testing.T) {
	const n = 100_000
	d := Direction{Loss: 0.03, Duplicate: 0.05, Reorder: 0.25}
	list := fates(d, 1, 0, n, time.Millisecond)
	for _, x := range []struct {
		what string
		want float64
		is   func(arrival) bool
	}{
		{"lost", 0.03, func(a arrival) bool { return a.fate == lost }},
		{"twice", 0.97 * 0.05, func(a arrival) bool { return a.copies == 2 }},
		{"late", 0.97 * 0.25, func(a arrival) bool { return a.late }},
	} {
		got := float64(count(list, x.is)) / n
		if got < x.want*0.95 || got > x.want*1.05 {
			t.Errorf("%s: %.4f of the packets, want about %.4f", x.what, got, x.want)
		}
	}
}

// What happens to the n-th packet follows from the seed, the client and n: not from the clock, nor from what else the
// path does.
func TestASeedRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, client := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 100).Draw(t, "client")
		loss := rapid.Float64Range(0, 1).Draw(t, "loss")
		lostOnes := func(d Direction, apart time.Duration) (list []bool) {
			d.Loss = loss
			for _, a := range fates(d, seed, client, 100, apart) {
				list = append(list, a.fate == lost)
			}
			return list
		}
		one := lostOnes(Direction{}, time.Millisecond)
		other := lostOnes(Direction{Duplicate: 0.5, Reorder: 0.5, Jitter: time.Second, Rate: 1000}, time.Microsecond)
		if diff := cmp.Diff(one, other); diff != "" {
			t.Error(diff)
		}
	})
	one, other := fates(Direction{Loss: 0.5}, 1, 0, 100, 0), fates(Direction{Loss: 0.5}, 2, 0, 100, 0)
	if cmp.Equal(one, other, cmp.AllowUnexported(arrival{})) {
		t.Error("two seeds give the same losses")
	}
}

// Whatever the path does, a packet does not arrive before its delay, nor later than delay, jitter, reordering and the
// queue allow; those that are not held back keep their order; and the line sends no more than its rate.
func TestArrivals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := func(most int, name string) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Millisecond
		}
		d := Direction{Delay: ms(500, "delay"), Jitter: ms(100, "jitter"), ReorderBy: ms(50, "by"),
			Loss: 0.1, Duplicate: 0.1, Reorder: rapid.SampledFrom([]float64{0, 0.25}).Draw(t, "reorder"),
			Rate:      rapid.SampledFrom([]int64{0, 100_000, 10_000_000}).Draw(t, "rate"),
			Queue:     rapid.Int64Range(0, 1<<20).Draw(t, "queue"),
			MaxPacket: rapid.SampledFrom([]int{0, 1200}).Draw(t, "largest"),
		}.withDefaults()
		l, f := &line{d: d}, newFlow(rapid.Uint64().Draw(t, "seed"), 0, 0)
		now, last, sent := began, time.Time{}, 0
		for range 200 {
			now = now.Add(time.Duration(rapid.IntRange(0, 10_000).Draw(t, "apart")) * time.Microsecond)
			size := rapid.IntRange(1, 1500).Draw(t, "size")
			a := l.take(f, now, size)
			if big := d.MaxPacket > 0 && size > d.MaxPacket; big != (a.fate == tooLarge) {
				t.Fatalf("%d bytes: %+v", size, a)
			}
			if a.fate != delivered {
				if a.copies != 0 {
					t.Fatalf("%+v", a)
				}
				continue
			}
			sent += size
			least := now.Add(d.Delay)
			most := least.Add(d.Jitter + d.ReorderBy)
			if d.Rate > 0 {
				seconds := (float64(d.Queue) + float64(size)) * 8 / float64(d.Rate)
				most = most.Add(time.Duration(seconds*float64(time.Second)) + time.Millisecond)
			}
			if a.at.Before(least) || a.at.After(most) {
				t.Fatalf("%+v, want from %s to %s", a, least, most)
			}
			if !a.late && a.at.Before(last) {
				t.Fatalf("%+v arrives before the one before", a)
			}
			if !a.late {
				last = a.at
			}
			if d.Rate > 0 {
				if took := l.free.Sub(began).Seconds() * float64(d.Rate) / 8; float64(sent) > took+1 {
					t.Fatalf("%d bytes sent where the line carries %.0f", sent, took)
				}
			}
		}
	})
}

func TestALineWithAQueue(t *testing.T) {
	// 8,000 bit/s: a packet of 1,000 bytes takes a second; two of them may wait.
	l, f := &line{d: Direction{Rate: 8000, Queue: 2000}}, newFlow(1, 0, 0)
	var got []string
	for _, ms := range []int{0, 0, 0, 0, 1000, 1000, 9000} {
		a := l.take(f, began.Add(time.Duration(ms)*time.Millisecond), 1000)
		if a.fate == queueFull {
			got = append(got, "full")
			continue
		}
		got = append(got, a.at.Sub(began).String())
	}
	if diff := cmp.Diff([]string{"1s", "2s", "full", "full", "3s", "full", "10s"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestQueueByDefault(t *testing.T) {
	for rate, want := range map[int64]int64{0: 0, 1_000_000: 32 << 10, 10_000_000: 250_000} {
		if got := (Direction{Rate: rate}).withDefaults().Queue; got != want {
			t.Errorf("%d bit/s: %d bytes may wait, want %d", rate, got, want)
		}
	}
}
