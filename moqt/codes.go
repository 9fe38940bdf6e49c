package moqt

import "github.com/moqinterop/moq-interop-client/moqt/wire"

// symbolic marks a code that is a name. Smaller values are the wire's numbers.
const symbolic = 1 << 63

// RejectCode is the code of a request error (REQUEST_ERROR, in 14 the error messages of each kind): one of the
// constants below, which Number translates for the draft, or a number that is sent as it is.
type RejectCode uint64

// The request errors of all drafts, by their newest names. In a draft that lacks one, Number gives the nearest that the
// draft has, or else INTERNAL_ERROR.
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

// DoneCode is a status code of PUBLISH_DONE: one of the constants below, or a number that is sent as it is.
type DoneCode uint64

// The status codes of PUBLISH_DONE.
const (
	DoneInternalError DoneCode = symbolic + iota
	DoneUnauthorized
	DoneTrackEnded
	// DoneSubscriptionEnded exists up to 19. From 20 on its number is that of TRACK_ENDED.
	DoneSubscriptionEnded
	DoneGoingAway
	DoneExpired
	DoneTooFarBehind
	DoneMalformedTrack
	DoneUpdateFailed
	DoneExcessiveLoad
)

// ResetCode is a code of RESET_STREAM or STOP_SENDING: one of the constants below, or a number that is sent as it is.
type ResetCode uint64

// The stream reset codes.
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

// The tables of numbers and names are package wire's; these say what the symbols mean there.
var (
	rejectMeanings = [...]wire.ErrorName{
		wire.NameInternalError, wire.NameUnauthorized, wire.NameTimeout, wire.NameNotSupported,
		wire.NameMalformedAuthToken, wire.NameExpiredAuthToken,
		wire.NameGoingAway, wire.NameExcessiveLoad, wire.NameDoesNotExist, wire.NameInvalidRange,
		wire.NameMalformedTrack, wire.NameDuplicateSubscription,
		wire.NameUninterested, wire.NamePrefixOverlap, wire.NameNamespaceTooLarge, wire.NameInvalidJoiningRequestID,
		wire.NameUnknownStatusInRange,
		wire.NameUnsupportedExtension, wire.NameRedirect, wire.NameConflictingFilters, wire.NameInvalidFilter,
		wire.NameNoObjects,
	}
	doneMeanings = [...]wire.ErrorName{
		wire.NameInternalError, wire.NameUnauthorized, wire.NameTrackEnded, wire.NameSubscriptionEnded,
		wire.NameGoingAway, wire.NameExpired,
		wire.NameTooFarBehind, wire.NameMalformedTrack, wire.NameUpdateFailed, wire.NameExcessiveLoad,
	}
	resetMeanings = [...]wire.ErrorName{
		wire.NameInternalError, wire.NameCancelled, wire.NameDeliveryTimeout, wire.NameSessionClosed,
		wire.NameGoingAway, wire.NameUnknownObjectStatus,
		wire.NameTooFarBehind, wire.NameExpiredAuthToken, wire.NameExcessiveLoad, wire.NameMalformedTrack,
	}
)

// nearest says what stands in for a meaning in drafts whose registry lacks it; INTERNAL_ERROR where nothing is said.
var nearest = map[wire.ErrorName]wire.ErrorName{
	wire.NameUnsupportedExtension:    wire.NameNotSupported,
	wire.NameConflictingFilters:      wire.NameInvalidFilter,
	wire.NameInvalidFilter:           wire.NameNotSupported,
	wire.NameInvalidJoiningRequestID: wire.NameDoesNotExist,
	wire.NameNoObjects:               wire.NameInvalidRange,
	wire.NameUnknownStatusInRange:    wire.NameInvalidRange,
	wire.NameMalformedAuthToken:      wire.NameUnauthorized,
	wire.NameExpiredAuthToken:        wire.NameUnauthorized,
	wire.NameDoesNotExist:            wire.NameUninterested,
	wire.NameUninterested:            wire.NameNotSupported,
	wire.NameSubscriptionEnded:       wire.NameTrackEnded,
}

// nearestReset is for stream resets, where what has no code of its own is a cancellation: 14 and 15 name
// MALFORMED_TRACK and assign no number (draft-15 §2.4.2).
var nearestReset = map[wire.ErrorName]wire.ErrorName{
	wire.NameMalformedTrack:   wire.NameCancelled,
	wire.NameGoingAway:        wire.NameCancelled,
	wire.NameExpiredAuthToken: wire.NameCancelled,
}

// number finds the number of a symbolic code, or of what is nearest to it; a plain number is itself.
func number[C, N ~uint64](code C, meanings []wire.ErrorName, near map[wire.ErrorName]wire.ErrorName,
	find func(wire.ErrorName) (N, bool)) uint64 {
	if uint64(code) < symbolic {
		return uint64(code)
	}
	i := uint64(code) - symbolic
	if i >= uint64(len(meanings)) {
		return 0
	}
	for name := meanings[i]; name != ""; name = near[name] {
		if n, ok := find(name); ok {
			return uint64(n)
		}
	}
	return 0 // INTERNAL_ERROR in every registry
}

// Number is the code's number in the draft. kind is that of the refused request, which matters in 14 only.
func (c RejectCode) Number(d wire.Draft, kind wire.Kind) uint64 {
	return number(c, rejectMeanings[:], nearest, func(name wire.ErrorName) (wire.RequestErrorCode, bool) {
		return wire.RequestErrorFor(d, kind14(kind), name)
	})
}

// Number is the code's number in the draft.
func (c DoneCode) Number(d wire.Draft) uint64 {
	return number(c, doneMeanings[:], nearest, func(name wire.ErrorName) (wire.PublishDoneCode,
		bool) {
		return wire.PublishDoneFor(d, name)
	})
}

// Number is the code's number in the draft.
func (c ResetCode) Number(d wire.Draft) uint64 {
	return number(c, resetMeanings[:], nearestReset, func(name wire.ErrorName) (wire.ResetCode,
		bool) {
		return wire.ResetFor(d, name)
	})
}

// kind14 is the kind by whose registry 14 goes.
func kind14(kind wire.Kind) wire.Kind {
	if kind == wire.KindRequestUpdate {
		return wire.KindSubscribe
	}
	return kind
}

// RejectName is the draft's name of a request error, "" for an unknown one. kind is that of the refused request, which
// matters in 14 only.
func RejectName(d wire.Draft, kind wire.Kind, number uint64) string {
	return wire.RequestErrorCode(number).Name(d, kind14(kind))
}

// DoneName is the draft's name of a status code of PUBLISH_DONE, "" for an unknown code.
func DoneName(d wire.Draft, number uint64) string { return wire.PublishDoneCode(number).Name(d) }

// ResetName is the draft's name of a code of RESET_STREAM or STOP_SENDING, "" for an unknown code.
func ResetName(d wire.Draft, number uint64) string { return wire.ResetCode(number).Name(d) }
