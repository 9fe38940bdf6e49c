package endpoint

import (
	"errors"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestSelection(t *testing.T) {
	all := wire.Drafts()
	for _, tt := range []struct {
		name               string
		serve, offer       []wire.Draft
		listenOn, dialWith transport.Choice
		scheme             string
		kind               transport.Kind
		draft              wire.Draft
		alpn               string
	}{
		{name: "https is WebTransport", serve: all, offer: all, scheme: "https", kind: transport.WebTransport,
			draft: wire.Newest},
		{name: "moqt is the server's choice", serve: all, offer: all, scheme: "moqt",
			kind: transport.QUIC, draft: wire.Newest},
		{name: "client's order on QUIC", serve: all, offer: []wire.Draft{16, 18, 14}, scheme: "moqt",
			kind: transport.QUIC, draft: 16},
		{name: "client's order on WebTransport", serve: all, offer: []wire.Draft{16, 18, 14}, scheme: "https",
			kind: transport.WebTransport, draft: 16},
		{name: "only one in common", serve: []wire.Draft{15, 19}, offer: all, scheme: "https",
			kind: transport.WebTransport, draft: 19},
		{name: "moqt goes on with h3", serve: all, offer: all, listenOn: transport.OnlyWebTransport, scheme: "moqt",
			kind: transport.WebTransport, draft: wire.Newest},
		{name: "explicit QUIC for https", serve: all, offer: all, dialWith: transport.OnlyQUIC, scheme: "https",
			kind: transport.QUIC, draft: wire.Newest},
		{name: "explicit WebTransport for moqt", serve: all, offer: []wire.Draft{16},
			dialWith: transport.OnlyWebTransport, scheme: "moqt", kind: transport.WebTransport, draft: 16},
		{name: "14 alone on QUIC", serve: all, offer: []wire.Draft{14}, scheme: "moqt", kind: transport.QUIC, draft: 14,
			alpn: "moq-00"},
		{name: "14 alone on WebTransport", serve: all, offer: []wire.Draft{14}, scheme: "https",
			kind: transport.WebTransport, draft: 14, alpn: "h3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, server := connect(t, ListenOptions{Drafts: tt.serve, Transport: tt.listenOn},
				DialOptions{Drafts: tt.offer, Transport: tt.dialWith}, tt.scheme, "")
			for _, c := range []transport.Conn{client, server} {
				info := c.Info()
				if d, ok := transport.NegotiatedDraft(info); info.Kind != tt.kind || d != tt.draft || !ok ||
					tt.alpn != "" && info.ALPN != tt.alpn {
					t.Errorf("%s %s %q %v", info.Kind, info.ALPN, info.Protocol, d)
				}
				if info.Kind == transport.WebTransport && info.Path != "/" {
					t.Errorf("path %q", info.Path)
				}
			}
		})
	}
}

func TestMoqtOffersNoHTTP3BelowDraft18(t *testing.T) {
	l := listen(t, ListenOptions{Transport: transport.OnlyWebTransport})
	_, err := Dial(testContext(t), DialOptions{URL: urlOf(t, "moqt", l.Addr(), ""), TLS: insecure,
		Drafts: []wire.Draft{17, 14}})
	var got *transport.DialError
	if !errors.As(err, &got) || got.Layer != transport.LayerALPN || !strings.Contains(got.Reason, "(moqt-17, moq-00)") {
		t.Errorf("%v", err)
	}
}

func TestClientThatOffersDraft14AsToken(t *testing.T) {
	l := listen(t, ListenOptions{Drafts: []wire.Draft{14}})
	ctx := testContext(t)
	_, s := foreignClient(t, ctx, l.Addr(), "", "moqt-16", "moq-00")
	defer s.CloseWithError(0, "")
	c, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := transport.NegotiatedDraft(c.Info()); d != 14 || !ok ||
		s.SessionState().ApplicationProtocol != "moq-00" {
		t.Errorf("%v %q", d, s.SessionState().ApplicationProtocol)
	}
}
