package cases

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var announceOnly = Case{
	ID: "announce-only", Title: "PUBLISH_NAMESPACE is accepted", Aliases: []string{"publish-namespace-only"},
	Topics: []wire.Topic{wire.TopicNamespaceDiscovery, wire.TopicPublishNamespace},
	Level:  Must, Suite: SuiteStandard, Tags: []string{"namespace"}, Roles: []string{"publisher"},
	Timeout: 2 * time.Second,
	Faults:  []string{"announce-silent", "announce-reject", "die-on-request"},
	Run:     runAnnounceOnly,
}

// runAnnounceOnly: PUBLISH_NAMESPACE is accepted.
func runAnnounceOnly(ctx context.Context, e *Env) error {
	e.Dial(ctx, "publisher").Announce(ctx, e.Namespace())
	return nil
}

var publishNamespaceDone = Case{
	ID: "publish-namespace-done", Title: "a namespace is published and withdrawn, and the session lives on",
	Topics: []wire.Topic{wire.TopicNamespaceDiscovery, wire.TopicPublishNamespace, wire.TopicTermination},
	Level:  Must, Suite: SuiteStandard, Tags: []string{"namespace"}, Roles: []string{"publisher"},
	Timeout: 2 * time.Second,
	Faults:  []string{"withdraw-closes-session", "announce-silent"},
	Run:     runPublishNamespaceDone,
}

// runPublishNamespaceDone: a namespace is published and withdrawn; the session stays healthy and closes cleanly.
func runPublishNamespaceDone(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "publisher")
	ns := e.Namespace()
	s.Withdraw(s.Announce(ctx, ns), ns)
	s.Healthy(ctx, transport.LayerRequest)
	s.CloseCleanly(ctx, transport.LayerRequest)
	return nil
}
