// Package runner runs test cases against one relay and says what came of it: a TAP 14 document, point by point as
// the results become known, and a [Report] that is written as JSON.
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
	// Info says who it is; it does not change.
	Info() ClientInfo
	// Run runs one case to its end, with connections of its own, within the case's limit, and tells what came of it. It
	// tells watch, which is never nil, of each session as soon as that has done its setup; watch may be called from any
	// goroutine, but not after Run has returned. When ctx ends, Run gives up and returns soon; what it returns then is
	// no verdict. It is called from several goroutines at a time where Options.Parallel says so.
	Run(ctx context.Context, c cases.Case, watch func(Session)) Result
}

// ClientInfo identifies a client.
type ClientInfo struct {
	// Name is the program's name.
	Name string `json:"name"`
	// Version is the client's own version, an opaque string.
	Version string `json:"version"`
}
