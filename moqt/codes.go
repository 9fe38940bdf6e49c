package moqt

import "github.com/moqinterop/moq-interop-client/moqt/wire"

// symbolic marks a code that stands for a name. Smaller values are numbers for the wire as they are.
const symbolic = 1 << 63

// RejectCode is a request error (REQUEST_ERROR, and the error messages of 14). A named one below becomes the number that the draft has for it; any other
// value goes on the wire as it is.
type RejectCode uint64

// The request errors of all drafts (WIRE section 8.2), by the newest name. Where a draft lacks one, its number there is that of the
// nearest the draft has, in the end INTERNAL_ERROR: Number says which.
const (
	RejectInternalError RejectCode = symbolic + iota
	RejectUnauthorized
	RejectTimeout
	RejectNotSupported
	RejectMalformedAuthToken
	RejectExpiredAuthToken
	RejectGoingAway
	RejectExcessiveLoad
	// RejectDoesNotExist is TRACK_DOES_NOT_EXIST and NAMESPACE_PREFIX_UNKNOWN in 14.
	RejectDoesNotExist
	RejectInvalidRange
	RejectMalformedTrack
	RejectDuplicateSubscription
	RejectUninterested
	// RejectPrefixOverlap is NAMESPACE_PREFIX_OVERLAP in 14.
	RejectPrefixOverlap
	RejectNamespaceTooLarge
	RejectInvalidJoiningRequestID
	RejectUnknownStatusInRange
	RejectUnsupportedExtension
	RejectRedirect
	RejectConflictingFilters
	RejectInvalidFilter
	// RejectNoObjects exists in 14's FETCH_ERROR only.
	RejectNoObjects
)

// DoneCode is a status code of PUBLISH_DONE, symbolic or a number as RejectCode.
type DoneCode uint64

// The status codes of PUBLISH_DONE (WIRE section 8.3).
const (
	DoneInternalError DoneCode = symbolic + iota
	DoneUnauthorized
	DoneTrackEnded
	// DoneSubscriptionEnded ends with 19; from 20 on its number is TRACK_ENDED's.
	DoneSubscriptionEnded
	DoneGoingAway
	DoneExpired
	DoneTooFarBehind
	DoneMalformedTrack
	DoneUpdateFailed
	DoneExcessiveLoad
)

// ResetCode is a code of RESET_STREAM and STOP_SENDING, symbolic or a number as RejectCode.
type ResetCode uint64

// The stream reset codes (WIRE section 8.4).
const (
	ResetInternalError ResetCode = symbolic + iota
	ResetCancelled
	ResetDeliveryTimeout
	ResetSessionClosed
	ResetGoingAway
	ResetUnknownObjectStatus
	ResetTooFarBehind
	ResetExpiredAuthToken
	ResetExcessiveLoad
	ResetMalformedTrack
)

// codeRow gives one code's number and name in a range of drafts.
type codeRow struct {
	symbol      uint64
	number      uint64
	first, last wire.Draft
	name        string
}

// everywhere is a row for all drafts.
func everywhere[C ~uint64](symbol C, number uint64, name string) codeRow {
	return codeRow{uint64(symbol), number, wire.Oldest, wire.Newest, name}
}

func since[C ~uint64](symbol C, first wire.Draft, number uint64, name string) codeRow {
	return codeRow{uint64(symbol), number, first, wire.Newest, name}
}

func between[C ~uint64](symbol C, first, last wire.Draft, number uint64, name string) codeRow {
	return codeRow{uint64(symbol), number, first, last, name}
}

