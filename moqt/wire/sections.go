package wire

// Topic is a rule's place in the text. The drafts renumber their sections; the table says where each one has it.
type Topic uint8

// The topics that errors and verdicts cite.
const (
	TopicIntegers Topic = iota
	TopicKeyValuePairs
	TopicReasonPhrase
	TopicNames
	TopicStreams
	TopicMessages
	TopicRequestIDs
	TopicSetup
	TopicSetupTokens
	TopicGoaway
	TopicParameters
	TopicParameterScope
	TopicTokens
	TopicLocationFilter
	TopicRangeFilters
	TopicFillParameters
	TopicRequestOK
	TopicRedirect
	TopicSubscribe
	TopicSubscribeOK
	TopicRequestUpdate
	TopicTrackAlias
	TopicPublish
	TopicPublishOK
	TopicFetch
	TopicFetchOK
	TopicSubscribeNamespace
	TopicSubscribeTracks
	TopicJoining
	TopicNegotiation
	TopicUniStreams
	TopicObjectStatus
	TopicObjectProperties
	TopicObjectDatagram
	TopicStreamEnd
	TopicSubgroupHeader
	TopicFetchHeader
	TopicFetchFlags
	TopicEndOfRange
	TopicMalformedTracks
)

// sections has per topic one column for each draft from 14 on; a column that is left out is "". 21 has a
// section more than 22 at the beginning of its parameters, and of its objects.
var sections = [...][Newest - Oldest + 1]string{
	TopicIntegers:      {"§1.4", "§1.4", "§1.4", "§1.4.1", "§1.4.1", "§1.4.1", "§1.4.1", "§8.1", "§8.1"},
	TopicKeyValuePairs: {"§1.4.2", "§1.4.2", "§1.4.2", "§1.4.3", "§1.4.3", "§1.4.3", "§1.4.3", "§8.3", "§8.3"},
	TopicReasonPhrase:  {"§1.4.3", "§1.4.3", "§1.4.3", "§1.4.4", "§1.4.4", "§1.4.4", "§1.4.4", "§8.5", "§8.5"},
	TopicNames:         {"§2.4.1", "§2.4.1", "§2.4.1", "§2.4.1", "§2.4.1", "§2.4.1", "§2.4.1", "§8.7", "§8.7"},
	TopicStreams:       {"§3.3", "§3.3", "§3.3", "§3.3", "§3.3", "§3.3", "§3.3", "§6.3", "§6.3"},
	TopicMessages:      {"§9", "§9", "§9", "§9", "§10", "§10", "§10", "§9", "§9"},
	TopicRequestIDs:    {"§9.1", "§9.1", "§9.1", "§9.1", "§10.1", "§10.1", "§10.1", "§6.4.2.1", "§6.4.2.1"},
	TopicSetup:         {"§9.3", "§9.3", "§9.3", "§9.4", "§10.3", "§10.3", "§10.3", "§9.1", "§9.1"},
	TopicSetupTokens: {"", "§9.2.1.1", "§9.2.2.1", "§9.3.2", "§10.2.2", "§10.2.2", "§10.2.2",
		"§9.1.4", "§9.1.4"},
	TopicGoaway:     {"§9.4", "§9.4", "§9.4", "§9.5", "§10.4", "§10.4", "§10.4", "§9.2", "§9.2"},
	TopicParameters: {"§9.2", "§9.2", "§9.2", "§9.3", "§10.2", "§10.2", "§10.2", "§9.20", "§9.20"},
	TopicParameterScope: {"§9.2.1", "§9.2.1", "§9.2.2", "§9.3.1", "§10.2.1", "§10.2.1", "§10.2.1",
		"§9.20.1", "§9.20.1"},
	TopicTokens: {"§9.2.1.1", "§9.2.1.1", "§9.2.2.1", "§9.3.2", "§10.2.2", "§10.2.2", "§10.2.2",
		"§8.9", "§8.9"},
	TopicLocationFilter: {"§9.7", "§5.1.2", "§5.1.2", "§5.1.2", "§5.1.2", "§5.1.2", "§5.1.2",
		"§9.20.10", "§9.20.9"},
	TopicRangeFilters:       {"", "", "", "", "", "§5.1.3", "§5.1.4", "§8.6", "§8.6"},
	TopicFillParameters:     {"", "", "", "", "", "", "§10.2.15", "§9.20.16", "§9.20.15"},
	TopicRequestOK:          {"", "§9.7", "§9.7", "§9.6", "§10.5", "§10.5", "§10.5", "§9.3", "§9.3"},
	TopicRedirect:           {"", "", "", "", "§10.6.1", "§10.6.1", "§10.6.1", "§9.4.1", "§9.4.1"},
	TopicSubscribe:          {"§9.7", "§9.9", "§9.9", "§9.8", "§10.7", "§10.7", "§10.7", "§9.6", "§9.6"},
	TopicSubscribeOK:        {"§9.8", "§9.10", "§9.10", "§9.9", "§10.8", "§10.8", "§10.8", "§9.7", "§9.7"},
	TopicTrackAlias:         {"§9.8", "§9.10", "§9.10", "§9.9", "§11.1", "§11.1", "§11.1", "§3.1.2", "§3.1.3"},
	TopicRequestUpdate:      {"§9.10", "§9.11", "§9.11", "§9.10", "§10.9", "§10.9", "§10.9", "§9.5", "§9.5"},
	TopicPublish:            {"§9.13", "§9.13", "§9.13", "§9.11", "§10.10", "§10.10", "§10.11", "§9.8", "§9.8"},
	TopicPublishOK:          {"§9.14", "§9.14", "§9.14", "§9.12", "§10.5", "§10.5", "§10.5", "§9.3", "§9.3"},
	TopicFetch:              {"§9.16", "§9.16", "§9.16", "§9.14", "§10.12", "§10.12", "§10.13", "§9.11", "§9.11"},
	TopicFetchOK:            {"§9.17", "§9.17", "§9.17", "§9.15", "§10.13", "§10.13", "§10.14", "§9.12", "§9.12"},
	TopicSubscribeNamespace: {"§9.28", "§9.23", "§9.25", "§9.20", "§10.18", "§10.18", "§10.19", "§9.15", "§9.15"},
	TopicSubscribeTracks:    {"", "", "", "", "§10.19", "§10.19", "§10.20", "§9.18", "§9.18"},
	TopicJoining: {"§9.16.2", "§9.16.2", "§9.16.2", "§9.14.2", "§10.12.2", "§10.12.2", "§5.1.3",
		"§3.4", "§3.4"},
	TopicNegotiation: {"§3.2", "§3.1", "§3.1", "§3.1", "§3.1", "§3.1", "§3.1", "§6.2", "§6.2"},
	TopicUniStreams:  {"§10", "§10", "§10", "§3.4", "§3.4", "§3.4", "§3.4", "§6.4.1", "§6.4.1"},
	TopicObjectStatus: {"§10.2.1.1", "§10.2.1.1", "§10.2.1.1", "§10.2.1.1", "§11.2.1.1", "§11.2.1.1", "§11.2.1.1",
		"§11.1.2", "§11.1.1"},
	TopicObjectProperties: {"§10.2.1.2", "§10.2.1.2", "§10.2.1.2", "§10.2.1.2", "§11.2.1.2", "§11.2.1.2", "§11.2.1.2",
		"§11.1.3", "§11.1.2"},
	TopicObjectDatagram: {"§10.3.1", "§10.3.1", "§10.3.1", "§10.3.1", "§11.3.1", "§11.3.1", "§11.3.1",
		"§11.2.1", "§11.2.1"},
	TopicStreamEnd: {"§10.4", "§10.4", "§10.4", "§10.4", "§11.4", "§11.4", "§11.4", "§11.3", "§11.3"},
	TopicSubgroupHeader: {"§10.4.2", "§10.4.2", "§10.4.2", "§10.4.2", "§11.4.2", "§11.4.2", "§11.4.2",
		"§11.3.1", "§11.3.1"},
	TopicFetchHeader: {"§10.4.4", "§10.4.4", "§10.4.4", "§10.4.4", "§11.4.4", "§11.4.4", "§11.4.4",
		"§11.4.1", "§11.4.1"},
	TopicFetchFlags: {"", "§10.4.4", "§10.4.4.1", "§10.4.4.1", "§11.4.4.1", "§11.4.4.1", "§11.4.4.1",
		"§11.4.1.1", "§11.4.1.1"},
	TopicEndOfRange: {"", "", "§10.4.4.2", "§10.4.4.2", "§11.4.4.2", "§11.4.4.2", "§11.4.4.2",
		"§11.4.1.2", "§11.4.1.2"},
	TopicMalformedTracks: {"§2.5", "§2.4.2", "§2.4.2", "§2.4.2", "§2.4.2", "§2.4.2", "§2.4.2", "§12.1", "§12.1"},
}

// Section is where draft d has the topic, "§9.7"; "" where it has none.
func Section(d Draft, t Topic) string {
	if !d.Valid() || int(t) >= len(sections) {
		return ""
	}
	return sections[t][d-Oldest]
}
