package reference

// Fault is a misbehaviour that the relay can be asked for by name, to show that a test notices it.
type Fault struct {
	// Name is what Options.Faults takes, Doc one line that says what the relay then does.
	Name, Doc string
}

// fault is a row of the table below.
type fault int

// The faults, by what they touch.
const (
	setupSilence fault = iota
	setupGarbage
	setupWrongVersion
	dieAfterSetup
	implementationUnsaid
	closeError
	dieOnRequest
	dieMidway
	noRequestIDs
	closeCodeWrong
	tokenAliasLost
	goawayCloses
	goawayIsViolation
	refuseNotSupported
	refuseUnauthorized
	publishOKType
	requestOKType
	subscribeOKType
	requestErrorType

	announceSilent
	announceReject
	withdrawClosesSession
	namespaceSilent
	namespaceDoneMissing
	namespaceWrongSuffix
	overlapAccepted
	overlapAcrossKinds
	prefixAsText
	tracksSilent
	publishSilent
	publishReject
	publishNotRouted
	publishStaysPaused
	doneClosesSession

	subscribeAcceptsEverything
	subscribeErrorZero
	subscribeSilent
	subscribeBeforeSilent
	routeNowhere
	okWithoutPublisher
	rendezvousIgnored
	largestMissing
	stripTrackProperties
	propertiesAlways
	mandatoryIgnored
	rangeFilterIgnored
	rangeFilterStays
	pastRangeAccepted
	pastRangeRefused
	invalidRangeWrong
	duplicateAlias

	dropObject
	duplicateObject
	corruptPayload
	truncatePayload
	wrongObjectID
	wrongGroupID
	wrongSubgroupID
	wrongPriority
	stripProperties
	loseFirstObjectBit
	loseEndOfGroup
	loseStatus
	dropGroup
	dropEverything
	splitStreams
	neverFin
	dropDatagrams
	datagramsAsStreams
	loseLargeObjects
	refuseLargeObjects
	stallMidway
	trickle
	objectsWhole
	tooFarBehind
	starveSecond
	ignoreSecondPublisher
	dropTenth
	duplicateTenth
	delayTenth
	reorderTenth
	resetAsFin
	resetEndsTrack
	stopEndsSubscription
	stopReopens
	doneDropsData

	lostPublisherSilent
	lostPublisherCancels
	lostPublisherStays
	lostNamespaceStays
	namespaceDoneEarly
	latePublisherNotAsked
	leaverDeafens
	announceAgainIgnored
	prefixStays
	tracksCancelIgnored
	ownTrackUnknown
	ownTracksEchoed

	earlyDataCloses
	earlyObjectsLost
	midGroupWaits
	firstObjectAlways
	forwardNotPassedOn
	forwardHole
	ids32Bit
	namespace31Fields
	name4000Bytes
	namesAsText
	emptyNameRefused
	subscriptions60
	datagramsCut

	fetchGapSkipped
	fetchFailureHidden
	cacheDurationIgnored
	newGroupLost
	newGroupAlways
	upstreamCopies
	updatesAnsweredOnce
	objectsAfterError
	fetchDatagramLost
	fillTimeoutIgnored
	tokenCopied
	gapsAdded
	goneForwarded
	malformedCodeWrong
	malformedCloses
	malformedFetchGoesOn
	defaultPriorityLost

	duplicateAccepted
	secondSubscriptionStarved
	rendezvousZeroWaits
	publishDoubled
	joinPausedAccepted
	fillWhilePaused
	fillFailureHidden
	prefixUpdateIgnored
	doesNotExistUnsaid

	shortReadsBreak
	announceInARowLost
	paddingCloses
	setupOptionCloses
	unknownCodeCloses

	slowHoldsAll
	otherDraftStarved
	groupOrderIgnored
	subgroupTimeoutIgnored
	namespaces70

	doneNever
	doneWithoutFin
	doneWrongStatus
	streamCountWrong
	filterIgnored
	forwardIgnored
	updateSilent
	updateReject
	stateNotifyBare
	unsubscribeIgnored
	cancelledStreamsStay
	priorityIgnored
	priorityUpdateIgnored
	timeoutIgnored
	statusSilent
	answersBehindObjects
	statusWrong
	goawaySilent
	goawayNotHeeded
	requiredIgnored

	fetchSilent
	fetchError
	fetchMissingObject
	fetchExtraObject
	fetchCorrupt
	fetchStrip
	fetchReset
	fetchNoStream
	fetchCacheOnly
	fetchWrongOrder
	fetchWrongEnd
	fetchEverything
	fetchCancelCloses
	fetchStopsStreamAlone
	joinHole
	joinDuplicate
	joinSilent
	joinUnknownWrong

	numFaults
)

