package cases

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Limits of cases whose limit is not their own: 15 s in all, and stepLimit a step.
const caseLimit = 15 * time.Second

// list is every case there is, in the order of reports.
var list = []Case{
	{
		ID: "setup-only", Title: "SETUP goes both ways, then a clean close",
		Topics: []wire.Topic{wire.TopicNegotiation, wire.TopicStreams, wire.TopicSetup, wire.TopicTermination},
		Level:  Must, Suite: SuiteStandard, Tags: []string{"setup"}, Roles: []string{"client"}, Timeout: 2 * time.Second,
		Faults: []string{"setup-silence", "setup-garbage", "setup-wrong-version", "die-after-setup", "close-error"},
		Run:    setupOnly,
	},
	{
		ID: "announce-only", Title: "PUBLISH_NAMESPACE is accepted", Aliases: []string{"publish-namespace-only"},
		Topics: []wire.Topic{wire.TopicNamespaceDiscovery, wire.TopicPublishNamespace},
		Level:  Must, Suite: SuiteStandard, Tags: []string{"namespace"}, Roles: []string{"publisher"}, Timeout: 2 * time.Second,
		Faults: []string{"announce-silent", "announce-reject", "die-on-request"},
		Run:    announceOnly,
	},
	{
		ID: "publish-namespace-done", Title: "a namespace is published and withdrawn, and the session lives on",
		Topics: []wire.Topic{wire.TopicNamespaceDiscovery, wire.TopicPublishNamespace, wire.TopicTermination},
		Level:  Must, Suite: SuiteStandard, Tags: []string{"namespace"}, Roles: []string{"publisher"}, Timeout: 2 * time.Second,
		Faults: []string{"withdraw-closes-session", "announce-silent"},
		Run:    publishNamespaceDone,
	},
	{
		ID: "subscribe-error", Title: "SUBSCRIBE to a track that does not exist is refused",
		Topics: []wire.Topic{wire.TopicSubscribe, wire.TopicRequestError},
		Level:  Must, Suite: SuiteStandard, Tags: []string{"subscribe"}, Roles: []string{"subscriber"}, Timeout: 2 * time.Second,
		Faults: []string{"subscribe-accepts-everything", "subscribe-error-zero", "subscribe-silent"},
		Run:    subscribeError,
	},
	{
		ID: "announce-subscribe", Title: "a SUBSCRIBE reaches the publisher of its namespace", Aliases: []string{"publish-namespace-subscribe"},
		Topics: []wire.Topic{wire.TopicPublishNamespace, wire.TopicSubscribe, wire.TopicSubscribeOK},
		Level:  Must, Suite: SuiteStandard, Tags: []string{"namespace", "subscribe"}, Roles: []string{"publisher", "subscriber"}, Timeout: 3 * time.Second,
		Faults: []string{"route-nowhere", "subscribe-ok-without-publisher", "subscribe-silent"},
		Run:    announceSubscribe,
	},
	{
		ID: "subscribe-before-announce", Title: "a SUBSCRIBE before the namespace is published is answered", Aliases: []string{"subscribe-before-publish-namespace"},
		Topics: []wire.Topic{wire.TopicSubscribe, wire.TopicSubscribeOK, wire.TopicRequestError},
		Level:  Must, Suite: SuiteStandard, Tags: []string{"namespace", "subscribe"}, Roles: []string{"subscriber", "publisher"}, Timeout: 3500 * time.Millisecond,
		Faults: []string{"subscribe-before-silent", "subscribe-silent"},
		Run:    subscribeBeforeAnnounce,
	},
	{
		ID: "fetch", Title: "FETCH of a group returns exactly its objects",
		Topics: []wire.Topic{wire.TopicFetch, wire.TopicFetchOK},
		Level:  Must, Suite: SuiteStandard, Tags: []string{"data", "fetch"}, Roles: []string{"publisher", "subscriber", "fetcher"}, Timeout: caseLimit,
		Faults: []string{"fetch-silent", "fetch-error", "fetch-missing-object", "fetch-extra-object", "fetch-corrupt-payload", "fetch-reset", "fetch-no-stream", "fetch-everything", "drop-object"},
		Run:    fetchGroup,
	},
	{
		ID: "join", Title: "joining at the current group: each object once, none missing at the seam",
		Topics: []wire.Topic{wire.TopicJoining, wire.TopicFillParameters, wire.TopicSubscribe},
		Level:  Must, Suite: SuiteStandard, Tags: []string{"data", "fetch", "join"}, Roles: []string{"publisher", "subscriber", "joiner"}, Timeout: caseLimit,
		Faults: []string{"join-hole", "join-duplicate", "join-silent", "fetch-error", "fetch-corrupt-payload"},
		Run:    joinCurrent,
	},
	{
		ID: "join-one-back", Title: "joining one group before the current one: each object once, none missing at the seam",
		Topics: []wire.Topic{wire.TopicJoining, wire.TopicFillParameters, wire.TopicSubscribe},
		Level:  Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "join"}, Roles: []string{"publisher", "subscriber", "joiner"}, Timeout: caseLimit,
		Faults: []string{"join-hole", "join-duplicate", "join-silent", "fetch-reset"},
		Run:    joinOneBack,
	},
}
