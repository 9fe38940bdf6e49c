package moqt

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Announcement is a PUBLISH_NAMESPACE that this end has sent. All methods are safe for concurrent use.
type Announcement struct{ r *Request }

// StartPublishNamespace sends PUBLISH_NAMESPACE and does not wait for the answer; see Start for the rest.
func (s *Session) StartPublishNamespace(ctx context.Context, ns wire.TrackNamespace, ps wire.Parameters) (*Announcement,
	error) {
	r, err := s.Start(ctx, &wire.PublishNamespace{TrackNamespace: ns, Parameters: ps})
	if err != nil {
		return nil, err
	}
	return &Announcement{r}, nil
}

// PublishNamespace sends PUBLISH_NAMESPACE and waits for its OK. The error is that of Start or of Request.Response.
// When the context ends before the answer, the request is cancelled.
func (s *Session) PublishNamespace(ctx context.Context, ns wire.TrackNamespace, ps wire.Parameters) (*Announcement,
	error) {
	a, err := s.StartPublishNamespace(ctx, ns, ps)
	if err != nil {
		return nil, err
	}
	if err := a.Ready(ctx); err != nil {
		a.Withdraw()
		return nil, err
	}
	return a, nil
}

// Ready waits for the OK. See Request.Response for the error.
func (a *Announcement) Ready(ctx context.Context) error {
	_, err := a.r.Response(ctx)
	return err
}

// Request is the request.
func (a *Announcement) Request() *Request { return a.r }

// Withdraw ends the announcement: with PUBLISH_NAMESPACE_DONE up to 16, later with RESET_STREAM and STOP_SENDING and
// code CANCELLED. It does nothing once the peer has refused or revoked the namespace.
func (a *Announcement) Withdraw() { a.r.Cancel(ResetCancelled) }

// Context ends when the peer revokes the namespace (*CancelError) or refuses it, or when the session ends.
func (a *Announcement) Context() context.Context { return a.r.ctx }

// NamespaceEvent says that a namespace under a subscribed prefix was announced, or is gone.
type NamespaceEvent struct {
	// Namespace is the whole namespace, including the prefix.
	Namespace wire.TrackNamespace
	// Done is set when the namespace is gone.
	Done bool
}

// NamespaceSubscription is a SUBSCRIBE_NAMESPACE that this end has sent to learn of namespaces. All methods are safe
// for concurrent use.
//
// 14 and 15 have no NAMESPACE messages. There the session accepts each PUBLISH_NAMESPACE of the peer under the prefix,
// and it becomes an event instead of an incoming request. What the peer has announced before it does not announce again
// (draft-14 §9.28); that comes as an event too, first.
type NamespaceSubscription struct {
	s      *Session
	r      *Request
	events stream.Queue[namespaceNews]

	mu     sync.Mutex
	active map[string]wire.TrackNamespace
}

// namespaceNews is an event; own says that it came as a request, which has a number to give back.
type namespaceNews struct {
	NamespaceEvent
	own bool
}

// cost is what an event counts as, in bytes.
func (n namespaceNews) cost() int { return messageOverhead + namespaceCost(n.Namespace) }

// StartSubscribeNamespace sends SUBSCRIBE_NAMESPACE and does not wait for the answer; see Start for the rest. m.Options
// is used in 16 and 17. With SubscribeBoth, PUBLISH messages come as incoming requests too.
func (s *Session) StartSubscribeNamespace(ctx context.Context, m *wire.SubscribeNamespace) (*NamespaceSubscription,
	error) {
	n := &NamespaceSubscription{s: s, active: make(map[string]wire.TrackNamespace)}
	n.events.Held = s.holdMessages
	if _, err := s.startRequest(ctx, m, n); err != nil {
		return nil, err
	}
	return n, nil
}

