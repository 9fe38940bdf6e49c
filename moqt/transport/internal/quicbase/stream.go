package quicbase

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Mapper is the connection as its streams see it.
type Mapper interface {
	// Err turns any other error of quic-go's into one of package transport's.
	Err(error) error
	// Guard runs a goroutine's function; a panic in it ends the connection.
	Guard(func())
	// Ended is the cause when the connection has ended, else nil.
	Ended() error
	// ToWire and FromWire map an application code to the one in RESET_STREAM and STOP_SENDING and back;
	// application is false for a code that carries no application code, which FromWire returns as it is.
	ToWire(code uint64) quic.StreamErrorCode
	FromWire(wire quic.StreamErrorCode) (code uint64, application bool)
	// Gone waits for the end of the session when a stream ended with a code that says that the session did,
	// and returns its cause; nil when the code does not say so, or the session goes on.
	Gone(wire quic.StreamErrorCode) error
}

type sender interface {
	io.WriteCloser
	CancelWrite(quic.StreamErrorCode)
	Context() context.Context
	SetWriteDeadline(time.Time) error
	SetReliableBoundary()
	TryWriteAll([]byte) error
	StreamID() quic.StreamID
}

type receiver interface {
	io.Reader
	CancelRead(quic.StreamErrorCode)
	SetReadDeadline(time.Time) error
	StreamID() quic.StreamID
}

// Send is the sending direction of a stream; it implements transport.SendStream.
type Send struct {
	str sender
	m   Mapper

	// header goes before the first byte. The writer or a reset takes it and writes it; then it is nil. mu guards it,
	// and a reset holds mu to its end: no byte may come where the header was not written. first tells whether there
	// is a header.
	mu     sync.Mutex
	header []byte
	first  atomic.Bool

	once sync.Once
	ctx  context.Context
}

// NewSend wraps a unidirectional stream that was opened here; header goes before its first byte.
func NewSend(str *quic.SendStream, m Mapper, header []byte) *Send {
	s := &Send{str: str, m: m}
	s.put(header)
	return s
}

// put keeps a header, or what is left of it, for the first write.
func (s *Send) put(header []byte) {
	if len(header) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header = header
	s.first.Store(true)
}

// take gives the header to the one who writes it now; nil if somebody else has it.
func (s *Send) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken()
}

// taken is take with mu held.
func (s *Send) taken() []byte {
	header := s.header
	s.header = nil
	s.first.Store(false)
	return header
}

// headerRoom is how large a first write may be to be joined with the header: such that both fit into one packet.
const headerRoom = 1024

var headerBuffers = sync.Pool{New: func() any { return new([headerRoom + 16]byte) }}

// Write implements io.Writer. The header, where there is one, goes out with the first write, in one packet if it fits.
func (s *Send) Write(b []byte) (int, error) {
	if s.first.Load() {
		return s.writeFirst(b)
	}
	n, err := s.str.Write(b)
	if err != nil {
		err = s.err(err)
	}
	return n, err
}

func (s *Send) writeFirst(b []byte) (int, error) {
	if len(b) > headerRoom {
		if err := s.flush(); err != nil {
			return 0, err
		}
		return s.Write(b)
	}
	header := s.take()
	buf := headerBuffers.Get().(*[headerRoom + 16]byte)
	defer headerBuffers.Put(buf)
	n, err := s.str.Write(append(append(buf[:0], header...), b...))
	s.put(header[min(n, len(header)):])
	if err != nil {
		return max(0, n-len(header)), s.err(err)
	}
	return len(b), nil
}

// flush writes the header when nothing has been written yet: quic-go takes a few bytes without waiting.
func (s *Send) flush() error {
	header := s.take()
	if header == nil {
		return nil
	}
	n, err := s.str.Write(header)
	s.put(header[n:])
	if err != nil {
		return s.err(err)
	}
	return nil
}

// Close implements transport.SendStream.
func (s *Send) Close() error {
	if err := s.flush(); err != nil {
		return err
	}
	if err := s.str.Close(); err != nil {
		if cause := context.Cause(s.str.Context()); cause != nil {
			err = cause
		}
		return s.err(err)
	}
	return s.m.Ended()
}

