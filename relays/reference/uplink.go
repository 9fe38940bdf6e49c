package reference

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Parent is another relay that this one is a client of. It is asked for tracks that nobody publishes here. Namespaces
// and tracks that are published here are published there too, and those that are published there can be discovered
// here.
type Parent struct {
	// Name stands in the log: the URL, for instance.
	Name string
	// Dial makes a connection. Its error is logged, and it is called again later.
	Dial func(context.Context) (transport.Conn, error)
	// Path and Authority go into SETUP, see moqt.Config.
	Path, Authority string
	// Token, if not "", goes into SETUP as an AUTHORIZATION_TOKEN of type 0.
	Token string
	// Backoff and MaxBackoff are how long the relay waits before it dials again: at first, and at most, as the time
	// doubles. Up to half of it is added by chance. Defaults 500 ms and 30 s.
	Backoff, MaxBackoff time.Duration
}

const (
	// proven is how long a session has to last for the next loss to begin with Parent.Backoff again.
	proven = 10 * time.Second
	// probing bounds the search for a loop.
	probing = 2 * time.Second
	// maxFollowed bounds the prefixes that are followed at the parent.
	maxFollowed = 1024
)

// uplink is the relay's side towards its parent.
type uplink struct {
	relay  *Relay
	parent Parent
	// loop are the namespaces in which this relay asks its parent for a track to see if the question comes back.
	loop wire.TrackNamespace
	// looped is told that it did.
	looped chan struct{}

	// The relay's lock guards these. peer is the session, nil while there is none; ready: it may be asked for tracks.
	peer  *peer
	ready bool
	// looping: the last session was closed because it led back here. Then the parent has nothing that is not here.
	looping bool
	// up is told of the namespaces that are published here, offers of the tracks.
	up     *namespaceSubscriber
	offers *tracksSubscriber
	// tasks are what runs for the session beside its requests.
	tasks *sync.WaitGroup
	// followed are the prefixes that are followed at the parent.
	followed []followed
}

// loopField begins the namespaces in which relays look for loops.
const loopField = "moq-interop-client relay loop"

// newUplink makes it; nil without a parent.
func (r *Relay) newUplink(p *Parent) *uplink {
	if p == nil {
		return nil
	}
	u := &uplink{relay: r, parent: *p, looped: make(chan struct{}, 1),
		loop: wire.TrackNamespace{loopField, fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())}}
	def(&u.parent.Backoff, 500*time.Millisecond)
	def(&u.parent.MaxBackoff, 30*time.Second)
	return u
}

// run keeps a session with the parent until the relay is closed.
func (u *uplink) run() {
	r, wait := u.relay, u.parent.Backoff
	for r.ctx.Err() == nil {
		began := time.Now()
		err := u.session(r.ctx)
		if r.ctx.Err() != nil {
			return
		}
		looping := errors.Is(err, errLoop)
		r.mu.Lock()
		u.looping = looping
		r.mu.Unlock()
		switch {
		case looping:
			wait = u.parent.MaxBackoff
		case time.Since(began) > proven:
			wait = u.parent.Backoff
		}
		pause := wait + rand.N(wait/2+1)
		r.log.Warn("no session with the upstream relay", "upstream", u.parent.Name, "error", err,
			"again", pause.Round(time.Millisecond).String())
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-r.ctx.Done():
		}
		timer.Stop()
		wait = min(2*wait, u.parent.MaxBackoff)
	}
}

// errLoop is the cause when what is asked of the parent comes back.
var errLoop = errors.New("the upstream relay leads back to this one")

