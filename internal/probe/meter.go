package probe

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// meter is a connection that counts what the peer sends, so that an attempt whose time is over can tell silence from something that is no
// whole SETUP. Safe for concurrent use.
type meter struct {
	transport.Conn

	mu      sync.Mutex
	bytes   int
	streams int
	head    []byte // the first bytes that came
}

// headBytes is how many bytes are shown.
const headBytes = 16

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

func (m *meter) opened() {
	m.mu.Lock()
	m.streams++
	m.mu.Unlock()
}

func (m *meter) read(p []byte) {
	m.mu.Lock()
	m.bytes += len(p)
	m.head = append(m.head, p[:min(len(p), headBytes-len(m.head))]...)
	m.mu.Unlock()
}

// OpenStream implements transport.Conn.
func (m *meter) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := m.Conn.OpenStream(ctx)
	if err != nil {
		return nil, err
	}
	return &meteredStream{s, m}, nil
}

// AcceptStream implements transport.Conn.
func (m *meter) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := m.Conn.AcceptStream(ctx)
	if err != nil {
		return nil, err
	}
	m.opened()
	return &meteredStream{s, m}, nil
}

// AcceptUniStream implements transport.Conn.
func (m *meter) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := m.Conn.AcceptUniStream(ctx)
	if err != nil {
		return nil, err
	}
	m.opened()
	return &meteredReceiveStream{s, m}, nil
}

type meteredStream struct {
	transport.Stream
	m *meter
}

// Read implements io.Reader.
func (s *meteredStream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	s.m.read(p[:n])
	return n, err
}

type meteredReceiveStream struct {
	transport.ReceiveStream
	m *meter
}

// Read implements io.Reader.
func (s *meteredReceiveStream) Read(p []byte) (int, error) {
	n, err := s.ReceiveStream.Read(p)
	s.m.read(p[:n])
	return n, err
}
