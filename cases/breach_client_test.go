package cases

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// legalFromServers are rules that bind clients alone: a server may do it.
var legalFromServers = []rules.ID{rules.GoawayURI, rules.VersionChoice, rules.SetupTokenAlias, rules.RedirectURI}

// needsMore are breaches that no client of this test can see: it refuses every PUBLISH, so that no alias is in use, and
// it subscribes to one track alone.
var needsMore = []string{"breach-publish-alias-duplicate", "breach-track-alias-duplicate", "breach-setup-server"}

// Our own client refuses what it wants a relay to refuse: the same bytes from a server close its session with the same
// code, behind a good twin that it survives.
func TestBreachesAgainstClient(t *testing.T) {
	tried := 0
	for i := range breaches {
		b := &breaches[i]
		c := b.Case()
		if b.as == asOffered || !b.want.closed || b.alone || slices.Contains(legalFromServers, b.rule) ||
			slices.Contains(needsMore, c.ID) {
			continue
		}
		for j, d := range wire.Drafts() {
			if c.Applies(d) && ((i+j)%3 == 0 || os.Getenv("MOQ_BREACHES") != "" || os.Getenv("MOQ_FULL") != "") {
				tried++
				t.Run(c.ID+"/"+d.String(), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { againstClient(t, b, d) })
				})
			}
		}
	}
	t.Logf("%d breaches and drafts", tried)
}

func againstClient(t *testing.T, b *breach, d wire.Draft) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	near, far := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: d.ALPN()}})
	type result struct {
		s   *moqt.Session
		err error
	}
	ready := make(chan result, 1)
	subscribed := make(chan struct{})
	go func() {
		s, err := moqt.Client(ctx, near, moqt.Config{Drafts: []wire.Draft{d}, MaxRequestID: 1000,
			MaxAuthTokenCacheSize: 4096, Handler: serveOne})
		if err == nil {
			go askAs(ctx, s, b.as, func() { close(subscribed) })
		}
		ready <- result{s, err}
	}()
	s := &scene{b: b, x: newOffender(far, d, wire.ServerSide, func(string) {}), track: "t",
		namespace: wire.TrackNamespace{"n"}}
	defer s.x.close()
	if b.as != asNobody {
		if err := s.x.setup(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.meet(ctx); err != nil {
		t.Fatalf("the role's beginning: %v, %v", err, s.x.ended())
	}
	if b.as == asPublisher { // what comes next may overtake SUBSCRIBE_OK, and would break no rule then
		select {
		case <-subscribed:
		case <-ctx.Done():
			t.Fatal("the client does not take SUBSCRIBE_OK")
		}
	}
	if b.good != nil {
		q, err := b.good(ctx, s)
		if err == nil && q != nil {
			_, err = s.x.answer(ctx, q)
		}
		if err == nil {
			err = s.alive(ctx)
		}
		if err != nil {
			t.Fatalf("the good twin: %v, %v", err, s.x.ended())
		}
	}
	s.offending = true
	if _, err := b.bad(ctx, s); err != nil && s.x.ended() == nil {
		t.Fatal(err)
	}
	if !s.x.waitEnded(ctx, 10*time.Second) {
		t.Errorf("%s: the client's session is open", b.what)
	} else if end := s.x.ended(); !end.Remote ||
		len(b.want.codes) > 0 && !slices.Contains(b.want.codes, wire.SessionError(end.Code)) {
		t.Errorf("%s: %v, want %s", b.what, end, b.want.text(d, wire.KindNone))
	}
	near.CloseWithError(0, "")
	if r := <-ready; r.err == nil {
		var closed *moqt.SessionError
		if err := r.s.Close(wire.NoError, ""); !errors.As(err, &closed) {
			t.Errorf("%s: the session ended with %v", b.what, err)
		}
	}
}

// serveOne has one track, "t" of the namespace "n", and accepts subscriptions to namespaces. It refuses the rest.
func serveOne(r *moqt.Request) {
	switch r.Message().(type) {
	case *wire.Subscribe:
		if r.TrackName() == "t" && len(r.TrackNamespace()) == 1 {
			if _, err := r.AcceptSubscribe(r.Context(), &wire.SubscribeOK{}); err == nil {
				<-r.Context().Done()
			}
			return
		}
	case *wire.SubscribeNamespace:
		if r.Accept(r.Context(), &wire.RequestOK{}) == nil {
			<-r.Context().Done()
		}
		return
	}
	_ = r.Reject(r.Context(), moqt.RejectDoesNotExist, "not here")
}

// askAs makes the request of the client that the role is about, and reads what comes of it. subscribed is called once
// its subscription is accepted.
func askAs(ctx context.Context, s *moqt.Session, as role, subscribed func()) {
	ns := wire.TrackNamespace{"n"}
	var next func(context.Context) (*moqt.Object, error)
	switch as {
	case asPublisher, asAsked:
		sub, err := s.Subscribe(ctx, &wire.Subscribe{TrackNamespace: ns, TrackName: "t"})
		if err != nil {
			return
		}
		subscribed()
		next = sub.Next
	case asFetched:
		f, err := s.StartFetch(ctx, moqt.FetchRequest{TrackNamespace: ns, TrackName: "t", Range: wire.LocationFilter{
			Form: wire.FilterGroupEnd, StartGroup: fetchedGroup, EndGroup: fetchedGroup + 1}})
		if err != nil {
			return
		}
		next = f.Next
	default:
		return
	}
	for {
		if _, err := next(ctx); err != nil {
			return
		}
	}
}

// meet brings the offender into its role towards a client.
func (s *scene) meet(ctx context.Context) error {
	var err error
	switch s.b.as {
	case asPublisher, asAsked:
		s.theirs, _, err = s.x.incoming(ctx, func(m wire.Message) bool { return m.Kind() == wire.KindSubscribe })
		if err == nil && s.b.as == asPublisher {
			s.alias = 1
			err = s.x.send(s.theirs, &wire.SubscribeOK{RequestID: s.theirs.id, TrackAlias: s.alias})
		}
	case asFetched:
		s.theirs, _, err = s.x.incoming(ctx, func(m wire.Message) bool { return m.Kind() == wire.KindFetch })
	case asSubscriber:
		s.mine, err = s.x.request(ctx, s.subscribeTo(s.namespace, s.track, s.b.subscribes...))
	case asWatcher:
		s.mine, err = s.x.request(ctx, &wire.SubscribeNamespace{RequestID: s.x.id(), Prefix: s.namespace,
			Options: s.namespacesOnly()})
	}
	if err == nil && s.mine != nil {
		_, err = s.x.answer(ctx, s.mine)
	}
	return err
}
