package moqt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/moqinterop/moq-interop-client/moqt/internal/sessiontest"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestMessagesBeforeTheirHook: what came before a request was accepted, and is not for what stands on it, is still
// there for Next.
func TestMessagesBeforeTheirHook(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft18 { // GOAWAY on a request stream
			return
		}
		p := newRawPeer(t, d, wire.ClientSide, Config{})
		stream := p.request(&wire.Publish{RequestID: p.id(0), TrackNamespace: testNS, TrackName: testName,
			TrackAlias: 1})
		in := must[*Request](t)(p.session.AcceptRequest(p.ctx))
		p.send(stream, &wire.Goaway{Timeout: 5})
		p.send(stream, &wire.RequestUpdate{RequestID: p.id(1)})
		p.send(stream, &wire.PublishDone{StatusCode: 2, StreamCount: 0, Reason: "over"})
		settle()
		sub := must[*Subscription](t)(in.AcceptPublish(p.ctx, nil))
		m, err := in.Next(p.ctx)
		if g, ok := m.(*wire.Goaway); err != nil || !ok || g.Timeout != 5 {
			t.Errorf("%v, %v; want the GOAWAY", m, err)
		}
		if done, err := sub.Done(p.ctx); err != nil || done.Reason != "over" {
			t.Errorf("%v, %v; want PUBLISH_DONE", done, err)
		}
	})
}

// TestRaisedLimitIsSeen: a MAX_REQUEST_ID that comes while a request looks at the limit wakes it.
func TestRaisedLimitIsSeen(t *testing.T) {
	s := &Session{draft: wire.Draft16}
	ids := &s.ids
	ids.s, ids.raised = s, make(chan struct{})
	if ids.blockedAt().raised == nil {
		t.Fatal("0 allows a request")
	}
	ids.raise(10)
	if at := ids.blockedAt(); at.raised != nil || at.tell {
		t.Errorf("10 forbids a request: it would wait for the limit after it (%+v)", at)
	}
	if ids.raise(0); !ids.blockedAt().tell {
		t.Error("REQUESTS_BLOCKED is not sent for a new limit")
	}
}

// TestShortenedReason: a reason that is cut is still text.
func TestShortenedReason(t *testing.T) {
	for n := range 8 {
		long := strings.Repeat("x", n) + strings.Repeat("é€𝄞", 200)
		if s := shortened(long); !utf8.ValidString(s) || len(s) > 512 || len(s) < 509 || !strings.HasPrefix(long, s) {
			t.Errorf("%d: %d bytes, valid %v", n, len(s), utf8.ValidString(s))
		}
	}
	if s := shortened("\xff" + strings.Repeat("\x80", 600)); len(s) > 512 {
		t.Errorf("%d bytes", len(s))
	}
}

// TestUnsubscribeDoesNotWait: on the shared control stream a cancellation goes out when it can; Unsubscribe has no
// context to end its waiting.
func TestUnsubscribeDoesNotWait(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d > wire.Draft16 {
			return
		}
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		sub, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
		noError(t, err)
		m, stream := p.take(wire.KindSubscribe)
		p.send(p.on(stream), &wire.SubscribeOK{RequestID: requestIDIn(m), TrackAlias: 1})
		noError(t, sub.Ready(p.ctx))
		noError(t, p.session.control.acquire(p.ctx)) // somebody is writing, and the peer does not read
		began := time.Now()
		sub.Unsubscribe()
		if took := time.Since(began); took > 0 {
			t.Errorf("waited %v", took)
		}
		p.session.control.release()
		if got := p.receive(); got.Kind() != wire.KindUnsubscribe {
			t.Errorf("got %s, want UNSUBSCRIBE", got.Kind())
		}
	})
}

