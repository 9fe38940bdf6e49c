package moqt

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestRequestCredit: requests wait for MAX_REQUEST_ID, which grows as the peer takes them (14-16).
func TestRequestCredit(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		if d > wire.Draft16 {
			return
		}
		var blocked atomic.Int32
		cfg := map[wire.Side]Config{far: {MaxRequestID: 8}, near: {Trace: func(e Event) {
			if e.Sent && e.Message != nil && e.Message.Kind() == wire.KindRequestsBlocked {
				blocked.Add(1)
			}
		}}}
		p := dialSessions(t, d, cfg[wire.ClientSide], cfg[wire.ServerSide])
		short, cancel := context.WithTimeout(p.ctx, time.Second)
		defer cancel()
		for range 4 {
			_, err := p.end(near).Start(short, &wire.PublishNamespace{TrackNamespace: testNS})
			noError(t, err)
		}
		_, err := p.end(near).Start(short, &wire.PublishNamespace{TrackNamespace: testNS})
		var none *NoRequestIDError
		if !errors.As(err, &none) || none.Max != 8 || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the fifth: %v", err)
		}
		if n := blocked.Load(); n != 1 {
			t.Errorf("REQUESTS_BLOCKED was sent %d times", n)
		}
		waiting := make(chan error, 1)
		go func() {
			_, err := p.end(near).Start(p.ctx, &wire.PublishNamespace{TrackNamespace: testNS})
			waiting <- err
		}()
		for range 5 {
			p.accept(p.end(far), wire.KindPublishNamespace)
		}
		noError(t, <-waiting)
		for range 100 {
			_, err := p.end(near).Start(p.ctx, &wire.PublishNamespace{TrackNamespace: testNS})
			noError(t, err)
			p.accept(p.end(far), wire.KindPublishNamespace)
		}
	})
}

// TestIgnoreRequestLimit sends what the peer forbids, and the peer says so (draft-16 §9.5).
func TestIgnoreRequestLimit(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d > wire.Draft16 {
			return
		}
		p := dialSessions(t, d, Config{IgnoreRequestLimit: true},
			Config{SetupOptions: wire.Properties{{Type: wire.OptionMaxRequestID, Uint: 0}}})
		r, err := p.client.Start(p.ctx, &wire.PublishNamespace{TrackNamespace: testNS})
		noError(t, err)
		_, err = r.Response(p.ctx)
		var e *SessionError
		if !errors.As(err, &e) || e.Code != wire.TooManyRequests || e.Name != "TOO_MANY_REQUESTS" ||
			e.Side != wire.ServerSide {
			t.Errorf("%v", err)
		}
	})
}

// TestOvertaking: in 16 SUBSCRIBE_NAMESPACE has its own stream and may be overtaken by what comes after it; the numbers
// are all used in the end.
func TestOvertaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRawPeer(t, wire.Draft16, wire.ClientSide, Config{})
		for _, i := range []uint64{2, 3} {
			p.send(p.control, p.subscribe(i, nil))
		}
		settle()
		p.request(&wire.SubscribeNamespace{RequestID: p.id(1), Prefix: testNS, Options: 1})
		s := must[transport.Stream](t)(p.conn.OpenStream(p.ctx))
		p.write(s, []byte{0x11})
		s.Reset(1) // this one's number is never seen
		time.Sleep(10 * time.Second)
		p.open()
		p.request(&wire.SubscribeNamespace{RequestID: p.id(0), Prefix: wire.TrackNamespace{"x"}, Options: 1})
		for range 4 {
			_, err := p.session.AcceptRequest(p.ctx)
			noError(t, err)
		}
	})
}

