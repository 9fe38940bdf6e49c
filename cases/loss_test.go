package cases_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// cutter counts what the connections of a case carry, and cuts the connection that carries the n-th piece: a message,
// an object, or a part of one.
type cutter struct {
	n     int64 // 0 cuts nothing
	count atomic.Int64
	over  atomic.Bool // the case has made its last check
	cut   atomic.Bool // before that
}

// carried counts a piece on a connection.
func (c *cutter) carried(conn *memconn.Conn) {
	if c.over.Load() {
		return
	}
	if c.count.Add(1) == c.n {
		c.cut.Store(true)
		conn.Abort(transport.CloseError{Transport: true, Gone: true, Reason: "cut"})
	}
}

type cutConn struct {
	*memconn.Conn
	c *cutter
}

func (c *cutConn) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.Conn.OpenStream(ctx)
	return &cutStream{s, cutReader{s, c, 0}, c}, err
}

func (c *cutConn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.Conn.AcceptStream(ctx)
	return &cutStream{s, cutReader{s, c, 0}, c}, err
}

func (c *cutConn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	s, err := c.Conn.OpenUniStream(ctx)
	return &cutSend{s, c}, err
}

func (c *cutConn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := c.Conn.AcceptUniStream(ctx)
	return &cutReader{s, c, 0}, err
}

func (c *cutConn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	b, err := c.Conn.ReceiveDatagram(ctx)
	if err == nil {
		c.c.carried(c.Conn)
	}
	return b, err
}

func (c *cutConn) SendDatagram(b []byte) error {
	defer c.c.carried(c.Conn)
	return c.Conn.SendDatagram(b)
}

type cutReader struct {
	transport.ReceiveStream
	c    *cutConn
	read int
}

// Read gives the beginning of a stream in small pieces, so that a cut can be between any two messages or objects.
func (s *cutReader) Read(p []byte) (int, error) {
	const pieces, small = 20, 40
	if s.read < pieces && len(p) > small {
		p = p[:small]
	}
	n, err := s.ReceiveStream.Read(p)
	s.read++
	if n > 0 {
		s.c.c.carried(s.c.Conn)
	}
	return n, err
}

type cutSend struct {
	transport.SendStream
	c *cutConn
}

func (s *cutSend) Write(p []byte) (int, error) {
	n, err := s.SendStream.Write(p)
	if n > 0 {
		s.c.c.carried(s.c.Conn)
	}
	return n, err
}

type cutStream struct {
	transport.Stream
	in cutReader
	c  *cutConn
}

func (s *cutStream) Read(p []byte) (int, error) { return s.in.Read(p) }

func (s *cutStream) Write(p []byte) (int, error) {
	n, err := s.Stream.Write(p)
	if n > 0 {
		s.c.c.carried(s.c.Conn)
	}
	return n, err
}

// cutAt runs a case on the reference relay and cuts the connection that carries the n-th piece.
func cutAt(t *testing.T, c cases.Case, d wire.Draft, n int64) (r cases.Result, k *cutter) {
	k = &cutter{n: n}
	play := c.Run
	c.Run = func(ctx context.Context, e *cases.Env) error {
		err := play(ctx, e)
		k.over.Store(true)
		return err
	}
	synctest.Test(t, func(t *testing.T) {
		o := reference.Options{}
		o.Limits.SubscriberBytes = 1 << 30
		relay, err := reference.New(o)
		if err != nil {
			t.Fatal(err)
		}
		var served sync.WaitGroup
		r = cases.Run(t.Context(), c, cases.Config{Drafts: []wire.Draft{d}, Dial: func(ctx context.Context, _ string,
			drafts []wire.Draft) (transport.Conn, error) {
			client, server := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN()}})
			served.Go(func() { relay.ServeConn(context.WithoutCancel(ctx), server) })
			return &cutConn{client, k}, nil
		}})
		relay.Close()
		served.Wait()
	})
	return r, k
}

// A case whose connection is lost before its last check has no verdict but that loss, wherever it is cut. Without
// MOQ_FULL=1 each case is cut at one place in each draft.
func TestNoVerdictWithoutASession(t *testing.T) {
	all := os.Getenv("MOQ_FULL") == "1"
	for _, c := range cases.All() {
		for _, d := range []wire.Draft{wire.Draft14, wire.Draft16, wire.Draft18, wire.Draft22} {
			if !c.Applies(d) {
				continue
			}
			t.Run(c.ID+"/"+d.String(), func(t *testing.T) {
				t.Parallel()
				_, k := cutAt(t, c, d, 0)
				total := k.count.Load()
				h := fnv.New64()
				fmt.Fprint(h, c.ID, d)
				first, last := int64(1), total
				if !all {
					first = 1 + int64(h.Sum64()%uint64(total))
					last = first
				}
				for n := first; n <= last; n++ {
					r, k := cutAt(t, c, d, n)
					if !k.cut.Load() { // fewer pieces than in the run without a cut
						continue
					}
					if r.Status != cases.Fail || !strings.Contains(r.Message, "cut") {
						t.Errorf("cut at %d of %d: %s %s%s\nnotes %q\n%s", n, total, r.Status, r.Message, r.Reason,
							r.Notes, strings.Join(r.Transcript, "\n"))
					}
				}
			})
		}
	}
}
