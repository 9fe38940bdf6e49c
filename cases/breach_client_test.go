package cases

import (
	"context"
	"errors"
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

// legalFromServers are rules that bind clients alone: a server may do it. The client of this test refuses every
// PUBLISH, so that no alias is in use.
var legalFromServers = []rules.ID{rules.GoawayURI, rules.VersionChoice, rules.SetupTokenAlias,
	rules.PublishAliasDuplicate}

// Our own client refuses what it wants a relay to refuse: the same bytes from a server close its session with the same
// code, behind a good twin that it survives.
func TestBreachesAgainstClient(t *testing.T) {
	tried := 0
	for i := range breaches {
		b := &breaches[i]
		c := b.Case()
		if b.as != asClient && b.as != asNobody || !b.want.closed || b.alone ||
			slices.Contains(legalFromServers, b.rule) || c.ID == "breach-setup-server" {
			continue
		}
		for _, d := range wire.Drafts() {
			if c.Applies(d) {
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
	go func() {
		s, err := moqt.Client(ctx, near, moqt.Config{Drafts: []wire.Draft{d}, MaxRequestID: 1000,
			MaxAuthTokenCacheSize: 4096, Handler: func(r *moqt.Request) {
				_ = r.Reject(r.Context(), moqt.RejectDoesNotExist, "not here")
			}})
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
