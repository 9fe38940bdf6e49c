//go:build js

package webconn

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"syscall/js"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Options say whom to dial and what to offer.
type Options struct {
	// URL is the relay's; its scheme must be https.
	URL transport.URL
	// Drafts are offered in this order; empty is all, newest first.
	Drafts []wire.Draft
	// Hashes are the SHA-256 hashes of certificates that are trusted though nobody signed them. They must be of ECDSA
	// keys and valid for less than two weeks, or the browser refuses them.
	Hashes [][]byte
}

// Dial makes one connection. Errors are *transport.DialError.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	drafts := o.Drafts
	if len(drafts) == 0 {
		drafts = wire.Drafts()
	}
	tokens, draft14 := offer(drafts)
	class := js.Global().Get("WebTransport")
	switch {
	case o.URL.Scheme != "https":
		return nil, failed("a browser speaks WebTransport alone: the relay's URL must begin with https://")
	case class.Type() != js.TypeFunction:
		return nil, failed("this browser has no WebTransport, or keeps it for pages of https:// or localhost")
	case !hasProtocols(class) && !draft14:
		return nil, failed("this browser offers no protocols over WebTransport: it can speak draft 14 alone")
	}
	var wt js.Value
	address := (&url.URL{Scheme: "https", Host: o.URL.Authority}).String() + o.URL.Path
	if thrown := try(func() { wt = class.New(address, settings(tokens, o.Hashes)) }); thrown != nil {
		return nil, failed("the browser refuses the connection: %s", message(thrown.Value))
	}
	raise(wt)
	ignore(wt.Get("closed"))
	s, err := wait(ctx, wt.Get("ready"), nil)
	switch {
	case err != nil:
		_ = try(func() { wt.Call("close") })
		e := failed("no session at %s in time; a browser does not say how far it came", o.URL.Authority)
		if !errors.Is(err, context.DeadlineExceeded) {
			e = failed("given up: %v", err)
		}
		e.Err = err
		return nil, e
	case s.failed:
		return nil, failed("no session at %s: the browser says \"%s\", and not why", o.URL.Authority, message(s.v))
	}
	protocol := text(wt.Get("protocol"))
	if err := judge(protocol, tokens, draft14); err != nil {
		_ = try(func() { wt.Call("close") })
		return nil, err
	}
	info := transport.Info{Kind: transport.WebTransport, Protocol: protocol, OfferedProtocols: tokens,
		Path: o.URL.Path, Authority: o.URL.Authority, Client: true, ReadsAhead: true}
	if most := largestCode(); most > 0 {
		info.Notes = append(info.Notes, fmt.Sprintf("codes of RESET_STREAM and STOP_SENDING above %d are sent "+
			"as %d", most, most))
	}
	return newConn(wt, info), nil
}

// offer is what to offer: draft 14, which has no token, is there by being in the list.
func offer(drafts []wire.Draft) (tokens []string, draft14 bool) {
	for _, d := range drafts {
		if t := d.WebTransportProtocol(); t != "" {
			tokens = append(tokens, t)
		} else {
			draft14 = true
		}
	}
	return tokens, draft14
}

// hasProtocols reports whether the browser offers protocols and tells which was selected.
func hasProtocols(class js.Value) bool {
	return js.Global().Get("Reflect").Call("has", class.Get("prototype"), "protocol").Bool()
}

// settings are those of a new WebTransport.
func settings(tokens []string, hashes [][]byte) map[string]any {
	out := map[string]any{"requireUnreliable": true}
	if len(tokens) > 0 {
		list := make([]any, len(tokens))
		for i, t := range tokens {
			list[i] = t
		}
		out["protocols"] = list
	}
	if len(hashes) > 0 {
		list := make([]any, len(hashes))
		for i, h := range hashes {
			list[i] = map[string]any{"algorithm": "sha-256", "value": array(h)}
		}
		out["serverCertificateHashes"] = list
	}
	return out
}

// judge refuses a protocol that was not offered.
func judge(protocol string, tokens []string, draft14 bool) error {
	switch {
	case protocol == "" && !draft14:
		return failed("no common draft: the server selected no protocol; offered were %s", strings.Join(tokens, ", "))
	case protocol != "" && !slices.Contains(tokens, protocol):
		return failed("the server selected the protocol %q, which was not offered", protocol)
	}
	return nil
}

// failed is a failure to connect. A browser does not tell the layers below WebTransport apart.
func failed(format string, args ...any) *transport.DialError {
	return &transport.DialError{Layer: transport.LayerWebTransport, Reason: fmt.Sprintf(format, args...)}
}