// session makes a session with the parent and serves it to its end.
func (u *uplink) session(ctx context.Context) error {
	r := u.relay
	dialling, cancel := context.WithTimeout(ctx, r.limits.Setup)
	defer cancel()
	conn, err := u.parent.Dial(dialling)
	if err != nil {
		return err
	}
	cfg := moqt.Config{Implementation: r.opts.Implementation, Path: u.parent.Path, Authority: u.parent.Authority,
		MaxAuthTokenCacheSize: 4096, Decode: r.opts.Decode, Limits: r.limits.Session,
		Account: r.account, Panicked: func(value any, stack []byte) {
			r.log.Error("panic: the session with the upstream relay ends", "panic", value, "stack", string(stack))
		}}
	if d, ok := transport.NegotiatedDraft(conn.Info()); ok && u.parent.Token != "" {
		b, err := wire.AppendToken(nil, d, wire.Token{AliasType: wire.TokenUseValue, Value: []byte(u.parent.Token)})
		if err != nil {
			conn.CloseWithError(uint64(wire.NoError), "")
			return err
		}
		cfg.SetupOptions = wire.Properties{{Type: wire.OptionAuthorizationToken, Bytes: b}}
	}
	s, err := moqt.Client(dialling, conn, cfg)
	if err != nil {
		conn.CloseWithError(uint64(wire.InternalError), "setup failed")
		return err
	}
	p := r.newPeer(s)
	p.uplink, p.trusted, p.scope = u, true, nil
	var tasks sync.WaitGroup
	defer tasks.Wait()
	u.begin(p, &tasks)
	defer u.end(p)
	ctx, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	r.log.Info("session with the upstream relay begins", "upstream", u.parent.Name, "session", p.id,
		"draft", s.Draft().String(), "transport", string(conn.Info().Kind), "implementation", s.PeerImplementation())
	tasks.Go(func() {
		if u.loops(p) {
			lose(errLoop)
			return
		}
		u.serve(p)
	})
	err = p.run(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errLoop) {
		return errLoop
	}
	if err == nil {
		err = errors.New("the upstream relay closed the session")
	}
	return err
}

// begin has others find the session.
func (u *uplink) begin(p *peer, tasks *sync.WaitGroup) {
	u.relay.mu.Lock()
	defer u.relay.mu.Unlock()
	u.peer, u.tasks, u.ready = p, tasks, false
	u.followed = nil
	select {
	case <-u.looped: // of the session before
	default:
	}
}

// end takes away the session and what it published.
func (u *uplink) end(p *peer) {
	r := u.relay
	p.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	u.peer, u.ready, u.up = nil, false, nil
	if u.offers != nil {
		r.tracking.remove(nil, u.offers)
		u.offers = nil
	}
}

// loops asks the parent for a track that nobody publishes, and reports whether the question came back to this relay.
// It goes the way that every other would go, over relays of any make: each one asks on where it knows nothing.
func (u *uplink) loops(p *peer) bool {
	ctx, cancel := context.WithTimeout(p.ctx, min(probing, u.relay.limits.Fetch))
	defer cancel()
	sub, err := p.session.Subscribe(ctx, &wire.Subscribe{TrackNamespace: u.loop, TrackName: "loop"})
	if err == nil {
		sub.Unsubscribe()
	}
	select {
	case <-u.looped:
		return true
	default:
		return false
	}
}

// cameBack reports whether a request is this relay's own, which looks for a loop.
func (u *uplink) cameBack(ns wire.TrackNamespace) bool {
	if u == nil || !ns.Equal(u.loop) {
		return false
	}
	select {
	case u.looped <- struct{}{}:
	default:
	}
	return true
}

