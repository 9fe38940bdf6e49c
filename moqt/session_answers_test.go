package moqt

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestWrongAnswers: a response of a type that does not answer the request closes the session, and the error says which
// type would (draft-14 §9, draft-15 §9.7, draft-17 §9.6, draft-18 §10.5).
func TestWrongAnswers(t *testing.T) {
	ok := func(answers wire.Kind, typ uint64) wire.Message { return &wire.RequestOK{Answers: answers, Type: typ} }
	refusal := func(answers wire.Kind) wire.Message { return &wire.RequestError{Answers: answers} }
	namespace := &wire.PublishNamespace{TrackNamespace: testNS}
	prefix := &wire.SubscribeNamespace{Prefix: testNS, Options: 1}
	fetch := &wire.Fetch{Type: wire.FetchStandalone, TrackNamespace: testNS, TrackName: testName}
	status := &wire.TrackStatus{TrackNamespace: testNS, TrackName: testName}
	for _, x := range []struct {
		first, last wire.Draft
		request     wire.Message
		answer      wire.Message
		want        string
	}{
		{14, 14, namespace, ok(wire.KindSubscribeNamespace, 0), "want PUBLISH_NAMESPACE_OK (0x7)"},
		{14, 14, prefix, ok(wire.KindPublishNamespace, 0), "want SUBSCRIBE_NAMESPACE_OK (0x12)"},
		{14, 14, publishMessage(), ok(wire.KindPublishNamespace, 0), "want PUBLISH_OK (0x1e)"},
		{14, 14, status, ok(wire.KindPublish, 0), "want TRACK_STATUS_OK (0xe)"},
		{14, 14, subscribeMessage(), refusal(wire.KindFetch), "want SUBSCRIBE_OK (0x4) or SUBSCRIBE_ERROR (0x5)"},
		{14, 14, fetch, refusal(wire.KindSubscribe), "want FETCH_OK (0x18) or FETCH_ERROR (0x19)"},
		{14, 14, publishMessage(), refusal(wire.KindTrackStatus), "want PUBLISH_OK (0x1e) or PUBLISH_ERROR (0x1f)"},
		{15, 17, publishMessage(), ok(wire.KindNone, 0x7), "want PUBLISH_OK (0x1e)"},
		{15, 17, namespace, ok(wire.KindPublish, 0), "want REQUEST_OK (0x7)"},
		{17, 17, prefix, ok(wire.KindPublish, 0), "want REQUEST_OK (0x7)"},
		{15, 17, status, ok(wire.KindPublish, 0), "want REQUEST_OK (0x7)"},
		{15, 22, subscribeMessage(), ok(wire.KindTrackStatus, 0), "want SUBSCRIBE_OK (0x4) or REQUEST_ERROR (0x5)"},
		{15, 22, fetch, ok(wire.KindTrackStatus, 0), "want FETCH_OK (0x18)"},
		{14, 22, fetch, &wire.SubscribeOK{}, "want FETCH_OK (0x18)"},
		{14, 22, subscribeMessage(), &wire.FetchOK{End: wire.Location{Group: 1}}, "want SUBSCRIBE_OK (0x4)"},
		{14, 22, publishMessage(), &wire.SubscribeOK{}, "does not answer PUBLISH"},
	} {
		eachDraft(t, func(t *testing.T, d wire.Draft) {
			if d < x.first || x.last < d {
				return
			}
			p := newRawPeer(t, d, wire.ServerSide, Config{})
			_, err := p.session.Start(p.ctx, x.request)
			noError(t, err)
			m, stream := p.take(x.request.Kind())
			p.send(p.on(stream), withResponseID(x.answer, requestIDIn(m)))
			if e := p.closed(wire.ProtocolViolation); !strings.Contains(e.Reason, x.want) {
				t.Errorf("%s answers %s: %q, want %q", wire.NameOf(d, x.answer), m.Kind(), e.Reason, x.want)
			}
		})
	}
}

// withResponseID copies a response with the id that it has up to 16.
func withResponseID(m wire.Message, id uint64) wire.Message {
	switch x := m.(type) {
	case *wire.RequestOK:
		c := *x
		c.RequestID = id
		return &c
	case *wire.RequestError:
		c := *x
		c.RequestID = id
		return &c
	case *wire.SubscribeOK:
		c := *x
		c.RequestID = id
		return &c
	case *wire.FetchOK:
		c := *x
		c.RequestID = id
		return &c
	}
	return m
}

// TestWrongAnswerToUpdate: PUBLISH_OK answers no update (draft-15 §9.11, draft-17 §9.10).
func TestWrongAnswerToUpdate(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft15 || d > wire.Draft17 {
			return
		}
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		sub, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
		noError(t, err)
		m, stream := p.take(wire.KindSubscribe)
		p.send(p.on(stream), &wire.SubscribeOK{RequestID: requestIDIn(m), TrackAlias: 1})
		noError(t, sub.Ready(p.ctx))
		go sub.Update(p.ctx, wire.Parameters{{Type: wire.ParamForward, Uint: 0}})
		settle()
		p.send(p.on(stream), &wire.RequestOK{Answers: wire.KindPublish, RequestID: requestIDIn(m) + 2})
		if e := p.closed(wire.ProtocolViolation); !strings.Contains(e.Reason, "does not answer") {
			t.Error(e)
		}
	})
}

