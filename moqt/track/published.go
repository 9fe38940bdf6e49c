package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// LayoutMode says which subgroup an object goes into.
type LayoutMode uint8

// The layouts. LayoutGroup, the zero value, puts a whole group into Subgroup 0. The subgroup's header then says that it
// has the group's last object, unless OpenSubgroup has opened other subgroups of the group.
const (
	LayoutGroup LayoutMode = iota
	// LayoutObject gives every object a subgroup of its own, whose ID is the object's.
	LayoutObject
	// LayoutSpread puts object n into subgroup n modulo Layout.Subgroups.
	LayoutSpread
	// LayoutGiven puts an object into the subgroup of its SubgroupID, or sends it as a datagram if its Datagram is set.
	LayoutGiven
	// LayoutDatagram sends every object as a datagram, also those with status End of Group or End of Track.
	LayoutDatagram
)

// Layout says how the objects of a track travel.
type Layout struct {
	Mode LayoutMode
	// Subgroups is the number of subgroups of a group in LayoutSpread; 0 is 1.
	Subgroups uint64
	// IDs says how headers give Subgroup IDs. The zero value leaves out an ID of 0 and writes every other.
	// SubgroupIDPresent writes all. With SubgroupIDFirstObject a subgroup's ID is that of its first object, whatever
	// the mode says, and is written only for a subscriber that joins in the middle of the subgroup.
	IDs wire.SubgroupIDMode
}

// Options shape a Published. With the zero value each group is one subgroup, objects go out as fast as subscribers take
// them, and none are kept.
type Options struct {
	Layout Layout
	// Priority, if set, gives the Publisher Priority of a datagram, and of a subgroup from its first object. Otherwise
	// all have the track's default.
	Priority func(o *moqt.Object) uint8
	// Properties are the track's, in the newest draft's form. In a draft that has parameters instead of some of them,
	// those parameters are sent. The delivery timeouts and DEFAULT_PUBLISHER_PRIORITY take effect here too.
	Properties wire.Properties
	// ObjectProperties lets every object of a subgroup have properties. Otherwise the first object of a stream decides,
	// and if it has none, writing a later object with properties fails.
	ObjectProperties bool
	// Rate is the pace of Write in objects per second; 0 is no pace. See Pacer.
	Rate float64
	// Stall is how long a subscriber may hold up a track; 0 is 2 s. A write waits so long for one that takes nothing,
	// and in all so long for one that takes less than the others and never catches up. Then that subscription ends with
	// TOO_FAR_BEHIND, and the others go on. With -1 a write waits for ever: the slowest subscriber sets the pace.
	Stall time.Duration
	// KeepGroups is how many groups are kept in memory to answer FETCH, fills and joins; 0 keeps none. KeepBytes bounds
	// their payloads and properties in bytes; 0 is 64 MiB. Answers say that the rest is unknown. Objects from WriteFrom
	// are not kept.
	KeepGroups int
	KeepBytes  int
	// OpenGroups keeps a group open until EndGroup. Otherwise a group ends when a later one begins.
	OpenGroups bool
	// GroupEnds writes an End of Group object at the end of every group, unless a subgroup's header or an object of the
	// caller's has said it. In LayoutGroup that leaves the groups that OpenSubgroup has begun.
	GroupEnds bool
	// NotifyState sends PUBLISH_STATE_NOTIFY when a change of a subscription's Forward State takes effect, with the
	// Largest Object at that moment (20 and later). Some peers of those drafts do not know the message.
	NotifyState bool
	// NewGroup, if set, is called for each NEW_GROUP_REQUEST with its value: the largest group that the subscriber
	// knows plus 1, or 0 if it knows none (draft-19 §10.2.18). Properties should then say DYNAMIC_GROUPS.
	NewGroup func(group uint64)
}

