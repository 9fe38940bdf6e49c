package wire

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// op is what a coder does with the fields of a message.
type op uint8

const (
	opDecode   op = iota // bytes -> struct
	opEncode             // struct -> bytes
	opDescribe           // struct -> names and values
	opParse              // names and values -> struct
)

// coder runs over the fields of one message. Its error is sticky: the first one stays, later calls do nothing.
type coder struct {
	op     op
	draft  Draft
	stream StreamKind
	row    *row
	opt    *Options

	in   []byte // decode: the body, or the part of it being read
	part string // decode: "parameter" while in is the value of one
	pos  int    // decode: next byte of in
	base int    // decode: offset of in[0] in the caller's input
	at   int    // decode: offset of what was read last, for errors: they point to where the field begins

	out   []byte   // encode
	desc  Fields   // describe: the fields so far; parse: the description being read
	used  []string // parse: the names in desc that have been read
	path  string   // prefix of field names, inside nested values
	fixed []ParameterType
	err   *Error
	// unchecked: an encoder that writes what the draft forbids, see AppendUnchecked.
	unchecked bool
}

func (c *coder) reading() bool { return c.op == opDecode || c.op == opParse }

// fail records the first breach.
func (c *coder) fail(field string, code SessionError, rule rules.ID, reason string) {
	if c.err != nil || c.unchecked && code != InternalError {
		return
	}
	name := "message"
	if c.row != nil {
		name = c.row.name
	}
	offset := c.at
	if c.op == opEncode {
		offset = len(c.out)
	}
	c.err = &Error{Draft: c.draft, Message: name, Field: c.path + field, Offset: offset, Code: code, Rule: rule,
		Reason: reason}
}

func (c *coder) failf(field string, code SessionError, rule rules.ID, format string, args ...any) {
	if c.err == nil {
		c.fail(field, code, rule, fmt.Sprintf(format, args...))
	}
}

// truncated is the error for a body that ends inside a field: Message Length is shorter than the fields (draft-18 §10).
func (c *coder) truncated(field string) {
	c.fail(field, ProtocolViolation, rules.MessageType, "truncated: the "+c.whole()+" ends here")
}

// whole says what in is all of.
func (c *coder) whole() string {
	if c.part != "" {
		return c.part
	}
	return "message"
}

// state adds a field to the description.
func (c *coder) state(name string, v any) { c.desc = append(c.desc, Field{name, v}) }

// take finds a field in the description being read.
func (c *coder) take(name string) any {
	v, ok := c.desc.Get(name)
	if !ok {
		c.fail(name, InternalError, "", "missing")
		return nil
	}
	c.used = append(c.used, name)
	return v
}

func (c *coder) takeUint(name string) uint64 {
	v := c.take(name)
	if c.err != nil {
		return 0
	}
	n, err := parseUint(v)
	if err != nil {
		c.fail(name, InternalError, "", err.Error())
	}
	return n
}

func parseUint(v any) (uint64, error) {
	s, ok := v.(string)
	if !ok {
		return 0, fmt.Errorf("want a decimal string, got %v", v)
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("want a decimal string, got %q", s)
	}
	return n, nil
}

// parseText reads a string, or {"hex": …}.
func parseText(v any) (string, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case Fields:
		if h, ok := x.Get("hex"); ok && len(x) == 1 {
			b, err := parseHex(h)
			return string(b), err
		}
	}
	return "", fmt.Errorf(`want a string or {"hex": …}, got %v`, v)
}

func parseHex(v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("want hex, got %v", v)
	}
	return hex.DecodeString(s)
}

// readVarint reads an integer of the draft.
func (c *coder) readVarint(field string) uint64 {
	if c.err != nil {
		return 0
	}
	c.at = c.base + c.pos
	v, n := Varint(c.in[c.pos:], c.draft)
	switch {
	case n < 0:
		c.failf(field, ProtocolViolation, c.draft.integerRule(), "0x%02x is not a valid first byte of an integer",
			c.in[c.pos])
		return 0
	case n == 0:
		c.truncated(field)
		return 0
	}
	c.pos += n
	return v
}

// readBytes returns a view of the input; callers copy what they keep.
func (c *coder) readBytes(field string, n uint64) []byte {
	if c.err != nil {
		return nil
	}
	c.at = c.base + c.pos
	if n > uint64(len(c.in)-c.pos) {
		c.failf(field, ProtocolViolation, rules.MessageType,
			"truncated: length %d, but %d bytes are left in the %s", n, len(c.in)-c.pos, c.whole())
		return nil
	}
	b := c.in[c.pos : c.pos+int(n)]
	c.pos += int(n)
	return b
}

func (c *coder) writeVarint(field string, v uint64) {
	if c.err != nil {
		return
	}
	if v > c.draft.MaxVarint() {
		c.failf(field, InternalError, rules.Integers, "%d does not fit the draft's integers", v)
		return
	}
	c.out = AppendVarint(c.out, c.draft, v)
}

