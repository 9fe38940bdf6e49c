package moqt

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// halfway is a reader of a stream. It tells whether it waits inside a message, header or object, and how many bytes
// have come.
type halfway interface {
	Halfway() (waits bool, received uint64)
}

// watched is a stream of the peer that is read.
type watched struct {
	reader halfway
	// stalled ends it.
	stalled func(why error)
	// The rest is how it was when it last moved.
	waits    bool
	received uint64
	since    time.Time
}

// watches are the streams of the peer that are read. What has begun on one must go on within Limits.Stall.
type watches struct {
	mu  sync.Mutex
	all map[*watched]struct{}
}

// stallShare is how often in Limits.Stall the streams are looked at.
const stallShare = 4

func (ws *watches) init() { ws.all = make(map[*watched]struct{}) }

// watch watches a stream until forget is called.
func (ws *watches) watch(r halfway, stalled func(why error)) (forget func()) {
	w := &watched{reader: r, stalled: stalled}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.all[w] = struct{}{}
	return func() {
		ws.mu.Lock()
		defer ws.mu.Unlock()
		delete(ws.all, w)
	}
}

// run ends the streams that do not go on for so long, until the context ends; below 0 none does.
func (ws *watches) run(ctx context.Context, stall time.Duration) {
	if stall < 0 {
		return
	}
	ticker := time.NewTicker(max(stall/stallShare, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for _, w := range ws.stalled(now, stall) {
				w.stalled(fmt.Errorf("what had begun did not go on for %s", stall))
			}
		}
	}
}

// stalled gives those that have waited inside something for so long, and watches them no more.
func (ws *watches) stalled(now time.Time, stall time.Duration) (found []*watched) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		waits, received := w.reader.Halfway()
		if !waits || !w.waits || received != w.received {
			w.waits, w.received, w.since = waits, received, now
			continue
		}
		if now.Sub(w.since) >= stall {
			delete(ws.all, w)
			found = append(found, w)
		}
	}
	return found
}
