package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What begins the streams of a WebTransport session (draft-ietf-webtrans-http3 §4.2 and §4.3).
const (
	webTransportBidi = 0x41
	webTransportUni  = 0x54
)

// The frames of HTTP/3 (RFC 9114 §7.2), and a capsule (draft-ietf-webtrans-http3 §5).
const (
	frameData    = 0x0
	frameHeaders = 0x1
	capsuleClose = 0x2843
)

// httpStream is a stream of HTTP/3 itself: the CONNECT stream, or one of control and QPACK.
type httpStream struct {
	uni     bool
	kind    uint64
	began   bool
	rest    []byte
	capsule []byte
}

// maxHTTP bounds a frame of HTTP/3 that is waited for.
const maxHTTP = 1 << 20

// take reads frames, and gives a description of each that says something of the session.
func (h *httpStream) take(data []byte) (lines []wire.Line, protocol string) {
	h.rest = append(h.rest, data...)
	if h.uni {
		if kind, n, err := quicvarint.Parse(h.rest); !h.began && err == nil {
			h.began, h.kind = true, kind
			name := map[uint64]string{0: "control", 1: "push", 2: "qpack encoder", 3: "qpack decoder"}[kind]
			lines = append(lines, httpLine("HTTP3_STREAM", n, wire.Fields{{Name: "stream_type",
				Value: strings.TrimSpace(fmt.Sprintf("0x%x %s", kind, name))}}))
		}
		if h.began {
			h.rest = nil // settings and compression are HTTP/3's
		}
		return lines, ""
	}
	for {
		kind, n, err := quicvarint.Parse(h.rest)
		if err != nil {
			return lines, protocol
		}
		length, m, err := quicvarint.Parse(h.rest[n:])
		if err != nil || length > maxHTTP || uint64(len(h.rest)-n-m) < length {
			return lines, protocol
		}
		body := h.rest[n+m : n+m+int(length)]
		h.rest = h.rest[n+m+int(length):]
		switch kind {
		case frameHeaders:
			line, chosen := headers(body, n+m+len(body))
			lines = append(lines, line)
			if chosen != "" {
				protocol = chosen
			}
		case frameData:
			h.capsule = append(h.capsule, body...)
			lines = append(lines, h.capsules()...)
		}
	}
}

func httpLine(name string, length int, fields wire.Fields) wire.Line {
	return wire.Line{Type: name, Length: length, Fields: fields}
}

// headers describes a HEADERS frame. protocol is the MoQT draft that a response has chosen.
func headers(body []byte, length int) (line wire.Line, protocol string) {
	var fields wire.Fields
	next := qpack.NewDecoder().Decode(body)
	for {
		f, err := next()
		if err != nil {
			break // the end, or what the dynamic table would tell
		}
		fields = append(fields, wire.Field{Name: f.Name, Value: f.Value})
		if strings.EqualFold(f.Name, "wt-protocol") {
			protocol = strings.Trim(f.Value, `"`)
		}
	}
	return httpLine("HTTP3_HEADERS", length, fields), protocol
}

// capsules describes those that are whole.
func (h *httpStream) capsules() (lines []wire.Line) {
	for {
		kind, n, err := quicvarint.Parse(h.capsule)
		if err != nil {
			return lines
		}
		length, m, err := quicvarint.Parse(h.capsule[n:])
		if err != nil || length > maxHTTP || uint64(len(h.capsule)-n-m) < length {
			return lines
		}
		body := h.capsule[n+m : n+m+int(length)]
		h.capsule = h.capsule[n+m+int(length):]
		if kind == capsuleClose && len(body) >= 4 {
			lines = append(lines, httpLine("CLOSE_WEBTRANSPORT_SESSION", n+m+len(body), wire.Fields{
				{Name: "code", Value: fmt.Sprint(binary.BigEndian.Uint32(body))},
				{Name: "reason", Value: string(bytes.ToValidUTF8(body[4:], []byte("?")))}}))
			continue
		}
		lines = append(lines, httpLine(fmt.Sprintf("CAPSULE_0x%x", kind), n+m+len(body),
			wire.Fields{{Name: "data_hex", Value: hex.EncodeToString(body)}}))
	}
}

// fromHTTP gives the code that WebTransport carries as an HTTP/3 error code (draft-ietf-webtrans-http3 §4.4).
func fromHTTP(code uint64) (uint64, bool) {
	const first, last = 0x52e4a40fa8db, 0x52e5ac983162
	if code < first || code > last || (code-0x21)%0x1f == 0 {
		return code, false
	}
	shifted := code - first
	return shifted - shifted/0x1f, true
}