// rejectRows are REQUEST_ERROR's codes from 15 on.
var rejectRows = []codeRow{
	since(RejectInternalError, 15, 0x0, "INTERNAL_ERROR"),
	since(RejectUnauthorized, 15, 0x1, "UNAUTHORIZED"),
	since(RejectTimeout, 15, 0x2, "TIMEOUT"),
	since(RejectNotSupported, 15, 0x3, "NOT_SUPPORTED"),
	since(RejectMalformedAuthToken, 15, 0x4, "MALFORMED_AUTH_TOKEN"),
	since(RejectExpiredAuthToken, 15, 0x5, "EXPIRED_AUTH_TOKEN"),
	since(RejectGoingAway, 17, 0x6, "GOING_AWAY"),
	since(RejectExcessiveLoad, 17, 0x9, "EXCESSIVE_LOAD"),
	since(RejectDoesNotExist, 15, 0x10, "DOES_NOT_EXIST"),
	since(RejectInvalidRange, 15, 0x11, "INVALID_RANGE"),
	since(RejectMalformedTrack, 15, 0x12, "MALFORMED_TRACK"),
	between(RejectDuplicateSubscription, 16, 18, 0x19, "DUPLICATE_SUBSCRIPTION"),
	since(RejectUninterested, 15, 0x20, "UNINTERESTED"),
	since(RejectPrefixOverlap, 15, 0x30, "PREFIX_OVERLAP"),
	since(RejectNamespaceTooLarge, 17, 0x31, "NAMESPACE_TOO_LARGE"),
	between(RejectInvalidJoiningRequestID, 15, 19, 0x32, "INVALID_JOINING_REQUEST_ID"),
	between(RejectUnknownStatusInRange, 15, 15, 0x33, "UNKNOWN_STATUS_IN_RANGE"),
	since(RejectUnsupportedExtension, 18, 0x33, "UNSUPPORTED_EXTENSION"),
	since(RejectRedirect, 18, 0x34, "REDIRECT"),
	since(RejectConflictingFilters, 19, 0x35, "CONFLICTING_FILTERS"),
	since(RejectInvalidFilter, 19, 0x36, "INVALID_FILTER"),
}

// The kinds whose error messages share a registry in 14 (draft-14 §13.1.2-13.1.7).
const (
	reg14Subscribe = 1 << iota // SUBSCRIBE_ERROR, TRACK_STATUS_ERROR
	reg14Publish
	reg14Fetch
	reg14PublishNamespace // and PUBLISH_NAMESPACE_CANCEL
	reg14SubscribeNamespace

	reg14All    = reg14Subscribe | reg14Publish | reg14Fetch | reg14PublishNamespace | reg14SubscribeNamespace
	reg14Tokens = reg14All &^ reg14Publish
)

var rejectRows14 = []struct {
	symbol   RejectCode
	number   uint64
	registry int
	name     string
}{
	{RejectInternalError, 0x0, reg14All, "INTERNAL_ERROR"},
	{RejectUnauthorized, 0x1, reg14All, "UNAUTHORIZED"},
	{RejectTimeout, 0x2, reg14All, "TIMEOUT"},
	{RejectNotSupported, 0x3, reg14All, "NOT_SUPPORTED"},
	{RejectDoesNotExist, 0x4, reg14Subscribe | reg14Fetch, "TRACK_DOES_NOT_EXIST"},
	{RejectUninterested, 0x4, reg14Publish | reg14PublishNamespace, "UNINTERESTED"},
	{RejectDoesNotExist, 0x4, reg14SubscribeNamespace, "NAMESPACE_PREFIX_UNKNOWN"},
	{RejectInvalidRange, 0x5, reg14Subscribe | reg14Fetch, "INVALID_RANGE"},
	{RejectPrefixOverlap, 0x5, reg14SubscribeNamespace, "NAMESPACE_PREFIX_OVERLAP"},
	{RejectNoObjects, 0x6, reg14Fetch, "NO_OBJECTS"},
	{RejectInvalidJoiningRequestID, 0x7, reg14Fetch, "INVALID_JOINING_REQUEST_ID"},
	{RejectUnknownStatusInRange, 0x8, reg14Fetch, "UNKNOWN_STATUS_IN_RANGE"},
	{RejectMalformedTrack, 0x9, reg14Fetch, "MALFORMED_TRACK"},
	{RejectMalformedAuthToken, 0x10, reg14Tokens, "MALFORMED_AUTH_TOKEN"},
	{RejectExpiredAuthToken, 0x12, reg14Tokens, "EXPIRED_AUTH_TOKEN"},
}

func registry14(kind wire.Kind) int {
	switch kind {
	case wire.KindPublish:
		return reg14Publish
	case wire.KindFetch:
		return reg14Fetch
	case wire.KindPublishNamespace:
		return reg14PublishNamespace
	case wire.KindSubscribeNamespace, wire.KindSubscribeTracks:
		return reg14SubscribeNamespace
	}
	return reg14Subscribe
}

// rejectNearest says what stands in for a code in drafts that lack it; INTERNAL_ERROR where nothing is said.
var rejectNearest = map[RejectCode]RejectCode{
	RejectUnsupportedExtension:    RejectNotSupported,
	RejectConflictingFilters:      RejectInvalidFilter,
	RejectInvalidFilter:           RejectNotSupported,
	RejectInvalidJoiningRequestID: RejectDoesNotExist,
	RejectNoObjects:               RejectInvalidRange,
	RejectUnknownStatusInRange:    RejectInvalidRange,
	RejectMalformedAuthToken:      RejectUnauthorized,
	RejectExpiredAuthToken:        RejectUnauthorized,
	RejectDoesNotExist:            RejectUninterested,
	RejectUninterested:            RejectNotSupported,
}

