package runner

import (
	"context"
	"net"
	"strconv"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

func portOf(a *net.UDPAddr) string { return strconv.Itoa(a.Port) }

// Fault is a misbehaviour that the reference relay can be given.
type Fault struct {
	// Name is what it is switched on by, Doc one line that says what the relay does then.
	Name, Doc string
}

// Faults lists them.
func Faults() []Fault { return nil }

func newReference(RelayOptions) (func(context.Context, transport.Conn), error) {
	return func(_ context.Context, conn transport.Conn) {
		conn.CloseWithError(0, "the reference relay is not wired yet")
	}, nil
}
