package endpoint

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlogwriter"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/quicconn"
	"github.com/moqinterop/moq-interop-client/moqt/transport/wtconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// DialOptions say whom to dial and what to offer.
type DialOptions struct {
	// URL is the relay's.
	URL transport.URL
	// Transport constrains the transport; empty is transport.Auto: WebTransport for https://, and for moqt:// what the
	// server chooses.
	Transport transport.Choice
	// Drafts are offered in this order; empty is all, newest first.
	Drafts []wire.Draft
	// TLS is the base of the TLS configuration: RootCAs, InsecureSkipVerify and so on. ServerName is the URL's host
	// when empty; NextProtos is replaced. May be nil.
	TLS *tls.Config
	// UserAgent is the User-Agent of the WebTransport request; empty sends none.
	UserAgent string
	// QLOGDir is a directory for a qlog file per connection, <odcid>_client.sqlog; empty is none. See
	// transport.Info.OpenLog for what sessions can add.
	QLOGDir string
	// KeyLog gets the TLS secrets; nil is nowhere. Several connections may share it.
	KeyLog io.Writer
	// QUIC are the settings of the connection.
	QUIC QUIC
	// Warn, which may be nil, is told of what went wrong beside the connection (a qlog that cannot be written). It may
	// be called from any goroutine. Until Dial returns these also go to Info.Notes.
	Warn func(error)
	// Panicked is told of a panic in a goroutine of the connection, which ends with an internal error then. It may be
	// called from any goroutine. When it is nil, Warn is told, stack and all.
	Panicked func(value any, stack []byte)
}

// Dial makes one connection, with one handshake that offers everything (a second one only where the name has several
// addresses and the first does not answer). Errors are *transport.DialError, which say in which layer it failed, except
// for settings that are out of range.
func Dial(ctx context.Context, opts DialOptions) (transport.Conn, error) {
	drafts := orAll(opts.Drafts)
	d := &dialer{opts: opts, offer: alpns(opts.Transport, opts.URL.Scheme, drafts)}
	if _, err := opts.QUIC.config(); err != nil {
		return nil, err
	}
	addrs, err := resolve(ctx, opts.URL)
	if err != nil {
		return nil, err
	}
	a, err := d.race(ctx, addrs)
	if err != nil {
		return nil, err
	}
	info := transport.Info{Client: true, OriginalDestinationConnectionID: a.odcid, Notes: d.takeNotes(),
		LogFile: a.log.file(), OpenLog: a.log.open()}
	if a.q.ConnectionState().TLS.NegotiatedProtocol != alpnHTTP3 {
		return quicconn.New(a.q, quicconn.Options{Info: info, OnEnd: a.free, Panicked: d.panicked}), nil
	}
	tokens, draft14 := protocols(drafts)
	conn, err := wtconn.Client(ctx, a.q, wtconn.ClientOptions{
		Authority: opts.URL.Authority, Path: opts.URL.Path, UserAgent: opts.UserAgent,
		Protocols: tokens, NoProtocol: draft14, Info: info, OnEnd: a.free,
		Panicked: d.panicked,
	})
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// dialer is one call of Dial.
type dialer struct {
	opts  DialOptions
	offer []string // ALPNs

	mu    sync.Mutex
	notes []string
	over  bool
}

func (d *dialer) panicked(value any, stack []byte) { tellPanic(d.opts.Panicked, d.warn, value, stack) }

func (d *dialer) warn(err error) {
	d.mu.Lock()
	if !d.over {
		d.notes = append(d.notes, err.Error())
	}
	d.mu.Unlock()
	if d.opts.Warn != nil {
		d.opts.Warn(err)
	}
}

func (d *dialer) takeNotes() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	return d.notes
}

// resolve finds the addresses of the URL's host, in the system's order.
func resolve(ctx context.Context, u transport.URL) ([]*net.UDPAddr, error) {
	port, err := strconv.ParseUint(u.Port, 10, 16)
	if err != nil {
		return nil, &transport.DialError{Layer: transport.LayerDNS, Reason: fmt.Sprintf("bad port %q", u.Port),
			Err: err}
	}
	ips := []netip.Addr{}
	if ip, err := netip.ParseAddr(u.Host); err == nil {
		ips = append(ips, ip)
	} else if ips, err = net.DefaultResolver.LookupNetIP(ctx, "ip", u.Host); err != nil {
		return nil, &transport.DialError{Layer: transport.LayerDNS,
			Reason: fmt.Sprintf("the name %q does not resolve: %v", u.Host, err), Err: err}
	}
	var out []*net.UDPAddr
	for _, ip := range ips {
		out = append(out, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip.Unmap(), uint16(port))))
	}
	return out, nil
}