// Reset implements transport.SendStream. Where the peer knows RESET_STREAM_AT, a header arrives in spite of the reset,
// if flow control has room for it: quic-go would promise what is merely queued, and the peer would count it (RFC 9000
// §4.5) and close with FLOW_CONTROL_ERROR.
func (s *Send) Reset(code uint64) { s.ResetBehind(nil, code) }

// ResetBehind implements transport.BehindResetter.
func (s *Send) ResetBehind(head []byte, code uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	whole := append(s.header[:len(s.header):len(s.header)], head...)
	for _, b := range [][]byte{whole, s.header} {
		if len(b) > 0 && s.str.TryWriteAll(b) == nil {
			s.taken()
			s.str.SetReliableBoundary()
			break
		}
	}
	s.str.CancelWrite(s.m.ToWire(code))
}

// Context implements transport.SendStream.
func (s *Send) Context() context.Context {
	s.once.Do(func() {
		ctx, cancel := context.WithCancelCause(context.Background())
		context.AfterFunc(s.str.Context(), func() {
			s.m.Guard(func() {
				cause := context.Cause(s.str.Context())
				if cause != context.Canceled {
					cause = s.err(cause)
				}
				cancel(cause)
			})
		})
		s.ctx = ctx
	})
	return s.ctx
}

// SetWriteDeadline implements transport.SendStream.
func (s *Send) SetWriteDeadline(t time.Time) error { return s.m.Err(s.str.SetWriteDeadline(t)) }

// StreamID implements transport.SendStream.
func (s *Send) StreamID() uint64 { return uint64(s.str.StreamID()) }

// err: an error of the sending direction that the peer caused is its STOP_SENDING.
func (s *Send) err(err error) error { return streamErr(s.m, err, true) }

// Recv is the receiving direction of a stream; it implements transport.ReceiveStream.
type Recv struct {
	str receiver
	m   Mapper
}

// NewRecv wraps a unidirectional stream that the peer opened.
func NewRecv(str *quic.ReceiveStream, m Mapper) *Recv { return &Recv{str: str, m: m} }

// Read implements io.Reader.
func (s *Recv) Read(b []byte) (int, error) {
	n, err := s.str.Read(b)
	if err != nil && err != io.EOF {
		err = streamErr(s.m, err, false)
	}
	return n, err
}

// Stop implements transport.ReceiveStream.
func (s *Recv) Stop(code uint64) { s.str.CancelRead(s.m.ToWire(code)) }

// SetReadDeadline implements transport.ReceiveStream.
func (s *Recv) SetReadDeadline(t time.Time) error { return s.m.Err(s.str.SetReadDeadline(t)) }

// StreamID implements transport.ReceiveStream.
func (s *Recv) StreamID() uint64 { return uint64(s.str.StreamID()) }

// Bidi is a bidirectional stream; it implements transport.Stream.
type Bidi struct {
	Send
	recv Recv
}

// NewBidi wraps a bidirectional stream; header, for one opened here, goes before its first byte.
func NewBidi(str *quic.Stream, m Mapper, header []byte) *Bidi {
	b := &Bidi{Send: Send{str: str, m: m}, recv: Recv{str: str, m: m}}
	b.put(header)
	return b
}

// Read implements io.Reader.
func (s *Bidi) Read(b []byte) (int, error) { return s.recv.Read(b) }

// Stop implements transport.ReceiveStream.
func (s *Bidi) Stop(code uint64) { s.recv.Stop(code) }

// SetReadDeadline implements transport.ReceiveStream.
func (s *Bidi) SetReadDeadline(t time.Time) error { return s.recv.SetReadDeadline(t) }

func streamErr(m Mapper, err error, sending bool) error {
	var se *quic.StreamError
	if !errors.As(err, &se) {
		return m.Err(err)
	}
	if se.Remote {
		if cause := m.Gone(se.ErrorCode); cause != nil {
			return cause
		}
	}
	code, application := m.FromWire(se.ErrorCode)
	// On the sending side the peer can only stop and we can only reset; on the receiving side it is the other way
	// round.
	return &transport.StreamError{StreamID: uint64(se.StreamID), Remote: se.Remote, Stop: sending == se.Remote,
		Code: code, Transport: !application}
}

var (
	_ transport.SendStream    = (*Send)(nil)
	_ transport.ReceiveStream = (*Recv)(nil)
	_ transport.Stream        = (*Bidi)(nil)
)
