package cases

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var setupOnly = Case{
	ID: "setup-only", Title: "SETUP goes both ways, and the session closes cleanly",
	Rules: []rules.ID{rules.Setup, rules.Close},
	Level: Must, Suite: SuiteStandard, Tags: []string{"setup"}, Roles: []string{"client"}, Timeout: 2 * time.Second,
	Faults: []Fault{
		setupFault("setup-silence", "nothing (0 bytes) for 5000 ms"),
		setupFault("setup-garbage", "type at byte 0: unknown"),
		setupFault("setup-wrong-version", "0x15"),
		setupFault("die-after-setup", "connection"),
		setupFault("close-error", "connection closed by the peer with 0x1 INTERNAL_ERROR"),
	},
	Run: runSetupOnly,
}

// runSetupOnly: SETUP goes both ways, and the session closes cleanly.
func runSetupOnly(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	s.Healthy(ctx, transport.LayerSetup)
	s.CloseCleanly(ctx, transport.LayerSetup)
	return nil
}

var implementationName = Case{
	ID: "implementation-name", Title: "SETUP names the relay's implementation",
	Rules: []rules.ID{rules.ImplementationName, rules.Setup}, First: wire.Draft17,
	Level: Should, Suite: SuiteAll, Tags: []string{"setup"}, Roles: []string{"client"}, Timeout: CaseLimit,
	Faults: []Fault{
		setupFault("implementation-unsaid", "SETUP without MOQT_IMPLEMENTATION").should(),
		setupFault("setup-silence", "nothing (0 bytes) for 5000 ms").should(),
	},
	Run: func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "client")
		e.Should(s.PeerImplementation() != "", transport.LayerSetup, "SETUP with MOQT_IMPLEMENTATION",
			"SETUP without MOQT_IMPLEMENTATION")
		s.CloseCleanly(ctx, transport.LayerSetup)
		return nil
	},
}
