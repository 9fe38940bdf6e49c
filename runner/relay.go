package runner

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// RelayOptions say how the reference relay serves.
type RelayOptions struct {
	// Listen says where, and which drafts and transports.
	Listen endpoint.ListenOptions
	// Faults are switched on.
	Faults []string
	// Token, if not empty, is what every request must carry.
	Token string
	// Warn, if set, is told of what went wrong; it may be called from any goroutine.
	Warn func(error)
}

// Relay is the reference relay, serving real UDP. Its methods are safe for concurrent use.
type Relay struct {
	ln     *endpoint.Listener
	cancel context.CancelFunc
	work   sync.WaitGroup
	done   chan struct{}
	faults []string
}

// StartRelay starts the reference relay.
func StartRelay(o RelayOptions) (*Relay, error) {
	o.Listen.Warn = o.Warn
	serve, err := newReference(o)
	if err != nil {
		return nil, err
	}
	ln, err := endpoint.Listen(o.Listen)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Relay{ln: ln, cancel: cancel, done: make(chan struct{}), faults: o.Faults}
	r.work.Go(func() {
		defer close(r.done)
		for {
			conn, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			r.work.Go(func() { serve(ctx, conn) })
		}
	})
	return r, nil
}

// Addr is where it listens.
func (r *Relay) Addr() net.Addr { return r.ln.Addr() }

// Certificate is the one it serves.
func (r *Relay) Certificate() tls.Certificate { return r.ln.Certificate() }

// Done is closed when the relay has ended, by Close or because its socket failed.
func (r *Relay) Done() <-chan struct{} { return r.done }

// Close ends every session and returns when nothing of the relay runs any more.
func (r *Relay) Close() error {
	r.cancel()
	err := r.ln.Close()
	r.work.Wait()
	return err
}

// StartEmbedded starts the relay that "embedded" stands for: on a free loopback port, with the target's faults.
func StartEmbedded(t Target, warn func(error)) (*Relay, error) {
	return StartRelay(RelayOptions{Listen: endpoint.ListenOptions{Addr: "127.0.0.1:0"}, Faults: t.Faults, Warn: warn})
}

// Connect turns options for dialling into such that reach this relay and trust its certificate, and no other. Without a constraint
// the transport is raw QUIC.
func (r *Relay) Connect(o endpoint.DialOptions) endpoint.DialOptions {
	addr := r.Addr().(*net.UDPAddr)
	o.URL = transport.URL{Scheme: "moqt", Host: addr.IP.String(), Port: portOf(addr), Authority: addr.String()}
	if o.Transport == transport.Auto || o.Transport == "" {
		o.Transport = transport.OnlyQUIC
	}
	o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	if leaf := r.Certificate().Leaf; leaf != nil {
		o.TLS.RootCAs.AddCert(leaf)
	}
	return o
}

// Dialer makes the function that cases dial with: the drafts they offer replace those of o.
func Dialer(o endpoint.DialOptions) func(ctx context.Context, role string, drafts []wire.Draft) (transport.Conn, error) {
	return func(ctx context.Context, _ string, drafts []wire.Draft) (transport.Conn, error) {
		o := o
		o.Drafts = drafts
		return endpoint.Dial(ctx, o)
	}
}
