package wire

// A stream of a WebTransport session over HTTP/3 begins with a prefix of its own: a type, and the session's id, both
// integers of RFC 9000 (draft-ietf-webtrans-http3). A capture of the QUIC connection has it before the stream's own
// bytes.
const (
	typeWebTransportUni  = 0x54
	typeWebTransportBidi = 0x41
)

const webTransportMessage = "WEBTRANSPORT_STREAM"

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
