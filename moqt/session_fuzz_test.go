package moqt

import (
	"context"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FuzzSession gives a live session a peer that sends random bytes on its control stream, request streams, data streams
// and datagrams: the session may close, but must end, with no panic and no goroutine left. The input is the draft and
// side, then pieces: where (one byte), how long (one byte), bytes.
func FuzzSession(f *testing.F) {
	for _, d := range wire.Drafts() {
		for side := range byte(2) {
			seed := []byte{byte(d-wire.Oldest)*2 + side}
			piece := func(where byte, ms ...wire.Message) {
				kind := wire.RequestStream
				if where%5 == 0 {
					kind = wire.ControlStream
				}
				var b []byte
				for _, m := range ms {
					if next, err := wire.AppendMessage(b, d, m, kind); err == nil {
						b = next
					}
				}
				if len(b) > 0 && len(b) < 256 {
					seed = append(append(seed, where, byte(len(b))), b...)
				}
			}
			id := 1 - uint64(side)
			where := byte(1)
			if d <= wire.Draft15 {
				where = 0
			}
			for i, m := range requestKinds(d) {
				piece(where+byte(5*i), withRequestID(m, id+2*uint64(i)),
					&wire.RequestUpdate{RequestID: id + 40, ExistingRequestID: id})
			}
			piece(0, &wire.SubscribeOK{TrackAlias: 1}, &wire.PublishDone{StreamCount: 1}, &wire.Goaway{})
			f.Add(seed)
			header, _ := wire.AppendSubgroupHeader(nil, d, &wire.SubgroupHeader{TrackAlias: 1})
			f.Add(append([]byte{seed[0], 2, byte(len(header) + 4)}, append(header, 0, 2, 'a', 'b')...))
			f.Add([]byte{seed[0], 2, 4, 5, 0, 1, 1, 3, 5, 0, 1, 0, 0, 0})
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		d, side := wire.Oldest+wire.Draft(in[0]/2)%(wire.Newest-wire.Oldest+1), wire.Side(in[0]%2)+wire.ClientSide
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		a, b := memconn.Pair(memconn.Options{Info: memInfo(d)})
		peer, far := a, transport.Conn(b)
		if side == wire.ServerSide {
			peer, far = b, a
		}
		limits := Limits{PendingTime: time.Millisecond, Drain: time.Millisecond, Linger: time.Millisecond,
			QueuedObjects: 4, QueuedMessages: 4}
		s, err := newSession(far, Config{Limits: limits, MaxAuthTokenCacheSize: 64, Handler: answerAnything},
			wire.ClientSide+wire.ServerSide-side)
		if err != nil {
			t.Fatal(err)
		}
		s.begin(ctx)
		control := peerControl(t, ctx, peer, d, side)
		s.Go(func() { useSession(s) })
		feed(ctx, peer, control, in[1:])
		time.Sleep(time.Millisecond)
		_ = s.Close(wire.NoError, "")
	})
}

// peerControl opens the peer's control stream and sends its setup message.
func peerControl(t *testing.T, ctx context.Context, peer *memconn.Conn, d wire.Draft,
	side wire.Side) transport.SendStream {
	var control transport.SendStream
	var err error
	switch {
	case d >= wire.Draft17:
		control, err = peer.OpenUniStream(ctx)
	case side == wire.ClientSide:
		control, err = peer.OpenStream(ctx)
	default:
		control, err = peer.AcceptStream(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	m := &wire.Setup{Sender: side, Versions: []uint64{d.Version()}, SelectedVersion: d.Version(),
		Options: wire.Properties{{Type: wire.OptionMaxRequestID, Uint: 64}}}
	if d >= wire.Draft17 {
		m.Options = nil
	}
	setup, err := wire.AppendMessage(nil, d, m, wire.ControlStream)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = control.Write(setup)
	return control
}

// feed sends the pieces. The lowest part of the first byte chooses the kind of stream, the rest which one.
func feed(ctx context.Context, peer *memconn.Conn, control transport.SendStream, in []byte) {
	streams := map[byte]transport.SendStream{}
	for len(in) >= 2 {
		where, n := in[0], min(int(in[1]), len(in)-2)
		piece := in[2 : 2+n]
		in = in[2+n:]
		var w transport.SendStream
		switch where % 5 {
		case 0:
			w = control
		case 3:
			_ = peer.SendDatagram(piece)
			continue
		default:
			if w = streams[where]; w == nil {
				var err error
				if where%5 == 2 {
					w, err = peer.OpenUniStream(ctx)
				} else {
					w, err = peer.OpenStream(ctx)
				}
				if err != nil {
					return
				}
				streams[where] = w
			}
		}
		_ = w.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := w.Write(piece); err != nil {
			continue
		}
		if where%5 == 4 {
			_ = w.Close()
		}
	}
}

// answerAnything is a handler that takes every request and what comes with it.
func answerAnything(r *Request) {
	ctx := r.Context()
	switch r.Kind() {
	case wire.KindSubscribe:
		_, _ = r.AcceptSubscribe(ctx, nil)
	case wire.KindPublish:
		if sub, err := r.AcceptPublish(ctx, nil); err == nil {
			for err == nil {
				_, err = sub.Next(ctx)
			}
		}
	case wire.KindFetch:
		_, _ = r.FetchRange()
		if w, err := r.AcceptFetch(ctx, nil); err == nil {
			_ = w.Close()
		}
	default:
		_ = r.Accept(ctx, nil)
	}
	for {
		if _, err := r.Next(ctx); err != nil {
			return
		}
	}
}

// useSession makes requests of every kind, so that answers have something to answer.
func useSession(s *Session) {
	ctx := s.Context()
	select {
	case <-s.setup.done:
	case <-ctx.Done():
		return
	}
	if sub, err := s.StartSubscribe(ctx, subscribeMessage()); err == nil {
		s.Go(func() {
			for err == nil {
				_, err = sub.Next(ctx)
			}
		})
	}
	if f, err := s.StartFetch(ctx, FetchRequest{TrackNamespace: testNS}); err == nil {
		s.Go(func() {
			for err == nil {
				_, err = f.Next(ctx)
			}
		})
	}
	_, _ = s.StartPublish(ctx, publishMessage())
	_, _ = s.StartPublishNamespace(ctx, testNS, nil)
	_, _ = s.StartSubscribeNamespace(ctx, &wire.SubscribeNamespace{Prefix: testNS, Options: 1})
	_, _ = s.Start(ctx, &wire.TrackStatus{TrackNamespace: testNS})
}
