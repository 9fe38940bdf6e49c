package main

// benchCmd measures relays.
type benchCmd struct {
	Loopback benchLoopbackCmd `cmd:"" help:"Publisher and subscriber without a relay: what this program can do."`
	Relay    benchRelayCmd    `cmd:"" help:"Publisher and subscriber through a relay, both in this process."`
	Fanout   benchFanoutCmd   `cmd:"" help:"A publisher and many subscribers through a relay."`
	Pub      benchPubCmd      `cmd:"" help:"The publisher alone."`
	Sub      benchSubCmd      `cmd:"" help:"A subscriber alone, of this or another make's publisher."`
	Relays   benchRelaysCmd   `cmd:"" help:"Measure relays in turns with one load, and compare them."`
	Adaptive benchAdaptiveCmd `cmd:"" help:"Raise rate or subscribers until something says stop."`
	Load     benchLoadCmd     `cmd:"" help:"Many tracks, and an audience that comes and goes, by a scenario."`
	Compare  benchCompareCmd  `cmd:"" help:"Run another program's bench in turns with ours, and give the ratios."`
	Merge    benchMergeCmd    `cmd:"" help:"Join the results of several machines that measured together."`
	Plot     benchPlotCmd     `cmd:"" help:"Draw what benches found, as SVG and PNG."`
}

// Help teaches.
func (*benchCmd) Help() string {
	return `Measures goodput, objects a second, latency, loss, reordering, join time, processor time and memory.

  moq-interop-client bench relay moqt://relay.example:4443 -s 1KiB -r 1000 -t 30
  moq-interop-client bench fanout embedded --subscribers 100 --video 1080p30 --json

Unpaced (-r 0) a publisher writes as fast as the relay takes; the latency is then that of full queues. Paced, it counts
from the time at which an object was to be sent, also when the publisher is late, and what could not be sent is the
shortfall. The window (-t) begins when every subscriber has got an object and the warm-up is over; what was on its way
at its end is waited for. Lost is what was sent and has not come then.

All processes of a host have one clock. The clock of a bench pub on another host is compared with that of bench sub
through the relay: the result tells how far they are apart, and how wrong that may be (half of the fastest exchange).
--clock-error says instead how near the wall clocks are, as chrony or PTP tell it. Where neither is known, as with
publishers of other makes, there is no latency, and the result says why.
`
}