// headStart is how long an address may take before the next one is tried beside it. RFC 8305 §5 has 250 ms for TCP;
// a second QUIC handshake costs the relay more, and this still leaves time within a case's limit of 2 s.
const headStart = 400 * time.Millisecond

// race tries the addresses in order and gives the first on which the handshake completes. An address that refuses or
// stays silent lets the next one have its turn; any other failure comes from a server, and is the answer.
func (d *dialer) race(ctx context.Context, addrs []*net.UDPAddr) (*attempt, error) {
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		a   *attempt
		err *transport.DialError
	}
	results := make(chan result)
	next, running := 0, 0
	start := func() {
		if next == len(addrs) {
			return
		}
		addr := addrs[next]
		next++
		running++
		go func() {
			r := result{err: &transport.DialError{Layer: transport.LayerUDP, Reason: "a goroutine panicked"}}
			defer func() { results <- r }()
			guard(d.panicked, func() { r.a, r.err = d.attempt(ctx, addr) })
		}()
	}
	defer func() {
		cancel()
		for ; running > 0; running-- {
			if r := <-results; r.a != nil { // a second one that got through
				r.a.q.CloseWithError(0, "another address answered first")
				r.a.free()
			}
		}
	}()
	var failure *transport.DialError
	timer := time.NewTicker(headStart)
	defer timer.Stop()
	start()
	for running > 0 {
		select {
		case r := <-results:
			running--
			if r.err == nil {
				return r.a, nil
			}
			if r.err.Layer != transport.LayerUDP {
				return nil, r.err
			}
			if failure == nil {
				failure = r.err
			} else {
				failure = &transport.DialError{Layer: failure.Layer, Reason: failure.Reason + "; " + r.err.Reason,
					Err: failure.Err}
			}
			start()
		case <-timer.C:
			start()
		}
	}
	return nil, failure
}

// attempt is one handshake with one address, and what it occupies.
type attempt struct {
	q      *quic.Conn
	odcid  []byte
	log    *connLog
	socket *clientSocket
	tr     *quic.Transport
}

// free gives back the socket after the connection has ended.
func (a *attempt) free() {
	a.tr.Close()
	a.socket.Close()
}

func (d *dialer) attempt(ctx context.Context, addr *net.UDPAddr) (*attempt, *transport.DialError) {
	start := time.Now()
	socket, err := dialUDP(addr)
	if err != nil {
		return nil, &transport.DialError{Layer: transport.LayerUDP,
			Reason: fmt.Sprintf("no UDP socket towards %s: %v", addr, err), Err: err}
	}
	conf := &tls.Config{}
	if d.opts.TLS != nil {
		conf = d.opts.TLS.Clone()
	}
	conf.MinVersion = tls.VersionTLS13
	conf.NextProtos = d.offer
	if conf.ServerName == "" {
		conf.ServerName = d.opts.URL.Host
	}
	a := &attempt{socket: socket, tr: &quic.Transport{Conn: socket}}
	if conf.KeyLogWriter == nil {
		conf.KeyLogWriter = keyLog(d.opts.KeyLog, d.warn)
	}
	qconf, err := d.opts.QUIC.config()
	if err != nil {
		a.free()
		return nil, &transport.DialError{Layer: transport.LayerUDP, Reason: err.Error(), Err: err}
	}
	qconf.Tracer = func(_ context.Context, _ bool, id quic.ConnectionID) qlogwriter.Trace {
		a.odcid = append([]byte(nil), id.Bytes()...) // again after Version Negotiation: the last one counts
		guard(d.panicked, func() {
			a.log = newLog(logPlaces{qlog: d.opts.QLOGDir}, true, id, d.warn, d.panicked)
		})
		return a.log.quic()
	}
	if a.q, err = a.tr.Dial(ctx, addr, conf, qconf); err != nil {
		a.free()
		return nil, d.handshakeError(err, a, addr, time.Since(start))
	}
	return a, nil
}
