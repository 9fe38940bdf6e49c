package main

import (
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/tools"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// readFlags are those of the commands that read tracks.
type readFlags struct {
	urlArg
	toolFlags
	Track []string `short:"t" sep:"none" default:"track" placeholder:"NAME" help:"Track; may be given several times."`

	JSON   bool   `name:"json" help:"A line of JSON for each object: --format json."`
	Format string `enum:"line,raw,hex,json,none" default:"line" help:"How to show objects: ${enum}. Default line."`
	Out    string `short:"o" placeholder:"DIR" help:"Write a file for each object instead: NAME/GROUP-OBJECT."`

	Count    uint64        `placeholder:"N" help:"End after N objects of each track."`
	Wait     time.Duration `placeholder:"TIME" help:"Ask again for so long while there is no such track."`
	Priority *uint8        `placeholder:"N" help:"Subscriber priority, 0 to 255."`
}

// read reads the flags.
func (f *readFlags) read(sys *system) (r tools.Read, err error) {
	if r.Connection, err = f.connection(sys, f.urlArg); err != nil {
		return r, err
	}
	if r.Tracks, err = f.names(f.Track); err != nil {
		return r, err
	}
	format := tools.Format(f.Format)
	if f.JSON {
		format = tools.FormatJSON
	}
	if f.Wait < 0 {
		return r, usage("--wait: %v is below 0", f.Wait)
	}
	r.Wait = f.Wait
	r.Count, r.To = f.Count, &tools.Sink{Out: sys.stdout, Format: format, Dir: f.Out}
	if f.Priority != nil {
		r.Parameters.SetUint(wire.ParamSubscriberPriority, uint64(*f.Priority))
	}
	return r, nil
}

// subCmd subscribes.
type subCmd struct {
	readFlags
	Start   string    `placeholder:"WHERE" help:"now, next-group, current-group, or GROUP[,OBJECT]. Default now."`
	End     *location `placeholder:"GROUP[,OBJECT]" help:"The last group or object; needs --start GROUP[,OBJECT]."`
	InOrder bool      `help:"In ascending order, waiting for what is late."`
}

// Help teaches.
func (*subCmd) Help() string {
	return `Prints the objects of a track as they come, until the track ends. After a GOAWAY it goes on where the relay
says. A summary goes to stderr.

  moq-interop-client sub moqt://relay.example:4443 -n hall -t clock
  moq-interop-client sub https://relay.example -n hall -t left -t right --json | jq .group
  moq-interop-client sub moqt://relay.example -n example.2enet-team2 -t .00.ff --encoded --format hex
`
}

// Run subscribes.
func (c *subCmd) Run(sys *system) error {
	r, err := c.read(sys)
	if err != nil {
		return err
	}
	if r.Filter, err = startFilter(c.Start, c.End); err != nil {
		return err
	}
	r.InOrder = c.InOrder
	return sys.runTool(func() error { return r.Subscribe(sys.ctx) })
}

// startFilter is the location filter of --start and --end.
func startFilter(start string, end *location) (f wire.LocationFilter, err error) {
	words := map[string]wire.LocationFilter{"": {}, "now": {Form: wire.FilterNextObject},
		"next-group": {Form: wire.FilterRelative}, "current-group": {Form: wire.FilterRelative, StartGroup: 1}}
	f, word := words[start]
	if word {
		if end != nil {
			return f, usage("--end: it needs --start GROUP[,OBJECT]")
		}
		return f, nil
	}
	var at location
	if err := at.UnmarshalText([]byte(start)); err != nil {
		return f, usage("--start: %q is none of now, next-group, current-group, GROUP and GROUP,OBJECT", start)
	}
	f = wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: at.Group, StartObject: at.Object}
	if end == nil {
		return f, nil
	}
	f.Form, f.EndGroup, f.EndObject = wire.FilterGroupEnd, end.Group, end.Object
	if end.object {
		f.Form = wire.FilterRange
	}
	if (moq.Location{Group: end.Group, Object: end.Object}).Compare(at.Location) < 0 &&
		(end.object || end.Group < at.Group) {
		return f, usage("--end: it is before --start")
	}
	return f, nil
}

// joinCmd joins.
type joinCmd struct {
	readFlags
	Back uint64 `placeholder:"N" help:"Begin N groups before the current one. Default 0."`
}

// Help teaches.
func (*joinCmd) Help() string {
	return `Subscribes, and fetches what was published before: up to draft 19 with a joining FETCH, from 20 on with a
fill. Objects come in order. Every object of the range is wanted once: if one is missing at the seam, or elsewhere,
the command says which and ends with 1.

  moq-interop-client join moqt://relay.example:4443 -n hall -t clock --back 2 --count 100 --format none
`
}

// Run joins.
func (c *joinCmd) Run(sys *system) error {
	r, err := c.read(sys)
	if err != nil {
		return err
	}
	r.GroupsBack, r.InOrder = c.Back, true
	return sys.runTool(func() error { return r.Join(sys.ctx) })
}

// fetchCmd fetches.
type fetchCmd struct {
	readFlags
	Start      location  `placeholder:"GROUP[,OBJECT]" default:"0" help:"The first object. Default 0,0."`
	End        *location `placeholder:"GROUP[,OBJECT]" help:"The last group, or object. Default: what there is."`
	Descending bool      `help:"The latest group first."`
}

// Help teaches.
func (*fetchCmd) Help() string {
	return `Prints what has been published of a track. Every object of the range is wanted once.

  moq-interop-client fetch moqt://relay.example:4443 -n hall -t clock --start 1 --end 2,4
  moq-interop-client fetch moqt://origin.example:4443 -n files -t film.mp4 --format raw > film.mp4
`
}

// Run fetches.
func (c *fetchCmd) Run(sys *system) error {
	r, err := c.read(sys)
	if err != nil {
		return err
	}
	start := fmt.Sprintf("%d,%d", c.Start.Group, c.Start.Object)
	if r.Filter, err = startFilter(start, c.End); err != nil {
		return err
	}
	r.InOrder = !c.Descending
	if c.Descending {
		const descending = 2 // draft-18 §10.2.8
		r.Parameters.SetUint(wire.ParamGroupOrder, descending)
	}
	return sys.runTool(func() error { return r.Fetch(sys.ctx) })
}