// TestStopAfterFetchOK: a STOP_SENDING on the request stream of a FETCH that has its FETCH_OK is no cancellation,
// whether it is seen before or after FIN: the fetch ends with its data stream (draft-18 §5.2).
func TestStopAfterFetchOK(t *testing.T) {
	for _, order := range []string{"OK FIN STOP", "OK STOP FIN", "OK STOP", "STOP OK FIN"} {
		eachDraft(t, func(t *testing.T, d wire.Draft) {
			if d < wire.Draft17 {
				return
			}
			p := newRawPeer(t, d, wire.ServerSide, Config{})
			f, err := p.session.StartFetchMessage(p.ctx, &wire.Fetch{Type: wire.FetchStandalone, TrackNamespace: testNS,
				TrackName: testName, End: wire.Location{Group: 9}})
			noError(t, err)
			_, stream := p.take(wire.KindFetch)
			for _, step := range strings.Fields(order) {
				switch step {
				case "OK":
					p.send(stream, &wire.FetchOK{End: wire.Location{Group: 9}})
				case "FIN":
					stream.Close()
				case "STOP":
					stream.Stop(0)
				}
				settle()
			}
			noError(t, f.Ready(p.ctx))
			time.Sleep(10 * time.Second)
			data := must[transport.SendStream](t)(p.conn.OpenUniStream(p.ctx))
			w := must[*FetchWriter](t)(NewFetchWriter(data, d, f.ID(), false))
			for i := range uint64(3) {
				noError(t, w.WriteObject(&Object{ObjectID: i, Payload: []byte{1}}))
			}
			noError(t, w.Close())
			for i := range uint64(3) {
				o, err := f.Next(p.ctx)
				if err != nil || o.ObjectID != i {
					t.Fatalf("%s, object %d: %v, %v", order, i, o, err)
				}
			}
			if _, err := f.Next(p.ctx); err != io.EOF {
				t.Errorf("%s: %v, want io.EOF", order, err)
			}
			if cause := context.Cause(f.Request().Context()); cause != io.EOF {
				t.Errorf("%s: the request ended with %v", order, cause)
			}
		})
	}
}

// TestStopAfterTrackStatus: the request is over with its answer, whatever the peer does to the stream.
func TestStopAfterTrackStatus(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft17 {
			return
		}
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		r, err := p.session.Start(p.ctx, &wire.TrackStatus{TrackNamespace: testNS, TrackName: testName})
		noError(t, err)
		_, stream := p.take(wire.KindTrackStatus)
		stream.Stop(0)
		settle()
		p.send(stream, &wire.RequestOK{Answers: wire.KindTrackStatus})
		stream.Close()
		if m, err := r.Response(p.ctx); err != nil || m.Kind() != wire.KindRequestOK {
			t.Errorf("%v, %v", m, err)
		}
		p.open()
	})
}

// TestStopWithoutAnswer: a STOP_SENDING that no answer follows cancels every request (draft-22 §6.4.2.3).
func TestStopWithoutAnswer(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft17 {
			return
		}
		requests := []wire.Message{subscribeMessage(), publishMessage(),
			&wire.Fetch{Type: wire.FetchStandalone, TrackNamespace: testNS, TrackName: testName},
			&wire.TrackStatus{TrackNamespace: testNS, TrackName: testName},
			&wire.PublishNamespace{TrackNamespace: testNS}, &wire.SubscribeNamespace{Prefix: testNS, Options: 1}}
		if d >= wire.Draft18 {
			requests = append(requests, &wire.SubscribeTracks{Prefix: testNS})
		}
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		for _, m := range requests {
			r, err := p.session.Start(p.ctx, m)
			noError(t, err)
			_, stream := p.take(m.Kind())
			stream.Stop(ResetExcessiveLoad.Number(d))
			began := time.Now()
			var e *CancelError
			if _, err := r.Response(p.ctx); !errors.As(err, &e) || e.How != "STOP_SENDING" ||
				e.Side != wire.ServerSide || e.Name != "EXCESSIVE_LOAD" {
				t.Errorf("%s: %v", m.Kind(), err)
			}
			if took := time.Since(began); took > stopGrace {
				t.Errorf("%s: cancelled after %v", m.Kind(), took)
			}
		}
		p.open()
	})
}

// TestStopByTheAsker: a STOP_SENDING of the one who asks cancels, also behind the answer (draft-18 §5.1, §5.2).
func TestStopByTheAsker(t *testing.T) {
	for _, asked := range []wire.Message{
		&wire.Subscribe{TrackNamespace: testNS, TrackName: testName},
		&wire.Fetch{Type: wire.FetchStandalone, TrackNamespace: testNS, TrackName: testName,
			End: wire.Location{Group: 9}},
		&wire.PublishNamespace{TrackNamespace: testNS},
		&wire.SubscribeNamespace{Prefix: testNS, Options: 1},
	} {
		eachDraft(t, func(t *testing.T, d wire.Draft) {
			if d < wire.Draft17 {
				return
			}
			p := newRawPeer(t, d, wire.ClientSide, Config{})
			stream := p.request(withRequestID(asked, 0))
			in := must[*Request](t)(p.session.AcceptRequest(p.ctx))
			var w *FetchWriter
			if in.Kind() == wire.KindFetch {
				w = must[*FetchWriter](t)(in.AcceptFetch(p.ctx, &wire.FetchOK{End: wire.Location{Group: 8}}))
			} else {
				noError(t, in.Accept(p.ctx, nil))
			}
			settle()
			stream.Stop(1)
			<-in.Context().Done()
			var e *CancelError
			if cause := context.Cause(in.Context()); !errors.As(cause, &e) || e.How != "STOP_SENDING" {
				t.Errorf("%s: %v", in.Kind(), cause)
			}
			if w == nil {
				return
			}
			settle()
			err := w.WriteObject(&Object{Payload: []byte{1}})
			if err == nil {
				err = w.Flush()
			}
			if err == nil {
				t.Error("the data stream of the cancelled FETCH is open")
			}
		})
	}
}
