package wtconn

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

func TestCodesMapBothWays(t *testing.T) {
	for code, wire := range map[uint64]uint64{0: 0x52e4a40fa8db, 0x1d: 0x52e4a40fa8f8, 0x1e: 0x52e4a40fa8fa,
		1<<32 - 1: 0x52e5ac983162} {
		if got := toHTTP(code); got != wire {
			t.Errorf("toHTTP(%#x) = %#x, want %#x", code, got, wire)
		}
	}
	for _, wire := range []uint64{0, 0x100, 0x52e4a40fa8da, 0x52e4a40fa8f9, 0x52e5ac983163, 1<<62 - 1} {
		if code, ok := fromHTTP(wire); ok {
			t.Errorf("fromHTTP(%#x) = %#x", wire, code)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		code := uint64(rapid.Uint32().Draw(t, "code"))
		if got, ok := fromHTTP(toHTTP(code)); got != code || !ok {
			t.Fatalf("%#x came back as %#x, %v", code, got, ok)
		}
	})
}

func TestParseProtocols(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   []string
		ok     bool
	}{
		{nil, nil, false},
		{[]string{`"moqt-18", "moqt-16"`}, []string{"moqt-18", "moqt-16"}, true},
		{[]string{`"moqt-18"`, `"moqt-16";a=1`}, []string{"moqt-18", "moqt-16"}, true},
		{[]string{`moqt-18`}, []string{"moqt-18"}, true},
		{[]string{``}, nil, false},
		{[]string{`"moqt-18`}, nil, false},
		{[]string{`17`}, nil, false},
		{[]string{`("moqt-18" "moqt-16")`}, nil, false},
	} {
		got, ok := parseProtocols(tt.values)
		if ok != tt.ok || !cmp.Equal(got, tt.want) {
			t.Errorf("%q: %q %v", tt.values, got, ok)
		}
	}
	value, err := formatProtocols([]string{"moqt-18", "moqt-16"})
	if value != `"moqt-18", "moqt-16"` || err != nil {
		t.Errorf("%q %v", value, err)
	}
	if _, err := formatProtocols([]string{"moqt-ä"}); err == nil {
		t.Error("a protocol outside of ASCII was written")
	}
}

func TestParseProtocol(t *testing.T) {
	for in, want := range map[string]string{
		`"moqt-18"`: "moqt-18", `moqt-18`: "moqt-18", `"moqt-18";v=1`: "moqt-18", ` "moqt-18" `: "moqt-18",
		`"moqt-18", "moqt-16"`: `"moqt-18", "moqt-16"`, `18`: "18", `"open`: `"open`,
	} {
		if got := parseProtocol([]string{in}); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestReadSettings(t *testing.T) {
	frame := func(kind uint64, body ...uint64) []byte {
		var payload []byte
		for _, v := range body {
			payload = quicvarint.Append(payload, v)
		}
		return append(quicvarint.Append(quicvarint.Append(nil, kind), uint64(len(payload))), payload...)
	}
	all := frame(frameSettings, 8, 1, 0x33, 1, settingWTEnabled, 7, settingWTDraft02, 0)
	got, err := readSettings(bytes.NewReader(all))
	if err != nil || !got.on(settingExtendedConnect) || got.on(settingWTDraft02) || !got.webTransport() ||
		got.protocol() != protocolNew ||
		got.String() != "0x8=1, 0x33=1, 0x2c7cf000=7, 0x2b603742=0" {
		t.Errorf("%v %v", got, err)
	}
	old, err := readSettings(bytes.NewReader(frame(frameSettings, settingWTSessions07, 1)))
	if err != nil || !old.webTransport() || old.protocol() != protocolOld {
		t.Errorf("%v %v", old, err)
	}
	none, err := readSettings(bytes.NewReader(frame(frameSettings)))
	if err != nil || none.webTransport() || none.String() != "none" {
		t.Errorf("%v %v", none, err)
	}
	if _, err := readSettings(bytes.NewReader(frame(frameGoAway, 0))); err != errMissingSettings {
		t.Errorf("GOAWAY first: %v", err)
	}
	if _, err := readSettings(bytes.NewReader(quicvarint.Append([]byte{frameSettings}, 1<<40))); err == nil {
		t.Error("a huge SETTINGS frame was taken")
	}
	for i := range all {
		if _, err := readSettings(bytes.NewReader(all[:i])); err == nil {
			t.Errorf("a SETTINGS frame cut at %d was taken", i)
		}
	}
}

func FuzzReadSettings(f *testing.F) {
	f.Add([]byte{4, 4, 8, 1, 0x33, 1})
	f.Add([]byte{4, 0x80, 0, 0x20, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readSettings(bytes.NewReader(b))
		if err == nil && len(s)*2 > len(b) {
			t.Fatalf("%d settings of %d bytes", len(s), len(b))
		}
	})
}

func TestCloseCapsule(t *testing.T) {
	for _, tt := range []struct {
		code   uint64
		reason string
		want   transport.CloseError
	}{
		{0, "", transport.CloseError{Remote: true}},
		{0x12345678, "why", transport.CloseError{Remote: true, Code: 0x12345678, Reason: "why"}},
		{1 << 40, "too large", transport.CloseError{Remote: true, Code: 1<<32 - 1, Reason: "too large"}},
	} {
		parser := http3.NewCapsuleParser(bytes.NewReader(closeCapsule(tt.code, tt.reason)))
		kind, r, err := parser.Next()
		if err != nil || kind != capsuleClose {
			t.Fatalf("%v %v", kind, err)
		}
		got, err := readClose(r)
		if diff := cmp.Diff(&tt.want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if _, _, err := parser.Next(); err != io.EOF {
			t.Errorf("something follows: %v", err)
		}
	}
	parser := http3.NewCapsuleParser(bytes.NewReader([]byte{0x68, 0x43, 3, 0, 0, 0}))
	_, r, err := parser.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readClose(r); err != errShortClose {
		t.Errorf("a short capsule: %v", err)
	}
}

func TestRequest(t *testing.T) {
	for path, want := range map[string]string{"": "/", "/": "/", "/a%20b?c=d": "/a%20b?c=d", "?q": "/?q"} {
		req, err := newRequest(protocolOld, ClientOptions{Authority: "h:1", Path: path, Protocols: []string{"moqt-16"}})
		if err != nil || req.URL.RequestURI() != want || req.Method != http.MethodConnect ||
			req.Proto != "webtransport" ||
			req.Header.Get("WT-Available-Protocols") != `"moqt-16"` ||
			req.Header.Get("Sec-Webtransport-Http3-Draft02") != "1" {
			t.Errorf("%q: %+v %v", path, req, err)
		}
	}
	req, err := newRequest(protocolNew, ClientOptions{Authority: "h:1"})
	if err != nil || req.Header.Get(headerDraft02) != "" || len(req.Header[headerAvailable]) != 0 {
		t.Errorf("%+v %v", req, err)
	}
}
