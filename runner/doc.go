// Package runner runs test cases against one relay. It prints a TAP 14 document, each point as soon as its result is
// known, and gives a [Report] with a JSON form.
//
// A [Client] runs the cases. [Builtin] is the one in this process, with package cases; it runs any case, also one of
// somebody else. Another client needs no more of a case than its ID and its roles.
package runner

import (
	"context"

	"github.com/moqinterop/moq-interop-client/cases"
)

// Client runs test cases against one relay.
type Client interface {
	// Info gives the client's name and version. They do not change.
	Info() ClientInfo
	// Run runs one case with connections of its own, within the case's limit, and gives its result. It calls watch,
	// which is never nil, for each session as soon as SETUP has gone both ways; watch may be called from any goroutine,
	// but not after Run has returned. When ctx ends, Run returns soon, and its result is no verdict. Run must be safe
	// for concurrent use where Options.Parallel is above 1.
	Run(ctx context.Context, c cases.Case, watch func(Session)) Result
}

// ClientInfo identifies a client.
type ClientInfo struct {
	// Name is the program's name.
	Name string `json:"name"`
	// Version is the client's own version, an opaque string.
	Version string `json:"version"`
}
