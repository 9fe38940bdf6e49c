package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// requestKinds gives a request of every kind that the draft has.
func requestKinds(d wire.Draft) []wire.Message {
	fetch := &wire.Fetch{TrackNamespace: testNS, TrackName: testName, Type: wire.FetchStandalone,
		End: wire.Location{Group: 1}}
	ms := []wire.Message{
		subscribeMessage(), &wire.Publish{TrackNamespace: testNS, TrackName: testName, TrackAlias: 1}, fetch,
		&wire.TrackStatus{TrackNamespace: testNS, TrackName: testName}, &wire.PublishNamespace{TrackNamespace: testNS},
		&wire.SubscribeNamespace{Prefix: testNS, Options: wire.SubscribeNamespaces},
	}
	if d >= wire.Draft18 {
		ms = append(ms, &wire.SubscribeTracks{Prefix: testNS})
	}
	return ms
}

// eachRequest runs a test for every draft, side and kind of request.
func eachRequest(t *testing.T, f func(t *testing.T, p *sessions, near, far *Session, m wire.Message)) {
	for _, d := range wire.Drafts() {
		for _, m := range requestKinds(d) {
			for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
				t.Run(fmt.Sprintf("%s/%s/%s", d, m.Kind(), side), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p := dialSessions(t, d, Config{}, Config{})
						f(t, p, p.end(side), p.end(wire.ClientSide+wire.ServerSide-side), m)
						settle()
						for _, s := range []*Session{p.client, p.server} {
							if err := s.Err(); err != nil {
								t.Errorf("a session closed: %v", err)
							}
						}
					})
				})
			}
		}
	}
}

// TestRequestAccepted: every kind of request, from either side, is answered with its OK, which reaches the asker.
func TestRequestAccepted(t *testing.T) {
	eachRequest(t, func(t *testing.T, p *sessions, near, far *Session, m wire.Message) {
		r, err := near.Start(p.ctx, m)
		noError(t, err)
		in := p.accept(far, m.Kind())
		if in.ID() != r.ID() || !in.Incoming() || r.Incoming() {
			t.Errorf("ids %d and %d", r.ID(), in.ID())
		}
		if !in.TrackNamespace().Equal(testNS) {
			t.Errorf("namespace %s", in.TrackNamespace())
		}
		noError(t, in.Accept(p.ctx, nil))
		ok, err := r.Response(p.ctx)
		noError(t, err)
		if ok.Kind() != answerKind(m.Kind()) {
			t.Errorf("answered with %s", ok.Kind())
		}
		if err := in.Accept(p.ctx, nil); err == nil {
			t.Error("answered twice")
		}
		again, err := r.Response(p.ctx)
		if again != ok || err != nil {
			t.Errorf("the second Response gave %v, %v", again, err)
		}
		settle()
		if status := m.Kind() == wire.KindTrackStatus; status != (r.Context().Err() != nil) ||
			status != (in.Context().Err() != nil) {
			t.Errorf("TRACK_STATUS ends with its answer, others go on: %v, %v", context.Cause(r.Context()),
				context.Cause(in.Context()))
		}
	})
}

// TestRequestRefused: the error reaches the asker with the draft's number and name, and ends the request on both sides.
func TestRequestRefused(t *testing.T) {
	eachRequest(t, func(t *testing.T, p *sessions, near, far *Session, m wire.Message) {
		r, err := near.Start(p.ctx, m)
		noError(t, err)
		in := p.accept(far, m.Kind())
		noError(t, in.Reject(p.ctx, RejectNotSupported, "no"))
		_, err = r.Response(p.ctx)
		var e *RequestError
		if !errors.As(err, &e) {
			t.Fatalf("Response: %v", err)
		}
		if e.Side != far.Side() || e.Kind != m.Kind() || e.Code != 3 || e.Name != "NOT_SUPPORTED" || e.Reason != "no" {
			t.Errorf("%+v", e)
		}
		for _, x := range []*Request{r, in} {
			<-x.Context().Done()
			if !errors.As(context.Cause(x.Context()), &e) {
				t.Errorf("cause %v", context.Cause(x.Context()))
			}
		}
		if _, err := r.Next(p.ctx); !errors.As(err, &e) {
			t.Errorf("Next: %v", err)
		}
	})
}

