package reference

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The faults that answer a request with another message type than the draft has for it. Package moqt does not send such
// answers, so they are changed on their way into the stream.

// retypes reports whether such a fault was asked for.
func (f *faultSet) retypes() bool {
	return f[publishOKType] || f[requestOKType] || f[subscribeOKType] || f[requestErrorType] ||
		f[doesNotExistUnsaid] || f[doneWithoutFin]
}

// retype gives what is sent instead of a message: its type code and body, nil for no message.
func (f *faultSet) retype(d wire.Draft, code uint64, body []byte) (uint64, []byte) {
	switch {
	case f[publishOKType] && code == 0x1E && d == wire.Draft14:
		_, n := wire.Varint(body, d)
		return 0x7, body[:n] // PUBLISH_NAMESPACE_OK has the Request ID alone
	case f[publishOKType] && code == 0x1E && d <= wire.Draft17:
		return 0x7, body
	case f[requestOKType] && d == wire.Draft14 && code == 0x7:
		return 0x12, body
	case f[requestOKType] && d == wire.Draft14 && code == 0x12:
		return 0x7, body
	case f[requestOKType] && d > wire.Draft14 && d <= wire.Draft17 && code == 0x7:
		return 0x1E, body
	case f[subscribeOKType] && code == 0x4 && d == wire.Draft14:
		return 0xE, body
	case f[subscribeOKType] && code == 0x4: // no parameters; up to 16 behind the Request ID
		n := 0
		if d <= wire.Draft16 {
			_, n = wire.Varint(body, d)
		}
		return 0x7, append(body[:n:n], 0)
	case f[doesNotExistUnsaid] && d >= wire.Draft18 && code == 0x5 && len(body) > 0 && body[0] == 0x10:
		return code, append([]byte{0}, body[1:]...)
	case f[requestErrorType] && d == wire.Draft14:
		if other, ok := otherErrors[code]; ok {
			return other, body
		}
	}
	return code, body
}

// otherErrors has for each error message of draft 14 another one. All have the same fields.
var otherErrors = map[uint64]uint64{
	0x5:  0x19, // SUBSCRIBE_ERROR: FETCH_ERROR
	0x19: 0x5,  // FETCH_ERROR: SUBSCRIBE_ERROR
	0x1F: 0x8,  // PUBLISH_ERROR: PUBLISH_NAMESPACE_ERROR
	0x8:  0x13, // PUBLISH_NAMESPACE_ERROR: SUBSCRIBE_NAMESPACE_ERROR
	0x13: 0x8,  // SUBSCRIBE_NAMESPACE_ERROR: PUBLISH_NAMESPACE_ERROR
	0xF:  0x5,  // TRACK_STATUS_ERROR: SUBSCRIBE_ERROR
}

// retyper is a connection that changes our messages on the bidirectional streams that the peer opens. There is no FIN
// behind those for which open is true; it may be nil.
type retyper struct {
	transport.Conn
	change func(d wire.Draft, code uint64, body []byte) (uint64, []byte)
	open   func(d wire.Draft, code uint64) bool
}

// AcceptStream implements transport.Conn.
func (c retyper) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.Conn.AcceptStream(ctx)
	if err != nil {
		return nil, err
	}
	d, _ := transport.NegotiatedDraft(c.Info())
	return &retyped{Stream: s, retyper: c, draft: d}, nil
}

// unended reports whether a message is one behind which a fault leaves the stream open.
func (f *faultSet) unended(d wire.Draft, code uint64) bool {
	return f[doneWithoutFin] && d >= wire.Draft18 && code == 0xB // PUBLISH_DONE
}

// retyped is such a stream.
type retyped struct {
	transport.Stream
	retyper retyper
	draft   wire.Draft
	rest    []byte // of a message that has not come whole
	open    bool   // it gets no FIN
}

// Close implements transport.SendStream.
func (s *retyped) Close() error {
	if s.open {
		return nil
	}
	return s.Stream.Close()
}

// Write implements transport.SendStream.
func (s *retyped) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for {
		code, body, n, _, err := wire.Frame(s.rest, s.draft)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return len(p), nil
		}
		s.open = s.open || s.retyper.open != nil && s.retyper.open(s.draft, code)
		code, body = s.retyper.change(s.draft, code, body)
		if body == nil { // nothing is sent
			s.rest = s.rest[n:]
			continue
		}
		if _, err := s.Stream.Write(appendFrame(s.draft, code, body)); err != nil {
			return 0, err
		}
		s.rest = s.rest[n:]
	}
}
