package wtconn

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// ServerOptions shape Server.
type ServerOptions struct {
	// Path is the only path that is served; empty is any.
	Path string
	// Protocols are served. The first of the client's protocols that is among them is selected.
	Protocols []string
	// NoProtocol accepts a request that offers no protocols.
	NoProtocol bool
	// HTTP, if set, answers what is not for MoQT: every request but WebTransport's, and those for another path. Up to
	// 100 are answered at a time. A connection with such a request need not become a WebTransport session: Server then
	// waits until the connection ends.
	HTTP http.Handler
	// OnHTTP, if set, is called once, before the first request goes to HTTP.
	OnHTTP func()
	// Info is completed with what the connection and the request know.
	Info transport.Info
	// OnEnd, which may be nil, is called once after the connection has ended; CloseWithError waits for it.
	OnEnd func()
	// Panicked, which may be nil, is told of a panic in a goroutine of the connection, which then ends with
	// H3_INTERNAL_ERROR.
	Panicked func(value any, stack []byte)
}

// Server waits for a WebTransport request on a QUIC connection whose ALPN is h3, accepts it from any origin, and
// returns its session. It takes the connection over. When ctx ends first it closes the connection, and the error says
// which requests were refused and why. With ServerOptions.HTTP it can be given a connection of an existing HTTP/3
// server, as it was accepted.
func Server(ctx context.Context, q *quic.Conn, opts ServerOptions) (*Conn, error) {
	c := newConn(q, opts.OnEnd, opts.Panicked)
	up := &upgrader{c: c, ctx: ctx, opts: opts, accepted: make(chan struct{})}
	if opts.HTTP != nil {
		c.requests = make(chan struct{}, maxHTTPRequests)
	}
	h3 := &http3.Server{AdditionalSettings: announced(), MaxHeaderBytes: maxRequestHeader, Handler: up}
	raw, err := h3.NewRawServerConn(q)
	if err != nil {
		c.abandon(http3.ErrCodeInternalError, "")
		return nil, fmt.Errorf("no WebTransport session from %s: %w", q.RemoteAddr(), err)
	}
	c.start(raw.HandleUnidirectionalStream, raw.HandleRequestStream)
	select {
	case <-up.accepted:
	case <-c.base.Context().Done():
		err = context.Cause(c.base.Context())
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	refused, accepted := up.giveUp()
	// in spite of an end that came meanwhile: the client has its answer, and a session to be closed like any other
	if accepted {
		c.establish(up.stream, up.info)
		return c, nil
	}
	if refused != "" {
		err = fmt.Errorf("%s: %w", refused, err)
	}
	c.abandon(http3.ErrCodeNoError, "no WebTransport session")
	return nil, fmt.Errorf("no WebTransport session from %s: %w", q.RemoteAddr(), err)
}

// upgrader answers requests until one is accepted.
type upgrader struct {
	c        *Conn
	ctx      context.Context
	opts     ServerOptions
	accepted chan struct{}
	first    sync.Once // of the requests for opts.HTTP

	mu      sync.Mutex
	over    bool // accepted, or given up
	refused []string
	stream  *http3.Stream
	info    transport.Info
}

// maxRefused bounds the refusals that are kept for the error.
const maxRefused = 4

// giveUp refuses what comes from now on. It tells what was refused before, and whether a request has been accepted.
func (u *upgrader) giveUp() (refused string, accepted bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	return strings.Join(u.refused, "; "), u.stream != nil
}

// ServeHTTP implements http.Handler.
func (u *upgrader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.c.base.Guard(func() { u.answer(w, r) })
}

func (u *upgrader) answer(w http.ResponseWriter, r *http.Request) {
	if u.opts.HTTP != nil && (!webTransport(r) || !u.forMoQT(r)) {
		if u.opts.OnHTTP != nil {
			u.first.Do(u.opts.OnHTTP)
		}
		// the deadline was for the header, and who answers may set another
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		u.opts.HTTP.ServeHTTP(w, r)
		return
	}
	select {
	case <-u.c.settled: // before them the client's datagrams and version are unknown
	case <-u.c.base.Context().Done():
		return
	case <-u.ctx.Done():
		select {
		case <-u.c.settled: // the session was accepted, and this is another request
		default:
			return
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	protocol, offered, status, why := u.judge(r)
	if status != http.StatusOK {
		if len(u.refused) < maxRefused {
			u.refused = append(u.refused, fmt.Sprintf("%d to %s %s: %s", status, r.Method, r.URL, why))
		}
		http.Error(w, why, status)
		return
	}
	if protocol != "" {
		value, err := httpsfv.Marshal(httpsfv.NewItem(protocol))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header()[headerProtocol] = []string{value}
	}
	if r.Header.Get(headerDraft02) != "" {
		w.Header()[headerDraftAnswer] = []string{"draft02"}
	}
	u.info = u.opts.Info
	u.info.Protocol, u.info.OfferedProtocols = protocol, offered
	u.info.Path, u.info.Authority = r.URL.RequestURI(), r.Host
	u.info.Notes = append(slices.Clone(u.info.Notes), "the client's HTTP/3 SETTINGS are: "+u.c.settings.String(),
		"the request's :protocol is "+r.Proto)
	u.stream = w.(http3.HTTPStreamer).HTTPStream() // sends the 200
	u.stream.SetReadDeadline(time.Time{})
	u.over = true
	close(u.accepted)
}

// webTransport reports whether a request asks for a WebTransport session.
func webTransport(r *http.Request) bool {
	return r.Method == http.MethodConnect && (r.Proto == protocolNew || r.Proto == protocolOld)
}

// forMoQT reports whether a request's path is MoQT's.
func (u *upgrader) forMoQT(r *http.Request) bool {
	return u.opts.Path == "" || r.URL.Path == u.opts.Path
}

// judge decides about a request. The caller holds mu.
func (u *upgrader) judge(r *http.Request) (protocol string, offered []string, status int, why string) {
	offered, ok := parseProtocols(r.Header[headerAvailable])
	switch {
	case !webTransport(r):
		return "", nil, http.StatusNotFound, "this is a MoQT endpoint: it takes WebTransport requests alone"
	case u.over:
		return "", nil, http.StatusTooManyRequests, "one WebTransport session per connection"
	case !u.forMoQT(r):
		return "", nil, http.StatusNotFound, fmt.Sprintf("no WebTransport at path %q", r.URL.Path)
	case ok:
		if protocol, ok := choose(offered, u.opts.Protocols); ok {
			return protocol, offered, http.StatusOK, ""
		}
		return "", nil, http.StatusNotAcceptable, fmt.Sprintf("no common protocol: offered %v, served %v", offered,
			u.opts.Protocols)
	case !u.opts.NoProtocol:
		return "", nil, http.StatusNotAcceptable, fmt.Sprintf("no protocol offered (draft 14), served %v",
			u.opts.Protocols)
	}
	return "", nil, http.StatusOK, ""
}
