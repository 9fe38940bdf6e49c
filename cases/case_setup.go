package cases

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var setupOnly = Case{
	ID: "setup-only", Title: "SETUP goes both ways, then a clean close",
	Topics: []wire.Topic{wire.TopicNegotiation, wire.TopicStreams, wire.TopicSetup, wire.TopicTermination},
	Level:  Must, Suite: SuiteStandard, Tags: []string{"setup"}, Roles: []string{"client"}, Timeout: 2 * time.Second,
	Faults: []string{"setup-silence", "setup-garbage", "setup-wrong-version", "die-after-setup", "close-error"},
	Run:    runSetupOnly,
}

// runSetupOnly: SETUP both ways, then a clean close.
func runSetupOnly(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	s.Healthy(ctx, transport.LayerSetup)
	s.CloseCleanly(ctx, transport.LayerSetup)
	return nil
}
