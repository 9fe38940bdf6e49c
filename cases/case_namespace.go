package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// announceOnly: PUBLISH_NAMESPACE is accepted.
func announceOnly(ctx context.Context, e *Env) error {
	e.Dial(ctx, "publisher").Announce(ctx, e.Namespace())
	return nil
}

// publishNamespaceDone: a namespace is published and withdrawn; the session stays healthy and closes cleanly.
func publishNamespaceDone(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "publisher")
	ns := e.Namespace()
	s.Withdraw(s.Announce(ctx, ns), ns)
	s.Healthy(ctx, transport.LayerRequest)
	s.CloseCleanly(ctx, transport.LayerRequest)
	return nil
}
