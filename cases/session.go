package cases

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Session is one session of a case, in a role. Its responder answers requests that the relay sends unasked. Its verbs
// end the case when they fail. Safe for concurrent use.
type Session struct {
	*moqt.Session
	// Role is the case's name for it.
	Role string

	e     *Env
	info  *SessionInfo
	log   *sessionLog
	peer  *responder
	conn  *traffic
	setup time.Duration // from the first packet to SETUP: a bound of the round trip's order

	readyAt   time.Time // when SETUP was complete
	guardStop func() bool
}

// Dial makes a connection and sets up a session on it, as one step. It ends the case if that fails, or if the case does
// not apply to what was negotiated.
func (e *Env) Dial(ctx context.Context, role string) *Session {
	return e.dial(ctx, role, e.cfg.drafts())
}

// dial is Dial with an offer of its own.
func (e *Env) dial(ctx context.Context, role string, drafts []wire.Draft) *Session {
	defer e.clock.dial()()
	ctx, cancel := e.handshake(ctx)
	defer cancel()
	s := &Session{Role: role, e: e, log: &sessionLog{e: e, role: role}}
	s.peer = newResponder(s)
	began := time.Now()
	conn, info := e.connect(ctx, role, drafts)
	s.info = info
	made := time.Now()

	s.conn = newTraffic(conn)
	s.log.traffic = s.conn
	metered := transport.NewMeter(s.conn)
	var err error
	s.Session, err = moqt.Client(ctx, metered, s.config(drafts))
	if err != nil {
		conn.CloseWithError(uint64(wire.NoError), "") // no effect where the session has closed it
		panic(e.notSetUp(ctx, made, metered, err))
	}
	metered.Stop()
	s.readyAt = time.Now()
	s.setup = s.readyAt.Sub(began)
	e.ready(s)
	if d := s.Draft(); !e.c.Applies(d) {
		panic(&outcome{status: NotApplicable, reason: fmt.Sprintf("exists in %s; negotiated: %s", e.c.DraftRange(), d)})
	}
	return s
}

// handshake bounds making a connection and its setup: by the handshake's own limit, and by the case's end.
func (e *Env) handshake(ctx context.Context) (context.Context, context.CancelFunc) {
	whole, cancel := context.WithTimeoutCause(e.open, e.stretched(handshakeLimit), errLimit)
	stop := context.AfterFunc(ctx, cancel) // the case may end meanwhile
	return whole, func() {
		stop()
		cancel()
	}
}

// connect makes a connection. It ends the case if that fails, or if the case does not exist on the transport.
func (e *Env) connect(ctx context.Context, role string, drafts []wire.Draft) (transport.Conn, *SessionInfo) {
	began := time.Now()
	conn, err := e.cfg.Dial(ctx, role, drafts)
	if err != nil {
		panic(e.notDialled(ctx, began, err))
	}
	e.first.Do(func() { close(e.connected) })
	info := conn.Info()
	about := &SessionInfo{Role: role}
	e.mu.Lock()
	about.fill(info)
	e.infos = append(e.infos, about)
	e.mu.Unlock()
	for _, note := range info.Notes {
		e.transcript.add(time.Now(), role, note)
	}
	if !e.c.appliesTo(info.Kind) {
		conn.CloseWithError(uint64(wire.NoError), "")
		panic(&outcome{status: NotApplicable, reason: fmt.Sprintf("does not exist on %s", info.Kind)})
	}
	if e.c.Lags && info.ReadsAhead {
		conn.CloseWithError(uint64(wire.NoError), "")
		panic(&outcome{status: NotApplicable, reason: "it needs a slow subscriber, and this transport (a " +
			"browser's) takes what comes whether or not it is read"})
	}
	return conn, about
}

// fill sets what is known before SETUP. Draft 14's ALPN is that of every draft up to 14, so only SETUP tells these
// apart.
func (i *SessionInfo) fill(info transport.Info) {
	i.Transport, i.ALPN, i.WebTransportProtocol = info.Kind, info.ALPN, info.Protocol
	i.QLOG = info.LogFile
	i.ConnectionID = hex.EncodeToString(info.OriginalDestinationConnectionID)
	if d, ok := transport.NegotiatedDraft(info); ok && d > wire.Draft14 {
		i.setDraft(d)
	}
}

func (i *SessionInfo) setDraft(d wire.Draft) {
	i.Draft, i.Version = d, fmt.Sprintf("moqt-%d", uint8(d))
}

// ready registers a session whose SETUP is complete.
func (e *Env) ready(s *Session) {
	e.mu.Lock()
	s.info.setDraft(s.Draft())
	s.info.Implementation, s.info.Ready = s.PeerImplementation(), true
	e.sessions = append(e.sessions, s)
	info := *s.info
	e.mu.Unlock()
	s.guardStop = s.guardLoss()
	if e.cfg.OnSession != nil {
		e.onSession.Lock()
		defer e.onSession.Unlock()
		e.cfg.OnSession(info)
	}
}

// alwaysTolerated are deviations in the requests that a relay sends unasked. No case judges those, so none may fail
// because of them. They are reported like the others.
const alwaysTolerated = wire.EmptyNamespacePrefix

