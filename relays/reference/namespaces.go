package reference

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// announcement is a namespace that a session has published; publication is a track that a session has published.
type announcement struct {
	peer      *peer
	namespace wire.TrackNamespace
}

type publication struct {
	track      *track
	peer       *peer
	properties wire.Properties // as its publisher gave them, in the newest form
}

// publishers gives the sessions that have published a namespace or a prefix of it, those with the longest prefix first.
// The relay asks all of them for a track (draft-18 §9.5). Each session is listed once.
func (r *Relay) publishers(ns wire.TrackNamespace) []*peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	var peers []*peer
	for _, a := range r.namespaces.prefixes(ns) {
		if a.peer.ctx.Err() == nil && !a.peer.leaving() && !slices.Contains(peers, a.peer) {
			peers = append(peers, a.peer)
		}
	}
	if r.faults[prefixAsText] {
		r.namespaces.below(nil, func(prefix wire.TrackNamespace, all []*announcement) {
			if n := len(prefix); n > 0 && len(ns) >= n && prefix[:n-1].Equal(ns[:n-1]) &&
				strings.HasPrefix(ns[n-1], prefix[n-1]) && !slices.Contains(peers, all[0].peer) {
				peers = append(peers, all[0].peer)
			}
		})
	}
	if r.faulty {
		peers = r.spoilPublishers(ns, peers)
	}
	return r.uplink.parentOf(ns, peers)
}

// below gives the tracks in a namespace that are in use.
func (r *Relay) below(ns wire.TrackNamespace) []*track {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inUse(ns)
}

// inUse is below for a caller that holds the relay's lock.
func (r *Relay) inUse(ns wire.TrackNamespace) []*track {
	var found []*track
	for _, t := range r.tracks {
		if t.users > 0 && t.namespace.HasPrefix(ns) {
			t.users++
			found = append(found, t)
		}
	}
	return found
}

// publishNamespace serves a PUBLISH_NAMESPACE until it is withdrawn.
func (p *peer) publishNamespace(req *moqt.Request) error {
	r, ctx := p.relay, req.Context()
	switch {
	case r.faults[announceSilent]:
		<-ctx.Done()
		return nil
	case r.faults[announceInARowLost] && p.inARow():
		<-ctx.Done()
		return nil
	case r.faults[announceReject]:
		return refuse(moqt.RejectUnauthorized, "fault")
	case r.faults[namespace31Fields] && len(req.TrackNamespace()) > 31:
		return refuse(moqt.RejectInternalError, "fault")
	}
	if err := p.publishes(); err != nil {
		return err
	}
	defer p.unpublished()
	a := &announcement{p, slices.Clone(req.TrackNamespace())}
	if p.uplink == nil || !r.publishes(a.namespace) { // otherwise the parent says what it has from here
		r.announce(a)
		defer r.withdraw(a)
	}
	if err := req.Accept(ctx, &wire.RequestOK{Answers: wire.KindPublishNamespace}); err != nil {
		return err
	}
	p.quirkyNamespace(req)
	p.heedUpdates(req, nil)
	if r.faults[withdrawClosesSession] && p.ctx.Err() == nil {
		p.session.Abort(wire.ProtocolViolation, "fault")
	}
	return nil
}

// announce adds a namespace, reports it to the sessions that asked for it, and asks its publisher for tracks that have
// subscribers.
func (r *Relay) announce(a *announcement) {
	r.mu.Lock()
	there := r.namespaces.at(a.namespace)
	first := len(there) == 0
	if u := r.uplink; u != nil && u.up != nil && a.peer.uplink == nil && !byClient(there) {
		u.up.push(event{a.namespace, false})
	}
	r.namespaces.add(a.namespace, a)
	r.spoilAnnounced(a.namespace)
	r.counters.Namespaces.Add(1)
	if first {
		for _, s := range r.wanting.prefixes(a.namespace) {
			s.push(event{a.namespace, false})
		}
	}
	r.mu.Unlock()
	for _, t := range r.below(a.namespace) {
		asks := slices.Contains(r.publishers(t.namespace), a.peer)
		t.mu.Lock()
		t.changed() // who waits for a publisher asks it
		asks = asks && !r.faults[latePublisherNotAsked]
		ask := asks && len(t.subscribers) > 0 && len(t.upstreams) > 0 && !t.bringsFrom(a.peer)
		t.mu.Unlock()
		if ask {
			r.tasks.Go(func() {
				defer r.release(t)
				if err := t.subscribeTo(a.peer, nil); err == nil {
					t.idle()
				}
			})
			continue
		}
		r.release(t)
	}
}

