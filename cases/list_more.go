package cases

// moreCases are the cases of the data plane and of the limits, in the order of reports; all of them are in suite all alone.
var moreCases = []Case{
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

	trackStatus,
	trackStatusUnknown,
}
