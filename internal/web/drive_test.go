package web

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// Bounds of what a user notices. Those of time are held where MOQ_FIGURES says that nothing else runs beside it.
const (
	maxZipped = 3_000_000        // bytes
	maxMemory = 120 << 20        // bytes
	maxFirst  = 2000             // milliseconds from Run to the first verdict
	maxFrame  = 100              // milliseconds between two frames
	driveTime = 10 * time.Minute // for one run
)

// loaded is the page, built.
func loaded(t *testing.T) Files {
	t.Helper()
	if os.Getenv("MOQ_BROWSER") == "" {
		t.Skip("set MOQ_BROWSER=1 to run the browser")
	}
	if _, err := Find("chromium"); err != nil {
		t.Skip(err)
	}
	files, err := Load(t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// relay serves the reference relay, and gives its URL and its certificate's hash.
func relay(t *testing.T) (url, hash string) {
	t.Helper()
	r, err := runner.StartRelay(reference.Options{}, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	sum := endpoint.CertificateHash(r.Certificate())
	return fmt.Sprintf("https://%s/", r.Addr()), hex.EncodeToString(sum[:])
}

// drafts are those that MOQ_WEB_DRAFTS names ("14,18"), or 14, 18 and 22.
func drafts(t *testing.T) (out [][]int) {
	t.Helper()
	text := os.Getenv("MOQ_WEB_DRAFTS")
	switch text {
	case "":
		text = "14,18,22"
	case "all":
		for _, d := range wire.Drafts() {
			out = append(out, []int{int(d)})
		}
		return out
	}
	for _, name := range strings.Split(text, ",") {
		n, err := strconv.Atoi(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, []int{n})
	}
	return out
}

// carriedOut has Chromium carry out an order.
func carriedOut(t *testing.T, f Files, o Order) *Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), driveTime)
	defer cancel()
	b := Browser{Name: "chromium", Files: f}
	var err error
	if b.Path, err = Find("chromium"); err != nil {
		t.Fatal(err)
	}
	out, err := b.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range out.Columns {
		var report struct {
			BailOut string `json:"bail_out"`
			Summary map[string]int
			Results []struct {
				Case, Status, Message, Reason string
				Transcript                    []string
			}
		}
		if err := json.Unmarshal([]byte(c.Report), &report); err != nil {
			t.Fatal(err)
		}
		t.Logf("draft %v: %v", o.Offers[i], report.Summary)
		if report.BailOut != "" || len(report.Results) == 0 {
			t.Errorf("draft %v: %d results, bail out %q", o.Offers[i], len(report.Results), report.BailOut)
		}
		for _, r := range report.Results {
			switch r.Status {
			case "fail", "todo":
				t.Errorf("draft %v: %s: %s: %s %s\n%s", o.Offers[i], r.Case, r.Status, r.Message, r.Reason,
					strings.Join(r.Transcript[max(0, len(r.Transcript)-40):], "\n"))
			case "not-applicable", "skip":
				t.Logf("draft %v: %s: %s: %s", o.Offers[i], r.Case, r.Status, r.Reason)
			}
		}
	}
	if len(out.Columns) != len(o.Offers) {
		t.Fatalf("%d of %d drafts", len(out.Columns), len(o.Offers))
	}
	t.Logf("ready after %.0f ms, first verdict %.0f ms after Run, longest frame %.0f ms, longest task %.0f ms, "+
		"%d MB of memory; %s", out.Ready, out.First, out.Frame, out.Task, out.Memory>>20, out.Agent)
	if os.Getenv("MOQ_FIGURES") != "" && (out.First > maxFirst || out.Frame > maxFrame) {
		t.Errorf("the first verdict came after %.0f ms, a frame %.0f ms after another", out.First, out.Frame)
	}
	if out.Memory == 0 || out.Memory > maxMemory {
		t.Errorf("%d bytes of memory", out.Memory)
	}
	return out
}

func TestStandardSetInBrowser(t *testing.T) {
	f := loaded(t)
	url, hash := relay(t)
	if n := len(f[programFile]); n > maxZipped {
		t.Errorf("the program has %d bytes zipped, at most %d", n, maxZipped)
	}
	out := carriedOut(t, f, Order{Relay: url, Hashes: []string{hash}, Offers: drafts(t), Suite: "standard", Jobs: 4})
	for _, c := range out.Columns {
		if !strings.HasPrefix(c.TAP, "TAP version 14\n") || !strings.Contains(c.TAP, "Chrome/") {
			t.Errorf("%.300s", c.TAP)
		}
	}
}

func TestAllInBrowser(t *testing.T) {
	f := loaded(t)
	url, hash := relay(t)
	carriedOut(t, f, Order{Relay: url, Hashes: []string{hash}, Offers: drafts(t)[1:], Suite: "all", Jobs: 4})
}

// The relay in the page itself, as it should be and with a fault.
func TestEmbeddedInBrowser(t *testing.T) {
	f := loaded(t)
	carriedOut(t, f, Order{Relay: "embedded", Offers: drafts(t), Suite: "standard", Jobs: 4})
}
