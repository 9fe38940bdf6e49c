package transport

import (
	"fmt"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// NegotiatedDraft is the draft that a connection's negotiation settled on. It is false when that is none of the drafts
// that package wire speaks.
//
// On raw QUIC the ALPN says it. Over WebTransport the protocol in the answer does. An answer without one means draft
// 14, which has no token and lists its versions in CLIENT_SETUP; whether 14 was offered is for the dialler to judge.
// Some clients offer the ALPN of draft 14 as a token, and then it may be selected. In memory the ALPN counts if there
// is one, else the protocol.
func NegotiatedDraft(info Info) (wire.Draft, bool) {
	switch {
	case info.Kind == WebTransport && info.Protocol == "":
		return wire.Draft14, true
	case info.Kind == WebTransport || info.ALPN == "":
		return wire.DraftOfALPN(info.Protocol)
	}
	return wire.DraftOfALPN(info.ALPN)
}

// DraftAssumed says, for people, that the draft is a conclusion from an answer that names none, and what was offered.
// It is empty where the peer has named the draft, or none with a name was offered. When what follows is no draft 14,
// the server most likely speaks one of those that were offered, and does not know WT-Protocol.
func (i Info) DraftAssumed() string {
	if i.Kind != WebTransport || i.Protocol != "" || len(i.OfferedProtocols) == 0 {
		return ""
	}
	return fmt.Sprintf(
		"the answer to the WebTransport request had no WT-Protocol, so draft 14 was read (offered beside "+
			"it: %s)", strings.Join(i.OfferedProtocols, ", "))
}
