package cases

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// meter is a connection that counts what the peer sends until it is stopped, so that a failure of SETUP can say
// whether the peer was silent or said something that is not a SETUP. Safe for concurrent use.
type meter struct {
	transport.Conn

	mu      sync.Mutex
	stopped bool
	bytes   int
	streams int
	head    []byte // the first bytes of the stream that came first
	headOf  transport.ReceiveStream
}

// headBytes is how many bytes of the peer's first stream are shown.
const headBytes = 16

func newMeter(c transport.Conn) *meter { return &meter{Conn: c} }

// stop ends the counting; streams that come from then on are handed out as they are.
func (m *meter) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = true
}

// seen says what came.
func (m *meter) seen() string {
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
func (m *meter) count(s transport.ReceiveStream, p []byte) {
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
func (m *meter) came() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.stopped {
		m.streams++
	}
	return !m.stopped
}

// OpenStream implements transport.Conn.
func (m *meter) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := m.Conn.OpenStream(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || m.stopped {
		return s, err
	}
	return &meteredStream{s, m}, nil
}

// AcceptStream implements transport.Conn.
func (m *meter) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := m.Conn.AcceptStream(ctx)
	if err != nil || !m.came() {
		return s, err
	}
	return &meteredStream{s, m}, nil
}

// AcceptUniStream implements transport.Conn.
func (m *meter) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := m.Conn.AcceptUniStream(ctx)
	if err != nil || !m.came() {
		return s, err
	}
	return &meteredReceiveStream{s, m}, nil
}

type meteredStream struct {
	transport.Stream
	m *meter
}

// Read implements io.Reader.
func (s *meteredStream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	s.m.count(s, p[:n])
	return n, err
}

type meteredReceiveStream struct {
	transport.ReceiveStream
	m *meter
}

// Read implements io.Reader.
func (s *meteredReceiveStream) Read(p []byte) (int, error) {
	n, err := s.ReceiveStream.Read(p)
	s.m.count(s, p[:n])
	return n, err
}
