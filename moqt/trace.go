package moqt

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// EventType says what a trace event tells of.
type EventType uint8

// The events.
const (
	// EventMessage: a control message was sent or received. With Err set, it could not be decoded or broke a rule.
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
	// EventDropped: something of the peer's was dropped: Err says what and why.
	EventDropped
	// EventClosed: the session ended; Err is its *SessionError. It is told of once; what other goroutines were about to
	// tell may come behind it.
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

// Event is one thing that happened on the wire of a session. What it points to may not be changed.
type Event struct {
	// Time is when it was seen here.
	Time time.Time
	Type EventType
	// Sent is true for what this end did, false for what the peer did.
	Sent  bool
	Draft wire.Draft
	// Stream is the kind of stream, StreamID its QUIC stream id (not for datagrams and the close).
	Stream   wire.StreamKind
	StreamID uint64
	// Message is set for EventMessage (nil when it could not be decoded); MessageType is its type code.
	Message     wire.Message
	MessageType uint64
	// Subgroup is set for EventSubgroup.
	Subgroup *wire.SubgroupHeader
	// RequestID is that of the request a message belongs to where there is one, and that of a FETCH_HEADER.
	RequestID uint64
	// TrackAlias, Location and Status are those of a datagram; TrackAlias also that of a subgroup.
	TrackAlias uint64
	Location   wire.Location
	Status     wire.ObjectStatus
	// Bytes is the length on the wire: of the whole message, of the header, of the datagram.
	Bytes int
	// Code is that of a reset or stop.
	Code uint64
	// Err says what was wrong, where something was.
	Err error
}
