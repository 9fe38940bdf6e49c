package probe

import (
	"bytes"
	"flag"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

func TestMain(m *testing.M) { leak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (go test -update writes it):\n%s", name, diff)
	}
}

// checked is the JSON form, held against the schema.
func checked(t *testing.T, r *Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	if err := valid(t, b.Bytes()); err != nil {
		t.Errorf("%v\n%s", err, b.String())
	}
	return b.Bytes()
}

func valid(t *testing.T, text []byte) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	read := func(text []byte) any {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return v
	}
	if err := c.AddResource("status.schema.json", read(Schema)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("status.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(read(text))
}

// output is a status file.
func output(t *testing.T, path string) *runner.Output {
	t.Helper()
	o, err := runner.OpenOutput(path)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// startRelay starts the reference relay and gives its targets over both transports, whose certificate is not checked.
func startRelay(t *testing.T, o reference.Options, listen endpoint.ListenOptions) (quic, web Target,
	relay *runner.Relay) {
	t.Helper()
	listen.Addr = "127.0.0.1:0"
	relay, err := runner.StartRelay(o, listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.Close)
	return target(t, "moqt://"+relay.Addr().String()), target(t, "https://"+relay.Addr().String()+listen.Path), relay
}

func target(t *testing.T, url string) Target {
	t.Helper()
	x, err := ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	x.TLSDisableVerify = true
	return x
}

// deadPort is an address on loopback that nobody listens on.
func deadPort(t *testing.T) string {
	t.Helper()
	addr, err := freeport.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	return addr.String()
}

// silentPort is an address on loopback that takes everything and never answers.
func silentPort(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

// statuses are those of an endpoint by transport and draft: "quic 14".
func statuses(e Endpoint) map[string]Status {
	m := map[string]Status{}
	for _, a := range e.Attempts {
		m[string(a.Transport)+" "+a.Draft.Number()] = a.Status
	}
	return m
}

func drafts(list ...wire.Draft) (out []relays.Draft) {
	for _, d := range list {
		out = append(out, relays.Draft(d.String()))
	}
	return out
}

func run(t *testing.T, o Options) *Report {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	checked(t, r)
	return r
}
