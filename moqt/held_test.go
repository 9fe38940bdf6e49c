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

// TestHeldRequests: requests past what a session may hold are refused with EXCESSIVE_LOAD, and there is room again when
// others end.
func TestHeldRequests(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		all := NewAccount(0)
		p := dialSessions(t, d, Config{}, Config{Account: all, Limits: Limits{HeldBytes: 100 << 10}})
		ask := func(i int) (*Request, error) {
			r := must[*Request](t)(p.client.Start(p.ctx, &wire.PublishNamespace{
				TrackNamespace: wire.TrackNamespace{"n", strings.Repeat("x", 1000+i)}}))
			settle()
			if in, ok := p.server.incoming.Poll(); ok {
				p.server.ids.took()
				noError(t, in.Accept(p.ctx, nil))
			}
			_, err := r.Response(p.ctx)
			return r, err
		}
		var got []*Request
		var refused *RequestError
		for i := range 20 {
			r, err := ask(i)
			if errors.As(err, &refused) {
				break
			}
			noError(t, err)
			got = append(got, r)
		}
		if code := RejectExcessiveLoad.Number(d, wire.KindPublishNamespace); refused == nil || refused.Code != code {
			t.Fatalf("after %d: %v, want EXCESSIVE_LOAD", len(got), refused)
		}
		if n := all.Of(HeldRequests); n < 40<<10 || n > 100<<10 || n != p.server.Account().Of(HeldRequests) {
			t.Errorf("%d bytes are held", n)
		}
		got[0].Cancel(ResetCancelled)
		settle()
		if _, err := ask(30); err != nil {
			t.Errorf("when one has ended: %v", err)
		}
		noError(t, p.server.Close(wire.NoError, ""))
		if n := all.Sum(); n != 0 {
			t.Errorf("%d bytes are held after the end", n)
		}
	})
}

// TestHeldRefused: a request that was refused counts as long as the peer leaves its stream open, for it is kept with
// it.
func TestHeldRefused(t *testing.T) {
	inBubble(t, []wire.Draft{wire.Draft17, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ClientSide, Config{})
		stream := p.request(&wire.PublishNamespace{RequestID: p.id(0), TrackNamespace: testNS})
		r := must[*Request](t)(p.session.AcceptRequest(p.ctx))
		noError(t, r.Reject(p.ctx, RejectUnauthorized, ""))
		settle()
		if n := p.session.Account().Of(HeldRequests); n < requestCost {
			t.Errorf("%d bytes are counted while the stream is open", n)
		}
		noError(t, stream.Close())
		settle()
		if n := p.session.Account().Of(HeldRequests); n != 0 {
			t.Errorf("%d bytes are counted when it is closed", n)
		}
	})
}

// TestHeldMessages: messages that have begun and find no room are reset with EXCESSIVE_LOAD, and those for
// which there is come. Few are read all the same, so that they can be refused.
func TestHeldMessages(t *testing.T) {
	inBubble(t, []wire.Draft{wire.Draft17, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ClientSide, Config{Limits: Limits{HeldBytes: 120 << 10}})
		long := func(i uint64) []byte {
			ps := wire.Parameters{{Type: wire.ParamAuthorizationToken, Token: wire.Token{AliasType: wire.TokenUseValue,
				Value: make([]byte, 30_000)}}}
			return p.encode(wire.RequestStream, &wire.PublishNamespace{RequestID: p.id(i), Parameters: ps,
				TrackNamespace: wire.TrackNamespace{string(rune('a' + i))}})
		}
		var streams []transport.Stream
		const overshoot = spareStreams * (streamCost + 64<<10)
		for i := range uint64(spareStreams + 8) {
			s := must[transport.Stream](t)(p.conn.OpenStream(p.ctx))
			b := long(i)
			p.write(s, b[:len(b)-1])
			streams = append(streams, s)
		}
		settle()
		if n := p.session.Account().Sum(); n > 120<<10+overshoot {
			t.Errorf("%d bytes are held", n)
		}
		time.Sleep(2 * roomPatience)
		go func() {
			for {
				r, err := p.session.AcceptRequest(p.ctx)
				if err != nil {
					return
				}
				r.Reject(p.ctx, RejectUnauthorized, "")
			}
		}()
		answered, refused, reset := 0, 0, 0
		for i, s := range streams {
			var stopped *transport.StreamError
			if errors.As(context.Cause(s.Context()), &stopped) {
				if stopped.Code != ResetExcessiveLoad.Number(d) {
					t.Errorf("stream %d: %v, want EXCESSIVE_LOAD", i, stopped)
				}
				reset++
				continue
			}
			b := long(uint64(i))
			p.write(s, b[len(b)-1:])
			frame, err := (&messageReader{in: s, draft: d}).frame()
			if errors.As(err, &stopped) && stopped.Code == ResetExcessiveLoad.Number(d) {
				reset++
				continue
			}
			noError(t, err)
			opt := wire.Options{Answers: wire.KindPublishNamespace}
			m, _, err := wire.ParseMessage(frame, d, wire.RequestStream, opt)
			noError(t, err)
			switch m.(*wire.RequestError).Code {
			case RejectUnauthorized.Number(d, wire.KindPublishNamespace):
				answered++
			case RejectExcessiveLoad.Number(d, wire.KindPublishNamespace):
				refused++
			default:
				t.Errorf("%+v", m)
			}
			s.Close()
		}
		settle()
		n := p.session.Account().Of(HeldMessages)
		if n != 0 || answered+refused == 0 || answered+refused+reset != len(streams) {
			t.Errorf("%d bytes of messages are held at the end, %d requests came, %d were refused, %d reset", n,
				answered, refused, reset)
		}
		p.open()
	})
}

