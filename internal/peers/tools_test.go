package peers

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/tools"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The everyday commands pub, sub and fetch meet on the relays of others: every object comes, and none comes twice.

func TestToolsThroughRustRelay(t *testing.T) {
	useTools(t, startRustRelay(t), rustRelay.drafts)
}

func TestToolsThroughAiomoqtRelay(t *testing.T) {
	useTools(t, startAiomoqtRelay(t), aiomoqtRelay.drafts)
}

func useTools(t *testing.T, port string, drafts []wire.Draft) {
	for _, d := range drafts {
		t.Run(d.String(), func(t *testing.T) {
			for transport, scheme := range schemes {
				t.Run(transport, func(t *testing.T) {
					t.Parallel()
					pubAndSub(t, fmt.Sprintf("%s://127.0.0.1:%s/", scheme, port), d)
				})
			}
		})
	}
}

// said collects what the tools say.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

func pubAndSub(t *testing.T, url string, d wire.Draft) {
	const objects = 300
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var told said
	c := tools.Connection{URL: url, Say: told.say, Options: moq.Options{Drafts: []moq.Draft{d},
		TLS: &tls.Config{InsecureSkipVerify: true}}}
	c.Options.Session.Decode.Tolerate = wire.EmptyNamespacePrefix // as the commands do
	if strings.HasPrefix(url, "https") {
		c.Options.Transport = moq.WebTransport
	} else {
		c.Options.Transport = moq.OnlyQUIC
	}
	track := tools.Name{Namespace: moq.Namespace{"peers", t.Name()}, Track: "numbers"}
	p := tools.Publish{Connection: c, Track: track, From: tools.Generated(objects, 100),
		Options: moq.TrackOptions{Rate: 500}, Groups: tools.Groups{Objects: 10}}
	published := make(chan error, 1)
	go func() { published <- p.Run(ctx) }()
	var out bytes.Buffer
	r := tools.Read{Connection: c, Tracks: []tools.Name{track}, Wait: 20 * time.Second,
		To: &tools.Sink{Out: &out, Format: tools.FormatJSON}}
	if err := r.Subscribe(ctx); err != nil {
		t.Errorf("sub: %v", err)
		cancel()
	}
	if err := <-published; err != nil {
		t.Errorf("pub: %v", err)
	}
	for n := range objects {
		if got := strings.Count(out.String(), fmt.Sprintf(`"payload":"%d `, n)); got != 1 {
			t.Errorf("object %d came %d times", n, got)
			break
		}
	}
	if t.Failed() {
		t.Logf("%s", &told)
	}
}
