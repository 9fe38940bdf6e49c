// Package transport says what a MoQT session needs from the connection below it,
// and what a verdict needs to know about that connection, without naming a QUIC library.
//
// Implementations: quicconn (QUIC), wtconn (WebTransport over HTTP/3), webconn (a browser's WebTransport), memconn (in
// memory).
// Package endpoint dials and listens for any of them.
package transport

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Kind names the transport below a session, in the words of a result's `sessions.<role>.transport`.
type Kind string

// The transports a connection can have.
const (
	QUIC         Kind = "quic"
	WebTransport Kind = "webtransport-h3"
	Memory       Kind = "memory"
)

// Conn is one connection that carries one MoQT session. All methods are safe for concurrent use.
// After the connection has ended every blocked or later call returns an error that is
// (errors.As) a *CloseError and for which errors.Is(err, net.ErrClosed) holds.
type Conn interface {
	// OpenStream opens a bidirectional stream; it waits while the peer's stream limit is reached.
	OpenStream(ctx context.Context) (Stream, error)
	// OpenUniStream opens a unidirectional stream; it waits while the peer's stream limit is reached.
	OpenUniStream(ctx context.Context) (SendStream, error)
	// AcceptStream waits for the peer's next bidirectional stream.
	AcceptStream(ctx context.Context) (Stream, error)
	// AcceptUniStream waits for the peer's next unidirectional stream.
	AcceptUniStream(ctx context.Context) (ReceiveStream, error)
	// SendDatagram queues one datagram, and waits while the queue is full. It does not keep b. A datagram that cannot
	// fit the path gives a *DatagramTooLargeError. What the peer has no room for is lost, as on the network.
	SendDatagram(b []byte) error
	// ReceiveDatagram waits for the next datagram. The caller owns the slice.
	ReceiveDatagram(ctx context.Context) ([]byte, error)
	// CloseWithError ends the connection with an application code; the first call wins, later ones return nil.
	// It returns when the close has been handed to the network, and every goroutine of the connection ends soon after.
	CloseWithError(code uint64, reason string) error
	// Context ends when the connection has ended; context.Cause is then its *CloseError.
	Context() context.Context
	// Info describes the connection. It does not change once the connection is established.
	Info() Info
}

// UniStreamTeller is implemented by a Conn whose AcceptUniStream gives a peer's streams later than the Conn knows of
// them, and not in the order in which they were opened.
type UniStreamTeller interface {
	// TellUniStreams calls f with the id of each stream and coming true as soon as the stream is known: in the order of
	// opening, and before AcceptUniStream gives it. It calls f again with false for a stream that will not be given. f
	// is called from several goroutines and may not wait. Streams from before the call are left out.
	TellUniStreams(f func(id uint64, coming bool))
}

// PathTeller is implemented by a Conn that knows something of the network path below it.
type PathTeller interface {
	// Path says what the connection has seen of its path so far, also after it has ended.
	Path() Path
}

// Path is what a connection has seen of its network path.
type Path struct {
	// MinRTT, SmoothedRTT and LatestRTT are round trip times as QUIC measures them (RFC 9002 §5); 0 before the first
	// measurement.
	MinRTT, SmoothedRTT, LatestRTT time.Duration
	// PacketsSent and PacketsLost count packets of this side's. What was taken for lost and comes after all is taken
	// off again.
	PacketsSent, PacketsLost uint64
	// PacketsReceived counts packets of the peer's, acknowledgements among them.
	PacketsReceived uint64
}

// RTT is the larger one of the smoothed and the latest round trip time.
func (p Path) RTT() time.Duration { return max(p.SmoothedRTT, p.LatestRTT) }

// SendStream is the sending direction of a stream. Write, Close and Reset may not be called
// concurrently with each other, except that Reset may interrupt a blocked Write.
type SendStream interface {
	io.Writer
	// Close ends the direction with FIN. It does not wait for acknowledgements.
	Close() error
	// Reset aborts the direction with RESET_STREAM and an application code. No effect after Close was acknowledged or
	// after Reset.
	Reset(code uint64)
	// Context ends when the direction has ended: FIN acknowledged or sent, reset, or stopped by the peer.
	// The cause is then a *StreamError for reset and stop.
	Context() context.Context
	// SetWriteDeadline bounds blocked Writes; a zero time removes the bound.
	SetWriteDeadline(t time.Time) error
	// StreamID is the QUIC stream id (also over WebTransport).
	StreamID() uint64
}

// BehindResetter is implemented by a SendStream whose reset can leave something behind: RESET_STREAM_AT.
type BehindResetter interface {
	// ResetBehind writes head, which must be little, as the first bytes of the stream and resets it. If the peer knows
	// RESET_STREAM_AT and flow control has room, head arrives in spite of the reset; else it is Reset.
	ResetBehind(head []byte, code uint64)
}

// ReceiveStream is the receiving direction of a stream.
type ReceiveStream interface {
	// Read returns io.EOF after FIN, and a *StreamError after RESET_STREAM.
	io.Reader
	// Stop asks the peer with STOP_SENDING and an application code to stop; later Reads fail.
	Stop(code uint64)
	// SetReadDeadline bounds blocked Reads; a zero time removes the bound.
	SetReadDeadline(t time.Time) error
	// StreamID is the QUIC stream id (also over WebTransport).
	StreamID() uint64
}

// Stream is a bidirectional stream.
type Stream interface {
	SendStream
	ReceiveStream
}

// Info is what a verdict says about a connection.
type Info struct {
	// Kind is the transport.
	Kind Kind
	// ALPN is the application protocol that the TLS handshake selected ("moqt-16", "h3").
	ALPN string
	// Protocol is the WebTransport protocol that the server selected with WT-Protocol; empty when it named none.
	Protocol string
	// OfferedProtocols is what the client offered in WT-Available-Protocols; empty on raw QUIC.
	OfferedProtocols []string
	// Path and Authority are those of the WebTransport request; empty on raw QUIC, where SETUP carries them.
	Path, Authority string
	// OriginalDestinationConnectionID is the client's Initial Destination Connection ID; nil when unknown.
	OriginalDestinationConnectionID []byte
	// LocalAddr and RemoteAddr may be nil in memory.
	LocalAddr, RemoteAddr net.Addr
	// Client tells which side of the connection this is.
	Client bool
	// WireStreamIDs is true when StreamID is the id that both ends of the connection know the stream by, given out as
	// RFC 9000 §2.1 says: without gaps, in the order of opening. It is false where the implementation numbers streams
	// by itself, as one on a browser's WebTransport must, which tells no ids: such an id means nothing to the peer or
	// in a log, and says nothing of streams that have not come yet.
	WireStreamIDs bool
	// ReadsAhead is true where the implementation takes what the peer sends before anybody here reads it, as a browser
	// does: a session that reads nothing does not slow its peer down.
	ReadsAhead bool
	// LogFile is the file that the connection's log is written to; empty where there is none.
	LogFile string
	// OpenLog opens the connection's log for a layer above. It is nil if there is no log, and returns nil once the
	// connection has ended. The EventLog must be closed.
	OpenLog func() EventLog
	// Notes are facts worth a diagnostic line, e.g. the HTTP/3 settings that the server announced.
	Notes []string
}

// EventLog takes the events of a layer above into the log of a connection. It is safe for concurrent use, and waits
// while the log cannot be written.
type EventLog interface {
	// Record writes an event, stamped with the time of the call. In data, integers may be uint64 too. Nothing happens
	// after Close.
	Record(name string, data wire.Fields)
	// Close says that no more events come. The log is complete once every EventLog is closed and the connection has
	// ended; the last Close waits for that.
	Close()
}
