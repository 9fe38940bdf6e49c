package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// Line describes one message, header or object, as `decode` prints it and `encode` reads it: one JSON object a line.
// Control messages and headers have the draft's name as Type and their type code as TypeID. The objects of a stream
// have Type "OBJECT", the markers of a fetch stream "END_OF_RANGE"; neither has a type of its own, so TypeID is that of
// their stream. What stands in front of a datagram of HTTP/3 has none at all.
type Line struct {
	Type string `json:"type"`
	// TypeID is decimal.
	TypeID string `json:"type_id"`
	Draft  int    `json:"draft"`
	// Offset counts in bytes from the start of the input. Length counts all bytes: type, length and body, or header and
	// payload.
	Offset int `json:"offset"`
	Length int `json:"length"`
	// Fields are those on the wire, in wire order, by the draft's names in snake_case. Objects and headers of data
	// streams then have the values that follow from them, as the Object ID from its delta.
	Fields Fields `json:"fields"`
	// Remarks are breaches that stop no decoder: a response of a type that does not answer Options.Answers, an object
	// that makes its track malformed. They are not read by Encode.
	Remarks []string `json:"remarks,omitempty"`
}

// Decode describes a stream from its first byte, or one datagram. With an error it returns the lines before it as well.
// The error is an *Error, with offsets from the start of data. A stream that ends inside a message, header or object is
// an error too; its cause is ErrIncomplete.
func Decode(d Draft, stream StreamKind, data []byte, opt Options) ([]Line, error) {
	return NewLineDecoder(d, stream, opt).Decode(data, true)
}

// Encode writes what the lines describe, one after the other.
func Encode(d Draft, lines []Line) ([]byte, error) {
	e := LineEncoder{Draft: d}
	var b []byte
	for i, line := range lines {
		var err error
		if b, err = e.Append(b, line); err != nil {
			return b, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return b, nil
}

// LineEncoder writes lines one by one; the zero value with a Draft is ready. It keeps the state of the data stream
// whose header it wrote last. Not safe for concurrent use.
type LineEncoder struct {
	Draft Draft

	stream dataStream
}

// Append appends the bytes that a line describes. The fields on the wire decide. All else that the line says must agree
// with them: names, type codes, lengths, ids that follow from deltas. Offset, Length and Remarks are not read. Nothing
// else is ignored, and nothing is repaired.
func (e *LineEncoder) Append(b []byte, line Line) ([]byte, error) {
	if line.Draft != 0 && line.Draft != int(e.Draft) {
		return b, fmt.Errorf("%s is of draft %d, encoding for %d", line.Type, line.Draft, uint8(e.Draft))
	}
	var err error
	switch line.Type {
	case subgroupMessage, fetchMessage, objectMessage, rangeMessage, paddingMessage, datagramMessage:
		var out []byte
		if out, err = e.data(line); err == nil {
			b = append(b, out...)
		}
	case webTransportMessage, webTransportDatagram:
		b, err = appendWebTransport(b, line)
	default:
		b, err = encodeControlLine(b, e.Draft, line)
	}
	if err != nil {
		return b, fmt.Errorf("%s: %w", line.Type, err)
	}
	return b, nil
}

// differ compares what a line says with what its bytes say, by the names in the line, and returns the first difference.
func differ(path string, said, is any) error {
	if text, ok := is.(string); ok { // text may be given as hex too
		if t, err := parseText(said); err == nil && t == text {
			return nil
		}
	}
	switch s := said.(type) {
	case Fields:
		f, ok := is.(Fields)
		if !ok {
			break
		}
		for _, x := range s {
			v, ok := f.Get(x.Name)
			if !ok {
				return fmt.Errorf("%s%s: no such field here", path, x.Name)
			}
			if err := differ(path+x.Name, x.Value, v); err != nil {
				return err
			}
		}
		return nil
	case []any:
		list, ok := is.([]any)
		if !ok || len(list) != len(s) {
			break
		}
		for i := range s {
			if err := differ(fmt.Sprintf("%s[%d].", path, i), s[i], list[i]); err != nil {
				return err
			}
		}
		return nil
	default:
		if a, b := fmt.Sprint(said), fmt.Sprint(is); strings.EqualFold(a, b) || sameCode(a, b) {
			return nil
		}
	}
	return fmt.Errorf("%s says %v, but the bytes say %v", path, said, is)
}

// sameCode lets a type code be written in decimal too.
func sameCode(a, b string) bool {
	x, err1 := parseCode(a)
	y, err2 := parseCode(b)
	return err1 == nil && err2 == nil && x == y
}

// parseCode reads a type code: 0x… or decimal.
func parseCode(v any) (uint64, error) {
	s, ok := v.(string)
	if !ok {
		return 0, fmt.Errorf("want a type code, got %v", v)
	}
	digits, base := s, 10
	if rest, found := strings.CutPrefix(strings.ToLower(s), "0x"); found {
		digits, base = rest, 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, fmt.Errorf("want a type code, got %q", s)
	}
	return n, nil
}
