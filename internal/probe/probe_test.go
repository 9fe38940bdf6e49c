package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

func TestEmbeddedAnswersEverything(t *testing.T) {
	embedded := target(t, "embedded")
	embedded.TLSDisableVerify = false
	r := run(t, Options{Targets: []Target{embedded}, Transport: transport.Auto, Version: "v1.2.3"})
	e := r.Endpoints[0]
	if len(e.Attempts) != 18 || r.Summary[OK] != 18 || len(e.Answered) != 9 || r.ExitCode() != 0 {
		t.Fatalf("%+v", r)
	}
	if len(e.Certificates) != 1 || e.Certificates[0].Verification != trusted || e.Certificates[0].Days != 12 {
		t.Errorf("certificates: %+v", e.Certificates)
	}
	for _, a := range e.Attempts {
		d, _ := a.Draft.Wire()
		alpn, protocol := d.ALPN(), ""
		if a.Transport == transport.OnlyWebTransport {
			alpn, protocol = "h3", d.WebTransportProtocol()
		}
		if a.ALPN != alpn || a.Protocol != protocol || a.ConnectionID == "" ||
			a.Implementation != reference.DefaultImplementation || a.Duration <= 0 {
			t.Errorf("%+v", a)
		}
		names := ""
		for _, o := range a.Options {
			names += " " + o.String()
		}
		if want := "MAX_REQUEST_ID=128"; strings.Contains(names, want) != (d <= wire.Draft16) ||
			!strings.Contains(names, "MOQT_IMPLEMENTATION=") {
			t.Errorf("%s: options%s", d, names)
		}
	}
}

func TestSomeDrafts(t *testing.T) {
	served := []wire.Draft{wire.Draft14, wire.Draft16, wire.Draft18}
	quicTarget, web, _ := startRelay(t, reference.Options{Drafts: served}, endpoint.ListenOptions{Path: "/moq"})
	elsewhere := target(t, strings.TrimSuffix(web.Name, "/moq")+"/other")
	alone := quicTarget
	alone.Transport = transport.OnlyQUIC
	r := run(t, Options{
		Targets: []Target{alone, web, elsewhere},
		Drafts:  []wire.Draft{wire.Draft14, wire.Draft15, wire.Draft16, wire.Draft17, wire.Draft18, wire.Draft18},
	})
	want := []map[string]Status{
		{"quic 14": OK, "quic 15": "alpn", "quic 16": OK, "quic 17": "alpn", "quic 18": OK},
		{"webtransport 14": OK, "webtransport 15": "webtransport", "webtransport 16": OK,
			"webtransport 17": "webtransport", "webtransport 18": OK},
		{"webtransport 14": "webtransport", "webtransport 15": "webtransport", "webtransport 16": "webtransport",
			"webtransport 17": "webtransport", "webtransport 18": "webtransport"},
	}
	answered := [][]relays.Draft{drafts(served...), drafts(served...), {}}
	for i, e := range r.Endpoints {
		if diff := cmp.Diff(want[i], statuses(e)); diff != "" {
			t.Error(e.URL, diff)
		}
		if diff := cmp.Diff(answered[i], e.Answered); diff != "" {
			t.Error(e.URL, diff)
		}
	}
	if a := r.Endpoints[1].Attempts[1]; a.HTTPStatus != 406 || a.Expected != "200 with WT-Protocol moqt-15" ||
		a.Received == "" || a.Certificate == "" {
		t.Errorf("no common draft: %+v", a)
	}
	if a := r.Endpoints[2].Attempts[0]; a.HTTPStatus != 404 {
		t.Errorf("no such path: %+v", a)
	}
}

// TestLayers: each layer has a status of its own, and says what was expected and what came.
func TestLayers(t *testing.T) {
	_, web, _ := startRelay(t, reference.Options{}, endpoint.ListenOptions{})
	unverified := web
	unverified.TLSDisableVerify = false
	at := func(options reference.Options) Target {
		q, _, _ := startRelay(t, options, endpoint.ListenOptions{})
		return q
	}
	cases := []struct {
		name     string
		target   Target
		want     Status
		expected string
		received string
	}{
		{"dns", target(t, "moqt://no..name:1"), "dns", "an address of no..name", "does not resolve"},
		{"dead port", target(t, "moqt://"+deadPort(t)), "udp", "QUIC handshake", "unreachable"},
		{"silent port", target(t, "moqt://"+silentPort(t)), "udp-timeout", "QUIC handshake", "no answer"},
		{"certificate", unverified, "tls", "TLS handshake", "not trusted"},
		{"another draft", at(reference.Options{Drafts: []wire.Draft{wire.Draft22}}), "alpn", "ALPN moqt-16",
			"no_application_protocol"},
		{"silent HTTP/3", target(t, "https://"+foreign(t, false)), "http3-timeout", "SETTINGS", "sent no SETTINGS"},
		{"closed HTTP/3", target(t, "https://"+foreign(t, true)), "http3", "SETTINGS", "connection closed by the peer"},
		{"setup-silence", at(reference.Options{Faults: []string{"setup-silence"}}), "setup-timeout", "SERVER_SETUP",
			"nothing (0 bytes) within 1s"},
		{"setup-wrong-version", at(reference.Options{Faults: []string{"setup-wrong-version"}}), "setup", "SERVER_SETUP",
			"VERSION_NEGOTIATION_FAILED"},
		{"setup-garbage", at(reference.Options{Faults: []string{"setup-garbage"}}), "setup", "SERVER_SETUP",
			"a breach of the draft"},
	}
	patient, short := Options{Drafts: []wire.Draft{wire.Draft16}, Timeout: 10 * time.Second},
		Options{Drafts: []wire.Draft{wire.Draft16}, Timeout: time.Second}
	for _, c := range cases {
		if strings.HasSuffix(string(c.want), "-timeout") {
			short.Targets = append(short.Targets, c.target)
		} else {
			patient.Targets = append(patient.Targets, c.target)
		}
	}
	found := map[string]Endpoint{}
	for _, r := range []*Report{run(t, patient), run(t, short)} {
		if r.Answered || r.ExitCode() != 1 {
			t.Errorf("nothing answered: %+v", r)
		}
		for _, e := range r.Endpoints {
			found[e.URL] = e
		}
	}
	for _, c := range cases {
		a := found[c.target.Name].Attempts[0]
		if a.Status != c.want || !strings.Contains(a.Expected, c.expected) ||
			!strings.Contains(a.Received, c.received) || a.Message == "" {
			t.Errorf("%s: %+v", c.name, a)
		}
		if a.Status.Layer() != transport.Layer(strings.TrimSuffix(string(c.want), "-timeout")) ||
			a.Status.Timeout() != strings.HasSuffix(string(c.want), "-timeout") {
			t.Errorf("%s: layer %q, timeout %v", c.name, a.Status.Layer(), a.Status.Timeout())
		}
	}
	if e := found[unverified.Name]; len(e.Certificates) != 1 || e.Certificates[0].Verification != notTrusted {
		t.Errorf("a certificate that is not trusted is shown all the same: %+v", e)
	}
	if e := found[cases[5].target.Name]; len(e.Certificates) != 1 || e.Certificates[0].Verification != notChecked {
		t.Errorf("the certificate of a server without a session is shown: %+v", e)
	}
}

