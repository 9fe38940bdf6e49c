//go:build linux

package reference

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// attacks are what one client does to the relay; each ends by itself or with ctx.
var attacks = []struct {
	name string
	do   func(s *siege, ctx context.Context)
}{
	{"unfinished objects", func(s *siege, ctx context.Context) {
		pub, conn := s.track("t")
		s.streams(ctx, conn, 100, func(i uint64, stream transport.SendStream) {
			s.unfinished(pub, stream, i, 15_900_000)
		})
	}},
	{"half requests", func(s *siege, ctx context.Context) {
		conn := s.dial(wire.Draft18).Conn()
		for ctx.Err() == nil {
			stream, err := conn.OpenStream(ctx)
			if err != nil {
				return
			}
			stream.SetWriteDeadline(time.Now().Add(time.Second))
			stream.Write(append([]byte{0x3, 0xff, 0xff}, make([]byte, 65_000)...))
		}
	}},
	{"half headers", func(s *siege, ctx context.Context) {
		conn := s.dial(wire.Draft18).Conn()
		for ctx.Err() == nil {
			stream, err := conn.OpenUniStream(ctx)
			if err != nil {
				return
			}
			stream.Write([]byte{0x10})
		}
	}},
	{"empty subgroups", func(s *siege, ctx context.Context) {
		pub, conn := s.track("t")
		for i := uint64(0); i < 400_000 && ctx.Err() == nil; i++ {
			stream, err := conn.OpenUniStream(ctx)
			if err != nil {
				return
			}
			sw, err := moqt.NewSubgroupWriter(stream, pub.Draft(), wire.SubgroupHeader{TrackAlias: pub.TrackAlias(),
				SubgroupID: i, IDMode: wire.SubgroupIDPresent})
			if err == nil {
				sw.Close()
			}
		}
	}},
	{"subgroups of one object", func(s *siege, ctx context.Context) {
		pub, conn := s.track("t")
		for i := uint64(0); i < 400_000 && ctx.Err() == nil; i++ {
			stream, err := conn.OpenUniStream(ctx)
			if err != nil {
				return
			}
			sw, err := moqt.NewSubgroupWriter(stream, pub.Draft(), wire.SubgroupHeader{TrackAlias: pub.TrackAlias(),
				SubgroupID: i, IDMode: wire.SubgroupIDPresent, FirstObject: true})
			if err == nil {
				sw.WriteObject(&moqt.Object{ObjectID: i})
				sw.Close()
			}
		}
	}},
	{"streams that stand still", func(s *siege, ctx context.Context) {
		pub, conn := s.track("t")
		s.streams(ctx, conn, 16_000, func(i uint64, stream transport.SendStream) {
			sw, err := moqt.NewSubgroupWriter(stream, pub.Draft(),
				wire.SubgroupHeader{TrackAlias: pub.TrackAlias(), GroupID: i,
					FirstObject: true})
			if err == nil {
				sw.WriteObject(&moqt.Object{Payload: []byte("one")})
			}
		})
	}},
	{"updates", func(s *siege, ctx context.Context) { // from a client that does not read the answers
		const d = wire.Draft18
		stream, err := s.dial(d).Conn().OpenStream(ctx)
		if err != nil {
			s.Error(err)
			return
		}
		stop := context.AfterFunc(ctx, func() { stream.SetWriteDeadline(time.Unix(1, 0)) })
		defer stop()
		send := func(m wire.Message) {
			if b, err := wire.AppendMessage(nil, d, m, wire.RequestStream); err != nil {
				s.Error(err)
			} else {
				stream.Write(b)
			}
		}
		send(&wire.Publish{TrackNamespace: wire.TrackNamespace{"attack"}, TrackName: "t"})
		for i := uint64(1); i < 500_000 && ctx.Err() == nil; i++ {
			send(&wire.RequestUpdate{RequestID: 2 * i})
		}
	}},
	{"names", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft18)
		for i := 0; ctx.Err() == nil && i < 100_000; i++ {
			name := fmt.Sprint(i, strings.Repeat("x", 4000))
			_, err := session.StartSubscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"attack"},
				TrackName: name})
			if err != nil {
				return
			}
		}
	}},
	{"namespaces", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft18)
		for i := 0; ctx.Err() == nil && i < 100_000; i++ {
			name := fmt.Sprint(i, strings.Repeat("x", 4000))
			if _, err := session.StartPublishNamespace(ctx, wire.TrackNamespace{"attack", name}, nil); err != nil {
				return
			}
		}
	}},
	{"tracks of one object", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft18)
		for i := 0; ctx.Err() == nil && i < 20_000; i++ {
			pub, err := session.Publish(ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"attack"},
				TrackName: fmt.Sprint(i, strings.Repeat("x", 1000))})
			if err != nil {
				return
			}
			if sw, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{FirstObject: true}); err == nil {
				sw.WriteObject(&moqt.Object{Payload: []byte("one")})
				sw.Close()
			}
		}
	}},
	{"tokens", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft18)
		for i := uint64(0); ctx.Err() == nil && i < 100_000; i++ {
			ps := wire.Parameters{{Type: wire.ParamAuthorizationToken,
				Token: wire.Token{AliasType: wire.TokenUseValue, Value: make([]byte, 16_000)}}}
			if _, err := session.StartPublishNamespace(ctx, wire.TrackNamespace{"attack", fmt.Sprint(i)},
				ps); err != nil {
				return
			}
		}
	}},
	{"datagrams of no byte", func(s *siege, ctx context.Context) {
		pub, _ := s.track("t")
		for i := uint64(0); ctx.Err() == nil && i < 1_000_000; i++ {
			pub.SendDatagram(&moqt.Object{GroupID: i})
		}
	}},
	{"subscriptions", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft22)
		for i := 0; ctx.Err() == nil && i < 10_000; i++ {
			_, err := session.StartSubscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"good"},
				TrackName: "t"})
			if err != nil {
				return
			}
		}
		<-ctx.Done()
	}},
	{"subscribers that do not read", func(s *siege, ctx context.Context) {
		pub, _ := s.track("t")
		for range 50 {
			session := s.dial(wire.Draft18)
			_, err := session.Subscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"attack"},
				TrackName: "t"})
			if err != nil {
				return
			}
		}
		for i := uint64(0); ctx.Err() == nil; i++ {
			if sw, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: i, FirstObject: true}); err == nil {
				sw.WriteObject(&moqt.Object{Payload: make([]byte, 100_000)})
				sw.Close()
			}
		}
	}},
	{"properties", func(s *siege, ctx context.Context) { // many small ones in PUBLISH
		session := s.dial(wire.Draft18)
		many := make(wire.Properties, 30_000)
		for i := range many {
			many[i].Type = 0x40
		}
		for i := 0; ctx.Err() == nil && i < 10_000; i++ {
			if _, err := session.StartPublish(ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"attack"},
				TrackName: fmt.Sprint(i), Properties: many}); err != nil {
				return
			}
		}
	}},
	{"half properties", func(s *siege, ctx context.Context) { // of an object, on many streams
		pub, conn := s.track("t")
		s.streams(ctx, conn, 10_000, func(i uint64, stream transport.SendStream) {
			b, err := wire.AppendSubgroupHeader(nil, pub.Draft(), &wire.SubgroupHeader{TrackAlias: pub.TrackAlias(),
				GroupID: i, FirstObject: true, HasProperties: true})
			if err == nil {
				b = wire.AppendVarint(append(b, 0), pub.Draft(), 200_000)
				stream.Write(append(b, make([]byte, 199_000)...))
			}
		})
	}},
	{"updates of many requests", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft18)
		for i := 0; ctx.Err() == nil && i < 4000; i++ {
			m := &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"attack"}, TrackName: fmt.Sprint(i)}
			m.Parameters.SetUint(wire.ParamRendezvousTimeout, 20_000)
			sub, err := session.StartSubscribe(ctx, m)
			if err != nil {
				return
			}
			for range 70 {
				brief, cancel := context.WithTimeout(ctx, time.Millisecond)
				sub.Request().Send(brief, &wire.RequestUpdate{})
				cancel()
			}
		}
	}},
	{"fetches that are not read", func(s *siege, ctx context.Context) {
		pub, _ := s.track("t")
		for i := range uint64(200) {
			if sw, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: i, FirstObject: true}); err == nil {
				sw.WriteObject(&moqt.Object{Payload: make([]byte, 100_000)})
				sw.Close()
			}
		}
		for range 10 {
			session := s.dial(wire.Draft18)
			for range 1000 {
				if _, err := session.StartFetch(ctx, moqt.FetchRequest{TrackNamespace: wire.TrackNamespace{"attack"},
					TrackName: "t"}); err != nil {
					break
				}
			}
		}
	}},
	{"unfinished objects of many sessions", func(s *siege, ctx context.Context) {
		var all sync.WaitGroup
		for n := range 10 {
			pub, conn := s.track(fmt.Sprint(n))
			all.Go(func() {
				s.streams(ctx, conn, 10, func(i uint64, stream transport.SendStream) {
					s.unfinished(pub, stream, i, 15_900_000)
				})
			})
		}
		all.Wait()
	}},
	{"streams that stand still in many sessions", func(s *siege, ctx context.Context) {
		var all sync.WaitGroup
		for n := range 8 {
			pub, conn := s.track(fmt.Sprint(n))
			all.Go(func() {
				s.streams(ctx, conn, 4000, func(i uint64, stream transport.SendStream) {
					s.unfinished(pub, stream, i, 10)
				})
			})
		}
		all.Wait()
	}},
	{"connections without SETUP", func(s *siege, ctx context.Context) {
		for i := 0; ctx.Err() == nil && i < 1500; i++ {
			conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: s.url, Transport: transport.OnlyQUIC,
				Drafts: []wire.Draft{18}, TLS: &tls.Config{InsecureSkipVerify: true}})
			if err == nil {
				s.Cleanup(func() { conn.CloseWithError(0, "") })
			}
		}
	}},
}

