// Package reference is a relay for Media over QUIC Transport, drafts 14 to 22, from any of them to any other. It serves
// namespaces, subscriptions with one upstream subscription per track and publisher, subgroup streams and datagrams. A
// bounded cache answers fetches, joins and fills. The relay can be told to misbehave in named ways (Faults), to show
// that a test notices.
//
// The cache is the log of each track (trackLog). Publishers append to it, subscribers follow it with cursors, and
// fetches read from it. A subscriber that is too slow loses its place there and holds nobody up.
package reference

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Relay is a relay. All methods are safe for concurrent use.
type Relay struct {
	opts     Options
	limits   Limits
	faults   faultSet
	faulty   bool // any, or a quirk of objects
	keyed    keyedFaults
	quirks   quirkSet
	aliases  atomic.Uint64 // that a quirk has given
	log      *slog.Logger
	counters Counters
	account  *moqt.Account // of all that clients make the relay hold
	classes  classes
	// handshakes are those of the listener; who gives the relay connections by other means has none.
	handshakes handshakes
	uplink     *uplink // nil without a parent
	cache      *cache
	slots      slots
	serial     atomic.Uint64 // of sessions

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup // everything that Close joins

	mu         sync.Mutex
	closed     bool
	goaway     *wire.Goaway      // what Shutdown tells everybody
	tracks     map[string]*track // by full track name
	sweepAt    int
	forgetting bool // forgetOrphans runs
	peers      map[*peer]struct{}
	left       chan struct{} // closed when the next session has ended
	namespaces tree[*announcement]
	admission  admission
	published  tree[*publication] // tracks that came by PUBLISH
	wanting    tree[*namespaceSubscriber]
	tracking   tree[*tracksSubscriber]
	// firstOf is the first publisher of a namespace, announced how often it was published; only faults use them.
	firstOf   map[string]*peer
	announced map[string]int
}