// TestRequestCancelledByAsker: before and after the answer, the other end sees a CancelError that says how.
func TestRequestCancelledByAsker(t *testing.T) {
	for _, answered := range []bool{false, true} {
		eachRequest(t, func(t *testing.T, p *sessions, near, far *Session, m wire.Message) {
			if m.Kind() == wire.KindTrackStatus && (answered || p.draft <= wire.Draft16) {
				return // nothing is left to cancel, or no message can
			}
			r, err := near.Start(p.ctx, m)
			noError(t, err)
			in := p.accept(far, m.Kind())
			if answered {
				noError(t, in.Accept(p.ctx, nil))
				_, err := r.Response(p.ctx)
				noError(t, err)
			}
			r.Cancel(ResetCancelled)
			var e *CancelError
			if !errors.As(context.Cause(r.Context()), &e) || e.Side != near.Side() {
				t.Errorf("the asker sees %v", context.Cause(r.Context()))
			}
			settle()
			if m.Kind() == wire.KindPublish && p.draft <= wire.Draft16 { // the publisher's end is PUBLISH_DONE
				if context.Cause(in.Context()) != io.EOF {
					t.Errorf("the other end sees %v", context.Cause(in.Context()))
				}
				return
			}
			if !errors.As(context.Cause(in.Context()), &e) {
				t.Fatalf("the other end sees %v", context.Cause(in.Context()))
			}
			want := map[wire.Kind]string{wire.KindSubscribe: "UNSUBSCRIBE", wire.KindFetch: "FETCH_CANCEL",
				wire.KindPublishNamespace:   "PUBLISH_NAMESPACE_DONE",
				wire.KindSubscribeNamespace: "UNSUBSCRIBE_NAMESPACE"}[m.Kind()]
			switch {
			case p.draft >= wire.Draft17 || p.draft == wire.Draft16 && m.Kind() == wire.KindSubscribeNamespace:
				if e.How != "RESET_STREAM" && e.How != "STOP_SENDING" || e.Code != 1 || e.Name != "CANCELLED" {
					t.Errorf("%+v", e)
				}
			case e.How != want:
				t.Errorf("%s, want %s", e.How, want)
			}
			if e.Side != near.Side() || e.Kind != m.Kind() {
				t.Errorf("%+v", e)
			}
			if answered {
				return
			}
			if err := in.Accept(p.ctx, nil); !errors.As(err, &e) {
				t.Errorf("accepting what is cancelled: %v", err)
			}
		})
	}
}

// TestRequestCancelledByAnswerer: after the OK.
func TestRequestCancelledByAnswerer(t *testing.T) {
	eachRequest(t, func(t *testing.T, p *sessions, near, far *Session, m wire.Message) {
		old := p.draft <= wire.Draft16 && !(p.draft == wire.Draft16 && m.Kind() == wire.KindSubscribeNamespace)
		switch m.Kind() {
		case wire.KindTrackStatus:
			return
		case wire.KindFetch, wire.KindSubscribeNamespace:
			if old {
				return // no message says so
			}
		}
		r, err := near.Start(p.ctx, m)
		noError(t, err)
		in := p.accept(far, m.Kind())
		noError(t, in.Accept(p.ctx, nil))
		_, err = r.Response(p.ctx)
		noError(t, err)
		in.Cancel(ResetGoingAway)
		<-r.Context().Done()
		cause := context.Cause(r.Context())
		var e *CancelError
		switch {
		case m.Kind() == wire.KindSubscribe && old:
			if cause != io.EOF { // PUBLISH_DONE
				t.Errorf("cause %v", cause)
			}
		case !errors.As(cause, &e) || e.Side != far.Side():
			t.Errorf("cause %v", cause)
		case old && m.Kind() == wire.KindPublishNamespace:
			if e.How != "PUBLISH_NAMESPACE_CANCEL" || e.Name != "INTERNAL_ERROR" {
				t.Errorf("%+v", e)
			}
		case old && m.Kind() == wire.KindPublish:
			if e.How != "UNSUBSCRIBE" {
				t.Errorf("%+v", e)
			}
		case e.Code != ResetGoingAway.Number(p.draft):
			t.Errorf("%+v", e)
		}
	})
}

