package endpoint

import (
	"fmt"
	"time"

	"github.com/quic-go/quic-go"
)

// QUIC are settings of a QUIC connection. A field of 0 has its default.
type QUIC struct {
	// HandshakeTimeout bounds the silence of the peer during the handshake; the whole handshake may take twice as long.
	// Default 10 s. A listener always has the default.
	HandshakeTimeout time.Duration
	// IdleTimeout is how long the peer may be silent before the connection is given up. The smaller one of both ends
	// holds (RFC 9000 §10.1). Default DefaultIdleTimeout.
	IdleTimeout time.Duration
	// KeepAlive is how long the peer may be silent before it is sent a packet that it has to acknowledge; at most half
	// of the idle timeout has an effect. The loss of a peer shows then, if the system reports that nobody listens on
	// its port. Default DefaultKeepAlive.
	KeepAlive time.Duration
	// Streams is how many streams of each kind the peer may have open. Default 16384: a relay may hold thousands of
	// subgroup streams open at a time.
	Streams int64
	// StreamWindow and ConnectionWindow are how many bytes the peer may send at first before they are read, on one
	// stream and on all. Defaults 2 MiB and 4 MiB.
	StreamWindow, ConnectionWindow uint64
	// MaxStreamWindow and MaxConnectionWindow are how far these grow with what the path carries. Defaults 8 MiB, with
	// which one stream can fill a path of 1 Gbit/s and 50 ms, and 24 MiB.
	MaxStreamWindow, MaxConnectionWindow uint64
	// PacketSize is that of the first packets in bytes of UDP payload, from 1200 to 1452. Default 1200, the least that
	// QUIC allows (RFC 9000 §14): with the headers of IPv6 and UDP a path of 1,280 bytes carries them, which is the
	// least that IPv6 has (RFC 8200 §5). What the path has beyond that, path MTU discovery finds.
	PacketSize int
}

// Silence on a connection: what ends it and what has each side ask for a sign of life, unless QUIC says otherwise.
const (
	DefaultIdleTimeout = 30 * time.Second
	DefaultKeepAlive   = 10 * time.Second
)

// The defaults of QUIC, and the bounds of PacketSize.
const (
	handshakeTimeout = 10 * time.Second
	packetSize       = 1200
	maxPacketSize    = 1452
)

// or is a value, or its default where it is 0.
func or[T int | int64 | uint64 | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

// config checks the settings and gives them as the QUIC library wants them.
func (q QUIC) config() (*quic.Config, error) {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"HandshakeTimeout", q.HandshakeTimeout}, {"IdleTimeout", q.IdleTimeout}, {"KeepAlive", q.KeepAlive}} {
		if d.value < 0 {
			return nil, fmt.Errorf("QUIC settings: %s is negative: %v", d.name, d.value)
		}
	}
	size := or(q.PacketSize, packetSize)
	switch {
	case size < packetSize || size > maxPacketSize:
		return nil, fmt.Errorf("QUIC settings: PacketSize %d is not from %d to %d", size, packetSize, maxPacketSize)
	case q.Streams < 0:
		return nil, fmt.Errorf("QUIC settings: Streams is negative: %d", q.Streams)
	}
	stream, connection := or(q.StreamWindow, 2<<20), or(q.ConnectionWindow, 4<<20)
	streams := or(q.Streams, 1<<14)
	return &quic.Config{
		HandshakeIdleTimeout:           or(q.HandshakeTimeout, handshakeTimeout),
		MaxIdleTimeout:                 or(q.IdleTimeout, DefaultIdleTimeout),
		KeepAlivePeriod:                or(q.KeepAlive, DefaultKeepAlive),
		MaxIncomingStreams:             streams,
		MaxIncomingUniStreams:          streams,
		InitialStreamReceiveWindow:     stream,
		MaxStreamReceiveWindow:         max(stream, or(q.MaxStreamWindow, 8<<20)),
		InitialConnectionReceiveWindow: connection,
		MaxConnectionReceiveWindow:     max(connection, or(q.MaxConnectionWindow, 24<<20)),
		InitialPacketSize:              uint16(size),
		EnableDatagrams:                true,
		// WebTransport's newest drafts require it of both sides; peers that do not know it ignore it.
		EnableStreamResetPartialDelivery: true,
	}, nil
}
