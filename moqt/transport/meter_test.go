package transport_test

import (
	"context"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
)

func TestMeter(t *testing.T) {
	ctx := context.Background()
	client, server := memconn.Pair(memconn.Options{})
	defer client.CloseWithError(0, "")
	m := transport.NewMeter(client)
	says := func(want string) {
		t.Helper()
		if got := m.Seen(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	// arrives gives a stream on which the peer has written.
	arrives := func(b []byte) transport.ReceiveStream {
		t.Helper()
		w, err := server.OpenUniStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		s, err := m.AcceptUniStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	read := func(s transport.ReceiveStream) {
		t.Helper()
		if _, err := s.Read(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	says("nothing (0 bytes)")
	first, second := arrives([]byte{1, 2}), arrives(make([]byte, 40))
	says("a stream without a byte")
	read(first)
	says("2 bytes that hold no whole SETUP (first: 0102)")
	read(second) // what is shown is of the first stream alone
	says("42 bytes that hold no whole SETUP (first: 0102)")
	m.Stop()
	read(arrives([]byte{3}))
	says("42 bytes that hold no whole SETUP (first: 0102)")
}

// told is a connection that tells of streams.
type told struct {
	transport.Conn
	asked bool
}

func (c *told) TellUniStreams(func(uint64, bool)) { c.asked = true }

func TestMeterTells(t *testing.T) {
	c := &told{}
	transport.NewMeter(c).TellUniStreams(nil)
	if !c.asked {
		t.Error("the connection was not asked to tell of its streams")
	}
}

// pathConn knows its path.
type pathConn struct{ transport.Conn }

func (pathConn) Path() transport.Path { return transport.Path{PacketsSent: 7} }

// TestMeterPath: the path of the connection below shows through.
func TestMeterPath(t *testing.T) {
	if got := transport.NewMeter(pathConn{}).Path(); got.PacketsSent != 7 {
		t.Errorf("%+v", got)
	}
	if got := transport.NewMeter(nil).Path(); got != (transport.Path{}) {
		t.Errorf("of a connection that knows nothing: %+v", got)
	}
}