// SubscribeNamespace asks to be told of the namespaces under a prefix and waits for the OK. The error is that of Start
// or of Request.Response. When the context ends before the answer, the request is cancelled.
func (s *Session) SubscribeNamespace(ctx context.Context, prefix wire.TrackNamespace,
	ps wire.Parameters) (*NamespaceSubscription, error) {
	n, err := s.StartSubscribeNamespace(ctx, &wire.SubscribeNamespace{Prefix: prefix, Options: wire.SubscribeNamespaces,
		Parameters: ps})
	if err != nil {
		return nil, err
	}
	if err := n.Ready(ctx); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// starting implements startHook.
func (n *NamespaceSubscription) starting(r *Request) error {
	n.r = r
	if n.s.draft <= wire.Draft15 {
		n.s.names.add(n)
	} else {
		n.events.MaxItems = n.s.limits.QueuedMessages
	}
	return nil
}

// received implements hook. It waits for room: NAMESPACE messages have a stream of their own.
func (n *NamespaceSubscription) received(m wire.Message) bool {
	switch x := m.(type) {
	case *wire.Namespace:
		n.tell(n.r.namePrefix().Join(x.Suffix...), false, false)
	case *wire.NamespaceDone:
		n.tell(n.r.namePrefix().Join(x.Suffix...), true, false)
	default:
		return false
	}
	return true
}

// tell queues an event.
func (n *NamespaceSubscription) tell(ns wire.TrackNamespace, done, own bool) {
	n.mu.Lock()
	if done {
		delete(n.active, ns.Key())
	} else {
		n.active[ns.Key()] = ns
	}
	n.mu.Unlock()
	news := namespaceNews{NamespaceEvent{Namespace: ns, Done: done}, own}
	err := n.events.Put(n.r.ctx, news, news.cost())
	if err != nil && own {
		n.s.ids.took()
	}
}

// over implements hook. When the publisher ends the subscription, all its namespaces are gone (draft-17 §6.1, draft-18
// §6.1).
func (n *NamespaceSubscription) over(cause error) {
	n.s.names.remove(n)
	n.returnIDs()
	var cancelled *CancelError
	if cause == io.EOF || errors.As(cause, &cancelled) && cancelled.Side != n.s.side {
		n.mu.Lock()
		active := n.active
		n.active = nil
		n.mu.Unlock()
		n.events.Unbound()
		for _, ns := range active {
			news := namespaceNews{NamespaceEvent{Namespace: ns, Done: true}, false}
			n.events.Add(news, news.cost())
		}
	}
	n.events.End(cause)
}

// returnIDs counts the requests behind events that nobody has taken as taken: the subscription is over, and perhaps
// nobody ever will.
func (n *NamespaceSubscription) returnIDs() {
	waiting := n.events.Drain()
	for i := range waiting {
		if waiting[i].own {
			waiting[i].own = false
			n.s.ids.took()
		}
	}
	n.events.PutBack(waiting, namespaceNews.cost)
}

// namePrefix is the prefix to which suffixes are relative: that of the request, or of its last accepted update
// (draft-18 §10.9.2).
func (r *Request) namePrefix() wire.TrackNamespace {
	r.mu.Lock()
	p, ok := r.params.Get(wire.ParamTrackNamespacePrefix)
	r.mu.Unlock()
	if ok {
		return p.Namespace
	}
	return r.TrackNamespace()
}

// Ready waits for the OK. See Request.Response for the error.
func (n *NamespaceSubscription) Ready(ctx context.Context) error {
	_, err := n.r.Response(ctx)
	return err
}

// Request is the request. Its Update changes the prefix (18 and later).
func (n *NamespaceSubscription) Request() *Request { return n.r }

// Next waits for the next event. When the publisher ends the subscription, an event with Done comes first for each
// namespace that it had announced. Then the error says how it ended: io.EOF for FIN, *CancelError, *RequestError or
// *SessionError.
func (n *NamespaceSubscription) Next(ctx context.Context) (NamespaceEvent, error) {
	e, err := n.events.Take(ctx, n.s.ctx)
	if e.own {
		n.s.ids.took()
	}
	return e.NamespaceEvent, err
}

// Close ends the subscription: with UNSUBSCRIBE_NAMESPACE in 14 and 15, later with RESET_STREAM and STOP_SENDING and
// code CANCELLED. It does nothing once the subscription is over.
func (n *NamespaceSubscription) Close() { n.r.Cancel(ResetCancelled) }

// add has a namespace subscription told of what the peer announces, and first of what it has announced already.
func (t *nameRoutes) add(n *NamespaceSubscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subs = append(t.subs, n)
	var known []*announcedName
	for a := range t.stand {
		if a.ns.HasPrefix(n.r.TrackNamespace()) {
			known = append(known, a)
		}
	}
	slices.SortFunc(known, func(a, b *announcedName) int { return cmp.Compare(a.number, b.number) })
	for _, a := range known {
		a.to = n
		n.tell(a.ns, false, false)
	}
}

func (t *nameRoutes) remove(n *NamespaceSubscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subs = slices.DeleteFunc(t.subs, func(x *NamespaceSubscription) bool { return x == n })
	for a := range t.stand {
		if a.to == n {
			a.to = nil
		}
	}
}

// announced takes a PUBLISH_NAMESPACE under the prefix of a namespace subscription of ours, and reports whether it did.
func (t *nameRoutes) announced(r *Request) bool {
	m, ok := r.message.(*wire.PublishNamespace)
	if !ok || r.s.draft > wire.Draft15 {
		return false
	}
	a := &announcedName{routes: t, ns: m.TrackNamespace}
	t.mu.Lock()
	for _, n := range t.subs {
		if m.TrackNamespace.HasPrefix(n.r.TrackNamespace()) {
			a.to = n
		}
	}
	if t.stand == nil {
		t.stand = make(map[*announcedName]bool)
	}
	t.stand[a], a.number = true, t.came
	t.came++
	taken := a.to != nil
	if taken {
		a.to.tell(a.ns, false, true)
	}
	t.mu.Unlock()
	r.attach(a)
	if taken {
		r.s.Go(func() { _ = r.Accept(r.s.ctx, nil) })
	}
	return taken
}

// announcedName stands on a PUBLISH_NAMESPACE in 14 and 15.
type announcedName struct {
	routes *nameRoutes
	ns     wire.TrackNamespace
	number uint64                 // in the order in which they came
	to     *NamespaceSubscription // that was told of it; guarded by routes.mu
}

// received implements hook.
func (a *announcedName) received(wire.Message) bool { return false }

// over implements hook: PUBLISH_NAMESPACE_DONE, or a refusal of ours.
func (a *announcedName) over(cause error) {
	a.routes.mu.Lock()
	defer a.routes.mu.Unlock()
	delete(a.routes.stand, a)
	if a.to != nil && (errors.As(cause, new(*CancelError)) || errors.As(cause, new(*RequestError))) {
		a.to.tell(a.ns, true, false)
	}
}