// Number is the code's number in the draft, in answer to a request of that kind (which matters in 14 only).
func (c RejectCode) Number(d wire.Draft, kind wire.Kind) uint64 {
	for try := c; try >= symbolic; try = nearest(try) {
		if n, ok := rejectNumber(try, d, kind); ok {
			return n
		}
		if try == RejectInternalError {
			return 0
		}
	}
	return uint64(c)
}

func nearest(c RejectCode) RejectCode {
	if n, ok := rejectNearest[c]; ok {
		return n
	}
	return RejectInternalError
}

func rejectNumber(c RejectCode, d wire.Draft, kind wire.Kind) (uint64, bool) {
	if d > wire.Draft14 {
		return numberOf(rejectRows, uint64(c), d)
	}
	for _, r := range rejectRows14 {
		if r.symbol == c && r.registry&registry14(kind) != 0 {
			return r.number, true
		}
	}
	return 0, false
}

// RejectName is the draft's name of a number in answer to a request of that kind (which matters in 14 only), "" for an unknown one.
func RejectName(d wire.Draft, kind wire.Kind, number uint64) string {
	if d > wire.Draft14 {
		return nameOf(rejectRows, number, d)
	}
	for _, r := range rejectRows14 {
		if r.number == number && r.registry&registry14(kind) != 0 {
			return r.name
		}
	}
	return ""
}

var doneRows = []codeRow{
	everywhere(DoneInternalError, 0x0, "INTERNAL_ERROR"),
	everywhere(DoneUnauthorized, 0x1, "UNAUTHORIZED"),
	everywhere(DoneTrackEnded, 0x2, "TRACK_ENDED"),
	between(DoneSubscriptionEnded, 14, 19, 0x3, "SUBSCRIPTION_ENDED"),
	everywhere(DoneGoingAway, 0x4, "GOING_AWAY"),
	between(DoneExpired, 14, 17, 0x5, "EXPIRED"),
	since(DoneExpired, 18, 0x6, "EXPIRED"),
	between(DoneTooFarBehind, 14, 17, 0x6, "TOO_FAR_BEHIND"),
	since(DoneTooFarBehind, 18, 0x5, "TOO_FAR_BEHIND"),
	between(DoneMalformedTrack, 14, 15, 0x7, "MALFORMED_TRACK"),
	since(DoneMalformedTrack, 16, 0x12, "MALFORMED_TRACK"),
	since(DoneUpdateFailed, 15, 0x8, "UPDATE_FAILED"),
	since(DoneExcessiveLoad, 17, 0x9, "EXCESSIVE_LOAD"),
}

// Number is the code's number in the draft.
func (c DoneCode) Number(d wire.Draft) uint64 {
	if c == DoneSubscriptionEnded && d >= wire.Draft20 {
		c = DoneTrackEnded
	}
	return numberOr0(doneRows, uint64(c), d)
}

// DoneName is the draft's name of a status code of PUBLISH_DONE, "" for an unknown one.
func DoneName(d wire.Draft, number uint64) string { return nameOf(doneRows, number, d) }

// resetRows: 14 and 15 name MALFORMED_TRACK and assign no number; it counts as CANCELLED there (WIRE section 11.6).
var resetRows = []codeRow{
	everywhere(ResetInternalError, 0x0, "INTERNAL_ERROR"),
	everywhere(ResetCancelled, 0x1, "CANCELLED"),
	everywhere(ResetDeliveryTimeout, 0x2, "DELIVERY_TIMEOUT"),
	everywhere(ResetSessionClosed, 0x3, "SESSION_CLOSED"),
	since(ResetGoingAway, 18, 0x4, "GOING_AWAY"),
	between(ResetUnknownObjectStatus, 16, 17, 0x4, "UNKNOWN_OBJECT_STATUS"),
	since(ResetUnknownObjectStatus, 18, 0x6, "UNKNOWN_OBJECT_STATUS"),
	since(ResetTooFarBehind, 17, 0x5, "TOO_FAR_BEHIND"),
	since(ResetExpiredAuthToken, 18, 0x7, "EXPIRED_AUTH_TOKEN"),
	since(ResetExcessiveLoad, 17, 0x9, "EXCESSIVE_LOAD"),
	since(ResetMalformedTrack, 16, 0x12, "MALFORMED_TRACK"),
}

