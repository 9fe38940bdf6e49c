package wire

import (
	"errors"
	"strconv"
)

// decodeControlLines describes the messages of a control or request stream, one line each. base is the offset of data in the whole input.
// The number is how many bytes of data were decoded.
func decodeControlLines(d Draft, stream StreamKind, data []byte, base int, opt Options) ([]Line, int, error) {
	var lines []Line
	pos := 0
	for pos < len(data) {
		m, n, err := ParseMessage(data[pos:], d, stream, opt)
		if err != nil {
			var e *Error
			if errors.As(err, &e) {
				e.Offset += base + pos
			}
			return lines, pos, err
		}
		name, code, fields, err := Describe(d, m, stream)
		if err != nil {
			return lines, pos, err
		}
		lines = append(lines, Line{Type: name, TypeID: strconv.FormatUint(code, 10), Draft: int(d), Offset: base + pos, Length: n, Fields: fields})
		pos += n
	}
	return lines, pos, nil
}

// encodeControlLine appends the message that a line describes. GOAWAY of 18 has two layouts: the line's fields tell which.
func encodeControlLine(b []byte, d Draft, line Line) ([]byte, error) {
	stream := RequestStream
	if _, ok := line.Fields.Get("request_id"); ok {
		stream = ControlStream
	}
	m, err := MessageFromFields(d, line.Type, line.Fields, stream)
	if err != nil {
		return b, err
	}
	return AppendMessage(b, d, m, stream)
}
