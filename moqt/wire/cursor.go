package wire

import (
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// cursor reads fields of a data stream from a buffer without allocating. Once it stopped, every read gives zero.
type cursor struct {
	b []byte
	d Draft
	// n bytes are read. When stopped, field is what could not be read and n where it starts.
	n     int
	stop  stopReason
	field string
	// passed are the deviations accepted so far. They are reported when the whole header is there, not at every
	// attempt.
	passed Tolerance
}

type stopReason uint8

const (
	running stopReason = iota
	short              // the buffer ended inside field
	invalid            // field is no integer (draft-17 §1.4.1)
)

func (c *cursor) varint(field string) uint64 {
	if c.stop != running {
		return 0
	}
	v, n := Varint(c.b[c.n:], c.d)
	if n <= 0 {
		c.field, c.stop = field, short
		if n < 0 {
			c.stop = invalid
		}
		return 0
	}
	c.n += n
	return v
}

func (c *cursor) uint8(field string) uint8 {
	if c.stop != running {
		return 0
	}
	if c.n >= len(c.b) {
		c.field, c.stop = field, short
		return 0
	}
	c.n++
	return c.b[c.n-1]
}

// bytes gives a view; the length is compared before anything is touched.
func (c *cursor) bytes(field string, length uint64) []byte {
	if c.stop != running {
		return nil
	}
	if length > uint64(len(c.b)-c.n) {
		c.field, c.stop = field, short
		return nil
	}
	v := c.b[c.n : c.n+int(length) : c.n+int(length)]
	c.n += int(length)
	return v
}

// result ends the reading of a header in a stream: the number of bytes it took, or ErrTruncated itself when more must
// be read.
func (c *cursor) result(message string, err error) (int, error) {
	switch {
	case err != nil:
		return 0, err
	case c.stop == short:
		return 0, ErrTruncated
	case c.stop == invalid:
		return 0, c.stopped(message)
	}
	return c.n, nil
}

// stopped explains why the cursor stopped, nil if it did not.
func (c *cursor) stopped(message string) error {
	switch c.stop {
	case short:
		return &Error{Draft: c.d, Message: message, Field: c.field, Offset: c.n, Code: ProtocolViolation,
			Reason: "truncated", Err: ErrTruncated}
	case invalid:
		return &Error{Draft: c.d, Message: message, Field: c.field, Offset: c.n, Code: ProtocolViolation,
			Rule:   rules.Integers,
			Reason: fmt.Sprintf("0x%02x does not start an integer", c.b[c.n])}
	}
	return nil
}

// tolerates reports whether a deviation is to be accepted, and notes it.
func (c *cursor) tolerates(opt *Options, t Tolerance) bool {
	if !opt.Tolerate.Has(t) {
		return false
	}
	c.passed |= t
	return true
}

// fail is a breach found in a field that starts at offset at.
func (c *cursor) fail(message, field string, at int, rule rules.ID, format string, args ...any) error {
	return &Error{Draft: c.d, Message: message, Field: field, Offset: at, Code: ProtocolViolation,
		Rule: rule, Reason: fmt.Sprintf(format, args...)}
}

// unencodable is the error of the data-stream encoders: a value that the draft has no form for.
func unencodable(d Draft, message, field, format string, args ...any) error {
	return &Error{Draft: d, Message: message, Field: field, Code: InternalError, Reason: fmt.Sprintf(format, args...)}
}

// fits reports whether the draft can encode all of the integers.
func fits(d Draft, values ...uint64) bool {
	for _, v := range values {
		if v > d.MaxVarint() {
			return false
		}
	}
	return true
}

// propertiesLengthField and propertiesField are the draft's names of the two fields of an object's properties.
func propertiesLengthField(d Draft) string {
	if d <= Draft16 {
		return "extension_headers_length"
	}
	return "properties_length"
}

func propertiesField(d Draft) string {
	if d <= Draft16 {
		return "extension_headers"
	}
	return "properties"
}
