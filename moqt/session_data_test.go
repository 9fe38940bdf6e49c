package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// send opens a subgroup stream with objects of one byte and ends it.
func send(t *testing.T, ctx context.Context, pub *Publication, h wire.SubgroupHeader, objects ...uint64) {
	t.Helper()
	w, err := pub.OpenSubgroup(ctx, h)
	noError(t, err)
	for _, o := range objects {
		noError(t, w.WriteObject(&Object{ObjectID: o, Payload: []byte{byte(o)}}))
	}
	noError(t, w.Close())
}

// rest takes the objects that are left, to the end.
func rest(t *testing.T, ctx context.Context, next func(context.Context) (*Object, error)) (all []wire.Location,
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

// TestPublish: the publisher begins; objects may go before the answer (draft-19 §5.1).
func TestPublish(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		pub, err := p.end(near).StartPublish(p.ctx, publishMessage())
		noError(t, err)
		send(t, p.ctx, pub, wire.SubgroupHeader{GroupID: 3}, 0, 1)
		noError(t, pub.SendDatagram(&Object{GroupID: 4, Payload: []byte("d")}))
		in := p.accept(p.end(far), wire.KindPublish)
		settle()
		sub, err := in.AcceptPublish(p.ctx, nil)
		noError(t, err)
		noError(t, pub.Ready(p.ctx))
		if !pub.Forward() || sub.TrackAlias() != pub.TrackAlias() {
			t.Errorf("Forward %v, aliases %d and %d", pub.Forward(), sub.TrackAlias(), pub.TrackAlias())
		}
		noError(t, pub.Done(p.ctx, DoneTrackEnded, ""))
		got, err := rest(t, p.ctx, sub.Next)
		if err != io.EOF || len(got) != 3 {
			t.Errorf("%v, %v", got, err)
		}
		if cause := context.Cause(sub.Context()); cause != io.EOF {
			t.Errorf("cause %v", cause)
		}
		if _, err := sub.Next(p.ctx); err != io.EOF {
			t.Errorf("Next at the end: %v", err)
		}
	})
}

// TestPublishParameters: what the subscriber sets reaches the publisher: in PUBLISH_OK up to 19, in an update after it
// later.
func TestPublishParameters(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		m := publishMessage()
		m.Parameters.SetUint(wire.ParamForward, 0)
		pub, err := p.client.StartPublish(p.ctx, m)
		noError(t, err)
		if pub.Forward() {
			t.Error("FORWARD 0 is not heeded")
		}
		ok := &wire.RequestOK{Parameters: uint1(wire.ParamForward, 1)}
		ok.Parameters.SetUint(wire.ParamSubscriberPriority, 7)
		if d >= wire.Draft15 {
			ok.Parameters.SetUint(wire.ParamExpires, 1000)
		}
		waited := make(chan error, 1)
		go func() { waited <- pub.WaitForward(p.ctx) }()
		_, err = p.accept(p.server, wire.KindPublish).AcceptPublish(p.ctx, ok)
		noError(t, err)
		noError(t, <-waited)
		if v := pub.Parameters().UintOr(wire.ParamSubscriberPriority, 128); v != 7 {
			t.Errorf("priority %d", v)
		}
		answer, err := pub.Request().Response(p.ctx)
		noError(t, err)
		if v := answer.(*wire.RequestOK).Parameters.UintOr(wire.ParamExpires, 0); d >= wire.Draft15 && v != 1000 {
			t.Errorf("EXPIRES %d", v)
		}
	})
}

// TestDataBeforeOK: a stream and a datagram that come before SUBSCRIBE_OK wait for it (draft-18 §11.4.2).
func TestDataBeforeOK(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		sub, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
		noError(t, err)
		_, stream := p.take(wire.KindSubscribe)
		p.object(5, 1, 0)
		b, err := AppendDatagram(nil, d, 5, &Object{GroupID: 1, ObjectID: 1})
		noError(t, err)
		noError(t, p.conn.SendDatagram(b))
		settle()
		time.Sleep(time.Second)
		p.send(p.on(stream), &wire.SubscribeOK{TrackAlias: 5})
		got := map[wire.Location]bool{}
		for range 2 {
			o, err := sub.Next(p.ctx)
			noError(t, err)
			got[o.Location()] = true
		}
		if !got[wire.Location{Group: 1}] || !got[wire.Location{Group: 1, Object: 1}] {
			t.Errorf("got %v", got)
		}
	})
}

