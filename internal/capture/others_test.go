package capture

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCaptureOfOthers: what other makes' clients say to serve is decoded of packets too, with the keys that they write
// to SSLKEYLOGFILE: aiomoqt's and the Rust package's.
func TestCaptureOfOthers(t *testing.T) {
	peers := os.Getenv("MOQ_PEERS")
	if os.Getenv("MOQ_CAPTURE") == "" || peers == "" {
		t.Skip("set MOQ_CAPTURE=1, and MOQ_PEERS to the folder of the independent stacks")
	}
	for _, name := range []string{"tcpdump", "tshark"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s here", name)
		}
	}
	if !filepath.IsAbs(peers) { // as the project's root has it
		peers = filepath.Join("..", "..", peers)
	}
	program := filepath.Join(t.TempDir(), "moq-interop-client")
	build := exec.Command("go", "build", "-o", program, "../../cmd/moq-interop-client")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, x := range []struct {
		name string
		args func(address string) []string
		want []string
	}{
		{"aiomoqt", func(address string) []string {
			return []string{peers + "/bin/moq-interop-client", "-r", "moqt://" + address, "--draft", "18", "-t",
				"announce-subscribe", "--tls-disable-verify"}
		}, []string{"client SETUP", "server SETUP", "client SUBSCRIBE", "client SUBGROUP_HEADER", "server OBJECT"}},
		{"Rust", func(address string) []string {
			return []string{peers + "/bin/python", "../../deploy/rehearsal_publish.py", "moqt://" + address, "hall",
				"clock"}
		}, []string{"client SETUP", "server SETUP", "client PUBLISH_NAMESPACE", "server REQUEST_OK"}},
	} {
		t.Run(x.name, func(t *testing.T) { capturedOther(t, program, x.args, x.want) })
	}
}

func capturedOther(t *testing.T, program string, args func(address string) []string, want []string) {
	dir := t.TempDir()
	packets, keys := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "keys")
	line, stopServe := background(t, "listening on ", program, "serve", "--addr", "127.0.0.1:0", "-q")
	defer stopServe()
	_, address, _ := strings.Cut(line, "listening on ")
	address = strings.Fields(address)[0]
	_, port, _ := strings.Cut(address, ":")
	_, stopDump := background(t, "listening on", "tcpdump", "-i", "lo", "--immediate-mode", "-Z", "root", "-U", "-w",
		packets, "udp", "port", port)
	words := args(address)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Env = append(os.Environ(), "SSLKEYLOGFILE="+keys)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() }) // a publisher stays
	_ = cmd.Wait()
	ended.Stop()
	settled(t, packets)
	stopDump()
	c, err := Read(t.Context(), packets, keys)
	if err != nil || len(c.Notes) > 0 {
		t.Fatal(err, c.Notes)
	}
	lines, _, err := c.Decode(Options{Rules: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		if got = append(got, l.From+" "+l.Type); l.Error != "" || len(l.Broken) > 0 {
			t.Errorf("%+v", l)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("no %s in %s", w, strings.Join(got, ", "))
		}
	}
	t.Logf("%d lines of %d connections", len(lines), len(c.Connections))
}