// TestTokens: aliases are resolved, refused ones do not close the session (draft-19 §10.2.2), and the cache counts.
func TestTokens(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		cfg := map[wire.Side]Config{far: {MaxAuthTokenCacheSize: 40}}
		p := dialSessions(t, d, cfg[wire.ClientSide], cfg[wire.ServerSide])
		ask := func(ts ...wire.Token) (*Request, func() *Request) {
			r, err := p.end(near).Start(p.ctx, &wire.PublishNamespace{TrackNamespace: testNS,
				Parameters: tokens(ts...)})
			noError(t, err)
			return r, func() *Request { return p.accept(p.end(far), wire.KindPublishNamespace) }
		}
		want := func(in *Request, values ...string) {
			t.Helper()
			var got []string
			for _, x := range in.Tokens() {
				if x.AliasType != wire.TokenUseValue || x.Type != 5 {
					t.Errorf("%+v", x)
				}
				got = append(got, string(x.Value))
			}
			if !slices.Equal(got, values) {
				t.Errorf("tokens %q, want %q", got, values)
			}
			noError(t, in.Accept(p.ctx, nil))
		}
		refused := func(r *Request, name, name14 string) {
			t.Helper()
			_, err := r.Response(p.ctx)
			var e *RequestError
			if !errors.As(err, &e) || e.Name != name {
				t.Errorf("%v, want %s", err, name)
			}
		}
		_, in := ask(wire.Token{AliasType: wire.TokenRegister, Alias: 1, Type: 5, Value: []byte("secret")},
			wire.Token{AliasType: wire.TokenUseValue, Type: 5, Value: []byte("once")})
		want(in(), "secret", "once")
		_, in = ask(wire.Token{AliasType: wire.TokenUseAlias, Alias: 1})
		want(in(), "secret")
		r, _ := ask(wire.Token{AliasType: wire.TokenUseAlias, Alias: 2})
		refused(r, "MALFORMED_AUTH_TOKEN", "")
		p.end(far).ExpireAuthToken(1)
		r, _ = ask(wire.Token{AliasType: wire.TokenUseAlias, Alias: 1})
		refused(r, "EXPIRED_AUTH_TOKEN", "")
		_, in = ask(wire.Token{AliasType: wire.TokenDelete, Alias: 1}, wire.Token{AliasType: wire.TokenRegister,
			Alias: 1, Type: 5, Value: make([]byte, 24)})
		in()
		settle()
		if err := p.end(far).Err(); err != nil {
			t.Errorf("40 bytes fit: %v", err)
		}
	})
}

// TestSetupTokens: a registration that does not fit counts as USE_VALUE in a setup message (draft-18 §10.3.1.4).
func TestSetupTokens(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		var options wire.Properties
		for alias := range uint64(2) {
			b, err := wire.AppendToken(nil, d, wire.Token{AliasType: wire.TokenRegister, Alias: alias,
				Value: []byte{byte(alias)}})
			noError(t, err)
			options = append(options, wire.Property{Type: wire.OptionAuthorizationToken, Bytes: b})
		}
		p := dialSessions(t, d, Config{SetupOptions: options}, Config{MaxAuthTokenCacheSize: 20})
		if got := p.server.AuthTokens(); len(got) != 2 || got[1].AliasType != wire.TokenUseValue ||
			string(got[1].Value) != "\x01" {
			t.Errorf("%+v", got)
		}
		if n := len(p.server.tokens.entries); n != 1 {
			t.Errorf("%d aliases are registered", n)
		}
	})
}

// TestGoaway: it is told of, and in 18 later requests are refused.
func TestGoaway(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		for range 3 {
			_, err := p.end(far).Start(p.ctx, &wire.PublishNamespace{TrackNamespace: testNS})
			noError(t, err)
			p.accept(p.end(near), wire.KindPublishNamespace)
		}
		g := &wire.Goaway{Timeout: 5000}
		if near == wire.ServerSide {
			g.NewSessionURI = "moqt://example.com/"
		}
		noError(t, p.end(near).Goaway(p.ctx, g))
		<-p.end(far).PeerGoaway()
		got := p.end(far).LastGoaway()
		if got.NewSessionURI != g.NewSessionURI || d >= wire.Draft17 && got.Timeout != 5000 {
			t.Errorf("%+v", got)
		}
		if d == wire.Draft18 {
			want := uint64(6)
			if far == wire.ServerSide {
				want = 7
			}
			if got.RequestID != want {
				t.Errorf("Request ID %d, want %d", got.RequestID, want)
			}
		}
		r, err := p.end(far).Start(p.ctx, &wire.PublishNamespace{TrackNamespace: testNS})
		noError(t, err)
		if d == wire.Draft18 {
			var refused *RequestError
			if _, err := r.Response(p.ctx); !errors.As(err, &refused) || refused.Name != "GOING_AWAY" {
				t.Errorf("%v", err)
			}
			return
		}
		p.accept(p.end(near), wire.KindPublishNamespace)
	})
}

