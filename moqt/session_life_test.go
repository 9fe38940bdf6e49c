package moqt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestSilentPeer: a peer that never sends its setup message ends with the context, and nothing is left.
func TestSilentPeer(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		near, _ := memconn.Pair(memconn.Options{Info: memInfo(d)})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := Client(ctx, near, Config{})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "setup") {
			t.Errorf("got %v", err)
		}
		<-near.Context().Done()
	})
}

// TestNoCommonDraft: a connection that has negotiated what is not on offer, or nothing.
func TestNoCommonDraft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			info transport.Info
			code wire.SessionError
		}{
			{memInfo(wire.Draft16), wire.VersionNegotiation},
			{memInfo(wire.Draft22), wire.InternalError},
			{transport.Info{ALPN: "h3"}, wire.InternalError},
			{transport.Info{}, wire.InternalError},
		} {
			near, far := memconn.Pair(memconn.Options{Info: test.info})
			_, err := Client(t.Context(), near, Config{Drafts: []wire.Draft{wire.Draft18}})
			var e *SessionError
			if !errors.As(err, &e) || !e.Local || e.Code != test.code {
				t.Errorf("%+v: %v", test.info, err)
			}
			<-far.Context().Done()
		}
	})
}

// TestEarlyStreams: requests and data that come before the setup message wait for it (draft-16 §3.3); past the limit
// they are reset.
func TestEarlyStreams(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := unsetPeer(t, d, wire.ClientSide, Config{Limits: Limits{PendingStreams: 3}})
		p.object(5, 0, 0)
		if d >= wire.Draft17 {
			p.request(&wire.Publish{RequestID: p.id(0), TrackNamespace: testNS, TrackName: testName, TrackAlias: 5})
			p.request(&wire.PublishNamespace{RequestID: p.id(1), TrackNamespace: testNS})
			settle()
			over := p.request(&wire.PublishNamespace{RequestID: p.id(2), TrackNamespace: testNS})
			<-over.Context().Done()
			var e *transport.StreamError
			if cause := context.Cause(over.Context()); !errors.As(cause, &e) || !e.Stop {
				t.Errorf("cause %v", cause)
			}
		}
		settle()
		p.sendSetup(&wire.Setup{Sender: p.side, Versions: []uint64{d.Version()},
			Options: wire.Properties{{Type: wire.OptionMaxRequestID, Uint: 100}}})
		if d <= wire.Draft16 {
			p.request(&wire.Publish{RequestID: p.id(0), TrackNamespace: testNS, TrackName: testName, TrackAlias: 5})
		}
		for {
			r, err := p.session.AcceptRequest(p.ctx)
			noError(t, err)
			if r.Kind() != wire.KindPublish {
				continue
			}
			sub, err := r.AcceptPublish(p.ctx, nil)
			noError(t, err)
			_, err = sub.Next(p.ctx)
			noError(t, err)
			break
		}
		p.open()
	})
}

