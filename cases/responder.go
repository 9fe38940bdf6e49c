package cases

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// responder answers the relay's requests on a session: SUBSCRIBE, FETCH and TRACK_STATUS for the tracks published
// there. It answers and notes other requests, and never judges them. A request can come before Dial has returned, so
// the responder takes the session from the request. Safe for concurrent use.
type responder struct {
	s *Session

	mu         sync.Mutex
	changed    broadcast
	tracks     map[string]*Publisher
	namespaces []wire.TrackNamespace // published on this session
	prefixes   []wire.TrackNamespace // that the relay has subscribed to
	publishes  chan *moqt.Request    // where PUBLISHes go that the case waits for
}

func newResponder(s *Session) *responder {
	return &responder{s: s, changed: newBroadcast(), tracks: map[string]*Publisher{}}
}

// trackKey is a Full Track Name as a map key.
func trackKey(ns wire.TrackNamespace, name string) string { return ns.Join(name).Key() }

// track finds a published track.
func (p *responder) track(ns wire.TrackNamespace, name string) *Publisher {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tracks[trackKey(ns, name)]
}

// announce sends a namespace to the relay's namespace subscriptions; withdraw sends them its end.
func (p *responder) announce(ns wire.TrackNamespace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.namespaces = append(p.namespaces, ns)
	p.changed.fire()
}

func (p *responder) withdraw(ns wire.TrackNamespace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.namespaces = slices.DeleteFunc(p.namespaces, ns.Equal)
	p.changed.fire()
}

// serve is moqt.Config.Handler. It returns when the request is over or needs nothing more.
func (p *responder) serve(r *moqt.Request) {
	ctx := r.Context()
	switch m := r.Message().(type) {
	case *wire.Subscribe:
		if t := p.track(m.TrackNamespace, m.TrackName); t != nil {
			t.subscribed(ctx, r, m)
			return
		}
		p.refuse(ctx, r, moqt.RejectDoesNotExist, fullName(m.TrackNamespace, m.TrackName))
	case *wire.Fetch:
		p.fetch(ctx, r)
	case *wire.TrackStatus:
		if t := p.track(m.TrackNamespace, m.TrackName); t != nil {
			t.status(ctx, r)
			return
		}
		p.refuse(ctx, r, moqt.RejectDoesNotExist, fullName(m.TrackNamespace, m.TrackName))
	case *wire.PublishNamespace:
		if p.accept(ctx, r, m.TrackNamespace.String()) {
			p.drain(ctx, r)
		}
	case *wire.SubscribeNamespace:
		p.namespaceSubscription(ctx, r, m)
	case *wire.Publish:
		if p.expected(ctx, r) {
			<-ctx.Done() // the case answers it
			return
		}
		p.refuse(ctx, r, moqt.RejectUninterested, fullName(m.TrackNamespace, m.TrackName))
	default:
		p.refuse(ctx, r, moqt.RejectNotSupported, "")
	}
}

func fullName(ns wire.TrackNamespace, name string) string {
	return fmt.Sprintf("namespace %q track %q", ns, name)
}

// refuse refuses a request that no case waits for.
func (p *responder) refuse(ctx context.Context, r *moqt.Request, code moqt.RejectCode, what string) {
	p.note(r, what, "refused", r.Reject(ctx, code, "the test case does not offer this"))
}

// accept answers a request of the relay with REQUEST_OK.
func (p *responder) accept(ctx context.Context, r *moqt.Request, what string) bool {
	err := r.Accept(ctx, &wire.RequestOK{})
	p.note(r, what, "accepted", err)
	return err == nil
}

// note records a request that no case waited for, and its answer.
func (p *responder) note(r *moqt.Request, what, answer string, err error) {
	if what != "" {
		what = " (" + what + ")"
	}
	if err != nil {
		answer = "not answered: " + err.Error()
	}
	p.s.e.Note("%s: the relay sent %s%s; %s", p.s.Role, wire.NameOf(r.Session().Draft(), r.Message()), what, answer)
}

// drain reads what follows on an accepted request until the request is over, and accepts its updates.
func (p *responder) drain(ctx context.Context, r *moqt.Request) {
	for {
		m, err := r.Next(ctx)
		if err != nil {
			return
		}
		if u, ok := m.(*wire.RequestUpdate); ok {
			if r.AcceptUpdate(ctx, u, &wire.RequestOK{}) != nil {
				return
			}
		}
	}
}

