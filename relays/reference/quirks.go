package reference

import (
	"fmt"
	"slices"
	"strings"
)

// Quirk is a behaviour that the drafts allow, and that the relay does not have unless it is asked for by name. No case
// may fail because of one: if one does, the case is wrong. The refusals among them are those that the drafts have a
// code for; a case that needs what is refused is skipped.
type Quirk struct {
	// Name is what Options.Quirks takes, Doc one line that says what the relay then does.
	Name, Doc string
}

// quirk is a row of the table below.
type quirk int

// The quirks, by what they touch.
const (
	setupLate quirk = iota
	setupOptionsUnknown
	requestIDsFew
	tokensNotStored
	filterRangesNone
	closesLate

	streamsInPieces
	answersLate
	answersShuffled
	answersBehindData
	answersExpire
	answersUnknownProperties
	refusalsLate
	refusalsWordy
	refusalsRetry
	namespacesLate

	asksNamespaces
	asksTracks
	asksStatus
	fetchesAhead
	subscribesToOthers
	updatesUpstream
	announcesOwn
	saysBlocked

	refusesFetch
	refusesStatus
	refusesNamespaces
	refusesTracks
	refusesSecondNamespace
	publishPaused

	upstreamLate
	upstreamKept
	upstreamLeft
	cacheNone
	fetchesLate

	dataInPieces
	dataLate
	dataShuffled
	dataSlow
	datagramsLate
	datagramsShuffled
	paddingStreams
	paddingDatagrams

	aliasesLarge
	subgroupIDsShort
	subgroupsReopened
	objectsUnknownProperties
	endOfTrackAdded
	doneLate
	doneCountUnknown
	doneWordy

	numQuirks
)