// TestUpdates: who may update what, and that both answers come back.
func TestUpdates(t *testing.T) {
	eachRequest(t, func(t *testing.T, p *sessions, near, far *Session, m wire.Message) {
		r, err := near.Start(p.ctx, m)
		noError(t, err)
		in := p.accept(far, m.Kind())
		if m.Kind() == wire.KindTrackStatus {
			if _, err := r.Update(p.ctx, nil); p.draft != wire.Draft16 && !errors.Is(err, ErrNotInDraft) {
				t.Errorf("update of TRACK_STATUS: %v", err)
			}
			return
		}
		noError(t, in.Accept(p.ctx, nil))
		_, err = r.Response(p.ctx)
		noError(t, err)
		tried := 0
		for _, way := range []struct {
			from, to *Request
			bySender bool
		}{{r, in, true}, {in, r, false}} {
			if !updatable(p.draft, m.Kind(), way.bySender) {
				if _, err := way.from.Update(p.ctx, nil); !errors.Is(err, ErrNotInDraft) {
					t.Errorf("update by sender %v: %v", way.bySender, err)
				}
				continue
			}
			tried++
			var ps wire.Parameters
			if m.Kind() == wire.KindSubscribe || m.Kind() == wire.KindPublish && !way.bySender {
				ps.SetUint(wire.ParamForward, 0)
			}
			done := make(chan error, 1)
			go func() {
				_, err := way.from.Update(p.ctx, ps)
				done <- err
			}()
			got, err := way.to.Next(p.ctx)
			noError(t, err)
			u := got.(*wire.RequestUpdate)
			noError(t, way.to.AcceptUpdate(p.ctx, u, nil))
			noError(t, <-done)
			if len(ps) > 0 && (way.from.Parameters().UintOr(wire.ParamForward, 1) != 0 ||
				way.to.Parameters().UintOr(wire.ParamForward, 1) != 0) {
				t.Errorf("in effect: %v and %v", way.from.Parameters(), way.to.Parameters())
			}
		}
		if p.draft >= wire.Draft16 && tried == 0 {
			t.Error("nothing was updated")
		}
	})
}

// TestUpdateRefused: the error comes back, and the subscription ends with UPDATE_FAILED.
func TestUpdateRefused(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		sub, pub := p.established(p.end(near), p.end(far), subscribeMessage(), nil, ManualUpdates())
		if d == wire.Draft14 {
			if ok, err := sub.Update(p.ctx, uint1(wire.ParamForward, 0)); ok != nil || err != nil {
				t.Errorf("14 has no answer: %v, %v", ok, err)
			}
			u, err := pub.NextUpdate(p.ctx)
			noError(t, err)
			if pub.Forward() {
				t.Error("an update of 14 is in effect at once")
			}
			if err := u.Reject(p.ctx, RejectInternalError, ""); !errors.Is(err, ErrNotInDraft) {
				t.Errorf("refused in 14: %v", err)
			}
			return
		}
		w, err := pub.OpenSubgroup(p.ctx, wire.SubgroupHeader{})
		noError(t, err)
		noError(t, w.Flush())
		done := make(chan error, 1)
		go func() {
			_, err := sub.Update(p.ctx, uint1(wire.ParamForward, 0))
			done <- err
		}()
		u, err := pub.NextUpdate(p.ctx)
		noError(t, err)
		noError(t, u.Reject(p.ctx, RejectUnauthorized, "no"))
		var e *RequestError
		if err := <-done; !errors.As(err, &e) || e.Kind != wire.KindRequestUpdate || e.Name != "UNAUTHORIZED" {
			t.Errorf("Update: %v", err)
		}
		m, err := sub.Done(p.ctx)
		noError(t, err)
		if DoneName(d, m.StatusCode) != "UPDATE_FAILED" || m.StreamCount != 1 {
			t.Errorf("PUBLISH_DONE %+v", m)
		}
		if !pub.Forward() {
			t.Error("the refused update is in effect")
		}
	})
}

// TestSeveralUpdates: answers find their updates in order, also when several are outstanding.
func TestSeveralUpdates(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft15 {
			return
		}
		limits := Config{}
		if d >= wire.Draft19 {
			limits.SetupOptions = wire.Properties{{Type: wire.OptionMaxRequestUpdates, Uint: 3}}
		}
		p := dialSessions(t, d, Config{}, limits)
		sub, pub := p.established(p.client, p.server, subscribeMessage(), nil, ManualUpdates())
		const n = 8
		got := make(chan uint64, n)
		for i := range uint64(n) {
			go func() {
				ok, err := sub.Update(p.ctx, uint1(wire.ParamSubscriberPriority, i))
				if err != nil {
					t.Error(err)
					got <- 1
					return
				}
				l, _ := ok.Parameters.Largest()
				got <- l.Group - i
			}()
		}
		for range n {
			settle()
			u, err := pub.NextUpdate(p.ctx)
			noError(t, err)
			if d >= wire.Draft19 && pub.r.peerUpdates > 3 {
				t.Errorf("%d updates outstanding", pub.r.peerUpdates)
			}
			priority, _ := u.Parameters().Uint(wire.ParamSubscriberPriority)
			answer := &wire.RequestOK{}
			answer.Parameters.SetLargest(wire.Location{Group: priority})
			noError(t, u.Accept(p.ctx, answer))
		}
		for range n {
			if off := <-got; off != 0 {
				t.Errorf("an answer went to another update: off by %d", int64(off))
			}
		}
	})
}

