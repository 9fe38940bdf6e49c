package cases

import "slices"

// list is every case there is, in the order of reports.
var list = tagged(slices.Concat(firstCases, trackCases, moreCases))

// tagged gives the cases of the standard suite its name as a tag.
func tagged(all []Case) []Case {
	for i, c := range all {
		if c.Suite == SuiteStandard {
			all[i].Tags = append([]string{SuiteStandard}, c.Tags...)
		}
	}
	return all
}

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
