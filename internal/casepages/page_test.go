package casepages

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

var update = flag.Bool("update", false, "write the pages anew")

const folder = "../../docs/cases"

// Each case has a page that says what the case says, and there are no others. With MOQ_PAGES=all the diagrams are drawn
// anew too, and must have the same arrows, in whatever order: what happens at one time comes in any. Where two streams
// race, a message may or may not come, so one of three drawings has to be like that of the page.
func TestPages(t *testing.T) {
	draw := *update || os.Getenv("MOQ_PAGES") == "all"
	index := "# The test cases\n\nWritten by `go generate ./internal/casepages`.\n\n"
	pages := []string{"README.md"}
	for _, c := range cases.Everything() {
		pages = append(pages, File(&c))
		index += "- [" + c.ID + "](" + File(&c) + "): " + c.Title + "\n"
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(folder, File(&c))
			b, err := os.ReadFile(path)
			if err != nil && !*update {
				t.Fatalf("%v: go generate ./internal/casepages", err)
			}
			before, after := Text(&c)
			old := string(b)
			diagram, isCurrent := strings.CutPrefix(old, before)
			if isCurrent {
				diagram, isCurrent = strings.CutSuffix(diagram, after)
			}
			if draw {
				next := ""
				for same, n := false, 0; n < 3 && !same; n++ {
					next = Diagram(transcriptOf(t, c), c.Roles)
					same = slices.Equal(arrows(diagram), arrows(next))
					isCurrent = isCurrent && (same || n < 2)
				}
				diagram = next
			}
			switch {
			case isCurrent:
			case *update:
				if err := os.WriteFile(path, []byte(before+diagram+after), 0o666); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("%s is not up to date: go generate ./internal/casepages", path)
			}
		})
	}
	path := filepath.Join(folder, "README.md")
	if *update {
		if err := os.WriteFile(path, []byte(index), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != index {
		t.Errorf("%s is not up to date: go generate ./internal/casepages", path)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if slices.Contains(pages, e.Name()) {
			continue
		}
		if !*update {
			t.Errorf("%s is the page of no case", e.Name())
		} else if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
			t.Error(err)
		}
	}
}

// arrows are the lines of a diagram, sorted, each once.
func arrows(diagram string) []string {
	return slices.Compact(slices.Sorted(strings.Lines(diagram)))
}

// transcriptOf is the transcript of a case at the reference relay, over connections on which everything takes a while:
// then what causes something is before it.
func transcriptOf(t *testing.T, c cases.Case) []string {
	var r cases.Result
	synctest.Test(t, func(t *testing.T) {
		relay, err := reference.New(reference.Options{Limits: reference.Limits{SubscriberBytes: 1 << 30}})
		if err != nil {
			t.Fatal(err)
		}
		var served sync.WaitGroup
		var n int
		var mu sync.Mutex
		cfg := cases.Config{Drafts: []wire.Draft{Newest(&c)}, Dial: func(ctx context.Context, _ string,
			drafts []wire.Draft) (transport.Conn, error) {
			mu.Lock()
			n++
			delay := time.Duration(4+n) * time.Millisecond
			mu.Unlock()
			opts := memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN()},
				Faults: func(memconn.StreamInfo) memconn.Fault { return memconn.Fault{Delay: delay} },
				DatagramFaults: func(memconn.DatagramInfo) memconn.DatagramFault {
					return memconn.DatagramFault{Delay: delay}
				},
			}
			if slices.Equal(c.Transports, []transport.Kind{transport.WebTransport}) {
				opts.Info = transport.Info{Kind: transport.WebTransport, ALPN: "h3", Protocol: drafts[0].ALPN()}
			}
			if slices.Contains(c.Tags, "congestion") {
				opts.StreamBuffer = 16 << 10
			}
			client, server := memconn.Pair(opts)
			served.Go(func() { relay.ServeConn(context.WithoutCancel(ctx), server) })
			return client, nil
		}}
		r = cases.Run(t.Context(), c, cfg)
		relay.Close()
		served.Wait()
	})
	if r.Status != cases.Pass {
		t.Errorf("%s %s %s%s", c.ID, r.Status, r.Message, r.Reason)
	}
	return r.Transcript
}
