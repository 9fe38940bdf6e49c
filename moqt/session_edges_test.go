package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestBlockedWrite: a context that ends while the peer does not read ends the wait, but never cuts a message: what was
// begun goes out in full, and the request, which has its number, is cancelled.
func TestBlockedWrite(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		near, far := memconn.Pair(memconn.Options{Info: memInfo(d), StreamBuffer: 100})
		p := &rawPeer{t: t, ctx: ctx, draft: d, side: wire.ServerSide, conn: far}
		s, err := newSession(near, Config{}, wire.ClientSide)
		noError(t, err)
		p.session = s
		defer s.Close(wire.NoError, "")
		s.begin(ctx)
		if d >= wire.Draft17 {
			p.control = must[transport.SendStream](t)(far.OpenUniStream(ctx))
			p.in = &messageReader{in: must[transport.ReceiveStream](t)(far.AcceptUniStream(ctx)), draft: d}
		} else {
			stream := must[transport.Stream](t)(far.AcceptStream(ctx))
			p.control, p.in = stream, &messageReader{in: stream, draft: d}
		}
		p.sendSetup(&wire.Setup{Sender: wire.ServerSide, SelectedVersion: d.Version(),
			Options: wire.Properties{{Type: wire.OptionMaxRequestID, Uint: 1000}}})
		<-s.setup.done

		long := strings.Repeat("n", 300)
		short, stop := context.WithTimeout(ctx, time.Second)
		defer stop()
		for i := range 2 {
			_, err = s.Start(short, &wire.PublishNamespace{TrackNamespace: wire.TrackNamespace{long, fmt.Sprint(i)}})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Start %d: %v", i, err)
			}
			settle()
		}
		if d >= wire.Draft17 {
			stream := must[transport.Stream](t)(far.AcceptStream(ctx)) // it was given up, the session goes on
			if _, err := io.ReadAll(stream); err == nil {
				t.Error("a request that was given up ended well")
			}
		} else {
			m := p.receive()
			if ns, ok := m.(*wire.PublishNamespace); !ok || ns.TrackNamespace[0] != long || ns.RequestID != 0 {
				t.Errorf("got %+v", m)
			}
			if done, ok := p.receive().(*wire.PublishNamespaceDone); !ok || d == wire.Draft16 && done.RequestID != 0 {
				t.Error("the request was not cancelled")
			}
		}
		got := make(chan error, 1)
		go func() {
			_, err := s.Start(ctx, &wire.PublishNamespace{TrackNamespace: testNS})
			got <- err
		}()
		m, _ := p.take(wire.KindPublishNamespace)
		noError(t, <-got)
		if id := requestIDIn(m); d <= wire.Draft16 && id != 2 {
			t.Errorf("Request ID %d: a number is missing or was used twice", id)
		}
		p.open()
	})
}

// TestBoundedInbox: messages that nobody takes hold up their stream, and none is lost.
func TestBoundedInbox(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft16 {
			return
		}
		p := dialSessions(t, d, Config{Limits: Limits{QueuedMessages: 3}}, Config{})
		const n = 300
		serve := func(in *Request) {
			noError(t, in.Accept(p.ctx, nil))
			for i := range n {
				noError(t, in.Send(p.ctx, &wire.Namespace{Suffix: wire.TrackNamespace{fmt.Sprint(i)}}))
			}
		}
		r, err := p.client.Start(p.ctx, &wire.SubscribeNamespace{Prefix: testNS, Options: wire.SubscribeNamespaces})
		noError(t, err)
		in := p.accept(p.server, wire.KindSubscribeNamespace)
		go serve(in)
		settle()
		if held := r.inbox.Len(); held > 3 {
			t.Errorf("%d messages are held", held)
		}
		for i := range n {
			m, err := r.Next(p.ctx)
			noError(t, err)
			if got := m.(*wire.Namespace).Suffix[0]; got != fmt.Sprint(i) {
				t.Fatalf("message %d is %s", i, got)
			}
		}
		sub, err := p.client.StartSubscribeNamespace(p.ctx, &wire.SubscribeNamespace{Prefix: wire.TrackNamespace{"x"},
			Options: wire.SubscribeNamespaces})
		noError(t, err)
		go serve(p.accept(p.server, wire.KindSubscribeNamespace))
		settle()
		if held := sub.events.Len(); held > 3 {
			t.Errorf("%d events are held", held)
		}
		for i := range n {
			e, err := sub.Next(p.ctx)
			noError(t, err)
			if e.Namespace[1] != fmt.Sprint(i) {
				t.Fatalf("event %d is %s", i, e.Namespace)
			}
		}
	})
}