// Published publishes one track to any number of subscribers, on sessions of any draft. Serve and Publish add a
// subscriber; it is removed when its subscription ends. An object goes to each subscriber that is there when it is
// written, if its Forward State is 1 and its filters let the object pass. Streams are opened and ended as the draft
// demands (draft-19 §11.4.3).
//
// Every subscriber's streams are written by goroutines of their own. A write waits while a subscriber's stream is full:
// it holds two buffers of at most 128 KiB each, besides what flow control lets through; see Options.Stall. Of streams
// that have ended 1 MiB may wait for a subscriber before a write opens another. All methods are safe for concurrent
// use, but only one goroutine at a time may write objects of the same subgroup.
type Published struct {
	ns       wire.TrackNamespace
	name     string
	opts     Options
	priority uint8 // the track's default

	pace  sync.Mutex
	pacer *Pacer

	recent atomic.Pointer[Subgroup] // the one written last; changed with mu held

	datagrams sync.Mutex
	datagram  moqt.Object // the one that is being sent

	mu         sync.Mutex
	subs       []*subscriber // replaced, never changed
	changed    chan struct{} // closed when subs or a Forward State change
	number     uint64        // of objects written
	largest    wire.Location
	hasLargest bool
	ended      bool
	groups     map[uint64]*publishedGroup // that have begun and not ended
	over       spans.Set                  // IDs of groups that have ended
	kept       history
}

// publishedGroup is a group that has begun and not ended.
type publishedGroup struct {
	open    []*Subgroup
	closed  spans.Set // keys of those that were
	largest uint64    // Object ID
	written bool
	whole   bool // its one subgroup has all its objects, and says so
	told    bool // an object's status has said its end
}

// defaultStall is enough for a path that loses everything for a second, and little enough for those who watch.
const defaultStall = 2 * time.Second

// NewPublished makes a track that has no objects and no subscribers yet.
func NewPublished(ns wire.TrackNamespace, name string, opts Options) *Published {
	t := &Published{ns: ns, name: name, opts: opts, priority: moqt.DefaultPublisherPriority, pacer: NewPacer(opts.Rate),
		changed: make(chan struct{}), groups: make(map[uint64]*publishedGroup)}
	if p, ok := opts.Properties.Lookup(wire.Newest, wire.PropDefaultPublisherPriority); ok {
		t.priority = uint8(p.Uint)
	}
	switch {
	case opts.Stall == 0:
		t.opts.Stall = defaultStall
	case opts.Stall < 0:
		t.opts.Stall = 0 // no bound
	}
	t.kept = history{maxGroups: opts.KeepGroups, maxBytes: opts.KeepBytes, groups: make(map[uint64]*keptGroup)}
	if t.kept.maxBytes == 0 {
		t.kept.maxBytes = 64 << 20
	}
	return t
}

// Namespace is the Track Namespace.
func (t *Published) Namespace() wire.TrackNamespace { return t.ns }

// Name is the Track Name.
func (t *Published) Name() string { return t.name }

// Largest is the Largest Object so far. It reports false before the first object.
func (t *Published) Largest() (wire.Location, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.largest, t.hasLargest
}

// Subscribers is how many subscriptions the track has.
func (t *Published) Subscribers() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.subs)
}

