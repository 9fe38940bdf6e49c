package track

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sessions are two ends of one session in memory.
type sessions struct {
	t              *testing.T
	ctx            context.Context
	client, server *moqt.Session
	draft          wire.Draft
}

// memInfo is the connection info under which a pair negotiates a draft.
func memInfo(d wire.Draft) transport.Info { return transport.Info{ALPN: d.ALPN()} }

// dialSessions makes both ends; they are closed at the end of the test.
func dialSessions(t *testing.T, d wire.Draft, client, server moqt.Config) *sessions {
	t.Helper()
	return dialOver(t, d, memconn.Options{Info: memInfo(d)}, client, server)
}

func dialOver(t *testing.T, d wire.Draft, opts memconn.Options, client, server moqt.Config) *sessions {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	near, far := memconn.Pair(opts)
	p := &sessions{t: t, ctx: ctx, draft: d}
	var wg sync.WaitGroup
	var errs [2]error
	wg.Go(func() { p.client, errs[0] = moqt.Client(ctx, near, client) })
	wg.Go(func() { p.server, errs[1] = moqt.Server(ctx, far, server) })
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatalf("%s: %v", d, err)
		}
	}
	t.Cleanup(func() {
		p.client.Close(wire.NoError, "")
		p.server.Close(wire.NoError, "")
		cancel()
	})
	return p
}

// end gives the session of a side.
func (p *sessions) end(side wire.Side) *moqt.Session {
	if side == wire.ClientSide {
		return p.client
	}
	return p.server
}

// eachDraft runs a test for every draft in a bubble of its own.
func eachDraft(t *testing.T, f func(t *testing.T, d wire.Draft)) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, d) })
		})
	}
}

// eachSide runs a test for every draft, with the acting side on either end.
func eachSide(t *testing.T, f func(t *testing.T, d wire.Draft, near, far wire.Side)) {
	for _, d := range wire.Drafts() {
		for _, near := range []wire.Side{wire.ClientSide, wire.ServerSide} {
			far := wire.ClientSide + wire.ServerSide - near
			t.Run(fmt.Sprintf("%s/%s", d, near), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { f(t, d, near, far) })
			})
		}
	}
}

// must fails the test on an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	testNS   = wire.TrackNamespace{"room", "1"}
	testName = "video"
)

func subscribeMessage() *wire.Subscribe {
	return &wire.Subscribe{TrackNamespace: testNS, TrackName: testName}
}

// accept waits for the next request at a session and checks its kind.
func (p *sessions) accept(s *moqt.Session, kind wire.Kind) *moqt.Request {
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
func (p *sessions) established(near, far *moqt.Session, m *wire.Subscribe, ok *wire.SubscribeOK,
	opts ...moqt.PublicationOption) (*moqt.Subscription, *moqt.Publication) {
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

// largest is a SUBSCRIBE_OK with LARGEST_OBJECT.
func largest(group, object uint64) *wire.SubscribeOK {
	ok := &wire.SubscribeOK{}
	ok.Parameters.SetLargest(wire.Location{Group: group, Object: object})
	return ok
}

// filtered is a parameter list with a location filter.
func filtered(f wire.LocationFilter) (ps wire.Parameters) {
	ps.SetFilter(f)
	return ps
}

// send opens a subgroup stream with objects of one byte and ends it.
func send(t *testing.T, ctx context.Context, pub *moqt.Publication, h wire.SubgroupHeader, objects ...uint64) {
	t.Helper()
	w, err := pub.OpenSubgroup(ctx, h)
	noError(t, err)
	for _, o := range objects {
		noError(t, w.WriteObject(&moqt.Object{ObjectID: o, Payload: []byte{byte(o)}}))
	}
	noError(t, w.Close())
}

// rest takes the objects that are left, to the end.
func rest(t *testing.T, ctx context.Context, next func(context.Context) (*moqt.Object, error)) (all []wire.Location,
	err error) {
	t.Helper()
	for {
		o, err := next(ctx)
		if err != nil {
			return all, err
		}
		all = append(all, o.Location())
	}
}

func loc(group, object uint64) wire.Location { return wire.Location{Group: group, Object: object} }
