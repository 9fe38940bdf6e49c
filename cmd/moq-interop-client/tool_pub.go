package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/tools"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// pubCmd publishes.
type pubCmd struct {
	urlArg
	toolFlags
	Track string `short:"t" default:"track" placeholder:"NAME" help:"Track. Default track."`

	Files    []string `arg:"" optional:"" placeholder:"FILE" help:"Files, an object each. Default: lines of stdin."`
	Generate *uint64  `short:"g" placeholder:"N" help:"N objects that tell their number and the time; 0 has no end."`
	Size     size     `placeholder:"SIZE" help:"Their size in bytes, or with KiB, MiB."`
	Rate     float64  `placeholder:"N" help:"Objects a second. Default: as fast as they are taken."`

	Publish   bool   `help:"Offer the track with PUBLISH, and do not wait if the relay wants it. Default: announce it."`
	Datagrams bool   `help:"Send each object as a datagram."`
	NoWait    bool   `help:"Do not wait for a subscriber."`
	Keep      int    `default:"8" placeholder:"N" help:"Groups kept for FETCH and joins. Default 8."`
	Priority  *uint8 `placeholder:"N" help:"Publisher priority, 0 to 255."`

	groupFlags   `embed:"" group:"Groups, one for each object by default:"`
	provokeFlags `embed:"" group:"To provoke a relay:"`
}

// groupFlags say when a group begins.
type groupFlags struct {
	GroupObjects *uint64       `placeholder:"N" help:"A new group after N objects; 0 is one group."`
	GroupSize    size          `placeholder:"SIZE" help:"A new group when it would be larger."`
	GroupTime    time.Duration `placeholder:"TIME" help:"A new group when it is older."`
}

// groups reads them.
func (f *groupFlags) groups() (g tools.Groups, err error) {
	if f.GroupTime < 0 {
		return g, usage("--group-time: %v is below 0", f.GroupTime)
	}
	g = tools.Groups{Bytes: uint64(f.GroupSize), Time: f.GroupTime}
	switch {
	case f.GroupObjects != nil:
		g.Objects = *f.GroupObjects
	case g == tools.Groups{}:
		g.Objects = 1
	}
	return g, nil
}

// provokeFlags are what a relay's author wants to see.
type provokeFlags struct {
	EndAfter      uint64   `placeholder:"N" help:"End the track after N objects."`
	WithdrawAfter uint64   `placeholder:"N" help:"Take back the announcement after N objects."`
	GoawayAfter   uint64   `placeholder:"N" help:"Send GOAWAY after N objects."`
	ResetAfter    uint64   `placeholder:"N" help:"Reset the group's stream after N objects."`
	Gaps          uint64   `placeholder:"N" help:"Leave out an Object ID after every N objects."`
	Padding       size     `placeholder:"SIZE" help:"Send a padding stream first (draft 18 on)."`
	SecondTrack   string   `placeholder:"NAME" help:"Publish the same as another track too."`
	Properties    []string `placeholder:"T=V,…" help:"Properties of objects: even=number, odd=text."`
}

// Help teaches.
func (*pubCmd) Help() string {
	return `Publishes a track: the lines of stdin, files, or generated objects. It waits for a subscriber, and ends the
track when there is nothing more, or with Ctrl-C. After a GOAWAY it goes on where the relay says.

  date | moq-interop-client pub moqt://relay.example:4443 -n hall -t clock
  moq-interop-client pub moqt://relay.example:4443 -n hall -t load --generate 0 --size 1KiB --rate 50 --group-objects 25
  moq-interop-client pub moqt://relay.example:4443 -n hall -t odd -g 30 --group-objects 10 --gaps 4 --reset-after 15
`
}

// Run publishes.
func (c *pubCmd) Run(sys *system) error {
	p := tools.Publish{Direct: c.Publish, NoWait: c.NoWait, Second: c.SecondTrack}
	var err error
	if p.Connection, err = c.connection(sys, c.urlArg); err != nil {
		return err
	}
	names, err := c.names([]string{c.Track})
	if err != nil {
		return err
	}
	p.Track = names[0]
	switch {
	case c.Generate != nil && len(c.Files) > 0:
		return usage("--generate: the objects are those of files already")
	case c.Generate != nil:
		p.From = tools.Generated(*c.Generate, int(c.Size))
	case len(c.Files) > 0:
		p.From = tools.Files(c.Files...)
	default:
		p.From = tools.Lines(sys.stdin)
	}
	switch {
	case c.Rate < 0:
		return usage("--rate: %v is below 0", c.Rate)
	case c.Keep < 0:
		return usage("--keep: %d is below 0", c.Keep)
	}
	if p.Groups, err = c.groups(); err != nil {
		return err
	}
	if p.Properties, err = parseProperties(c.Properties); err != nil {
		return err
	}
	p.Options = moq.TrackOptions{Rate: c.Rate, KeepGroups: c.Keep}
	if c.Datagrams {
		p.Options.Layout.Mode = moq.LayoutDatagram
	}
	if c.Priority != nil {
		p.Options.Priority = func(*moq.Object) uint8 { return *c.Priority }
	}
	p.Provoke = tools.Provoke{EndAfter: c.EndAfter, WithdrawAfter: c.WithdrawAfter, GoawayAfter: c.GoawayAfter,
		ResetAfter: c.ResetAfter, Gaps: c.Gaps, Padding: int(c.Padding), Properties: p.Properties}
	return sys.runTool(func() error { return p.Run(sys.ctx) })
}

// parseProperties reads TYPE=VALUE pairs.
func parseProperties(pairs []string) (props wire.Properties, err error) {
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		t, err := strconv.ParseUint(name, 0, 62)
		if !found || err != nil {
			return nil, usage("--properties: %q is not TYPE=VALUE, with a number for the type", pair)
		}
		p := wire.Property{Type: t}
		if t%2 == 0 {
			if p.Uint, err = strconv.ParseUint(value, 0, 62); err != nil {
				return nil, usage("--properties: %q: a property of even type has a number", pair)
			}
		} else {
			p.Bytes = []byte(value)
		}
		if n := len(props); n > 0 && props[n-1].Type >= t {
			return nil, usage("--properties: %q: types must ascend", pair)
		}
		props = append(props, p)
	}
	return props, nil
}
