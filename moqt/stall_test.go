package moqt

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// inBubble runs a test for every draft of some, in a bubble of its own.
func inBubble(t *testing.T, drafts []wire.Draft, f func(t *testing.T, d wire.Draft)) {
	for _, d := range drafts {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, d) })
		})
	}
}

// testStall is the Limits.Stall of these tests.
const testStall = 4 * time.Second

// stalls checks that the peer's streams are stopped with CANCELLED, not before testStall and not long after it.
func (p *rawPeer) stalls(streams map[string]transport.SendStream) {
	p.t.Helper()
	time.Sleep(testStall - time.Millisecond)
	for what, s := range streams {
		if s.Context().Err() != nil {
			p.t.Errorf("%s: stopped too early: %v", what, context.Cause(s.Context()))
		}
	}
	time.Sleep(testStall)
	for what, s := range streams {
		var stopped *transport.StreamError
		if !errors.As(context.Cause(s.Context()), &stopped) || stopped.Code != ResetCancelled.Number(p.draft) {
			p.t.Errorf("%s: %v, want CANCELLED", what, context.Cause(s.Context()))
		}
	}
}

// TestStalledStart: what a stream begins with must go on.
func TestStalledStart(t *testing.T) {
	inBubble(t, []wire.Draft{wire.Draft16, wire.Draft17, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ClientSide, Config{Limits: Limits{Stall: testStall}})
		request := must[transport.Stream](t)(p.conn.OpenStream(p.ctx))
		b := p.encode(wire.RequestStream, &wire.SubscribeNamespace{RequestID: p.id(0), Prefix: testNS, Options: 1})
		p.write(request, b[:len(b)-1])
		data := must[transport.SendStream](t)(p.conn.OpenUniStream(p.ctx))
		b, err := wire.AppendSubgroupHeader(nil, d, &wire.SubgroupHeader{TrackAlias: 1, FirstObject: true})
		noError(t, err)
		p.write(data, b[:len(b)-1])
		p.stalls(map[string]transport.SendStream{"half a request": request, "half a header": data})
		p.open()
		if n := p.session.Account().Sum(); n > 3*streamCost {
			t.Errorf("%d bytes are still held", n)
		}
	})
}

// TestStalledObject: an object that has begun must go on. A stream may stand still between objects, and an object may
// come slowly.
func TestStalledObject(t *testing.T) {
	inBubble(t, []wire.Draft{wire.Draft16, wire.Draft17, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ClientSide, Config{Limits: Limits{Stall: testStall}})
		p.request(&wire.Publish{RequestID: p.id(0), TrackNamespace: testNS, TrackName: testName, TrackAlias: 1})
		r := must[*Request](t)(p.session.AcceptRequest(p.ctx))
		sub := must[*Subscription](t)(r.AcceptPublish(p.ctx, nil))
		begin := func(group uint64, some int) (transport.SendStream, *error) {
			s := must[transport.SendStream](t)(p.conn.OpenUniStream(p.ctx))
			w, err := NewSubgroupWriter(s, d, wire.SubgroupHeader{TrackAlias: 1, GroupID: group, FirstObject: true})
			noError(t, err)
			noError(t, w.BeginObject(&wire.ObjectHeader{PayloadLength: 1000}, 0))
			must[int](t)(w.Write(make([]byte, some)))
			noError(t, w.Flush())
			sr := must[*SubgroupReader](t)(sub.AcceptSubgroup(p.ctx))
			var end error
			go func() {
				var o Object
				for end == nil {
					end = sr.ReadObject(&o)
				}
			}()
			return s, &end
		}
		cut, cutEnd := begin(1, 999)
		whole, wholeEnd := begin(2, 1000)
		slow, slowEnd := begin(3, 1)
		go func() {
			for range 5 {
				time.Sleep(testStall / 2)
				slow.Write([]byte{0})
			}
		}()
		p.stalls(map[string]transport.SendStream{"half an object": cut})
		settle()
		var stop *transport.StreamError
		if !errors.As(*cutEnd, &stop) || stop.Remote {
			t.Errorf("the reader of half an object ended with %v", *cutEnd)
		}
		if *wholeEnd != nil || *slowEnd != nil || whole.Context().Err() != nil || slow.Context().Err() != nil {
			t.Errorf("the others ended too: %v, %v", *wholeEnd, *slowEnd)
		}
		p.open()
		time.Sleep(testStall)
	})
}

// TestStalledControl: half a message on the control stream ends the session after Limits.Stall, and one that has
// nothing to say does not.
func TestStalledControl(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ServerSide, Config{Limits: Limits{Stall: time.Second}})
		time.Sleep(time.Minute / 2)
		p.open()
		b := p.encode(wire.ControlStream, &wire.Goaway{})
		p.write(p.control, b[:len(b)-1])
		time.Sleep(time.Second / 2)
		p.open()
		p.closed(wire.ControlMessageTimeout)
	})
}

// TestStalledMessage: half a message behind a request cancels it, and other requests go on.
func TestStalledMessage(t *testing.T) {
	inBubble(t, []wire.Draft{wire.Draft17, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ClientSide, Config{Limits: Limits{Stall: time.Second}})
		stream := p.request(&wire.Publish{RequestID: p.id(0), TrackNamespace: testNS, TrackName: testName})
		other := p.request(&wire.Publish{RequestID: p.id(1), TrackNamespace: testNS, TrackName: "other", TrackAlias: 1})
		r, next := must[*Request](t)(p.session.AcceptRequest(p.ctx)), must[*Request](t)(p.session.AcceptRequest(p.ctx))
		for _, r := range []*Request{r, next} {
			must[*Subscription](t)(r.AcceptPublish(p.ctx, nil))
		}
		b := p.encode(wire.RequestStream, &wire.PublishDone{Reason: "because"})
		p.write(stream, b[:len(b)-1])
		time.Sleep(2 * time.Second)
		var cancelled *CancelError
		if r.TrackName() != testName {
			r, next = next, r
		}
		if !errors.As(context.Cause(r.Context()), &cancelled) || cancelled.Side != wire.ServerSide {
			t.Errorf("the request ended with %v", context.Cause(r.Context()))
		}
		if next.Context().Err() != nil || other.Context().Err() != nil {
			t.Error("the other request has ended too")
		}
		p.open()
	})
}

// TestReadingSlowlyIsNoStall: a stream that this end does not read for long is not stopped.
func TestReadingSlowlyIsNoStall(t *testing.T) {
	inBubble(t, []wire.Draft{wire.Draft22}, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{Limits: Limits{Stall: time.Second}})
		pub := must[*Publication](t)(p.client.StartPublish(p.ctx, publishMessage()))
		sub := must[*Subscription](t)(p.accept(p.server, wire.KindPublish).AcceptPublish(p.ctx, nil))
		w := must[*SubgroupWriter](t)(pub.OpenSubgroup(p.ctx, wire.SubgroupHeader{FirstObject: true}))
		noError(t, w.WriteObject(&Object{Payload: make([]byte, 1000)}))
		noError(t, w.Close())
		sr := must[*SubgroupReader](t)(sub.AcceptSubgroup(p.ctx))
		must[*wire.ObjectHeader](t)(sr.Next())
		time.Sleep(10 * time.Second)
		if n, err := io.Copy(io.Discard, sr); n != 1000 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}
