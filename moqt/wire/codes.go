package wire

import "slices"

// SessionError is a session termination code (draft-18 §3.5).
type SessionError uint64

// Session termination codes (draft-16 §13.4.1, draft-19 §15.11.1, draft-22 §12.2).
const (
	NoError                 SessionError = 0x0
	InternalError           SessionError = 0x1
	Unauthorized            SessionError = 0x2
	ProtocolViolation       SessionError = 0x3
	InvalidRequestID        SessionError = 0x4
	DuplicateTrackAlias     SessionError = 0x5
	KeyValueFormattingError SessionError = 0x6
	TooManyRequests         SessionError = 0x7 // 14-16
	InvalidRequiredRequest  SessionError = 0x7 // 17
	InvalidPath             SessionError = 0x8
	MalformedPath           SessionError = 0x9
	GoawayTimeout           SessionError = 0x10
	ControlMessageTimeout   SessionError = 0x11
	DataStreamTimeout       SessionError = 0x12
	AuthTokenCacheOverflow  SessionError = 0x13
	DuplicateAuthTokenAlias SessionError = 0x14
	VersionNegotiation      SessionError = 0x15 // 14-19
	MalformedAuthToken      SessionError = 0x16
	UnknownAuthTokenAlias   SessionError = 0x17
	ExpiredAuthToken        SessionError = 0x18
	InvalidAuthority        SessionError = 0x19
	MalformedAuthority      SessionError = 0x1A
	TooManyRequestUpdates   SessionError = 0x1B // 19 and later
)

// RequestErrorCode is the code of REQUEST_ERROR and of 14's *_ERROR messages (draft-14 §13.1.2, draft-18 §15.10.2).
// Which number means what depends on the draft, in 14 also on the request: RequestErrorFor finds the number for a
// meaning.
type RequestErrorCode uint64

// PublishDoneCode is the status code of PUBLISH_DONE (draft-18 §15.10.3); PublishDoneFor finds the number for a
// meaning.
type PublishDoneCode uint64

// ResetCode is the code of RESET_STREAM and STOP_SENDING (draft-18 §15.10.4); ResetFor finds the number for a meaning.
type ResetCode uint64

// ErrorName is what a code means, whatever its number and name in a draft: the name is the newest draft's that has it.
type ErrorName string

// The meanings of request errors, PUBLISH_DONE statuses and stream resets. Not every registry of every draft has each.
const (
	NameInternalError           ErrorName = "INTERNAL_ERROR"
	NameUnauthorized            ErrorName = "UNAUTHORIZED"
	NameTimeout                 ErrorName = "TIMEOUT"
	NameNotSupported            ErrorName = "NOT_SUPPORTED"
	NameMalformedAuthToken      ErrorName = "MALFORMED_AUTH_TOKEN"
	NameExpiredAuthToken        ErrorName = "EXPIRED_AUTH_TOKEN"
	NameGoingAway               ErrorName = "GOING_AWAY"
	NameExcessiveLoad           ErrorName = "EXCESSIVE_LOAD"
	NameDoesNotExist            ErrorName = "DOES_NOT_EXIST"
	NameInvalidRange            ErrorName = "INVALID_RANGE"
	NameMalformedTrack          ErrorName = "MALFORMED_TRACK"
	NameDuplicateSubscription   ErrorName = "DUPLICATE_SUBSCRIPTION"
	NameUninterested            ErrorName = "UNINTERESTED"
	NamePrefixOverlap           ErrorName = "PREFIX_OVERLAP"
	NameNamespaceTooLarge       ErrorName = "NAMESPACE_TOO_LARGE"
	NameInvalidJoiningRequestID ErrorName = "INVALID_JOINING_REQUEST_ID"
	NameUnknownStatusInRange    ErrorName = "UNKNOWN_STATUS_IN_RANGE"
	NameNoObjects               ErrorName = "NO_OBJECTS"
	NameUnsupportedExtension    ErrorName = "UNSUPPORTED_EXTENSION"
	NameRedirect                ErrorName = "REDIRECT"
	NameConflictingFilters      ErrorName = "CONFLICTING_FILTERS"
	NameInvalidFilter           ErrorName = "INVALID_FILTER"

	NameTrackEnded        ErrorName = "TRACK_ENDED"
	NameSubscriptionEnded ErrorName = "SUBSCRIPTION_ENDED"
	NameTooFarBehind      ErrorName = "TOO_FAR_BEHIND"
	NameExpired           ErrorName = "EXPIRED"
	NameUpdateFailed      ErrorName = "UPDATE_FAILED"

	NameCancelled           ErrorName = "CANCELLED"
	NameDeliveryTimeout     ErrorName = "DELIVERY_TIMEOUT"
	NameSessionClosed       ErrorName = "SESSION_CLOSED"
	NameUnknownObjectStatus ErrorName = "UNKNOWN_OBJECT_STATUS"
)

// RequestErrorNames are the meanings of all request errors of all drafts.
func RequestErrorNames() (all []ErrorName) {
	for _, r := range requestCodes {
		if r.means != "" && !slices.Contains(all, r.means) {
			all = append(all, r.means)
		}
	}
	return all
}

