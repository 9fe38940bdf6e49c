package cases

import (
	"slices"
	"sync"
)

// breaches are all breaches, topic by topic, in the order of reports.
var breaches = slices.Concat(breachesOfNames, breachesOfMessages, breachesOfParameters,
	breachesOfSessions, breachesOfRequests, breachesOfObjects, breachesOfTracks, breachesOfAnswers, breachesRefused,
	breachesTolerated)

// conformance gives a case for each of them. They are made when somebody asks: it takes milliseconds.
var conformance = sync.OnceValue(func() []Case {
	all := make([]Case, len(breaches))
	for i := range breaches {
		all[i] = breaches[i].Case()
	}
	return all
})