// quirkTable names every quirk and says what it does.
var quirkTable = [numQuirks]Quirk{
	setupLate:           {"setup-late", "sends its SETUP 1 s after the connection came"},
	setupOptionsUnknown: {"setup-options-unknown", "has unknown options in its SETUP, a number and a text"},
	requestIDsFew:       {"request-ids-few", "grants two request ids, and two more as they are used (14-16)"},
	tokensNotStored:     {"tokens-not-stored", "stores no token: MAX_AUTH_TOKEN_CACHE_SIZE is 0"},
	filterRangesNone:    {"filter-ranges-none", "takes no range filters, and says so (19 and later)"},
	closesLate:          {"closes-late", "closes a session for a breach half a second later"},

	streamsInPieces: {"streams-in-pieces",
		"writes control messages byte by byte, on the control stream and on those of requests"},
	answersLate:     {"answers-late", "serves every request 400 ms later"},
	answersShuffled: {"answers-shuffled", "serves every other request 150 ms later, so that answers change places"},
	answersBehindData: {"answers-behind-data",
		"sends what belongs to a request 150 ms later than objects, so that these come first"},
	answersExpire: {"answers-expire", "has EXPIRES, an hour, in SUBSCRIBE_OK"},
	answersUnknownProperties: {"answers-unknown-properties",
		"adds an unknown property to a track's properties in SUBSCRIBE_OK (16 and later)"},
	refusalsLate:   {"refusals-late", "refuses requests 800 ms later"},
	refusalsWordy:  {"refusals-wordy", "gives a reason of 1,000 bytes, with letters that are not ASCII"},
	refusalsRetry:  {"refusals-retry", "says with every refusal that one may try again in a minute (16 and later)"},
	namespacesLate: {"namespaces-late", "tells subscribers of a namespace, and of its end, 300 ms later"},

	asksNamespaces: {"asks-namespaces",
		"asks every client for all its namespaces, with an empty prefix (16 and later)"},
	asksTracks: {"asks-tracks", "asks every client for all its tracks with SUBSCRIBE_TRACKS (18 and later)"},
	asksStatus: {"asks-status", "asks with TRACK_STATUS before each SUBSCRIBE upstream"},
	fetchesAhead: {"fetches-ahead",
		"asks the publisher with FETCH for the first group of each track, beside its subscription"},
	subscribesToOthers: {"subscribes-to-others",
		"asks who announces a namespace for a track of it that nobody wants: catalog"},
	updatesUpstream: {"updates-upstream", "changes the priority of each upstream subscription with an update"},
	announcesOwn:    {"announces-own", "announces to every client a namespace of its own, and serves nothing there"},
	saysBlocked:     {"says-blocked", "sends REQUESTS_BLOCKED as soon as the session begins (14-16)"},

	refusesFetch:      {"refuses-fetch", "refuses FETCH with NOT_SUPPORTED"},
	refusesStatus:     {"refuses-status", "refuses TRACK_STATUS with NOT_SUPPORTED"},
	refusesNamespaces: {"refuses-namespaces", "refuses SUBSCRIBE_NAMESPACE with NOT_SUPPORTED"},
	refusesTracks:     {"refuses-tracks", "refuses SUBSCRIBE_TRACKS with NOT_SUPPORTED (18 and later)"},
	refusesSecondNamespace: {"refuses-second-namespace",
		"refuses a PUBLISH_NAMESPACE for what another session has announced"},
	publishPaused: {"publish-paused",
		"answers PUBLISH with Forward State 0 while nobody wants the track, and sets 1 then"},

	upstreamLate: {"upstream-late", "waits 400 ms before each SUBSCRIBE to a publisher"},
	upstreamKept: {"upstream-kept", "keeps a subscription upstream for half a minute after its last subscriber"},
	upstreamLeft: {"upstream-left", "leaves a publisher at once with the last subscriber of its track"},
	cacheNone:    {"cache-none", "has no cache, and asks a publisher for what is fetched"},
	fetchesLate:  {"fetches-late", "begins a fetch stream 400 ms after FETCH_OK"},

	dataInPieces: {"data-in-pieces", "writes the first bytes of data streams one by one, the rest in odd pieces"},
	dataLate:     {"data-late", "sends what is on data streams 400 ms later, PUBLISH_DONE before it"},
	dataShuffled: {"data-shuffled", "lets data streams wait for different times, so that they change places"},
	dataSlow:     {"data-slow", "sends data streams at 8 Mbit/s each"},
	datagramsLate: {"datagrams-late",
		"sends datagrams 200 ms later"},
	datagramsShuffled: {"datagrams-shuffled", "lets two datagrams each change places"},
	paddingStreams:    {"padding-streams", "opens streams of padding, long and empty (18 and later)"},
	paddingDatagrams:  {"padding-datagrams", "sends datagrams of padding (18 and later)"},

	aliasesLarge: {"aliases-large", "gives Track Aliases above 2^32, the highest first"},
	subgroupIDsShort: {"subgroup-ids-short",
		"leaves a Subgroup ID of 0 out of the header, which then says so in its type"},
	subgroupsReopened: {"subgroups-reopened",
		"resets the first stream to a subscriber behind two objects, and goes on with the subgroup on another one"},
	objectsUnknownProperties: {"objects-unknown-properties",
		"adds an unknown property to every object that may have some"},
	endOfTrackAdded: {"end-of-track-added", "sends an End of Track object behind a track that has ended"},
	doneLate:        {"done-late", "sends PUBLISH_DONE 400 ms later"},
	doneCountUnknown: {"done-count-unknown",
		"sends PUBLISH_DONE with the Stream Count that means unknown"},
	doneWordy: {"done-wordy", "gives a reason of 1,000 bytes with PUBLISH_DONE"},
}

// Quirks lists the quirks that the relay knows, in the order of what they touch.
func Quirks() []Quirk { return append([]Quirk(nil), quirkTable[:]...) }

// quirkSet is the quirks that were asked for.
type quirkSet [numQuirks]bool

func parseQuirks(names []string) (quirkSet, error) {
	var set quirkSet
	known := QuirkNames()
	for _, name := range names {
		q := slices.Index(known, name)
		if q < 0 {
			return set, fmt.Errorf("unknown quirk %q: want one of %s", name, strings.Join(known, ", "))
		}
		set[q] = true
	}
	return set, nil
}

// QuirkNames are the names of the quirks.
func QuirkNames() []string {
	names := make([]string, 0, numQuirks)
	for _, q := range quirkTable {
		names = append(names, q.Name)
	}
	return names
}
