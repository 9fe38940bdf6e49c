package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// setupOnly: SETUP both ways, then a clean close.
func setupOnly(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	s.Healthy(ctx, transport.LayerSetup)
	s.CloseCleanly(ctx, transport.LayerSetup)
	return nil
}
