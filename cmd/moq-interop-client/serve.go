package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// serveCmd runs the reference relay.
type serveCmd struct {
	Addr   *string `placeholder:"HOST:PORT" help:"UDP address, for both transports. Default :4443. [MOQT_PORT]"`
	Cert   *string `placeholder:"FILE" help:"Certificate chain, PEM. Default: a self-signed one. [MOQT_CERT]"`
	Key    *string `placeholder:"FILE" help:"Its private key, PEM. [MOQT_KEY]"`
	Drafts *string `short:"d" aliases:"draft" placeholder:"NN,…" help:"Drafts to serve. [MOQT_DRAFT, DRAFT]"`

	Path         string   `placeholder:"/PATH" help:"The only path to serve. Default: any."`
	PathScopes   bool     `help:"A session of /a/b may only use namespaces that begin with a, b."`
	RequireToken string   `placeholder:"T" help:"Refuse requests without this authorization token."`
	Fault        []string `sep:"," placeholder:"NAME" complete:"faults" help:"Misbehave on purpose."`
	Quirk        []string `sep:"," placeholder:"NAME" complete:"quirks" help:"Be odd, as the drafts allow."`
	Compat       []string `sep:"," placeholder:"NAME" complete:"codec" help:"Deviations of clients to allow."`

	Metrics *string `placeholder:"HOST:PORT" help:"Serve metrics over HTTP there, at /metrics. Default: not at all."`
	PProf   bool    `name:"pprof" help:"Serve the profiles of the process there too, at /debug/pprof/."`

	ListFaults bool `help:"List the faults and quirks."`

	serveNetwork  `embed:"" group:"Network:"`
	serveUpstream `embed:"" group:"A relay behind a relay:"`
	serveLog      `embed:"" group:"Log:"`
	serveFiles    `embed:"" group:"Log files:"`
	serveLimits   `embed:"" group:"Limits (SIZE in bytes, or with KiB, MiB, GiB):"`
}

// Help teaches.
func (*serveCmd) Help() string {
	return `Serves raw QUIC and WebTransport on one port. It logs to stderr where it listens, which sessions begin and
end, and which requests come and are refused. SIGINT or SIGTERM stops it: clients get a GOAWAY and a second to leave.
SIGHUP makes it read certificate and key again: clients that come later get the new ones, and bad files change nothing.

Port 0 means any free port. The self-signed certificate is for localhost and ends after 13 days; a day before that the
relay makes the next one and prints its hash. What --path-scopes or --require-token forbids is refused with
UNAUTHORIZED. --compat takes ` + strings.Join(wire.ToleranceNames(), ", ") + `;
the log names those that were needed.

Beyond a limit the relay refuses: a connection with CONNECTION_REFUSED, a session with INTERNAL_ERROR, a request with
EXCESSIVE_LOAD (INTERNAL_ERROR up to draft 16). When the cache is full, the oldest groups are dropped from it. Objects
that are no longer in it and still wait for subscribers have a bound of their own, --waiting-bytes. At that bound the
oldest are dropped: the subscriber's stream is reset with TOO_FAR_BEHIND (DELIVERY_TIMEOUT up to draft 16), and the
subscriber goes on with later streams. When even the fastest reader of a stream is --subscriber-bytes behind, the relay
reads from its publisher more slowly.

--memory-bytes bounds all that clients make the relay hold together, --session-bytes what one client does: streams and
messages that have begun, requests, objects that are not whole, streams towards clients. The cache and what waits count
too, and the cache gives way. A fourth of --memory-bytes is kept for sessions that hold less than 1 MiB. At a bound new
streams wait in QUIC, and what has begun finds its stream stopped with EXCESSIVE_LOAD after a second. The process takes
up to three times --memory-bytes of the machine's memory. A message, header or object that has begun and does not go on
for --stall finds its stream stopped with CANCELLED; between two objects a stream may stand still for any time.
Connections that have sent no SETUP, or no token where --require-token wants one, are in the lobby: when it is full, the
one that has waited longest is closed.

The log files, <odcid>_server.sqlog and <odcid>_server.mlog, have QUIC's and MoQT's events. The second name is the one
that the public interop runner looks for. The folder must be writable. At the bound of --mlog-files or --mlog-bytes the
oldest *_server.mlog of the folder are removed, those of earlier runs too. --qlog-dir has no bound. The command
healthcheck leaves no line in the log and no file.

--keep-alive is at most half of --idle-timeout. When a client asks for a shorter idle time, that one counts. The QUIC
library has one congestion control (Reno), so there is no flag for it.

With --upstream the relay is a client of another relay. It asks that relay for tracks that nobody publishes here, and
publishes there what is published here, namespaces and tracks. Clients that discover namespaces or tracks here find
those of the upstream relay as well. While the upstream relay is away, its tracks end with INTERNAL_ERROR, and requests
for others are refused with it; the relay dials again after 0.5 s, then less and less often, down to every 30 s. Two
relays that are each other's upstream would ask in circles. So a relay first asks for a track that nobody has. If that
request comes back to it, by any route, it closes the session, says so, and tries again later.

Examples:

  moq-interop-client serve --addr :4444 --upstream moqt://relay.example:4443 --upstream-drafts 18,16
  moq-interop-client serve --addr :4443 --cert cert.pem --key key.pem
  moq-interop-client serve --addr 127.0.0.1:0 --fault NAME
  moq-interop-client serve --log json --metrics 127.0.0.1:9090 --max-sessions 200 --cache-bytes 256MiB
`
}

