package main

import (
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/badpath"
)

// badpathCmd runs a bad network path.
type badpathCmd struct {
	Listen string `required:"" placeholder:"HOST:PORT" help:"UDP address for clients. Port 0 is any free one."`
	To     string `required:"" placeholder:"HOST:PORT" help:"UDP address of the relay."`
	RTT    *span  `name:"rtt" placeholder:"TIME" help:"Round trip time that the path adds: half of it each way."`
	Seed   uint64 `default:"1" placeholder:"N" help:"Seed of the random events. Default 1."`

	Both badpathFlags `embed:"" group:"Both ways:"`
	Up   badpathFlags `embed:"" prefix:"up-" group:"From clients to the relay, instead of both ways:"`
	Down badpathFlags `embed:"" prefix:"down-" group:"From the relay to clients, instead of both ways:"`
}

// badpathFlags are what can be said of a direction. Nil is not given.
type badpathFlags struct {
	Delay     *span          `placeholder:"TIME" help:"How long each packet takes."`
	Jitter    *span          `placeholder:"TIME" help:"How much longer at most, at random. The order stays."`
	Loss      *badpath.Share `placeholder:"SHARE" help:"Packets that are lost."`
	Duplicate *badpath.Share `placeholder:"SHARE" help:"Packets that arrive twice."`
	Reorder   *badpath.Share `placeholder:"SHARE" help:"Packets that are overtaken by later ones."`
	ReorderBy *span          `placeholder:"TIME" help:"How long those are held back. Default 10ms."`
	Rate      *badpath.Rate  `placeholder:"RATE" help:"Bits a second, of all clients together."`
	Queue     *size          `placeholder:"SIZE" help:"Bytes that may wait for the rate; the rest is dropped."`
	MaxPacket *count         `placeholder:"BYTES" help:"The largest UDP payload that gets through."`
}

// Help teaches.
func (*badpathCmd) Help() string {
	return `Treats the packets between clients and a relay as a bad network would. Many clients may connect; each has
a port of its own towards the relay. With the same seed, the same happens to the n-th packet of each client in
every run. Ctrl-C ends it, and prints counters.

Units: TIME 100ms, 1.5s; SHARE 3%; RATE 10mbit, 500kbit; SIZE in bytes, or with KiB or MiB. An IPv6 path of 1,280 bytes
has a --max-packet of 1232. The default --queue is what the rate carries in 200 ms, and at least 32 KiB.

Examples:

  moq-interop-client badpath --listen 127.0.0.1:4444 --to relay.example:4443 --rtt 100ms --loss 3% --rate 10mbit
  moq-interop-client badpath --listen 127.0.0.1:4444 --to localhost:4443 --down-rate 4mbit --up-delay 300ms
  moq-interop-client -r moqt://127.0.0.1:4444 --tls-disable-verify
`
}

// Run carries packets until the user asks it to stop.
func (c *badpathCmd) Run(sys *system) error {
	for _, v := range []setting{{text: c.Listen, from: "--listen"}, {text: c.To, from: "--to"}} {
		if err := v.wantAddress("udp"); err != nil {
			return err
		}
	}
	path := badpath.Path{Seed: c.Seed}
	for _, way := range []struct {
		own badpathFlags
		to  *badpath.Direction
	}{{c.Up, &path.Up}, {c.Down, &path.Down}} {
		if c.RTT != nil {
			way.to.Delay = time.Duration(*c.RTT / 2)
		}
		c.Both.apply(way.to)
		way.own.apply(way.to)
	}
	if c.RTT != nil && c.Both.Delay != nil {
		return usage("--rtt and --delay say the same: want one of them")
	}
	proxy, err := badpath.Listen(c.Listen, c.To, path)
	if err != nil {
		return err
	}
	defer proxy.Close()
	sys.say("listening on %s, for %s", proxy.Addr(), c.To)
	<-sys.ctx.Done()
	proxy.Close()
	sys.say("%s", proxy.Stats())
	return nil
}

// apply sets what was given.
func (f *badpathFlags) apply(d *badpath.Direction) {
	set((*span)(&d.Delay), f.Delay)
	set((*span)(&d.Jitter), f.Jitter)
	set((*span)(&d.ReorderBy), f.ReorderBy)
	set((*count)(&d.MaxPacket), f.MaxPacket)
	set((*badpath.Share)(&d.Loss), f.Loss)
	set((*badpath.Share)(&d.Duplicate), f.Duplicate)
	set((*badpath.Share)(&d.Reorder), f.Reorder)
	set((*badpath.Rate)(&d.Rate), f.Rate)
	set((*size)(&d.Queue), f.Queue)
}

func set[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}

// span is a time that is not negative.
type span time.Duration

// UnmarshalText reads a time: "100ms", "1.5s".
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no time such as 100ms or 1.5s", text)
	}
	*s = span(d)
	return nil
}
