package throughput

import (
	"context"
	"crypto/tls"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// pair is one connection over loopback, both ends.
type pair struct{ client, server transport.Conn }

// dial makes a connection; it is closed when the test ends.
func dial(tb testing.TB, choice transport.Choice, d wire.Draft) pair {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	listener, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0", Drafts: []wire.Draft{d}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { listener.Close() })
	u, err := transport.ParseURL("moqt://" + listener.Addr().String() + "/")
	if err != nil {
		tb.Fatal(err)
	}
	var p pair
	var failed error
	var wg sync.WaitGroup
	wg.Go(func() { p.server, failed = listener.Accept(ctx) })
	p.client, err = endpoint.Dial(ctx, endpoint.DialOptions{URL: u, Transport: choice, Drafts: []wire.Draft{d},
		TLS: &tls.Config{InsecureSkipVerify: true}})
	wg.Wait()
	if err != nil || failed != nil {
		tb.Fatal(err, failed)
	}
	tb.Cleanup(func() { p.client.CloseWithError(0, "") })
	return p
}

// mover moves bytes from one end of a connection to the other and says how long that took.
type mover func(total int) time.Duration

// block is how much the bare transfer writes and reads at a time.
const block = 64 << 10

// bare moves bytes with quic-go alone, on so many unidirectional streams.
func bare(tb testing.TB, streams int) mover {
	p := dial(tb, transport.OnlyQUIC, wire.Newest)
	from := p.server.(interface{ QUIC() *quic.Conn }).QUIC()
	to := p.client.(interface{ QUIC() *quic.Conn }).QUIC()
	out, in := make([][]byte, streams), make([][]byte, streams)
	for i := range out {
		out[i], in[i] = make([]byte, block), make([]byte, block)
	}
	return func(total int) time.Duration {
		ctx := tb.Context()
		start := time.Now()
		var wg sync.WaitGroup
		for i := range streams {
			wg.Go(func() {
				s, err := from.OpenUniStreamSync(ctx)
				if err != nil {
					tb.Error(err)
					return
				}
				for left := total / streams; left > 0; left -= block {
					if _, err := s.Write(out[i][:min(left, block)]); err != nil {
						tb.Error(err)
						return
					}
				}
				s.Close()
			})
			wg.Go(func() {
				s, err := to.AcceptUniStream(ctx)
				if err != nil {
					tb.Error(err)
					return
				}
				for err == nil {
					_, err = s.Read(in[i])
				}
				if err != io.EOF {
					tb.Error(err)
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
}