// Run serves until the user asks it to stop.
func (c *serveCmd) Run(sys *system) error {
	if c.ListFaults {
		return listFaults(sys.stdout)
	}
	if err := runner.CheckNames("fault", c.Fault, reference.FaultNames()); err != nil {
		return usage("--fault: %v", err)
	}
	if err := runner.CheckNames("quirk", c.Quirk, reference.QuirkNames()); err != nil {
		return usage("--quirk: %v", err)
	}
	chosen := sys.choose(c.Drafts, "--drafts", "", "MOQT_DRAFT", "DRAFT")
	drafts, err := parseDrafts(chosen)
	if err != nil {
		return err
	}
	addr, err := c.address(sys)
	if err != nil {
		return err
	}
	metrics := sys.choose(c.Metrics, "--metrics", "")
	if metrics.set {
		if err := metrics.wantAddress("tcp"); err != nil {
			return err
		}
	} else if c.PProf {
		return usage("--pprof: it needs --metrics, whose address it shares")
	}
	listen := endpoint.ListenOptions{Addr: addr, Path: c.Path}
	if err := c.serveNetwork.apply(&listen); err != nil {
		return err
	}
	parent, err := c.parent(sys, listen.QUIC)
	if err != nil {
		return err
	}
	if err := c.serveFiles.apply(sys, &listen); err != nil {
		return err
	}
	frugal()
	pair := c.certificates(sys)
	if listen.TLS, err = pair.config(); err != nil {
		return err
	}
	keys, err := sys.keyLog(nil)
	if err != nil {
		return err
	}
	log := slog.New(c.handler(sys.stderr, c.level()))
	tolerate, err := codecTolerances(sys.chooseList(c.Compat, "--compat"))
	if err != nil {
		return err
	}
	decode := wire.Options{Tolerate: tolerate,
		Tolerated: func(t wire.Tolerance, where string) { log.Info("tolerated", "deviation", t, "where", where) }}
	options := reference.Options{Drafts: drafts, Faults: c.Fault, Quirks: c.Quirk, RequireToken: c.RequireToken,
		PathScopes: c.PathScopes, Parent: parent, Decode: decode, Logger: log}
	listen.Warn = func(err error) { log.Info("listener reports", "error", err) }
	listen.Renewed = func(cert tls.Certificate) { c.sayCertificate(sys, "self-signed certificate renewed", cert) }
	listen.KeyLog = keys
	c.serveLimits.apply(&options, &listen)
	hangup, stop := hangups()
	defer stop()
	relay, err := runner.StartRelay(options, listen)
	if err != nil {
		return err
	}
	defer relay.Close()
	if metrics.set {
		at, err := relay.ServeMetrics(metrics.text, runner.MetricsOptions{Profiles: c.PProf})
		if err != nil {
			return err
		}
		url := fmt.Sprintf("http://%s/metrics", at)
		c.notice(sys, "metrics at "+url, "metrics", "url", url)
	}
	if chosen.set {
		names := draftNumbers(drafts)
		c.notice(sys, fmt.Sprintf("drafts %s (from %s)", names, chosen.from),
			"drafts", "drafts", names, "from", chosen.from)
	}
	c.notice(sys, "listening on "+relay.Addr().String(), "listening", "address", relay.Addr().String())
	if !pair.given() {
		hash := fmt.Sprintf("%x", endpoint.CertificateHash(relay.Certificate()))
		c.notice(sys, "self-signed certificate, SHA-256 "+hash, "self-signed certificate", "sha256", hash)
		link := pageLink(relay.Addr(), hash)
		c.notice(sys, "in a browser, where `"+program+" web` runs: "+link, "in a browser", "url", link)
	}
	for {
		select {
		case <-hangup:
			c.reread(sys, pair, relay)
		case <-sys.ctx.Done():
			c.stop(sys, relay)
			return nil
		case <-relay.Done():
			return relay.Err()
		}
	}
}

// stop tells the clients that the relay goes away, and waits for a second.
func (c *serveCmd) stop(sys *system, relay *runner.Relay) {
	c.notice(sys, "stopping", "stopping")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(sys.ctx), farewell)
	defer cancel()
	if err := relay.Shutdown(ctx); err != nil {
		c.notice(sys, fmt.Sprintf("not everybody has left: %v", err), "not everybody has left", "error", err)
	}
}

// farewell is how long clients have to leave when the relay stops.
const farewell = time.Second

// logger logs as text for people, or nothing.
func logger(w io.Writer, wanted bool) *slog.Logger {
	if !wanted {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// address is that of the flag, or any host with the port of MOQT_PORT.
func (c *serveCmd) address(sys *system) (string, error) {
	v := sys.choose(c.Addr, "--addr", ":4443", "MOQT_PORT")
	if v.from == "MOQT_PORT" {
		v.text = ":" + v.text
	}
	return v.text, v.wantAddress("udp")
}

// wantAddress is a usage error when the setting is no host:port of a network.
func (v setting) wantAddress(network string) error {
	_, port, err := net.SplitHostPort(v.text)
	if err == nil {
		_, err = net.LookupPort(network, port)
	}
	if err != nil {
		return v.fail(err)
	}
	return nil
}

// listFaults prints name and documentation of each fault, then of each quirk.
func listFaults(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range append(reference.Faults(), reference.KeyedFaults()...) {
		fmt.Fprintf(t, "fault\t%s\t%s\n", f.Name, f.Doc)
	}
	for _, q := range reference.Quirks() {
		fmt.Fprintf(t, "quirk\t%s\t%s\n", q.Name, q.Doc)
	}
	return t.Flush()
}