// TestGoawayOfOneRequest comes with Next (18 and later).
func TestGoawayOfOneRequest(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft18 {
			return
		}
		p := dialSessions(t, d, Config{}, Config{})
		sub, pub := p.established(p.client, p.server, subscribeMessage(), nil)
		noError(t, pub.Request().Send(p.ctx, &wire.Goaway{NewSessionURI: "moqt://example.com/", Timeout: 1}))
		m, err := sub.Request().Next(p.ctx)
		noError(t, err)
		if g := m.(*wire.Goaway); g.NewSessionURI != "moqt://example.com/" || g.Timeout != 1 {
			t.Errorf("%+v", g)
		}
		select {
		case <-p.client.PeerGoaway():
			t.Error("that was no GOAWAY of the session")
		default:
		}
	})
}

// TestTooManyRequests: the newest is refused when nobody takes them; up to 16 the peer's numbers run out first.
func TestTooManyRequests(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{Limits: Limits{QueuedRequests: 2}})
		var last *Request
		for range 3 {
			var err error
			last, err = p.client.Start(p.ctx, &wire.PublishNamespace{TrackNamespace: testNS})
			noError(t, err)
			settle()
		}
		var refused *RequestError
		name := "EXCESSIVE_LOAD"
		if d <= wire.Draft16 {
			name = "INTERNAL_ERROR"
		}
		if _, err := last.Response(p.ctx); !errors.As(err, &refused) || refused.Name != name {
			t.Errorf("%v, want %s", err, name)
		}
		for range 2 {
			noError(t, p.accept(p.server, wire.KindPublishNamespace).Accept(p.ctx, nil))
		}
	})
}

// TestFilterLimits: range filters that the receiver does not take are refused with INVALID_FILTER (draft-19 §5.1.3).
func TestFilterLimits(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft19 {
			return
		}
		p := dialSessions(t, d, Config{}, Config{SetupOptions: wire.Properties{{Type: wire.OptionMaxFilterRanges,
			Uint: 2}}})
		filter := func(set uint8, n int) wire.Parameter {
			f := wire.RangeFilter{SetID: set}
			for i := range uint64(n) {
				f.Ranges = append(f.Ranges, wire.Range{Start: 10 * i, End: 10*i + 1})
			}
			return wire.Parameter{Type: wire.ParamObjectIDFilter, Ranges: f}
		}
		for _, test := range []struct {
			ps wire.Parameters
			ok bool
		}{
			{wire.Parameters{filter(0, 2)}, true},
			{wire.Parameters{filter(0, 3)}, false},
			{wire.Parameters{filter(0, 1), filter(1, 1)}, true},
			{wire.Parameters{filter(0, 1), filter(0, 1)}, false},
		} {
			r, err := p.client.Start(p.ctx, &wire.Subscribe{TrackNamespace: testNS, Parameters: test.ps})
			noError(t, err)
			if test.ok {
				noError(t, p.accept(p.server, wire.KindSubscribe).Accept(p.ctx, nil))
			}
			var refused *RequestError
			if _, err := r.Response(p.ctx); test.ok != (err == nil) || !test.ok &&
				(!errors.As(err, &refused) || refused.Name != "INVALID_FILTER") {
				t.Errorf("%v: %v", test.ps, err)
			}
		}
	})
}

// TestSpans compares the set of numbers with a map.
func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s spans.Set
		model := map[uint64]bool{}
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			n := rapid.Uint64Range(0, 40).Draw(t, "value")
			if s.Has(n) != model[n] {
				t.Fatalf("has(%d) is %v", n, s.Has(n))
			}
			s.Add(n)
			model[n] = true
		}
		missing := 0
		for n := range uint64(41) {
			if s.Has(n) != model[n] {
				t.Fatalf("has(%d) is %v", n, s.Has(n))
			}
			if got := s.Gaps(n); got != missing {
				t.Fatalf("%d gaps below %d, want %d", got, n, missing)
			}
			if !model[n] {
				missing++
			}
		}
		for i := 1; i < len(s); i++ {
			if s[i-1].Last+1 >= s[i].First {
				t.Fatalf("runs touch: %v", s)
			}
		}
	})
}