// WaitForward waits until at least n subscriptions have Forward State 1. The error is the context's cause.
func (t *Published) WaitForward(ctx context.Context, n int) error {
	for {
		t.mu.Lock()
		have, changed := 0, t.changed
		for _, s := range t.subs {
			if s.delivery.Load().forward {
				have++
			}
		}
		t.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// wake tells those who wait for subscribers. The caller holds mu.
func (t *Published) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// errTrackEnded says that something was written to a track that End has ended.
var errTrackEnded = errors.New("the track has ended")

// note makes an object part of the track. It gives the subscribers that get it, and its number. o is nil for an object
// that is not kept, g for one of a group that may not have begun.
func (t *Published) note(at wire.Location, o *moqt.Object, g *publishedGroup, subgroup uint64,
	priority uint8) (number uint64, subs []*subscriber, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return 0, nil, errTrackEnded
	}
	t.number++
	if !t.hasLargest || at.Compare(t.largest) > 0 {
		t.largest, t.hasLargest = at, true
	}
	if g == nil {
		g = t.groups[at.Group]
	}
	if g != nil {
		g.largest, g.written = max(g.largest, at.Object), true
		g.told = g.told || o != nil && (o.Status == wire.StatusEndOfGroup || o.Status == wire.StatusEndOfTrack)
	}
	if t.opts.KeepGroups > 0 {
		t.kept.add(at, o, subgroup, priority)
	}
	return t.number, t.subs, nil
}

// Write writes an object. The layout decides where it goes, Options.Priority its priority. Of o it uses GroupID,
// ObjectID, Status, Properties and Payload, in LayoutGiven also SubgroupID and Datagram. It waits for the pace and for
// room. When it returns, Payload and Properties may be used again.
//
// The error is the context's cause, and then some subscribers may have the object. Or it says why the object cannot be
// written: its ID does not ascend within the subgroup, its group has ended, or a subscriber's draft cannot encode it
// (*wire.Error; the other subscribers have got it). The end of a subscription is no error.
func (t *Published) Write(ctx context.Context, o *moqt.Object) error {
	if t.opts.Rate > 0 {
		if err := t.Pace(ctx); err != nil {
			return err
		}
	}
	if t.opts.Layout.Mode == LayoutDatagram || t.opts.Layout.Mode == LayoutGiven && o.Datagram {
		return t.writeDatagram(ctx, o)
	}
	g, err := t.subgroupOf(ctx, o)
	if err != nil {
		return err
	}
	err = g.WriteObject(ctx, o)
	if t.opts.Layout.Mode == LayoutObject {
		g.Close()
	}
	return err
}

// WriteFrom writes an object whose payload is the next size bytes of r. It reads r as fast as subscribers take the
// payload, and does not use o.Payload. When r ends early or fails, the subgroup's streams are reset with
// INTERNAL_ERROR, and the subgroup is closed. When a subscriber stops the stream in the middle of the payload, the
// others get the rest, and the error has the *transport.StreamError. See Write for the rest.
func (t *Published) WriteFrom(ctx context.Context, o *moqt.Object, size uint64, r io.Reader) error {
	if t.opts.Rate > 0 {
		if err := t.Pace(ctx); err != nil {
			return err
		}
	}
	if t.opts.Layout.Mode == LayoutDatagram || t.opts.Layout.Mode == LayoutGiven && o.Datagram {
		return errors.New("a datagram is written whole: use Write")
	}
	g, err := t.subgroupOf(ctx, o)
	if err != nil {
		return err
	}
	err = g.WriteFrom(ctx, o, size, r)
	if t.opts.Layout.Mode == LayoutObject {
		g.Close()
	}
	return err
}

// Pace waits for the next turn of Options.Rate, as Write does. It is for callers that write to a Subgroup.
func (t *Published) Pace(ctx context.Context) error {
	t.pace.Lock()
	defer t.pace.Unlock()
	_, err := t.pacer.Wait(ctx)
	return err
}

// subgroupOf finds the subgroup of an object by the layout, or opens it; earlier groups end.
func (t *Published) subgroupOf(ctx context.Context, o *moqt.Object) (*Subgroup, error) {
	var key uint64
	switch t.opts.Layout.Mode {
	case LayoutObject:
		key = o.ObjectID
	case LayoutSpread:
		key = o.ObjectID % max(1, t.opts.Layout.Subgroups)
	case LayoutGiven:
		key = o.SubgroupID
	}
	if g := t.recent.Load(); g != nil && g.group == o.GroupID && g.key == key {
		return g, nil // as for most objects
	}
	t.mu.Lock()
	g := t.groups[o.GroupID].find(key)
	t.recent.Store(g)
	t.mu.Unlock()
	if g != nil {
		return g, nil
	}
	if err := t.beginGroup(ctx, o.GroupID); err != nil {
		return nil, err
	}
	return t.openSubgroup(o.GroupID, key, t.opts.Layout.Mode == LayoutGroup)
}

// find gives the open subgroup with a key, nil if there is none.
func (g *publishedGroup) find(key uint64) *Subgroup {
	if g != nil {
		for _, s := range g.open {
			if s.key == key {
				return s
			}
		}
	}
	return nil
}

// beginGroup begins a group if it may be written to, and ends earlier ones.
func (t *Published) beginGroup(ctx context.Context, group uint64) error {
	t.mu.Lock()
	if t.groups[group] != nil {
		t.mu.Unlock()
		return nil
	}
	if err := t.mayWrite(group); err != nil {
		t.mu.Unlock()
		return err
	}
	t.groups[group] = &publishedGroup{}
	var over []uint64
	for id := range t.groups {
		if id < group && !t.opts.OpenGroups {
			over = append(over, id)
		}
	}
	t.mu.Unlock()
	slices.Sort(over)
	for _, id := range over {
		if err := t.EndGroup(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// mayWrite says why a group cannot be written to any more. The caller holds mu.
func (t *Published) mayWrite(group uint64) error {
	switch {
	case t.ended:
		return errTrackEnded
	case t.over.Has(group):
		return fmt.Errorf("group %d has ended", group)
	}
	return nil
}

// OpenSubgroup opens a subgroup that the caller writes and closes, in any layout. EndGroup and End close it too. With
// Layout.IDs SubgroupIDFirstObject its ID is that of its first object instead. It fails if a subgroup with these IDs is
// open or was closed, and in a group that Write has put into one subgroup (LayoutGroup).
func (t *Published) OpenSubgroup(group, subgroup uint64) (*Subgroup, error) {
	return t.openSubgroup(group, subgroup, false)
}

// openSubgroup is OpenSubgroup; whole says that the group's other objects are written to it too.
func (t *Published) openSubgroup(group, subgroup uint64, whole bool) (*Subgroup, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.mayWrite(group); err != nil {
		return nil, err
	}
	in := t.groups[group]
	if in == nil {
		in = &publishedGroup{}
		t.groups[group] = in
	}
	if in.find(subgroup) != nil {
		return nil, fmt.Errorf("subgroup %d of group %d is open already", subgroup, group)
	}
	if in.closed.Has(subgroup) {
		return nil, fmt.Errorf("subgroup %d of group %d is closed", subgroup, group)
	}
	if in.whole {
		return nil, fmt.Errorf("group %d has only subgroup 0: its header says that it has the group's last object",
			group)
	}
	in.whole = whole && len(in.open) == 0 && len(in.closed) == 0
	g := &Subgroup{t: t, group: group, key: subgroup, whole: in.whole, in: in}
	in.open = append(in.open, g)
	t.recent.Store(g)
	return g, nil
}

// forget removes a closed subgroup from the table. Its group stays known until EndGroup.
func (t *Published) forget(g *Subgroup) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent.CompareAndSwap(g, nil)
	if in := t.groups[g.group]; in != nil {
		in.open = slices.DeleteFunc(in.open, func(x *Subgroup) bool { return x == g })
		in.closed.Add(g.key)
	}
}

// EndGroup ends a group and closes its subgroups. With Options.GroupEnds it writes an End of Group object after the
// group's largest one. It does nothing to a group that has not begun or has already ended.
func (t *Published) EndGroup(ctx context.Context, group uint64) error {
	t.mu.Lock()
	in := t.groups[group]
	if in == nil {
		t.mu.Unlock()
		return nil
	}
	copied := publishedGroup{open: slices.Clone(in.open), closed: slices.Clone(in.closed), largest: in.largest,
		written: in.written, whole: in.whole, told: in.told}
	t.mu.Unlock()
	var err error
	if t.opts.GroupEnds && !copied.whole && !copied.told {
		err = t.writeGroupEnd(ctx, group, &copied)
	}
	t.mu.Lock()
	open := slices.Clone(in.open)
	t.mu.Unlock()
	for _, g := range open {
		g.Close()
	}
	t.mu.Lock()
	delete(t.groups, group)
	t.over.Add(group)
	var past []*subscriber
	for _, s := range t.subs {
		if t.beyond(s) {
			past = append(past, s)
		}
	}
	t.mu.Unlock()
	for _, s := range past {
		s.finishLater(moqt.DoneSubscriptionEnded, "the end of its filter has been passed")
	}
	return err
}

// beyond reports whether a subscription has got everything that its filter can let pass: it ends then, up to 19
// (draft-19 §10.11). The caller holds mu.
func (t *Published) beyond(s *subscriber) bool {
	d := s.delivery.Load()
	if s.draft >= wire.Draft20 || d.open {
		return false
	}
	later := t.largest.Group > d.end.Group
	for id := range t.groups {
		if id <= d.end.Group {
			return false
		}
		later = true
	}
	return later
}

// End ends the track: it ends every group, and then every subscription with PUBLISH_DONE TRACK_ENDED after its last
// stream. Later writes fail; FETCH is still answered. When the context ends before everything has gone out, the
// remaining streams are reset.
func (t *Published) End(ctx context.Context) error {
	t.mu.Lock()
	var ids []uint64
	for id := range t.groups {
		ids = append(ids, id)
	}
	t.mu.Unlock()
	slices.Sort(ids)
	var errs []error
	for _, id := range ids {
		errs = append(errs, t.EndGroup(ctx, id))
	}
	t.mu.Lock()
	t.ended = true
	subs := t.subs
	t.mu.Unlock()
	var wait sync.WaitGroup
	for _, s := range subs {
		wait.Go(func() { s.finish(ctx, moqt.DoneTrackEnded, "") })
	}
	wait.Wait()
	return errors.Join(errs...)
}
