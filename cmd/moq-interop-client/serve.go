package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// serveCmd runs the reference relay.
type serveCmd struct {
	Addr         *string  `placeholder:"HOST:PORT" help:"UDP address to listen on, for both transports; port 0 is any free one. Default :4443. [MOQT_PORT]"`
	Cert         *string  `placeholder:"FILE" help:"Certificate chain, PEM. Without one a self-signed certificate for localhost is made. [MOQT_CERT]"`
	Key          *string  `placeholder:"FILE" help:"Its private key, PEM. [MOQT_KEY]"`
	Drafts       *string  `short:"d" aliases:"draft" placeholder:"NN,…" help:"Drafts to serve. Default: all nine."`
	Path         string   `placeholder:"/PATH" help:"The only path to serve. Default: any."`
	RequireToken string   `placeholder:"T" help:"Refuse requests without this authorization token."`
	Fault        []string `sep:"," placeholder:"NAME,…" help:"Misbehave on purpose."`
	Compat       []string `sep:"," placeholder:"NAME,…" help:"Let named deviations of clients from the draft pass; the log names those that mattered."`
	QLOGDir      *string  `name:"qlog-dir" placeholder:"DIR" help:"A qlog file for each connection. [QLOGDIR]"`
	Quiet        bool     `short:"q" help:"Do not log sessions and what is refused."`
	ListFaults   bool     `help:"List the faults."`
}

// Help teaches.
func (*serveCmd) Help() string {
	return `Serves raw QUIC and WebTransport on one port, and says on stderr where it listens, who comes and goes, and what it refuses. SIGINT or SIGTERM stops it: clients get a GOAWAY and a second to leave.

Examples:

  moq-interop-client serve --addr :4443 --cert cert.pem --key key.pem
  moq-interop-client serve --addr 127.0.0.1:0 --fault NAME
`
}

// Run serves until the user asks it to stop.
func (c *serveCmd) Run(sys *system) error {
	if c.ListFaults {
		return listFaults(sys.stdout)
	}
	if err := runner.CheckFaults(c.Fault, faultNames()); err != nil {
		return usage("--fault: %v", err)
	}
	drafts, err := parseDrafts(sys.choose(c.Drafts, "--drafts", ""))
	if err != nil {
		return err
	}
	addr, err := c.address(sys)
	if err != nil {
		return err
	}
	conf, err := certificate(sys.choose(c.Cert, "--cert", "", "MOQT_CERT"), sys.choose(c.Key, "--key", "", "MOQT_KEY"))
	if err != nil {
		return err
	}
	log := logger(sys.stderr, true)
	if c.Quiet {
		log = logger(sys.stderr, false)
	}
	tolerate, err := codecTolerances(sys.chooseList(c.Compat, "--compat"))
	if err != nil {
		return err
	}
	decode := wire.Options{Tolerate: tolerate, Tolerated: func(t wire.Tolerance, where string) { log.Info("tolerated", "deviation", t, "where", where) }}
	relay, err := runner.StartRelay(
		reference.Options{Drafts: drafts, Faults: c.Fault, RequireToken: c.RequireToken, Decode: decode, Logger: log},
		endpoint.ListenOptions{
			Addr: addr, TLS: conf, Path: c.Path, QLOGDir: sys.choose(c.QLOGDir, "--qlog-dir", "", "QLOGDIR").text,
			Warn: func(err error) { log.Info("connection came to nothing", "error", err) },
		})
	if err != nil {
		return err
	}
	defer relay.Close()
	sys.say("listening on %s", relay.Addr())
	if conf == nil {
		sys.say("self-signed certificate, SHA-256 %x", endpoint.CertificateHash(relay.Certificate()))
	}
	select {
	case <-sys.ctx.Done():
		sys.say("stopping")
		ctx, cancel := context.WithTimeout(context.WithoutCancel(sys.ctx), farewell)
		defer cancel()
		if err := relay.Shutdown(ctx); err != nil {
			sys.say("not everybody left by themselves: %v", err)
		}
		return nil
	case <-relay.Done():
		return relay.Err()
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
	_, port, err := net.SplitHostPort(v.text)
	if err == nil {
		_, err = net.LookupPort("udp", port)
	}
	if err != nil {
		return "", v.fail(err)
	}
	return v.text, nil
}

// certificate reads the pair; nil when there is none.
func certificate(cert, key setting) (*tls.Config, error) {
	switch {
	case cert.text == "" && key.text == "":
		return nil, nil
	case key.text == "":
		return nil, key.fail(fmt.Errorf("missing, with the certificate %s", cert.text))
	case cert.text == "":
		return nil, cert.fail(fmt.Errorf("missing, with the key %s", key.text))
	}
	pair, err := tls.LoadX509KeyPair(cert.text, key.text)
	if err != nil {
		return nil, cert.fail(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
}

// listFaults prints name and documentation of each fault.
func listFaults(w io.Writer) error {
	faults := reference.Faults()
	width := 0
	for _, f := range faults {
		width = max(width, len(f.Name))
	}
	for _, f := range faults {
		if _, err := fmt.Fprintf(w, "%-*s  %s\n", width, f.Name, f.Doc); err != nil {
			return err
		}
	}
	return nil
}

func faultNames() (names []string) {
	for _, f := range reference.Faults() {
		names = append(names, f.Name)
	}
	return names
}
