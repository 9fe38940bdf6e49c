package reference

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// peer is one session with a client.
type peer struct {
	relay       *Relay
	session     *moqt.Session
	id          uint64
	ctx         context.Context // ends when the session has ended, or is to end
	cancel      context.CancelFunc
	tasks       sync.WaitGroup // its requests
	account     *moqt.Account  // the session's
	scheduler   scheduler
	measures    *measures // those of its draft and transport
	guest       *guest
	announcedAt time.Time // of the last PUBLISH_NAMESPACE; only a fault uses it
	// trusted: the client's SETUP carried the token that the relay requires.
	trusted bool
	// uplink is set for the session with the relay's parent, nil for those with clients.
	uplink *uplink
	// scope is what the namespaces of its requests must begin with, see Options.PathScopes; nil means no bound.
	scope wire.TrackNamespace

	// open is the number of the session's streams, starved the subscribers that wait for one; see slots.
	open    int
	starved []*subscriber
	// ready counts the streams that wait to be opened.
	ready atomic.Int64
	// sent counts objects, served requests; only faults and quirks use them.
	sent, served atomic.Int64

	mu            sync.Mutex
	subscriptions int
	publishing    int
	subscribed    map[string][]*moqt.Request     // by full track name
	requests      map[*moqt.Request]*established // its SUBSCRIBEs, and our PUBLISHes
	arrival       chan struct{}                  // closed at the next of them
	prefixes      map[wire.Kind][]wire.TrackNamespace
}

// established is a subscription that a joining FETCH may name. ready is closed when sub is set, or when there will be
// no subscription.
type established struct {
	ready chan struct{}
	once  sync.Once
	sub   *subscriber
}

func (r *Relay) newPeer(s *moqt.Session) *peer {
	p := &peer{
		relay: r, session: s, account: s.Account(), id: r.serial.Add(1), subscribed: make(map[string][]*moqt.Request),
		requests: make(map[*moqt.Request]*established), arrival: make(chan struct{}),
		prefixes: make(map[wire.Kind][]wire.TrackNamespace),
	}
	p.scheduler.limit, p.scheduler.unranked = r.limits.Writing, r.faults[priorityIgnored]
	p.scheduler.account = p.account
	p.measures = r.classes.get(class{s.Draft(), s.Conn().Info().Kind})
	p.ctx, p.cancel = context.WithCancel(s.Context())
	p.trusted = p.knows(s.AuthTokens())
	if r.opts.PathScopes {
		p.scope = scopeOf(s.Path())
	}
	return p
}

// run serves requests until the session ends.
func (p *peer) run(ctx context.Context) error {
	r := p.relay
	defer onDone(ctx, p.cancel)()
	r.mu.Lock()
	r.peers[p] = struct{}{}
	leave := r.goaway
	r.mu.Unlock()
	if leave != nil {
		p.tasks.Go(func() { p.goaway(p.ctx, leave) })
	}
	defer func() {
		r.mu.Lock()
		delete(r.peers, p)
		r.mu.Unlock()
	}()
	defer p.tasks.Wait()
	defer p.cancel()
	p.spoilSession()
	p.quirkySession()
	for {
		req, err := p.session.AcceptRequest(p.ctx)
		if err != nil {
			break
		}
		r.counters.Requests.Add(1)
		if req.Kind() == wire.KindSubscribe {
			p.register(req) // before a FETCH behind it is served
		}
		p.tasks.Go(func() {
			p.guard(func() { p.handle(req) })
			p.settle(req, nil)
		})
	}
	p.cancel()
	p.session.Close(wire.NoError, "the relay is shutting down") // only waits when the session has ended
	cause := context.Cause(p.session.Context())
	var end *moqt.SessionError
	if errors.As(cause, &end) && end.Side != wire.NoSide && end.Code == wire.NoError {
		return nil
	}
	return cause
}

// guard runs f, which serves the client. A panic in it ends the session.
func (p *peer) guard(f func()) {
	defer func() {
		if value := recover(); value != nil {
			p.relay.panicked(p.session.Conn().Info(), value, debug.Stack())
			p.session.Abort(wire.InternalError, "internal error")
		}
	}()
	f()
}

// goaway tells the client to leave, and waits until it has left or ctx ends.
func (p *peer) goaway(ctx context.Context, g *wire.Goaway) {
	if err := p.session.Goaway(ctx, g); err != nil {
		p.relay.log.Debug("GOAWAY not sent", "session", p.id, "error", err)
	}
	select {
	case <-p.session.Context().Done():
	case <-ctx.Done():
	}
}

