package bench

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// twoHosts runs the ends of a bench as if each had a host of its own: the publisher's was booted so much earlier.
func twoHosts(t *testing.T, c Config, boots time.Duration) *Result {
	t.Helper()
	through(t, &c)
	p, s := c, c
	p.Bench, p.ClockError = "pub", 0
	s.Bench, s.Duration, s.Direct = "sub", 20*time.Second, false
	pub, sub := newRunning(p), newRunning(s)
	pub.clock.at += int64(boots)
	pub.clock.host++
	sent := make(chan error, 1)
	go func() {
		_, err := pub.all(t.Context())
		sent <- err
	}()
	r, err := sub.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	check(t, r)
	if r.Received.Objects == 0 { // some may be lost where the machine holds up the subscriber
		t.Errorf("%+v", r.Received)
	}
	return r
}

// TestTwoClocks: how far the clocks of two hosts are apart is measured through the relay, and the error that the result
// tells is not smaller than the one that was made.
func TestTwoClocks(t *testing.T) {
	for _, d := range []wire.Draft{wire.Draft14, wire.Draft18, wire.Draft22} {
		for boots, over := range map[time.Duration]transport.Choice{90 * time.Hour: transport.OnlyQUIC,
			-time.Minute: transport.OnlyWebTransport} {
			t.Run(d.String()+"/"+string(over), func(t *testing.T) {
				t.Parallel()
				c := config("", d, over, Load{RatePerS: 500})
				c.Warmup, c.Duration = time.Second, 1500*time.Millisecond
				r := twoHosts(t, c, boots)
				l := r.Latency
				if l == nil || l.Offset == nil {
					t.Fatalf("%+v, %q", l, r.NoLatency)
				}
				if wrong := math.Abs(*l.Offset + boots.Seconds()*1e3); wrong > l.ClockError || l.ClockError > 5000 {
					t.Errorf("%v ms apart, wrong by %v, and said to be by at most %v", *l.Offset, wrong, l.ClockError)
				}
				t.Logf("%v ms apart, error %v, %d exchanges, p50 %v", *l.Offset, l.ClockError, l.Exchanges, l.P50)
				if l.Exchanges == 0 || l.Samples == 0 || l.P50 > 20_000 || l.ClockError == 0 {
					t.Errorf("%+v", l)
				}
				var text strings.Builder
				if err := r.Text(&text); err != nil || !strings.Contains(text.String(), " apart, by ") {
					t.Errorf("%v: %s", err, text.String())
				}
			})
		}
	}
}

// TestWallClocks: with --clock-error the wall clocks count, not the times since two boots.
func TestWallClocks(t *testing.T) {
	t.Parallel()
	c := config("", wire.Draft22, transport.OnlyQUIC, Load{RatePerS: 500})
	c.Warmup, c.Duration, c.ClockError = time.Second, 1500*time.Millisecond, 3*time.Millisecond
	r := twoHosts(t, c, time.Hour)
	if l := r.Latency; l == nil || l.ClockError != 3 || l.P50 > 20_000 || l.Samples == 0 ||
		!strings.Contains(l.Clock, "--clock-error") {
		t.Errorf("%+v, %q", l, r.NoLatency)
	}
}

// TestNoExchange: where the publisher of another host cannot be asked for its time there is no latency, and the result
// says why. A relay forwards no SUBSCRIBE where only a track is published, and no namespace.
func TestNoExchange(t *testing.T) {
	t.Parallel()
	c := config("", wire.Draft22, transport.OnlyQUIC, Load{RatePerS: 500})
	c.Direct, c.Warmup, c.Duration = true, time.Second, 1500*time.Millisecond
	r := twoHosts(t, c, time.Hour)
	if r.Latency != nil || !strings.Contains(r.NoLatency, "it does not tell its time: ") {
		t.Errorf("%+v, %q", r.Latency, r.NoLatency)
	}
}

// TestClocksMoveApart: the error is that of the whole window.
func TestClocksMoveApart(t *testing.T) {
	r := &running{}
	first := &offset{ns: 1000, bound: 50}
	if e := r.clockError(first); e != 50 {
		t.Errorf("of one exchange: %d", e)
	}
	r.recent = []offset{{ns: 1500, bound: 400}, {ns: 1200, bound: 30}, {ns: 900, bound: 500}}
	if e := r.clockError(first); e != 230 { // the best of the last is 200 away, and wrong by 30
		t.Errorf("of several: %d", e)
	}
}
