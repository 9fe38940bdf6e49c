package wtconn

import (
	"slices"
	"strings"

	"github.com/dunglas/httpsfv"
)

// The values of :protocol: of draft 15 and later, and of the drafts before.
const (
	protocolNew = "webtransport-h3"
	protocolOld = "webtransport"
)

// Header fields (draft-ietf-webtrans-http3 §3.3; the last two are draft 02's, which some stacks still look at).
const (
	headerAvailable   = "Wt-Available-Protocols"
	headerProtocol    = "Wt-Protocol"
	headerDraft02     = "Sec-Webtransport-Http3-Draft02"
	headerDraftAnswer = "Sec-Webtransport-Http3-Draft"
)

// formatProtocols writes a list of strings (RFC 9651 §3.1).
func formatProtocols(protocols []string) (string, error) {
	list := make(httpsfv.List, 0, len(protocols))
	for _, p := range protocols {
		list = append(list, httpsfv.NewItem(p))
	}
	return httpsfv.Marshal(list)
}

// parseProtocols reads WT-Available-Protocols. One that breaks the syntax, or holds anything but strings and tokens,
// counts as absent, as the draft has it.
func parseProtocols(values []string) (protocols []string, ok bool) {
	if len(values) == 0 {
		return nil, false
	}
	list, err := httpsfv.UnmarshalList(values)
	if err != nil {
		return nil, false
	}
	for _, member := range list {
		p, ok := text(member)
		if !ok {
			return nil, false
		}
		protocols = append(protocols, p)
	}
	return protocols, len(protocols) > 0
}

// parseProtocol reads WT-Protocol: an item that is a string. Servers in the wild also send a token or a list with one
// member; what is none of these is taken as it stands, so that it can be named.
func parseProtocol(values []string) string {
	if item, err := httpsfv.UnmarshalItem(values); err == nil {
		if p, ok := text(item); ok {
			return p
		}
	}
	if list, err := httpsfv.UnmarshalList(values); err == nil && len(list) == 1 {
		if p, ok := text(list[0]); ok {
			return p
		}
	}
	return strings.TrimSpace(strings.Join(values, ", "))
}

func text(member httpsfv.Member) (string, bool) {
	item, ok := member.(httpsfv.Item)
	if !ok {
		return "", false
	}
	switch v := item.Value.(type) {
	case string:
		return v, true
	case httpsfv.Token:
		return string(v), true
	}
	return "", false
}

// choose is the first of the client's protocols that the server has too.
func choose(offered, served []string) (string, bool) {
	for _, p := range offered {
		if slices.Contains(served, p) {
			return p, true
		}
	}
	return "", false
}