// object sends a subgroup stream with one object by hand.
func (p *rawPeer) object(alias, group, object uint64) transport.SendStream {
	p.t.Helper()
	stream := must[transport.SendStream](p.t)(p.conn.OpenUniStream(p.ctx))
	h := wire.SubgroupHeader{TrackAlias: alias, GroupID: group}
	b, err := wire.AppendSubgroupHeader(nil, p.draft, &h)
	noError(p.t, err)
	objects := h.Objects(p.draft)
	b, err = objects.AppendHeader(b, &wire.ObjectHeader{ObjectID: object, PayloadLength: 1})
	noError(p.t, err)
	p.write(stream, append(b, 'x'))
	_ = stream.Close()
	return stream
}

// TestUnknownAlias: what nobody asks for is held for a while, then stopped; more than the limit is stopped at once; the
// session lives on.
func TestUnknownAlias(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		var dropped atomic.Int32
		cfg := Config{Limits: Limits{PendingStreams: 2, PendingDatagrams: 2}, Trace: func(e Event) {
			if e.Type == EventDropped {
				dropped.Add(1)
			}
		}}
		p := newRawPeer(t, d, wire.ServerSide, cfg)
		open := func() transport.SendStream {
			stream := must[transport.SendStream](t)(p.conn.OpenUniStream(p.ctx))
			b, err := wire.AppendSubgroupHeader(nil, d, &wire.SubgroupHeader{TrackAlias: 9})
			noError(t, err)
			p.write(stream, b)
			return stream
		}
		first, second, third := open(), open(), open()
		settle()
		stopped := func(s transport.SendStream) uint64 {
			var e *transport.StreamError
			if !errors.As(context.Cause(s.Context()), &e) || !e.Stop {
				t.Fatalf("not stopped: %v", context.Cause(s.Context()))
			}
			return e.Code
		}
		over := []transport.SendStream{first, second, third}
		held := 0
		for _, s := range over {
			if s.Context().Err() == nil {
				held++
			} else if code := stopped(s); code != ResetExcessiveLoad.Number(d) {
				t.Errorf("stopped with %d", code)
			}
		}
		if held != 2 {
			t.Errorf("%d are held, want 2", held)
		}
		for i := range uint64(3) {
			b, err := AppendDatagram(nil, d, 9, &Object{ObjectID: i})
			noError(t, err)
			noError(t, p.conn.SendDatagram(b))
		}
		time.Sleep(4 * time.Second)
		settle()
		for _, s := range over {
			stopped(s)
		}
		if n := dropped.Load(); n != 4 {
			t.Errorf("%d drops were told of, want 3 streams and 1 datagram", n)
		}
		p.open()
	})
}

// TestDataLongBeforeItsOK: while a SUBSCRIBE is not answered, streams and datagrams with an unknown alias may be its
// data, however long the answer is on its way. Once the answer has come, what is not its data is stopped.
func TestDataLongBeforeItsOK(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		for range 2 { // the second time the alias is one that has been used
			sub, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
			noError(t, err)
			m, stream := p.take(wire.KindSubscribe)
			p.object(5, 7, 0)
			b, err := AppendDatagram(nil, d, 5, &Object{GroupID: 7, ObjectID: 1, Payload: []byte("d")})
			noError(t, err)
			noError(t, p.conn.SendDatagram(b))
			other := must[transport.SendStream](t)(p.conn.OpenUniStream(p.ctx))
			b, err = wire.AppendSubgroupHeader(nil, d, &wire.SubgroupHeader{TrackAlias: 6})
			noError(t, err)
			p.write(other, b)
			time.Sleep(20 * time.Second)
			if other.Context().Err() != nil {
				t.Errorf("a stream was stopped: %v", context.Cause(other.Context()))
			}
			p.send(p.on(stream), &wire.SubscribeOK{RequestID: requestIDIn(m), TrackAlias: 5})
			noError(t, sub.Ready(p.ctx))
			for range 2 {
				ctx, cancel := context.WithTimeout(p.ctx, time.Second)
				o, err := sub.Next(ctx)
				cancel()
				noError(t, err)
				if o.GroupID != 7 {
					t.Errorf("object %v", o.Location())
				}
			}
			settle()
			var stop *transport.StreamError
			if !errors.As(context.Cause(other.Context()), &stop) || !stop.Stop {
				t.Errorf("the stream of another alias: %v", context.Cause(other.Context()))
			}
			sub.Unsubscribe()
			if d <= wire.Draft16 {
				p.take(wire.KindUnsubscribe)
			}
			settle()
		}
	})
}