// TestRequestStreamsEnd: what the end of the other direction means (17 and later).
func TestRequestStreamsEnd(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft17 {
			return
		}
		start := func(p *rawPeer, m wire.Message) (*Request, *rawStream) {
			r, err := p.session.Start(p.ctx, m)
			noError(t, err)
			_, stream, in := p.accept()
			return r, &rawStream{stream, in}
		}
		p := newRawPeer(t, d, wire.ServerSide, Config{})

		r, s := start(p, subscribeMessage())
		s.Close() // FIN instead of an answer: the request has failed
		var e *CancelError
		if _, err := r.Response(p.ctx); !errors.As(err, &e) || e.How != "FIN" || e.Side != wire.ServerSide {
			t.Errorf("FIN before the answer: %v", err)
		}

		r, s = start(p, subscribeMessage())
		s.Reset(9)
		if _, err := r.Response(p.ctx); !errors.As(err, &e) || e.How != "RESET_STREAM" || e.Name != "EXCESSIVE_LOAD" {
			t.Errorf("RESET_STREAM before the answer: %v", err)
		}

		r, s = start(p, subscribeMessage())
		s.Stop(0) // it will not read: that decides nothing
		settle()
		p.send(s, &wire.RequestError{Answers: wire.KindSubscribe, Code: 0x10, Reason: "gone"})
		s.Close()
		var refused *RequestError
		if _, err := r.Response(p.ctx); !errors.As(err, &refused) || refused.Name != "DOES_NOT_EXIST" {
			t.Errorf("STOP_SENDING and an error: %v", err)
		}

		r, s = start(p, subscribeMessage())
		p.send(s, &wire.SubscribeOK{TrackAlias: 1})
		s.Close() // no PUBLISH_DONE
		<-r.Context().Done()
		if cause := context.Cause(r.Context()); !errors.As(cause, &e) || e.How != "FIN" {
			t.Errorf("FIN without PUBLISH_DONE: %v", cause)
		}

		r, s = start(p, &wire.PublishNamespace{TrackNamespace: testNS})
		p.send(s, &wire.RequestOK{Answers: wire.KindPublishNamespace})
		s.Close() // nothing more to say: the namespace stays
		if _, err := r.Next(p.ctx); err != io.EOF {
			t.Errorf("FIN behind the OK: %v", err)
		}
		if r.Context().Err() != nil {
			t.Errorf("FIN ended the announcement: %v", context.Cause(r.Context()))
		}
		s.Stop(1) // after its FIN this is the way to cancel (draft-19 §3.3.3)
		<-r.Context().Done()
		if cause := context.Cause(r.Context()); !errors.As(cause, &e) || e.How != "STOP_SENDING" ||
			e.Name != "CANCELLED" {
			t.Errorf("STOP_SENDING after FIN: %v", cause)
		}

		own := p.request(&wire.SubscribeNamespace{RequestID: p.id(0), Prefix: testNS, Options: 1})
		in := must[*Request](t)(p.session.AcceptRequest(p.ctx))
		noError(t, in.Accept(p.ctx, nil))
		own.Close()
		settle()
		if cancelled := in.Context().Err() != nil; cancelled != (d <= wire.Draft18) {
			t.Errorf("FIN by the asker cancels: %v", cancelled)
		}

		own = p.request(p.subscribe(1, nil))
		in = must[*Request](t)(p.session.AcceptRequest(p.ctx))
		own.Close()
		settle()
		if in.Context().Err() != nil {
			t.Errorf("FIN by the subscriber: %v", context.Cause(in.Context()))
		}
		own.Stop(1)
		<-in.Context().Done()
		if cause := context.Cause(in.Context()); !errors.As(cause, &e) || e.How != "STOP_SENDING" {
			t.Errorf("STOP_SENDING by the subscriber: %v", cause)
		}
		p.open()
	})
}

// rawStream is a request stream of the session's at the raw peer.
type rawStream struct {
	stream interface {
		io.Writer
		Close() error
		Reset(uint64)
		Stop(uint64)
		StreamID() uint64
		Context() context.Context
		SetWriteDeadline(time.Time) error
	}
	in *messageReader
}

func (s *rawStream) Write(b []byte) (int, error)        { return s.stream.Write(b) }
func (s *rawStream) Close() error                       { return s.stream.Close() }
func (s *rawStream) Reset(code uint64)                  { s.stream.Reset(code) }
func (s *rawStream) Stop(code uint64)                   { s.stream.Stop(code) }
func (s *rawStream) StreamID() uint64                   { return s.stream.StreamID() }
func (s *rawStream) Context() context.Context           { return s.stream.Context() }
func (s *rawStream) SetWriteDeadline(t time.Time) error { return s.stream.SetWriteDeadline(t) }
