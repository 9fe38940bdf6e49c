package moq

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Listener accepts sessions of clients, over raw QUIC and WebTransport on one UDP port. Its methods are safe for
// concurrent use.
type Listener struct {
	opts   *Options
	below  *endpoint.Listener
	ctx    context.Context
	cancel context.CancelFunc
	ready  chan *Session
	tasks  sync.WaitGroup

	mu       sync.Mutex
	sessions map[*Session]struct{}
	leaving  *wire.Goaway // of Goaway, also for those who come later
}

// Listen begins to serve on a UDP address: ":4443", or "127.0.0.1:0" for a free port. opts may be nil; its Handler
// answers what clients ask for.
func Listen(addr string, opts *Options) (*Listener, error) {
	o := opts.orDefault()
	below, err := endpoint.Listen(o.listen(addr))
	if err != nil {
		return nil, err
	}
	l := &Listener{opts: o, below: below, ready: make(chan *Session), sessions: make(map[*Session]struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.tasks.Go(l.serve)
	return l, nil
}

// ListenAndServe serves on a UDP address until ctx ends: every request of every client goes to the handler. Then
// clients are sent GOAWAY, and have a second to leave. The error is that of listening, or of the socket; nil when ctx
// has ended. opts may be nil; its Handler is replaced.
func ListenAndServe(ctx context.Context, addr string, handler Handler, opts *Options) error {
	o := opts.orDefault()
	o.Handler = handler
	l, err := Listen(addr, o)
	if err != nil {
		return err
	}
	defer l.Close()
	for {
		if _, err := l.Accept(ctx); err != nil {
			if ctx.Err() == nil {
				return err
			}
			l.Goaway("", time.Second)
			return nil
		}
	}
}

func (l *Listener) serve() {
	for {
		conn, err := l.below.Accept(l.ctx)
		if err != nil {
			l.cancel()
			return
		}
		l.tasks.Go(func() { l.setUp(conn) })
	}
}

// setUp makes a session of a connection, and waits until somebody takes it.
func (l *Listener) setUp(conn transport.Conn) {
	s, err := l.opts.start(l.ctx, conn, transport.URL{})
	if err != nil {
		if l.ctx.Err() == nil {
			l.opts.warn(err)
		}
		return
	}
	l.mu.Lock()
	l.sessions[s] = struct{}{}
	leaving := l.leaving
	l.mu.Unlock()
	context.AfterFunc(s.Context(), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.sessions, s)
	})
	if leaving != nil {
		l.goaway(s, leaving)
	}
	select {
	case l.ready <- s:
	case <-s.Context().Done():
	case <-l.ctx.Done():
		s.Close()
	}
}

// Accept waits for the next session. What its client asks for goes to Options.Handler from its beginning on, whether
// anybody accepts it or not: who only serves tracks need not call Accept. The error
// is net.ErrClosed after Close, or when the socket has failed, and otherwise the context's cause.
func (l *Listener) Accept(ctx context.Context) (*Session, error) {
	select {
	case s := <-l.ready:
		return s, nil
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Addr is the address that is listened on.
func (l *Listener) Addr() net.Addr { return l.below.Addr() }

// URL is the URL of this listener for clients on this host: moqt://127.0.0.1:4443.
func (l *Listener) URL() string {
	addr := *l.Addr().(*net.UDPAddr)
	if addr.IP.IsUnspecified() {
		addr.IP = net.IPv4(127, 0, 0, 1)
	}
	return "moqt://" + addr.String()
}

// ClientTLS is a TLS configuration for clients that trusts the listener's certificate alone. It is how a test, or a
// program that talks to itself, reaches a listener with a self-signed certificate.
func (l *Listener) ClientTLS() *tls.Config {
	roots := x509.NewCertPool()
	if leaf := l.below.Certificate().Leaf; leaf != nil {
		roots.AddCert(leaf)
	}
	return &tls.Config{RootCAs: roots}
}

// Goaway asks every client with GOAWAY to leave, those who come from now on too, and waits until they have, at most for
// a time. newURI says where to go instead; with "" clients come back to the same URL. Close ends those that are left. A
// second call sends nothing and waits again.
func (l *Listener) Goaway(newURI string, wait time.Duration) {
	ctx, cancel := context.WithTimeout(l.ctx, wait)
	defer cancel()
	l.mu.Lock()
	first := l.leaving == nil
	if first {
		l.leaving = &wire.Goaway{NewSessionURI: newURI, Timeout: uint64(wait.Milliseconds())}
	}
	message, left := l.leaving, slices.Collect(maps.Keys(l.sessions))
	l.mu.Unlock()
	for _, s := range left {
		if first {
			l.goaway(s, message)
		}
	}
	for _, s := range left {
		select {
		case <-s.Context().Done():
		case <-ctx.Done():
		}
	}
}

func (l *Listener) goaway(s *Session, message *wire.Goaway) {
	if err := s.Session.Goaway(s.Context(), message); err != nil && !errors.Is(err, net.ErrClosed) {
		l.opts.warn(err)
	}
}

// Close stops serving: it ends every session, and returns when all goroutines have ended.
func (l *Listener) Close() {
	l.cancel()
	l.below.Close()
	l.tasks.Wait()
	l.mu.Lock()
	var closing sync.WaitGroup
	for s := range l.sessions {
		closing.Go(s.Close)
	}
	l.mu.Unlock()
	closing.Wait()
}