// New makes a relay. It fails if the Options name an unknown fault or quirk.
func New(opts Options) (*Relay, error) {
	faults, keyed, err := parseFaults(opts.Faults)
	if err != nil {
		return nil, err
	}
	quirks, err := parseQuirks(opts.Quirks)
	if err != nil {
		return nil, err
	}
	quirks.quirkyLimits(&opts.Limits)
	r := &Relay{
		opts: opts, limits: opts.Limits.withDefaults(), faults: faults, keyed: keyed, quirks: quirks,
		faulty: len(opts.Faults) > 0 || quirks.quirkyObjects(), log: opts.Logger,
		tracks: make(map[string]*track), sweepAt: 1024, peers: make(map[*peer]struct{}), left: make(chan struct{}),
		admission: admission{addresses: make(map[netip.Addr]int)},
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.opts.Implementation == "" {
		r.opts.Implementation = DefaultImplementation
	}
	r.slots.few, r.slots.session, r.slots.all = min(fewStreams, r.limits.Streams), r.limits.Streams, r.limits.AllStreams
	r.account = moqt.NewAccount(r.limits.MemoryBytes)
	r.cache = newCache(r.limits, &r.counters, r.account)
	r.account.OnFull(r.cache.giveWay)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	if r.uplink = r.newUplink(opts.Parent); r.uplink != nil {
		r.tasks.Go(r.uplink.run)
	}
	return r, nil
}

// Counters returns the relay's counters. They go on counting.
func (r *Relay) Counters() *Counters { return &r.counters }

// ServeConn serves one connection until its session ends, ctx ends or the relay is closed, and then closes the
// connection. The error says why the session could not be set up, or how it ended; nil when it ended well.
func (r *Relay) ServeConn(ctx context.Context, conn transport.Conn) error {
	ctx, g, done, err := r.begin(ctx, conn.Info(), func(reason string) {
		conn.CloseWithError(uint64(wire.InternalError), reason)
	})
	if err != nil {
		conn.CloseWithError(uint64(wire.InternalError), err.Error())
		return err
	}
	defer done()
	if spoilt, err := r.spoilSetup(ctx, conn); spoilt {
		return err
	}
	if r.faults[closeCodeWrong] {
		conn = miscoder{conn}
	}
	if r.faults.watchesStreams() {
		conn = &spoiltStreams{Conn: conn, faults: &r.faults}
	}
	if r.faults.retypes() {
		conn = retyper{conn, r.faults.retype, r.faults.unended}
	}
	conn, sent := r.quirks.oddly(conn)
	defer sent()
	cfg := moqt.Config{
		Drafts: r.opts.Drafts, Implementation: r.opts.Implementation, MaxAuthTokenCacheSize: 4096,
		Decode: r.opts.Decode, Limits: r.limits.Session, Account: r.account,
		Panicked: func(value any, stack []byte) { r.panicked(conn.Info(), value, stack) },
	}
	if r.opts.Trace != nil {
		cfg.Trace = r.opts.Trace(conn)
	}
	if r.faults[implementationUnsaid] {
		cfg.Implementation = ""
	}
	if r.faults[setupOptionCloses] {
		cfg.CheckSetup = refusesSetup
	}
	if r.faults[noRequestIDs] {
		cfg.FixedRequestLimit = true
		cfg.SetupOptions = wire.Properties{{Type: wire.OptionMaxRequestID}}
	}
	if d, ok := transport.NegotiatedDraft(conn.Info()); ok && d >= wire.Draft19 && r.limits.FilterRanges > 0 {
		cfg.SetupOptions = append(cfg.SetupOptions, wire.Property{Type: wire.OptionMaxFilterRanges,
			Uint: uint64(r.limits.FilterRanges)})
	}
	conn = r.spoilBreaches(conn, &cfg)
	r.quirkySetup(ctx, conn, &cfg)
	setup, cancel := context.WithTimeout(ctx, r.limits.Setup)
	defer cancel()
	s, err := moqt.Server(setup, conn, cfg)
	if err != nil {
		r.counters.SetupFailed.Add(1)
		conn.CloseWithError(uint64(wire.InternalError), "setup failed")
		r.log.Info("session not set up", "address", address(conn.Info()), "connection", connectionID(conn.Info()),
			"error", err)
		return err
	}
	return r.serve(ctx, g, s)
}

// Serve serves a session that is set up, without Config.Handler, until it ends, ctx ends or the relay is closed.
func (r *Relay) Serve(ctx context.Context, s *moqt.Session) error {
	ctx, g, done, err := r.begin(ctx, s.Conn().Info(), func(reason string) { s.Abort(wire.InternalError, reason) })
	if err != nil {
		s.Close(wire.InternalError, err.Error())
		return err
	}
	defer done()
	return r.serve(ctx, g, s)
}

func (r *Relay) serve(ctx context.Context, g *guest, s *moqt.Session) error {
	p := r.newPeer(s)
	p.guest = g
	if r.opts.RequireToken == "" || p.trusted {
		if err := r.admit(g); err != nil {
			s.Close(wire.InternalError, err.Error())
			return err
		}
	}
	p.measures.sessions.Add(1)
	log := r.log.With("session", p.id)
	info := s.Conn().Info()
	log.Info("session begins", "draft", s.Draft().String(), "transport", string(info.Kind), "address", address(info),
		"connection", connectionID(info), "implementation", s.PeerImplementation())
	err := p.run(ctx)
	if err == nil {
		log.Info("session ends")
	} else {
		log.Info("session ends", "cause", err)
	}
	return err
}

// panicked logs a panic, which ends the session that it came of and no other.
func (r *Relay) panicked(info transport.Info, value any, stack []byte) {
	r.log.Error("panic: the session ends", "address", address(info), "connection", connectionID(info), "panic", value,
		"stack", string(stack))
}

// address is the client's address, "" if there is none.
func address(info transport.Info) string {
	if info.RemoteAddr == nil {
		return ""
	}
	return info.RemoteAddr.String()
}

// connectionID is the connection id in the name of the connection's log file.
func connectionID(info transport.Info) string {
	return hex.EncodeToString(info.OriginalDestinationConnectionID)
}

// Close ends all sessions with NO_ERROR. When it returns, everything that the relay runs has ended.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.tasks.Wait()
}

// Shutdown sends every client GOAWAY, waits until all have left or ctx ends, and closes. The error says how many had
// not left when ctx ended.
func (r *Relay) Shutdown(ctx context.Context) error {
	g := &wire.Goaway{}
	if deadline, ok := ctx.Deadline(); ok {
		g.Timeout = uint64(max(0, time.Until(deadline).Milliseconds()))
	}
	r.mu.Lock()
	r.goaway = g // for those who come from now on
	peers := slices.Collect(maps.Keys(r.peers))
	r.mu.Unlock()
	var leaving sync.WaitGroup
	for _, p := range peers {
		leaving.Go(func() { p.goaway(ctx, g) })
	}
	leaving.Wait()
	stayed := r.empty(ctx) // there may be some that were being set up
	r.Close()
	if stayed > 0 {
		return fmt.Errorf("%d sessions were closed: %w", stayed, context.Cause(ctx))
	}
	return nil
}

// empty waits until there is no session left, or ctx ends. In the second case it says how many are left.
func (r *Relay) empty(ctx context.Context) (stayed int64) {
	for {
		r.mu.Lock()
		left := r.left
		r.mu.Unlock()
		if stayed = r.counters.Sessions.Load(); stayed == 0 {
			return 0
		}
		select {
		case <-left:
		case <-ctx.Done():
			return stayed
		}
	}
}

// use counts one more user of a track that is in use.
func (r *Relay) use(t *track) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.users++
}
