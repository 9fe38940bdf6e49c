package transport

import "github.com/moqinterop/moq-interop-client/moqt/wire"

// NegotiatedDraft is the draft that a connection's negotiation settled on, and false when it settled on none that
// Package wire speaks. On raw QUIC the ALPN says it. Over WebTransport the protocol in the answer does; an answer
// without one means draft 14, which has no token and lists its versions in CLIENT_SETUP (whether 14 was offered is for
// the dialler to judge); some clients offer its ALPN as a token, and then it may be selected. In memory the ALPN counts
// when there is one, else the protocol.
func NegotiatedDraft(info Info) (wire.Draft, bool) {
	switch {
	case info.Kind == WebTransport && info.Protocol == "":
		return wire.Draft14, true
	case info.Kind == WebTransport || info.ALPN == "":
		return wire.DraftOfALPN(info.Protocol)
	}
	return wire.DraftOfALPN(info.ALPN)
}
