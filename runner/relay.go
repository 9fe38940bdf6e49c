//go:build !js

package runner

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// Relay is the reference relay on a UDP socket of its own. Its methods are safe for concurrent use.
type Relay struct {
	relay  *reference.Relay
	ln     *endpoint.Listener
	cancel context.CancelFunc
	done   chan struct{}
	err    error // valid when done is closed

	http     *http.Server // of ServeMetrics, or nil
	httpDone chan struct{}
}

// MetricsOptions say what ServeMetrics serves beside the metrics.
type MetricsOptions struct {
	// Profiles serves the profiles of the process too, under /debug/pprof/.
	Profiles bool
}

// StartRelay starts the reference relay. It serves the drafts of options, whatever listen says.
func StartRelay(options reference.Options, listen endpoint.ListenOptions) (*Relay, error) {
	relay, err := reference.New(options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Relay{relay: relay, cancel: cancel, done: make(chan struct{})}
	listen.Drafts = options.Drafts
	r.ln, err = endpoint.Listen(relay.ListenOptions(listen))
	if err != nil {
		cancel()
		relay.Close()
		return nil, err
	}
	go func() {
		defer close(r.done)
		r.err = relay.ServeListener(ctx, r.ln)
	}()
	return r, nil
}

// Addr is the UDP address the relay listens on.
func (r *Relay) Addr() net.Addr { return r.ln.Addr() }

// Certificate is the certificate that the relay presents.
func (r *Relay) Certificate() tls.Certificate { return r.ln.Certificate() }

// SetCertificate has every handshake from now on see this certificate.
func (r *Relay) SetCertificate(cert tls.Certificate) error { return r.ln.SetCertificate(cert) }

// Done is closed when the relay has stopped, by Close or because its socket failed. Err then says why; it is nil after
// Close.
func (r *Relay) Done() <-chan struct{} { return r.done }

// Err says why the relay has stopped. Call it only when Done is closed.
func (r *Relay) Err() error { return r.err }

// Shutdown sends GOAWAY to every client and waits until they have left or ctx ends. Call Close afterwards.
func (r *Relay) Shutdown(ctx context.Context) error { return r.relay.Shutdown(ctx) }

// Close ends every session, and returns when all of the relay's goroutines have ended.
func (r *Relay) Close() {
	r.cancel()
	r.closeMetrics()
	r.relay.Close()
	<-r.done
	r.ln.Close()
}

// StartEmbedded starts the relay that "embedded" stands for, on a free port of the loopback interface, with the
// target's faults and quirks.
func StartEmbedded(t Target, options reference.Options) (*Relay, error) {
	options.Faults, options.Quirks = t.Faults, t.Quirks
	return StartRelay(options, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
}

// Connect returns o changed so that it reaches this relay, and trusts its certificate alone. Without a constraint the
// transport is raw QUIC.
func (r *Relay) Connect(o endpoint.DialOptions) endpoint.DialOptions {
	addr := r.Addr().(*net.UDPAddr)
	o.URL = transport.URL{Scheme: "moqt", Host: addr.IP.String(), Port: strconv.Itoa(addr.Port),
		Authority: addr.String()}
	if o.Transport != transport.OnlyWebTransport {
		o.Transport = transport.OnlyQUIC
	}
	o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	if leaf := r.Certificate().Leaf; leaf != nil {
		o.TLS.RootCAs.AddCert(leaf)
	}
	return o
}

// keepAlive is how long a silent relay is left alone before a packet asks for a sign of life, so that a case soon knows
// when the relay is gone.
const keepAlive = 100 * time.Millisecond

// Dialer makes the function with which cases dial, for cases.Config.Dial: the drafts they offer replace those of o.
func Dialer(o endpoint.DialOptions) func(ctx context.Context, role string, drafts []wire.Draft) (transport.Conn,
	error) {
	return func(ctx context.Context, role string, drafts []wire.Draft) (transport.Conn, error) {
		o := o
		o.Drafts, o.QUIC.KeepAlive = drafts, keepAlive
		if role == pulseRole {
			o.QLOGDir = ""
		}
		return endpoint.Dial(ctx, o)
	}
}

// closeMetrics ends ServeMetrics, if there is one.
func (r *Relay) closeMetrics() {
	if r.http != nil {
		r.http.Close()
		<-r.httpDone
	}
}
