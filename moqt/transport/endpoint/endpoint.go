// Package endpoint dials and listens for MoQT connections: the one place that knows of UDP sockets, TLS, ALPN, and of
// which transport to take.
package endpoint

import (
	"os"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// alpnHTTP3 is HTTP/3's ALPN, on which WebTransport runs (RFC 9114 §3.1).
const alpnHTTP3 = "h3"

// firstWithWebTransportInURI is the draft from which on a moqt:// URI names the resource for both transports (draft-18
// §3.1.3).
const firstWithWebTransportInURI = wire.Draft18

// Limits and windows of every connection. A relay may hold thousands of subgroup streams open at a time; the windows
// are such that one stream can fill a path of 1 Gbit/s and 50 ms.
const (
	idleTimeout       = 30 * time.Second
	keepAlive         = 10 * time.Second
	handshakeTimeout  = 10 * time.Second
	maxStreams        = 1 << 14
	streamWindow      = 2 << 20
	maxStreamWindow   = 8 << 20
	connectionWindow  = 4 << 20
	maxConnectionWind = 24 << 20
	// packetSize is that of the first packets, the least that QUIC allows (RFC 9000 §14): with the headers of IPv6 and
	// UDP a path of 1,280 bytes carries them, which is the least that IPv6 has (RFC 8200 §5). What the path has beyond
	// that, path MTU discovery finds.
	packetSize = 1200
)

func quicConfig(handshake time.Duration) *quic.Config {
	if handshake <= 0 {
		handshake = handshakeTimeout
	}
	return &quic.Config{
		HandshakeIdleTimeout:           handshake,
		MaxIdleTimeout:                 idleTimeout,
		KeepAlivePeriod:                keepAlive,
		MaxIncomingStreams:             maxStreams,
		MaxIncomingUniStreams:          maxStreams,
		InitialStreamReceiveWindow:     streamWindow,
		MaxStreamReceiveWindow:         maxStreamWindow,
		InitialConnectionReceiveWindow: connectionWindow,
		MaxConnectionReceiveWindow:     maxConnectionWind,
		InitialPacketSize:              packetSize,
		EnableDatagrams:                true,
		// WebTransport's newest drafts require it of both sides; peers that do not know it ignore it.
		EnableStreamResetPartialDelivery: true,
	}
}

// quiet keeps quic-go from writing to stderr that UDP buffers are smaller than it wishes: it raises them as far as the
// system lets it, and the rest is for a user's sysctl, not for the diagnostics of a test run.
var quiet = sync.OnceFunc(func() {
	const name = "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING"
	if _, set := os.LookupEnv(name); !set {
		os.Setenv(name, "true")
	}
})

// orAll is the drafts given, or all of them, newest first.
func orAll(drafts []wire.Draft) []wire.Draft {
	if len(drafts) == 0 {
		return wire.Drafts()
	}
	return slices.Clone(drafts)
}

// alpns is what a client offers, or a server serves, in order.
func alpns(choice transport.Choice, scheme string, drafts []wire.Draft) []string {
	if choice == transport.OnlyWebTransport || (choice != transport.OnlyQUIC && scheme == "https") {
		return []string{alpnHTTP3}
	}
	var out []string
	both := false
	for _, d := range drafts {
		out = append(out, d.ALPN())
		both = both || d >= firstWithWebTransportInURI
	}
	if both && choice != transport.OnlyQUIC && choice != transport.Scheme {
		out = append(out, alpnHTTP3)
	}
	return out
}

// protocols is what a client offers over WebTransport; draft 14, which has no token, is there by being in the list.
func protocols(drafts []wire.Draft) (tokens []string, draft14 bool) {
	for _, d := range drafts {
		if t := d.WebTransportProtocol(); t != "" {
			tokens = append(tokens, t)
		} else {
			draft14 = true
		}
	}
	return tokens, draft14
}
