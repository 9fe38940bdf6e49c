package runner

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
)

func testReport() *Report {
	r := &Report{
		Client: ClientInfo{"fake-client", "v1"}, Relay: "embedded", Transport: "auto", Drafts: []string{"draft-16"},
		Started: time.Unix(0, 0),
		Planned: []string{"setup-only"}, Results: []Result{passed("setup-only", quicSession("client", "01"))},
	}
	r.finish("draft-16", time.Second, false)
	return r
}

func TestOutputAppearsWhole(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "results.json"), filepath.Join(dir, "link.json")
	if err := os.WriteFile(path, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	o, err := OpenOutput(link)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "older" {
		t.Errorf("opening changed the file: %q, %v", text, err)
	}
	if err := o.Write(testReport()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema(t).Validate(parseJSON(t, text)); err != nil {
		t.Error(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil || !bytes.HasSuffix(text, []byte("}\n")) {
		t.Errorf("%v in %q", err, text)
	}
	for _, part := range []string{`"case":"setup-only"`, `"status":"pass"`, `"moqt_version":"moqt-16"`, `"exit_code":0`,
		`"duration_ms":1000`, `"started":"1970-01-01T00:00:00Z"`} {
		if !strings.Contains(compact.String(), part) {
			t.Errorf("%s is not in %s", part, compact.String())
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestOutputThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "missing", "results.json")} {
		if _, err := OpenOutput(path); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
	gone := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(gone, 0o755); err != nil {
		t.Fatal(err)
	}
	o, err := OpenOutput(filepath.Join(gone, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if err := o.Write(testReport()); err == nil {
		t.Error("written into a folder that is gone")
	}
}

func TestOutputToDevice(t *testing.T) {
	o, err := OpenOutput(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Write(testReport()); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("the device is %v now, %v", info, err)
	}
}

func TestVerbose(t *testing.T) {
	var out bytes.Buffer
	trace := Verbose(&out)
	c := cases.Case{ID: "setup-only", Roles: []string{"client"}}
	r := passed("setup-only", quicSession("client", "01"))
	r.Notes, r.Transcript, r.Message = []string{"a fact"}, []string{"client > SETUP"}, "all well"
	trace(c, nil)
	trace(c, &r)
	want := `setup-only: begins
setup-only: session client: moqt-16 over quic, alpn "moqt-16", connection "01", peer "peer/1"
setup-only: note: a fact
setup-only: client > SETUP
setup-only: pass in 12 ms: all well
`
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}