// withdraw removes a namespace.
func (r *Relay) withdraw(a *announcement) {
	defer r.orphaned()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.namespaces.remove(a.namespace, a)
	r.counters.Namespaces.Add(-1)
	if u := r.uplink; u != nil && u.up != nil && a.peer.uplink == nil && !byClient(r.namespaces.at(a.namespace)) {
		u.up.push(event{a.namespace, true})
	}
	left := len(r.namespaces.at(a.namespace)) > 0 && !r.faults[namespaceDoneEarly]
	if left || r.faults[namespaceDoneMissing] || r.faults[lostNamespaceStays] && a.peer.ctx.Err() != nil {
		return
	}
	for _, s := range r.wanting.prefixes(a.namespace) {
		s.push(event{a.namespace, true})
	}
}

// event is what a namespace subscriber is told: that a namespace exists, or no longer does.
type event struct {
	namespace wire.TrackNamespace
	done      bool
}

// namespaceSubscriber is a SUBSCRIBE_NAMESPACE for namespaces. The relay's lock guards prefix, a lock of its own the
// queue.
type namespaceSubscriber struct {
	peer *peer
	// req is nil where it is the relay's parent that is told without having asked. ctx ends it, giveUp does so with
	// EXCESSIVE_LOAD.
	req    *moqt.Request
	ctx    context.Context
	giveUp func()
	prefix wire.TrackNamespace
	signal chan struct{}
	// gate is held while the prefix changes, and while something is told.
	gate sync.Mutex

	mu     sync.Mutex
	queue  []event
	full   bool
	pushed int   // only a fault uses it
	held   int64 // what the account counts of events that are not sent
	over   bool  // nobody takes them any more
}

// cost is what an event counts as, in bytes.
func (e event) cost() (n int64) {
	n = eventCost
	for _, field := range e.namespace {
		n += int64(len(field)) + fieldCost
	}
	return n
}

// push queues an event.
func (s *namespaceSubscriber) push(e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over, s.pushed >= 70 && s.peer.relay.faults[namespaces70]:
		return
	case len(s.queue) >= s.peer.relay.limits.Events || !s.peer.account.Try(heldTasks, e.cost()):
		s.full = true
	default:
		s.queue = append(s.queue, e)
		s.pushed++
		s.held += e.cost()
	}
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

func (s *namespaceSubscriber) pop() (events []event, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	events, s.queue = s.queue, nil
	return events, s.full
}

// told counts n bytes of events as sent.
func (s *namespaceSubscriber) told(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held -= n
	s.peer.account.Give(heldTasks, n)
}

// end gives back what is counted. Events that come later are passed over.
func (s *namespaceSubscriber) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.queue = true, nil
	s.peer.account.Give(heldTasks, s.held)
	s.held = 0
}

// subscribeNamespace serves a SUBSCRIBE_NAMESPACE: for namespaces, and up to 17 for publishes, too or instead.
func (p *peer) subscribeNamespace(req *moqt.Request) error {
	m := req.Message().(*wire.SubscribeNamespace)
	d := p.session.Draft()
	namespaces, tracks := true, d <= wire.Draft15
	if d == wire.Draft16 || d == wire.Draft17 {
		namespaces = m.Options == wire.SubscribeNamespaces || m.Options == wire.SubscribeBoth
		tracks = m.Options == wire.SubscribePublishes || m.Options == wire.SubscribeBoth
	}
	return p.discover(req, m.Prefix, namespaces, tracks)
}

