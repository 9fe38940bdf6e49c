package transport

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
)

// Meter is a connection that counts what the peer sends, until Stop. A failure of SETUP can then say whether the peer
// was silent or sent something that is no whole SETUP. NewMeter makes one. It is safe for concurrent use.
type Meter struct {
	Conn

	mu      sync.Mutex
	stopped bool
	bytes   int
	streams int
	head    []byte // the first bytes of the stream that came first
	headOf  ReceiveStream
}

// headBytes is how many bytes of the peer's first stream are shown.
const headBytes = 16

// NewMeter counts what comes over a connection from now on.
func NewMeter(c Conn) *Meter { return &Meter{Conn: c} }

// Stop ends the counting; streams that come from then on are handed out as they are.
func (m *Meter) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = true
}

// Seen says, for people, what came.
func (m *Meter) Seen() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.bytes == 0 && m.streams == 0:
		return "nothing (0 bytes)"
	case m.bytes == 0:
		return "a stream without a byte"
	}
	return fmt.Sprintf("%d bytes that hold no whole SETUP (first: %s)", m.bytes, hex.EncodeToString(m.head))
}

// count takes what was read from a stream.
func (m *Meter) count(s ReceiveStream, p []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped || len(p) == 0 {
		return
	}
	m.bytes += len(p)
	if m.headOf == nil {
		m.headOf = s
	}
	if m.headOf == s {
		m.head = append(m.head, p[:min(len(p), headBytes-len(m.head))]...)
	}
}

// came reports whether a stream that the peer opened is to be counted.
func (m *Meter) came() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.stopped {
		m.streams++
	}
	return !m.stopped
}

// TellUniStreams implements UniStreamTeller: of a Conn that does not, nothing is told.
func (m *Meter) TellUniStreams(f func(id uint64, coming bool)) {
	if t, ok := m.Conn.(UniStreamTeller); ok {
		t.TellUniStreams(f)
	}
}

// Path implements PathTeller: of a Conn that does not, nothing is known.
func (m *Meter) Path() Path {
	if t, ok := m.Conn.(PathTeller); ok {
		return t.Path()
	}
	return Path{}
}

// OpenStream implements Conn.
func (m *Meter) OpenStream(ctx context.Context) (Stream, error) {
	s, err := m.Conn.OpenStream(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || m.stopped {
		return s, err
	}
	return &meteredStream{s, m}, nil
}

// AcceptStream implements Conn.
func (m *Meter) AcceptStream(ctx context.Context) (Stream, error) {
	s, err := m.Conn.AcceptStream(ctx)
	if err != nil || !m.came() {
		return s, err
	}
	return &meteredStream{s, m}, nil
}

// AcceptUniStream implements Conn.
func (m *Meter) AcceptUniStream(ctx context.Context) (ReceiveStream, error) {
	s, err := m.Conn.AcceptUniStream(ctx)
	if err != nil || !m.came() {
		return s, err
	}
	return &meteredReceiveStream{s, m}, nil
}

type meteredStream struct {
	Stream
	m *Meter
}

// Read implements io.Reader.
func (s *meteredStream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	s.m.count(s, p[:n])
	return n, err
}

type meteredReceiveStream struct {
	ReceiveStream
	m *Meter
}

// Read implements io.Reader.
func (s *meteredReceiveStream) Read(p []byte) (int, error) {
	n, err := s.ReceiveStream.Read(p)
	s.m.count(s, p[:n])
	return n, err
}
