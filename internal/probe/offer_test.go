package probe

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// One handshake with several drafts shows which one the relay chooses.
func TestOffer(t *testing.T) {
	old := reference.Options{Drafts: []wire.Draft{14, 16, 18}}
	quic, web, _ := startRelay(t, old, endpoint.ListenOptions{})
	_, onlyWeb, _ := startRelay(t, old, endpoint.ListenOptions{Transport: transport.OnlyWebTransport})
	onlyWeb.URL.Scheme = "moqt"
	newest := []wire.Draft{22, 18, 16, 14}
	for _, tt := range []struct {
		name      string
		target    Target
		offer     []wire.Draft
		transport transport.Choice
		status    Status
		chosen    string // the third column
	}{
		{"QUIC", quic, newest, "", OK, "draft-18 of 22,18,16,14 (ALPN moqt-18)"},
		{"in the client's order", quic, []wire.Draft{14, 18}, "", OK, "draft-14 of 14,18 (ALPN moq-00)"},
		{"WebTransport", web, newest, "", OK, "draft-18 of 22,18,16,14 (WT-Protocol moqt-18)"},
		{"draft 14 has no name", web, []wire.Draft{22, 14}, "", "webtransport", "none of 22,14"},
		{"draft 14 offered first", web, []wire.Draft{14, 16}, "", OK, "draft-16 of 14,16 (WT-Protocol moqt-16)"},
		{"nothing in common", quic, []wire.Draft{22, 21}, "", "alpn", "none of 22,21"},
		{"the relay chooses the transport", onlyWeb, newest, transport.Auto, OK,
			"draft-18 of 22,18,16,14 (WT-Protocol moqt-18)"},
		{"only one draft", quic, []wire.Draft{16}, "", OK, "draft-16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, Options{Targets: []Target{tt.target}, Drafts: tt.offer, Offer: true, Transport: tt.transport})
			if len(r.Endpoints[0].Attempts) != 1 || r.Endpoints[0].Attempts[0].Status != tt.status {
				t.Errorf("%+v", r.Endpoints[0].Attempts)
			}
			var b bytes.Buffer
			if err := WriteLines(&b, r); err != nil {
				t.Fatal(err)
			}
			if want := "  " + tt.chosen + "  " + string(tt.status); !strings.Contains(b.String(), want) ||
				strings.Count(b.String(), "\n") != 1 {
				t.Errorf("%q is not in %q", want, b.String())
			}
		})
	}
}

// A target that is for one transport is not asked over the other.
func TestOfferWays(t *testing.T) {
	embedded, err := ParseTarget("embedded")
	if err != nil {
		t.Fatal(err)
	}
	quic, web := target(t, "moqt://h"), target(t, "https://h")
	forWeb := quic
	forWeb.Transport = transport.OnlyWebTransport
	for _, tt := range []struct {
		target      Target
		asked, want transport.Choice
	}{
		{quic, transport.Scheme, transport.OnlyQUIC}, {quic, transport.Auto, transport.Auto},
		{quic, transport.OnlyWebTransport, transport.OnlyWebTransport},
		{web, transport.Scheme, transport.OnlyWebTransport},
		{web, transport.Auto, transport.OnlyWebTransport}, {web, transport.OnlyQUIC, transport.OnlyQUIC},
		{embedded, transport.Auto, transport.OnlyQUIC}, {forWeb, transport.Scheme, transport.OnlyWebTransport},
		{forWeb, transport.OnlyQUIC, ""},
	} {
		ways := Options{Offer: true, Transport: tt.asked, Drafts: wire.Drafts()}.offerWays(tt.target)
		if tt.want == "" && len(ways) != 0 || tt.want != "" && (len(ways) != 1 || ways[0].transport != tt.want) {
			t.Errorf("%s, %s: %v", tt.target.Name, tt.asked, ways)
		}
	}
}

// Where nobody answers, what was offered is said all the same.
func TestOfferToNobody(t *testing.T) {
	r := run(t, Options{Targets: []Target{target(t, "moqt://"+deadPort(t))}, Offer: true, Transport: transport.Auto,
		Timeout: 2 * time.Second})
	a := r.Endpoints[0].Attempts[0]
	if a.Draft != "" || len(a.Offered) != 9 || a.Transport != transport.Auto || a.Status != "udp" {
		t.Errorf("%+v", a)
	}
}
