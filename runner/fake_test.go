package runner

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// fakeClient answers from a list, and counts what it was asked.
type fakeClient struct {
	results map[string]Result
	ran     []string
	// before, if set, runs at the beginning of each case.
	before func(ctx context.Context, c cases.Case, watch func(Session))
}

func (f *fakeClient) Info() ClientInfo { return ClientInfo{Name: "fake-client", Version: "v1.2.3"} }

func (f *fakeClient) Run(ctx context.Context, c cases.Case, watch func(Session)) Result {
	f.ran = append(f.ran, c.ID)
	if f.before != nil {
		f.before(ctx, c, watch)
	}
	return f.results[c.ID]
}

func quicSession(role, id string) Session {
	return Session{
		Role: role, Version: "moqt-16", Transport: string(transport.QUIC), ALPN: "moqt-16", ConnectionID: id,
		PeerImplementation: "peer/1", Established: true,
	}
}

func passed(id string, sessions ...Session) Result {
	return Result{Case: id, Status: Pass, Level: "MUST", Duration: 12 * time.Millisecond, Sessions: sessions}
}

// unreached is the result of a case that got no connection.
func unreached(id string, layer transport.Layer, message string) Result {
	return Result{
		Case: id, Status: Fail, Level: "MUST", Layer: layer, Message: message, Expected: "a connection",
		Received: "none",
		Duration: 3 * time.Millisecond, Sessions: []Session{{Role: "client", ConnectionID: "00"}},
	}
}

func plan(ids ...string) (out []cases.Case) {
	for _, id := range ids {
		c := cases.Case{ID: id, Roles: []string{"client"}}
		if id == "announce-subscribe" {
			c.Roles = []string{"publisher", "subscriber"}
		}
		out = append(out, c)
	}
	return out
}
