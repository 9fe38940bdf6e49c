package endpoint

import (
	"net"
	"sync"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// narrow is a path to a server that drops packets whose UDP payload is larger than most bytes, in both directions. It
// is for one client.
func narrow(t *testing.T, to net.Addr, most int) net.Addr {
	t.Helper()
	front, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	back, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		client net.Addr
	)
	t.Cleanup(func() { front.Close(); back.Close(); wg.Wait() })
	pass := func(in net.PacketConn, send func(b []byte, from net.Addr)) {
		b := make([]byte, 1<<16)
		for {
			n, from, err := in.ReadFrom(b)
			if err != nil {
				return
			}
			if n <= most {
				send(b[:n], from)
			}
		}
	}
	wg.Go(func() {
		pass(front, func(b []byte, from net.Addr) {
			mu.Lock()
			client = from
			mu.Unlock()
			back.WriteTo(b, to)
		})
	})
	wg.Go(func() {
		pass(back, func(b []byte, _ net.Addr) {
			mu.Lock()
			defer mu.Unlock()
			if client != nil {
				front.WriteTo(b, client)
			}
		})
	})
	return front.LocalAddr()
}

// A path of 1,280 bytes, the least that IPv6 has, carries UDP payloads of 1,232 bytes (RFC 8200 §5).
func TestPathOf1280Bytes(t *testing.T) {
	for _, s := range schemes {
		t.Run(s.scheme, func(t *testing.T) {
			t.Parallel()
			l := listen(t, ListenOptions{})
			ctx := testContext(t)
			client, err := Dial(ctx, DialOptions{URL: urlOf(t, s.scheme, narrow(t, l.Addr(), 1232), ""), TLS: insecure,
				Drafts: []wire.Draft{wire.Draft17}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseWithError(0, "")
			server, err := l.Accept(ctx)
			if err != nil {
				t.Fatal(err)
			}
			echo(t, client, server)
			echo(t, server, client)
		})
	}
}
