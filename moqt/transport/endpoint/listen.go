package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/qlogwriter"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/quicconn"
	"github.com/moqinterop/moq-interop-client/moqt/transport/wtconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// ListenOptions say what to serve.
type ListenOptions struct {
	// Addr is host:port; port 0 is any free one.
	Addr string
	// TLS is the base of the TLS configuration, with its certificates. NextProtos and GetConfigForClient are replaced.
	// When it is nil or has no certificate, SelfSigned makes one, and another a day before that ends.
	TLS *tls.Config
	// Drafts are served; empty is all.
	Drafts []wire.Draft
	// Transport constrains the transport; empty is transport.Auto, both on the one port.
	Transport transport.Choice
	// Path is the only path that is served over WebTransport; empty is any.
	Path string
	// HTTP, if set, answers the HTTP/3 requests that are not for MoQT: every request but WebTransport's, and those for
	// another path. So MoQT and a web server share a port. Such a connection ends when its client is idle.
	HTTP http.Handler
	// QLOGDir is a directory for a qlog file per connection, <odcid>_server.sqlog. MLOGDir is one for
	// files with the same contents and the name that the public interop runner wants, <odcid>_server.mlog. Empty is
	// none. See transport.Info.OpenLog for what sessions can add. A health check (CheckHealth) leaves no file.
	QLOGDir, MLOGDir string
	// MLOGFiles bounds how many .mlog files there are in MLOGDir, MLOGBytes how many bytes they have together; 0 is no
	// bound. Where one is met, the oldest file that is complete is removed, those of earlier listeners among them.
	// Where all are being written, a new connection has none and those that are written get no further events, which is
	// told to Warn.
	MLOGFiles int
	MLOGBytes int64
	// KeyLog gets the TLS secrets; nil is nowhere.
	KeyLog io.Writer
	// QUIC are the settings of every connection.
	QUIC QUIC
	// MaxConnections is how many connections there may be at a time, those in their handshake among them; 0 is
	// DefaultMaxConnections. Further ones are refused with CONNECTION_REFUSED (RFC 9000 §20.1) before anything is kept
	// of them, and the first of a row of refusals is told to Warn.
	MaxConnections int
	// Windows, if set, bounds by how many bytes the connection windows of all connections together may grow beyond
	// QUIC.ConnectionWindow: where Take reports false, a window stays as it is. Give gives back what a connection had
	// taken when it has ended. Both may be called from any goroutine.
	Windows interface {
		Take(bytes int64) bool
		Give(bytes int64)
	}
	// UpgradeTimeout bounds the time from the handshake to the WebTransport request; 0 is 10 s.
	UpgradeTimeout time.Duration
	// Handshake, which may be nil, is told what became of each client's handshake. It may be called from any goroutine.
	Handshake func(HandshakeReport)
	// Renewed, which may be nil, is told of a certificate that replaces one which the listener had made. It may be
	// called from any goroutine.
	Renewed func(tls.Certificate)
	// Warn, which may be nil, is told of connections that came to nothing and of logs that cannot be written.
	// It may be called from any goroutine.
	Warn func(error)
	// Panicked is told of a panic in a goroutine of a connection, which ends with an internal error then; the others go
	// on. It may be called from any goroutine. When it is nil, Warn is told, stack and all.
	Panicked func(value any, stack []byte)
}

// DefaultMaxConnections is the MaxConnections of a listener that is not told another number.
const DefaultMaxConnections = 4096

// maxPending bounds the connections that have not been accepted yet, those being upgraded to WebTransport among them.
// Further ones are refused.
const maxPending = 256

// internalError is MoQT's session error code INTERNAL_ERROR, the same in each draft (draft-18 §3.5). It is for
// refusals, too: MoQT has no code for those.
const internalError = 1

