package wire

// codeRow is a code of a registry, for a range of drafts.
type codeRow struct {
	means       ErrorName
	code        uint64
	first, last Draft
	// answers limits the row to the registries of 14's messages, by the requests that they answer; 0 = all.
	answers kindSet
	// own is the draft's own name where the meaning has a newer one.
	own string
}

// Registries of 14 (draft-14 §13.1.2 to §13.1.7): TRACK_STATUS_ERROR takes SUBSCRIBE_ERROR's codes,
// PUBLISH_NAMESPACE_CANCEL those of PUBLISH_NAMESPACE_ERROR.
var (
	subscribe14 = kindsOf(KindSubscribe, KindTrackStatus)
	fetch14     = kindsOf(KindFetch)
	publish14   = kindsOf(KindPublish)
	announce14  = kindsOf(KindPublishNamespace, KindPublishNamespaceCancel)
	prefix14    = kindsOf(KindSubscribeNamespace)
)

// requestCodes are the request errors (draft-14 §13.1.2, draft-15 §13.3.2, draft-16 §13.4.2, draft-17 §14.5.2, draft-18
// §15.10.2, draft-19 §15.11.2, draft-22 §16.11.2).
var requestCodes = []codeRow{
	{NameInternalError, 0x0, 14, Newest, 0, ""},
	{NameUnauthorized, 0x1, 14, Newest, 0, ""},
	{NameTimeout, 0x2, 14, Newest, 0, ""},
	{NameNotSupported, 0x3, 14, Newest, 0, ""},
	{NameDoesNotExist, 0x4, 14, 14, subscribe14 | fetch14, "TRACK_DOES_NOT_EXIST"},
	{NameDoesNotExist, 0x4, 14, 14, prefix14, "NAMESPACE_PREFIX_UNKNOWN"},
	{NameUninterested, 0x4, 14, 14, publish14 | announce14, ""},
	{NameInvalidRange, 0x5, 14, 14, subscribe14 | fetch14, ""},
	{NamePrefixOverlap, 0x5, 14, 14, prefix14, "NAMESPACE_PREFIX_OVERLAP"},
	{NameNoObjects, 0x6, 14, 14, fetch14, ""},
	{NameInvalidJoiningRequestID, 0x7, 14, 14, fetch14, ""},
	{NameUnknownStatusInRange, 0x8, 14, 14, fetch14, ""},
	{NameMalformedTrack, 0x9, 14, 14, fetch14, ""},
	{NameMalformedAuthToken, 0x10, 14, 14, subscribe14 | fetch14 | announce14 | prefix14, ""},
	{NameExpiredAuthToken, 0x12, 14, 14, subscribe14 | fetch14 | announce14 | prefix14, ""},

	{NameMalformedAuthToken, 0x4, 15, Newest, 0, ""},
	{NameExpiredAuthToken, 0x5, 15, Newest, 0, ""},
	{NameGoingAway, 0x6, 17, Newest, 0, ""},
	{NameExcessiveLoad, 0x9, 17, Newest, 0, ""},
	{NameDoesNotExist, 0x10, 15, Newest, 0, ""},
	{NameInvalidRange, 0x11, 15, Newest, 0, ""},
	{NameMalformedTrack, 0x12, 15, Newest, 0, ""},
	{NameDuplicateSubscription, 0x19, 16, 18, 0, ""},
	{NameUninterested, 0x20, 15, Newest, 0, ""},
	{NamePrefixOverlap, 0x30, 15, Newest, 0, ""},
	{NameNamespaceTooLarge, 0x31, 17, Newest, 0, ""},
	{NameInvalidJoiningRequestID, 0x32, 15, 19, 0, ""},
	{NameUnknownStatusInRange, 0x33, 15, 15, 0, ""},
	{NameUnsupportedExtension, 0x33, 18, Newest, 0, ""},
	{NameRedirect, 0x34, 18, Newest, 0, ""},
	{NameConflictingFilters, 0x35, 19, Newest, 0, ""},
	{NameInvalidFilter, 0x36, 19, Newest, 0, ""},
}

// doneCodes are the statuses of PUBLISH_DONE (draft-14 §13.1.3, draft-15 §13.3.3, draft-16 §13.4.3, draft-17 §14.5.3,
// draft-18 §15.10.3, draft-19 §15.11.3, draft-22 §16.11.3).
var doneCodes = []codeRow{
	{NameInternalError, 0x0, 14, Newest, 0, ""},
	{NameUnauthorized, 0x1, 14, Newest, 0, ""},
	{NameTrackEnded, 0x2, 14, Newest, 0, ""},
	{NameSubscriptionEnded, 0x3, 14, 19, 0, ""},
	{NameGoingAway, 0x4, 14, Newest, 0, ""},
	{NameExpired, 0x5, 14, 17, 0, ""},
	{NameTooFarBehind, 0x6, 14, 17, 0, ""},
	{NameTooFarBehind, 0x5, 18, Newest, 0, ""},
	{NameExpired, 0x6, 18, Newest, 0, ""},
	{NameMalformedTrack, 0x7, 14, 15, 0, ""},
	{NameUpdateFailed, 0x8, 15, Newest, 0, ""},
	{NameExcessiveLoad, 0x9, 17, Newest, 0, ""},
	{NameMalformedTrack, 0x12, 16, Newest, 0, ""},
}

