//go:build !js

package reference

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestHour: for a long time sessions of all drafts and both transports come, subscribe or fetch, and go, in good order
// or not, while a publisher of each draft stays, and a subscriber to each. Who subscribes gets every object from then
// on, nobody is refused, and in the end there are as many goroutines as at the start, about as much memory is in use,
// and the account is empty. CHURN_TIME says for how long; without it the test skips.
func TestHour(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("CHURN_TIME"))
	if err != nil {
		t.Skip("it takes as long as one likes: CHURN_TIME=1h runs it")
	}
	w := newWorld(t, Options{Limits: Limits{Forget: time.Second},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.ctx = ctx
	l, err := endpoint.Listen(w.relay.ListenOptions(endpoint.ListenOptions{Addr: "127.0.0.1:0"}))
	if err != nil {
		t.Fatal(err)
	}
	go w.relay.ServeListener(ctx, l)
	h := &hour{world: w, address: l.Addr().String()}
	h.dial(wire.Draft18).Close(wire.NoError, "")
	time.Sleep(time.Second)
	goroutines, heap := inUse()
	h.stay(length)
	time.Sleep(4 * time.Second)
	w.nothingHeld()
	nowGoroutines, nowHeap := inUse()
	t.Logf("%d visits, %d objects; %d goroutines and %d KiB at the start, %d and %d at the end", h.visits.Load(),
		h.objects.Load(), goroutines, heap>>10, nowGoroutines, nowHeap>>10)
	if nowGoroutines > goroutines {
		t.Errorf("%d goroutines more than at the start", nowGoroutines-goroutines)
	}
	if nowHeap > heap+4<<20 {
		t.Errorf("%d KiB more than at the start", (nowHeap-heap)>>10)
	}
	l.Close()
}

// inUse is how many goroutines there are, and how many bytes of the heap are in use.
func inUse() (goroutines int, heap uint64) {
	for range 3 { // pools are emptied in two rounds
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

// hour is who comes and goes.
type hour struct {
	*world
	address         string
	visits, objects atomic.Int64
	dropped         sync.Map // of each session
}

func (h *hour) dial(d wire.Draft) *moqt.Session {
	u, err := transport.ParseURL("moqt://" + h.address)
	if err != nil {
		h.Fatal(err)
	}
	choice := transport.OnlyQUIC
	if rand.IntN(2) == 0 {
		choice = transport.OnlyWebTransport
	}
	conn, err := endpoint.Dial(h.ctx, endpoint.DialOptions{URL: u, Transport: choice, Drafts: []wire.Draft{d},
		TLS: &tls.Config{InsecureSkipVerify: true}})
	if err != nil {
		h.Fatal(err)
	}
	drops := new(drops)
	cfg := moqt.Config{Drafts: []wire.Draft{d}, Trace: drops.trace}
	if choice == transport.OnlyQUIC {
		cfg.Path, cfg.Authority = u.Path, u.Authority
	}
	s, err := moqt.Client(h.ctx, conn, cfg)
	if err != nil {
		h.Fatal(err)
	}
	h.dropped.Store(s, drops)
	return s
}

// drops are the data streams that a session gave up, or that the peer reset, with the reasons; the latest twenty.
type drops struct {
	mu   sync.Mutex
	last []string
}

func (d *drops) trace(e moqt.Event) {
	if e.Type != moqt.EventDropped && e.Type != moqt.EventReset && e.Type != moqt.EventStop {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = append(d.last[max(0, len(d.last)-19):],
		fmt.Sprintf("%s stream %d sent %v code %#x: %v", e.Type, e.StreamID, e.Sent, e.Code, e.Err))
}

// lacking is which groups of a subscription did not come, and what is known of it. CHURN_STACKS names a file for the
// stacks of all goroutines at that time.
func (h *hour) lacking(s *moqt.Session, sub *moqt.Subscription, seen map[uint64]bool, first, last uint64) string {
	var groups []uint64
	for g := first; g < last && len(groups) < 50; g++ {
		if !seen[g] {
			groups = append(groups, g)
		}
	}
	largest, _ := sub.OK().Parameters.Largest()
	text := fmt.Sprintf("groups %d lack, Largest Object was %v, %d streams, %d resets, %s", groups, largest,
		sub.StreamsSeen(), sub.Resets(), s.Conn().Info().Kind)
	c := h.relay.Counters()
	text += fmt.Sprintf("; too far behind %d, evicted %d", c.TooFarBehind.Load(), c.Evicted.Load())
	for _, held := range heldNames {
		text += fmt.Sprintf(", %s %d", held.name, h.relay.account.Of(held.kind))
	}
	if path := os.Getenv("CHURN_STACKS"); path != "" {
		stacks := make([]byte, 4<<20)
		_ = os.WriteFile(path, stacks[:runtime.Stack(stacks, true)], 0o644)
	}
	if d, ok := h.dropped.Load(s); ok {
		d := d.(*drops)
		d.mu.Lock()
		defer d.mu.Unlock()
		text += fmt.Sprintf("; %q", d.last)
	}
	return text
}

// stay has a publisher of each draft and a row of visitors for each.
func (h *hour) stay(length time.Duration) {
	ctx, cancel := context.WithCancel(h.ctx)
	world := *h.world
	world.ctx = ctx
	var publishers []*steady
	for _, d := range wire.Drafts() {
		p := &steady{world: &world, s: h.dial(d)}
		if _, err := p.s.PublishNamespace(ctx, namespaceOf(d), nil); err != nil {
			h.Fatal(err)
		}
		p.tasks.Go(p.serve)
		publishers = append(publishers, p)
	}
	over := time.Now().Add(length)
	var all, staying sync.WaitGroup
	for i, d := range wire.Drafts() {
		s := h.dial(wire.Drafts()[len(wire.Drafts())-1-i])
		staying.Go(func() {
			defer h.dropped.Delete(s)
			defer s.Close(wire.NoError, "")
			h.follow(ctx, s, d)
		})
	}
	for _, d := range wire.Drafts() {
		all.Go(func() {
			for time.Now().Before(over) && !h.Failed() {
				h.visit(d)
			}
		})
	}
	all.Wait()
	cancel()
	staying.Wait()
	for _, p := range publishers {
		p.s.Close(wire.NoError, "")
		p.tasks.Wait()
	}
}

func namespaceOf(d wire.Draft) wire.TrackNamespace { return wire.TrackNamespace{"hour", d.String()} }

// visit is one session.
func (h *hour) visit(d wire.Draft) {
	s := h.dial(d)
	defer h.dropped.Delete(s)
	h.visits.Add(1)
	for _, i := range rand.Perm(len(wire.Drafts()))[:1+rand.IntN(3)] {
		from := wire.Drafts()[i]
		h.watch(s, from)
		if rand.IntN(3) == 0 {
			h.fetch(s, from)
		}
	}
	if rand.IntN(4) == 0 {
		s.Conn().CloseWithError(77, "gone") // in the middle of whatever there is
	}
	s.Close(wire.NoError, "")
}

// follow subscribes and takes everything until ctx ends. Of any hundred groups in a row none may lack when the next
// hundred have come.
func (h *hour) follow(ctx context.Context, s *moqt.Session, from wire.Draft) {
	sub, err := s.Subscribe(ctx, &wire.Subscribe{TrackNamespace: namespaceOf(from), TrackName: "t"})
	if err != nil {
		h.Errorf("SUBSCRIBE from %s to %s: %v", s.Draft(), from, err)
		return
	}
	largest, has := sub.OK().Parameters.Largest()
	next := largest.Group // the first that lacks
	if has {
		next++
	}
	early := make(map[uint64]bool)
	for {
		wait, stop := context.WithTimeout(ctx, 20*time.Second)
		o, err := sub.Next(wait)
		stop()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			h.Errorf("who stays, from %s to %s: %v", s.Draft(), from, err)
			return
		}
		h.objects.Add(1)
		if next == 0 {
			next = o.GroupID
		}
		if o.GroupID < next {
			continue // late, from before the first
		}
		early[o.GroupID] = true
		for early[next] {
			delete(early, next)
			next++
		}
		if len(early) > 100 {
			h.Errorf("who stays, from %s to %s: group %d lacks, and 100 later ones have come", s.Draft(), from, next)
			return
		}
	}
}

// watch subscribes, takes some objects and leaves. Of the groups from the first to the last that came none may lack.
func (h *hour) watch(s *moqt.Session, from wire.Draft) {
	ctx, cancel := context.WithTimeout(h.ctx, 20*time.Second)
	defer cancel()
	sub, err := s.Subscribe(ctx, &wire.Subscribe{TrackNamespace: namespaceOf(from), TrackName: "t"})
	if err != nil {
		h.Errorf("SUBSCRIBE from %s to %s: %v", s.Draft(), from, err)
		return
	}
	largest, _ := sub.OK().Parameters.Largest()
	seen := make(map[uint64]bool)
	first, last := uint64(1<<63), uint64(0)
	for want := 1 + rand.IntN(20); len(seen) < want || last-first+1 > uint64(len(seen)); {
		o, err := sub.Next(ctx)
		if err != nil {
			h.Errorf("from %s to %s: %v with %d of the groups %d to %d: %s", s.Draft(), from, err, len(seen), first,
				last, h.lacking(s, sub, seen, first, last))
			return
		}
		if n, err := strconv.ParseUint(string(o.Payload), 10, 64); err != nil || n != o.GroupID || seen[n] {
			h.Errorf("from %s to %s: group %d brings %q, seen before: %v", s.Draft(), from, o.GroupID, o.Payload,
				seen[n])
		}
		if o.GroupID <= largest.Group {
			continue // late: of what is so old, what came before SUBSCRIBE does not come
		}
		seen[o.GroupID] = true
		first, last = min(first, o.GroupID), max(last, o.GroupID)
		h.objects.Add(1)
	}
	if rand.IntN(4) > 0 {
		sub.Unsubscribe()
	}
}

// fetch fetches what there is of a track; its publisher answers no FETCH, and may have been asked for what is gone.
func (h *hour) fetch(s *moqt.Session, from wire.Draft) {
	ctx, cancel := context.WithTimeout(h.ctx, time.Second)
	defer cancel()
	f, err := s.StartFetch(ctx, moqt.FetchRequest{TrackNamespace: namespaceOf(from), TrackName: "t"})
	if err != nil {
		h.Error(fmt.Errorf("FETCH from %s to %s: %w", s.Draft(), from, err))
		return
	}
	defer f.Cancel()
	for range 20 {
		if _, err := f.Next(ctx); err != nil {
			return
		}
	}
}