// Listener serves both transports on one UDP port.
type Listener struct {
	opts      ListenOptions
	drafts    []wire.Draft
	served    served
	socket    *net.UDPConn
	tr        *quic.Transport
	ln        *quic.Listener
	ctx       context.Context
	cancel    context.CancelFunc
	workers   sync.WaitGroup
	ends      sync.WaitGroup // what is done when a QUIC connection has ended
	pending   chan struct{}
	ready     chan transport.Conn
	closeOnce sync.Once
	// stopRenewing ends the renewal of a certificate of our own making.
	stopRenewing context.CancelFunc

	mu    sync.Mutex
	conns map[transport.Conn]struct{}
	// open counts QUIC connections, refused those that there was no room for; full: the last that came was one of them.
	open    int
	refused uint64
	full    bool
}

// Listen begins to serve.
func Listen(opts ListenOptions) (*Listener, error) {
	if opts.UpgradeTimeout <= 0 {
		opts.UpgradeTimeout = handshakeTimeout
	}
	if opts.MaxConnections <= 0 {
		opts.MaxConnections = DefaultMaxConnections
	}
	l := &Listener{
		opts: opts, drafts: orAll(opts.Drafts),
		pending: make(chan struct{}, maxPending), ready: make(chan transport.Conn),
		conns: make(map[transport.Conn]struct{}),
	}
	conf, own, err := l.tlsConfig()
	if err != nil {
		return nil, err
	}
	opts.QUIC.HandshakeTimeout = 0
	qconf, err := opts.QUIC.config()
	if err != nil {
		return nil, err
	}
	addr, err := net.ResolveUDPAddr("udp", opts.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", opts.Addr, err)
	}
	if l.socket, err = net.ListenUDP("udp", addr); err != nil {
		return nil, fmt.Errorf("listen on %q: %w", opts.Addr, err)
	}
	l.tr = &quic.Transport{Conn: l.socket, ConnContext: l.admit}
	logs := logPlaces{qlog: opts.QLOGDir}
	if opts.MLOGDir != "" {
		logs.mlog = openLogFolder(opts.MLOGDir, "_server"+mlogSuffix, opts.MLOGFiles, opts.MLOGBytes)
	}
	if l.opts.Windows != nil {
		qconf.AllowConnectionWindowIncrease = l.widen
	}
	qconf.Tracer = func(ctx context.Context, _ bool, id quic.ConnectionID) qlogwriter.Trace {
		var log *connLog
		guard(l.panicked, func() { log = newLog(logs, false, id, l.warn, l.panicked) })
		if m, ok := ctx.Value(metaKey{}).(*meta); ok {
			m.odcid, m.log = slices.Clone(id.Bytes()), log
		}
		return log.quic()
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	if l.ln, err = l.tr.Listen(conf, qconf); err != nil {
		l.cancel()
		l.tr.Close()
		l.socket.Close()
		return nil, fmt.Errorf("listen on %q: %w", opts.Addr, err)
	}
	renewing, stop := context.WithCancel(l.ctx)
	l.stopRenewing = stop
	if own {
		l.workers.Go(func() { l.served.keepFresh(renewing, l.opts.Renewed, l.warn) })
	}
	l.workers.Go(l.serve)
	return l, nil
}

// tlsConfig picks the ALPN in the client's order: crypto/tls itself would take the server's. own says that the
// certificate is of our own making.
func (l *Listener) tlsConfig() (base *tls.Config, own bool, err error) {
	base = &tls.Config{}
	if l.opts.TLS != nil {
		base = l.opts.TLS.Clone()
	}
	if len(base.Certificates) == 0 && base.GetCertificate == nil {
		cert, err := SelfSigned()
		if err != nil {
			return nil, false, err
		}
		base.Certificates, own = []tls.Certificate{cert}, true
	}
	if len(base.Certificates) > 0 {
		l.served.set(base.Certificates...)
		base.Certificates, base.GetCertificate = nil, l.served.choose
	}
	base.MinVersion = tls.VersionTLS13
	if base.KeyLogWriter == nil {
		base.KeyLogWriter = keyLog(l.opts.KeyLog, l.warn)
	}
	base.NextProtos = nil
	if l.opts.Transport != transport.OnlyWebTransport {
		base.NextProtos = alpns(transport.OnlyQUIC, "", l.drafts)
	}
	if l.opts.Transport != transport.OnlyQUIC {
		base.NextProtos = append(base.NextProtos, alpnHTTP3)
	}
	chosen := make(map[string]*tls.Config)
	for _, p := range base.NextProtos {
		chosen[p] = base.Clone()
		chosen[p].NextProtos = []string{p}
	}
	base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedProtos, alpnCheck) {
			l.checking(hello.Context())
		}
		for _, p := range hello.SupportedProtos {
			if conf := chosen[p]; conf != nil {
				return conf, nil
			}
		}
		return nil, nil // the handshake fails with no_application_protocol
	}
	return base, own, nil
}

