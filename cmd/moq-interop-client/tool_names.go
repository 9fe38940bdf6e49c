package main

import (
	"github.com/moqinterop/moq-interop-client/internal/tools"
)

// nameFlags are those of the commands about names.
type nameFlags struct {
	urlArg
	toolFlags
	JSON bool `name:"json" help:"A line of JSON for each event."`
}

func (f *nameFlags) names(sys *system, empty bool) (n *tools.Names, err error) {
	n = &tools.Names{Out: sys.stdout, JSON: f.JSON}
	if n.Connection, err = f.connection(sys, f.urlArg); err != nil {
		return nil, err
	}
	n.Namespace, err = f.namespace(empty)
	return n, err
}

// announceCmd announces.
type announceCmd struct{ nameFlags }

// Help teaches.
func (*announceCmd) Help() string {
	return `Announces a namespace with PUBLISH_NAMESPACE, prints what is asked for under it, and refuses that.
Ctrl-C takes the announcement back.
`
}

// Run announces.
func (c *announceCmd) Run(sys *system) error {
	n, err := c.names(sys, false)
	if err != nil {
		return err
	}
	return sys.runTool(func() error { return n.Announce(sys.ctx) })
}

// watchCmd watches.
type watchCmd struct{ nameFlags }

// Help teaches.
func (*watchCmd) Help() string {
	return `Prints the namespaces and tracks under a prefix as they come (+) and go (-), in the form of draft-22 §8.8.
--namespace "" is every one, where the relay allows it.
`
}

// Run watches.
func (c *watchCmd) Run(sys *system) error {
	n, err := c.names(sys, true)
	if err != nil {
		return err
	}
	return sys.runTool(func() error { return n.Watch(sys.ctx) })
}

// statusCmd asks for a status.
type statusCmd struct {
	nameFlags
	Track string `short:"t" default:"track" placeholder:"NAME" help:"Track. Default track."`
}

// Help teaches.
func (*statusCmd) Help() string {
	return "Asks for the status of a track with TRACK_STATUS, and prints its Largest Object.\n"
}

// Run asks.
func (c *statusCmd) Run(sys *system) error {
	n, err := c.names(sys, false)
	if err != nil {
		return err
	}
	if n.Track, err = c.track(c.Track); err != nil {
		return err
	}
	return sys.runTool(func() error { return n.Status(sys.ctx) })
}

// originCmd serves tracks.
type originCmd struct {
	toolFlags
	Addr string `default:":4443" placeholder:"HOST:PORT" help:"UDP address, for both transports. Default :4443."`
	Cert string `placeholder:"FILE" help:"Certificate chain, PEM. Default: a self-signed one."`
	Key  string `placeholder:"FILE" help:"Its private key, PEM."`

	Dir          string  `placeholder:"DIR" help:"Serve the files of a folder, a track each."`
	Track        string  `short:"t" placeholder:"NAME" help:"Serve a generated track of this name."`
	Rate         float64 `default:"1" placeholder:"N" help:"Its objects a second. Default 1."`
	Size         size    `placeholder:"SIZE" help:"Their size."`
	GroupObjects uint64  `default:"10" placeholder:"N" help:"Its objects in a group. Default 10."`
}

// Help teaches.
func (*originCmd) Help() string {
	return `Serves tracks to clients without a relay: files, which are fetched, and a generated track, which is
subscribed to and joined.

  moq-interop-client origin --addr :4443 -n files --dir /srv/films
  moq-interop-client origin --addr :4443 -n hall -t clock --rate 2
`
}

// Run serves.
func (c *originCmd) Run(sys *system) error {
	o := tools.Origin{Addr: c.Addr, Dir: c.Dir, Rate: c.Rate, Size: int(c.Size), PerGroup: c.GroupObjects,
		Say: c.say(sys)}
	var err error
	if o.Options, err = c.options(sys); err != nil {
		return err
	}
	if o.Namespace, err = c.namespace(false); err != nil {
		return err
	}
	if o.Track, err = c.track(c.Track); err != nil {
		return err
	}
	addr := setting{c.Addr, "--addr", true}
	if err := addr.wantAddress("udp"); err != nil {
		return err
	}
	pair := certificatePair{setting{c.Cert, "--cert", c.Cert != ""}, setting{c.Key, "--key", c.Key != ""}}
	if o.Options.TLS, err = pair.config(); err != nil {
		return err
	}
	switch {
	case c.Dir == "" && c.Track == "":
		return usage("nothing to serve: --dir serves files, --track a generated track")
	case !(c.Rate > 0):
		return usage("--rate: %v is not above 0", c.Rate)
	case c.GroupObjects == 0:
		return usage("--group-objects: 0 is no group")
	}
	return sys.runTool(func() error { return o.Run(sys.ctx) })
}
