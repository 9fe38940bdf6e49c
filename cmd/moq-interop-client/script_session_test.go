package main

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// sessions has, by URL, the sessions that scripts hold.
var sessions sync.Map

// session opens a session with a relay that the script has started, and holds it: session URL
func session(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: session URL")
	}
	u, err := transport.ParseURL(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: u, TLS: &tls.Config{InsecureSkipVerify: true}})
	ts.Check(err)
	s, err := moqt.Client(ctx, conn, moqt.Config{Path: u.Path, Authority: u.Authority})
	ts.Check(err)
	ts.Defer(func() { s.Close(wire.NoError, "") })
	sessions.Store(args[0], s)
}

// goaway waits until the relay has sent GOAWAY on a session that the script holds, and leaves, or stays until the relay
// closes it with NO_ERROR: goaway URL leave|stay
func goaway(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: goaway URL leave|stay")
	}
	held, ok := sessions.Load(args[0])
	if !ok {
		ts.Fatalf("no session with %s", args[0])
	}
	s := held.(*moqt.Session)
	limit := time.After(10 * time.Second)
	select {
	case <-s.PeerGoaway():
	case <-s.Context().Done():
		ts.Fatalf("closed without GOAWAY: %v", context.Cause(s.Context()))
	case <-limit:
		ts.Fatalf("no GOAWAY")
	}
	if args[1] == "leave" {
		s.Close(wire.NoError, "")
		return
	}
	select {
	case <-s.Context().Done():
	case <-limit:
		ts.Fatalf("not closed")
	}
	var closed *moqt.SessionError
	if err := context.Cause(s.Context()); !errors.As(err, &closed) || closed.Local || closed.Code != wire.NoError {
		ts.Fatalf("closed by %v, want NO_ERROR from the relay", err)
	}
}
