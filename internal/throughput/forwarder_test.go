package throughput

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestMain is also the forwarder: this binary with the arguments forward ADDRESS.
func TestMain(m *testing.M) {
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	if len(os.Args) == 3 && os.Args[1] == "forward" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		if err := serveForwarder(ctx, os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// forwarder is the least that can stand between a publisher and its subscribers. It answers requests, and gives each
// subscriber the Track Alias of the publisher. So it passes on subgroup streams as they come, in reads of 64 KiB,
// without looking into them. It is for one publisher at a time, and keeps nothing.
type forwarder struct {
	mu        sync.Mutex
	publisher *moqt.Session
	tracks    map[string]*forwarded
	aliases   map[uint64]*forwarded
}

// forwarded is a track.
type forwarded struct {
	upstream *moqt.Subscription
	conns    []transport.Conn // of subscribers; replaced, never changed
}

// serveForwarder serves until ctx ends.
func serveForwarder(ctx context.Context, addr string) error {
	l, err := endpoint.Listen(endpoint.ListenOptions{Addr: addr, Drafts: []wire.Draft{wire.Draft18}})
	if err != nil {
		return err
	}
	defer l.Close()
	f := &forwarder{tracks: map[string]*forwarded{}, aliases: map[uint64]*forwarded{}}
	for {
		conn, err := l.Accept(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			continue // a handshake that came to nothing
		}
		go func() {
			tap := &tapped{conn, f}
			_, _ = moqt.Server(ctx, tap, moqt.Config{Handler: func(r *moqt.Request) { f.answer(ctx, r, tap) }})
		}()
	}
}

// answer answers a request: of the publisher's for its namespace, or of a subscriber's for a track.
func (f *forwarder) answer(ctx context.Context, r *moqt.Request, from transport.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch r.Kind() {
	case wire.KindPublishNamespace:
		f.publisher = r.Session()
		_ = r.Accept(ctx, &wire.RequestOK{})
	case wire.KindSubscribe:
		if err := f.subscribe(ctx, r, from); err != nil {
			_ = r.Reject(ctx, moqt.RejectDoesNotExist, err.Error())
		}
	default:
		_ = r.Reject(ctx, moqt.RejectNotSupported, "")
	}
}

func (f *forwarder) subscribe(ctx context.Context, r *moqt.Request, from transport.Conn) (err error) {
	if f.publisher == nil {
		return errors.New("nobody publishes")
	}
	name := r.TrackNamespace().String() + " " + r.TrackName()
	t := f.tracks[name]
	if t == nil {
		t = &forwarded{conns: []transport.Conn{from}}
		if t.upstream, err = f.publisher.Subscribe(ctx, &wire.Subscribe{TrackNamespace: r.TrackNamespace(),
			TrackName: r.TrackName()}); err != nil {
			return err
		}
		f.tracks[name] = t
	} else {
		t.conns = append(slices.Clip(t.conns), from)
	}
	f.aliases[t.upstream.TrackAlias()] = t
	_, err = r.AcceptSubscribe(ctx, &wire.SubscribeOK{Properties: t.upstream.Properties()},
		moqt.WithTrackAlias(t.upstream.TrackAlias()))
	return err
}

// tapped is a connection whose subgroup streams do not get to its session.
type tapped struct {
	transport.Conn
	to *forwarder
}

func (c *tapped) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	for {
		s, err := c.Conn.AcceptUniStream(ctx)
		if err != nil {
			return nil, err
		}
		kind := make([]byte, 1)
		if _, err := io.ReadFull(s, kind); err != nil {
			continue
		}
		if kind[0] >= 0x80 || kind[0]&0x10 == 0 { // draft-18 §11.4.2
			return &untouched{s, io.MultiReader(bytes.NewReader(kind), s)}, nil
		}
		go c.to.forward(ctx, s, kind[0])
	}
}

// untouched is a stream as if nothing had been read of it.
type untouched struct {
	transport.ReceiveStream
	all io.Reader
}

func (s *untouched) Read(b []byte) (int, error) { return s.all.Read(b) }

// forward passes on a stream to those who are there when it begins.
func (f *forwarder) forward(ctx context.Context, in transport.ReceiveStream, kind byte) {
	buf := make([]byte, block)
	buf[0] = kind
	n, err := 1, error(nil)
	alias, size := uint64(0), 0
	for size == 0 && err == nil {
		var more int
		more, err = in.Read(buf[n:])
		n += more
		alias, size = wire.Varint(buf[1:n], wire.Draft18)
	}
	f.mu.Lock()
	var conns []transport.Conn
	if t := f.aliases[alias]; t != nil {
		conns = t.conns
	}
	f.mu.Unlock()
	var outs []transport.SendStream
	for _, c := range conns {
		if out, err := c.OpenUniStream(ctx); err == nil {
			outs = append(outs, out)
		}
	}
	for {
		for _, out := range outs {
			_, _ = out.Write(buf[:n]) // who has left gets nothing
		}
		if err != nil {
			break
		}
		n, err = in.Read(buf)
	}
	for _, out := range outs {
		if err == io.EOF {
			out.Close()
		} else {
			out.Reset(0)
		}
	}
}
