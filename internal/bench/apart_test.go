package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/moqinterop/moq-interop-client/internal/badpath"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// TestApart: a loopback whose subscriber runs elsewhere has one result, with processor time and memory of each side.
func TestApart(t *testing.T) {
	t.Parallel()
	c := config("loopback", wire.Draft22, transport.OnlyQUIC, Load{RatePerS: 500})
	c.Load.Processes, c.Duration = 2, 600*time.Millisecond
	c.Subscriber = func(ctx context.Context, url string) (*Result, error) {
		s := c
		s.Bench, s.URL, s.Subscriber, s.Duration, s.Load.Processes = "sub", url, nil, 0, 1
		s.Options.TLS = &tls.Config{InsecureSkipVerify: true}
		return Run(ctx, s)
	}
	r := measure(t, c)
	if r.Bench != "loopback" || r.Load.Processes != 2 || r.Relay != "" || r.Received.Lost != 0 ||
		r.Latency.Samples != r.Received.Objects || r.Latency.Clock != "one clock on one host" {
		t.Errorf("%+v, %+v, %+v", r, r.Received, r.Latency)
	}
	if r.CPU.PublisherS == nil || r.CPU.SubscriberS == nil || r.Memory.PublisherMiB == nil ||
		r.Memory.SubscriberMiB == nil ||
		!slices.ContainsFunc(r.Intervals, func(i Interval) bool { return i.Latency != nil }) {
		t.Errorf("%+v, %+v, %+v", r.CPU, r.Memory, r.Intervals)
	}
	var text strings.Builder
	if err := r.Text(&text); err != nil || !strings.Contains(text.String(), "processor  publisher ") {
		t.Errorf("%v: %s", err, text.String())
	}
	c.Subscriber = func(context.Context, string) (*Result, error) { return nil, fmt.Errorf("no such program") }
	if _, err := Run(t.Context(), c); err == nil || err.Error() != "subscriber: no such program" {
		t.Error(err)
	}
}

// TestLog: a log has all samples, each in its interval, and short intervals are not shown.
func TestLog(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log, err := NewLog(&b)
	if err != nil {
		t.Fatal(err)
	}
	c := config("loopback", wire.Draft18, transport.OnlyQUIC, Load{RatePerS: 500})
	c.Log, c.Duration = log, 600*time.Millisecond // a pause must not swallow an interval
	c.Interval = c.Duration * 2 / 5
	shown := 0
	c.Live = func(i Interval) {
		if shown++; i.Seconds < c.Interval.Seconds()/2 {
			t.Errorf("an interval of %v s is shown", i.Seconds)
		}
	}
	r := measure(t, c)
	if shown < 2 || shown > len(r.Intervals) {
		t.Errorf("%d of %d intervals were shown", shown, len(r.Intervals))
	}
	in, whole := hdrhistogram.NewHistogramLogReader(&b), newHistogram()
	var counts, want []uint64
	for {
		h, err := in.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		counts = append(counts, uint64(h.TotalCount()))
		whole.Merge(h)
	}
	for _, i := range r.Intervals {
		if i.Latency != nil {
			want = append(want, i.Latency.Samples)
		}
	}
	if fmt.Sprint(counts) != fmt.Sprint(want) || uint64(whole.TotalCount()) != r.Latency.Samples ||
		float64(whole.ValueAtPercentile(99))/1e6 != r.Latency.P99 {
		t.Errorf("%v samples, the intervals have %v, all %d", counts, want, r.Latency.Samples)
	}
}

// TestPID: the processor time and the memory of another process are told, and one that is not there is an error. It is
// not parallel: the other process is this one, looked at twice, and another test would have its memory grow in between.
func TestPID(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	c := config("loopback", wire.Draft22, transport.OnlyQUIC, Load{})
	c.PID = os.Getpid() // it works for the bench, as a relay does
	r := measure(t, c)
	own, told := r.CPU.ProcessS, r.CPU.RelayS
	if told == nil || math.Abs(*told-own) > 2.5/clockTicks || *told == 0 {
		t.Errorf("process %v, told %v", own, told)
	}
	if m := r.Memory; m.RelayMiB == nil || *m.RelayMiB < 1 || *m.RelayMiB > m.ProcessMiB+1 {
		t.Errorf("%+v", m)
	}
	c.PID = math.MaxInt32
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "process 2147483647") {
		t.Error(err)
	}
}

// TestSlowSide: of a path that carries a tenth of what is due, the rest is the shortfall. Nothing is lost, and no queue
// grows: what was sent has come soon after the window, which is as long as was asked for.
func TestSlowSide(t *testing.T) {
	for size, rate := range map[int]float64{64: 16e6, 1 << 20: 64e6} { // bits a second
		for _, paced := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d bytes, paced %v", size, paced), func(t *testing.T) {
				t.Parallel()
				load := Load{ObjectBytes: size}
				if paced {
					load.RatePerS = 10 * rate / 8 / float64(size)
				}
				c := config("relay", wire.Draft22, transport.OnlyQUIC, load)
				c.Duration = 500 * time.Millisecond
				relay, err := runner.StartRelay(reference.Options{}, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(relay.Close)
				o := relay.Connect(endpoint.DialOptions{})
				slow, err := badpath.Listen("127.0.0.1:0", o.URL.Authority,
					badpath.Path{Up: badpath.Direction{Rate: int64(rate)}})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(slow.Close)
				c.URL, c.Options.TLS = "moqt://"+slow.Addr().String(), &tls.Config{InsecureSkipVerify: true}
				r := measure(t, c)
				if r.Received.Lost != 0 || paced && r.Sent.Shortfall < r.Sent.Due/2 {
					t.Errorf("%+v, %+v", r.Sent, r.Received)
				}
				// What the path carries until the last write is cut, what waits in streams that have ended, an object.
				if most := uint64(rate/8*(c.Duration+grace).Seconds()) + 1500<<10 + uint64(size); r.Sent.Bytes > most {
					t.Errorf("%d bytes were taken, of which the path carries %d", r.Sent.Bytes, most)
				}
				if r.DurationS != 0.5 || r.DrainS > 3 {
					t.Errorf("the window was %v s, and %v s to drain", r.DurationS, r.DrainS)
				}
			})
		}
	}
}