// subscribeTracks serves a SUBSCRIBE_TRACKS.
func (p *peer) subscribeTracks(req *moqt.Request) error {
	return p.discover(req, req.Message().(*wire.SubscribeTracks).Prefix, false, true)
}

// discover reports namespaces, tracks, or both to a session until the request is over.
func (p *peer) discover(req *moqt.Request, prefix wire.TrackNamespace, namespaces, tracks bool) error {
	r, ctx := p.relay, req.Context()
	if err := p.claim(req.Kind(), prefix); err != nil {
		return err
	}
	defer func() { p.unclaim(req.Kind(), prefix) }()
	var s *namespaceSubscriber
	var ts *tracksSubscriber
	accepted := make(chan struct{})
	if namespaces && !r.faults[namespaceSilent] {
		s = &namespaceSubscriber{peer: p, req: req, ctx: ctx, prefix: prefix, signal: make(chan struct{}, 1),
			giveUp: func() { req.Cancel(moqt.ResetExcessiveLoad) }} // draft-18 §10.18
		defer s.end() // also where nothing is told any more
		r.want(s)
		defer r.unwant(s)
	}
	if tracks && !r.faults[tracksSilent] {
		ts = &tracksSubscriber{peer: p, req: req, ctx: ctx, accepted: accepted, prefix: prefix,
			parameters: req.Parameters()}
		ts.ranges = moqt.RangeFiltersOf(ts.parameters)
		ts.bare = ts.parameters.UintOr(wire.ParamIncludeProperties, 1) == 0
		r.track(ts)
		if !r.faults[tracksCancelIgnored] {
			defer r.untrack(ts)
		}
	}
	if err := req.Accept(ctx, &wire.RequestOK{Answers: req.Kind()}); err != nil {
		return err
	}
	close(accepted)
	if p.uplink == nil {
		r.wantAtParent(prefix, s != nil, ts != nil)
	}
	var work sync.WaitGroup
	defer work.Wait()
	if s != nil {
		work.Go(func() { p.guard(s.tell) })
	}
	p.heedUpdates(req, func(ps wire.Parameters) (accepted func(), err error) {
		if ts != nil {
			r.refilter(ts, ps)
		}
		if next, ok := ps.Get(wire.ParamTrackNamespacePrefix); ok {
			if r.faults[prefixUpdateIgnored] {
				return nil, nil
			}
			if err := p.within(next.Namespace); err != nil {
				return nil, err
			}
			if err := p.reclaim(req.Kind(), prefix, next.Namespace); err != nil {
				return nil, err
			}
			if s != nil { // only what follows REQUEST_OK is relative to the new prefix (draft-18 §10.9.2)
				s.gate.Lock()
				accepted = s.gate.Unlock
			}
			r.move(s, ts, next.Namespace)
			r.wantAtParent(next.Namespace, p.uplink == nil && s != nil, p.uplink == nil && ts != nil)
			prefix = next.Namespace
		}
		return accepted, nil
	})
	return nil
}

// claim notes the prefix of a namespace subscription of one kind. The error is PREFIX_OVERLAP: no prefix may be a
// prefix of another (draft-18 §10.18).
func (p *peer) claim(kind wire.Kind, prefix wire.TrackNamespace) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	others := p.prefixes[kind]
	if p.relay.faults[overlapAcrossKinds] {
		others = slices.Concat(p.prefixes[wire.KindSubscribeNamespace], p.prefixes[wire.KindSubscribeTracks])
	}
	for _, other := range others {
		if (other.HasPrefix(prefix) || prefix.HasPrefix(other)) && !p.relay.faults[overlapAccepted] {
			return refuse(moqt.RejectPrefixOverlap, "overlaps with the prefix %s", other)
		}
	}
	p.prefixes[kind] = append(p.prefixes[kind], prefix)
	return nil
}

