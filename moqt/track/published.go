package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// LayoutMode says which subgroup an object belongs to.
type LayoutMode uint8

// The layouts. The zero value puts a whole group into Subgroup 0, whose header then says that it has the group's last
// object, unless OpenSubgroup has opened others in that group.
const (
	LayoutGroup LayoutMode = iota
	// LayoutObject gives every object a subgroup of its own, whose ID is the object's.
	LayoutObject
	// LayoutSpread puts object n into subgroup n modulo Layout.Subgroups.
	LayoutSpread
	// LayoutGiven takes Object.SubgroupID, and Object.Datagram for a datagram.
	LayoutGiven
	// LayoutDatagram sends every object as a datagram. One with status End of Group or End of Track is one too.
	LayoutDatagram
)

// Layout says how the objects of a track travel.
type Layout struct {
	Mode LayoutMode
	// Subgroups is the number of subgroups of a group in LayoutSpread; 0 is 1.
	Subgroups uint64
	// IDs says how Subgroup IDs stand in headers: the zero value leaves out an ID of 0 and writes every other;
	// SubgroupIDPresent writes all; with SubgroupIDFirstObject a subgroup has the ID of its first object, whatever the
	// mode says, and only a subscriber that joins in its middle is told it.
	IDs wire.SubgroupIDMode
}

// Options shape a Published. The zero value is a subgroup per group, as fast as subscribers take it, and
// nothing kept.
type Options struct {
	Layout Layout
	// Priority, if set, gives the Publisher Priority of a subgroup from its first object, and that of a datagram;
	// otherwise every one has the track's default.
	Priority func(o *moqt.Object) uint8
	// Properties are the track's, in the newest draft's form; where a draft has parameters for some, those are sent.
	// Those that bear on publishing are heeded here: the delivery timeouts and DEFAULT_PUBLISHER_PRIORITY.
	Properties wire.Properties
	// ObjectProperties opens every subgroup stream for objects with properties; otherwise the stream's first object
	// decides, and a later one with properties fails.
	ObjectProperties bool
	// Rate, in objects per second, paces Write; 0 does not. See Pacer.
	Rate float64
	// Stall is how long a write waits for one subscriber that takes nothing. Then that subscription ends with
	// TOO_FAR_BEHIND, and the others go on. 0 waits for ever: the track goes at the pace of its slowest subscriber.
	Stall time.Duration
	// KeepGroups is how many groups are kept in memory to answer FETCH, fills and joins with, KeepBytes how many bytes
	// of payload and properties at most (0: 64 MiB). What is not kept any more is answered as unknown. Objects written
	// from a reader are not kept. 0 keeps nothing.
	KeepGroups int
	KeepBytes  int
	// OpenGroups leaves the end of groups to EndGroup. Otherwise a group ends when a later one begins.
	OpenGroups bool
	// GroupEnds writes an End of Group object at the end of a group where neither a header nor an object of the
	// caller's says it: in LayoutGroup only for groups that OpenSubgroup has begun.
	GroupEnds bool
	// NotifyState tells the subscriber with PUBLISH_STATE_NOTIFY that a change of its Forward State is in effect, and
	// from which Largest Object (20 and later). Some peers of those drafts do not know the message.
	NotifyState bool
	// NewGroup, if set, is told of NEW_GROUP_REQUEST: the largest group that the subscriber knows plus 1, 0 for none
	// (draft-19 §10.2.18). Properties should say DYNAMIC_GROUPS then.
	NewGroup func(group uint64)
}

