package endpoint

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A panic in a goroutine of a connection ends that connection. The listener serves the next one.
func TestPanicEndsOneConnection(t *testing.T) {
	warned := make(chan string, 16)
	l := listen(t, ListenOptions{Warn: func(err error) { warned <- err.Error() }})
	ctx := testContext(t)
	dial := func() (client, server transport.Conn) {
		t.Helper()
		client, err := Dial(ctx, DialOptions{URL: urlOf(t, "https", l.Addr(), ""), TLS: insecure,
			Drafts: []wire.Draft{wire.Draft18}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.CloseWithError(0, "") })
		if server, err = l.Accept(ctx); err != nil {
			t.Fatal(err)
		}
		return client, server
	}
	client, server := dial()
	// A function of the user's, which is called in a goroutine of the connection.
	server.(transport.UniStreamTeller).TellUniStreams(func(uint64, bool) { panic("told of a stream") })
	if s, err := client.OpenUniStream(ctx); err != nil {
		t.Fatal(err)
	} else if _, err := s.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []transport.Conn{client, server} {
		select {
		case <-c.Context().Done():
		case <-ctx.Done():
			t.Fatal("the connection goes on")
		}
		var end *transport.CloseError
		if !errors.As(context.Cause(c.Context()), &end) || end.Name != "H3_INTERNAL_ERROR" ||
			end.Remote != (c == client) {
			t.Errorf("cause %v", context.Cause(c.Context()))
		}
	}
	select {
	case text := <-warned:
		for _, part := range []string{"panicked: told of a stream", "panic_test.go"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in %q", part, text)
			}
		}
	case <-time.After(5 * time.Second):
		t.Error("nobody was told")
	}
	client, server = dial()
	echo(t, client, server)
}

// The same where the connection has not been handed out yet, on both transports.
func TestPanicBeforeAccept(t *testing.T) {
	for _, s := range schemes {
		t.Run(s.scheme, func(t *testing.T) {
			told := make(chan string, 16)
			l := listen(t, ListenOptions{Panicked: func(value any, stack []byte) {
				told <- fmt.Sprintf("%v\n%s", value, stack)
			}})
			ctx := testContext(t)
			l.mu.Lock()
			conns := l.conns
			l.conns = nil // what is put in there panics
			l.mu.Unlock()
			client, err := Dial(ctx, DialOptions{URL: urlOf(t, s.scheme, l.Addr(), ""), TLS: insecure})
			if err == nil {
				select {
				case <-client.Context().Done():
				case <-ctx.Done():
					t.Fatal("the connection goes on")
				}
				client.CloseWithError(0, "")
			}
			if text := <-told; !strings.Contains(text, "nil map") {
				t.Error(text)
			}
			l.mu.Lock()
			l.conns = conns
			l.mu.Unlock()
			if client, err = Dial(ctx, DialOptions{URL: urlOf(t, s.scheme, l.Addr(), ""), TLS: insecure}); err != nil {
				t.Fatal(err)
			}
			defer client.CloseWithError(0, "")
			if _, err := l.Accept(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}
