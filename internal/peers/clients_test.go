package peers

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// aiomoqtClientSkips: cases of aiomoqt's client that it skips up to a draft. The others pass on our relay.
var aiomoqtClientSkips = map[string]wire.Draft{
	"rendezvous-timeout":            16, // the parameter came with draft 17
	"subscribe-namespace-lifecycle": 14, // its client has the case from 16 on, where NAMESPACE exists
}

// TestAiomoqtClientAgainstOurRelay: its default cases, and fetch and join, on the drafts it speaks.
func TestAiomoqtClientAgainstOurRelay(t *testing.T) {
	client := program(t, "moq-interop-client")
	port := ourRelay(t)
	t.Run("drafts", func(t *testing.T) {
		for _, d := range []wire.Draft{22, 20, 18, 16, 14} {
			for transport, scheme := range schemes {
				t.Run(fmt.Sprintf("%s/%s", d, transport), func(t *testing.T) {
					t.Parallel()
					args := []string{"-r", fmt.Sprintf("%s://127.0.0.1:%s/", scheme, port), "--draft",
						fmt.Sprint(uint8(d)), "--tls-disable-verify"}
					count := 0
					for _, more := range [][]string{nil, {"-t", "fetch"}, {"-t", "join"}} {
						doc, _ := runTAP(t, time.Minute, client, append(args, more...)...)
						for _, p := range doc.Points {
							count++
							want := tap.StatusPassed
							if d <= aiomoqtClientSkips[p.Name] {
								want = tap.StatusSkipped
							}
							if got := p.Status(); got != want {
								t.Errorf("%s is %v, want %v", p.Name, got, want)
							}
						}
					}
					if count != 14 {
						t.Errorf("%d points, want its 12 default cases, fetch and join", count)
					}
				})
			}
		}
	})
}

// TestRustClientsAgainstOurRelay: a publisher and a subscriber of the Rust package meet on our relay, pinned to one
// draft each.
func TestRustClientsAgainstOurRelay(t *testing.T) {
	python := program(t, "python")
	const groups, frames = 3, 2
	run := func(t *testing.T, publisher, subscriber string) {
		t.Helper()
		const broadcast, track = "peers/rust", "track"
		pub := start(t, python, filepath.Join("testdata", "rs_publish.py"), publisher, broadcast, track,
			fmt.Sprint(groups), fmt.Sprint(frames))
		waitFor(t, pub, "announced", 10*time.Second)
		sub := start(t, python, filepath.Join("testdata", "rs_subscribe.py"), subscriber, broadcast, track,
			fmt.Sprint(groups*frames))
		for g := range groups {
			for f := range frames {
				waitFor(t, sub, fmt.Sprintf("frame %d %d/%d\n", g, g, f), 15*time.Second)
			}
		}
	}
	for _, d := range wire.Drafts() {
		for transport, scheme := range schemes {
			t.Run(fmt.Sprintf("%s/%s", d, transport), func(t *testing.T) {
				t.Parallel()
				args := []string{"--drafts", fmt.Sprint(uint8(d))}
				// the package asks for an empty namespace prefix, which draft-14 §9.28 and draft-15 §9.23 forbid
				if d <= wire.Draft15 {
					args = append(args, "--compat", "empty-namespace-prefix")
				}
				url := fmt.Sprintf("%s://127.0.0.1:%s/", scheme, ourRelay(t, args...))
				run(t, url, url)
			})
		}
	}
}
