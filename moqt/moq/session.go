package moq

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Session is a session with a relay, or between a client and a server. Its methods are safe for concurrent use.
type Session struct {
	// Session is the session below, with everything that this package has no shorter way for.
	*moqt.Session
	url  string // that was dialled
	opts *Options

	sent atomic.Bool // a track was published or served

	mu      sync.Mutex
	tracks  map[*Track]*announced // nil for a track that was offered itself
	names   []*announced
	changed chan struct{} // closed when names change
}

// Dial connects to a relay or server and sets up a session. url is moqt://HOST:PORT/PATH for raw QUIC, and from draft
// 18 on for what the server chooses, or https://HOST:PORT/PATH for WebTransport; port 443 is the default. opts may be
// nil. ctx bounds the call, not the session.
//
// The error wraps a *DialError, which says in which layer the connection failed, or a *SessionError when it failed in
// SETUP.
func Dial(ctx context.Context, url string, opts *Options) (*Session, error) {
	o := opts.orDefault()
	u, err := transport.ParseURL(url)
	if err != nil {
		return nil, err
	}
	conn, err := endpoint.Dial(ctx, o.dial(u))
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", url, err)
	}
	s, err := o.start(ctx, conn, u)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", url, err)
	}
	s.url = url
	return s, nil
}

// start sets up a session on a connection; u is the URL that a client has dialled.
func (o *Options) start(ctx context.Context, conn transport.Conn, u transport.URL) (*Session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.SetupTimeout,
		fmt.Errorf("no SETUP of the peer's within %s: %w", o.SetupTimeout, context.DeadlineExceeded))
	defer cancel()
	s := &Session{opts: o, tracks: make(map[*Track]*announced),
		changed: make(chan struct{})}
	config := o.config()
	config.Handler = s.answer
	begin := moqt.Server
	if conn.Info().Client {
		begin = moqt.Client
		config.Path, config.Authority = u.Path, u.Authority
	}
	below, err := begin(ctx, conn, config)
	if err != nil {
		return nil, err
	}
	s.Session = below
	return s, nil
}

// Redial dials the peer of a client's session again, with the same options: at the New Session URI, if the peer has
// sent a GOAWAY with one, and otherwise at the same URL. Session.PeerGoaway tells when. The session itself goes on
// until it is closed, so that what is on its way can come to its end.
func (s *Session) Redial(ctx context.Context) (*Session, error) {
	if s.url == "" {
		return nil, fmt.Errorf("the session was not dialled from here")
	}
	url := s.url
	if g := s.LastGoaway(); g != nil {
		url = cmp.Or(g.NewSessionURI, url)
	}
	return Dial(ctx, url, s.opts)
}

// URL is the URL that was dialled, "" at a server.
func (s *Session) URL() string { return s.url }

// Close ends the session with NO_ERROR, and returns when all of its goroutines have ended. Tracks that are published on
// it go on. Where tracks were sent, it first waits until the peer has acknowledged what was written, at most 2 s: QUIC
// drops what is on its way when a connection is closed. It must not be called from a Handler.
func (s *Session) Close() {
	if s.sent.Load() {
		settle(s.Context(), s.Conn())
	}
	_ = s.Session.Close(wire.NoError, "")
}

// How long a connection must be silent to be taken for settled, at least; how often that is looked at, and how long.
const (
	settleQuiet = 60 * time.Millisecond
	settleEvery = 5 * time.Millisecond
	settleMost  = 2 * time.Second
)

// settle waits until nothing that was sent is unacknowledged. QUIC does not tell, but what is not acknowledged is sent
// again within the probe timeout (RFC 9002 §6.2): so it waits until nothing was sent for longer than that.
func settle(ctx context.Context, conn transport.Conn) {
	teller, ok := conn.(transport.PathTeller)
	if !ok {
		return
	}
	every := time.NewTicker(settleEvery)
	defer every.Stop()
	began := time.Now()
	path, since := teller.Path(), began
	for time.Since(began) < settleMost {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		now := teller.Path()
		if now.PacketsSent != path.PacketsSent {
			path, since = now, time.Now()
		}
		if time.Since(since) > settleQuiet+3*now.RTT() {
			return
		}
	}
}

// SubscribeOption changes what Session.Subscribe asks for, or how it is handed out.
type SubscribeOption func(*SubscribeRequest)

// InOrder hands out objects in ascending order, see track.ReadOptions.
func InOrder() SubscribeOption { return func(q *SubscribeRequest) { q.Read.InOrder = true } }

// FromPast also asks for what was published before: from the start of the current group on with 0, of the group before
// with 1, and so on.
func FromPast(groupsBack uint64) SubscribeOption {
	return func(q *SubscribeRequest) { q.Past = &track.JoinRequest{GroupsBack: groupsBack} }
}

// Subscribe subscribes to a track and waits for the answer. Without options it hands out what is published from now on,
// as it comes. An option is any function that changes the request. The error is a *RequestError when the peer refuses.
func (s *Session) Subscribe(ctx context.Context, ns Namespace, name string, opts ...SubscribeOption) (*Subscribed,
	error) {
	q := SubscribeRequest{TrackNamespace: ns, TrackName: name}
	for _, o := range opts {
		o(&q)
	}
	return track.Open(ctx, s.Session, q)
}

// Fetch fetches the objects from start to end, both inclusive, of what has been published, in order. An end of {0,0}
// stands for the Largest Object. The error is a *RequestError when the peer refuses.
func (s *Session) Fetch(ctx context.Context, ns Namespace, name string, start, end Location) (*Subscribed, error) {
	q := moqt.FetchRequest{TrackNamespace: ns, TrackName: name, Range: wire.LocationFilter{
		Form: wire.FilterAbsoluteStart, StartGroup: start.Group, StartObject: start.Object}}
	if end != (Location{}) {
		q.Range.Form, q.Range.EndGroup, q.Range.EndObject = wire.FilterRange, end.Group, end.Object
	}
	return track.Fetch(ctx, s.Session, q, track.ReadOptions{InOrder: true})
}
