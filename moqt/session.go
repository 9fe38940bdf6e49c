package moqt

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Session is one MoQT session. All methods are safe for concurrent use.
type Session struct {
	cfg    Config
	limits Limits
	// account counts what the peer makes this end hold.
	account *Account
	watches watches
	spares  chan struct{} // a place for each stream that is read without room
	conn    transport.Conn
	draft   wire.Draft
	side    wire.Side
	log     transport.EventLog // nil where the connection has none

	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	setup setupState
	// control is our direction of the control channel: the one bidirectional stream up to 16, our unidirectional one
	// later.
	control *messageWriter

	ids      requestIDs
	tokens   tokenCache
	data     dataRoutes
	names    nameRoutes
	goaway   goaways
	incoming stream.Queue[*Request]

	mu       sync.Mutex
	cause    *SessionError
	joining  bool                // Close has begun to wait: no goroutine may start
	requests map[uint64]*Request // live, by id
	updates  map[uint64]*Request // those whose updates of ours are not answered, by the update's id (up to 16)
	// lateAnswers are ids of ours that were given up before their answer (up to 16); anyLate: there were too many to
	// keep.
	lateAnswers map[uint64]struct{}
	anyLate     bool
	handlers    int // requests in Handler
}

// spareStreams is how many request streams are read at a time although there is no room for them.
const spareStreams = 16

// newSession prepares a session on a connection that has negotiated; nothing is sent.
func newSession(conn transport.Conn, cfg Config, side wire.Side) (*Session, error) {
	s := &Session{cfg: cfg, limits: cfg.Limits.WithDefaults(), conn: conn, side: side,
		requests: make(map[uint64]*Request),
		updates:  make(map[uint64]*Request), lateAnswers: make(map[uint64]struct{})}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	if len(cfg.Drafts) == 0 {
		s.cfg.Drafts = wire.Drafts()
	}
	s.log = openLog(conn)
	d, ok := transport.NegotiatedDraft(conn.Info())
	s.draft = d
	switch {
	case !ok:
		s.draft = wire.Newest
		info := conn.Info()
		s.end(s.local(wire.InternalError, fmt.Sprintf(
			"the connection negotiated no draft of MoQT (ALPN %q, WebTransport protocol %q)", info.ALPN, info.Protocol),
			nil))
	case !slices.Contains(s.cfg.Drafts, d):
		s.end(s.local(versionFailure(d), fmt.Sprintf("the connection negotiated %s, which this end does not offer", d),
			nil))
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	s.account = cfg.Account.Within(s.limits.HeldBytes)
	s.spares = make(chan struct{}, spareStreams)
	s.watches.init()
	s.incoming.MaxItems = s.limits.QueuedRequests
	s.setup.done = make(chan struct{})
	s.ids.init(s)
	s.data.init(s)
	s.goaway.came = make(chan struct{})
	return s, nil
}

// versionFailure is VERSION_NEGOTIATION_FAILED, which ends with 19.
func versionFailure(d wire.Draft) wire.SessionError {
	if d >= wire.Draft20 {
		return wire.InternalError
	}
	return wire.VersionNegotiation
}

// Draft is the negotiated draft.
func (s *Session) Draft() wire.Draft { return s.draft }

// Conn is the connection below.
func (s *Session) Conn() transport.Conn { return s.conn }

// Side is which end of the session this is.
func (s *Session) Side() wire.Side { return s.side }

// peerSide is the other end.
func (s *Session) peerSide() wire.Side {
	if s.side == wire.ClientSide {
		return wire.ServerSide
	}
	return wire.ClientSide
}

// Context ends when the session does; context.Cause is then its *SessionError.
func (s *Session) Context() context.Context { return s.ctx }

// Err is the *SessionError that says why the session ended, nil while it has not.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		return nil
	}
	return s.cause
}

// Close ends the session with a code and a reason for the peer, and waits until every goroutine of the session has
// ended. It returns nil. If the session had ended before, Close only waits, and returns the *SessionError that says
// why. It must not be called from Config.Handler.
func (s *Session) Close(code wire.SessionError, reason string) error {
	ours := s.local(code, reason, nil)
	s.end(ours)
	s.mu.Lock()
	s.joining = true
	cause := s.cause
	s.mu.Unlock()
	s.wg.Wait()
	s.account.Close()
	if cause != ours {
		return cause
	}
	return nil
}

// Abort is Close without waiting. It may be called from Config.Handler too.
func (s *Session) Abort(code wire.SessionError, reason string) { s.end(s.local(code, reason, nil)) }

