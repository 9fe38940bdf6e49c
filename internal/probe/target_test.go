package probe

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
)

// TestWays: which transports and drafts are tried where.
func TestWays(t *testing.T) {
	const q, w, auto = transport.OnlyQUIC, transport.OnlyWebTransport, transport.Auto
	for _, c := range []struct {
		url    string
		own    transport.Choice
		asked  transport.Choice
		others []string
		want   string
	}{
		{url: "moqt://h:1", want: "quic 16,18,22; not webtransport 16,18,22"},
		{url: "moqt://h:1", asked: transport.Scheme, want: "quic 16,18,22; not webtransport 16,18,22"},
		{url: "moqt://h:1", others: []string{"https://H:1/path"}, want: "quic 16,18,22"},
		{url: "https://h:1", want: "webtransport 16,18,22"},
		{url: "embedded", want: "quic 16,18,22; not webtransport 16,18,22"},
		{url: "moqt://h:1", asked: auto, want: "quic 16,18,22; webtransport 18,22; not webtransport 16"},
		{url: "moqt://h:1", asked: auto, others: []string{"https://H:1/path"}, want: "quic 16,18,22"},
		{url: "moqt://h:1", asked: auto, others: []string{"https://h:2/path"},
			want: "quic 16,18,22; webtransport 18,22; not webtransport 16"},
		{url: "https://h:1", asked: auto, want: "webtransport 16,18,22"},
		{url: "embedded", asked: auto, want: "quic 16,18,22; webtransport 16,18,22"},
		{url: "https://h:1", asked: q, want: "quic 16,18,22"},
		{url: "moqt://h:1", asked: w, want: "webtransport 16,18,22"},
		{url: "embedded", asked: w, want: "webtransport 16,18,22"},
		{url: "moqt://h:1", own: q, want: "quic 16,18,22"},
		{url: "moqt://h:1", own: w, want: "webtransport 16,18,22"},
		{url: "moqt://h:1", own: q, asked: auto, want: "quic 16,18,22"},
		{url: "moqt://h:1", own: q, asked: w, want: ""},
	} {
		x := target(t, c.url)
		x.Transport = c.own
		others := []Target{x}
		for _, o := range c.others {
			others = append(others, target(t, o))
		}
		o := Options{Drafts: []wire.Draft{22, 16, 18}, Transport: c.asked}
		ways, left := o.ways(x, others)
		var got []string
		for _, way := range ways {
			got = append(got, brief(notAsked(way.transport, way.drafts, "")[0]))
		}
		for _, n := range left {
			got = append(got, "not "+brief(n))
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%+v: %s", c, text)
		}
	}
}

// brief is a transport with its drafts' numbers.
func brief(n NotAsked) string {
	var numbers []string
	for _, d := range n.Drafts {
		numbers = append(numbers, d.Number())
	}
	return string(n.Transport) + " " + strings.Join(numbers, ",")
}

