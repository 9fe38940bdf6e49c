package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/bench"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// loadFlags say what to send.
type loadFlags struct {
	Size       size    `short:"s" default:"4096" placeholder:"SIZE" help:"Object size, also in KiB, MiB. Default 4096."`
	Group      uint64  `short:"g" default:"4096" placeholder:"N" help:"Objects per group. Default 4096."`
	Streams    uint64  `short:"P" default:"1" placeholder:"N" help:"Parallel subgroup streams. Default 1."`
	Rate       float64 `short:"r" placeholder:"N" help:"Objects a second; 0, the default, is unpaced."`
	Datagrams  bool    `short:"D" help:"Send each object as a datagram."`
	Video      string  `placeholder:"PROFILE" complete:"videos" help:"Size, group and rate of a video: 240p30 to 4k60."`
	GOP        string  `name:"gop" placeholder:"PATTERN" complete:"gops" help:"Its pictures: i, ip or ibp. Default ip."`
	Timestamps string  `placeholder:"KIND" complete:"stamps" help:"For other makes' subscribers: loc, frindell, both."`
	Publish    bool    `help:"Offer the track with PUBLISH. Default: announce its namespace."`
}

// windowFlags say how long to measure, and how to tell.
type windowFlags struct {
	Time     *float64 `short:"t" placeholder:"SECONDS" help:"The measured window. Default 10, or the scenario's."`
	Warmup   *float64 `placeholder:"SECONDS" help:"Objects flow so long before. Default a tenth of -t, at most 1."`
	Interval float64  `short:"i" default:"1" placeholder:"SECONDS" help:"A line on stderr for each. Default 1."`
	Wait     float64  `default:"10" placeholder:"SECONDS" help:"How long to wait for the other end. Default 10."`
	JSON     bool     `name:"json" help:"Print the result as JSON, see internal/bench/result.schema.json."`
	HDRLog   string   `name:"hdr-log" placeholder:"FILE" help:"Write an HdrHistogram log: latencies by interval."`
	Label    string   `placeholder:"TEXT" help:"What to call the result beside others."`
	PID      int      `name:"pid" placeholder:"N" help:"The relay's process: tell its processor time and memory."`

	shardFlags

	Clock time.Duration `name:"clock-error" placeholder:"TIME" help:"How near other hosts' wall clocks are to ours."`

	StreamWindow     size `placeholder:"SIZE" help:"Flow control of a stream at first. Default 2 MiB."`
	ConnectionWindow size `placeholder:"SIZE" help:"Flow control of a connection at first. Default 4 MiB."`
	MaxWindow        size `placeholder:"SIZE" help:"How far both may grow. Default 8 MiB and 24 MiB."`
	QueuedBytes      size `placeholder:"SIZE" help:"How far a subscriber reads ahead. Default 4 MiB."`
	PacketSize       int  `placeholder:"N" help:"UDP payload of the first packets, from 1200 to 1452. Default 1200."`
}

// benchTrack names the track of ends that run apart.
type benchTrack struct {
	Namespace string `short:"n" default:"bench" placeholder:"A/B" help:"Namespace, its fields with /. Default bench."`
	Track     string `default:"track" placeholder:"NAME" help:"Track. Default track."`
}

// seconds reads a flag of seconds.
func seconds(flag string, v float64, zero bool) (time.Duration, error) {
	if !(v > 0 || zero && v == 0) || v > bench.MaxDuration.Seconds() {
		return 0, usage("%s: %v is not a number of seconds above 0", flag, v)
	}
	return time.Duration(v * float64(time.Second)), nil
}

// load reads the flags.
func (f *loadFlags) load(subscribers int) (bench.Load, error) {
	l := bench.Load{ObjectBytes: int(f.Size), ObjectsPerGroup: f.Group, Streams: f.Streams, RatePerS: f.Rate,
		Datagrams: f.Datagrams, Video: f.Video, GOP: f.GOP, Timestamps: f.Timestamps, Tracks: 1,
		Subscribers: subscribers, Processes: 1}
	if err := l.Prepare(); err != nil {
		return l, usage("%w", err)
	}
	return l, nil
}

