// Package quicconn is transport.Conn on a raw QUIC connection of quic-go's.
package quicconn

import (
	"context"
	"errors"

	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/internal/quicbase"
)

// Conn is a raw QUIC connection; it implements transport.Conn.
type Conn struct {
	base *quicbase.Base
	info transport.Info
}

// Options shape New.
type Options struct {
	// Info is completed with what the connection itself knows: its addresses and ALPN.
	Info transport.Info
	// OnEnd, which may be nil, is called once after the connection has ended; CloseWithError waits for it.
	OnEnd func()
	// Panicked, which may be nil, is told of a panic in a goroutine of the connection, which then ends with
	// INTERNAL_ERROR.
	Panicked func(value any, stack []byte)
}

// internalError is MoQT's session error code INTERNAL_ERROR, the same in each draft (draft-18 §3.5).
const internalError = 0x1

// New wraps an established connection, whose incoming streams and datagrams nobody else may take.
func New(q *quic.Conn, opts Options) *Conn {
	info := opts.Info
	info.Kind, info.ALPN, info.WireStreamIDs = transport.QUIC, q.ConnectionState().TLS.NegotiatedProtocol, true
	info.LocalAddr, info.RemoteAddr = q.LocalAddr(), q.RemoteAddr()
	return &Conn{info: info, base: quicbase.NewBase(q, quicbase.Hooks{OnEnd: opts.OnEnd, Panicked: opts.Panicked,
		Broken: func() (*transport.CloseError, uint64) {
			return &transport.CloseError{Code: internalError, Reason: "a goroutine of the connection panicked"},
				internalError
		}})}
}

// Info implements transport.Conn.
func (c *Conn) Info() transport.Info { return c.info }

// QUIC is the connection below, for its statistics. Its streams, datagrams and end are the Conn's.
func (c *Conn) QUIC() *quic.Conn { return c.base.Q }

// Context implements transport.Conn.
func (c *Conn) Context() context.Context { return c.base.Context() }

// Path implements transport.PathTeller.
func (c *Conn) Path() transport.Path { return c.base.Path() }

// CloseWithError implements transport.Conn. A code that QUIC cannot carry is sent as the largest it can.
func (c *Conn) CloseWithError(code uint64, reason string) error {
	c.base.Close(&transport.CloseError{Code: code, Reason: reason}, code, reason)
	return nil
}

// OpenStream implements transport.Conn.
func (c *Conn) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.base.Q.OpenStreamSync(ctx)
	if err != nil {
		return nil, c.base.Err(err)
	}
	return quicbase.NewBidi(s, mapper{c.base}, nil), nil
}

// OpenUniStream implements transport.Conn.
func (c *Conn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	s, err := c.base.Q.OpenUniStreamSync(ctx)
	if err != nil {
		return nil, c.base.Err(err)
	}
	return quicbase.NewSend(s, mapper{c.base}, nil), nil
}

// AcceptStream implements transport.Conn.
func (c *Conn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.base.Q.AcceptStream(ctx)
	if err != nil {
		return nil, c.base.Err(err)
	}
	return quicbase.NewBidi(s, mapper{c.base}, nil), nil
}

// AcceptUniStream implements transport.Conn.
func (c *Conn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := c.base.Q.AcceptUniStream(ctx)
	if err != nil {
		return nil, c.base.Err(err)
	}
	return quicbase.NewRecv(s, mapper{c.base}), nil
}

// SendDatagram implements transport.Conn. It waits while the queue of datagrams to be sent is full.
func (c *Conn) SendDatagram(b []byte) error {
	if err := c.base.Ended(); err != nil {
		return err
	}
	return DatagramError(c.base.Q.SendDatagram(b), len(b), 0, c.base.Err)
}

// DatagramError turns an error of quic-go for a datagram into one of package transport. size is the datagram's, in
// bytes, and overhead is how many of them are not the caller's. Errors about anything but the size go to otherwise.
func DatagramError(err error, size, overhead int, otherwise func(error) error) error {
	var large *quic.DatagramTooLargeError
	if errors.As(err, &large) {
		return &transport.DatagramTooLargeError{Size: size - overhead,
			Max: max(0, int(large.MaxDatagramPayloadSize)-overhead)}
	}
	return otherwise(err)
}

// ReceiveDatagram implements transport.Conn.
func (c *Conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	b, err := c.base.Q.ReceiveDatagram(ctx)
	return b, c.base.Err(err)
}

// mapper: on raw QUIC the codes on the wire are the application's.
type mapper struct{ *quicbase.Base }

func (mapper) ToWire(code uint64) quic.StreamErrorCode {
	return quic.StreamErrorCode(min(code, quicbase.MaxCode))
}
func (mapper) FromWire(code quic.StreamErrorCode) (uint64, bool) { return uint64(code), true }
func (mapper) Gone(quic.StreamErrorCode) error                   { return nil }

var _ transport.Conn = (*Conn)(nil)