// resetCodes are the codes of stream resets (draft-14 §13.1.8, draft-15 §13.3.4, draft-16 §13.4.4, draft-17 §14.5.4,
// draft-18 §15.10.4, draft-19 §15.11.4, draft-22 §16.11.4).
var resetCodes = []codeRow{
	{NameInternalError, 0x0, 14, Newest, 0, ""},
	{NameCancelled, 0x1, 14, Newest, 0, ""},
	{NameDeliveryTimeout, 0x2, 14, Newest, 0, ""},
	{NameSessionClosed, 0x3, 14, Newest, 0, ""},
	{NameUnknownObjectStatus, 0x4, 16, 17, 0, ""},
	{NameGoingAway, 0x4, 18, Newest, 0, ""},
	{NameTooFarBehind, 0x5, 17, Newest, 0, ""},
	{NameUnknownObjectStatus, 0x6, 18, Newest, 0, ""},
	{NameExpiredAuthToken, 0x7, 18, Newest, 0, ""},
	{NameExcessiveLoad, 0x9, 17, Newest, 0, ""},
	{NameMalformedTrack, 0x12, 16, Newest, 0, ""},
}

// sessionCodes are the session termination codes (draft-14 §13.1.1, draft-15 §13.3.1, draft-16 §13.4.1, draft-17
// §14.5.1, draft-18 §15.10.1, draft-19 §15.11.1, draft-22 §16.11.1).
var sessionCodes = []codeRow{
	{"NO_ERROR", uint64(NoError), 14, Newest, 0, ""},
	{"INTERNAL_ERROR", uint64(InternalError), 14, Newest, 0, ""},
	{"UNAUTHORIZED", uint64(Unauthorized), 14, Newest, 0, ""},
	{"PROTOCOL_VIOLATION", uint64(ProtocolViolation), 14, Newest, 0, ""},
	{"INVALID_REQUEST_ID", uint64(InvalidRequestID), 14, Newest, 0, ""},
	{"DUPLICATE_TRACK_ALIAS", uint64(DuplicateTrackAlias), 14, Newest, 0, ""},
	{"KEY_VALUE_FORMATTING_ERROR", uint64(KeyValueFormattingError), 14, Newest, 0, ""},
	{"TOO_MANY_REQUESTS", uint64(TooManyRequests), 14, 16, 0, ""},
	{"INVALID_REQUIRED_REQUEST_ID", uint64(InvalidRequiredRequest), 17, 17, 0, ""},
	{"INVALID_PATH", uint64(InvalidPath), 14, Newest, 0, ""},
	{"MALFORMED_PATH", uint64(MalformedPath), 14, Newest, 0, ""},
	{"GOAWAY_TIMEOUT", uint64(GoawayTimeout), 14, Newest, 0, ""},
	{"CONTROL_MESSAGE_TIMEOUT", uint64(ControlMessageTimeout), 14, Newest, 0, ""},
	{"DATA_STREAM_TIMEOUT", uint64(DataStreamTimeout), 14, Newest, 0, ""},
	{"AUTH_TOKEN_CACHE_OVERFLOW", uint64(AuthTokenCacheOverflow), 14, Newest, 0, ""},
	{"DUPLICATE_AUTH_TOKEN_ALIAS", uint64(DuplicateAuthTokenAlias), 14, Newest, 0, ""},
	{"VERSION_NEGOTIATION_FAILED", uint64(VersionNegotiation), 14, 19, 0, ""},
	{"MALFORMED_AUTH_TOKEN", uint64(MalformedAuthToken), 14, Newest, 0, ""},
	{"UNKNOWN_AUTH_TOKEN_ALIAS", uint64(UnknownAuthTokenAlias), 14, Newest, 0, ""},
	{"EXPIRED_AUTH_TOKEN", uint64(ExpiredAuthToken), 14, Newest, 0, ""},
	{"INVALID_AUTHORITY", uint64(InvalidAuthority), 14, Newest, 0, ""},
	{"MALFORMED_AUTHORITY", uint64(MalformedAuthority), 14, Newest, 0, ""},
	{"TOO_MANY_REQUEST_UPDATES", uint64(TooManyRequestUpdates), 19, Newest, 0, ""},
}

// in reports whether the row counts in a draft, in answer to a kind of request.
func (r *codeRow) in(d Draft, answers Kind) bool {
	return r.first <= d && d <= r.last && (r.answers == 0 || answers == KindNone || r.answers&kindsOf(answers) != 0)
}

func (r *codeRow) name() string {
	if r.own != "" {
		return r.own
	}
	return string(r.means)
}

// rowOfCode finds the row of a number; nil also where registries differ on it and the request is not known.
func rowOfCode(rows []codeRow, d Draft, answers Kind, code uint64) (found *codeRow) {
	for i := range rows {
		r := &rows[i]
		if r.code != code || !r.in(d, answers) {
			continue
		}
		if found != nil && found.name() != r.name() {
			return nil
		}
		found = r
	}
	return found
}

func nameOf(rows []codeRow, d Draft, answers Kind, code uint64) string {
	if r := rowOfCode(rows, d, answers, code); r != nil {
		return r.name()
	}
	return ""
}

func meaningOf(rows []codeRow, d Draft, answers Kind, code uint64) (ErrorName, bool) {
	if r := rowOfCode(rows, d, answers, code); r != nil {
		return r.means, true
	}
	return "", false
}

// codeOf finds the number of a meaning. In 14 the request must be known where the registries differ.
func codeOf(rows []codeRow, d Draft, answers Kind, name ErrorName) (uint64, bool) {
	var found *codeRow
	for i := range rows {
		r := &rows[i]
		if r.means != name || !r.in(d, answers) {
			continue
		}
		if found != nil && found.code != r.code {
			return 0, false
		}
		found = r
	}
	if found == nil {
		return 0, false
	}
	return found.code, true
}