// TestUnencodable: an answer that the draft cannot express sends nothing, and another can be given.
func TestUnencodable(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		huge := strings.Repeat("x", 2000)
		if _, err := p.client.Start(p.ctx, &wire.PublishNamespace{TrackNamespace: make(wire.TrackNamespace,
			33)}); !errors.As(err, new(*wire.Error)) {
			t.Errorf("33 fields: %v", err)
		}
		r, err := p.client.Start(p.ctx, &wire.PublishNamespace{TrackNamespace: testNS})
		noError(t, err)
		if r.ID() != 0 {
			t.Errorf("Request ID %d: what was not sent took a number", r.ID())
		}
		in := p.accept(p.server, wire.KindPublishNamespace)
		if err := in.Reject(p.ctx, RejectUnauthorized, huge); !errors.As(err, new(*wire.Error)) {
			t.Errorf("long reason: %v", err)
		}
		if err := in.Accept(p.ctx, &wire.SubscribeOK{}); err == nil {
			t.Error("SUBSCRIBE_OK answers no PUBLISH_NAMESPACE")
		}
		noError(t, in.Accept(p.ctx, nil))
		_, err = r.Response(p.ctx)
		noError(t, err)
	})
}

// TestLateAnswers: an answer may cross the cancellation of what it answers; a second one may not (draft-19 §6.2).
func TestLateAnswers(t *testing.T) {
	for d := wire.Oldest; d <= wire.Draft16; d++ {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newRawPeer(t, d, wire.ServerSide, Config{})
				sub, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
				noError(t, err)
				p.take(wire.KindSubscribe)
				sub.Unsubscribe()
				ok := &wire.SubscribeOK{RequestID: sub.r.id, TrackAlias: 3}
				p.send(p.control, ok, &wire.PublishDone{RequestID: sub.r.id})
				p.open()
				p.send(p.control, ok)
				p.closed(wire.ProtocolViolation)
			})
		})
	}
}

// TestUpdateOfTheEnded: an update may cross the end of what it updates; it is answered all the same (15, 16).
func TestUpdateOfTheEnded(t *testing.T) {
	for d := wire.Oldest; d <= wire.Draft16; d++ {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newRawPeer(t, d, wire.ClientSide, Config{})
				pub, _ := p.subscribed(p.subscribe(0, nil), nil)
				noError(t, pub.Done(p.ctx, DoneTrackEnded, ""))
				p.send(p.control, p.update(1, p.id(0), nil))
				for _, want := range []wire.Kind{wire.KindSubscribeOK, wire.KindPublishDone} {
					if m := p.receive(); m.Kind() != want {
						t.Errorf("got %s, want %s", m.Kind(), want)
					}
				}
				if d >= wire.Draft15 {
					m, ok := p.receive().(*wire.RequestError)
					if !ok || m.RequestID != p.id(1) || RejectName(d, wire.KindSubscribe, m.Code) != "DOES_NOT_EXIST" {
						t.Errorf("got %+v", m)
					}
				}
				p.open()
			})
		})
	}
}

// TestFetchAccept reads the stream itself, as a relay does.
func TestFetchAccept(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		f, err := p.client.StartFetch(p.ctx, FetchRequest{TrackNamespace: testNS, TrackName: testName})
		noError(t, err)
		in := p.accept(p.server, wire.KindFetch)
		w, err := in.AcceptFetch(p.ctx, &wire.FetchOK{End: loc(0, 4)})
		noError(t, err)
		if d >= wire.Draft16 { // the session answers what only changes the priority
			_, err = f.Request().Update(p.ctx, uint1(wire.ParamSubscriberPriority, 9))
			noError(t, err)
			if v := in.Parameters().UintOr(wire.ParamSubscriberPriority, 128); v != 9 {
				t.Errorf("priority %d", v)
			}
		}
		serveFetch(t, w, 0, 4)
		r, err := f.Accept(p.ctx)
		noError(t, err)
		n := 0
		for r.ReadObject(new(Object)) == nil {
			n++
		}
		f.Close()
		<-f.Request().Context().Done()
		if cause := context.Cause(f.Request().Context()); n != 5 || cause != io.EOF {
			t.Errorf("%d objects, %v", n, cause)
		}
		f.Cancel() // too late to do anything
	})
}

