package reference

import (
	"container/list"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// inflow is one subgroup stream as it comes from a publisher, or from several that publish the same track: its objects
// in ascending order without gaps, and its end. Each subscriber follows it with a cursor of its own. The log's lock
// guards it.
type inflow struct {
	group  *group
	header wire.SubgroupHeader // with Subgroup ID and Priority, whatever the form
	// first: the stream starts with the first object of its subgroup.
	first   bool
	entries []*entry
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
	// followers are the streams towards subscribers, dormant the subscribers that wanted nothing of it so far.
	followers []*outflow
	dormant   []*subscriber
	// aside is set where a fault has taken the only object out of its stream.
	aside *aside
}

// flowState is how far an inflow has come.
type flowState uint8

const (
	flowing flowState = iota
	finished
	aborted
)

// source is one publisher's subgroup stream. If several publishers send the same subgroup, all of them feed one inflow.
type source struct {
	header wire.SubgroupHeader
	draft  wire.Draft
	in     *inflow
	last   uint64 // Object ID of the last object that it brought
	some   bool   // it brought any
}

// bring puts the next object of a source into the log and into the right inflow. subscribers are the track's. It
// reports whether the object was new; the error is errMalformed.
func (l *trackLog) bring(src *source, e *entry, subscribers []*subscriber) (bool, error) {
	e.opens = src.in == nil
	begins := !src.some && l.startsSubgroup(src.draft, src.header, e.ObjectID)
	fresh, err := l.add(e, true)
	if err != nil {
		return false, err
	}
	src.follow(l.group(e.GroupID), e.ObjectID)
	before, some := src.last, src.some
	src.last, src.some = e.ObjectID, true
	if !fresh {
		return false, nil
	}
	// An object may follow on a stream only if no object of its subgroup lies between (draft-18 §11.4.3).
	if in := src.in; in != nil && (e.ObjectID <= in.last || e.ObjectID != in.last+1 && !(some && before <= in.last)) {
		src.leave(moqt.ResetCancelled)
	}
	if src.in == nil {
		h := src.header
		h.SubgroupID = e.SubgroupID
		src.in = l.openInflow(h, begins)
		src.in.dormant = slices.Clone(subscribers)
	}
	src.in.append(e)
	return true, nil
}

// follow finds the inflow that has the source's object, or in which it comes next.
func (src *source) follow(g *group, id uint64) {
	if src.in != nil {
		return
	}
	for _, in := range g.flowing {
		if in.header.SubgroupID == src.header.SubgroupID && (id <= in.last || id == in.last+1) {
			in.sources++
			src.in = in
			return
		}
	}
}

// leave removes the source from its inflow, and aborts the inflow if it has no other source.
func (src *source) leave(cause moqt.ResetCode) {
	if in := src.in; in != nil {
		src.in = nil
		if in.sources--; in.sources == 0 {
			in.finish(aborted, cause)
		}
	}
}

// fin handles the source's FIN. If other sources brought later objects, the FIN does not end the inflow.
func (src *source) fin() {
	if in := src.in; in != nil && in.last == src.last {
		if src.header.EndOfGroup || in.header.EndOfGroup {
			in.group.end(in.last)
		}
		in.finish(finished, 0)
		src.in = nil
		return
	}
	src.leave(moqt.ResetInternalError)
}

// emptyStream handles the FIN of a source without objects: subscribers get an empty stream too.
func (l *trackLog) emptyStream(src *source, subscribers []*subscriber) {
	in := l.openInflow(src.header, src.header.FirstObject)
	for _, s := range subscribers {
		if s.wantsGroup(in.header.GroupID) {
			s.push(in, 0)
		}
	}
	in.finish(finished, 0)
}

// openInflow begins a stream in a group.
func (l *trackLog) openInflow(h wire.SubgroupHeader, first bool) *inflow {
	g := l.group(h.GroupID)
	in := &inflow{group: g, header: h, first: first, sources: 1, reign: l.reign.number}
	g.inflows, g.flowing = append(g.inflows, in), append(g.flowing, in)
	g.open++
	return in
}

// startsSubgroup tells whether a stream starts with the first object of its subgroup. From 18 on its header says so.
// Before, it does if its Object ID is 0, if the Subgroup ID is taken from its first object, or if the relay has
// followed the group from its start and has not seen the subgroup.
func (l *trackLog) startsSubgroup(d wire.Draft, h wire.SubgroupHeader, id uint64) bool {
	switch {
	case d >= wire.Draft18:
		return h.FirstObject
	case id == 0 || h.IDMode == wire.SubgroupIDFirstObject:
		return true
	}
	g := l.group(h.GroupID)
	return g.whole && !slices.ContainsFunc(g.inflows,
		func(in *inflow) bool { return in.header.SubgroupID == h.SubgroupID })
}

// append adds an object and wakes those who wait for it.
func (in *inflow) append(e *entry) {
	in.entries = append(in.entries, e)
	in.last = e.ObjectID
	for _, o := range in.followers {
		o.grow(e.size())
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

// finish ends the stream: with FIN, or with a reset for a cause.
func (in *inflow) finish(state flowState, cause moqt.ResetCode) {
	if in.state != flowing {
		return
	}
	in.state, in.cause, in.dormant, in.ended = state, cause, nil, time.Now()
	for _, o := range in.followers {
		o.complete()
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
		bytes += in.entries[n].size()
		n++
	}
	in.evicted = n
	in.group.log.cache.wait(in, bytes)
	in.release()
}

// release drops what the cache no longer has and every subscriber has got.
func (in *inflow) release() {
	if in.evicted == 0 {
		return
	}
	n := in.evicted
	for _, o := range in.followers {
		n = min(n, o.cursor-in.dropped)
	}
	var bytes int64
	for _, e := range in.entries[:n] {
		bytes += e.size()
	}
	clear(in.entries[:n])
	in.entries = in.entries[n:]
	in.dropped += n
	in.evicted -= n
	in.group.log.cache.wait(in, -bytes)
}

// lose drops about that many bytes of what waits for subscribers, and returns the streams towards those subscribers,
// which have lost their place. One object is kept if no other stream has any that wait.
func (in *inflow) lose(bytes int64, alone bool) (lost []*outflow) {
	n := 0
	for n < in.evicted && bytes > 0 {
		bytes -= in.entries[n].size()
		n++
	}
	if alone && n == in.evicted {
		n--
	}
	for _, o := range in.followers {
		if o.cursor < in.dropped+n {
			lost = append(lost, o)
		}
	}
	for _, o := range lost {
		o.lose()
	}
	return lost
}
