package cases

import "time"

// list is every case there is, in the order of reports.
var list = []Case{
	{
		ID: "setup-only", Title: "SETUP goes both ways, then a clean close",
		Level: Must, Suite: SuiteStandard, Tags: []string{"setup"}, Roles: []string{"client"}, Timeout: 2 * time.Second,
	},
	{
		ID: "announce-only", Title: "PUBLISH_NAMESPACE is accepted", Aliases: []string{"publish-namespace-only"},
		Level: Must, Suite: SuiteStandard, Tags: []string{"namespace"}, Roles: []string{"publisher"}, Timeout: 2 * time.Second,
	},
	{
		ID: "publish-namespace-done", Title: "a namespace is published and withdrawn, and the session lives on",
		Level: Must, Suite: SuiteStandard, Tags: []string{"namespace"}, Roles: []string{"publisher"}, Timeout: 2 * time.Second,
	},
	{
		ID: "subscribe-error", Title: "SUBSCRIBE to a track that does not exist is refused",
		Level: Must, Suite: SuiteStandard, Tags: []string{"subscribe"}, Roles: []string{"subscriber"}, Timeout: 2 * time.Second,
	},
	{
		ID: "announce-subscribe", Title: "a SUBSCRIBE reaches the publisher of its namespace", Aliases: []string{"publish-namespace-subscribe"},
		Level: Must, Suite: SuiteStandard, Tags: []string{"namespace", "subscribe"}, Roles: []string{"publisher", "subscriber"}, Timeout: 3 * time.Second,
	},
	{
		ID: "subscribe-before-announce", Title: "a SUBSCRIBE before the namespace is published is answered", Aliases: []string{"subscribe-before-publish-namespace"},
		Level: Must, Suite: SuiteStandard, Tags: []string{"namespace", "subscribe"}, Roles: []string{"subscriber", "publisher"}, Timeout: 3500 * time.Millisecond,
	},
	{
		ID: "fetch", Title: "FETCH of a group returns exactly its objects",
		Level: Must, Suite: SuiteStandard, Tags: []string{"data", "fetch"}, Roles: []string{"publisher", "subscriber", "fetcher"}, Timeout: 15 * time.Second,
	},
	{
		ID: "join", Title: "joining at the current group: each object once, none missing at the seam",
		Level: Must, Suite: SuiteStandard, Tags: []string{"data", "fetch", "join"}, Roles: []string{"publisher", "subscriber", "joiner"}, Timeout: 15 * time.Second,
	},
	{
		ID: "join-one-back", Title: "joining one group before the current one: each object once, none missing at the seam",
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "join"}, Roles: []string{"publisher", "subscriber", "joiner"}, Timeout: 15 * time.Second,
	},
}