// leaving reports whether the client has sent GOAWAY, so that it should be asked for nothing more (draft-18 §10.4).
func (p *peer) leaving() bool {
	select {
	case <-p.session.PeerGoaway():
		return !p.relay.faults[goawayNotHeeded]
	default:
		return false
	}
}

// handle serves one request to its end.
func (p *peer) handle(req *moqt.Request) {
	r := p.relay
	r.log.Info("request", "session", p.id, "kind", req.Kind().String(), "id", req.ID(), "namespace",
		req.TrackNamespace().String(), "track", req.TrackName())
	if p.spoilRequest(req) {
		return
	}
	err := p.quirkyRequest(req)
	if err == nil {
		err = p.check(req)
	}
	cost := costOf(req)
	if err == nil && !p.account.Take(heldTasks, cost) {
		err = refuse(moqt.RejectExcessiveLoad, "the relay holds too much for the session")
	} else if err == nil {
		defer p.account.Give(heldTasks, cost)
		switch req.Kind() {
		case wire.KindSubscribe:
			err = p.subscribe(req)
		case wire.KindPublish:
			err = p.publish(req)
		case wire.KindFetch:
			err = p.fetch(req)
			p.spoilFetched(context.Cause(req.Context()))
		case wire.KindTrackStatus:
			err = p.trackStatus(req)
		case wire.KindPublishNamespace:
			err = p.publishNamespace(req)
		case wire.KindSubscribeNamespace:
			err = p.subscribeNamespace(req)
		case wire.KindSubscribeTracks:
			err = p.subscribeTracks(req)
		default:
			err = refuse(moqt.RejectNotSupported, "%s is not supported", req.Kind())
		}
	}
	var no *refusal
	if !errors.As(err, &no) {
		r.log.Debug("request ended", "session", p.id, "kind", req.Kind().String(), "id", req.ID(), "error", err)
		return
	}
	no, options := r.quirkyRefusal(req.Context(), r.spoilRefusal(no))
	r.counters.Refused.Add(1)
	r.log.Info("request refused", "session", p.id, "kind", req.Kind().String(), "id", req.ID(), "reason", no.reason)
	if err := req.Reject(req.Context(), no.code, no.reason, options...); err != nil && req.Context().Err() == nil {
		r.log.Info("refusal not sent", "session", p.id, "error", err)
	}
	p.spoilBehindRefusal(req)
}

// check refuses a request of any kind that this client must not make.
func (p *peer) check(req *moqt.Request) error {
	r, d := p.relay, p.session.Draft()
	if r.opts.RequireToken != "" && !p.trusted {
		if !p.knows(req.Tokens()) {
			return refuse(moqt.RejectUnauthorized, "a token is required")
		}
		if err := r.admit(p.guest); err != nil {
			return refuse(moqt.RejectExcessiveLoad, "%v", err)
		}
	}
	ns := req.TrackNamespace()
	if r.uplink.cameBack(ns) {
		return refuse(moqt.RejectDoesNotExist, "the request has come back to the relay that it is from")
	}
	switch req.Kind() {
	case wire.KindSubscribe, wire.KindFetch, wire.KindTrackStatus:
		if p.uplink != nil && !joins(req) && !r.provides(ns, req.TrackName()) {
			return refuse(moqt.RejectDoesNotExist, "nobody publishes this track here")
		}
	}
	if !joins(req) {
		if err := p.within(ns); err != nil {
			return err
		}
	}
	if d >= wire.Draft18 && len(ns) > 0 && (ns[0] == "." || ns[0] == ".session") { // draft-18 §3.2
		switch req.Kind() {
		case wire.KindSubscribe, wire.KindFetch, wire.KindTrackStatus, wire.KindPublish, wire.KindPublishNamespace:
			return refuse(moqt.RejectDoesNotExist, "the namespace is reserved, and empty here")
		}
	}
	return nil
}

// knows reports whether one of the tokens is the one required.
func (p *peer) knows(tokens []wire.Token) bool {
	for _, t := range tokens {
		if string(t.Value) == p.relay.opts.RequireToken {
			return true
		}
	}
	return false
}

