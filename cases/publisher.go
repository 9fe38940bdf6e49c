package cases

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Publisher publishes one track on one session. It accepts every SUBSCRIBE for the track and sends what is published
// afterwards. It answers FETCH, fills and TRACK_STATUS with what was published before. Objects are appended to a log,
// and each subscription follows the log at its own pace. Safe for concurrent use.
type Publisher struct {
	Session   *Session
	Namespace wire.TrackNamespace
	Name      string
	// Properties are the track's. In 14 and 15 those count alone that these drafts have as parameters. They must not
	// change once the track is announced.
	Properties wire.Properties
	// Early is sent to the relay's first SUBSCRIBE before it is answered, and the answer follows EarlyBy later. Set it
	// before the relay can ask.
	Early   Layout
	EarlyBy time.Duration
	// Refuses is the code with which every SUBSCRIBE is refused; 0 for none.
	Refuses moqt.RejectCode
	// Unsaid: subgroup headers have no priority, so that the track's default counts (15 and later).
	Unsaid bool

	mu            sync.Mutex
	changed       broadcast
	log           Layout
	ended         bool
	offered       bool // with PUBLISH, see offer
	subscriptions []*subscription
	// by request id, registered before the answer is sent, since a joining FETCH may follow at once
	begun map[uint64]*subscription
	asked map[string]int // requests of the relay, by name
	// newGroups are the NEW_GROUP_REQUESTs of the relay. failing: fetch streams are reset behind their first object.
	// holding: nothing more goes on them behind it. refusing: FETCH is refused, and fills are reset at once. fetches
	// are the FETCHes of the relay.
	newGroups []uint64
	first     wire.Parameters // of the relay's first SUBSCRIBE
	failing   bool
	holding   bool
	refusing  bool
	fetches   []*relayFetch
	stops     map[wire.Location]string // how the relay has stopped the streams of objects
}

// subscription is one SUBSCRIBE of the relay, or one PUBLISH of ours.
type subscription struct {
	pub *moqt.Publication
	// next is the index in the log of the next object; done: nothing more will be sent.
	next int
	done bool
	// largest is the Largest Object when the subscription began; has tells whether there was one.
	largest wire.Location
	has     bool
	filter  wire.LocationFilter
	// streams are those of the subgroups that were begun.
	streams map[subgroupKey]*moqt.SubgroupWriter
}

// subgroupKey is a subgroup of the track.
type subgroupKey struct{ group, subgroup uint64 }

// Publisher registers a track on the session, so that requests for it are answered. It does not announce the track.
func (s *Session) Publisher(ns wire.TrackNamespace, name string) *Publisher {
	p := &Publisher{Session: s, Namespace: ns, Name: name, changed: newBroadcast(), begun: map[uint64]*subscription{},
		asked: map[string]int{}, stops: map[wire.Location]string{}}
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.peer.tracks[trackKey(ns, name)] = p
	return p
}

// Publish publishes objects with a pause between them. It ends the case if ctx ends first.
func (p *Publisher) Publish(ctx context.Context, l Layout, pace time.Duration) {
	for i, x := range l {
		if i > 0 && pace > 0 {
			p.Session.e.Sleep(ctx, pace)
		}
		p.mu.Lock()
		p.log = append(p.log, x)
		p.changed.fire()
		p.mu.Unlock()
	}
}

// End ends the track: every subscription gets PUBLISH_DONE after its last object.
func (p *Publisher) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.changed.fire()
}