// serve has the parent asked for tracks from now on, tells it what is published here, and follows what is published
// there.
func (u *uplink) serve(p *peer) {
	r := u.relay
	accepted := make(chan struct{})
	close(accepted)
	up := &namespaceSubscriber{peer: p, ctx: p.ctx, giveUp: p.cancel, signal: make(chan struct{}, 1)}
	offers := &tracksSubscriber{peer: p, ctx: p.ctx, accepted: accepted,
		parameters: wire.Parameters{{Type: wire.ParamForward, Uint: 0}}}
	r.mu.Lock()
	if u.peer != p {
		r.mu.Unlock()
		return
	}
	u.ready, u.up, u.offers = true, up, offers
	r.trackFrom(offers)
	r.namespaces.below(nil, func(ns wire.TrackNamespace, there []*announcement) {
		if byClient(there) {
			up.push(event{ns, false})
		}
	})
	var follow []followed
	r.wanted(func(prefix wire.TrackNamespace, tracks bool) {
		follow = append(follow, followed{tracks: tracks, prefix: prefix})
	})
	tracks := r.inUse(nil)
	u.tasks.Go(up.tell)
	r.mu.Unlock()
	for _, t := range tracks {
		t.published() // who waits for a publisher asks the parent
		r.release(t)
	}
	for _, f := range follow {
		u.want(f.prefix, f.tracks)
	}
}

// wantAtParent follows a prefix at the parent, if there is one.
func (r *Relay) wantAtParent(prefix wire.TrackNamespace, namespaces, tracks bool) {
	if namespaces {
		r.uplink.want(prefix, false)
	}
	if tracks {
		r.uplink.want(prefix, true)
	}
}

// followed is a prefix that is followed at the parent.
type followed struct {
	tracks bool // what comes by PUBLISH, and not namespaces
	prefix wire.TrackNamespace
	stop   context.CancelFunc
}

// want follows a prefix at the parent because somebody here does, unless a prefix of it is followed already. tracks are
// those that come by PUBLISH; up to 17 they have no request of their own.
func (u *uplink) want(prefix wire.TrackNamespace, tracks bool) {
	if u == nil {
		return
	}
	u.relay.mu.Lock()
	defer u.relay.mu.Unlock()
	if !u.ready {
		return
	}
	p, d := u.peer, u.peer.session.Draft()
	tracks = tracks && d >= wire.Draft18
	if len(prefix) == 0 && d <= wire.Draft15 || slices.ContainsFunc(u.followed, func(f followed) bool {
		return f.tracks == tracks && prefix.HasPrefix(f.prefix)
	}) {
		return
	}
	u.followed = slices.DeleteFunc(u.followed, func(f followed) bool {
		narrower := f.tracks == tracks && f.prefix.HasPrefix(prefix)
		if narrower { // two that overlap are refused (draft-18 §10.18)
			f.stop()
		}
		return narrower
	})
	if len(u.followed) >= maxFollowed {
		u.relay.log.Warn("too many prefixes to follow at the upstream relay", "prefix", prefix.String())
		return
	}
	ctx, stop := context.WithCancel(p.ctx)
	f := followed{tracks, slices.Clone(prefix), stop}
	u.followed = append(u.followed, f)
	u.tasks.Go(func() {
		defer stop()
		u.follow(ctx, p, f)
	})
}

