package reference

import (
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// source is one publisher's subgroup stream. If several publishers send the same subgroup, all of them feed one inflow,
// and the same objects: whoever is ahead brings what comes next, and the others must say the same.
type source struct {
	header wire.SubgroupHeader
	draft  wire.Draft
	in     *inflow
	last   uint64 // Object ID of the last object that it brought
	some   bool   // it brought any
	// entry is the object that it brings now, nil if that is not kept; pos is how much of the payload it has brought.
	entry *entry
	pos   uint64
}

// bring puts the next object of a source, as far as it has come, into the log and into the right inflow. subscribers
// are the track's. It reports whether the object was new; the error is errMalformed or errBehindEnd.
func (l *trackLog) bring(src *source, e *entry, subscribers []*subscriber) (bool, error) {
	e.opens = src.in == nil
	begins := !src.some && l.startsSubgroup(src.draft, src.header, e.ObjectID)
	fresh, err := l.add(e, true)
	if err != nil {
		return false, err
	}
	g := l.group(e.GroupID)
	src.follow(g, e.ObjectID)
	before, some := src.last, src.some
	src.last, src.some = e.ObjectID, true
	if !fresh {
		return false, l.repeat(src, g, e)
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
	if !e.whole() {
		e.feeders++
		src.entry, src.pos = e, e.have
	}
	src.in.append(e)
	return true, nil
}

// repeat has a source bring an object that the log has already.
func (l *trackLog) repeat(src *source, g *group, e *entry) error {
	old := g.find(e.ObjectID)
	if old == nil || e.whole() && old.whole() {
		return nil // add has compared them
	}
	src.entry, src.pos = old, 0
	old.feeders++
	if len(e.parts) == 0 && e.have > 0 {
		return l.more(src, e.Payload)
	}
	for _, p := range e.parts {
		if err := l.more(src, p.b); err != nil {
			return err
		}
	}
	return nil
}

// more takes the next piece of the payload that a source brings. The log keeps p. The error is errMalformed.
func (l *trackLog) more(src *source, p []byte) error {
	e, pos := src.entry, src.pos
	if e == nil || e.broken {
		return nil
	}
	if pos < e.have && !e.has(pos, p[:min(uint64(len(p)), e.have-pos)]) {
		return errMalformed
	}
	if pos+uint64(len(p)) > e.have {
		if err := l.grow(e, p[e.have-pos:]); err != nil {
			return err
		}
	}
	src.pos += uint64(len(p))
	if src.pos == e.length {
		e.feeders--
		src.entry = nil
	}
	return nil
}

// again makes a new entry of the object that a source brings: of what it has brought before, which the log has, and of
// the next piece. It gives nil if the log has that no more.
func (src *source) again(p []byte) *entry {
	old := src.entry
	e := newEntry(old.Object, old.length, old.began)
	e.Payload, e.FirstObject = nil, src.header.FirstObject && old.FirstObject
	for e.have < src.pos {
		piece := old.from(e.have)
		if len(piece) == 0 {
			return nil
		}
		n := min(uint64(len(piece)), src.pos-e.have)
		e.append(piece[:n:n])
	}
	e.append(p)
	return e
}

// grow adds a piece to what has come of an object. The error is errMalformed.
func (l *trackLog) grow(e *entry, p []byte) error {
	if old := e.older; old != nil && !old.has(e.have, p) {
		if old.reign == e.reign {
			return errMalformed
		}
		e.older = nil
		l.recharge(e)
		l.takeOver()
	}
	if e.home == nowhere {
		e.have += uint64(len(p)) // nobody needs it
	} else {
		e.append(p)
	}
	if e.whole() {
		l.seq++
		e.end, e.at, e.older = l.seq, time.Now(), nil
		e.in.growing--
	}
	l.recharge(e)
	e.in.grew(e, len(p))
	return nil
}

// drop ends what a source was bringing. If no other source brings it, it will not become whole.
func (src *source) drop(cause moqt.ResetCode) {
	e := src.entry
	if src.entry = nil; e == nil {
		return
	}
	if e.feeders--; e.feeders > 0 || e.whole() || e.broken {
		return
	}
	g := e.in.group
	e.broken, e.cause = true, cause
	e.in.growing--
	if e.home == cached {
		g.lose(e)
	}
	g.log.recharge(e)
	e.parts, e.Payload, e.older = nil, nil, nil
	e.in.changed()
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
	src.drop(cause)
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
