package badpath

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// through sends packets, apart of each other, through a pipe, and gives when which arrived.
func through(t *testing.T, d Direction, n int, apart time.Duration) (log []string, counts Counts) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		p := newPipe(d, func(_ *client, packet []byte) error {
			mu.Lock()
			defer mu.Unlock()
			log = append(log, fmt.Sprintf("%d at %s", packet[0], time.Since(began)))
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() { p.run(ctx) })
		f, c := newFlow(7, 0, 0), &client{}
		for i := range n {
			data := []byte{byte(i)}
			p.take(c, f, data)
			data[0] = 255 // it keeps nothing of what it was given
			time.Sleep(apart)
		}
		time.Sleep(time.Minute)
		cancel()
		wait.Wait()
		counts = p.count()
	})
	return log, counts
}

func TestPacketsArriveWhenTheyShould(t *testing.T) {
	const ms = time.Millisecond
	for _, x := range []struct {
		name  string
		d     Direction
		n     int
		apart time.Duration
		want  []string
	}{
		{"at once", Direction{}, 2, ms, []string{"0 at 0s", "1 at 1ms"}},
		{"delay", Direction{Delay: 300 * ms}, 3, 100 * ms, []string{"0 at 300ms", "1 at 400ms", "2 at 500ms"}},
		{"twice", Direction{Delay: ms, Duplicate: 1}, 2, 10 * ms,
			[]string{"0 at 1ms", "0 at 1ms", "1 at 11ms", "1 at 11ms"}},
		{"none", Direction{Loss: 1}, 3, ms, nil},
		{"a byte each ms", Direction{Rate: 8000}, 3, 0, []string{"0 at 1ms", "1 at 2ms", "2 at 3ms"}},
		{"some are overtaken", Direction{Delay: ms, Reorder: 0.4, ReorderBy: 25 * ms}, 6, 10 * ms,
			[]string{"0 at 26ms", "1 at 36ms", "4 at 41ms", "2 at 46ms", "5 at 51ms", "3 at 56ms"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, counts := through(t, x.d, x.n, x.apart)
			if diff := cmp.Diff(x.want, got); diff != "" {
				t.Error(diff)
			}
			if int(counts.Delivered) != len(x.want) || int(counts.Packets) != x.n {
				t.Errorf("%+v", counts)
			}
		})
	}
}

// No packet is unaccounted for, and what a pipe holds is bounded.
func TestEveryPacketIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		d := Direction{Delay: time.Second, Loss: 0.1, Duplicate: 0.2, MaxPacket: 60_000, Rate: 10e9, Queue: 1 << 30}
		p := newPipe(d, func(*client, []byte) error {
			if n++; n%10 == 0 {
				return errors.New("nobody listens")
			}
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() { p.run(ctx) })
		f, c := newFlow(1, 0, 0), &client{}
		packet := make([]byte, 60_001)
		for i := range 4000 {
			p.take(c, f, packet[:60_000+i%2]) // every other one is too large
			if x := p.count(); x.UnderWay > maxHeld/60_000 {
				t.Fatalf("%d packets held", x.UnderWay)
			}
		}
		time.Sleep(time.Minute)
		cancel()
		wait.Wait()
		x := p.count()
		if x.Packets != 4000 || x.TooLarge != 2000 || x.QueueFull == 0 || x.Lost == 0 || x.Refused == 0 ||
			x.UnderWay != 0 {
			t.Errorf("%+v", x)
		}
		if x.Packets+x.Duplicated != x.Delivered+x.Lost+x.TooLarge+x.QueueFull+x.Refused {
			t.Errorf("packets are missing: %+v", x)
		}
	})
}
