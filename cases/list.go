package cases

import "slices"

// list is every case there is, in the order of reports.
var list = slices.Concat(firstCases, trackCases, moreCases)

// firstCases are the standard ones and their kin. Each case stands in the file of its topic.
var firstCases = []Case{
	setupOnly,
	announceOnly,
	publishNamespaceDone,
	subscribeError,
	announceSubscribe,
	subscribeBeforeAnnounce,
	fetchGroup,
	joinCurrent,
	joinOneBack,
}
