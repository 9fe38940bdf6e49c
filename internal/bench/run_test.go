package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

func TestMain(m *testing.M) {
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	flag.Set("test.parallel", "6") // what is parallel mostly waits; -parallel changes it
	leak.VerifyTestMain(m)
}

// config is that of a short bench on one draft and transport.
func config(name string, d wire.Draft, over transport.Choice, load Load) Config {
	load.ObjectBytes = cmp.Or(load.ObjectBytes, 1024)
	load.ObjectsPerGroup = cmp.Or(load.ObjectsPerGroup, 100)
	load.Streams = cmp.Or(load.Streams, 1)
	load.Subscribers = cmp.Or(load.Subscribers, 1)
	load.Tracks, load.Processes = 1, 1
	return Config{Bench: name, Namespace: moq.Namespace{"bench"}, Track: "track", Load: load,
		Options: moq.Options{Drafts: []wire.Draft{d}, Transport: over}, Duration: 200 * time.Millisecond,
		Interval: 100 * time.Millisecond, Wait: 10 * time.Second}
}

// through sends a bench through a relay of its own.
func through(t *testing.T, c *Config, faults ...string) {
	t.Helper()
	relay, err := runner.StartEmbedded(runner.Target{Embedded: true, Faults: faults}, reference.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.Close)
	o := relay.Connect(endpoint.DialOptions{Transport: c.Options.Transport})
	c.URL, c.Options.Transport, c.Options.TLS = "moqt://"+o.URL.Authority, o.Transport, o.TLS
}

// measure runs a bench, and holds it to what every result must be.
func measure(t *testing.T, c Config) *Result {
	t.Helper()
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r)
	return r
}

func check(t *testing.T, r *Result) {
	t.Helper()
	if err := valid(t, r); err != nil {
		t.Error(err)
	}
	if v := r.Received; v != nil {
		if v.Objects+v.Lost != v.Expected {
			t.Errorf("%d received and %d lost are not %d", v.Objects, v.Lost, v.Expected)
		}
		if r.Sent != nil && r.Sent.Objects*uint64(v.Subscribers) != v.Expected {
			t.Errorf("%d sent to %d subscribers, and %d expected", r.Sent.Objects, v.Subscribers, v.Expected)
		}
		sum := uint64(0)
		for _, i := range r.Intervals {
			sum += i.Objects
		}
		if sum != v.Objects {
			t.Errorf("the intervals have %d objects, the result %d", sum, v.Objects)
		}
	}
	if l := r.Latency; l != nil {
		h, err := l.Histogram()
		if err != nil {
			t.Fatal(err)
		}
		if uint64(h.TotalCount()) != l.Samples || float64(h.ValueAtPercentile(99))/1e6 != l.P99 {
			t.Errorf("the histogram has %d samples, the result %d", h.TotalCount(), l.Samples)
		}
	}
	var text strings.Builder
	if err := r.Text(&text); err != nil || !strings.Contains(text.String(), r.Bench) {
		t.Errorf("%v: %s", err, text.String())
	}
}

// sample is what go test runs; MOQ_BENCH=1 runs 2 s of each bench on these drafts and both transports.
var (
	drafts     = []wire.Draft{wire.Draft14, wire.Draft16, wire.Draft19, wire.Draft22}
	transports = []transport.Choice{transport.OnlyQUIC, transport.OnlyWebTransport}
)

// Every bench on drafts and transports: all that was sent is received or lost, exactly, and the window lasts as long as
// was asked for.
func TestEachBench(t *testing.T) {
	whole := os.Getenv("MOQ_BENCH") != ""
	n := 0
	for _, d := range drafts {
		for _, over := range transports {
			for _, name := range []string{"loopback", "relay", "fanout", "ends"} {
				n++
				if !whole && n%5 != 0 { // some of each
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", name, d, over), func(t *testing.T) {
					t.Parallel()
					each(t, name, d, over, whole)
				})
			}
		}
	}
}