// Number is the code's number in the draft.
func (c ResetCode) Number(d wire.Draft) uint64 {
	if (c == ResetMalformedTrack || c == ResetGoingAway) && uint64(c) >= symbolic {
		if _, ok := numberOf(resetRows, uint64(c), d); !ok {
			c = ResetCancelled
		}
	}
	return numberOr0(resetRows, uint64(c), d)
}

// ResetName is the draft's name of a code of RESET_STREAM or STOP_SENDING, "" for an unknown one.
func ResetName(d wire.Draft, number uint64) string { return nameOf(resetRows, number, d) }

// sessionRows are the session termination codes (WIRE section 8.1); the number is the symbol.
var sessionRows = []codeRow{
	everywhere(wire.NoError, 0x0, "NO_ERROR"),
	everywhere(wire.InternalError, 0x1, "INTERNAL_ERROR"),
	everywhere(wire.Unauthorized, 0x2, "UNAUTHORIZED"),
	everywhere(wire.ProtocolViolation, 0x3, "PROTOCOL_VIOLATION"),
	everywhere(wire.InvalidRequestID, 0x4, "INVALID_REQUEST_ID"),
	everywhere(wire.DuplicateTrackAlias, 0x5, "DUPLICATE_TRACK_ALIAS"),
	everywhere(wire.KeyValueFormattingError, 0x6, "KEY_VALUE_FORMATTING_ERROR"),
	between(wire.TooManyRequests, 14, 16, 0x7, "TOO_MANY_REQUESTS"),
	between(wire.InvalidRequiredRequest, 17, 17, 0x7, "INVALID_REQUIRED_REQUEST_ID"),
	everywhere(wire.InvalidPath, 0x8, "INVALID_PATH"),
	everywhere(wire.MalformedPath, 0x9, "MALFORMED_PATH"),
	everywhere(wire.GoawayTimeout, 0x10, "GOAWAY_TIMEOUT"),
	everywhere(wire.ControlMessageTimeout, 0x11, "CONTROL_MESSAGE_TIMEOUT"),
	everywhere(wire.DataStreamTimeout, 0x12, "DATA_STREAM_TIMEOUT"),
	everywhere(wire.AuthTokenCacheOverflow, 0x13, "AUTH_TOKEN_CACHE_OVERFLOW"),
	everywhere(wire.DuplicateAuthTokenAlias, 0x14, "DUPLICATE_AUTH_TOKEN_ALIAS"),
	between(wire.VersionNegotiation, 14, 19, 0x15, "VERSION_NEGOTIATION_FAILED"),
	everywhere(wire.MalformedAuthToken, 0x16, "MALFORMED_AUTH_TOKEN"),
	everywhere(wire.UnknownAuthTokenAlias, 0x17, "UNKNOWN_AUTH_TOKEN_ALIAS"),
	everywhere(wire.ExpiredAuthToken, 0x18, "EXPIRED_AUTH_TOKEN"),
	everywhere(wire.InvalidAuthority, 0x19, "INVALID_AUTHORITY"),
	everywhere(wire.MalformedAuthority, 0x1A, "MALFORMED_AUTHORITY"),
	since(wire.TooManyRequestUpdates, 19, 0x1B, "TOO_MANY_REQUEST_UPDATES"),
}

// SessionErrorName is the draft's name of a session termination code, "" for an unknown one.
func SessionErrorName(d wire.Draft, code wire.SessionError) string {
	return nameOf(sessionRows, uint64(code), d)
}

func numberOf(rows []codeRow, symbol uint64, d wire.Draft) (uint64, bool) {
	for _, r := range rows {
		if r.symbol == symbol && r.first <= d && d <= r.last {
			return r.number, true
		}
	}
	return 0, false
}

// numberOr0 gives a plain number as it is, a symbol's number, or 0 (INTERNAL_ERROR) for what the draft lacks.
func numberOr0(rows []codeRow, code uint64, d wire.Draft) uint64 {
	if code < symbolic {
		return code
	}
	n, _ := numberOf(rows, code, d)
	return n
}

func nameOf(rows []codeRow, number uint64, d wire.Draft) string {
	for _, r := range rows {
		if r.number == number && r.first <= d && d <= r.last {
			return r.name
		}
	}
	return ""
}
