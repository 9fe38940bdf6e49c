package moqt

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// EventType says what kind of event an Event is.
type EventType uint8

// The events.
const (
	// EventMessage: a control message was sent or received. If Err is set, it could not be decoded or broke a rule.
	EventMessage EventType = iota + 1
	// EventSubgroup: a SUBGROUP_HEADER was sent or received.
	EventSubgroup
	// EventFetch: a FETCH_HEADER was sent or received.
	EventFetch
	// EventDatagram: an OBJECT_DATAGRAM was sent or received.
	EventDatagram
	// EventPadding: a padding stream or datagram came.
	EventPadding
	// EventFin: a control or request stream's direction ended with FIN.
	EventFin
	// EventReset: a stream's direction was reset, by RESET_STREAM with Code.
	EventReset
	// EventStop: STOP_SENDING with Code.
	EventStop
	// EventDropped: something that the peer sent was dropped. Err says what and why.
	EventDropped
	// EventClosed: the session ended; Err is its *SessionError. It comes once. Events of other goroutines may still
	// come after it.
	EventClosed
)

// String is a short name for transcripts.
func (t EventType) String() string {
	names := [...]string{"", "message", "subgroup", "fetch", "datagram", "padding", "fin", "reset", "stop", "dropped",
		"closed"}
	if int(t) < len(names) {
		return names[t]
	}
	return "event"
}

// Event is one thing that happened on the wire of a session. Do not change what it points to.
type Event struct {
	// Time is when this end saw it.
	Time time.Time
	Type EventType
	// Sent is true for what this end did, and false for what the peer did.
	Sent  bool
	Draft wire.Draft
	// Stream is the kind of stream. StreamID is its QUIC stream id, which datagrams and the close do not have.
	Stream   wire.StreamKind
	StreamID uint64
	// Message is set for EventMessage, nil when it could not be decoded. MessageType is its type code.
	Message     wire.Message
	MessageType uint64
	// Subgroup is set for EventSubgroup.
	Subgroup *wire.SubgroupHeader
	// RequestID is that of the request that a message belongs to, if any, or that in a FETCH_HEADER.
	RequestID uint64
	// TrackAlias, Location and Status are those of a datagram; TrackAlias also that of a subgroup.
	TrackAlias uint64
	Location   wire.Location
	Status     wire.ObjectStatus
	// Raw is the whole control message as it went over the wire, type and length included. It is valid until the
	// function that is told of the event returns.
	Raw []byte
	// EndOfGroup says that a datagram is the last object of its group; Payload is how many bytes of payload it has.
	EndOfGroup bool
	Payload    int
	// Bytes is the length on the wire: of the whole message, of the header, of the datagram.
	Bytes int
	// Code is the code of a reset or stop.
	Code uint64
	// Err says what was wrong, if anything.
	Err error
}