// TestUnsubscribeComesFirst: on the control stream of 14-16 a subscription is over for the peer before the next one to
// its track begins, whoever is writing when it is given up. A SUBSCRIBE that overtook UNSUBSCRIBE would be the second
// to the track, which ends the session (draft-15 §9.9).
func TestUnsubscribeComesFirst(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d > wire.Draft16 {
			return
		}
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		for range 3 {
			sub, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
			noError(t, err)
			m, stream := p.take(wire.KindSubscribe)
			p.send(p.on(stream), &wire.SubscribeOK{RequestID: requestIDIn(m), TrackAlias: 1})
			noError(t, sub.Ready(p.ctx))
			noError(t, p.session.control.acquire(p.ctx)) // somebody is writing
			sub.Unsubscribe()
			again := make(chan *Subscription, 1)
			go func() {
				next, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
				if err != nil {
					t.Error(err)
				}
				again <- next
			}()
			p.session.control.release()
			if got := p.receive(); got.Kind() != wire.KindUnsubscribe {
				t.Errorf("got %s, want UNSUBSCRIBE", got.Kind())
			}
			m, stream = p.take(wire.KindSubscribe)
			p.send(p.on(stream), &wire.SubscribeOK{RequestID: requestIDIn(m), TrackAlias: 1})
			next := <-again
			noError(t, next.Ready(p.ctx))
			next.Unsubscribe()
			if got := p.receive(); got.Kind() != wire.KindUnsubscribe {
				t.Errorf("got %s, want UNSUBSCRIBE", got.Kind())
			}
		}
	})
}

// TestUpdateFlood: updates of a peer that does not read the answers cost no goroutine each.
func TestUpdateFlood(t *testing.T) {
	const many = 2000
	for _, kind := range []wire.Kind{wire.KindFetch, wire.KindPublish, wire.KindSubscribe} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			eachDraft(t, func(t *testing.T, d wire.Draft) {
				if d < wire.Draft17 {
					return
				}
				p := unsetPeerOver(t, d, wire.ClientSide, Config{}, memInfo(d))
				p.sendSetup(&wire.Setup{Sender: wire.ClientSide})
				<-p.session.setup.done
				var m wire.Message = &wire.Fetch{RequestID: p.id(0), Type: wire.FetchStandalone, TrackNamespace: testNS,
					TrackName: testName, End: wire.Location{Group: 9}}
				switch kind {
				case wire.KindPublish:
					m = &wire.Publish{RequestID: p.id(0), TrackNamespace: testNS, TrackName: testName, TrackAlias: 1}
				case wire.KindSubscribe:
					m = p.subscribe(0, nil)
				}
				stream := p.request(m)
				in := must[*Request](t)(p.session.AcceptRequest(p.ctx))
				switch kind {
				case wire.KindFetch:
					must[*FetchWriter](t)(in.AcceptFetch(p.ctx, &wire.FetchOK{End: wire.Location{Group: 8}}))
				case wire.KindPublish:
					must[*Subscription](t)(in.AcceptPublish(p.ctx, nil))
				default:
					must[*Publication](t)(in.AcceptSubscribe(p.ctx, nil))
				}
				own := in.carrier.(*ownStream)
				noError(t, own.out.acquire(p.ctx)) // the peer does not read: nothing can be answered
				before := runtime.NumGoroutine()
				go func() {
					for i := range uint64(many) {
						b := p.encode(wire.RequestStream, &wire.RequestUpdate{RequestID: p.id(1 + i)})
						if _, err := stream.Write(b); err != nil {
							return
						}
					}
				}()
				settle()
				if n := runtime.NumGoroutine() - before; n > 20 {
					t.Errorf("%d goroutines for the updates of one request", n)
				}
				own.out.release()
				in2 := &messageReader{in: stream, draft: d}
				for i := range many + 1 {
					if _, err := in2.frame(); err != nil {
						t.Fatalf("answer %d: %v", i, err)
					}
				}
			})
		})
	}
}

// TestClosedNamespacesGiveIDsBack: what a closed namespace subscription of 14 and 15 has not told counts as taken, or
// the peer could never send a request again.
func TestClosedNamespacesGiveIDsBack(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d > wire.Draft15 {
			return
		}
		p := newRawPeer(t, d, wire.ServerSide, Config{MaxRequestID: 20})
		n, err := p.session.StartSubscribeNamespace(p.ctx, &wire.SubscribeNamespace{Prefix: testNS})
		noError(t, err)
		m, stream := p.take(wire.KindSubscribeNamespace)
		p.send(p.on(stream), &wire.RequestOK{Answers: wire.KindSubscribeNamespace, RequestID: requestIDIn(m)})
		noError(t, n.Ready(p.ctx))
		for i := range uint64(10) { // all that 20 allows
			p.request(&wire.PublishNamespace{RequestID: p.id(i), TrackNamespace: testNS.Join(fmt.Sprint(i))})
		}
		settle()
		n.Close()
		settle()
		for {
			if max, ok := p.receive().(*wire.MaxRequestID); ok {
				if max.MaxRequestID <= 20 {
					t.Errorf("MAX_REQUEST_ID %d", max.MaxRequestID)
				}
				break
			}
		}
		// One that comes behind the end has nobody either.
		p.request(&wire.PublishNamespace{RequestID: p.id(10), TrackNamespace: testNS.Join("late")})
		p.open()
	})
}

