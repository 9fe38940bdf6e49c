package transport

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Choice is the constraint a user sets on the transport.
type Choice string

// The choices of `--transport`.
const (
	// Scheme takes a URL's scheme at its word: https:// is WebTransport, moqt:// is raw QUIC.
	Scheme Choice = "scheme"
	// Auto is WebTransport for https://. For moqt:// it is one handshake that offers the ALPNs of MoQT and, with draft
	// 18 or later among the drafts, h3 behind them (draft-18 §3.1.3); the server chooses.
	Auto Choice = "auto"
	// OnlyQUIC is raw QUIC and OnlyWebTransport WebTransport, whatever the scheme is.
	OnlyQUIC         Choice = "quic"
	OnlyWebTransport Choice = "webtransport"
)

// Choices are all of them, the default of the command line first.
func Choices() []Choice { return []Choice{Scheme, Auto, OnlyQUIC, OnlyWebTransport} }

// URL is a relay URL taken apart.
type URL struct {
	// Scheme is "https" or "moqt".
	Scheme string
	// Host is the name or address without brackets; Port is 443 when the URL has none.
	Host, Port string
	// Authority is host[:port] as written, for SETUP's AUTHORITY and HTTP's :authority.
	Authority string
	// Path is path-abempty with query: "" when absent.
	Path string
}

// ParseURL takes apart a relay URL with scheme https or moqt. An error names what is wrong with which URL.
func ParseURL(raw string) (URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return URL{}, fmt.Errorf("relay URL %q: %w", raw, err)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "moqt":
		return URL{}, fmt.Errorf("relay URL %q: the scheme must be https:// (WebTransport) or moqt:// (QUIC)", raw)
	case u.Hostname() == "":
		return URL{}, fmt.Errorf("relay URL %q: no host", raw)
	case u.User != nil:
		return URL{}, fmt.Errorf("relay URL %q: user information is not allowed", raw)
	case u.Fragment != "":
		return URL{}, fmt.Errorf("relay URL %q: a fragment is not allowed, it would not be sent", raw)
	}
	port := u.Port()
	if port == "" {
		port = "443"
	} else if n, err := net.LookupPort("udp", port); err != nil || n == 0 {
		return URL{}, fmt.Errorf("relay URL %q: bad port %q", raw, port)
	}
	path := u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return URL{Scheme: u.Scheme, Host: u.Hostname(), Port: port, Authority: strings.TrimSuffix(u.Host, ":"),
		Path: path}, nil
}

// Addr is host:port for dialling.
func (u URL) Addr() string { return net.JoinHostPort(u.Host, u.Port) }
