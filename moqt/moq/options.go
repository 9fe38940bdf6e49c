package moq

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Options shape connections and their sessions, for clients and servers. nil and the zero value have the defaults that
// stand here. They are not changed, and may be shared.
type Options struct {
	// Drafts are offered, in this order, or served. Default: all, newest first.
	Drafts []Draft
	// Transport constrains the transport. Default: Auto.
	Transport Transport
	// TLS is the base of the TLS configuration. A client sets RootCAs or InsecureSkipVerify; the default is the
	// system's roots. A server sets Certificates; the default is a self-signed certificate (Listener.ClientTLS).
	TLS *tls.Config
	// Implementation is MOQT_IMPLEMENTATION in SETUP, and UserAgent the User-Agent of a client's WebTransport request.
	// Default: neither is sent.
	Implementation, UserAgent string
	// Handler answers what the peer asks for, beside the tracks of Session.Publish. Default: it is refused.
	Handler Handler
	// SetupTimeout bounds the time from the connection to the peer's SETUP. Default: 10 s.
	SetupTimeout time.Duration

	// QUIC are the settings of the QUIC connection.
	QUIC QUIC
	// QLOGDir is a folder for a qlog file of each connection, with QUIC's events and MoQT's. Default: none.
	QLOGDir string
	// KeyLog gets the TLS secrets, for tools that decrypt. Default: nobody.
	KeyLog io.Writer
	// Warn is told of what went wrong beside the sessions, from any goroutine: a log that cannot be written, and at a
	// server connections that came to nothing. Default: nobody.
	Warn func(error)

	// Path is the only path that a server serves. Default: any.
	Path string
	// HTTP answers the HTTP/3 requests that come to a server's port and are not for MoQT. Default: 404.
	HTTP http.Handler
	// MaxConnections is how many connections a server has at a time. Default: endpoint.DefaultMaxConnections.
	MaxConnections int

	// Session has the rest of what package moqt can be told: limits, tokens, setup options, tolerances, a trace. Its
	// Drafts, Implementation, Path, Authority and Handler are replaced, and CheckSetup is when Path is set.
	Session moqt.Config
}

const setupTimeout = 10 * time.Second

func (o *Options) orDefault() *Options {
	if o == nil {
		o = &Options{}
	}
	c := *o
	if c.Transport == "" {
		c.Transport = transport.Auto
	}
	if c.SetupTimeout <= 0 {
		c.SetupTimeout = setupTimeout
	}
	return &c
}

func (o *Options) dial(u transport.URL) endpoint.DialOptions {
	return endpoint.DialOptions{URL: u, Transport: o.Transport, Drafts: o.Drafts, TLS: o.TLS, UserAgent: o.UserAgent,
		QLOGDir: o.QLOGDir, KeyLog: o.KeyLog, QUIC: o.QUIC, Warn: o.Warn, Panicked: o.Session.Panicked}
}

func (o *Options) listen(addr string) endpoint.ListenOptions {
	return endpoint.ListenOptions{Addr: addr, TLS: o.TLS, Drafts: o.Drafts, Transport: o.Transport, Path: o.Path,
		HTTP: o.HTTP, QLOGDir: o.QLOGDir, KeyLog: o.KeyLog, MaxConnections: o.MaxConnections, QUIC: o.QUIC,
		Warn: o.warn, Panicked: o.Session.Panicked}
}

func (o *Options) warn(err error) {
	if o.Warn != nil {
		o.Warn(err)
	}
}

// config is that of a session of these options.
func (o *Options) config() moqt.Config {
	c := o.Session
	c.Drafts, c.Implementation, c.Path, c.Authority = o.Drafts, o.Implementation, "", ""
	if o.Path != "" {
		c.CheckSetup = func(path, _ string, _ *wire.Setup) error {
			if path != o.Path {
				return &SessionError{Code: wire.InvalidPath, Reason: "only " + o.Path + " is served"}
			}
			return nil
		}
	}
	return c
}

// errNoTrack says what Publish and Serve need.
var errNoTrack = errors.New("no track")
