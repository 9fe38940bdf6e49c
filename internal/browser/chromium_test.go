package browser

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"
)

// chromium finds the browser. It takes both cores to start, so it runs only where it is asked for and nothing else runs
// beside it.
func chromium(t *testing.T) string {
	t.Helper()
	if os.Getenv("MOQ_BROWSER") == "" {
		t.Skip("set MOQ_BROWSER=1 to run the browser")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium on this machine")
	return ""
}

// reported opens a page of testdata in the browser, and gives what it reports. web is where the pages are.
func reported(ctx context.Context, t *testing.T, path string, page func(web string) string) string {
	t.Helper()
	results := make(chan string, 4)
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir("testdata")))
	mux.HandleFunc("POST /result", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		select {
		case results <- string(b):
		default:
		}
	})
	web := httptest.NewServer(mux)
	defer web.Close()
	got, end := opened(ctx, t, path, page(web.URL), results)
	end()
	return got
}

// opened opens an address in the browser and gives what its page reports first. The browser goes on until end.
func opened(ctx context.Context, t *testing.T, path, address string, results <-chan string) (got string, end func()) {
	t.Helper()
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync"}
	shot := os.Getenv("BROWSER_SCREENSHOT")
	if shot != "" { // to look at the page: BROWSER_SCREENSHOT=page.png
		args = append(args, "--screenshot="+shot, "--window-size=800,400", "--timeout=3000")
	} else {
		args = append(args, "--remote-debugging-port=0") // stays until it is killed
	}
	// A busy machine can starve a browser that starts: it gets a second and a third try.
	for try := range 3 {
		cmd := exec.CommandContext(ctx, path, append(args, "--user-data-dir="+profile(t), address)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end = func() {
			if shot == "" {
				_ = cmd.Process.Kill()
			}
			_ = cmd.Wait()
		}
		select {
		case got = <-results:
			return got, end
		case <-time.After(45 * time.Second):
		case <-ctx.Done():
		}
		end()
		t.Logf("try %d: the page did not report", try+1)
	}
	t.Fatal("the page never reported")
	return "", nil
}

// profile is a folder for the browser. Its helpers outlive it by a moment and write on, so that removing it takes some
// tries.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for try := 0; os.RemoveAll(dir) != nil && try < 100; try++ {
			time.Sleep(50 * time.Millisecond)
		}
	})
	return dir
}