// track publishes a track of the attacker's.
func (s *siege) track(name string) (*moqt.Publication, transport.Conn) {
	session := s.dial(wire.Draft18)
	pub, err := session.Publish(s.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"attack"}, TrackName: name})
	if err != nil {
		s.Fatal(err)
	}
	return pub, session.Conn()
}

// unfinished sends all but the last byte of an object.
func (s *siege) unfinished(pub *moqt.Publication, stream transport.SendStream, group, size uint64) {
	sw, err := moqt.NewSubgroupWriter(stream, pub.Draft(), wire.SubgroupHeader{TrackAlias: pub.TrackAlias(),
		GroupID: group, FirstObject: true})
	if err != nil || sw.BeginObject(&wire.ObjectHeader{PayloadLength: size}, 0) != nil {
		return
	}
	io.CopyN(sw, zeros{}, int64(size)-1)
	sw.Flush()
}

// streams opens n streams that go on side by side and stay open until ctx ends.
func (s *siege) streams(ctx context.Context, conn transport.Conn, n uint64, do func(uint64, transport.SendStream)) {
	var all sync.WaitGroup
	defer all.Wait()
	for i := range n {
		stream, err := conn.OpenUniStream(ctx)
		if err != nil {
			return
		}
		stop := context.AfterFunc(ctx, func() { stream.SetWriteDeadline(time.Unix(1, 0)) })
		all.Go(func() {
			defer stop()
			do(i, stream)
		})
	}
	<-ctx.Done()
}

// zeros reads as zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
