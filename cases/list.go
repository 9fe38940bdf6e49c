package cases

// list is every case there is, in the order of reports. Each stands in the file of its topic.
var list = []Case{
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
