package matrix

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// The relay that a cell gets is there, and a handshake finds it; where nobody is, none does.
func TestHandshake(t *testing.T) {
	h := Here{Relay: reference.Options{}}
	i, err := h.embedded(t.Context(), Endpoint{URL: "embedded"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for _, scheme := range []string{"moqt://", "https://"} {
		if err := Handshake(ctx, scheme+i.Address); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
	}
	if i.ended() {
		t.Error("it has ended")
	}
	i.Stop()
	if !i.ended() {
		t.Error("it has not ended")
	}
	if err := Handshake(ctx, "moqt://"+i.Address); err == nil {
		t.Error("a handshake with nobody")
	}
	if err := Handshake(ctx, "nonsense"); err == nil {
		t.Error("a handshake with nonsense")
	}
	if _, err := h.embedded(ctx, Endpoint{URL: "embedded?fault=nobody"}); err == nil {
		t.Error("a fault that there is not")
	}
}

// A relay of this host is healthy when it answers; else it is said what is missing.
func TestHealthy(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	i, err := Here{}.embedded(ctx, Endpoint{URL: "embedded"})
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(i.Address)
	for _, addr := range []string{i.Address, ":" + port, "0.0.0.0:" + port} {
		if err := Healthy(ctx, addr); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
	i.Stop()
	want := "no QUIC handshake with " + i.Address
	if canSeePorts {
		want = "no UDP socket of this host is bound to port " + port
	}
	if err := Healthy(ctx, i.Address); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	for _, addr := range []string{"nowhere", "127.0.0.1:no-such-service"} {
		if err := Healthy(ctx, addr); err == nil {
			t.Errorf("%s is healthy", addr)
		}
	}
}

func TestCertificate(t *testing.T) {
	cert, key, err := Certificate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil || leaf.IsCA {
		t.Fatalf("%v, authority %v", err, leaf.IsCA)
	}
	for _, name := range []string{"localhost", "relay", "127.0.0.1"} {
		if err := leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
}

func TestBuiltinOfHere(t *testing.T) {
	h := Here{Info: runner.ClientInfo{Name: "x", Version: "1"}}
	ok := Request{Cell: Cell{Draft: "draft-18", Transport: "quic"}, URL: "moqt://127.0.0.1:1",
		Cases: []string{"setup-only", "publish-namespace-only"}}
	client, list, err := h.builtin(ok)
	if err != nil || client.Info().Name != "x" || len(list) != 2 || list[1].ID != "announce-only" {
		t.Errorf("%v %v", err, list)
	}
	for name, test := range map[string]struct {
		change func(*Request)
		want   string
	}{
		"case":      {func(r *Request) { r.Cases = []string{"nobody"} }, "unknown case"},
		"draft":     {func(r *Request) { r.Cell.Draft = "draft-13" }, "draft-13"},
		"tolerance": {func(r *Request) { r.Endpoint.Tolerances = []string{"everything"} }, "unknown tolerance"},
		"URL":       {func(r *Request) { r.URL = "ftp://x" }, "ftp"},
	} {
		r := ok
		test.change(&r)
		if _, _, err := h.builtin(r); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	// Nobody listens: the client says so, in a layer.
	nobody, err := freeport.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	r := ok
	r.URL = "moqt://" + nobody.String()
	client, list, err = h.builtin(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := client.Run(t.Context(), list[0], func(runner.Session) {}); got.Status != runner.Fail ||
		got.Layer != "udp" {
		t.Errorf("%+v", got)
	}
}