// fetch finds the track of an incoming FETCH: by its name, or by the subscription that it joins.
func (p *responder) fetch(ctx context.Context, r *moqt.Request) {
	asked, err := r.FetchRange()
	if err != nil {
		p.refuse(ctx, r, moqt.RejectInvalidRange, err.Error())
		return
	}
	ns, name := asked.TrackNamespace, asked.TrackName
	if j := asked.Joining; j != nil {
		if j.Target == nil {
			p.refuse(ctx, r, moqt.RejectInvalidJoiningRequestID, fmt.Sprintf("joining request %d", j.RequestID))
			return
		}
		ns, name = j.Target.TrackNamespace(), j.Target.TrackName()
	}
	if t := p.track(ns, name); t != nil {
		t.fetched(r, asked)
		return
	}
	p.refuse(ctx, r, moqt.RejectDoesNotExist, fullName(ns, name))
}

// namespaceSubscription answers SUBSCRIBE_NAMESPACE. An endpoint that accepts it must send NAMESPACE for each matching
// namespace (draft-16 §6.2, draft-18 §6.2, draft-22 §4.2). Up to 15 that is PUBLISH_NAMESPACE, which the cases send
// anyway.
func (p *responder) namespaceSubscription(ctx context.Context, r *moqt.Request, m *wire.SubscribeNamespace) {
	p.mu.Lock()
	for _, q := range p.prefixes {
		if q.HasPrefix(m.Prefix) || m.Prefix.HasPrefix(q) {
			p.mu.Unlock()
			p.refuse(ctx, r, moqt.RejectPrefixOverlap, fmt.Sprintf("prefix %q", m.Prefix))
			return
		}
	}
	p.prefixes = append(p.prefixes, m.Prefix)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.prefixes = slices.DeleteFunc(p.prefixes, m.Prefix.Equal)
	}()
	if !p.accept(ctx, r, fmt.Sprintf("prefix %q", m.Prefix)) {
		return
	}
	d := r.Session().Draft()
	if d <= wire.Draft15 || d <= wire.Draft17 && m.Options == wire.SubscribePublishes {
		p.drain(ctx, r)
		return
	}
	var wait sync.WaitGroup
	defer wait.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wait.Add(1)
	go func() {
		defer wait.Done()
		defer cancel()
		if o := guard(func() error { p.drain(ctx, r); return nil }); o != nil {
			p.s.e.abort(o)
		}
	}()
	p.sendNamespaces(ctx, r, m.Prefix)
}

// sendNamespaces sends the relay the namespaces under a prefix, and every change of them, until ctx ends.
func (p *responder) sendNamespaces(ctx context.Context, r *moqt.Request, prefix wire.TrackNamespace) {
	var told []wire.TrackNamespace
	for {
		p.mu.Lock()
		changed := p.changed.wait()
		var now []wire.TrackNamespace
		for _, ns := range p.namespaces {
			if ns.HasPrefix(prefix) {
				now = append(now, ns)
			}
		}
		p.mu.Unlock()
		for _, ns := range now {
			if !slices.ContainsFunc(told, ns.Equal) && r.Send(ctx, &wire.Namespace{Suffix: ns[len(prefix):]}) != nil {
				return
			}
		}
		for _, ns := range told {
			if !slices.ContainsFunc(now, ns.Equal) &&
				r.Send(ctx, &wire.NamespaceDone{Suffix: ns[len(prefix):]}) != nil {
				return
			}
		}
		told = now
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// expectPublishes passes the relay's PUBLISHes of this run's namespaces to the case from now on. All others are
// refused, since a relay may offer tracks unasked.
func (p *responder) expectPublishes() <-chan *moqt.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.publishes == nil {
		p.publishes = make(chan *moqt.Request)
	}
	return p.publishes
}

// expected passes a PUBLISH to the case. It reports false when the case waits for none.
func (p *responder) expected(ctx context.Context, r *moqt.Request) bool {
	p.mu.Lock()
	to := p.publishes
	p.mu.Unlock()
	if to == nil || !r.TrackNamespace().HasPrefix(p.s.e.Namespace()) {
		return false
	}
	select {
	case to <- r:
	case <-ctx.Done():
	}
	return true
}

// broadcast wakes everybody who waits for a change. It is guarded by the mutex of what changes.
type broadcast struct{ c chan struct{} }

func newBroadcast() broadcast { return broadcast{make(chan struct{})} }

// wait gives a channel that the next fire closes.
func (b *broadcast) wait() <-chan struct{} { return b.c }

func (b *broadcast) fire() {
	close(b.c)
	b.c = make(chan struct{})
}