// foreign is a QUIC server with ALPN h3 that says nothing, or closes at once.
func foreign(t *testing.T, closes bool) string {
	t.Helper()
	cert, err := endpoint.SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := quic.ListenAddr("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert},
		NextProtos: []string{"h3"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept(context.Background())
			if err != nil {
				return
			}
			if closes {
				c.CloseWithError(0x101, "no")
			}
			defer c.CloseWithError(0, "")
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

func TestTrustedRoots(t *testing.T) {
	_, web, relay := startRelay(t, reference.Options{}, endpoint.ListenOptions{})
	web.TLSDisableVerify = false
	roots := x509.NewCertPool()
	roots.AddCert(relay.Certificate().Leaf)
	o := Options{Targets: []Target{web}, Drafts: []wire.Draft{wire.Draft22}, TLS: &tls.Config{RootCAs: roots}}
	if c := run(t, o).Endpoints[0].Certificates; len(c) != 1 || c[0].Verification != trusted {
		t.Errorf("with roots: %+v", c)
	}
	o.TLS, o.TLSDisableVerify = nil, true
	if r := run(t, o); !r.Answered || r.Endpoints[0].Certificates[0].Verification != notChecked {
		t.Errorf("without verification: %+v", r.Endpoints[0])
	}
}

// TestClassify holds what no server on loopback shows easily.
func TestClassify(t *testing.T) {
	timeout := &net.DNSError{Err: "no answer", IsTimeout: true}
	for _, c := range []struct {
		err  error
		want Status
	}{
		{&transport.DialError{Layer: transport.LayerDNS, Err: timeout}, "dns-timeout"},
		{&transport.DialError{Layer: transport.LayerTLS, Err: context.DeadlineExceeded}, "tls-timeout"},
		{&transport.DialError{Layer: transport.LayerTLS, Err: errors.New("alert")}, "tls"},
		{&transport.DialError{Layer: transport.LayerWebTransport, Err: context.DeadlineExceeded},
			"webtransport-timeout"},
		{&transport.DialError{Layer: transport.LayerHTTP3, Err: &transport.CloseError{Timeout: true}}, "http3-timeout"},
		{errors.New("something else"), "udp"},
	} {
		var a Attempt
		a.notDialled(job{transport: transport.OnlyQUIC, offer: []wire.Draft{wire.Draft16}}, c.err)
		if a.Status != c.want || a.Expected == "" {
			t.Errorf("%v: %+v", c.err, a)
		}
	}
	var a Attempt
	conn, _ := memconn.Pair(memconn.Options{})
	defer conn.CloseWithError(0, "")
	a.notSetUp(wire.Draft18, &transport.CloseError{Timeout: true, Reason: "silence"}, transport.NewMeter(conn),
		time.Second)
	if a.Status != "setup-timeout" || a.Expected != "SETUP from the relay" {
		t.Errorf("%+v", a)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	because := errors.New("enough")
	timer := time.AfterFunc(50*time.Millisecond, func() { cancel(because) })
	defer timer.Stop()
	silent := target(t, "https://"+silentPort(t))
	r, err := Run(ctx, Options{Targets: []Target{silent}, Parallel: 2, Timeout: time.Minute})
	if err != because || r == nil || r.Complete || r.Summary[Cancelled] != 9 || r.ExitCode() != 1 {
		t.Errorf("%v %+v", err, r)
	}
	checked(t, r)
}

func TestNothing(t *testing.T) {
	if _, err := Run(t.Context(), Options{}); err != ErrNothing {
		t.Error(err)
	}
	web := target(t, "https://127.0.0.1:1")
	web.Transport = transport.OnlyWebTransport
	var warned error
	_, err := Run(t.Context(), Options{Targets: []Target{web}, Transport: transport.OnlyQUIC,
		Warn: func(e error) { warned = e }})
	if err != ErrNothing || warned == nil {
		t.Error(err, warned)
	}
}
