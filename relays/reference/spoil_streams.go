package reference

import (
	"context"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The faults that are about how streams come, whatever is on them. Package moqt does not behave so, so they are below
// it.

// watchesStreams reports whether such a fault was asked for.
func (f *faultSet) watchesStreams() bool {
	return f[earlyDataCloses] || f[shortReadsBreak] || f[paddingCloses] || f[requiredIgnored]
}

// spoiltStreams is a connection with such a fault.
type spoiltStreams struct {
	transport.Conn
	faults *faultSet
	// asking counts the SUBSCRIBEs of the relay that are not answered yet.
	asking atomic.Int32
}

// violate closes the connection.
func (c *spoiltStreams) violate() { c.CloseWithError(uint64(wire.ProtocolViolation), "fault") }

// AcceptUniStream implements transport.Conn.
func (c *spoiltStreams) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := c.Conn.AcceptUniStream(ctx)
	if err != nil {
		return s, err
	}
	if c.faults[earlyDataCloses] && c.asking.Load() > 0 {
		c.violate()
	}
	return &spoiltStream{ReceiveStream: s, c: c}, nil
}

// AcceptStream implements transport.Conn.
func (c *spoiltStreams) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.Conn.AcceptStream(ctx)
	if d, _ := transport.NegotiatedDraft(c.Info()); err == nil && d == wire.Draft17 && c.faults[requiredIgnored] {
		return &unrequiring{Stream: s}, nil
	}
	return s, err
}

// unrequiring is a request's stream of 17 whose first message requires no other one.
type unrequiring struct {
	transport.Stream
	buf     []byte
	changed bool
}

// Read implements io.Reader.
func (s *unrequiring) Read(p []byte) (int, error) {
	for !s.changed {
		piece := make([]byte, 4096)
		n, err := s.Stream.Read(piece)
		s.buf = append(s.buf, piece[:n]...)
		if _, _, n, _, bad := wire.Frame(s.buf, wire.Draft17); n > 0 || bad != nil || err != nil {
			s.changed = true
			s.buf = unrequired(s.buf, n)
		}
	}
	if len(s.buf) == 0 {
		return s.Stream.Read(p)
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	return n, nil
}

// unrequired is b with another first message, of n bytes: a TRACK_STATUS that requires nothing.
func unrequired(b []byte, n int) []byte {
	m, _, err := wire.ParseMessage(b[:n], wire.Draft17, wire.RequestStream, wire.Options{})
	status, ok := m.(*wire.TrackStatus)
	if err != nil || !ok {
		return b
	}
	status.RequiredRequestIDDelta = 0
	out, err := wire.AppendMessage(nil, wire.Draft17, status, wire.RequestStream)
	if err != nil {
		return b
	}
	return append(out, b[n:]...)
}

// ReceiveDatagram implements transport.Conn.
func (c *spoiltStreams) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	b, err := c.Conn.ReceiveDatagram(ctx)
	if c.is(b, wire.TypePaddingDatagram) {
		c.violate()
	}
	return b, err
}

// is reports whether bytes begin with a type of padding, and the fault is about that.
func (c *spoiltStreams) is(b []byte, padding uint64) bool {
	d, _ := transport.NegotiatedDraft(c.Info())
	code, n := wire.Varint(b, d)
	return n > 0 && d >= wire.Draft18 && code == padding && c.faults[paddingCloses]
}

// spoiltStream is a stream of such a connection.
type spoiltStream struct {
	transport.ReceiveStream
	c    *spoiltStreams
	read bool
}

// Read implements io.Reader.
func (s *spoiltStream) Read(p []byte) (int, error) {
	n, err := s.ReceiveStream.Read(p)
	if !s.read && n > 0 && (n < 3 && s.c.faults[shortReadsBreak] || s.c.is(p[:n], wire.TypePaddingStream)) {
		s.c.violate()
	}
	s.read = s.read || n > 0
	return n, err
}

// refusesSetup is the fault that refuses a setup with options that the relay does not know.
func refusesSetup(_, _ string, setup *wire.Setup) error {
	for _, o := range setup.Options {
		if o.Type == 0x9D {
			return &moqt.SessionError{Code: wire.ProtocolViolation, Reason: "fault"}
		}
	}
	return nil
}