// TestErrorTexts: what a person reads names side, kind, code and reason.
func TestErrorTexts(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&SessionError{Side: wire.ServerSide, Code: 3, Name: "PROTOCOL_VIOLATION", Reason: "why"},
			"session closed by the peer (server) with PROTOCOL_VIOLATION (0x3): why"},
		{&SessionError{Side: wire.ClientSide, Local: true, Code: 0x99}, "session closed by us (client) with code 0x99"},
		{&SessionError{Err: io.ErrUnexpectedEOF}, "session lost: unexpected EOF"},
		{&SessionError{Reason: "gone"}, "session lost: gone"},
		{&RequestError{Side: wire.ServerSide, Kind: wire.KindSubscribe, Code: 0x10, Name: "DOES_NOT_EXIST",
			Reason: "no track"},
			"SUBSCRIBE refused by the server with DOES_NOT_EXIST (0x10): no track"},
		{&CancelError{Side: wire.ClientSide, Kind: wire.KindFetch, How: "RESET_STREAM", Code: 1, Name: "CANCELLED",
			HasCode: true}, "FETCH cancelled by the client with RESET_STREAM CANCELLED (0x1)"},
		{&CancelError{Side: wire.ClientSide, Kind: wire.KindSubscribe, How: "UNSUBSCRIBE"},
			"SUBSCRIBE cancelled by the client with UNSUBSCRIBE"},
		{&NoRequestIDError{Max: 0, Next: 2, Err: context.DeadlineExceeded},
			"no request id granted: the peer's MAX_REQUEST_ID is 0, the request needs id 2: context deadline exceeded"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// TestWaitsThatAreGivenUp: when the context of the waiting form ends, the request is cancelled, so that nothing is left
// behind.
func TestWaitsThatAreGivenUp(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		gone := errors.New("gone")
		for name, f := range map[string]func(ctx context.Context) error{
			"Subscribe": func(ctx context.Context) error {
				_,
					err := p.client.Subscribe(ctx, subscribeMessage())
				return err
			},
			"Publish": func(ctx context.Context) error {
				_,
					err := p.client.Publish(ctx, publishMessage())
				return err
			},
			"Fetch": func(ctx context.Context) error {
				_, err := p.client.Fetch(ctx, FetchRequest{TrackNamespace: testNS})
				return err
			},
			"PublishNamespace": func(ctx context.Context) error {
				_, err := p.client.PublishNamespace(ctx, testNS,
					nil)
				return err
			},
			"SubscribeNamespace": func(ctx context.Context) error {
				_, err := p.client.SubscribeNamespace(ctx, testNS,
					nil)
				return err
			},
			"SubscribeTracks": func(ctx context.Context) error {
				_, err := p.client.SubscribeTracks(ctx, testNS,
					nil)
				return err
			},
			"TrackStatus": func(ctx context.Context) error {
				_, err := p.client.TrackStatus(ctx, &wire.TrackStatus{TrackNamespace: testNS})
				return err
			},
		} {
			ctx, cancel := context.WithCancelCause(p.ctx)
			done := make(chan error, 1)
			go func() { done <- f(ctx) }()
			in, err := p.server.AcceptRequest(p.ctx)
			noError(t, err)
			cancel(gone)
			if err := <-done; !errors.Is(err, gone) {
				t.Errorf("%s: %v", name, err)
			}
			if name == "TrackStatus" && d <= wire.Draft16 {
				continue // no message cancels it
			}
			<-in.Context().Done()
		}
		settle()
		if n := len(p.client.requests); n != 0 {
			t.Errorf("%d requests are left", n)
		}
		if n := len(p.client.data.fetches); n != 0 {
			t.Errorf("%d fetches are left", n)
		}
		noError(t, p.client.Err())
		noError(t, p.server.Err())
	})
}