// local is the cause of a close by this end.
func (s *Session) local(code wire.SessionError, reason string, err error) *SessionError {
	return &SessionError{Side: s.side, Local: true, Code: code, Name: code.Name(s.draft), Reason: reason,
		Draft: s.draft, Err: err}
}

// end ends the session; the first cause wins. It does not wait for goroutines.
func (s *Session) end(cause *SessionError) {
	s.mu.Lock()
	if s.cause != nil {
		s.mu.Unlock()
		return
	}
	s.cause = cause
	s.mu.Unlock()
	s.cancel(cause)
	code, reason := cause.Code, cause.Reason
	if !cause.Local {
		code, reason = wire.NoError, ""
	}
	s.trace(Event{Type: EventClosed, Sent: cause.Local, Code: uint64(cause.Code), Err: cause})
	_ = s.conn.CloseWithError(uint64(code), shortened(reason))
	s.incoming.End(cause)
	s.data.end()
	for _, r := range s.allRequests() {
		r.finish(cause, stateCancelled)
	}
}

// shortened keeps a close reason within what every transport carries (1024 bytes, draft-ietf-webtrans-http3 §6).
func shortened(reason string) string {
	const most = 512
	if len(reason) <= most {
		return reason
	}
	for cut := most; cut > most-utf8.UTFMax; cut-- { // not inside a rune
		if utf8.RuneStart(reason[cut]) {
			return reason[:cut]
		}
	}
	return reason[:most]
}

// fail ends the session for an error: a *wire.Error with the code that it names, anything else with INTERNAL_ERROR. nil
// does nothing.
func (s *Session) fail(err error) {
	if err == nil {
		return
	}
	var breach *wire.Error
	if errors.As(err, &breach) {
		s.end(s.local(breach.Code, breach.Error(), breach))
		return
	}
	if closed := s.closedBy(err); closed != nil {
		s.end(closed)
		return
	}
	s.end(s.local(wire.InternalError, err.Error(), err))
}

// breach is a breach of the draft that only the session can see.
func (s *Session) breach(message string, code wire.SessionError, rule rules.ID, format string, args ...any) error {
	return &wire.Error{Draft: s.draft, Message: message, Code: code, Rule: rule,
		Reason: fmt.Sprintf(format, args...)}
}

// closedBy reads who ended the connection out of an error of the transport, nil when the error is of another kind.
func (s *Session) closedBy(err error) *SessionError {
	var c *transport.CloseError
	if !errors.As(err, &c) {
		return nil
	}
	e := &SessionError{Draft: s.draft, Reason: c.Reason, Err: c}
	switch {
	case c.Transport || c.Timeout:
		return e // nobody of the two ended it
	case c.Remote:
		e.Side = s.peerSide()
	default:
		e.Side, e.Local = s.side, true
	}
	e.Code = wire.SessionError(c.Code)
	e.Name = e.Code.Name(s.draft)
	return e
}

// streamError makes the error of a stream one of the session where the session has ended.
func (s *Session) streamError(err error) error {
	if err == nil {
		return nil
	}
	if closed := s.closedBy(err); closed != nil {
		s.end(closed)
		return s.Err()
	}
	if cause := s.Err(); cause != nil {
		return cause
	}
	return err
}

// notOpened is the error of a stream that could not be opened.
func (s *Session) notOpened(uni bool, err error) error {
	err = s.streamError(err)
	if s.ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return &NoStreamError{Uni: uni, Err: err}
	}
	return err
}

// Account is that of the session, which stands within Config.Account. Close gives back all that is counted there.
func (s *Session) Account() *Account { return s.account }

// Limits are the session's limits, with the defaults filled in.
func (s *Session) Limits() Limits { return s.limits }

// Go runs f on a goroutine that Close waits for. f must return soon after the session's context has ended. Go reports
// false, and does nothing, once Close has been called. A panic in f is treated as Config.Panicked says.
func (s *Session) Go(f func()) bool {
	s.mu.Lock()
	if s.joining {
		s.mu.Unlock()
		return false
	}
	s.wg.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.wg.Done()
		if s.cfg.Panicked != nil {
			defer func() {
				if v := recover(); v != nil {
					s.cfg.Panicked(v, debug.Stack())
					s.end(s.local(wire.InternalError, fmt.Sprintf("panic: %v", v), nil))
				}
			}()
		}
		f()
	}()
	return true
}

// watch ends the session when the connection has ended.
func (s *Session) watch() {
	select {
	case <-s.ctx.Done():
	case <-s.conn.Context().Done():
		err := context.Cause(s.conn.Context())
		if closed := s.closedBy(err); closed != nil {
			s.end(closed)
			return
		}
		s.end(&SessionError{Draft: s.draft, Reason: err.Error(), Err: err})
	}
}

