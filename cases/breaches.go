package cases

import "slices"

// breaches are all breaches, topic by topic, in the order of reports.
var breaches = slices.Concat(breachesOfNames, breachesOfMessages, breachesOfParameters,
	breachesOfSessions, breachesOfRequests, breachesOfObjects, breachesRefused, breachesTolerated)

// conformance is a case for each of them.
var conformance = func() []Case {
	all := make([]Case, len(breaches))
	for i := range breaches {
		all[i] = breaches[i].Case()
	}
	return all
}()
