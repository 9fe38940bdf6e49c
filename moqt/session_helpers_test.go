package moqt

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt/internal/sessiontest"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestMain(m *testing.M) { leak.VerifyTestMain(m) }

// sessions are two ends of one session in memory.
type sessions struct {
	t              *testing.T
	ctx            context.Context
	client, server *Session
	draft          wire.Draft
}

// What is the same in the tests of both packages.
var (
	memInfo   = sessiontest.Info
	eachDraft = sessiontest.EachDraft
	eachSide  = sessiontest.EachSide
	noError   = sessiontest.NoError
)

// must fails the test on an error.
func must[T any](t *testing.T) func(T, error) T { return sessiontest.Must[T](t) }

// dialSessions makes both ends; they are closed at the end of the test.
func dialSessions(t *testing.T, d wire.Draft, client, server Config) *sessions {
	t.Helper()
	return dialOver(t, d, memconn.Options{Info: memInfo(d)}, client, server)
}

func dialOver(t *testing.T, d wire.Draft, opts memconn.Options, client, server Config) *sessions {
	t.Helper()
	ctx, near, far := sessiontest.Dial(t, opts,
		func(ctx context.Context, c transport.Conn) (*Session, error) { return Client(ctx, c, client) },
		func(ctx context.Context, c transport.Conn) (*Session, error) { return Server(ctx, c, server) })
	return &sessions{t: t, ctx: ctx, client: near, server: far, draft: d}
}

// end gives the session of a side.
func (p *sessions) end(side wire.Side) *Session {
	if side == wire.ClientSide {
		return p.client
	}
	return p.server
}

var (
	testNS   = wire.TrackNamespace{"room", "1"}
	testName = "video"
)

func subscribeMessage() *wire.Subscribe {
	return &wire.Subscribe{TrackNamespace: testNS, TrackName: testName}
}

func publishMessage() *wire.Publish {
	return &wire.Publish{TrackNamespace: testNS, TrackName: testName}
}

// accept waits for the next request at a session and checks its kind.
func (p *sessions) accept(s *Session, kind wire.Kind) *Request {
	p.t.Helper()
	r, err := s.AcceptRequest(p.ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	if r.Kind() != kind {
		p.t.Fatalf("got %s, want %s", r.Kind(), kind)
	}
	return r
}

// established subscribes from one end to the other.
func (p *sessions) established(near, far *Session, m *wire.Subscribe, ok *wire.SubscribeOK,
	opts ...PublicationOption) (*Subscription, *Publication) {
	p.t.Helper()
	sub, err := near.StartSubscribe(p.ctx, m)
	noError(p.t, err)
	pub, err := p.accept(far, wire.KindSubscribe).AcceptSubscribe(p.ctx, ok, opts...)
	noError(p.t, err)
	noError(p.t, sub.Ready(p.ctx))
	return sub, pub
}

// settle waits until every goroutine of the bubble waits, without moving the clock.
func settle() { synctest.Wait() }