// watchedContext counts the contexts below it that have not been cancelled.
type watchedContext struct {
	context.Context
	below int
}

// Value hides the context inside, which package context would use directly.
func (c *watchedContext) Value(any) any { return nil }

// AfterFunc is how package context asks to be told of the end.
func (c *watchedContext) AfterFunc(func()) func() bool {
	c.below++
	return func() bool { c.below--; return true }
}

// failingOpens is a connection on which no stream can be opened.
type failingOpens struct{ transport.Conn }

func (failingOpens) OpenStream(context.Context) (transport.Stream, error) {
	return nil, context.DeadlineExceeded
}

// TestFailedOpenLeavesNothing: a request whose stream cannot be opened leaves no context behind in the session.
func TestFailedOpenLeavesNothing(t *testing.T) {
	near, _ := memconn.Pair(memconn.Options{Info: memInfo(wire.Draft18)})
	s, err := newSession(near, Config{}, wire.ClientSide)
	noError(t, err)
	defer s.Close(wire.NoError, "")
	watched := &watchedContext{Context: s.ctx}
	s.ctx, s.conn, s.draft = watched, failingOpens{near}, wire.Draft18
	for range 10 {
		if _, err := s.Start(t.Context(), subscribeMessage()); err == nil {
			t.Fatal("a stream was opened")
		}
	}
	if watched.below != 0 {
		t.Errorf("%d contexts are left behind", watched.below)
	}
	s.ctx = watched.Context
}

// slowClose takes its time to close, as a WebTransport session does that waits for its peer.
type slowClose struct{ transport.Conn }

func (c slowClose) CloseWithError(code uint64, reason string) error {
	time.Sleep(time.Second)
	return c.Conn.CloseWithError(code, reason)
}

// TestEndOfSessionEndsNothingElse: while a session closes, whoever gives up its requests and streams because of that
// tells the peer nothing of it: the peer learns why the session ended, and of no reset before.
func TestEndOfSessionEndsNothingElse(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		ctx, near, far := sessiontest.Dial(t, memconn.Options{Info: memInfo(d)},
			func(ctx context.Context, c transport.Conn) (*Session, error) {
				return Client(ctx, slowClose{c}, Config{})
			},
			func(ctx context.Context, c transport.Conn) (*Session, error) { return Server(ctx, c, Config{}) })
		p := &sessions{t: t, ctx: ctx, client: near, server: far, draft: d}
		sub, asked := p.established(near, far, subscribeMessage(), &wire.SubscribeOK{})
		other := subscribeMessage()
		other.TrackName = "audio"
		theirs, pub := p.established(far, near, other, &wire.SubscribeOK{})
		w := must[*SubgroupWriter](t)(pub.OpenSubgroup(ctx, wire.SubgroupHeader{FirstObject: true}))
		noError(t, w.WriteObject(&Object{Payload: []byte("one")}))
		r := must[*SubgroupReader](t)(theirs.AcceptSubgroup(ctx))
		noError(t, r.ReadObject(&Object{}))
		read := make(chan error, 1)
		go func() { read <- r.ReadObject(&Object{}) }()
		go func() {
			<-near.Context().Done()
			sub.Unsubscribe()
			w.Reset(ResetCancelled.Number(d))
			pub.Request().Cancel(ResetCancelled)
		}()
		near.Abort(wire.ProtocolViolation, "as an example")
		settle()
		for what, cause := range map[string]error{
			"SUBSCRIBE of the one that closed": context.Cause(asked.Request().Context()),
			"SUBSCRIBE of the other":           context.Cause(theirs.Request().Context()),
			"a stream of the one that closed":  <-read,
		} {
			var end *transport.CloseError
			if !errors.As(cause, &end) || end.Code != uint64(wire.ProtocolViolation) {
				t.Errorf("%s ended with %v, want the session's end", what, cause)
			}
		}
	})
}