// TestHeldStreams: data streams past what a session may hold wait in the transport, and come when others have ended.
func TestHeldStreams(t *testing.T) {
	inBubble(t, []wire.Draft{wire.Draft16, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{Limits: Limits{HeldBytes: 100 << 10}})
		pub := must[*Publication](t)(p.client.StartPublish(p.ctx, publishMessage()))
		sub := must[*Subscription](t)(p.accept(p.server, wire.KindPublish).AcceptPublish(p.ctx, nil))
		const n = 40
		var open []*SubgroupWriter
		for g := range uint64(n) {
			h := wire.SubgroupHeader{GroupID: g, FirstObject: true}
			w := must[*SubgroupWriter](t)(pub.OpenSubgroup(p.ctx, h))
			noError(t, w.WriteObject(&Object{Payload: []byte("x")}))
			open = append(open, w)
		}
		settle()
		if all, _ := sub.Given(); all == 0 || all > 100<<10/streamCost {
			t.Errorf("%d streams were taken", all)
		}
		for _, w := range open {
			noError(t, w.Close())
		}
		for range n {
			sr := must[*SubgroupReader](t)(sub.AcceptSubgroup(p.ctx))
			var o Object
			noError(t, sr.ReadObject(&o))
			if err := sr.ReadObject(&o); err == nil {
				t.Fatal("a second object")
			}
		}
		settle()
		if n := p.server.Account().Of(HeldStreams); n > 3*streamCost {
			t.Errorf("%d bytes of streams are held at the end", n)
		}
	})
}

// TestHeldObjects: an object for which there is no room is refused with EXCESSIVE_LOAD, after a second in which others
// may end, and what is held of it is given back.
func TestHeldObjects(t *testing.T) {
	inBubble(t, []wire.Draft{wire.Draft16, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{Limits: Limits{HeldBytes: 1 << 20}})
		pub := must[*Publication](t)(p.client.StartPublish(p.ctx, publishMessage()))
		sub := must[*Subscription](t)(p.accept(p.server, wire.KindPublish).AcceptPublish(p.ctx, nil))
		begin := func(group uint64, size int) (*SubgroupWriter, chan error) {
			h := wire.SubgroupHeader{GroupID: group, FirstObject: true}
			w := must[*SubgroupWriter](t)(pub.OpenSubgroup(p.ctx, h))
			noError(t, w.BeginObject(&wire.ObjectHeader{PayloadLength: uint64(size)}, 0))
			go func() {
				w.Write(make([]byte, size-1))
				w.Flush()
			}()
			end := make(chan error, 1)
			sr := must[*SubgroupReader](t)(sub.AcceptSubgroup(p.ctx))
			go func() {
				var o Object
				err := sr.ReadObject(&o)
				if err == nil && sr.ReadObject(&o) != io.EOF {
					err = errors.New("the stream did not end")
				}
				end <- err
			}()
			return w, end
		}
		first, firstEnd := begin(1, 400_000)
		settle()
		second, secondEnd := begin(2, 900_000)
		time.Sleep(2 * roomPatience)
		var much *TooMuchError
		if err := <-secondEnd; !errors.As(err, &much) {
			t.Errorf("the object without room: %v", err)
		}
		var stopped *transport.StreamError
		_, err := second.Write([]byte{0})
		if !errors.As(err, &stopped) || stopped.Code != ResetExcessiveLoad.Number(d) {
			t.Errorf("its writer: %v, want EXCESSIVE_LOAD", err)
		}
		must[int](t)(first.Write([]byte{0}))
		noError(t, first.Flush())
		noError(t, first.Close())
		noError(t, <-firstEnd)
		settle()
		if n := p.server.Account().Of(HeldObjects); n != 0 {
			t.Errorf("%d bytes of objects are held at the end", n)
		}
		noError(t, p.server.Err())
	})
}