// Published publishes one track to any number of subscribers, on sessions of any draft. An object goes to each
// subscription that is there when it is written, whose Forward State is 1 and whose filters let it pass; streams are
// opened and ended as the draft demands (draft-19 §11.4.3). Subscribers come with Serve and Publish, and go by
// themselves.
//
// Writes wait while a subscriber's streams are full: two buffers of at most 128 KiB each, and what its flow control
// lets through. All methods are safe for concurrent use, but the objects of one subgroup are written by one goroutine
// at a time.
type Published struct {
	ns       wire.TrackNamespace
	name     string
	opts     Options
	priority uint8 // the track's default

	pace  sync.Mutex
	pacer *Pacer

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
	recent     *Subgroup                  // the one written last
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

// NewPublishedTrack makes a track that has no objects and no subscribers.
func NewPublished(ns wire.TrackNamespace, name string, opts Options) *Published {
	t := &Published{ns: ns, name: name, opts: opts, priority: moqt.DefaultPublisherPriority, pacer: NewPacer(opts.Rate),
		changed: make(chan struct{}), groups: make(map[uint64]*publishedGroup)}
	if p, ok := opts.Properties.Lookup(wire.Newest, wire.PropDefaultPublisherPriority); ok {
		t.priority = uint8(p.Uint)
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

// Largest is the Largest Object so far.
func (t *Published) Largest() (wire.Location, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.largest, t.hasLargest
}

// Subscribers is how many subscriptions there are.
func (t *Published) Subscribers() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.subs)
}

// WaitForward waits until somebody wants objects: until n subscriptions have Forward State 1. The error is the
// context's cause.
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

// note makes an object one of the track: it counts from here on, and the result is who gets it and which number it has.
// o is nil for an object that is not kept.
func (t *Published) note(at wire.Location, o *moqt.Object, subgroup uint64, priority uint8) (number uint64,
	subs []*subscriber, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return 0, nil, errTrackEnded
	}
	t.number++
	if !t.hasLargest || at.Compare(t.largest) > 0 {
		t.largest, t.hasLargest = at, true
	}
	if g := t.groups[at.Group]; g != nil {
		g.largest, g.written = max(g.largest, at.Object), true
		g.told = g.told || o != nil && (o.Status == wire.StatusEndOfGroup || o.Status == wire.StatusEndOfTrack)
	}
	if t.opts.KeepGroups > 0 {
		t.kept.add(at, o, subgroup, priority)
	}
	return t.number, t.subs, nil
}

// Write writes an object: where it belongs is the layout's to say, its priority Options.Priority's. GroupID,
// ObjectID, Status, Properties and Payload count, and SubgroupID and Datagram in LayoutGiven. It waits for the pace,
// and for room. Payload and Properties are the caller's again when it returns.
//
// The error is the context's cause: some subscribers may have the object then. Or it says what cannot be written: IDs
// that do not ascend within a subgroup, a group that has ended, what a subscriber's draft cannot encode (*wire.Error;
// the others have got the object). What becomes of single subscribers is no error.
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

// WriteFrom writes an object whose payload is the next size bytes of r, which is read as subscribers take it; o.Payload
// does not count. When r ends early or fails, the subgroup's streams are reset with INTERNAL_ERROR, and it is closed.
// See Write for the rest.
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

// Pace waits for the next turn of Options.Rate, for who writes by other means than Write.
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
	t.mu.Lock()
	g := t.recent
	if g == nil || g.group != o.GroupID || g.key != key {
		g = t.groups[o.GroupID].find(key)
		t.recent = g
	}
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

// beginGroup sees to a group that may be written to; earlier ones end.
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

// OpenSubgroup opens a subgroup that the caller writes and closes itself, in any layout; the track's EndGroup and End
// close it too. Its ID is that of its first object where the layout's IDs are SubgroupIDFirstObject. It is an error
// where one with the same IDs is open, or was closed, and in a group that Write has put into one subgroup
// (LayoutGroup).
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
		return nil, fmt.Errorf("group %d has subgroup 0 alone, whose header says that it has the group's last object",
			group)
	}
	in.whole = whole && len(in.open) == 0 && len(in.closed) == 0
	g := &Subgroup{t: t, group: group, key: subgroup, whole: in.whole}
	in.open = append(in.open, g)
	t.recent = g
	return g, nil
}

// forget takes a subgroup that was closed out of the table; its group stays known until EndGroup.
func (t *Published) forget(g *Subgroup) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.recent == g {
		t.recent = nil
	}
	if in := t.groups[g.group]; in != nil {
		in.open = slices.DeleteFunc(in.open, func(x *Subgroup) bool { return x == g })
		in.closed.Add(g.key)
	}
}

// EndGroup ends a group: its subgroups are closed, and with Options.GroupEnds an End of Group object stands behind
// its largest one. A group that was not begun, or has ended, is left alone.
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

// End ends the track: every group ends, and every subscription with PUBLISH_DONE TRACK_ENDED behind its last stream.
// Nothing can be written any more, FETCH is still answered. When the context ends before everything has gone out, the
// streams that are left are reset.
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