// admit lets a connection in, whose context ctx is, or refuses it.
func (l *Listener) admit(ctx context.Context, client *quic.ClientInfo) (context.Context, error) {
	l.mu.Lock()
	first := !l.full
	l.full = l.open >= l.opts.MaxConnections
	if l.full {
		l.refused++
	} else {
		l.open++
	}
	full := l.full
	l.mu.Unlock()
	if full {
		err := fmt.Errorf("refused %s: there are %d connections", client.RemoteAddr, l.opts.MaxConnections)
		if first {
			l.warn(err)
		}
		if l.opts.Handshake != nil {
			l.opts.Handshake(HandshakeReport{Outcome: HandshakeRefused, Err: err,
				Info: transport.Info{RemoteAddr: client.RemoteAddr}})
		}
		return nil, err
	}
	m := &meta{client: client.RemoteAddr, began: time.Now()}
	l.ends.Add(1)
	context.AfterFunc(ctx, func() {
		defer l.ends.Done()
		l.mu.Lock()
		l.open--
		l.mu.Unlock()
		guard(l.panicked, func() { l.ended(m, context.Cause(ctx)) })
	})
	return context.WithValue(ctx, metaKey{}, m), nil
}

// widen says whether the window of a connection may grow.
func (l *Listener) widen(q *quic.Conn, more uint64) bool {
	if !l.opts.Windows.Take(int64(more)) {
		return false
	}
	context.AfterFunc(q.Context(), func() { l.opts.Windows.Give(int64(more)) })
	return true
}

// Connections is how many connections there are, and how many were refused because of MaxConnections.
func (l *Listener) Connections() (open int, refused uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open, l.refused
}

func (l *Listener) panicked(value any, stack []byte) {
	tellPanic(l.opts.Panicked, l.warn, value, stack)
}

func (l *Listener) warn(err error) {
	if l.opts.Warn != nil {
		l.opts.Warn(err)
	}
}

// Addr is the address that is listened on.
func (l *Listener) Addr() net.Addr { return l.socket.LocalAddr() }

