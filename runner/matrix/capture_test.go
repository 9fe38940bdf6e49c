package matrix

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/runner"
)

// The packets of a run lie in its folder, for its owner alone; without tcpdump nothing is run.
func TestCapture(t *testing.T) {
	p := planOf(t, 1, one, nil, Builtin())
	o := Options{Dir: filepath.Join(t.TempDir(), "run"), NoRetry: true, Capture: true, Builtin: fake(
		func(_ context.Context, r Request, _ cases.Case) runner.Result { return passed(r) })}
	if _, err := exec.LookPath("tcpdump"); err != nil {
		if _, err := Execute(t.Context(), p, o); err == nil || !strings.Contains(err.Error(), "tcpdump") {
			t.Errorf("%v", err)
		}
		t.Skip("no tcpdump on this machine")
	}
	if _, err := Execute(t.Context(), p, o); err != nil {
		t.Skipf("tcpdump may not capture here: %v", err)
	}
	name := filepath.Join(o.Dir, CaptureFile)
	b, err := os.ReadFile(name)
	if err != nil || len(b) < 24 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}