// RefusedKind reports whether a type code is that of a message that refuses a request, and which kind of request,
// KindNone for any.
func RefusedKind(d Draft, code uint64) (Kind, bool) {
	r := rowOf(d, code)
	if r == nil || r.kind != KindRequestError {
		return KindNone, false
	}
	return r.answers.only(), true
}

// Name is the draft's name of the code, "" if it has none.
func (c SessionError) Name(d Draft) string { return nameOf(sessionCodes, d, KindNone, uint64(c)) }

// In is the code for people: "0x3 PROTOCOL_VIOLATION", "0x55 (unknown in draft-18)", "0x9d (grease)".
func (c SessionError) In(d Draft) string { return codeText(uint64(c), d, c.Name(d)) }

// Name is the draft's name of the code, "" if it has none. answers is the kind of the request; it matters in 14 only,
// where a code that the registries do not share has no name without it.
func (c RequestErrorCode) Name(d Draft, answers Kind) string {
	return nameOf(requestCodes, d, answers, uint64(c))
}

// Meaning is what the code means in the draft; ok is false for a code that the draft does not have, which from 18 on
// counts as INTERNAL_ERROR (draft-18 §14).
func (c RequestErrorCode) Meaning(d Draft, answers Kind) (name ErrorName, ok bool) {
	return meaningOf(requestCodes, d, answers, uint64(c))
}

// In is the code for people, as of SessionError.
func (c RequestErrorCode) In(d Draft, answers Kind) string {
	return codeText(uint64(c), d, c.Name(d, answers))
}

// RequestErrorFor finds the code that means name in the draft, in answer to a kind of request (or in
// PUBLISH_NAMESPACE_CANCEL). ok is false where the draft has no such code: NO_OBJECTS is 14's alone.
func RequestErrorFor(d Draft, answers Kind, name ErrorName) (c RequestErrorCode, ok bool) {
	v, ok := codeOf(requestCodes, d, answers, name)
	return RequestErrorCode(v), ok
}

// Name is the draft's name of the code, "" if it has none.
func (c PublishDoneCode) Name(d Draft) string { return nameOf(doneCodes, d, KindNone, uint64(c)) }

// Meaning is what the code means in the draft; ok is false for a code that the draft does not have.
func (c PublishDoneCode) Meaning(d Draft) (name ErrorName, ok bool) {
	return meaningOf(doneCodes, d, KindNone, uint64(c))
}

// In is the code for people, as of SessionError.
func (c PublishDoneCode) In(d Draft) string { return codeText(uint64(c), d, c.Name(d)) }

// PublishDoneFor finds the code that means name in the draft; ok is false where the draft has none: SUBSCRIPTION_ENDED
// ends with 19.
func PublishDoneFor(d Draft, name ErrorName) (c PublishDoneCode, ok bool) {
	v, ok := codeOf(doneCodes, d, KindNone, name)
	return PublishDoneCode(v), ok
}

// Name is the draft's name of the code, "" if it has none.
func (c ResetCode) Name(d Draft) string { return nameOf(resetCodes, d, KindNone, uint64(c)) }

// Meaning is what the code means in the draft; ok is false for a code that the draft does not have.
func (c ResetCode) Meaning(d Draft) (name ErrorName, ok bool) {
	return meaningOf(resetCodes, d, KindNone, uint64(c))
}

// In is the code for people, as of SessionError.
func (c ResetCode) In(d Draft) string { return codeText(uint64(c), d, c.Name(d)) }

// ResetFor finds the code that means name in the draft; ok is false where the draft has none: 14 and 15 assign none for
// MALFORMED_TRACK.
func ResetFor(d Draft, name ErrorName) (c ResetCode, ok bool) {
	v, ok := codeOf(resetCodes, d, KindNone, name)
	return ResetCode(v), ok
}

// Greases reports whether the draft reserves values for greasing (draft-17 §13).
func (d Draft) Greases() bool { return d >= Draft17 }

// IsGrease reports whether v is a grease value: 0x7f * N + 0x9D (draft-18 §14).
func IsGrease(v uint64) bool { return v >= 0x9D && (v-0x9D)%0x7F == 0 }

func codeText(v uint64, d Draft, name string) string {
	text := typeValue(v)
	switch {
	case name != "":
		return text + " " + name
	case d.Greases() && IsGrease(v):
		return text + " (grease)"
	}
	return text + " (unknown in " + d.String() + ")"
}

// ObjectStatus is the status of an object without payload (draft-18 §11.2.1.1).
type ObjectStatus uint64

// Object statuses.
const (
	StatusNormal       ObjectStatus = 0x0
	StatusDoesNotExist ObjectStatus = 0x1 // 14-15
	StatusEndOfGroup   ObjectStatus = 0x3
	StatusEndOfTrack   ObjectStatus = 0x4
)

// Location is a Group ID and an Object ID (draft-18 §1.4.2).
type Location struct{ Group, Object uint64 }

// Compare orders locations: -1, 0 or 1.
func (l Location) Compare(m Location) int {
	switch {
	case l.Group < m.Group, l.Group == m.Group && l.Object < m.Object:
		return -1
	case l == m:
		return 0
	}
	return 1
}