// Accept waits for the next connection, on which ALPN or WebTransport protocol are settled. After Close it returns
// net.ErrClosed.
func (l *Listener) Accept(ctx context.Context) (transport.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close stops serving: it ends every connection, accepted or not, with code 0, and returns when all goroutines have
// ended.
func (l *Listener) Close() {
	l.closeOnce.Do(func() {
		l.cancel()
		l.ln.Close()
		l.workers.Wait() // no connection is added after this
		// those whose handshake has ended and that nobody took from quic-go yet: it would forget them without a word
		for {
			q, err := l.ln.Accept(context.Background())
			if err != nil {
				break
			}
			farewell(q, goodbye)
		}
		l.mu.Lock()
		var closing sync.WaitGroup
		for c := range l.conns {
			closing.Go(func() { c.CloseWithError(0, goodbye) })
		}
		l.mu.Unlock()
		closing.Wait()
		l.tr.Close()
		l.ends.Wait()
		l.socket.Close()
	})
}

// goodbye is the reason that clients are given when a listener closes.
const goodbye = "the server is shutting down"

// farewell ends a connection on which nothing has gone wrong.
func farewell(q *quic.Conn, reason string) { end(q, 0, http3.ErrCodeNoError, reason) }

// end ends a connection with a code of MoQT's, or where it is for HTTP/3 with one of HTTP/3's.
func end(q *quic.Conn, code quic.ApplicationErrorCode, web http3.ErrCode, reason string) {
	if q.ConnectionState().TLS.NegotiatedProtocol == alpnHTTP3 {
		code = quic.ApplicationErrorCode(web)
	}
	q.CloseWithError(code, reason)
}

func (l *Listener) serve() {
	for {
		q, err := l.ln.Accept(l.ctx)
		if err != nil {
			if l.ctx.Err() == nil {
				l.warn(fmt.Errorf("listener on %s: %w", l.Addr(), err))
				l.cancel()
			}
			return
		}
		l.take(metaOf(q))
		select {
		case l.pending <- struct{}{}:
		default:
			l.report(metaOf(q), HandshakeReport{Outcome: HandshakeRefused,
				Err: fmt.Errorf("refused %s: %d connections wait to be accepted", q.RemoteAddr(), maxPending)})
			q.CloseWithError(internalError, "too many connections wait")
			continue
		}
		l.workers.Go(func() {
			free := sync.OnceFunc(func() { <-l.pending })
			defer free()
			whole := false
			defer func() {
				if !whole { // it panicked, and what is left of the connection is nobody's
					end(q, internalError, http3.ErrCodeInternalError, "internal error")
				}
			}()
			guard(l.panicked, func() { l.bring(q, free); whole = true })
		})
	}
}

// keep has Close end a connection, unless it has ended by then.
func (l *Listener) keep(conn transport.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock() // also in a panic, which ends one connection and may not stop the others
	l.conns[conn] = struct{}{}
	context.AfterFunc(conn.Context(), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.conns, conn)
	})
}

// bring makes a connection of q and waits until it is accepted. free gives its place among those that wait to the next,
// and is called anyway when bring has returned. A slow WebTransport client holds up nobody else.
func (l *Listener) bring(q *quic.Conn, free func()) {
	m := metaOf(q)
	if l.checked(q, m) {
		return
	}
	info := transport.Info{OriginalDestinationConnectionID: m.odcid, OpenLog: m.log.open()}
	var conn transport.Conn
	if q.ConnectionState().TLS.NegotiatedProtocol == alpnHTTP3 {
		ctx, cancel := context.WithCancelCause(l.ctx)
		defer cancel(nil)
		late := time.AfterFunc(l.opts.UpgradeTimeout, func() { cancel(context.DeadlineExceeded) })
		defer late.Stop()
		var web atomic.Bool // an HTTP request came: it may never become a session, and need not
		onHTTP := func() {
			web.Store(true)
			late.Stop()
			free()
		}
		tokens, draft14 := protocols(l.drafts)
		if draft14 {
			tokens = append(tokens, wire.Draft14.ALPN()) // no draft's token, but some clients offer it
		}
		wt, err := wtconn.Server(ctx, q, wtconn.ServerOptions{Path: l.opts.Path, Protocols: tokens, NoProtocol: draft14,
			HTTP: l.opts.HTTP, OnHTTP: onHTTP, Info: info, Panicked: l.panicked})
		if err != nil {
			switch {
			case errors.Is(err, context.Canceled): // we are closing
			case web.Load():
				l.report(m, HandshakeReport{Outcome: HandshakeWeb})
			case leftAtOnce(context.Cause(q.Context())):
				l.report(m, HandshakeReport{Outcome: HandshakeLeft})
			default:
				l.report(m, HandshakeReport{Outcome: HandshakeNoWebTransport, Err: err})
			}
			return
		}
		conn = wt
	} else {
		conn = quicconn.New(q, quicconn.Options{Info: info, Panicked: l.panicked})
	}
	l.report(m, HandshakeReport{Outcome: HandshakeComplete, Info: conn.Info()})
	l.keep(conn)
	select {
	case l.ready <- conn:
	case <-conn.Context().Done(): // ended before anybody wanted it
	case <-l.ctx.Done():
	}
}
