package moqt

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A server that sends back what it gets is told so.
func TestSetupSentBack(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := unsetPeer(t, d, wire.ServerSide, Config{Path: "/a", Authority: "relay.example"})
				p.send(p.control, p.receive())
				code, parts := wire.InvalidPath, []string{"PATH from a server", "own, sent back"}
				if d <= wire.Draft16 {
					code, parts = wire.ProtocolViolation, []string{"CLIENT_SETUP", "from a server", "own, sent back"}
				}
				e := p.closed(code)
				for _, part := range parts {
					if !strings.Contains(e.Error(), part) {
						t.Errorf("%q is not in %q", part, e)
					}
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // a client's message of another kind is not ours
		p := unsetPeer(t, wire.Draft14, wire.ServerSide, Config{})
		p.send(p.control, &wire.Setup{Sender: wire.ClientSide, Versions: []uint64{7}})
		if e := p.closed(wire.ProtocolViolation); strings.Contains(e.Error(), "sent back") {
			t.Error(e)
		}
	})
}

// A server that does not know WT-Protocol speaks one of many drafts that were offered, and the client reads draft 14:
// whatever comes of that, the error names the cause.
func TestSetupReadByTheWrongDraft(t *testing.T) {
	info := transport.Info{Kind: transport.WebTransport, ALPN: "h3", OfferedProtocols: []string{"moqt-18", "moqt-16"}}
	for _, d := range wire.Drafts() {
		for what, server := range map[string]func(ctx context.Context, conn transport.Conn) error{
			"answers": func(ctx context.Context, conn transport.Conn) error {
				control, err := conn.AcceptStream(ctx)
				if err != nil {
					return err
				}
				b, err := wire.AppendMessage(nil, d, &wire.Setup{Sender: wire.ServerSide, SelectedVersion: 7},
					wire.ControlStream)
				if err == nil {
					_, err = control.Write(b)
				}
				return errors.Join(err, control.Close())
			},
			"closes": func(ctx context.Context, conn transport.Conn) error {
				return conn.CloseWithError(uint64(wire.ProtocolViolation), "no such message")
			},
		} {
			t.Run(d.String()+" "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b := memconn.Pair(memconn.Options{Info: info})
					go server(t.Context(), b) // it may fail: the client closes at once
					_, err := Client(t.Context(), a, Config{})
					var end *SessionError
					if !errors.As(err, &end) || !errors.Is(err, net.ErrClosed) {
						t.Fatal(err)
					}
					for _, part := range []string{"no WT-Protocol", "draft 14 was read", "moqt-18, moqt-16"} {
						if !strings.Contains(err.Error(), part) {
							t.Errorf("%q is not in %q", part, err)
						}
					}
				})
			})
		}
	}
}
