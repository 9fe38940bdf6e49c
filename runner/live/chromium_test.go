package live

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// In a browser the cells fill in as they come, wide and on a phone, and the button is there where it is allowed.
func TestLivePageInChromium(t *testing.T) {
	if os.Getenv("MOQ_BROWSER") == "" {
		t.Skip("MOQ_BROWSER=1 starts Chromium")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no Chromium on this machine")
	}
	for _, size := range []string{"1300,900", "390,800"} {
		s, p := serve(t, 3, func(context.Context, string, string) (*matrix.CellResult, error) { return nil, nil })
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		go func() {
			for s.watched() == 0 && ctx.Err() == nil {
				time.Sleep(5 * time.Millisecond)
			}
			s.Cell(result(p.Cells[1]))
			bad := result(p.Cells[2])
			bad.Status, bad.Layer, bad.Reason = matrix.Down, "udp", "nobody <b>there</b>"
			s.Cell(bad)
		}()
		cmd := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu",
			"--user-data-dir="+t.TempDir(), "--window-size="+size, "--timeout=3000", "--dump-dom",
			s.URL()+"#cell/"+p.Cells[0].ID)
		cmd.WaitDelay = time.Second
		b, err := cmd.Output()
		text := string(b)
		if err != nil || !strings.Contains(text, `<td class="p fresh"`) || !strings.Contains(text, `class="d fresh"`) ||
			!strings.Contains(text, "live: 2 of 3 cells") || !strings.Contains(text, ">Run again</button>") ||
			strings.Contains(text, "<b>there</b>") {
			t.Errorf("%s: %v\n%.3000s", size, err, text[max(0, strings.Index(text, "<header")):])
		}
	}
}
