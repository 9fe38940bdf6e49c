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

// A relay that closes with a code has the same verdict on both transports, though on WebTransport it may write the code
// into HTTP/3's CONNECTION_CLOSE, where it does not belong. The message says so then.
func TestSameVerdictOnBothTransports(t *testing.T) {
	for _, test := range []struct {
		at   int // the GOAWAY at which the relay closes
		code wire.SessionError
		want cases.Status
	}{
		{1, wire.NoError, cases.Skip}, {1, wire.InternalError, cases.Fail}, {1, wire.ProtocolViolation, cases.Fail},
		{2, wire.NoError, cases.Skip}, {2, wire.InternalError, cases.Fail}, {2, wire.ProtocolViolation, cases.Pass},
	} {
		for _, http3 := range []bool{false, true} {
			goaways := 0
			relay := func(ctx context.Context, _ *testing.T, conn *memconn.Conn) {
				s, err := moqt.Server(ctx, conn, moqt.Config{Trace: func(e moqt.Event) {
					if _, goaway := e.Message.(*wire.Goaway); !goaway || e.Sent {
						return
					}
					switch goaways++; {
					case goaways != test.at:
					case http3:
						conn.Abort(transport.CloseError{Remote: true, Transport: true, HTTP3: true,
							Code: uint64(test.code), Reason: "oops"})
					default:
						conn.CloseWithError(uint64(test.code), "oops")
					}
				}})
				if err == nil {
					<-s.Context().Done()
					s.Close(wire.NoError, "")
				}
			}
			synctest.Test(t, func(t *testing.T) {
				got := cases.Run(t.Context(), find(t, "goaway-twice"), against(t, wire.Draft18, relay))
				if got.Status != test.want || !strings.Contains(got.Message+got.Reason, "oops") {
					t.Errorf("%s at GOAWAY %d, HTTP/3 %t: %s %s%s, want %s", test.code.In(wire.Draft18), test.at, http3,
						got.Status, got.Message, got.Reason, test.want)
				}
				for _, part := range []string{"HTTP/3 code 0x", "a MoQT code belongs into CLOSE_WEBTRANSPORT_SESSION"} {
					if strings.Contains(got.Message+got.Reason, part) != http3 {
						t.Errorf("HTTP/3 %t, and %q is or is not in %q", http3, part, got.Message+got.Reason)
					}
				}
			})
		}
	}
}
