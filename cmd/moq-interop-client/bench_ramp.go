package main

import (
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/bench"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

// benchAdaptiveCmd looks for the limit.
type benchAdaptiveCmd struct {
	URL string `arg:"" optional:"" name:"url" complete:"relays" help:"The relay. Default: none, as with loopback."`
	loadFlags
	windowFlags
	sessionFlags
	tokenFlag

	Mode         string        `enum:"rate,subscribers" default:"rate" help:"What rises: ${enum}. Default rate."`
	From         float64       `default:"10" placeholder:"N" help:"The first step: Mbit/s, or subscribers. Default 10."`
	To           float64       `default:"10000" placeholder:"N" help:"The last step. Default 10000."`
	MaxP90       time.Duration `name:"max-p90" default:"100ms" placeholder:"TIME" help:"Latency. Default 100ms."`
	MaxLoss      float64       `default:"0" placeholder:"SHARE" help:"And up to this loss. Default 0."`
	MaxShortfall float64       `default:"0.05" placeholder:"SHARE" help:"And this shortfall of 1. Default 0.05."`
}

// Help teaches.
func (*benchAdaptiveCmd) Help() string {
	return `Each step is a bench of -t seconds; the next is twice as high, until one does not hold. Then the gap is
halved four times. The result is that of the highest step that held, with all steps. With --mode subscribers -r is the
rate.

  moq-interop-client bench adaptive moqt://relay.example:4443 -t 3
  moq-interop-client bench adaptive moqt://relay.example:4443 -t 3 --mode subscribers -s 1KiB -r 100 --to 1000
`
}

// Run measures.
func (b *benchAdaptiveCmd) Run(sys *system) error {
	c, err := b.config(sys, &b.sessionFlags)
	if err != nil {
		return err
	}
	ramp := bench.Ramp{Subscribers: b.Mode == "subscribers", From: b.From, To: b.To, P90: b.MaxP90, Loss: b.MaxLoss,
		Shortfall: b.MaxShortfall}
	if c.Load, err = b.load(1); err != nil {
		return err
	}
	switch {
	case !(b.From > 0):
		return usage("--from: %v is not above 0", b.From)
	case !(b.To >= b.From):
		return usage("--to: %v is below --from", b.To)
	case ramp.Subscribers && (b.From < 1 || b.To > bench.MaxSubscribers):
		return usage("--from, --to: %v and %v are not from 1 to %d subscribers", b.From, b.To, bench.MaxSubscribers)
	case ramp.Subscribers && c.Load.RatePerS == 0:
		return usage("--mode subscribers: it needs a rate, with -r or --video")
	case !ramp.Subscribers && b.Video != "":
		return usage("--video: its rate cannot rise; --mode subscribers lets those rise")
	}
	c.Live = nil // a line for each step instead
	c.Namespace, c.Track, c.Direct, c.Token = randomNamespace(), "track", b.Publish, b.token(sys)
	if b.URL != "" {
		end, err := reach(sys, &c, &b.sessionFlags, b.URL)
		if err != nil {
			return err
		}
		defer end()
	}
	return sys.runTool(func() error {
		r, err := bench.Adaptive(sys.ctx, c, ramp)
		if err != nil {
			return err
		}
		return b.print(sys, r)
	})
}

// benchLoadCmd runs a scenario.
type benchLoadCmd struct {
	benchURLArg
	Scenario string  `short:"f" name:"file" default:"default" complete:"scenarios" help:"The scenario, or its file."`
	Seed     *uint64 `placeholder:"N" help:"Seed of chance. Default: the scenario's."`
	windowFlags
	sessionFlags
}

// Help teaches.
func (*benchLoadCmd) Help() string {
	return `A scenario has namespaces, the tracks of each, and audiences that come, stay, leave and come again, by
chance but with a seed. Built in are ` + strings.Join(bench.ScenarioNames(), ", ") + `; their files are in
internal/bench/scenarios.

  moq-interop-client bench load moqt://relay.example:4443 -f churn-storm
  moq-interop-client bench load embedded -f mine.yaml --json
`
}

// Run measures.
func (b *benchLoadCmd) Run(sys *system) error {
	c, err := b.config(sys, &b.sessionFlags)
	if err != nil {
		return err
	}
	s, err := bench.LoadScenario(b.Scenario)
	if err != nil {
		return usage("%w", err)
	}
	if b.Time == nil {
		c.Duration = 0
	}
	if b.Seed != nil {
		s.Seed = *b.Seed
	}
	c.Namespace, c.Token = randomNamespace(), b.token(sys)
	end, err := reach(sys, &c, &b.sessionFlags, b.URL)
	if err != nil {
		return err
	}
	defer end()
	return sys.runTool(func() error {
		r, err := bench.RunScenario(sys.ctx, c, s)
		if err != nil {
			return err
		}
		return b.print(sys, r)
	})
}

// randomNamespace keeps benches apart that run at a time.
func randomNamespace() moq.Namespace { return moq.Namespace{"bench", randomWord()} }