func TestFromFiles(t *testing.T) {
	catalogue := &relays.Catalogue{Implementations: []relays.Implementation{
		{Name: "one", Roles: []relays.Role{relays.RoleRelay, relays.RolePublisher},
			Drafts: drafts(wire.Draft14, wire.Draft16), Tolerances: []relays.Tolerance{"lenient-extensions",
				"some-case"}, Endpoints: []relays.Endpoint{
				{URL: "moqt://one.example:4433", Transport: transport.OnlyQUIC, TLSDisableVerify: true},
				{URL: "https://one.example/moq", Drafts: drafts(wire.Draft18)},
				{URL: "https://old.example/moq", Status: relays.Inactive},
				{URL: "https://one.example/pub", Role: relays.RolePublisher},
			}},
		{Name: "two", Roles: []relays.Role{relays.RoleRelay},
			Endpoints: []relays.Endpoint{{URL: "embedded?fault=setup-silence"}}},
	}}
	var b bytes.Buffer
	if err := catalogue.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "relays.json")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	targets, left, err := FromFiles(false, file)
	if err != nil || len(targets) != 3 {
		t.Fatalf("%v %+v", err, targets)
	}
	if diff := cmp.Diff([]string{"one https://old.example/moq: inactive"}, left); diff != "" {
		t.Error(diff)
	}
	first, second := targets[0], targets[1]
	if first.Relay != "one" || !first.TLSDisableVerify || first.Tolerate != wire.LenientExtensions ||
		first.Transport != transport.OnlyQUIC ||
		!cmp.Equal(first.Claimed, drafts(wire.Draft14, wire.Draft16)) || first.URL.Port != "4433" {
		t.Errorf("%+v", first)
	}
	if !cmp.Equal(second.Claimed, drafts(wire.Draft18)) || second.Transport != "" || second.TLSDisableVerify ||
		!targets[2].Embedded {
		t.Errorf("%+v", targets)
	}
	if targets, left, err := FromFiles(true, file); err != nil || len(targets) != 4 || len(left) != 0 {
		t.Errorf("inactive too: %v %v %v", err, left, targets)
	}
	if err := os.WriteFile(file, []byte("moqt://a.example\n# a comment\nhttps://b.example:4433/moq\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	if targets, _, err := FromFiles(false, file); err != nil || len(targets) != 2 ||
		targets[1].label() != "b.example:4433/moq" {
		t.Errorf("a list of URLs: %v %+v", err, targets)
	}
	if targets, _, err := FromFiles(false, "default"); err != nil || len(targets) < 10 {
		t.Errorf("the built-in catalogue: %v, %d targets", err, len(targets))
	}
	if all, _, err := FromFiles(false, relays.BuiltinName, file); err != nil || len(all) < 12 {
		t.Errorf("the built-in catalogue and a list: %v, %d targets", err, len(all))
	}
	if _, _, err := FromFiles(false, file+".none"); err == nil {
		t.Error("no file")
	}
	if targets, _, err := FromFiles(false); err != nil || len(targets) != 0 {
		t.Errorf("from no file: %v %v", targets, err)
	}
}

func TestParseTargetRefuses(t *testing.T) {
	for _, name := range []string{"", "relay.example:443", "http://relay.example", "embedded?fault=nonsense",
		"moqt://h:99999"} {
		if x, err := ParseTarget(name); err == nil {
			t.Errorf("%q: %+v", name, x)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"8": 8 * time.Second, "0.5": 500 * time.Millisecond, "1m30s": 90 * time.Second, "300": DefaultInterval,
		"": 0, "0": 0, "-1": 0, "NaN": 0, "inf": 0, "1e300": 0, "soon": 0, "-3s": 0, "99999h": 0,
	} {
		if d, err := ParseDuration(text); d != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v %v", text, d, err)
		}
	}
}

func TestIntervalDefault(t *testing.T) {
	for _, c := range []struct {
		set, file, kept bool
		want            time.Duration
	}{
		{true, false, false, time.Minute},
		{true, true, true, time.Minute},
		{false, true, true, DefaultInterval},
		{false, true, false, 0},
		{false, false, true, 0},
	} {
		if got := Interval(time.Minute, c.set, c.file, c.kept); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"format":2,"program":"p","version":"","started":"2026-01-01T00:00:00Z","duration_ms":1,"timeout_ms":1,` +
			`"complete":true,"answered":true,"summary":{},"endpoints":[{"url":"u","endpoint":"e",` +
			`"answered_drafts":[],"attempts":[{"transport":"quic","draft":"draft-14","status":"ok","alpn":"moq-00",` +
			`"duration_ms":1}]}]}`,
		`{"format":1,"program":"p","version":"","started":"2026-01-01T00:00:00Z","duration_ms":1,"timeout_ms":1,` +
			`"complete":true,"answered":true,"summary":{},"endpoints":[{"url":"u","endpoint":"e",` +
			`"answered_drafts":[],"attempts":[{"transport":"quic","draft":"draft-14","status":"ok","alpn":"moq-00",` +
			`"duration_ms":1,"message":"no"}]}]}`,
		`{"format":1,"program":"p","version":"","started":"2026-01-01T00:00:00Z","duration_ms":1,"timeout_ms":1,` +
			`"complete":true,"answered":true,"summary":{},"endpoints":[{"url":"u","endpoint":"e",` +
			`"answered_drafts":[],"attempts":[{"transport":"quic","draft":"draft-14","status":"setup",` +
			`"duration_ms":1,"message":"no"}]}]}`,
		`{"format":1,"program":"p","version":"","started":"2026-01-01T00:00:00Z","duration_ms":1,"timeout_ms":1,` +
			`"complete":true,"answered":true,"summary":{"odd":1},"endpoints":[{"url":"u","endpoint":"e",` +
			`"answered_drafts":[],"attempts":[{"transport":"quic","draft":"draft-14","status":"ok","alpn":"moq-00",` +
			`"duration_ms":1}]}]}`,
	} {
		if err := valid(t, []byte(text)); err == nil {
			t.Errorf("accepted: %s", text)
		}
	}
}
