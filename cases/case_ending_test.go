package cases_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// registrations counts the tokens that a PUBLISH_NAMESPACE registers.
func registrations(m wire.Message) (n int) {
	if m, ok := m.(*wire.PublishNamespace); ok {
		for _, t := range m.Parameters.Tokens() {
			if t.AliasType == wire.TokenRegister {
				n++
			}
		}
	}
	return n
}

// A relay that closes the session at any message of a kind has not noticed the breach, though its code is the right
// one. Each case first shows the relay a message of the kind that breaks no rule.
func TestClosedForTheWrongReason(t *testing.T) {
	of := func(kind wire.Kind) func() func(wire.Message) bool {
		return func() func(wire.Message) bool {
			return func(m wire.Message) bool { return m.Kind() == kind }
		}
	}
	for _, test := range []struct {
		id, what string
		code     wire.SessionError
		// closes tells at which message the relay closes the session; the function that gives it begins a session.
		closes func() func(wire.Message) bool
	}{
		{"request-id-limit", "any TRACK_STATUS", wire.TooManyRequests, of(wire.KindTrackStatus)},
		{"request-id-limit", "any TRACK_STATUS, the other code", wire.InvalidRequestID, of(wire.KindTrackStatus)},
		{"token-alias-twice", "any registration", wire.DuplicateAuthTokenAlias, func() func(wire.Message) bool {
			return func(m wire.Message) bool { return registrations(m) > 0 }
		}},
		{"token-alias-twice", "any second registration", wire.DuplicateAuthTokenAlias, func() func(wire.Message) bool {
			var seen atomic.Int64 // messages are traced by the goroutines of their streams
			return func(m wire.Message) bool { return seen.Add(int64(registrations(m))) > 1 }
		}},
		{"token-cache-overflow", "any token", wire.AuthTokenCacheOverflow, func() func(wire.Message) bool {
			return func(m wire.Message) bool {
				p, ok := m.(*wire.PublishNamespace)
				return ok && len(p.Parameters.Tokens()) > 0
			}
		}},
		{"token-cache-overflow", "any registration", wire.AuthTokenCacheOverflow, func() func(wire.Message) bool {
			return func(m wire.Message) bool { return registrations(m) > 0 }
		}},
		{"goaway-twice", "any GOAWAY", wire.ProtocolViolation, of(wire.KindGoaway)},
		{"goaway-uri", "any GOAWAY", wire.ProtocolViolation, of(wire.KindGoaway)},
	} {
		c := find(t, test.id)
		for _, d := range wire.Drafts() {
			if !c.Applies(d) {
				continue
			}
			t.Run(test.id+"/"+test.what+"/"+d.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					relay := func(ctx context.Context, _ *testing.T, conn *memconn.Conn) {
						closes := test.closes()
						s, err := moqt.Server(ctx, conn, moqt.Config{MaxAuthTokenCacheSize: 4096,
							Handler: func(r *moqt.Request) { acceptAll(r.Session(), r) },
							Trace: func(e moqt.Event) {
								if e.Message != nil && !e.Sent && closes(e.Message) {
									conn.CloseWithError(uint64(test.code), "")
								}
							}})
						if err == nil {
							<-s.Context().Done()
							s.Close(wire.NoError, "")
						}
					}
					r := cases.Run(t.Context(), c, against(t, d, relay))
					if r.Status != cases.Fail || !strings.Contains(r.Received, test.code.In(d)) {
						t.Errorf("%s: %s%s\n%s", r.Status, r.Message, r.Reason, strings.Join(r.Transcript, "\n"))
					}
				})
			})
		}
	}
}