// varint is a field of type (i) or (vi64).
func (c *coder) varint(name string, v *uint64) {
	if c.err != nil {
		return
	}
	switch c.op {
	case opDecode:
		*v = c.readVarint(name)
	case opEncode:
		c.writeVarint(name, *v)
	case opDescribe:
		c.state(name, uintValue(*v))
	case opParse:
		*v = c.takeUint(name)
	}
}

// uint8 is a field of type (8).
func (c *coder) uint8(name string, v *uint8) {
	if c.err != nil {
		return
	}
	switch c.op {
	case opDecode:
		if b := c.readBytes(name, 1); len(b) == 1 {
			*v = b[0]
		}
	case opEncode:
		c.out = append(c.out, *v)
	case opDescribe:
		c.state(name, uintValue(uint64(*v)))
	case opParse:
		n := c.takeUint(name)
		if n > 255 {
			c.failf(name, InternalError, "", "%d does not fit one byte", n)
		}
		*v = uint8(n)
	}
}

// text is a length and that many bytes, shown as text, at most max of them. With max 0 the message alone is the limit.
func (c *coder) text(name string, v *string, max int) {
	if c.err != nil {
		return
	}
	start := c.base + c.pos
	switch c.op {
	case opDecode:
		n := c.readVarint(name)
		if c.err == nil && max > 0 && n > uint64(max) {
			c.tooLong(name, n, max)
			return
		}
		*v = string(c.readBytes(name, n))
		c.at = start
	case opEncode:
		c.writeVarint(name, uint64(len(*v)))
		c.out = append(c.out, *v...)
	case opDescribe:
		c.state(name, textValue(*v))
	case opParse:
		s, err := parseText(c.take(name))
		if err != nil {
			c.fail(name, InternalError, "", err.Error())
		}
		*v = s
	}
	if max > 0 && len(*v) > max {
		c.tooLong(name, uint64(len(*v)), max)
	}
}

func (c *coder) tooLong(name string, n uint64, max int) {
	rule := rules.ReasonLength
	if max == maxGoawayURI {
		rule = rules.GoawayURILength
	}
	c.failf(name, ProtocolViolation, rule, "%d bytes long, at most %d are allowed", n, max)
}

// Limits of the text (draft-18 §1.4.4, §10.4).
const (
	maxReason    = 1024
	maxGoawayURI = 8192
)

// reason is a Reason Phrase: at most 1024 bytes (draft-18 §1.4.4).
func (c *coder) reason(v *string) { c.text("error_reason", v, maxReason) }

func (c *coder) location(name string, l *Location) {
	if c.err != nil {
		return
	}
	c.object(name, func() {
		c.varint("group", &l.Group)
		c.varint("object", &l.Object)
	})
}

// object is a nested structure. On the wire its fields follow one another; in the description it is an object.
func (c *coder) object(name string, fields func()) {
	if c.err != nil {
		return
	}
	path, desc := c.path, c.desc
	c.path += name + "."
	switch c.op {
	case opDescribe:
		c.desc = nil
		fields()
		inner := c.desc
		c.desc = append(desc, Field{name, inner})
	case opParse:
		c.path = path
		v, ok := c.take(name).(Fields)
		if c.err != nil {
			return
		}
		if !ok {
			c.fail(name, InternalError, "", "want an object")
			return
		}
		used := c.used
		c.path += name + "."
		c.desc, c.used = v, nil
		fields()
		c.allTaken()
		c.desc, c.used = desc, used
	default:
		fields()
	}
	c.path = path
}

// allTaken refuses a description with names that the message does not have, or with a name given twice.
func (c *coder) allTaken() {
	for i, f := range c.desc {
		switch {
		case c.err != nil:
			return
		case !slices.Contains(c.used, f.Name):
			c.fail(f.Name, InternalError, "", "no such field here")
		case slices.ContainsFunc(c.desc[:i], func(g Field) bool { return g.Name == f.Name }):
			c.fail(f.Name, InternalError, "", "given twice")
		}
	}
}

// versions is the list of versions in CLIENT_SETUP of 14 (draft-14 §9.3).
func (c *coder) versions(v *[]uint64) {
	const name = "supported_versions"
	if c.err != nil {
		return
	}
	switch c.op {
	case opDecode:
		n := c.readVarint(name)
		for i := uint64(0); i < n && c.err == nil; i++ {
			*v = append(*v, c.readVarint(name))
		}
	case opEncode:
		c.writeVarint(name, uint64(len(*v)))
		for _, x := range *v {
			c.writeVarint(name, x)
		}
	case opDescribe:
		list := []any{}
		for _, x := range *v {
			list = append(list, uintValue(x))
		}
		c.state(name, list)
	case opParse:
		list, ok := c.take(name).([]any)
		if !ok {
			c.fail(name, InternalError, "", "want a list")
		}
		for _, x := range list {
			n, err := parseUint(x)
			if err != nil {
				c.fail(name, InternalError, "", err.Error())
			}
			*v = append(*v, n)
		}
	}
}