// follow takes over what is published under a prefix at the parent, until ctx ends.
func (u *uplink) follow(ctx context.Context, p *peer, f followed) {
	for tries := 0; ; tries++ {
		var err error
		if f.tracks {
			err = u.followTracks(ctx, p, f.prefix)
		} else {
			err = u.followNames(ctx, p, f.prefix)
		}
		if ctx.Err() != nil || err == nil {
			return
		}
		var no *moqt.RequestError
		if !errors.As(err, &no) || no.Name != string(wire.NamePrefixOverlap) || tries == crossings {
			u.relay.log.Info("the upstream relay does not tell what is published there", "upstream", u.parent.Name,
				"prefix", f.prefix.String(), "error", err)
			return
		}
		timer := time.NewTimer(parting) // the end of a narrower one may not have come yet
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// followTracks asks for a PUBLISH of each track under a prefix. They come as requests.
func (u *uplink) followTracks(ctx context.Context, p *peer, prefix wire.TrackNamespace) error {
	sub, err := p.session.SubscribeTracks(ctx, prefix, wire.Parameters{{Type: wire.ParamForward, Uint: 0}})
	if err != nil {
		return err
	}
	defer sub.Close()
	select {
	case <-ctx.Done():
		return nil
	case <-sub.Request().Context().Done():
		return context.Cause(sub.Request().Context())
	}
}

// followNames announces the namespaces under a prefix here. Up to 17 tracks come as requests beside them.
func (u *uplink) followNames(ctx context.Context, p *peer, prefix wire.TrackNamespace) error {
	r := u.relay
	m := &wire.SubscribeNamespace{Prefix: prefix, Options: wire.SubscribeBoth} // from 18 on without options
	if d := p.session.Draft(); d == wire.Draft16 || d == wire.Draft17 {
		m.Parameters.SetUint(wire.ParamForward, 0) // objects come when somebody wants them
	}
	sub, err := p.session.StartSubscribeNamespace(ctx, m)
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := sub.Ready(ctx); err != nil {
		return err
	}
	there := make(map[string]*announcement)
	defer func() {
		for _, a := range there {
			r.withdraw(a)
		}
	}()
	for {
		e, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		key := e.Namespace.Key()
		a := there[key]
		switch {
		case e.Done && a != nil:
			delete(there, key)
			r.withdraw(a)
		case !e.Done && a == nil && len(there) < r.limits.Events && !r.publishes(e.Namespace):
			a = &announcement{p, slices.Clone(e.Namespace)}
			there[key] = a
			r.announce(a)
		}
	}
}

// byClient reports whether one of these who have announced a namespace is not the parent.
func byClient(there []*announcement) bool {
	return slices.ContainsFunc(there, func(a *announcement) bool { return a.peer.uplink == nil })
}

// publishes reports whether somebody but the parent has announced a namespace.
func (r *Relay) publishes(ns wire.TrackNamespace) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return byClient(r.namespaces.at(ns))
}

// provides reports whether somebody but the parent publishes a track: only then can the parent have it from here.
func (r *Relay) provides(ns wire.TrackNamespace, name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if byClient(r.namespaces.prefixes(ns)) {
		return true
	}
	t := r.tracks[ns.Join(name).Key()]
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := range t.coming {
		if p.uplink == nil {
			return true
		}
	}
	return slices.ContainsFunc(t.upstreams, func(u *upstream) bool { return u.peer.uplink == nil })
}

// parentOf adds the parent to those who publish a namespace, if nobody here does. The caller holds the relay's lock.
func (u *uplink) parentOf(ns wire.TrackNamespace, there []*peer) []*peer {
	local := slices.DeleteFunc(there, func(p *peer) bool { return p.uplink != nil })
	if u == nil || len(local) > 0 || u.peer == nil || u.peer.ctx.Err() != nil || ns.Equal(u.loop) {
		return local
	}
	if u.ready || len(ns) > 0 && ns[0] == loopField {
		return []*peer{u.peer}
	}
	return nil
}

// nobody is the refusal of a request for a track that nobody publishes.
func (r *Relay) nobody() *refusal {
	if u := r.uplink; u != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !u.ready && !u.looping {
			return refuse(moqt.RejectInternalError,
				"nobody here publishes this track, and the upstream relay cannot be asked now")
		}
	}
	return refuse(moqt.RejectDoesNotExist, "nobody publishes this track")
}

// wanted calls f for each prefix that sessions with clients follow. The caller holds the relay's lock.
func (r *Relay) wanted(f func(prefix wire.TrackNamespace, tracks bool)) {
	r.wanting.below(nil, func(ns wire.TrackNamespace, _ []*namespaceSubscriber) { f(slices.Clone(ns), false) })
	r.tracking.below(nil, func(ns wire.TrackNamespace, there []*tracksSubscriber) {
		if slices.ContainsFunc(there, func(ts *tracksSubscriber) bool { return ts.peer.uplink == nil }) {
			f(slices.Clone(ns), true)
		}
	})
}
