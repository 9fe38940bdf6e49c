package cases

// list is every case there is, in the order of reports. Each is in the file of its topic.
var list = tagged([]Case{
	setupOnly,
	announceOnly,
	publishNamespaceDone,
	subscribeError,
	announceSubscribe,
	subscribeBeforeAnnounce,
	fetchGroup,
	joinCurrent,
	joinOneBack,

	rendezvousTimeout,
	publishTrackOnly,
	publishTrackSubscribe,
	namespaceDiscovery,
	dataSubgroupBasic,
	subscribeNamespaceLifecycle,
	oneSubgroupPerGroup,
	oneSubgroupPerObject,
	twoSubgroupsPerGroup,
	nonzeroStartGroup,
	nonzeroStartObject,
	sparseIDs,
	layoutProperties,

	objectEmpty,
	objectByte,
	object10KB,
	object1MB,
	object10MB,
	manyGroups,
	objectProperties,
	immutableProperties,
	trackProperties,
	mandatoryProperty,

	subgroupFin,
	endOfGroup,
	endOfTrack,

	datagram,
	datagramProperties,
	datagramStatus,
	datagramEnd,

	lateSubscriber,
	threeSubscribers,
	twoTracks,
	twoPublishers,
	unsubscribeStops,

	filterNextGroup,
	filterNextObject,
	filterAbsoluteStart,
	filterAbsoluteRange,
	filterObjectRange,
	filterRelative,
	filterPast,
	rangeFilter,
	rangeFilterUpdate,

	forwardState,
	updatePriority,
	updateRange,

	fetchRange,
	fetchObject,
	fetchAscending,
	fetchDescending,
	fetchOpenEnd,
	fetchBeyond,
	fetchUnknown,
	fetchEmpty,
	fetchUpstream,
	fetchCancel,
	fetchOnePerGroup,
	fetchOnePerObject,
	fetchTwoPerGroup,
	fetchStartGroup,
	fetchStartObject,
	fetchSparse,
	fetchProperties,

	joinAbsolute,
	joinLive,
	joinNothing,
	joinUnknown,
	joinEmptyFill,
	fillUpdate,

	trackStatus,
	trackStatusUnknown,

	namespaceOverlap,
	tracksOverlap,
	namespaceMatching,
	namespaceRouting,
	subscribeTracks,
	subscribeTracksPaused,

	priorities,
	deliveryTimeouts,

	requestIDs,
	requestIDLimit,
	goaway,
	goawayTwice,
	goawayURI,
	tokenAlias,
	tokenTwice,
	tokenOverflow,
})

// tagged gives the cases of the standard suite its name as a tag.
func tagged(all []Case) []Case {
	for i, c := range all {
		if c.Suite == SuiteStandard {
			all[i].Tags = append([]string{SuiteStandard}, c.Tags...)
		}
	}
	return all
}