func (p *peer) unclaim(kind wire.Kind, prefix wire.TrackNamespace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.relay.faults[prefixStays] {
		return
	}
	if i := slices.IndexFunc(p.prefixes[kind], prefix.Equal); i >= 0 {
		p.prefixes[kind] = slices.Delete(p.prefixes[kind], i, i+1)
	}
}

// reclaim changes a prefix.
func (p *peer) reclaim(kind wire.Kind, from, to wire.TrackNamespace) error {
	p.unclaim(kind, from)
	if err := p.claim(kind, to); err != nil {
		if p.claim(kind, from) != nil {
			return err
		}
		return err
	}
	return nil
}

// want begins to report namespaces to s, and starts with those that exist already.
func (r *Relay) want(s *namespaceSubscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanting.add(s.prefix, s)
	r.namespaces.below(s.prefix, func(ns wire.TrackNamespace, _ []*announcement) { s.push(event{ns, false}) })
}

func (r *Relay) unwant(s *namespaceSubscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanting.remove(s.prefix, s)
}

// move changes the prefix of namespace subscriptions (draft-18 §10.9.2). s is told of namespaces that only the new
// prefix has, and of the end of those that only the old one has. Tracks are passed on from now on.
func (r *Relay) move(s *namespaceSubscriber, ts *tracksSubscriber, to wire.TrackNamespace) {
	r.mu.Lock()
	if s != nil {
		from := s.prefix
		r.wanting.remove(from, s)
		r.namespaces.below(to, func(ns wire.TrackNamespace, _ []*announcement) {
			if !ns.HasPrefix(from) {
				s.push(event{ns, false})
			}
		})
		s.prefix = to
		r.wanting.add(to, s)
	}
	if ts != nil {
		r.tracking.remove(ts.prefix, ts)
	}
	r.mu.Unlock()
	if ts != nil {
		ts.prefix = to
		r.track(ts)
	}
}

// tell sends the queued events, as NAMESPACE and NAMESPACE_DONE, or up to 15 as PUBLISH_NAMESPACE and its withdrawal.
func (s *namespaceSubscriber) tell() {
	ctx := s.ctx
	defer s.end()
	sent := make(map[string]*moqt.Announcement)
	defer func() {
		for _, a := range sent {
			a.Withdraw()
		}
	}()
	for {
		if s.peer.relay.quirks[namespacesLate] {
			pause(ctx, 300*time.Millisecond)
		}
		events, full := s.pop()
		for _, e := range events {
			if err := s.send(ctx, e, sent); err != nil {
				return
			}
			s.told(e.cost())
		}
		if full {
			s.peer.relay.log.Info("namespace subscriber too slow", "session", s.peer.id)
			s.giveUp()
			return
		}
		select {
		case <-s.signal:
		case <-ctx.Done():
			return
		}
	}
}

func (s *namespaceSubscriber) send(ctx context.Context, e event, sent map[string]*moqt.Announcement) error {
	if s.peer.relay.faults[namespaceWrongSuffix] {
		e.namespace = e.namespace.Join("wrong")
	}
	if s.req != nil && s.peer.session.Draft() >= wire.Draft16 {
		s.gate.Lock()
		defer s.gate.Unlock()
		s.peer.relay.mu.Lock()
		n, under := len(s.prefix), e.namespace.HasPrefix(s.prefix)
		s.peer.relay.mu.Unlock()
		if !under {
			return nil // the prefix has been changed meanwhile
		}
		if e.done {
			return s.req.Send(ctx, &wire.NamespaceDone{Suffix: e.namespace[n:]})
		}
		return s.req.Send(ctx, &wire.Namespace{Suffix: e.namespace[n:]})
	}
	key := e.namespace.Key()
	if e.done {
		if a := sent[key]; a != nil {
			delete(sent, key)
			a.Withdraw()
		}
		return nil
	}
	if sent[key] != nil {
		return nil
	}
	a, err := s.peer.session.StartPublishNamespace(ctx, e.namespace, nil)
	if err == nil {
		sent[key] = a
	}
	return err
}
