package memconn

import "time"

// StreamInfo identifies one direction of a stream to Options.Faults.
type StreamInfo struct {
	// ID is the QUIC stream id.
	ID uint64
	// Index counts the streams of this kind that the same side opened, from 0.
	Index int
	// Uni is true for a unidirectional stream.
	Uni bool
	// OpenedByClient tells which side opened the stream, FromClient which side sends in this direction.
	OpenedByClient, FromClient bool
}

// Action is what happens to one direction of a stream once the receiver has read Fault.After bytes. Nothing that the
// sender sends beyond these bytes arrives, FIN and RESET_STREAM included; the sender itself notices nothing of that.
type Action int

// The actions.
const (
	// None lets everything through.
	None Action = iota
	// Cut loses what follows: the receiver waits for ever.
	Cut
	// Reset shows the receiver a RESET_STREAM with Code.
	Reset
	// Stop shows the sender a STOP_SENDING with Code, which it answers with a RESET_STREAM with the same code, as QUIC
	// does.
	Stop
	// Close ends the connection with Code; each side believes that the other did.
	Close
)

// Fault is what goes wrong on one direction of a stream.
type Fault struct {
	// Delay is how much later everything of this direction arrives: its first frame, data, FIN, RESET_STREAM.
	Delay time.Duration
	// After is the number of bytes that arrive before Action; with 0 it strikes when the first frame of the direction
	// would arrive.
	After int64
	// Action is what happens then, Code its application code.
	Action Action
	Code   uint64
}

// OnStream makes an Options.Faults with one fault: on the index-th stream of its kind that the client (or the server)
// opens, in the direction in which the opener sends.
func OnStream(openedByClient, uni bool, index int, f Fault) func(StreamInfo) Fault {
	return func(s StreamInfo) Fault {
		if s.OpenedByClient == openedByClient && s.FromClient == openedByClient && s.Uni == uni && s.Index == index {
			return f
		}
		return Fault{}
	}
}

// DatagramInfo identifies a datagram to Options.DatagramFaults.
type DatagramInfo struct {
	// FromClient tells which side sends it.
	FromClient bool
	// Index counts the datagrams of that side, from 0; Size is in bytes.
	Index, Size int
}

// DatagramFault is what goes wrong with one datagram.
type DatagramFault struct {
	// Drop loses it.
	Drop bool
	// Delay is how much later it arrives.
	Delay time.Duration
}
