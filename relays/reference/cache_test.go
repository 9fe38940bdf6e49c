package reference

import (
	"fmt"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestSmallCache: the cache is for fetches. A subscriber that reads loses nothing when it is small, and an object
// larger than all of it passes.
func TestSmallCache(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		const size = 4000
		o, pub, sub := published(t, wire.Draft18, d, Options{Limits: Limits{CacheBytes: size, WaitingBytes: 50 * size}},
			nil)
		for group := range uint64(20) {
			sw := o.open(pub, group)
			for id := range uint64(10) {
				if err := sw.WriteObject(&moqt.Object{ObjectID: id, Payload: large(size)}); err != nil {
					t.Fatal(err)
				}
			}
			sw.Close()
			if got := o.receive(sub, 10); len(got) != 10 || got[9].Group != group || got[9].Object != 9 {
				t.Fatalf("group %d: %d objects", group, len(got))
			}
		}
		sw := o.open(pub, 20)
		sent := make(chan error)
		go func() { sent <- sw.WriteObject(&moqt.Object{Payload: large(1_000_000)}) }()
		if got := o.receive(sub, 1); len(got[0].Payload) != 1_000_000 {
			t.Errorf("the large object came with %d bytes", len(got[0].Payload))
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		sw.Close()
		c := o.relay.Counters()
		o.eventually("nothing waits any more", func() bool { return c.WaitingBytes.Load() == 0 })
		if n := c.CacheBytes.Load(); n > size {
			t.Errorf("%d bytes are in the cache, at most %d may be", n, size)
		}
		if n := c.TooFarBehind.Load(); n != 0 {
			t.Errorf("%d streams were given up", n)
		}
	})
}

// TestEmptyStreams: subgroup streams without objects leave nothing behind, and a stream of one object is counted with
// what it costs.
func TestEmptyStreams(t *testing.T) {
	l := newTestLog(1 << 30)
	src := func(subgroup uint64) *source {
		return &source{draft: wire.Draft18, header: wire.SubgroupHeader{SubgroupID: subgroup}}
	}
	keeps := src(0)
	if _, err := l.bring(keeps, object(0, 0, "x"), nil); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(1000) {
		l.emptyStream(src(i+1), nil)
	}
	if n := len(l.groups[0].inflows); n != 1 {
		t.Errorf("%d streams are held in the group, want that with an object", n)
	}
	before := l.cache.used
	for i := range uint64(100) {
		s := src(i + 2000)
		if _, err := l.bring(s, object(0, i+1, "x"), nil); err != nil {
			t.Fatal(err)
		}
		s.fin()
	}
	if got, want := l.cache.used-before, int64(100*(1+entryOverhead+streamOverhead)); got != want {
		t.Errorf("100 streams of one object count as %d bytes, want %d", got, want)
	}
	l.reset()
	if l.cache.used != 0 || l.cache.waiting != 0 {
		t.Errorf("%d bytes are left, and %d wait", l.cache.used, l.cache.waiting)
	}
}

// TestWaiting: what waits for subscribers beside the cache is bounded, and the stream that waits longest gives way.
func TestWaiting(t *testing.T) {
	w := newWorld(t, Options{Limits: Limits{CacheBytes: 1, WaitingBytes: 110_000}})
	l := &trackLog{}
	l.init(w.relay.cache)
	track := &track{relay: w.relay, trackLog: trackLog{cache: w.relay.cache}}
	var flows []*outflow
	for group := range uint64(3) {
		src := &source{draft: wire.Draft18, header: wire.SubgroupHeader{GroupID: group}}
		for id := range uint64(40) {
			l.mu.Lock()
			e := object(group, id, string(large(1000)))
			if _, err := l.bring(src, e, nil); err != nil {
				t.Fatal(err)
			}
			if id == 0 { // a stream towards a subscriber that reads nothing
				o := &outflow{sub: &subscriber{track: track, peer: &peer{}}}
				o.to = o
				o.follow(src.in, 0)
				flows = append(flows, o)
			}
			l.mu.Unlock()
			w.relay.cache.trim()
			if n := w.relay.cache.waiting; n > 110_000 {
				t.Fatalf("%d bytes wait", n)
			}
		}
	}
	lost := ""
	for _, o := range flows {
		lost += fmt.Sprint(o.lost, " ")
	}
	if lost != "true false false " {
		t.Errorf("lost: %s, want the first alone", lost)
	}
}