func each(t *testing.T, name string, d wire.Draft, over transport.Choice, whole bool) {
	load := Load{RatePerS: 500}
	if name == "fanout" {
		load.Subscribers = 5
	}
	c := config(name, d, over, load)
	if whole {
		c.Duration, c.Interval = 2*time.Second, time.Second
	}
	if name != "loopback" {
		through(t, &c)
	}
	if name == "ends" {
		ends(t, c)
		return
	}
	began := time.Now()
	r := measure(t, c)
	if took := time.Since(began); took > c.Duration+4*time.Second {
		t.Errorf("%s took %s", c.Duration, took)
	}
	if r.Received.Lost != 0 || r.Received.Duplicates != 0 || r.Received.Corrupt != 0 {
		t.Errorf("%+v", r.Received)
	}
	if r.Draft != d.String() || !strings.HasPrefix(r.Transport, string(over)) {
		t.Errorf("%s over %s", r.Draft, r.Transport)
	}
	due := uint64(500 * c.Duration.Seconds())
	if r.Sent.Due != due || r.Sent.Objects+r.Sent.Shortfall != due || r.Latency == nil ||
		r.Latency.Samples != r.Received.Objects {
		t.Errorf("%+v, %+v", r.Sent, r.Latency)
	}
	if !whole {
		return
	}
	c.Load.RatePerS, c.Load.Streams = 0, 3
	r = measure(t, c) // unpaced: a relay may drop who is too slow
	if r.Sent.Objects < 1000 {
		t.Errorf("unpaced: %+v", r.Sent)
	}
}

// ends runs publisher and subscriber apart, as two programs do.
func ends(t *testing.T, c Config) {
	c.Bench = "pub"
	var sent *Result
	var failed error
	var publisher sync.WaitGroup
	publisher.Go(func() { sent, failed = Run(t.Context(), c) })
	q := c
	q.Bench, q.Duration = "sub", 10*time.Second
	got, err := Run(t.Context(), q)
	publisher.Wait()
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	check(t, sent)
	check(t, got)
	if v := got.Received; v.Objects != sent.Sent.Objects || v.Lost != 0 {
		t.Errorf("sent %+v, received %+v", sent.Sent, v)
	}
	if got.Latency == nil || got.Latency.Clock != "one clock on one host" {
		t.Errorf("%+v", got.Latency)
	}
}

// Streams, datagrams, pictures, timestamps, objects of one byte more than the header and of megabytes: each arrives
// whole.
func TestLoads(t *testing.T) {
	for name, load := range map[string]Load{
		"streams":   {Streams: 8, RatePerS: 2000, ObjectsPerGroup: 64},
		"datagrams": {Datagrams: true, RatePerS: 500, ObjectBytes: 500},
		"video":     {Video: "720p60", GOP: "ibp"},
		"stamped":   {Timestamps: "both", RatePerS: 500},
		"tiny":      {ObjectBytes: MinObjectSize, RatePerS: 5000},
		"large":     {ObjectBytes: 3 << 20, RatePerS: 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := measure(t, config("loopback", wire.Draft18, transport.OnlyQUIC, load))
			if r.Received.Objects == 0 || r.Received.Corrupt != 0 || r.Received.Bytes != r.Sent.Bytes {
				t.Errorf("%+v, %+v", r.Sent, r.Received)
			}
		})
	}
}

// Unpaced, the sender fills what there is and stops on time.
func TestUnpaced(t *testing.T) {
	for _, size := range []int{64, 4096, 8 << 20} {
		began := time.Now()
		r := measure(t, config("loopback", wire.Draft22, transport.OnlyQUIC, Load{ObjectBytes: size, Streams: 2}))
		if took := time.Since(began); took > 4*time.Second || r.Received.Objects == 0 || r.Received.Lost != 0 {
			t.Errorf("%d bytes: %s, %+v", size, took, r.Received)
		}
	}
}

// A dead URL ends within 2 s, and says so.
func TestNobodyThere(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	for _, name := range []string{"relay", "fanout", "pub", "sub"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(name, wire.Draft22, transport.OnlyQUIC, Load{})
			c.URL = "moqt://" + silent.LocalAddr().String()
			began := time.Now()
			_, err := Run(t.Context(), c)
			took := time.Since(began)
			if err == nil || !strings.Contains(err.Error(), "within 1.8s") || took > 2*time.Second {
				t.Errorf("%v after %s", err, took)
			}
		})
	}
}

