package badpath_test

import (
	"os"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// TestFaultsOverUDP: each case fails under each of its faults over real sockets as it does in memory, where no packet
// is lost and nothing is late. MOQ_UDP_FAULTS has the drafts. The relay is not the built-in one to the case, since
// others' relays are not.
func TestFaultsOverUDP(t *testing.T) {
	drafts := strings.Fields(os.Getenv("MOQ_UDP_FAULTS"))
	if len(drafts) == 0 {
		t.Skip("it takes some minutes for each draft: MOQ_UDP_FAULTS=\"18 22\"")
	}
	for _, name := range drafts {
		d, err := wire.ParseDraft(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases.All() {
			for i, f := range c.Faults {
				if !f.Applies(d) || !c.Applies(d) {
					continue
				}
				over := transport.OnlyQUIC
				if i%2 == 1 {
					over = transport.OnlyWebTransport
				}
				t.Run(name+"/"+c.ID+"/"+f.Name, func(t *testing.T) {
					t.Parallel()
					relay, err := runner.StartRelay(reference.Options{Faults: []string{f.Name}},
						endpoint.ListenOptions{Addr: "127.0.0.1:0"})
					if err != nil {
						t.Fatal(err)
					}
					defer relay.Close()
					r := cases.Run(t.Context(), c, config(t, relay.Addr().String(), d, over))
					want := cases.Fail
					if f.Refused {
						want = cases.Skip
					}
					// The words tell times, so those are compared in memory alone.
					if r.Status != want || (r.Todo != "") != f.Should || r.TooSlow {
						t.Errorf("%s %s: %s%s\nwant %s: %q\nnotes %q", r.Status, r.Layer, r.Message, r.Reason, want,
							f.Says, r.Notes)
					}
				})
			}
		}
	}
}