// TestDrain: PUBLISH_DONE may overtake the data; streams that are promised and do not come end the wait after
// Limits.Drain.
func TestDrain(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		sub, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
		noError(t, err)
		_, stream := p.take(wire.KindSubscribe)
		p.send(p.on(stream), &wire.SubscribeOK{TrackAlias: 5}, &wire.PublishDone{StreamCount: 3})
		settle()
		start := time.Now()
		done, err := sub.Done(p.ctx)
		noError(t, err)
		if done.StreamCount != 3 || sub.Context().Err() != nil {
			t.Errorf("%+v, %v", done, context.Cause(sub.Context()))
		}
		for g := range uint64(2) {
			time.Sleep(900 * time.Millisecond)
			p.object(5, g, 0)
			if _, err := sub.Next(p.ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := sub.Next(p.ctx); err != io.EOF {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != 1800*time.Millisecond+time.Second {
			t.Errorf("the end came after %s", took)
		}
		if sub.StreamsSeen() != 2 {
			t.Errorf("%d streams", sub.StreamsSeen())
		}
		late := p.object(5, 9, 0) // after the end: discarded at once
		settle()
		_ = late
		p.open()

		again, err := p.session.StartSubscribe(p.ctx, &wire.Subscribe{TrackNamespace: testNS, TrackName: "other"})
		noError(t, err)
		m, stream := p.take(wire.KindSubscribe)
		p.send(p.on(stream), &wire.SubscribeOK{RequestID: requestIDIn(m), TrackAlias: 5}) // the alias is free again
		noError(t, again.Ready(p.ctx))
		p.object(5, 0, 0)
		_, err = again.Next(p.ctx)
		noError(t, err)
	})
}

// TestDrainCountTooLow: more streams than PUBLISH_DONE counts show that its count is wrong, so there may be others yet.
// Publishers are met that count 0 always.
func TestDrainCountTooLow(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		sub, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
		noError(t, err)
		_, stream := p.take(wire.KindSubscribe)
		p.send(p.on(stream), &wire.SubscribeOK{TrackAlias: 5})
		p.object(5, 0, 0)
		settle()
		p.send(p.on(stream), &wire.PublishDone{})
		settle()
		start := time.Now()
		for g := range uint64(3) {
			if g > 0 {
				time.Sleep(900 * time.Millisecond)
				p.object(5, g, 0)
			}
			if _, err := sub.Next(p.ctx); err != nil {
				t.Fatalf("group %d: %v", g, err)
			}
		}
		if _, err := sub.Next(p.ctx); err != io.EOF {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != 1800*time.Millisecond+time.Second {
			t.Errorf("the end came after %s", took)
		}
	})
}

