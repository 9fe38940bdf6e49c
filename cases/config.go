package cases

import (
	"context"
	"fmt"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Config says how to reach the relay, and what the user asked for. Run does not change it; it may serve several runs at
// once.
type Config struct {
	// Dial makes a connection and offers the drafts in this order. The role is for diagnostics. Its error is a
	// *transport.DialError where the layer is known. It must return when ctx ends.
	Dial func(ctx context.Context, role string, drafts []wire.Draft) (transport.Conn, error)
	// Drafts are offered in this order, in every handshake; nil means all, newest first.
	Drafts []wire.Draft
	// URL is the relay's URL. On raw QUIC its path and authority are sent in SETUP.
	URL transport.URL
	// NamespacePrefix is the leading fields of every namespace that cases use.
	NamespacePrefix wire.TrackNamespace
	// AuthToken, if not empty, is sent by value, with Token Type 0, in every request that allows it.
	AuthToken string
	// Tolerate are the codec's named tolerances. NoRequestLimit is the cases' own: requests are sent even if
	// MAX_REQUEST_ID does not allow them (14-16).
	Tolerate       wire.Tolerance
	NoRequestLimit bool
	// Strict turns a broken SHOULD into a plain failure.
	Strict bool
	// TimeoutFactor stretches every limit; 0 means 1.
	TimeoutFactor float64
	// Embedded says that the relay runs in the same process, so that no path is too slow.
	Embedded bool
	// Implementation is sent as MOQT_IMPLEMENTATION; empty sends none.
	Implementation string
	// RunID is the random part of all names, 32 hexadecimal digits. If it is empty, each Run draws 128 bits of its own.
	RunID string
	// OnSession, if set, is called for each session as soon as it is set up. Calls do not overlap.
	OnSession func(SessionInfo)
}

// NoRequestLimit is the name of the cases' own tolerance: requests are sent even if MAX_REQUEST_ID does not allow them
// (14-16).
const NoRequestLimit = "no-request-limit"

// ToleranceNames lists the names that SetTolerance knows: the codec's, then the cases' own.
func ToleranceNames() []string { return append(wire.ToleranceNames(), NoRequestLimit) }

// SetTolerance switches on one named tolerance. The error lists the names that exist.
func (c *Config) SetTolerance(name string) error {
	if name == NoRequestLimit {
		c.NoRequestLimit = true
		return nil
	}
	t, err := wire.ParseTolerance(name)
	if err != nil {
		return fmt.Errorf("unknown tolerance %q: want one of %s", name, strings.Join(ToleranceNames(), ", "))
	}
	c.Tolerate |= t
	return nil
}

func (c *Config) drafts() []wire.Draft {
	if len(c.Drafts) == 0 {
		return wire.Drafts()
	}
	return c.Drafts
}

func (c *Config) factor() float64 {
	if c.TimeoutFactor <= 0 {
		return 1
	}
	return c.TimeoutFactor
}
