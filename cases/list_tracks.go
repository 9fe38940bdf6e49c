package cases

// trackCases are the cases of whole tracks: published directly and by namespace, discovered, laid out in groups and
// subgroups. Each stands in the file of its topic.
var trackCases = []Case{
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
}
