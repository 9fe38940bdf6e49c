package badpath_test

import (
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/badpath"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// A relay may give up a subscriber that falls behind because the path is slow, and no other.
func TestSubscriberIsGivenUp(t *testing.T) {
	relay, err := runner.StartRelay(reference.Options{Faults: []string{"too-far-behind"}},
		endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	proxy, err := badpath.Listen("127.0.0.1:0", relay.Addr().String(),
		badpath.Symmetric(badpath.Direction{Delay: 20 * time.Millisecond, Rate: 1e6}, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	for _, id := range []string{"data-subgroup-basic", "subscribe-one-subgroup-per-group"} {
		t.Run(id, func(t *testing.T) {
			c, _ := cases.Find(id)
			for _, d := range []wire.Draft{wire.Draft14, wire.Draft18, wire.Draft22} {
				r := run(t, []string{relay.Addr().String()}, []cases.Case{c}, d, transport.OnlyQUIC)[0]
				if r.Status != cases.Fail || r.Todo != "" || !strings.Contains(r.Received, "TOO_FAR_BEHIND") {
					t.Errorf("%s: %s %s %s%s for a subscriber that reads promptly", d, r.Status, r.Todo, r.Message,
						r.Reason)
				}
			}
		})
	}
	t.Run("on a slow path", func(t *testing.T) {
		c, _ := cases.Find("object-10-kb")
		r := run(t, []string{proxy.Addr().String()}, []cases.Case{c}, wire.Draft18, transport.OnlyQUIC)[0]
		if r.Status != cases.Skip || !r.TooSlow || !strings.HasPrefix(r.Reason, "the path is too slow: ") ||
			!strings.Contains(r.Reason, "as draft-18 §8, §10.11 allows there: ") ||
			!strings.Contains(r.Reason, "TOO_FAR_BEHIND") {
			t.Errorf("%s %s%s\nnotes %q\n%s", r.Status, r.Message, r.Reason, r.Notes, strings.Join(r.Transcript, "\n"))
		}
	})
}