// trace stamps an event and hands it to the log and to Config.Trace.
func (s *Session) trace(e Event) {
	if !s.traced() {
		return
	}
	e.Time, e.Draft = time.Now(), s.draft
	if s.log != nil {
		logType(s.log, e)
		if name, data := logEvent(e); name != "" {
			s.log.Record(name, data)
		}
		if e.Type == EventClosed {
			s.log.Close()
		}
	}
	if s.cfg.Trace != nil {
		s.cfg.Trace(e)
	}
}

// traced reports whether anybody wants events.
func (s *Session) traced() bool { return s.cfg.Trace != nil || s.log != nil }

func (s *Session) allRequests() []*Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Request, 0, len(s.requests))
	for _, r := range s.requests {
		all = append(all, r)
	}
	return all
}

// forget takes a request out of the tables.
func (s *Session) forget(r *Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests[r.id] == r {
		delete(s.requests, r.id)
	}
}

// late notes ids of ours that are over without an answer: one that comes is passed over, where it would otherwise be
// the second (draft-19 §6.2). When too many have been noted, second answers are no longer told apart.
func (s *Session) late(ids ...uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.updates, id)
		if len(s.lateAnswers) >= maxLate {
			s.anyLate = true
			return
		}
		s.lateAnswers[id] = struct{}{}
	}
}

// request finds a live request by its id.
func (s *Session) request(id uint64) *Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[id]
}

// maxLate bounds how many ids are kept whose answers may still come.
const maxLate = 1 << 14

type registered struct {
	token   wire.Token
	expired bool
}

// goaways is what has been said about going away on the control channel.
type goaways struct {
	mu    sync.Mutex
	state goawayState
	last  *wire.Goaway
	came  chan struct{}
	sent  bool
}

// nameRoutes takes the peer's announcements to namespace subscriptions in 14 and 15. There a peer may announce unasked,
// and does not announce again what it has announced before (draft-14 §6.2, §9.28): a subscription that comes later
// learns of it from here.
type nameRoutes struct {
	mu    sync.Mutex
	subs  []*NamespaceSubscription
	stand map[*announcedName]bool // what is announced at present
	came  uint64                  // how much ever was
}

// tokenCache holds the tokens that the peer has registered (draft-14 §9.2.1.1, draft-18 §10.2.2). Each costs 16 bytes
// and its value; an expired one keeps alias and cost until the peer deletes it.
type tokenCache struct {
	limit uint64

	mu      sync.Mutex
	size    uint64
	entries map[uint64]registered
}

// setupState is what the two SETUP messages said. Everything but done is written before done is closed and read after.
type setupState struct {
	done chan struct{} // closed when requests and data may be processed
	own  *wire.Setup
	peer *wire.Setup

	controlSeen bool // guarded by Session.mu: the peer's control stream has come
	path        string
	authority   string
	tokens      []wire.Token
	ownUpdates  uint64 // our MAX_REQUEST_UPDATES, 0 = no limit
	peerUpdates uint64
	peerTokens  uint64 // the peer's MAX_AUTH_TOKEN_CACHE_SIZE
}

// requestIDs numbers our requests and judges the peer's numbers (draft-16 §9.1, draft-18 §10.1). Updates take numbers
// too.
type requestIDs struct {
	s *Session

	mu sync.Mutex
	// next is our next number; max the peer's MAX_REQUEST_ID, above which none may be used (14-16).
	next, max uint64
	blocked   bool          // REQUESTS_BLOCKED was sent for this max
	raised    chan struct{} // closed when max grows

	// granted is our MAX_REQUEST_ID, window its initial value, taken how many numbers of the peer the application has
	// taken.
	granted, window, taken uint64
	sending                bool // a MAX_REQUEST_ID is being written
	// used are the peer's numbers, halved. Up to 16 there is one run, but for gaps in 16.
	used spans.Set
	// delivered are the peer's numbers, halved, whose requests the application has, or whose updates came; changed is
	// closed when one is added (17).
	delivered spans.Set
	changed   chan struct{}
	// excused counts streams of 16 that ended before they could say which number they took.
	excused int
}

func (ids *requestIDs) init(s *Session) {
	ids.s, ids.raised, ids.changed = s, make(chan struct{}), make(chan struct{})
	if s.side == wire.ServerSide {
		ids.next = 1
	}
}

// failAccept ends the session when the connection gives no more.
func (s *Session) failAccept(err error) {
	if s.ctx.Err() == nil {
		s.fail(err)
	}
}
