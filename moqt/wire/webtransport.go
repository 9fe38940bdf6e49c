package wire

import "fmt"

// A stream of a WebTransport session over HTTP/3 begins with a prefix of its own: a type, and the session's id, both
// integers of RFC 9000 (draft-ietf-webtrans-http3). A capture of the QUIC connection has it before the stream's own
// bytes.
const (
	typeWebTransportUni  = 0x54
	typeWebTransportBidi = 0x41
)

const (
	webTransportMessage  = "WEBTRANSPORT_STREAM"
	webTransportDatagram = "WEBTRANSPORT_DATAGRAM"
)

// webTransportType is the type of the prefix of such a stream.
func webTransportType(stream StreamKind) uint64 {
	if stream == UniStream {
		return typeWebTransportUni
	}
	return typeWebTransportBidi
}

// mayBeWebTransport reports whether the input begins as the prefix does. Its first byte, 0x40, begins no type that a
// draft defines.
func (l *LineDecoder) mayBeWebTransport(end bool) bool {
	switch {
	case len(l.rest) == 0 || l.rest[0] != 0x40:
		return false
	case len(l.rest) == 1:
		return !end
	}
	return uint64(l.rest[1]) == webTransportType(l.kind)
}

// webTransport describes the prefix.
func (l *LineDecoder) webTransport() (Line, int, error) {
	c := cursor{b: l.rest, d: Draft16}
	t := c.varint("type")
	id := c.varint("session_id")
	line := Line{Type: webTransportMessage, TypeID: uintValue(t), Draft: int(l.d), Length: c.n,
		Fields: Fields{{"session_id", uintValue(id)}}}
	if err := c.stopped(webTransportMessage); err != nil {
		err.(*Error).Draft = l.d
		return line, 0, err
	}
	return line, c.n, nil
}

// appendWebTransport writes the prefix that a line describes.
func appendWebTransport(b []byte, line Line) ([]byte, error) {
	if line.Type == webTransportDatagram {
		w := lineWriter{d: Draft16, f: line.Fields}
		if w.varint("quarter_stream_id") > maxQuarter {
			w.fail("quarter_stream_id", fmt.Errorf("at most 2^60-1"))
		}
		if w.err != nil {
			return b, w.err
		}
		return append(b, w.b...), nil
	}
	t, err := parseCode(line.TypeID)
	if err != nil {
		return b, err
	}
	w := lineWriter{d: Draft16, f: line.Fields, b: AppendVarint(nil, Draft16, t&0x3fff)}
	w.varint("session_id")
	if w.err != nil {
		return b, w.err
	}
	return append(b, w.b...), nil
}

// maxQuarter is the largest Quarter Stream ID: stream ids are below 2^62 (RFC 9297 §2.1).
const maxQuarter = 1<<60 - 1

// quarterStreamID describes what a datagram of HTTP/3 has in front of the datagram itself: a quarter of the id of the
// CONNECT stream (RFC 9297 §2.1). It has no type.
func (l *LineDecoder) quarterStreamID() (Line, int, error) {
	c := cursor{b: l.rest, d: Draft16}
	quarter := c.varint("quarter_stream_id")
	if c.stop == running && quarter <= maxQuarter && c.n == len(c.b) {
		c.varint("type") // of which there is nothing
	}
	line := Line{Type: webTransportDatagram, Draft: int(l.d), Length: c.n,
		Fields: Fields{{"quarter_stream_id", uintValue(quarter)}}}
	err := c.stopped(webTransportDatagram)
	if err == nil && quarter > maxQuarter {
		err = &Error{Message: webTransportDatagram, Field: "quarter_stream_id", Code: ProtocolViolation,
			Reason: fmt.Sprintf("%d is a quarter of no stream id: they are below 2^62 (RFC 9297 §2.1)", quarter)}
	}
	if err != nil {
		err.(*Error).Draft = l.d
		return line, 0, err
	}
	return line, c.n, nil
}

// lookForHTTP3 finds out whether the datagram can be read as one of HTTP/3 too.
func (l *LineDecoder) lookForHTTP3() {
	if l.opt.HTTP3 {
		return
	}
	quarter, n := Varint(l.rest, Draft16)
	if n <= 0 || quarter > maxQuarter {
		return
	}
	opt := l.opt
	opt.Tolerated = nil
	_, err := describeDatagram(l.d, l.rest[n:], opt, 1)
	l.quarter, l.alsoHTTP3 = quarter, err == nil
}

// AlsoHTTP3 reports whether the datagram that Decode was given, and described or refused, would be one behind a Quarter
// Stream ID too, and which. A capture of WebTransport has it there; the bytes do not tell. See Options.HTTP3.
func (l *LineDecoder) AlsoHTTP3() (quarter uint64, ok bool) { return l.quarter, l.alsoHTTP3 }