// defaultWindow is that of -t.
const defaultWindow = 10 * time.Second

// config reads the flags that every bench has.
func (f *windowFlags) config(sys *system, s *sessionFlags) (c bench.Config, err error) {
	for _, read := range []func() error{
		func() error {
			c.Duration = defaultWindow
			if f.Time != nil {
				c.Duration, err = seconds("--time", *f.Time, false)
			}
			return err
		},
		func() error { c.Interval, err = seconds("--interval", f.Interval, false); return err },
		func() error { c.Wait, err = seconds("--wait", f.Wait, false); return err },
		func() error {
			c.Warmup = min(c.Duration/10, time.Second)
			if f.Warmup != nil {
				c.Warmup, err = seconds("--warmup", *f.Warmup, true)
			}
			return err
		},
		func() error { c.Options, err = s.options(sys); return err },
		func() error { _, err = f.shard(); return err },
		func() error { c.StartAt, err = f.startAt(time.Now()); return err },
	} {
		if err := read(); err != nil {
			return c, err
		}
	}
	switch {
	case f.PID < 0:
		return c, usage("--pid: %d is below 0", f.PID)
	case f.Clock < 0:
		return c, usage("--clock-error: %v is below 0", f.Clock)
	case f.PacketSize != 0 && (f.PacketSize < 1200 || f.PacketSize > 1452):
		return c, usage("--packet-size: %d is not from 1200 to 1452", f.PacketSize)
	}
	q := &c.Options.QUIC
	q.StreamWindow, q.ConnectionWindow = uint64(f.StreamWindow), uint64(f.ConnectionWindow)
	q.MaxStreamWindow, q.MaxConnectionWindow = uint64(f.MaxWindow), uint64(f.MaxWindow)
	q.PacketSize = f.PacketSize
	c.Options.Session.Limits.QueuedBytes = int(f.QueuedBytes)
	c.PID, c.ClockError, c.Say = f.PID, f.Clock, s.say(sys)
	if f.HDRLog != "" {
		file, err := os.Create(f.HDRLog)
		if err != nil {
			return c, usage("--hdr-log: %w", err)
		}
		if c.Log, err = bench.NewLog(file); err != nil {
			return c, fmt.Errorf("--hdr-log: %w", err)
		}
	}
	if !s.Quiet {
		c.Live = func(i bench.Interval) { sys.say("%s", i.Text()) }
	}
	return c, nil
}

