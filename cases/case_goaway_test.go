package cases_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A relay that has no requests of a client may close the session in good order when that sends GOAWAY, and does not see
// a second one then; it may not do so for a URI.
func TestGoawayAnsweredByLeaving(t *testing.T) {
	leave := func(ctx context.Context, _ *testing.T, conn *memconn.Conn) {
		s, err := moqt.Server(ctx, conn, moqt.Config{Trace: func(e moqt.Event) {
			if _, goaway := e.Message.(*wire.Goaway); goaway && !e.Sent {
				conn.CloseWithError(uint64(wire.NoError), "")
			}
		}})
		if err == nil {
			<-s.Context().Done()
			s.Close(wire.NoError, "")
		}
	}
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want(t, cases.Run(t.Context(), find(t, "goaway-twice"), against(t, d, leave)), cases.Result{
					Status: cases.Skip, Reason: "the session was closed after GOAWAY, as " +
						rules.Cite(d, rules.Goaway) + " allows: connection closed by the peer with 0x0 NO_ERROR",
				})
				got := cases.Run(t.Context(), find(t, "goaway-uri"), against(t, d, leave))
				if got.Status != cases.Fail {
					t.Errorf("goaway-uri: %s %s", got.Status, got.Message)
				}
			})
		})
	}
}

// A server that ends a WebTransport session by HTTP/3's CONNECTION_CLOSE has not left in good order, whatever the code:
// on raw QUIC the same code is judged too.
func TestGoawayAnsweredByHTTP3(t *testing.T) {
	break3 := func(ctx context.Context, _ *testing.T, conn *memconn.Conn) {
		s, err := moqt.Server(ctx, conn, moqt.Config{Trace: func(e moqt.Event) {
			if _, goaway := e.Message.(*wire.Goaway); goaway && !e.Sent {
				conn.Abort(transport.CloseError{Remote: true, Transport: true, HTTP3: true, Code: 1, Reason: "oops"})
			}
		}})
		if err == nil {
			<-s.Context().Done()
			s.Close(wire.NoError, "")
		}
	}
	synctest.Test(t, func(t *testing.T) {
		got := cases.Run(t.Context(), find(t, "goaway-twice"), against(t, wire.Draft18, break3))
		for _, part := range []string{"HTTP/3 code 0x1", "CLOSE_WEBTRANSPORT_SESSION", "oops"} {
			if got.Status != cases.Fail || !strings.Contains(got.Message, part) {
				t.Errorf("%s, and %q is not in %q", got.Status, part, got.Message)
			}
		}
	})
}