// wait waits until cond holds. cond is called with the lock held.
func (p *Publisher) wait(ctx context.Context, cond func() bool) error {
	for {
		p.mu.Lock()
		ok, changed := cond(), p.changed.wait()
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// WaitSubscribed waits until the relay has subscribed. The error is the cause of ctx.
func (p *Publisher) WaitSubscribed(ctx context.Context) error {
	return p.wait(ctx, func() bool { return len(p.subscriptions) > 0 })
}

// WaitForward waits until the relay has subscribed and its first subscription has Forward State 1. It ends the case if
// that takes too long.
func (p *Publisher) WaitForward(ctx context.Context) {
	p.Session.Check(ctx, p.WaitSubscribed(ctx), transport.LayerRequest, "SUBSCRIBE at the publisher")
	p.mu.Lock()
	first := p.subscriptions[0]
	p.mu.Unlock()
	p.Session.Check(ctx, first.pub.WaitForward(ctx), transport.LayerRequest, "Forward State 1 at the publisher")
}

// noRequest is what a publisher saw that was not asked.
const noRequest = "no request for the track"

// Saw lists the requests for the track that have reached the publisher, for the text of a failure.
func (p *Publisher) Saw() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.asked) == 0 {
		return noRequest
	}
	var names []string
	for name, n := range p.asked {
		if n > 1 {
			name = fmt.Sprintf("%d x %s", n, name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return few(names)
}

// count records a request of the relay.
func (p *Publisher) count(r *moqt.Request) {
	p.asked[wire.NameOf(p.Session.Draft(), r.Message())]++
	p.changed.fire()
}

// largest is the Largest Object so far. Objects with a status other than Normal do not count, since they say what does
// not exist. The caller holds mu.
func (p *Publisher) largest() (l wire.Location, ok bool) {
	for _, x := range p.log {
		if at := x.Location(); x.Status == wire.StatusNormal && (!ok || at.Compare(l) > 0) {
			l, ok = at, true
		}
	}
	return l, ok
}

// subscribed serves a SUBSCRIBE until it is over.
func (p *Publisher) subscribed(ctx context.Context, r *moqt.Request, m *wire.Subscribe) {
	if p.duplicate() {
		p.Session.peer.refuse(ctx, r, moqt.RejectDuplicateSubscription, fullName(p.Namespace, p.Name))
		return
	}
	p.mu.Lock()
	p.count(r)
	if p.Refuses != 0 {
		p.mu.Unlock()
		p.Session.peer.refuse(ctx, r, p.Refuses, fullName(p.Namespace, p.Name))
		return
	}
	sub := &subscription{next: len(p.log)}
	sub.largest, sub.has = p.largest()
	sub.filter, _ = m.Parameters.Filter()
	p.wantsGroup(m.Parameters)
	if len(p.begun) == 0 {
		p.first = m.Parameters.Clone()
	}
	p.begun[r.ID()] = sub
	p.changed.fire()
	p.mu.Unlock()

	options := []moqt.PublicationOption{moqt.ManualUpdates()}
	if len(p.Early) > 0 {
		p.sendEarly(ctx)
		options = append(options, moqt.WithTrackAlias(earlyAlias))
	}
	ok := &wire.SubscribeOK{Parameters: append(p.largestParameter(sub), p.oldParameters()...), Properties: p.Properties}
	pub, err := r.AcceptSubscribe(ctx, ok, options...)
	if err != nil {
		p.Session.e.Note("%s: SUBSCRIBE of the relay not answered: %v", p.Session.Role, err)
		return
	}
	p.follow(ctx, sub, pub, func(ctx context.Context) {
		if fill, ok := m.Parameters.Get(wire.ParamFillParameters); ok &&
			m.Parameters.UintOr(wire.ParamForward, 1) == 1 {
			p.fill(ctx, sub, m.RequestID, fill.Inner)
		}
	})
}

// wantsGroup notes a NEW_GROUP_REQUEST. The caller holds mu.
func (p *Publisher) wantsGroup(ps wire.Parameters) {
	if v, ok := ps.Uint(wire.ParamNewGroupRequest); ok {
		p.newGroups = append(p.newGroups, v)
		p.changed.fire()
	}
}

// oldParameters are the properties that 14 and 15 have as parameters (draft-14 §9.2.1.3, draft-15 §9.2.1).
func (p *Publisher) oldParameters() (ps wire.Parameters) {
	d := p.Session.Draft()
	for _, x := range p.Properties {
		switch {
		case x.Type == wire.PropMaxCacheDuration && d <= wire.Draft15:
			ps.Add(UintParameter(wire.ParamRendezvousTimeout, x.Uint)) // has its code up to 15
		case x.Type == wire.PropDynamicGroups && d == wire.Draft15:
			ps.Add(UintParameter(wire.ParamDynamicGroups, x.Uint))
		}
	}
	return ps
}

func (p *Publisher) largestParameter(sub *subscription) (ps wire.Parameters) {
	if sub.has {
		ps.SetLargest(sub.largest)
	}
	return ps
}

// follow sends a subscription its objects and answers its updates. first runs meanwhile. It returns when all three are
// done.
func (p *Publisher) follow(ctx context.Context, sub *subscription, pub *moqt.Publication,
	first func(ctx context.Context)) {
	p.mu.Lock()
	sub.pub = pub
	p.subscriptions = append(p.subscriptions, sub)
	p.begun[pub.Request().ID()] = sub
	p.changed.fire()
	p.mu.Unlock()

	var wait sync.WaitGroup
	defer wait.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	beside := func(f func(ctx context.Context)) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if o := guard(func() error { f(ctx); return nil }); o != nil {
				p.Session.e.abort(o)
			}
		}()
	}
	beside(func(ctx context.Context) { p.updates(ctx, sub) })
	if first != nil {
		beside(first)
	}
	p.feed(ctx, sub)
}

// updates answers the REQUEST_UPDATEs of one subscription.
func (p *Publisher) updates(ctx context.Context, sub *subscription) {
	for {
		u, err := sub.pub.NextUpdate(ctx)
		if err != nil {
			return
		}
		p.mu.Lock()
		sub.largest, sub.has = p.largest()
		if f, ok := u.Message.Parameters.Filter(); ok {
			sub.filter = f
		}
		p.wantsGroup(u.Message.Parameters)
		ok := &wire.RequestOK{}
		if p.Session.Draft() >= wire.Draft15 {
			ok.Parameters = p.largestParameter(sub)
		}
		p.mu.Unlock()
		if u.Accept(ctx, ok) != nil {
			return
		}
		if fill, ok := u.Message.Parameters.Get(wire.ParamFillParameters); ok && sub.pub.Forward() {
			p.fill(ctx, sub, u.Message.RequestID, fill.Inner)
		}
		p.mu.Lock()
		p.changed.fire()
		p.mu.Unlock()
	}
}

// feed sends objects as they are published, each subgroup on its own stream, and PUBLISH_DONE after the last one.
func (p *Publisher) feed(ctx context.Context, sub *subscription) {
	p.mu.Lock()
	sub.streams = map[subgroupKey]*moqt.SubgroupWriter{}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		sub.done = true
		p.changed.fire()
		p.mu.Unlock()
	}()
	for {
		var x Item
		if p.wait(ctx, func() bool { return sub.next < len(p.log) || p.ended }) != nil {
			return
		}
		p.mu.Lock()
		if sub.next == len(p.log) {
			p.mu.Unlock()
			break
		}
		x = p.log[sub.next]
		pass := p.passes(sub, x.Location())
		k := subgroupKey{x.Group, x.Subgroup}
		w := sub.streams[k]
		p.mu.Unlock()
		if pass && sub.pub.Forward() && x.Datagram {
			if err := p.sendDatagram(sub.pub, &x); err != nil && ctx.Err() == nil && sub.pub.Context().Err() == nil {
				p.Session.e.Note("%s: datagram %s not sent: %v", p.Session.Role, x.Location(), err)
			}
		} else if pass && sub.pub.Forward() {
			w, err := p.send(ctx, sub.pub, w, &x)
			if err != nil {
				if ctx.Err() != nil || sub.pub.Context().Err() != nil {
					return
				}
				p.notSent(x.Location(), err)
			}
			p.mu.Lock()
			if sub.streams[k] = w; x.last { // an object that is published again has a stream of its own
				delete(sub.streams, k)
			}
			p.mu.Unlock()
		}
		p.mu.Lock()
		sub.next++
		p.changed.fire()
		p.mu.Unlock()
	}
	p.mu.Lock()
	streams := slices.Collect(maps.Values(sub.streams))
	p.mu.Unlock()
	for _, w := range streams {
		w.Close() // ends those whose subgroup was not published to its end; no effect on the others
	}
	if err := sub.pub.Done(ctx, moqt.DoneTrackEnded, ""); err != nil && ctx.Err() == nil &&
		sub.pub.Context().Err() == nil {
		p.Session.e.Note("%s: PUBLISH_DONE not sent: %v", p.Session.Role, err)
	}
}