// TestCloseEndsEverything: every kind of wait ends with the cause of the close, and Close joins all.
func TestCloseEndsEverything(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		a := p.end(near)
		sub, pub := p.established(a, p.end(far), subscribeMessage(), nil)
		own, _ := p.established(p.end(far), a, &wire.Subscribe{TrackNamespace: testNS, TrackName: "other"}, nil)
		_ = own
		names, err := a.StartSubscribeNamespace(p.ctx, &wire.SubscribeNamespace{Prefix: wire.TrackNamespace{"q"},
			Options: 1})
		noError(t, err)
		fetch, err := a.StartFetch(p.ctx, FetchRequest{TrackNamespace: testNS})
		noError(t, err)
		waits := map[string]func() error{
			"Subscription.Next": func() error { _, err := sub.Next(p.ctx); return err },
			"Subscription.Done": func() error { _, err := sub.Done(p.ctx); return err },
			"AcceptDatagram":    func() error { _, err := sub.AcceptDatagram(p.ctx); return err },
			"NextNotify":        func() error { _, err := sub.NextNotify(p.ctx); return err },
			"Fetch.Next":        func() error { _, err := fetch.Next(p.ctx); return err },
			"Fetch.Ready":       func() error { return fetch.Ready(p.ctx) },
			"Names.Next":        func() error { _, err := names.Next(p.ctx); return err },
			"Request.Response":  func() error { _, err := names.Request().Response(p.ctx); return err },
			"Request.Next":      func() error { _, err := sub.Request().Next(p.ctx); return err },
			"AcceptRequest":     func() error { _, err := a.AcceptRequest(p.ctx); return err },
		}
		var mu sync.Mutex
		got := map[string]error{}
		var wg sync.WaitGroup
		for name, wait := range waits {
			wg.Go(func() {
				err := wait()
				mu.Lock()
				defer mu.Unlock()
				got[name] = err
			})
		}
		settle()
		noError(t, a.Close(wire.GoawayTimeout, "too long"))
		wg.Wait()
		for name, err := range got {
			var e *SessionError
			if !errors.As(err, &e) || !e.Local || e.Code != wire.GoawayTimeout || !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		<-pub.Context().Done()
		var e *SessionError
		if cause := context.Cause(pub.Context()); !errors.As(cause, &e) || e.Local || e.Side != near ||
			e.Name != "GOAWAY_TIMEOUT" {
			t.Errorf("the peer's publication ended with %v", cause)
		}
		if _, err := a.Start(p.ctx, subscribeMessage()); !errors.As(err, &e) {
			t.Errorf("Start after the close: %v", err)
		}
	})
}

// TestNetworkFails: nobody closed.
func TestNetworkFails(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		p.client.Conn().(*memconn.Conn).Abort(transport.CloseError{Transport: true, Timeout: true,
			Reason: "no recent network activity"})
		<-p.client.Context().Done()
		var e *SessionError
		var c *transport.CloseError
		if err := p.client.Err(); !errors.As(err, &e) || e.Side != wire.NoSide || !errors.As(err, &c) || !c.Timeout ||
			!errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}

// TestControlStreamClosedWithTheSession: a peer that ends its control stream with the connection breaks no rule.
func TestControlStreamClosedWithTheSession(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		p.control.Close()
		settle()
		noError(t, p.conn.CloseWithError(0, "done"))
		<-p.session.Context().Done()
		e := p.session.Err().(*SessionError)
		if e.Local || e.Code != wire.NoError {
			t.Errorf("%v", e)
		}
	})
}

// TestHandler: requests run in goroutines that Close joins; a panic there closes the session and is told of.
func TestHandler(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		var panicked any
		handled := 0
		cfg := Config{
			Handler: func(r *Request) {
				if r.TrackNamespace().String() == "panic" {
					panic("handler")
				}
				_ = r.Accept(r.Context(), nil)
				<-r.Session().Context().Done()
				handled++
			},
			Panicked: func(v any, stack []byte) { panicked = v },
		}
		p := dialSessions(t, d, Config{}, cfg)
		_, err := p.client.PublishNamespace(p.ctx, testNS, nil)
		noError(t, err)
		r, err := p.client.StartPublishNamespace(p.ctx, wire.TrackNamespace{"panic"}, nil)
		noError(t, err)
		var e *SessionError
		if err := r.Ready(p.ctx); !errors.As(err, &e) || e.Code != wire.InternalError {
			t.Errorf("%v", err)
		}
		p.server.Close(wire.NoError, "")
		if panicked != "handler" || handled != 1 {
			t.Errorf("panicked %v, handled %d", panicked, handled)
		}
	})
}

