package reference

import (
	"container/list"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt"
)

// entryOverhead is what an object costs in the cache beside its payload and properties, in bytes; groupOverhead is a
// group's share of it.
const (
	entryOverhead = 256
	groupOverhead = 512
)

// cache bounds the bytes that the logs of all tracks hold together. Groups are evicted oldest first, by the time when
// their first object came; of a group the lowest Object IDs go first. Evicting takes the lock of the log that the group
// belongs to, so nobody may call trim with a log's lock held.
type cache struct {
	mu       sync.Mutex
	limit    int64
	used     int64
	order    *list.List // of *group
	counters *Counters
}

func newCache(limit int64, c *Counters) *cache {
	return &cache{limit: limit, order: list.New(), counters: c}
}

// grow counts n more bytes of a group and sees to its place in the order. The caller holds the log's lock.
func (c *cache) grow(g *group, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.place == nil {
		g.place = c.order.PushBack(g)
		n += groupOverhead
	}
	g.bytes += n
	c.used += n
	c.counters.CacheBytes.Store(c.used)
}

// shrink counts n bytes of a group less, and takes it out of the order when it holds nothing. The caller holds the
// log's lock.
func (c *cache) shrink(g *group, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(g.objects) == 0 && g.place != nil {
		c.order.Remove(g.place)
		g.place = nil
		n = g.bytes
	}
	g.bytes -= n
	c.used -= n
	c.counters.CacheBytes.Store(c.used)
}

// oldest gives the group to evict from and how many bytes too many there are; nil when there is room.
func (c *cache) oldest() (*group, int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used <= c.limit || c.order.Len() == 0 {
		return nil, 0
	}
	return c.order.Front().Value.(*group), c.used - c.limit
}

// trim evicts until there is room. The caller holds no log's lock.
func (c *cache) trim() {
	for {
		g, excess := c.oldest()
		if g == nil {
			return
		}
		g.log.mu.Lock()
		lost := g.evict(excess)
		g.log.mu.Unlock()
		for _, o := range lost {
			o.abort(moqt.ResetTooFarBehind)
		}
	}
}