// Faults of the relay show as what they are, those of a known share with that share.
func TestFaultsShow(t *testing.T) {
	late := func(r *Result) (n uint64) {
		h, err := r.Latency.Histogram()
		if err != nil {
			t.Fatal(err)
		}
		for _, bar := range h.Distribution() {
			if bar.From >= int64(100*time.Millisecond) {
				n += uint64(bar.Count)
			}
		}
		return n
	}
	// Where the last object of all is one of the share, none comes before it, and nobody waits for it to come again.
	nearly := func(n, share uint64) bool { return n == share || n+1 == share }
	for fault, shows := range map[string]func(r *Result, v *Received, share uint64) bool{
		"drop-object":     func(_ *Result, v *Received, _ uint64) bool { return v.Lost > 0 },
		"corrupt-payload": func(_ *Result, v *Received, _ uint64) bool { return v.Corrupt > 0 },
		"drop-tenth": func(_ *Result, v *Received, share uint64) bool {
			return v.Lost == share && v.Gaps == share && v.LongestGap == 1 && v.Duplicates+v.Reordered == 0
		},
		"duplicate-tenth": func(_ *Result, v *Received, share uint64) bool {
			return nearly(v.Duplicates, share) && v.Lost == 0
		},
		"delay-tenth": func(r *Result, v *Received, share uint64) bool {
			n := late(r) // and others that a busy machine holds up; only these come behind later ones
			return n >= share && nearly(v.Reordered, share) && v.Lost+v.Duplicates == 0
		},
		"reorder-tenth": func(_ *Result, v *Received, share uint64) bool {
			return nearly(v.Reordered, share) && v.Lost+v.Duplicates == 0
		},
	} {
		for _, datagrams := range []bool{false, true} {
			if datagrams && !strings.HasSuffix(fault, "-tenth") {
				continue
			}
			t.Run(fmt.Sprintf("%s/datagrams=%v", fault, datagrams), func(t *testing.T) {
				t.Parallel()
				c := config("relay", wire.Draft18, transport.OnlyQUIC, Load{RatePerS: 500, ObjectsPerGroup: 100,
					Datagrams: datagrams})
				c.Duration = 400 * time.Millisecond
				through(t, &c, fault)
				r := measure(t, c)
				for try := 0; try < 5 && r.Sent.Objects < 50; try++ { // the machine had no time for us
					r = measure(t, c)
				}
				share, more := r.Sent.Objects/10, (r.Sent.Objects+9)/10 // a busy machine may not send all that is due
				if !shows(r, r.Received, share) && !shows(r, r.Received, more) {
					b, _ := json.Marshal(r.Received)
					t.Errorf("of %d objects %d or %d are %d: %s", r.Sent.Objects, share, more, late(r), b)
				}
			})
		}
	}
}

// What cannot be asked for is an error that says what and why.
func TestBadLoads(t *testing.T) {
	good := Load{ObjectBytes: 100, ObjectsPerGroup: 10, Streams: 1, Subscribers: 1}
	for want, change := range map[string]func(*Load){
		"object size 0":       func(l *Load) { l.ObjectBytes = 0 },
		"rate -1":             func(l *Load) { l.RatePerS = -1 },
		"objects per group":   func(l *Load) { l.ObjectsPerGroup = 0 },
		"streams 11: a group": func(l *Load) { l.Streams = 11 },
		"subscribers 0":       func(l *Load) { l.Subscribers = 0 },
		"datagrams have none": func(l *Load) { l.Datagrams, l.Streams = true, 2 },
		"timestamps \"x\"":    func(l *Load) { l.Timestamps = "x" },
		"video \"9p\"":        func(l *Load) { l.Video = "9p" },
	} {
		l := good
		change(&l)
		if err := l.Prepare(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	c := config("loopback", wire.Draft22, transport.OnlyQUIC, Load{Datagrams: true, ObjectBytes: 4000})
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "datagram") {
		t.Errorf("a datagram too large for the path: %v", err)
	}
}

// A bench that is stopped leaves nothing behind; goleak sees to that.
func TestStopped(t *testing.T) {
	c := config("loopback", wire.Draft22, transport.OnlyQUIC, Load{})
	c.Duration = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, c); err == nil {
		t.Error("no error")
	}
}
