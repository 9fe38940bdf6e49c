package reference

import (
	"context"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The faults that are about how streams come, whatever is on them. Package moqt does not behave so, so they are below
// it.

// watchesStreams reports whether such a fault was asked for.
func (f *faultSet) watchesStreams() bool { return f[earlyDataCloses] }

// spoiltStreams is a connection with such a fault.
type spoiltStreams struct {
	transport.Conn
	faults *faultSet
	// asking counts the SUBSCRIBEs of the relay that are not answered yet.
	asking atomic.Int32
}

// AcceptUniStream implements transport.Conn.
func (c *spoiltStreams) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := c.Conn.AcceptUniStream(ctx)
	if err == nil && c.faults[earlyDataCloses] && c.asking.Load() > 0 {
		c.CloseWithError(uint64(wire.ProtocolViolation), "fault")
	}
	return s, err
}