// faultTable names every fault and says what it does. The code looks each one up at the place where the relay does it
// right.
var faultTable = [numFaults]Fault{
	setupSilence: {"setup-silence", "takes the connection and never sends a setup message"},
	setupGarbage: {"setup-garbage", "sends bytes that are no setup message"},
	setupWrongVersion: {"setup-wrong-version", "selects a version that the client did not offer (14), refuses with " +
		"VERSION_NEGOTIATION_FAILED (15 and later)"},
	dieAfterSetup: {"die-after-setup", "drops the connection right after its setup message"},
	closeError:    {"close-error", "closes with INTERNAL_ERROR when the session is 50 ms old"},
	dieOnRequest:  {"die-on-request", "drops the connection at the first request"},
	dieMidway: {"die-midway",
		"drops the connection of a subscriber that it has sent three objects, by stream, datagram or fetch"},
	noRequestIDs: {"no-request-ids", "grants no request id (14-16)"},

	closeCodeWrong: {"close-code-wrong", "closes sessions with INTERNAL_ERROR whatever the reason"},
	tokenAliasLost: {"token-alias-lost", "forgets tokens that are registered with PUBLISH_NAMESPACE"},
	goawayCloses:   {"goaway-closes-session", "closes the session with NO_ERROR when the client sends GOAWAY"},
	goawayIsViolation: {"goaway-is-violation",
		"closes the session with PROTOCOL_VIOLATION at every GOAWAY, also a good one"},
	refuseNotSupported: {"refuse-not-supported", "refuses every request with NOT_SUPPORTED"},
	refuseUnauthorized: {"refuse-unauthorized", "refuses every request with UNAUTHORIZED"},
	publishOKType: {"publish-ok-wrong-type",
		"answers PUBLISH with PUBLISH_NAMESPACE_OK (14), with REQUEST_OK in place of PUBLISH_OK (15-17)"},
	requestOKType: {"request-ok-wrong-type",
		"answers PUBLISH_NAMESPACE with SUBSCRIBE_NAMESPACE_OK and the other way round (14), " +
			"sends PUBLISH_OK in place of every REQUEST_OK (15-17)"},
	subscribeOKType: {"subscribe-ok-wrong-type",
		"answers SUBSCRIBE with TRACK_STATUS_OK (14), with REQUEST_OK (15 and later)"},
	requestErrorType: {"request-error-wrong-type", "refuses with the error message of another kind of request (14)"},

	announceSilent: {"announce-silent", "never answers PUBLISH_NAMESPACE"},
	announceReject: {"announce-reject", "refuses every PUBLISH_NAMESPACE with UNAUTHORIZED"},
	withdrawClosesSession: {"withdraw-closes-session", "closes the session with PROTOCOL_VIOLATION when a namespace " +
		"is withdrawn"},
	namespaceSilent:      {"namespace-silent", "accepts SUBSCRIBE_NAMESPACE and tells of no namespace"},
	namespaceDoneMissing: {"namespace-done-missing", "does not tell subscribers that a namespace was withdrawn"},
	namespaceWrongSuffix: {"namespace-wrong-suffix", "tells subscribers of a namespace with a field too many"},
	overlapAccepted:      {"overlap-accepted", "accepts namespace subscriptions that overlap"},
	overlapAcrossKinds: {"overlap-across-kinds", "refuses SUBSCRIBE_NAMESPACE for a prefix that has a " +
		"SUBSCRIBE_TRACKS, and the other way round (18 and later)"},
	prefixAsText: {"namespace-prefix-as-text",
		"takes the publisher of a namespace for that of all whose last field begins in the same way"},
	tracksSilent: {"tracks-silent", "accepts SUBSCRIBE_TRACKS, or SUBSCRIBE_NAMESPACE for publishes, and " +
		"passes on no PUBLISH"},
	publishSilent:      {"publish-silent", "never answers PUBLISH"},
	publishReject:      {"publish-reject", "refuses every PUBLISH with UNINTERESTED"},
	publishNotRouted:   {"publish-not-routed", "accepts PUBLISH, but nobody can subscribe to the track"},
	publishStaysPaused: {"publish-stays-paused", "sets Forward State 0 for every PUBLISH, and never 1"},
	doneClosesSession: {"done-closes-session", "closes the session with PROTOCOL_VIOLATION when the track of a " +
		"PUBLISH ends"},

	subscribeAcceptsEverything: {"subscribe-accepts-everything",
		"answers SUBSCRIBE with SUBSCRIBE_OK though nobody publishes the track"},
	subscribeErrorZero: {"subscribe-error-zero", "refuses SUBSCRIBE to an unknown track with code 0x0"},
	subscribeSilent:    {"subscribe-silent", "never answers SUBSCRIBE"},
	subscribeBeforeSilent: {"subscribe-before-silent",
		"never answers a SUBSCRIBE that comes before its publisher"},
	routeNowhere: {"route-nowhere", "answers SUBSCRIBE to an announced track with DOES_NOT_EXIST"},
	okWithoutPublisher: {"subscribe-ok-without-publisher",
		"answers SUBSCRIBE to an announced track itself, without asking the publisher"},
	rendezvousIgnored: {"rendezvous-ignored", "refuses a SUBSCRIBE with RENDEZVOUS_TIMEOUT at once with " +
		"DOES_NOT_EXIST"},
	largestMissing:       {"largest-missing", "leaves LARGEST_OBJECT out of SUBSCRIBE_OK"},
	stripTrackProperties: {"strip-track-properties", "tells subscribers nothing of a track's properties"},
	mandatoryIgnored: {"mandatory-property-ignored",
		"takes tracks with Mandatory Track Properties that it does not know"},
	rangeFilterStays: {"range-filter-update-ignored",
		"accepts an update of range filters, and goes on with the old ones (19 and later)"},
	rangeFilterIgnored: {"range-filter-ignored", "takes range filters, and ignores them (19 and later)"},
	pastRangeAccepted:  {"past-range-accepted", "accepts a filter whose range is over (up to 19)"},
	pastRangeRefused:   {"past-range-refused", "refuses a filter whose range is over (20 and later)"},
	invalidRangeWrong:  {"invalid-range-wrong", "refuses ranges that are not valid with DOES_NOT_EXIST"},
	duplicateAlias:     {"duplicate-alias", "gives every track of a session the same Track Alias"},

	dropObject:         {"drop-object", "leaves the first object out of every subgroup stream"},
	duplicateObject:    {"duplicate-object", "forwards every subgroup stream twice"},
	corruptPayload:     {"corrupt-payload", "changes the first byte of every payload"},
	truncatePayload:    {"truncate-payload", "cuts the last byte off every payload"},
	wrongObjectID:      {"wrong-object-id", "adds 1 to every Object ID"},
	wrongGroupID:       {"wrong-group-id", "adds 1 to every Group ID"},
	wrongSubgroupID:    {"wrong-subgroup-id", "adds 1 to every Subgroup ID"},
	wrongPriority:      {"wrong-priority", "adds 1 to every Publisher Priority"},
	stripProperties:    {"strip-properties", "forwards objects without their properties"},
	loseFirstObjectBit: {"first-object-missing", "clears FIRST_OBJECT in every subgroup header (18 and later)"},
	loseEndOfGroup: {"end-of-group-missing", "clears END_OF_GROUP in every header and drops objects with that " +
		"status"},
	loseStatus:         {"status-missing", "drops every object with a status other than Normal"},
	dropGroup:          {"drop-group", "does not forward every second group"},
	dropEverything:     {"drop-everything", "forwards no object, neither on streams nor in datagrams"},
	splitStreams:       {"split-streams", "sends every object on a stream of its own"},
	neverFin:           {"never-fin", "resets subgroup streams where they should end with FIN"},
	dropDatagrams:      {"drop-datagrams", "forwards no datagram"},
	datagramsAsStreams: {"datagrams-as-streams", "forwards datagrams as subgroup streams"},
	loseLargeObjects: {"large-objects-missing",
		"leaves out objects of 1 MB or more, and ends stream and track as if nothing were missing"},
	refuseLargeObjects: {"large-objects-refused", "resets a subgroup stream at an object of 1 MB or more"},
	stallMidway:        {"stall-midway", "sends half of an object's payload, and then nothing more on its stream"},
	trickle:            {"trickle", "sends payloads at 12 kbit/s a stream"},
	tooFarBehind: {"too-far-behind",
		"gives up every subscriber with TOO_FAR_BEHIND after two objects, however promptly it reads"},
	starveSecond:          {"second-subscriber-starved", "forwards objects to the first subscriber of a track alone"},
	ignoreSecondPublisher: {"second-publisher-ignored", "drops what another than the first publisher of a track sends"},
	dropTenth:             {"drop-tenth", "leaves out the objects 4, 14, 24 and so on of every group"},
	duplicateTenth:        {"duplicate-tenth", "sends the objects 4, 14, 24 and so on of every group twice"},
	delayTenth: {"delay-tenth",
		"sends the objects 4, 14, 24 and so on of every group 100 ms late, each on a stream of its own"},
	reorderTenth: {"reorder-tenth",
		"sends the objects 4, 14, 24 and so on of every group after the one that follows, on a stream of its own"},
	resetAsFin:     {"reset-as-fin", "ends a subgroup stream with FIN where its publisher has reset it"},
	resetEndsTrack: {"reset-ends-track", "leaves a track when its publisher resets a subgroup stream"},
	stopEndsSubscription: {"stop-ends-subscription",
		"sends a subscriber nothing more once it has stopped a stream"},
	stopReopens:   {"stop-reopens", "goes on on a new stream where the subscriber has stopped one"},
	doneDropsData: {"done-drops-data", "drops the streams that come behind their publisher's PUBLISH_DONE"},

	lostPublisherSilent: {"lost-publisher-silent", "tells the subscribers of a track nothing when its publisher's " +
		"session is gone"},
	lostPublisherCancels: {"lost-publisher-cancels", "resets the subscriptions to a track when its publisher's " +
		"session is gone (17 and later)"},
	lostPublisherStays: {"lost-publisher-stays", "sends all requests for a namespace to its first publisher, also " +
		"when that one's session is gone"},
	lostNamespaceStays: {"lost-namespace-stays", "does not tell namespace subscribers that a publisher's session is " +
		"gone"},
	namespaceDoneEarly: {"namespace-done-early", "tells namespace subscribers that a namespace is gone when the " +
		"first of its publishers leaves"},
	latePublisherNotAsked: {"late-publisher-not-asked", "does not ask a publisher that comes late for the tracks " +
		"that have subscribers"},
	leaverDeafens: {"leaver-deafens", "forwards nothing of a track any more once a subscriber has left it"},
	announceAgainIgnored: {"announce-again-ignored", "accepts a namespace that was published before, and sends no " +
		"requests to its publisher"},
	prefixStays:         {"prefix-stays", "keeps the prefix of a namespace subscription that was cancelled"},
	tracksCancelIgnored: {"tracks-cancel-ignored", "goes on sending PUBLISH after the request for it was cancelled"},
	ownTrackUnknown:     {"own-track-unknown", "refuses a SUBSCRIBE from the session that publishes the track"},
	ownTracksEchoed:     {"own-tracks-echoed", "sends PUBLISH for a session's own tracks too (18 and later)"},

	earlyDataCloses: {"early-data-closes", "closes a publisher's session with PROTOCOL_VIOLATION when a data stream " +
		"comes before its SUBSCRIBE_OK"},
	earlyObjectsLost: {"early-objects-lost", "loses what a publisher sends before the relay has sent its own " +
		"SUBSCRIBE_OK"},
	midGroupWaits:      {"mid-group-waits", "sends a late subscriber nothing of the group that is under way"},
	firstObjectAlways:  {"first-object-always", "sets FIRST_OBJECT in every subgroup header (18 and later)"},
	forwardNotPassedOn: {"forward-not-passed-on", "subscribes with Forward State 0, and never changes it"},
	forwardHole:        {"forward-hole", "leaves objects out in the middle of a stream, and goes on on the same one"},
	ids32Bit:           {"ids-32-bit", "cuts Group IDs to 32 bits"},
	namespace31Fields:  {"namespace-31-fields", "refuses namespaces with more than 31 fields"},
	name4000Bytes:      {"name-4000-bytes", "refuses SUBSCRIBE to Full Track Names with more than 4,000 bytes"},
	namesAsText:        {"names-as-text", "takes track names for text, and replaces what is no UTF-8"},
	emptyNameRefused:   {"empty-name-refused", "refuses SUBSCRIBE to a track without a name"},
	subscriptions60:    {"subscriptions-60", "refuses more than 60 subscriptions of a session with INTERNAL_ERROR"},
	fetchGapSkipped: {"fetch-gap-skipped", "leaves out of a FETCH what it does not hold, unless it holds nothing of " +
		"it"},
	fetchFailureHidden:   {"fetch-failure-hidden", "ends a FETCH with FIN when its publisher's fetch stream is reset"},
	cacheDurationIgnored: {"cache-duration-ignored", "gives out of its cache what is older than MAX_CACHE_DURATION"},
	newGroupLost:         {"new-group-lost", "passes no NEW_GROUP_REQUEST on"},
	newGroupAlways:       {"new-group-always", "passes every NEW_GROUP_REQUEST on, whatever the track (15 and later)"},
	upstreamCopies:       {"upstream-copies", "asks its publisher with what the first subscriber has asked for"},
	updatesAnsweredOnce: {"updates-answered-once",
		"answers an update of a subscription that comes right behind another one with nothing"},
	objectsAfterError:  {"objects-after-error", "sends an object behind every refusal of a SUBSCRIBE"},
	fetchDatagramLost:  {"fetch-datagram-lost", "returns objects of datagrams as if they had been on streams"},
	fillTimeoutIgnored: {"fill-timeout-ignored", "waits for what it does not hold, whatever FILL_TIMEOUT says"},
	tokenCopied:        {"token-copied", "copies the token of SUBSCRIBE_TRACKS into PUBLISH"},
	goneForwarded:      {"gone-forwarded", "forwards an object that a Prior Object ID Gap has said does not exist"},
	gapsAdded:          {"gaps-added", "adds a Prior Object ID Gap to objects without properties"},
	malformedCodeWrong: {"malformed-code-wrong", "ends the subscriptions to a malformed track with INTERNAL_ERROR"},
	malformedCloses:    {"malformed-closes", "closes the sessions of a malformed track's publishers"},
	defaultPriorityLost: {"default-priority-lost", "gives subgroups without a priority 128, whatever the track's " +
		"default"},
	duplicateAccepted: {"duplicate-accepted", "accepts a session's second subscription to a track (16 to 18)"},
	secondSubscriptionStarved: {"second-subscription-starved", "sends objects only to a session's first subscription " +
		"to a track (19 and later)"},
	rendezvousZeroWaits:    {"rendezvous-zero-waits", "waits for ever with RENDEZVOUS_TIMEOUT 0"},
	publishDoubled:         {"publish-doubled", "sends PUBLISH to a session that has a SUBSCRIBE for the track too"},
	joinPausedAccepted:     {"join-paused-accepted", "answers a joining FETCH of a paused subscription (up to 19)"},
	fillWhilePaused:        {"fill-while-paused", "sends a fill though its subscription is paused (20 and later)"},
	prefixUpdateIgnored:    {"prefix-update-ignored", "accepts an update of a prefix, and goes on with the old one"},
	doesNotExistUnsaid:     {"does-not-exist-unsaid", "says INTERNAL_ERROR for DOES_NOT_EXIST (18 and later)"},
	shortReadsBreak:        {"short-reads-break", "closes the session when a stream begins with less than three bytes"},
	announceInARowLost:     {"announce-in-a-row-lost", "does not answer a PUBLISH_NAMESPACE 1 ms behind another one"},
	paddingCloses:          {"padding-closes", "closes the session with PROTOCOL_VIOLATION at padding (18 and later)"},
	setupOptionCloses:      {"setup-option-closes", "closes the session at a setup option that it does not know"},
	unknownCodeCloses:      {"unknown-code-closes", "closes the session of who refuses with an unknown code"},
	slowHoldsAll:           {"slow-holds-all", "sends nobody anything while one subscriber is 1 MB behind"},
	otherDraftStarved:      {"other-draft-starved", "sends nothing to subscribers of another draft"},
	groupOrderIgnored:      {"group-order-ignored", "sends groups in ascending order, whatever order is asked for"},
	subgroupTimeoutIgnored: {"subgroup-timeout-ignored", "does not heed SUBGROUP_DELIVERY_TIMEOUT (18 and later)"},
	namespaces70:           {"namespaces-70", "tells a namespace subscriber of no more than 70 namespaces"},
	datagramsCut:           {"datagrams-cut", "cuts the payload of datagrams after 500 bytes"},

	doneNever: {"done-never", "never sends PUBLISH_DONE"},
	doneWrongStatus: {"done-wrong-status",
		"sends PUBLISH_DONE with INTERNAL_ERROR whatever the publisher's status"},
	streamCountWrong:     {"stream-count-wrong", "sends PUBLISH_DONE with a Stream Count that is 1 too high"},
	filterIgnored:        {"filter-ignored", "sends objects outside of the subscription's filter"},
	forwardIgnored:       {"forward-ignored", "sends objects with Forward State 0"},
	updateSilent:         {"update-silent", "never answers an update of a subscription, nor heeds it"},
	updateReject:         {"update-reject", "refuses every update of a subscription"},
	unsubscribeIgnored:   {"unsubscribe-ignored", "goes on sending objects after the subscriber has unsubscribed"},
	implementationUnsaid: {"implementation-unsaid", "does not name its implementation in SETUP (17 and later)"},
	doneWithoutFin: {"done-without-fin",
		"leaves the stream of a subscription open behind PUBLISH_DONE (18 and later)"},
	answersBehindObjects: {"answers-behind-objects", "answers TRACK_STATUS only when no object waits for the session"},
	cancelledStreamsStay: {"cancelled-streams-stay", "leaves the data streams of a cancelled request open"},
	fetchStopsStreamAlone: {"fetch-stops-stream-alone",
		"gives up a FETCH of its own by stopping the data stream alone"},
	malformedFetchGoesOn: {"malformed-fetch-goes-on", "goes on with the FETCHes of a malformed track"},
	fillFailureHidden:    {"fill-failure-hidden", "ends a fill that fails with FIN (20 and later)"},
	priorityUpdateIgnored: {"priority-update-ignored",
		"accepts an update of the Subscriber Priority, and goes on with the old one"},
	propertiesAlways: {"properties-always",
		"tells a track's properties whatever INCLUDE_PROPERTIES says (20 and later)"},
	stateNotifyBare: {"state-notify-bare", "tells subscribers FORWARD 0, and nothing else, when its publisher sends " +
		"PUBLISH_STATE_NOTIFY (20 and later)"},
	goawayNotHeeded: {"goaway-not-heeded", "asks publishers for further tracks when they have sent GOAWAY"},
	requiredIgnored: {"required-ignored", "does not wait for the request that another one requires (17)"},
	objectsWhole:    {"objects-whole", "sends nothing of an object before it has all of it, as with any other fault"},
	priorityIgnored: {"priority-ignored", "sends streams in the order in which they came, whatever their priority"},
	timeoutIgnored:  {"delivery-timeout-ignored", "sends objects whose delivery timeout has passed"},
	statusSilent:    {"track-status-silent", "never answers TRACK_STATUS"},
	statusWrong:     {"track-status-wrong", "answers TRACK_STATUS with a largest object that is one group too high"},
	goawaySilent:    {"goaway-ignored", "answers nothing once a GOAWAY came"},

	fetchSilent:        {"fetch-silent", "never answers FETCH"},
	fetchError:         {"fetch-error", "refuses every FETCH with INTERNAL_ERROR, and resets every fill"},
	fetchMissingObject: {"fetch-missing-object", "leaves the second object out of what a FETCH returns"},
	fetchExtraObject:   {"fetch-extra-object", "adds an object behind the last one that a FETCH returns"},
	fetchCorrupt:       {"fetch-corrupt-payload", "changes the first byte of every payload that a FETCH returns"},
	fetchStrip:         {"fetch-strip-properties", "returns the objects of a FETCH without their properties"},
	fetchReset:         {"fetch-reset", "resets a fetch stream after the first object"},
	fetchCacheOnly: {"fetch-cache-only",
		"refuses a FETCH for what it does not hold, and asks no publisher"},
	fetchNoStream:   {"fetch-no-stream", "answers FETCH with FETCH_OK and opens no stream"},
	fetchWrongOrder: {"fetch-wrong-order", "returns groups in ascending order though descending was asked for"},
	fetchWrongEnd:   {"fetch-wrong-end", "reports in FETCH_OK an End that is one group too high"},
	fetchEverything: {"fetch-everything", "returns the whole track for any range"},
	fetchCancelCloses: {"fetch-cancel-closes-session",
		"closes the session with PROTOCOL_VIOLATION when a FETCH is cancelled"},
	joinHole:      {"join-hole", "leaves the last object before the live edge out of a joining FETCH or fill"},
	joinDuplicate: {"join-duplicate", "repeats the last object before the live edge on the subscription"},
	joinSilent:    {"join-silent", "never answers a joining FETCH, and opens no stream for a fill"},
	joinUnknownWrong: {"join-unknown-wrong", "refuses a joining FETCH for an unknown subscription with " +
		"DOES_NOT_EXIST (up to 19)"},
}
