package moqt

import (
	"context"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/internal/sessiontest"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// unnumbered is a connection that numbers streams by itself, as one on a browser's WebTransport.
type unnumbered struct{ transport.Conn }

func (u unnumbered) Info() transport.Info {
	info := u.Conn.Info()
	info.WireStreamIDs = false
	return info
}

// Ids of a transport's own say nothing of streams that have not come.
func TestStreamBefore(t *testing.T) {
	for _, numbered := range []bool{true, false} {
		_, near, _ := sessiontest.Dial(t, memconn.Options{Info: memInfo(wire.Newest)},
			func(ctx context.Context, c transport.Conn) (*Session, error) {
				if !numbered {
					c = unnumbered{c}
				}
				return Client(ctx, c, Config{})
			},
			func(ctx context.Context, c transport.Conn) (*Session, error) { return Server(ctx, c, Config{}) })
		if got := near.StreamBefore(0, make(chan struct{}, 1)); got == numbered {
			t.Errorf("ids of the wire: %v, and a stream may come before the first: %v", numbered, got)
		}
	}
}
