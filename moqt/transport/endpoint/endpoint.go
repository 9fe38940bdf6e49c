// Package endpoint dials and listens for MoQT connections: the one place that knows of UDP sockets, TLS, ALPN, and of
// which transport to take.
//
// It takes nothing from the environment and sets nothing in it. The QUIC library writes one line with package log when
// the system keeps UDP's buffers small, unless the environment has QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING=true.
package endpoint

import (
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// alpnHTTP3 is HTTP/3's ALPN, on which WebTransport runs (RFC 9114 §3.1).
const alpnHTTP3 = "h3"

// firstWithWebTransportInURI is the draft from which on a moqt:// URI names the resource for both transports (draft-18
// §3.1.3).
const firstWithWebTransportInURI = wire.Draft18

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
