package wire

import "fmt"

// encodeControlLine appends the message that a line describes; all else that the line says must agree with the message.
// GOAWAY of 18 has two layouts: the fields of the line tell which.
func encodeControlLine(b []byte, d Draft, line Line) ([]byte, error) {
	stream := RequestStream
	if _, ok := line.Fields.Get("request_id"); ok {
		stream = ControlStream
	}
	m, err := MessageFromFields(d, line.Type, line.Fields, stream)
	if err != nil {
		return b, err
	}
	out, err := AppendMessage(b, d, m, stream)
	if err != nil {
		return b, err
	}
	_, code, fields, err := Describe(d, m, stream)
	if err != nil {
		return b, err
	}
	if line.TypeID != "" && !sameCode(line.TypeID, uintValue(code)) {
		return b, fmt.Errorf("type_id says %s, but the type is %d", line.TypeID, code)
	}
	if err := differ("", line.Fields, fields); err != nil {
		return b, err
	}
	return out, nil
}