// TestUnsubscribe resets what the publisher has open, and stops what the subscriber reads.
func TestUnsubscribe(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		sub, pub := p.established(p.end(near), p.end(far), subscribeMessage(), nil)
		w, err := pub.OpenSubgroup(p.ctx, wire.SubgroupHeader{})
		noError(t, err)
		noError(t, w.WriteObject(&Object{Payload: []byte("x")}))
		_, err = sub.Next(p.ctx)
		noError(t, err)
		sub.Unsubscribe()
		<-pub.Context().Done()
		settle()
		var cancelled *CancelError
		if cause := context.Cause(pub.Context()); !errors.As(cause, &cancelled) || cancelled.Side != near {
			t.Errorf("the publisher sees %v", cause)
		}
		var reset *transport.StreamError
		if err := w.WriteObject(&Object{ObjectID: 1}); !errors.As(err, &reset) || reset.Code != 1 {
			t.Errorf("writing goes on: %v", err)
		}
		if _, err := sub.Next(p.ctx); !errors.As(err, &cancelled) || cancelled.Side != near {
			t.Errorf("Next: %v", err)
		}
		if _, err := pub.OpenSubgroup(p.ctx, wire.SubgroupHeader{}); !errors.As(err, &cancelled) {
			t.Errorf("OpenSubgroup: %v", err)
		}
		if err := pub.Done(p.ctx, DoneTrackEnded, ""); err == nil {
			t.Error("PUBLISH_DONE after the end")
		}
	})
}

// TestDatagrams: also with a status, and more than anybody takes.
func TestSessionDatagrams(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{Limits: Limits{QueuedDatagrams: 2}}, Config{})
		sub, pub := p.established(p.client, p.server, subscribeMessage(), nil)
		for i := range uint64(3) {
			noError(t, pub.SendDatagram(&Object{GroupID: 1, ObjectID: i, Priority: 9, Payload: []byte{byte(i)}}))
		}
		settle()
		for i := range uint64(2) {
			o, err := sub.AcceptDatagram(p.ctx)
			noError(t, err)
			if o.ObjectID != i || o.Priority != 9 || !o.Datagram || len(o.Payload) != 1 {
				t.Errorf("%+v", o)
			}
		}
		if sub.Dropped() != 1 {
			t.Errorf("%d dropped", sub.Dropped())
		}
		noError(t, pub.Done(p.ctx, DoneTrackEnded, ""))
		if _, err := sub.AcceptDatagram(p.ctx); err != io.EOF {
			t.Errorf("the end: %v", err)
		}
		if done, _ := sub.Done(p.ctx); done.StreamCount != 0 {
			t.Errorf("Stream Count %d", done.StreamCount)
		}
	})
}

// TestBackPressure: what Next does not take is not read.
func TestBackPressure(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{Limits: Limits{QueuedObjects: 2, QueuedBytes: 1 << 20}}, Config{})
		sub, pub := p.established(p.client, p.server, subscribeMessage(), nil)
		w, err := pub.OpenSubgroup(p.ctx, wire.SubgroupHeader{})
		noError(t, err)
		const n = 40
		sent := make(chan int, n)
		go func() {
			for i := range uint64(n) {
				if w.WriteObject(&Object{ObjectID: i, Payload: make([]byte, 16<<10)}) != nil {
					return
				}
				sent <- 1
			}
			w.Close()
			pub.Done(p.ctx, DoneTrackEnded, "")
		}()
		_, err = sub.Next(p.ctx)
		noError(t, err)
		settle()
		if got := len(sent); got >= n/2 {
			t.Errorf("%d of %d objects were taken while nobody read", got, n)
		}
		got, err := rest(t, p.ctx, sub.Next)
		if err != io.EOF || len(got) != n-1 {
			t.Errorf("%d objects, %v", len(got), err)
		}
	})
}

