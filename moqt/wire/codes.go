package wire

// SessionError is a session termination code (draft-18 §3.5).
type SessionError uint64

// Session termination codes (WIRE section 8.1).
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