// TestHandlerThatForgets: a request that the handler leaves unanswered is refused when it returns.
func TestHandlerThatForgets(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{Handler: func(r *Request) {
			if r.TrackNamespace().String() == "later" {
				_ = r.Reject(r.Context(), RejectTimeout, "not now", RetryAfter(time.Second))
			}
		}})
		_, err := p.client.PublishNamespace(p.ctx, testNS, nil)
		var refused *RequestError
		if !errors.As(err, &refused) || refused.Code != RejectInternalError.Number(d, wire.KindPublishNamespace) {
			t.Errorf("the handler answered nothing: %v", err)
		}
		_, err = p.client.PublishNamespace(p.ctx, wire.TrackNamespace{"later"}, nil)
		want := uint64(0)
		if d >= wire.Draft16 {
			want = 1001
		}
		if !errors.As(err, &refused) || refused.Reason != "not now" || refused.RetryInterval != want {
			t.Errorf("%v, Retry Interval %d", err, refused.RetryInterval)
		}
	})
}

// TestTrace: what is told is enough for a transcript.
func TestTrace(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		var mu sync.Mutex
		var log []string
		cfg := Config{Trace: func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Draft != d || e.Time.IsZero() {
				t.Errorf("%+v", e)
			}
			way := "<"
			if e.Sent {
				way = ">"
			}
			what := e.Type.String()
			if e.Message != nil {
				what = wire.NameOf(d, e.Message)
				if e.Bytes == 0 {
					t.Errorf("%s without a length", what)
				}
				if name, code, fields, err := wire.Describe(d, e.Message, e.Stream); err != nil || name != what ||
					code != e.MessageType || fields == nil {
					t.Errorf("%s: %s, 0x%x and 0x%x, %v", what, name, code, e.MessageType, err)
				}
			}
			log = append(log, way+what)
		}}
		p := dialSessions(t, d, cfg, Config{})
		sub, pub := p.established(p.client, p.server, subscribeMessage(), nil)
		send(t, p.ctx, pub, wire.SubgroupHeader{}, 0)
		_, err := sub.Next(p.ctx)
		noError(t, err)
		noError(t, pub.SendDatagram(&Object{ObjectID: 1}))
		_, err = sub.Next(p.ctx)
		noError(t, err)
		noError(t, pub.Done(p.ctx, DoneTrackEnded, ""))
		_, err = sub.Done(p.ctx)
		noError(t, err)
		settle()
		p.client.Close(wire.NoError, "")
		want := []string{">CLIENT_SETUP", "<SERVER_SETUP", ">SUBSCRIBE", "<SUBSCRIBE_OK", "<subgroup", "<datagram",
			"<PUBLISH_DONE", ">closed"}
		if d >= wire.Draft17 {
			want = []string{">SETUP", "<SETUP", ">SUBSCRIBE", "<SUBSCRIBE_OK", "<subgroup", "<datagram",
				"<PUBLISH_DONE", ">fin", "<fin", ">closed"}
		}
		if fmt.Sprint(log) != fmt.Sprint(want) {
			t.Errorf("log  %v\nwant %v", log, want)
		}
	})
}

// TestRaw: illegal messages can be sent on purpose, and what comes back is seen.
func TestRaw(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		if _, err := p.client.Start(p.ctx, &wire.RequestOK{}); err == nil {
			t.Error("REQUEST_OK is no request")
		}
		_, err := p.client.Start(p.ctx, &wire.Raw{Type: 0x3e, Body: []byte("?")})
		noError(t, err)
		<-p.client.Context().Done()
		e := p.client.Err().(*SessionError)
		if e.Local || e.Code != wire.ProtocolViolation {
			t.Errorf("%v", e)
		}
	})
}

// TestSetUpAndOver: a session that was set up, and whose peer has closed it before this end was told, is given out with
// its end, not refused: its handler may have served requests.
func TestSetUpAndOver(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		_ = p.end(far).Close(wire.NoError, "")
		<-p.end(near).Context().Done()
		for range 64 { // chance chooses between what is ready
			noError(t, p.end(near).awaitSetup(p.ctx))
		}
	})
}
