// Package sessiontest is what the tests of package moqt share with those of package track: both ends of a session in
// memory, and loops over drafts and sides. It knows neither package, so that both may use it.
package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Session is a moqt.Session.
type Session interface {
	Close(wire.SessionError, string) error
}

// SetUp is moqt.Client or moqt.Server, with its configuration.
type SetUp[S Session] func(context.Context, transport.Conn) (S, error)

// Info is the connection info under which a pair negotiates a draft.
func Info(d wire.Draft) transport.Info { return transport.Info{ALPN: d.ALPN()} }

// Pair sets up both ends of a session in memory.
func Pair[S Session](ctx context.Context, o memconn.Options, client, server SetUp[S]) (near, far S, err error) {
	there, here := memconn.Pair(o)
	failed := make(chan error, 1)
	go func() {
		var err error
		far, err = server(ctx, here)
		failed <- err
	}()
	near, err = client(ctx, there)
	return near, far, errors.Join(err, <-failed)
}

// Dial is Pair for a test: the test fails when there is no session, and both ends are closed when it ends. The context
// ends after 20 s.
func Dial[S Session](t *testing.T, o memconn.Options, client, server SetUp[S]) (ctx context.Context, near, far S) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	near, far, err := Pair(ctx, o, client, server)
	if err != nil {
		cancel()
		t.Fatalf("%s: %v", o.Info.ALPN, err)
	}
	t.Cleanup(func() {
		near.Close(wire.NoError, "")
		far.Close(wire.NoError, "")
		cancel()
	})
	return ctx, near, far
}

// EachDraft runs a test for every draft in a bubble of its own.
func EachDraft(t *testing.T, f func(t *testing.T, d wire.Draft)) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, d) })
		})
	}
}

// EachSide runs a test for every draft, with the acting side on either end.
func EachSide(t *testing.T, f func(t *testing.T, d wire.Draft, near, far wire.Side)) {
	for _, d := range wire.Drafts() {
		for _, near := range []wire.Side{wire.ClientSide, wire.ServerSide} {
			far := wire.ClientSide + wire.ServerSide - near
			t.Run(fmt.Sprintf("%s/%s", d, near), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { f(t, d, near, far) })
			})
		}
	}
}

// Must gives a function that passes a value on and fails the test on an error.
func Must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// NoError fails the test on an error.
func NoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