// subscribes counts a new subscription or fetch; the error is a *refusal. unsubscribed counts one that has ended.
func (p *peer) subscribes() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.subscriptions >= p.relay.limits.Subscriptions {
		return refuse(moqt.RejectExcessiveLoad, "the session is at its limit of %d subscriptions",
			p.relay.limits.Subscriptions)
	}
	p.subscriptions++
	return nil
}

func (p *peer) unsubscribed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscriptions--
}

// publishes counts a newly published namespace or track; the error is a *refusal. unpublished counts one that has
// ended.
func (p *peer) publishes() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.publishing >= p.relay.limits.Namespaces {
		return refuse(moqt.RejectExcessiveLoad, "the session is at its limit of %d published namespaces and tracks",
			p.relay.limits.Namespaces)
	}
	p.publishing++
	return nil
}

func (p *peer) unpublished() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publishing--
}

// holds notes that the session subscribes to a track. Up to 18 two subscriptions to one track are an error, from 16 on
// DUPLICATE_SUBSCRIPTION (draft-16 §5.1); in 14 and 15 package moqt closes the session. In 17 and 18 the earlier
// subscription may be over already, since its cancellation and the new SUBSCRIBE are on different streams; patience is
// how long to wait for that.
func (p *peer) holds(ctx context.Context, key string, req *moqt.Request, patience time.Duration) error {
	d := p.session.Draft()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		p.mu.Lock()
		earlier := p.subscribesTo(key)
		if earlier == nil || d > wire.Draft18 || p.relay.faults[duplicateAccepted] {
			p.subscribed[key] = append(p.subscribed[key], req)
			p.mu.Unlock()
			return nil
		}
		p.mu.Unlock()
		again := refuse(moqt.RejectDuplicateSubscription, "the session has a subscription to this track")
		if d < wire.Draft17 {
			return again
		}
		select {
		case <-earlier.Context().Done():
		case <-timer.C:
			return again
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// subscribesTo gives a subscription of the session to a track that has not ended; nil if there is none. The caller
// holds mu.
func (p *peer) subscribesTo(key string) *moqt.Request {
	for _, r := range p.subscribed[key] {
		if r.Context().Err() == nil {
			return r
		}
	}
	return nil
}

// drops notes that a subscription is over, or will be with our next message on it.
func (p *peer) drops(key string, req *moqt.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscribed[key] = slices.DeleteFunc(p.subscribed[key], func(r *moqt.Request) bool { return r == req })
	if len(p.subscribed[key]) == 0 {
		delete(p.subscribed, key)
	}
}

// register notes a request that a joining FETCH may name.
func (p *peer) register(req *moqt.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests[req] = &established{ready: make(chan struct{})}
	close(p.arrival)
	p.arrival = make(chan struct{})
}

// settle notes the outcome of a registered request: a subscription, or nil if there is none or it has ended.
func (p *peer) settle(req *moqt.Request, s *subscriber) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.requests[req]
	if e == nil {
		return
	}
	e.once.Do(func() {
		e.sub = s
		close(e.ready)
	})
	if s == nil {
		delete(p.requests, req)
	}
}

// overtaken is how long something on one stream waits for what was sent before it on another stream and may arrive
// later (from 17 on): a joining FETCH for its SUBSCRIBE, a SUBSCRIBE for the end of the earlier one.
const overtaken = 200 * time.Millisecond

// joinable finds the subscription that a joining FETCH names, and waits until it is established; nil if there is none.
func (p *peer) joinable(ctx context.Context, fetch *moqt.Request) *subscriber {
	timer := time.NewTimer(overtaken)
	defer timer.Stop()
	for {
		p.mu.Lock()
		arrival := p.arrival
		p.mu.Unlock()
		asked, err := fetch.FetchRange()
		if err != nil || asked.Joining == nil {
			return nil
		}
		if target := asked.Joining.Target; target != nil || p.session.Draft() <= wire.Draft16 {
			return p.awaitSubscriber(ctx, target)
		}
		select {
		case <-arrival:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// awaitSubscriber waits until a request has become a subscription; nil if it has not in time.
func (p *peer) awaitSubscriber(ctx context.Context, req *moqt.Request) *subscriber {
	p.mu.Lock()
	e := p.requests[req]
	p.mu.Unlock()
	if e == nil {
		return nil
	}
	select {
	case <-e.ready:
		return e.sub
	case <-ctx.Done():
		return nil
	}
}
