package reference

import (
	"container/list"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt"
)

// What things cost in memory beside payloads and properties, in bytes: an object, a group in the cache, and a stream,
// which is charged to its first object.
const (
	entryOverhead  = 256
	groupOverhead  = 512
	streamOverhead = 384
)

// cache bounds the bytes that the logs of all tracks hold together. It evicts the oldest group first, by the time of
// the group's first object, and in a group the lowest Object IDs first. Fetches no longer find evicted objects. An
// object that a subscriber has not got yet is kept beside the cache until it has, up to a bound of its own. Beyond that
// bound the stream whose objects have waited longest loses them. Evicting takes the lock of the group's log, so nobody
// may call trim with a log's lock held.
type cache struct {
	limit, waitingLimit int64
	counters            *Counters
	account             *moqt.Account // of the relay

	mu      sync.Mutex
	used    int64
	order   *list.List // of *group
	waiting int64      // bytes that left the cache and wait for subscribers
	waits   *list.List // of the *inflow that have them
}

func newCache(limits Limits, c *Counters, a *moqt.Account) *cache {
	return &cache{limit: limits.CacheBytes, waitingLimit: limits.WaitingBytes, counters: c, account: a,
		order: list.New(), waits: list.New()}
}

// count counts n bytes of a kind more, or less.
func (c *cache) count(k moqt.Held, n int64) {
	if n < 0 {
		c.account.Give(k, -n)
		return
	}
	c.account.Force(k, n)
}

// grow counts n more bytes of a group and gives the group its place in the order. The caller holds the log's lock.
func (c *cache) grow(g *group, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.place == nil {
		g.place = c.order.PushBack(g)
		n += groupOverhead
	}
	g.bytes += n
	c.used += n
	c.count(heldCache, n)
	c.counters.CacheBytes.Store(c.used)
}

// shrink counts n bytes of a group less, and removes the group from the order when it holds nothing. The caller holds
// the log's lock.
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
	c.count(heldCache, -n)
	c.counters.CacheBytes.Store(c.used)
}

// wait counts n more bytes of a stream that wait beside the cache; fewer if n is negative. The caller holds the log's
// lock.
func (c *cache) wait(in *inflow, n int64) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	in.waiting += n
	c.waiting += n
	c.count(heldWaiting, n)
	c.counters.WaitingBytes.Store(c.waiting)
	switch {
	case in.waiting > 0 && in.place == nil:
		in.place = c.waits.PushBack(in)
	case in.waiting == 0 && in.place != nil:
		c.waits.Remove(in.place)
		in.place = nil
	}
}

// oldest gives the group to evict from and how many bytes too many there are, if further ones are to be held; nil when
// there is room.
func (c *cache) oldest(further int64) (*group, int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	excess := max(c.used-c.limit, c.account.Excess(further))
	if excess <= 0 || c.order.Len() == 0 {
		return nil, 0
	}
	return c.order.Front().Value.(*group), excess
}

// giveWay evicts so that so many bytes can be held. The caller holds no log's lock.
func (c *cache) giveWay(bytes int64) {
	for {
		g, excess := c.oldest(bytes)
		if g == nil {
			return
		}
		g.log.mu.Lock()
		g.evict(excess)
		g.log.mu.Unlock()
	}
}

// longest gives the stream whose objects wait longest beside the cache, how many bytes too many wait there, and whether
// no other stream has any; nil when there is room.
func (c *cache) longest() (in *inflow, excess int64, alone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting <= c.waitingLimit || c.waits.Len() == 0 {
		return nil, 0, false
	}
	return c.waits.Front().Value.(*inflow), c.waiting - c.waitingLimit, c.waits.Len() == 1
}

// trim evicts until there is room. The caller holds no log's lock.
func (c *cache) trim() {
	c.giveWay(0)
	for {
		in, excess, alone := c.longest()
		if in == nil {
			return
		}
		in.group.log.mu.Lock()
		lost := in.lose(excess, alone)
		in.group.log.mu.Unlock()
		for _, f := range lost {
			f.to.abort(moqt.ResetTooFarBehind)
		}
		if len(lost) == 0 {
			return // one object passes alone, whatever its size
		}
	}
}