func (s *Session) config(drafts []wire.Draft) moqt.Config {
	e := s.e
	cfg := moqt.Config{
		Drafts: drafts, Implementation: e.cfg.Implementation, IgnoreRequestLimit: e.cfg.NoRequestLimit,
		MaxRequestID: 2 * e.c.Requests, SetupOptions: e.c.Setup,
		Path: e.cfg.URL.Path, Authority: e.cfg.URL.Authority,
		// streams may be as late as any step
		Limits: moqt.Limits{Drain: time.Duration(float64(StepLimit) * e.cfg.factor())},
		Decode: wire.Options{Tolerate: e.cfg.Tolerate | alwaysTolerated,
			Tolerated: func(t wire.Tolerance, where string) { e.tolerate(t.String(), where) }},
		Trace: s.log.event,
		Handler: func(r *moqt.Request) {
			if o := guard(func() error { s.peer.serve(r); return nil }); o != nil {
				e.abort(o)
			}
		},
		Panicked: func(value any, stack []byte) { e.abort(panicked(value, stack)) },
	}
	return cfg
}

// notDialled is the failure of a connection that could not be made. began is when the attempt began.
func (e *Env) notDialled(ctx context.Context, began time.Time, err error) *outcome {
	if o, ok := context.Cause(ctx).(*outcome); ok {
		return o
	}
	var dial *transport.DialError
	if !errors.As(err, &dial) {
		dial = &transport.DialError{Layer: transport.LayerUDP, Reason: err.Error(), Err: err}
		if ctx.Err() != nil {
			dial.Reason = fmt.Sprintf("no connection within %s", time.Since(began).Round(time.Millisecond))
		}
	}
	o := classify(dial, 0, dial.Layer, "", nil)
	o.dial = true
	return o
}

// notSetUp is the failure of a connection on which SETUP did not go both ways. made is when the connection was made.
func (e *Env) notSetUp(ctx context.Context, made time.Time, m *transport.Meter, err error) *outcome {
	if o, ok := context.Cause(ctx).(*outcome); ok {
		return o
	}
	info := m.Info()
	draft, _ := transport.NegotiatedDraft(info)
	expected := "SERVER_SETUP"
	if draft >= wire.Draft17 {
		expected = "SETUP from the peer"
	}
	var session *moqt.SessionError
	o := failed(transport.LayerSetup, expected, fmt.Sprintf("%s for %d ms", m.Seen(), time.Since(made).Milliseconds()))
	if ctx.Err() == nil || errors.As(err, new(*moqt.NoStreamError)) || errors.As(err, &session) && !session.Local {
		o = classify(err, draft, transport.LayerSetup, expected, func() string { return m.Seen() })
	}
	if assumed := info.DraftAssumed(); assumed != "" {
		o.received += "; " + assumed
		o.message += "; " + assumed
	}
	return o
}

// Check ends the case as failed unless err is nil. If nothing came in time it says what the peer sent last.
func (s *Session) Check(ctx context.Context, err error, layer transport.Layer, expected string) {
	if err != nil {
		panic(s.e.classify(ctx, err, s, layer, expected))
	}
}

// SettleTime is how long Healthy waits at least. On a path whose round trips are much shorter, anything that a peer
// sends right after its last answer arrives within it.
const SettleTime = 150 * time.Millisecond

// Healthy ends the case as failed if the session has ended, or ends within a moment: how a peer reacts to the last
// message shows one round trip later.
func (s *Session) Healthy(ctx context.Context, layer transport.Layer) {
	wait := s.e.settled(SettleTime)
	s.e.clock.grant(wait) // it is our wait, not the relay's
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-s.Context().Done():
		s.Check(ctx, context.Cause(s.Context()), layer, "a session that stays open")
	case <-ctx.Done():
		s.Check(ctx, context.Cause(ctx), layer, "a session that stays open")
	case <-t.C:
	}
}

// CloseCleanly closes the session with NO_ERROR. It ends the case as failed if the peer or the network had ended the
// session before. It is a case's last step: our close no longer takes the relay's time, and may take a round trip
// beyond the limit. Before that it waits for a sign of life of a relay that has been silent.
func (s *Session) CloseCleanly(ctx context.Context, layer transport.Layer) {
	const expected = "a session that is open until we close it"
	s.e.inTime.Store(ctx.Err() == nil)
	o := s.e.unheard()
	if o == nil {
		o = s.e.lossOf()
	}
	if o != nil {
		panic(o.metBy(layer, expected))
	}
	s.Session.Close(wire.NoError, "")
	if cause := context.Cause(s.Context()); !closedByUs(cause) {
		s.Check(ctx, cause, layer, expected)
	}
}

// finish closes the session after the case, and notes if it had ended with an error before.
func (s *Session) finish() {
	if s.guardStop != nil {
		s.guardStop()
	}
	s.Session.Close(wire.NoError, "")
	var end *moqt.SessionError
	if cause := context.Cause(s.Context()); !closedByUs(cause) && errors.As(cause, &end) {
		s.e.Note("%s: %s", s.Role, end)
	}
}

// DialBeside dials a role in the background, as soon as the case has a connection: a relay with room for one connection
// only gives it to the case's first role. The returned function waits for the session and ends the case if there is
// none. Until it is called, a failed connection is not reported.
func (e *Env) DialBeside(ctx context.Context, role string) func() *Session {
	type end struct {
		s *Session
		o *outcome
	}
	ended := make(chan end, 1)
	e.Go(ctx, func(ctx context.Context) {
		select {
		case <-e.connected:
		case <-ctx.Done():
		}
		var s *Session
		o := guard(func() error { s = e.Dial(ctx, role); return nil })
		e.mu.Lock()
		over := e.over
		e.mu.Unlock()
		if over && s != nil { // too late for those that the case closes
			s.finish()
		}
		ended <- end{s, o}
	})
	return func() *Session {
		x := <-ended // not later than ctx ends
		if x.o != nil {
			panic(x.o)
		}
		return x.s
	}
}