// TestRequiredRequest: in 17 a request waits for the one it depends on, which has a stream of its own (draft-17 §9.2).
func TestRequiredRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRawPeer(t, wire.Draft17, wire.ClientSide, Config{})
		late := p.subscribe(3, nil)
		late.RequiredRequestIDDelta = 2
		p.request(late)
		settle()
		if n := p.session.incoming.Len(); n != 0 {
			t.Fatalf("%d requests were delivered", n)
		}
		p.request(p.subscribe(1, nil))
		for _, want := range []uint64{2, 6} {
			r, err := p.session.AcceptRequest(p.ctx)
			noError(t, err)
			if r.ID() != want {
				t.Errorf("request %d, want %d", r.ID(), want)
			}
		}
		never := p.subscribe(5, nil)
		never.RequiredRequestIDDelta = 1
		stream := p.request(never)
		in := &messageReader{in: stream, draft: p.draft}
		m := p.receiveFrom(in, wire.RequestStream, wire.KindSubscribe)
		if e, ok := m.(*wire.RequestError); !ok || e.Code != RejectTimeout.Number(p.draft, wire.KindSubscribe) {
			t.Errorf("got %+v", m)
		}
	})
}

// TestUpdate14: the range that an update of 14 restates is what the filter came to, so a strict publisher takes it
// (draft-14 §9.10).
func TestUpdate14(t *testing.T) {
	for _, f := range []wire.LocationFilter{{}, {Form: wire.FilterNextObject}, {Form: wire.FilterRelative},
		{Form: wire.FilterAbsoluteStart, StartGroup: 7},
		{Form: wire.FilterGroupEnd, StartGroup: 7, StartObject: 1, EndGroup: 9}} {
		synctest.Test(t, func(t *testing.T) {
			p := dialSessions(t, wire.Draft14, Config{}, Config{})
			m := subscribeMessage()
			if f.Form != wire.FilterNone {
				m.Parameters.SetFilter(f)
			}
			m.Parameters.SetUint(wire.ParamSubscriberPriority, 3)
			sub, pub := p.established(p.client, p.server, m, largest(5, 6))
			_, err := sub.Update(p.ctx, uint1(wire.ParamForward, 0))
			noError(t, err)
			settle()
			noError(t, p.server.Err())
			want, _, _ := f.Bounds(loc(5, 6), true)
			if f.Form == wire.FilterNone { // 14 cannot do without
				want = loc(5, 7)
			}
			got, _ := pub.Parameters().Filter()
			if start, _, _ := got.Bounds(wire.Location{}, false); start != want || got.EndGroup != f.EndGroup {
				t.Errorf("%s became %s", f, got)
			}
			if pub.Forward() || pub.Parameters().UintOr(wire.ParamSubscriberPriority, 128) != 3 {
				t.Errorf("in effect: %v", pub.Parameters())
			}
		})
	}
}

// TestNoRoomForAStream: a request that waits for the peer's limit of streams says so when the context ends.
func TestNoRoomForAStream(t *testing.T) {
	for _, d := range []wire.Draft{wire.Draft17, wire.Draft22} {
		synctest.Test(t, func(t *testing.T) {
			p := dialOver(t, d, memconn.Options{Info: memInfo(d), MaxStreams: 1}, Config{}, Config{})
			first, err := p.client.StartPublishNamespace(p.ctx, testNS, nil)
			noError(t, err)
			ctx, cancel := context.WithTimeout(p.ctx, time.Second)
			defer cancel()
			_, err = p.client.StartPublishNamespace(ctx, append(slices.Clone(testNS), "below"), nil)
			var full *NoStreamError
			if !errors.As(err, &full) || full.Uni || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a second request: %v", err)
			}
			noError(t, p.accept(p.server, wire.KindPublishNamespace).Accept(p.ctx, nil))
			noError(t, first.Ready(p.ctx))
		})
	}
}