// print prints a result.
func (f *windowFlags) print(sys *system, r *bench.Result) error {
	var err error
	if r.Shard, err = f.shard(); err != nil {
		return err
	}
	r.Label, r.Command = f.Label, os.Args
	r.Machine = bench.ThisMachine(program + " " + runner.Version())
	if !f.JSON {
		return r.Text(sys.stdout)
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(sys.stdout, "%s\n", b)
	return err
}

// benchURLArg is the relay of a bench.
type benchURLArg struct {
	URL string `arg:"" name:"url" complete:"relays" help:"The relay: https://…, moqt://… or embedded."`
	tokenFlag
}

// reach sets the relay; the embedded one is started. The function ends it.
func reach(sys *system, c *bench.Config, s *sessionFlags, url string) (func(), error) {
	target, err := runner.ParseTarget(url, reference.FaultNames(), reference.QuirkNames())
	if err != nil {
		return nil, usage("%w", err)
	}
	c.URL, c.Relay = url, url
	if !target.Embedded {
		return func() {}, nil
	}
	relay, err := runner.StartEmbedded(target, reference.Options{Logger: logger(sys.stderr, s.Verbose)})
	if err != nil {
		return nil, err
	}
	connect := relay.Connect(endpoint.DialOptions{Transport: c.Options.Transport})
	c.URL, c.Options.Transport, c.Options.TLS = "moqt://"+connect.URL.Authority, connect.Transport, connect.TLS
	return relay.Close, nil
}

// measureAndPrint runs a bench.
func (f *windowFlags) measureAndPrint(sys *system, c bench.Config) error {
	return sys.runTool(func() error {
		end := sys.showBar(&c)
		r, err := bench.Run(sys.ctx, c)
		end()
		if err != nil {
			return err
		}
		return f.print(sys, r)
	})
}

// throughFlags are those of the benches with both ends here.
type throughFlags struct {
	benchURLArg
	loadFlags
	windowFlags
	sessionFlags
	Namespace string `short:"n" placeholder:"A/B" help:"Namespace, its fields with /. Default bench and a random one."`
}

func (b *throughFlags) run(sys *system, name string, subscribers int) error {
	c, err := b.config(sys, &b.sessionFlags)
	if err != nil {
		return err
	}
	if c.Load, err = b.load(subscribers); err != nil {
		return err
	}
	c.Bench, c.Track, c.Direct, c.Token = name, "track", b.Publish, b.token(sys)
	c.Namespace = randomNamespace()
	if b.Namespace != "" {
		if c.Namespace, err = (&toolFlags{Namespace: b.Namespace}).namespace(false); err != nil {
			return err
		}
	}
	end, err := reach(sys, &c, &b.sessionFlags, b.URL)
	if err != nil {
		return err
	}
	defer end()
	return b.measureAndPrint(sys, c)
}

// benchRelayCmd has one subscriber.
type benchRelayCmd struct{ throughFlags }

// Run measures.
func (b *benchRelayCmd) Run(sys *system) error { return b.run(sys, "relay", 1) }

// benchFanoutCmd has many.
type benchFanoutCmd struct {
	throughFlags
	Subscribers int `default:"10" placeholder:"N" help:"Subscribers, each with a connection of its own. Default 10."`
}

// Run measures.
func (b *benchFanoutCmd) Run(sys *system) error { return b.run(sys, "fanout", b.Subscribers) }

// benchPubCmd is the publisher's end.
type benchPubCmd struct {
	benchURLArg
	benchTrack
	loadFlags
	windowFlags
	sessionFlags
}

// Run publishes.
func (b *benchPubCmd) Run(sys *system) error {
	c, err := b.config(sys, &b.sessionFlags)
	if err != nil {
		return err
	}
	if c.Load, err = b.load(1); err != nil {
		return err
	}
	c.Bench, c.Direct, c.Token = "pub", b.Publish, b.token(sys)
	return b.runEnd(sys, c, b.URL, &b.windowFlags, &b.sessionFlags)
}

// runEnd runs one end.
func (t *benchTrack) runEnd(sys *system, c bench.Config, url string, w *windowFlags,
	s *sessionFlags) (err error) {
	if c.Namespace, err = (&toolFlags{Namespace: t.Namespace}).namespace(false); err != nil {
		return err
	}
	c.Track = t.Track
	end, err := reach(sys, &c, s, url)
	if err != nil {
		return err
	}
	defer end()
	return w.measureAndPrint(sys, c)
}

// benchSubCmd is the subscriber's end.
type benchSubCmd struct {
	benchURLArg
	benchTrack
	windowFlags
	sessionFlags
	UntilEnd bool `help:"Measure until the track ends, whatever -t says."`
}

// Run subscribes.
func (b *benchSubCmd) Run(sys *system) error {
	c, err := b.config(sys, &b.sessionFlags)
	if err != nil {
		return err
	}
	if b.UntilEnd {
		c.Duration = 0
	}
	c.Bench, c.Token = "sub", b.token(sys)
	c.Load = bench.Load{ObjectBytes: bench.MinObjectSize, ObjectsPerGroup: 1, Streams: 1, Tracks: 1, Subscribers: 1,
		Processes: 1}
	return b.runEnd(sys, c, b.URL, &b.windowFlags, &b.sessionFlags)
}

// randomWord is part of a name.
func randomWord() string { return strings.ToLower(rand.Text()[:12]) }