// TestSharedAlias: subscriptions to one track may share an alias (19 and later); each copy goes to one of them.
func TestSharedAlias(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft19 {
			return
		}
		p := dialSessions(t, d, Config{}, Config{})
		early, one := p.established(p.client, p.server, &wire.Subscribe{TrackNamespace: testNS, TrackName: testName,
			Parameters: filtered(wire.LocationFilter{Form: wire.FilterGroupEnd, EndGroup: 4})}, nil, WithTrackAlias(3))
		late, two := p.established(p.client, p.server, &wire.Subscribe{TrackNamespace: testNS, TrackName: testName,
			Parameters: filtered(wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 4})}, nil,
			WithTrackAlias(3))
		send(t, p.ctx, one, wire.SubgroupHeader{GroupID: 1}, 0)
		send(t, p.ctx, one, wire.SubgroupHeader{GroupID: 4}, 0)
		send(t, p.ctx, two, wire.SubgroupHeader{GroupID: 4}, 0)
		send(t, p.ctx, two, wire.SubgroupHeader{GroupID: 5}, 0)
		noError(t, one.Done(p.ctx, DoneTrackEnded, ""))
		noError(t, two.Done(p.ctx, DoneTrackEnded, ""))
		for name, sub := range map[string]*Subscription{"[1 4]": early, "[4 5]": late} {
			all, err := rest(t, p.ctx, sub.Next)
			if err != io.EOF || len(all) != 2 {
				t.Errorf("%s: %v, %v", name, all, err)
				continue
			}
			low, high := min(all[0].Group, all[1].Group), max(all[0].Group, all[1].Group)
			if got := fmt.Sprint([]uint64{low, high}); got != name {
				t.Errorf("got groups %s, want %s", got, name)
			}
		}
	})
}

// TestAcceptSubgroup takes streams instead of objects.
func TestAcceptSubgroup(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		sub, pub := p.established(p.client, p.server, subscribeMessage(), nil)
		for g := range uint64(3) {
			send(t, p.ctx, pub, wire.SubgroupHeader{GroupID: g}, 0, 1)
		}
		noError(t, pub.Done(p.ctx, DoneTrackEnded, ""))
		n := 0
		for {
			r, err := sub.AcceptSubgroup(p.ctx)
			if err == io.EOF {
				break
			}
			noError(t, err)
			for r.ReadObject(new(Object)) == nil {
				n++
			}
		}
		if n != 6 {
			t.Errorf("%d objects", n)
		}
	})
}

// TestNotify: PUBLISH_STATE_NOTIFY (20 and later).
func TestNotify(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		sub, pub := p.established(p.client, p.server, subscribeMessage(), nil)
		ps := uint1(wire.ParamForward, 0)
		ps.SetLargest(wire.Location{Group: 3, Object: 4})
		err := pub.Notify(p.ctx, ps)
		if d < wire.Draft20 {
			if err == nil {
				t.Error("sent in a draft without it")
			}
			return
		}
		noError(t, err)
		got, err := sub.NextNotify(p.ctx)
		noError(t, err)
		if l, _ := got.Largest(); l != (wire.Location{Group: 3, Object: 4}) {
			t.Errorf("%v", got)
		}
		if l, ok := sub.Largest(); !ok || l.Group != 3 || sub.Parameters().UintOr(wire.ParamForward, 1) != 0 {
			t.Errorf("in effect: %v", sub.Parameters())
		}
	})
}

// TestPublishDoneFirst: PUBLISH_DONE may overtake the answer, which is still owed, and still comes.
func TestPublishDoneFirst(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		for _, accepted := range []bool{true, false} {
			p := dialSessions(t, d, Config{}, Config{})
			pub, err := p.end(near).StartPublish(p.ctx, publishMessage())
			noError(t, err)
			send(t, p.ctx, pub, wire.SubgroupHeader{}, 0)
			noError(t, pub.Done(p.ctx, DoneTrackEnded, ""))
			in := p.accept(p.end(far), wire.KindPublish)
			settle()
			if accepted {
				ok := &wire.RequestOK{}
				if d <= wire.Draft19 {
					ok.Parameters.SetUint(wire.ParamForward, 1)
				}
				sub, err := in.AcceptPublish(p.ctx, ok)
				noError(t, err)
				if got, err := rest(t, p.ctx, sub.Next); err != io.EOF || len(got) != 1 {
					t.Errorf("%v, %v", got, err)
				}
				noError(t, pub.Ready(p.ctx))
			} else {
				noError(t, in.Reject(p.ctx, RejectUninterested, ""))
				var refused *RequestError
				if err := pub.Ready(p.ctx); !errors.As(err, &refused) {
					t.Errorf("Ready: %v", err)
				}
			}
			settle()
			for _, s := range []*Session{p.client, p.server} {
				noError(t, s.Err())
				if n := len(s.requests); n != 0 {
					t.Errorf("%d requests are left", n)
				}
			}
		}
	})
}
