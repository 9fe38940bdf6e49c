package transport

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestParseURL(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want URL
		addr string
	}{
		{"https://relay.example", URL{Scheme: "https", Host: "relay.example", Port: "443", Authority: "relay.example"},
			"relay.example:443"},
		{"moqt://relay.example:4443/a/b?c=d", URL{Scheme: "moqt", Host: "relay.example", Port: "4443",
			Authority: "relay.example:4443", Path: "/a/b?c=d"}, "relay.example:4443"},
		{"https://[::1]:4443/", URL{Scheme: "https", Host: "::1", Port: "4443", Authority: "[::1]:4443", Path: "/"},
			"[::1]:4443"},
		{"https://127.0.0.1:/x%20y", URL{Scheme: "https", Host: "127.0.0.1", Port: "443", Authority: "127.0.0.1",
			Path: "/x%20y"}, "127.0.0.1:443"},
		{"https://h?q", URL{Scheme: "https", Host: "h", Port: "443", Authority: "h", Path: "?q"}, "h:443"},
	} {
		got, err := ParseURL(tt.raw)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || got.Addr() != tt.addr {
			t.Errorf("%s: %v, addr %s: %s", tt.raw, err, got.Addr(), diff)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for raw, word := range map[string]string{
		"":                        "scheme",
		"relay.example:4443":      "",
		"http://h":                "scheme",
		"https://":                "no host",
		"https:///path":           "no host",
		"https://user@h":          "user information",
		"https://h:0":             "port",
		"https://h:65536":         "port",
		"https://h:x":             "port",
		"moqt://h/path#fragment":  "fragment",
		"https://h/%zz":           "%zz",
		"https://[::1":            "",
		"wss://relay.example/moq": "https://",
	} {
		if u, err := ParseURL(raw); err == nil || !strings.Contains(err.Error(), word) ||
			!strings.Contains(err.Error(), raw) {
			t.Errorf("%q: %+v, %v; want an error with %q", raw, u, err, word)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{"https://h:1/p?q", "moqt://[::1]", "https://h%41:443", "://", "moqt://a..b:99"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := ParseURL(raw)
		if err != nil {
			return
		}
		if u.Host == "" || u.Port == "" || u.Authority == "" || u.Path != "" && u.Path[0] != '/' && u.Path[0] != '?' {
			t.Fatalf("%q gave %+v", raw, u)
		}
	})
}

func TestNegotiatedDraft(t *testing.T) {
	for _, tt := range []struct {
		info Info
		want wire.Draft
		ok   bool
	}{
		{Info{Kind: QUIC, ALPN: "moq-00"}, 14, true},
		{Info{Kind: QUIC, ALPN: "moqt-22"}, 22, true},
		{Info{Kind: QUIC, ALPN: "h3"}, 0, false},
		{Info{Kind: QUIC, ALPN: "moqt-99"}, 0, false},
		{Info{Kind: WebTransport, ALPN: "h3"}, 14, true},
		{Info{Kind: WebTransport, ALPN: "h3", Protocol: "moqt-18"}, 18, true},
		{Info{Kind: WebTransport, ALPN: "h3", Protocol: "moq-00"}, 14, true},
		{Info{Kind: WebTransport, ALPN: "h3", Protocol: "chat"}, 0, false},
		{Info{Kind: Memory, ALPN: "moqt-16"}, 16, true},
		{Info{Kind: Memory, Protocol: "moqt-16"}, 16, true},
		{Info{Kind: Memory}, 0, false},
	} {
		if got, ok := NegotiatedDraft(tt.info); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%+v: %v %v", tt.info, got, ok)
		}
	}
}

func TestErrorsSayWhat(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&DialError{Layer: LayerUDP, Reason: "nobody"}, "udp: nobody"},
		{&CloseError{Code: 3, Reason: "why"}, "connection closed here with code 0x3: why"},
		{&CloseError{Remote: true, Code: 3}, "connection closed by the peer with code 0x3"},
		{&CloseError{Remote: true, Transport: true, Code: 0x3, Name: "FLOW_CONTROL_ERROR", Reason: "why"},
			"connection closed by the peer with QUIC code 0x3 (FLOW_CONTROL_ERROR): why"},
		{&CloseError{Remote: true, Transport: true, HTTP3: true, Code: 0x10a, Name: "H3_MISSING_SETTINGS",
			Reason: "why"},
			"connection closed by the peer with HTTP/3 code 0x10a (H3_MISSING_SETTINGS): why"},
		{&CloseError{Remote: true, Transport: true, HTTP3: true, Code: 0x3, Reason: "why"},
			"connection closed by the peer with HTTP/3 code 0x3, which HTTP/3 does not have (a MoQT code belongs " +
				"into CLOSE_WEBTRANSPORT_SESSION): why"},
		{&CloseError{Transport: true, Timeout: true, Reason: "silence"}, "connection timed out: silence"},
		{&StreamError{StreamID: 4, Code: 5}, "stream 4 reset here with code 0x5"},
		{&StreamError{StreamID: 4, Remote: true, Stop: true, Code: 5, Transport: true},
			"stream 4 stopped by the peer with HTTP/3 code 0x5"},
		{&DatagramTooLargeError{Size: 9, Max: 8}, "datagram of 9 bytes does not fit, at most 8 do"},
	} {
		if tt.err.Error() != tt.want {
			t.Errorf("%q, want %q", tt.err, tt.want)
		}
	}
	for _, tt := range []struct {
		e    CloseError
		want bool
	}{
		{CloseError{Remote: true, Transport: true, HTTP3: true, Code: 3}, true},
		{CloseError{Transport: true, HTTP3: true, Code: 3}, false},
		{CloseError{Remote: true, Transport: true, Code: 3, Name: "FLOW_CONTROL_ERROR"}, false},
		{CloseError{Remote: true, Transport: true, HTTP3: true, Code: 0x33, Name: "H3_DATAGRAM_ERROR"}, false},
		{CloseError{Remote: true, Transport: true, HTTP3: true, Code: 0x100, Name: "H3_NO_ERROR"}, false},
		{CloseError{Remote: true, Transport: true, HTTP3: true, Code: 0x999}, false},
		{CloseError{Remote: true, Code: 3}, false},
	} {
		if code, ok := tt.e.MisplacedCode(); ok != tt.want || ok && code != tt.e.Code {
			t.Errorf("%+v: misplaced %v, code 0x%x", tt.e, ok, code)
		}
	}
	cause := errors.New("cause")
	if !errors.Is(&CloseError{Err: cause}, net.ErrClosed) || !errors.Is(&CloseError{Err: cause}, cause) ||
		!errors.Is(&DialError{Err: cause}, cause) {
		t.Error("errors.Is does not hold")
	}
}
