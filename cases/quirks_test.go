package cases_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// mayRefuse are the quirks for which a case may be skipped: the relay says, as it may, that it does not do something.
var mayRefuse = []string{"refuses-fetch", "refuses-status", "refuses-namespaces", "refuses-tracks",
	"refuses-second-namespace", "filter-ranges-none", "tokens-not-stored", "request-ids-few"}

// leftOut are the cases of a SHOULD that a relay with the quirk does not follow, as it may: without a cache it does not
// know what it has forwarded, and so on. The case says TODO then.
var leftOut = map[string][]string{
	"cache-none":                 {"deduplicated", "gone-objects"},
	"objects-unknown-properties": {"object-in-pieces"},
	"subgroups-reopened":         {"stream-stopped"},
}

// No case fails at a relay that does what the drafts allow. MOQ_QUIRKS=all walks all quirks, cases and drafts.
// Otherwise each quirk meets a few cases on one draft, another one for each.
func TestQuirksFailNoCase(t *testing.T) {
	all := os.Getenv("MOQ_QUIRKS") == "all"
	sample := []string{"announce-subscribe", "data-subgroup-basic", "datagram", "fetch", "join", "subscribe-error",
		"publish-track-subscribe", "subscribe-tracks", "goaway-twice"}
	for i, q := range reference.Quirks() {
		for _, c := range cases.Everything() {
			for j, d := range wire.Drafts() {
				if !c.Applies(d) || !all && (j != i%len(wire.Drafts()) || !slices.Contains(sample, c.ID)) {
					continue
				}
				t.Run(q.Name+"/"+c.ID+"/"+d.String(), func(t *testing.T) {
					t.Parallel()
					r := onRelay(t, c, d, 0, reference.Options{Quirks: []string{q.Name}})
					skip := slices.Contains(mayRefuse, q.Name) && !r.TooSlow &&
						(r.Status == cases.Skip || r.Status == cases.NotApplicable)
					should := r.Todo != "" && slices.Contains(leftOut[q.Name], c.ID)
					if r.Status != cases.Pass && !skip && !should {
						t.Errorf("%s %s: %s%s\nnotes %q\n%s", r.Status, r.Layer, r.Message, r.Reason, r.Notes,
							strings.Join(r.Transcript, "\n"))
					}
				})
			}
		}
	}
}

// Each quirk shows: on some draft the relay writes other sizes than without it, or the case has other messages, or the
// same at another time.
func TestQuirksShow(t *testing.T) {
	shows := map[string]string{
		"closes-late": "goaway-twice", "answers-late": "announce-only", "refusals-late": "subscribe-error",
		"refusals-wordy": "subscribe-error", "refusals-retry": "subscribe-error",
		"namespaces-late": "subscribe-namespace-lifecycle", "refuses-fetch": "fetch", "refuses-status": "track-status",
		"refuses-namespaces": "subscribe-namespace-lifecycle", "refuses-tracks": "subscribe-tracks",
		"refuses-second-namespace": "two-publishers", "publish-paused": "publish-track-only",
		"fetches-late": "fetch", "datagrams-late": "datagram", "datagrams-shuffled": "datagram",
	}
	for _, q := range reference.Quirks() {
		if slices.Contains([]string{"upstream-kept", "upstream-left", "cache-none"}, q.Name) {
			continue // they are other Limits, which have tests of their own
		}
		id, ok := shows[q.Name]
		if !ok {
			id = "data-subgroup-basic"
		}
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			c := find(t, id)
			for _, d := range []wire.Draft{wire.Draft14, wire.Draft18, wire.Draft22} {
				if c.Applies(d) && !slices.Equal(seen(t, c, d, nil), seen(t, c, d, []string{q.Name})) {
					return
				}
			}
			t.Errorf("%s is as without it", id)
		})
	}
}

// seen is what comes of a case at a relay with quirks, and the sizes of what the relay writes. Both are sorted, since
// what happens at one time comes in any order.
func seen(t *testing.T, c cases.Case, d wire.Draft, quirks []string) []string {
	w := &writes{}
	r := onWatchedRelay(t, c, d, 0, reference.Options{Quirks: quirks}, func(conn transport.Conn) transport.Conn {
		return &watched{conn, w}
	})
	ids := regexp.MustCompile(`[0-9a-f]{32}`)
	lines := []string{r.Reason}
	for _, l := range r.Transcript {
		lines = append(lines, ids.ReplaceAllString(l, ""))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.sizes {
		lines = append(lines, fmt.Sprint(n))
	}
	slices.Sort(lines)
	return lines
}

// writes are the sizes of what was written to unidirectional streams.
type writes struct {
	mu    sync.Mutex
	sizes []int
}

// watched is a connection whose unidirectional streams are watched.
type watched struct {
	transport.Conn
	writes *writes
}

func (c *watched) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	s, err := c.Conn.OpenUniStream(ctx)
	return &watchedStream{s, c.writes}, err
}

type watchedStream struct {
	transport.SendStream
	writes *writes
}

func (s *watchedStream) Write(p []byte) (int, error) {
	s.writes.mu.Lock()
	s.writes.sizes = append(s.writes.sizes, len(p))
	s.writes.mu.Unlock()
	return s.SendStream.Write(p)
}