// passes reports whether a location passes the subscription's filter. The caller holds mu.
func (p *Publisher) passes(sub *subscription, at wire.Location) bool {
	start, end, open := sub.filter.Bounds(sub.largest, sub.has)
	return at.Compare(start) >= 0 && (open || at.Compare(end) <= 0)
}

// send writes one object to its stream. It opens the stream for the first object and ends it after the last.
func (p *Publisher) send(ctx context.Context, pub *moqt.Publication, w *moqt.SubgroupWriter,
	x *Item) (*moqt.SubgroupWriter, error) {
	if w == nil {
		var err error
		h := x.header()
		h.DefaultPriority = p.Unsaid
		w, err = pub.OpenSubgroup(ctx, h)
		if err != nil {
			return nil, err
		}
	}
	o, err := x.asObject(pub.Draft())
	if err != nil {
		return w, err
	}
	if err := w.WriteObject(o); err != nil {
		return w, err
	}
	if x.last {
		return w, w.Close()
	}
	return w, nil
}

// sendDatagram sends one object as a datagram.
func (p *Publisher) sendDatagram(pub *moqt.Publication, x *Item) error {
	o, err := x.asObject(pub.Draft())
	if err != nil {
		return err
	}
	return pub.SendDatagram(o)
}

// asObject is an object of a layout in the form that a session sends.
func (i *Item) asObject(d wire.Draft) (*moqt.Object, error) {
	o := &moqt.Object{
		GroupID: i.Group, SubgroupID: i.Subgroup, ObjectID: i.Object, Priority: i.Priority, Status: i.Status,
		Payload:  i.Payload,
		Datagram: i.Datagram, EndOfGroup: i.EndOfGroup,
	}
	if len(i.Properties) == 0 {
		return o, nil
	}
	return o, o.EncodeProperties(d, i.Properties)
}

// ObjectPace is the usual time between two objects.
const ObjectPace = 2 * time.Millisecond
