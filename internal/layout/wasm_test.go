package layout

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What runs in a page or in a test in memory brings neither QUIC nor TLS along: more than 1.6 MB of WebAssembly.
func TestWebAssemblyWithoutQUICAndTLS(t *testing.T) {
	const module = module + "/"
	packages := []string{"moqt/wire", "moqt/transport", "moqt/transport/memconn", "moqt/transport/webconn",
		"moqt", "moqt/track", "cases", "relays/reference", "runner", "internal/web/app"}
	args := []string{"list", "-deps"}
	for _, p := range packages {
		args = append(args, module+p)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("no go command to ask: %v", err)
	}
	deps := strings.Fields(string(out))
	for _, p := range packages {
		if !slices.Contains(deps, module+p) {
			t.Errorf("%s is not built for js/wasm", p)
		}
	}
	for _, p := range deps {
		if p == "crypto/tls" || p == "net/http" || strings.HasPrefix(p, "github.com/quic-go/") {
			t.Errorf("a package for js/wasm needs %s: what listens and dials belongs into a file with //go:build !js",
				p)
		}
	}
}
