package reference

import (
	"container/list"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// inflow is one subgroup stream as it comes from a publisher, or from several that publish the same track: its objects
// in ascending order without gaps, and its end. Each subscriber follows it from a place of its own. A fetch follows it
// for a single object. The log's lock guards it.
type inflow struct {
	group  *group
	header wire.SubgroupHeader // with Subgroup ID and Priority, whatever the form
	// first: the stream starts with the first object of its subgroup.
	first   bool
	entries []*entry
	growing int    // entries that are not whole and may become so
	dropped int    // entries that are gone from the front; cursors count from the first of all
	evicted int    // entries at the front that the cache does not have any more, and subscribers still need
	last    uint64 // Object ID of the last entry
	sources int    // streams from publishers that may bring more
	state   flowState
	reign   uint32
	// waiting is how many bytes wait here that the cache has evicted; place is the stream's position among those that
	// have any. The cache's lock guards both.
	waiting int64
	place   *list.Element
	cause   moqt.ResetCode // of a reset
	ended   time.Time
	// wake is closed at the next change, for those who wait for it.
	wake chan struct{}
	// followers are the streams on which it goes on, dormant the subscribers that wanted nothing of it so far.
	followers []*place
	dormant   []*subscriber
	// aside is set where a fault has taken the only object out of its stream.
	aside *aside
	// fetched: it stands for a single object that came by a fetch.
	fetched bool
}

// flowState is how far an inflow has come.
type flowState uint8

const (
	flowing flowState = iota
	finished
	aborted
)

// openInflow begins a stream in a group.
func (l *trackLog) openInflow(h wire.SubgroupHeader, first bool) *inflow {
	g := l.group(h.GroupID)
	in := &inflow{group: g, header: h, first: first, sources: 1, reign: l.reign.number}
	g.inflows, g.flowing = append(g.inflows, in), append(g.flowing, in)
	g.open++
	return in
}

// append adds an object, of which more may come, and wakes those who wait for it.
func (in *inflow) append(e *entry) {
	in.entries = append(in.entries, e)
	in.last, e.in = e.ObjectID, in
	if !e.whole() {
		in.growing++
	}
	for _, f := range in.followers {
		f.grow(e.behind())
	}
	in.dormant = slices.DeleteFunc(in.dormant, func(s *subscriber) bool {
		if !s.wants(e) {
			return false
		}
		s.push(in, in.end()-1)
		return true
	})
	in.changed()
}

// live reports whether it came by a subscription.
func (in *inflow) live() bool { return !in.fetched }

// index is where an entry is among those that are held, -1 if it is not.
func (in *inflow) index(e *entry) int {
	for i := len(in.entries) - 1; i >= 0 && in.entries[i].ObjectID >= e.ObjectID; i-- {
		if in.entries[i] == e {
			return i
		}
	}
	return -1
}

// grew tells the followers that n more bytes of an entry have come.
func (in *inflow) grew(e *entry, n int) {
	i := in.index(e)
	for _, f := range in.followers {
		if f.cursor-in.dropped <= i {
			f.grow(int64(n))
		}
	}
	in.changed()
}

// openFor gives the cursor of the first object that is still coming and that a subscriber wants; -1 for none. An object
// whose start is gone cannot be had.
func (in *inflow) openFor(s *subscriber) int {
	found := -1
	for i, left := len(in.entries)-1, in.growing; i >= in.evicted && left > 0; i-- {
		e := in.entries[i]
		if e.whole() || e.broken {
			continue
		}
		left--
		if !e.headless() && s.wants(e) {
			found = in.dropped + i
		}
	}
	return found
}

// finish ends the stream: with FIN, or with a reset for a cause.
func (in *inflow) finish(state flowState, cause moqt.ResetCode) {
	if in.state != flowing {
		return
	}
	in.state, in.cause, in.dormant, in.ended = state, cause, nil, time.Now()
	for _, f := range in.followers {
		f.to.complete()
	}
	g := in.group
	g.open--
	g.flowing = slices.DeleteFunc(g.flowing, func(x *inflow) bool { return x == in })
	if state == aborted {
		g.whole = false
	}
	g.settle()
	if in.evicted == len(in.entries) { // it brought nothing, or all was evicted while it was open
		g.inflows = slices.DeleteFunc(g.inflows, func(x *inflow) bool { return x == in })
	}
	if g.open == 0 && len(g.objects) == 0 && g.log.groups[g.id] == g {
		g.log.drop(g)
	}
	in.changed()
}

// end is the cursor after the last entry.
func (in *inflow) end() int { return in.dropped + len(in.entries) }

// changed wakes those who wait for a change.
func (in *inflow) changed() {
	if in.wake != nil {
		close(in.wake)
		in.wake = nil
	}
}

// wait gives a channel that the next change closes.
func (in *inflow) wait() <-chan struct{} {
	if in.wake == nil {
		in.wake = make(chan struct{})
	}
	return in.wake
}

// evict notes that the cache no longer has the entries up to an Object ID.
func (in *inflow) evict(last uint64) {
	n, bytes := in.evicted, int64(0)
	for n < len(in.entries) && in.entries[n].ObjectID <= last {
		in.entries[n].home = waiting
		bytes += in.entries[n].charge
		n++
	}
	in.evicted = n
	in.group.log.cache.wait(in, bytes)
	in.release()
}

// release drops what the cache no longer has and every follower has got.
func (in *inflow) release() {
	if in.evicted == 0 {
		return
	}
	n, offset := in.evicted, uint64(0)
	for _, f := range in.followers {
		switch i := f.cursor - in.dropped; {
		case i < n:
			n, offset = i, f.offset
		case i == n:
			offset = min(offset, f.offset)
		}
	}
	var bytes int64
	for _, e := range in.entries[:n] {
		bytes += e.charge
		e.home, e.parts = nowhere, nil
	}
	clear(in.entries[:n])
	in.entries = in.entries[n:]
	in.dropped += n
	in.evicted -= n
	in.group.log.cache.wait(in, -bytes)
	if in.evicted > 0 && offset > 0 {
		e := in.entries[0]
		e.drop(offset)
		in.group.log.recharge(e)
	}
}

// lose drops about that many bytes of what waits for followers, and returns the streams that have lost their place. One
// object that came in one piece is kept if no other stream has any that wait.
func (in *inflow) lose(bytes int64, alone bool) (lost []*place) {
	n, offset := 0, uint64(0)
	for n < in.evicted && bytes > 0 {
		e := in.entries[n]
		if e.charge > bytes && len(e.parts) > 0 {
			for i := 0; i < len(e.parts) && bytes > 0; i++ {
				offset = e.parts[i].start + uint64(len(e.parts[i].b))
				bytes -= int64(cap(e.parts[i].b))
			}
			break
		}
		bytes -= e.charge
		n++
	}
	if alone && n > 0 && n == in.evicted && len(in.entries[n-1].parts) == 0 {
		n--
	}
	for _, f := range in.followers {
		if i := f.cursor - in.dropped; i < n || i == n && f.offset < offset {
			lost = append(lost, f)
		}
	}
	for _, f := range lost {
		f.lose()
	}
	return lost
}
