package wire

import "github.com/moqinterop/moq-interop-client/moqt/rules"

// ObjectHeader is what precedes the payload of one object of a subgroup stream (draft-18 §11.4.2). Parsing and
// appending allocate nothing.
type ObjectHeader struct {
	// Delta is the Object ID Delta as read. Appending computes it from ObjectID and ignores this.
	Delta    uint64
	ObjectID uint64
	// Properties is the encoded block without its length: a view into the parsed buffer, valid as long as that is.
	// ParseProperties reads it.
	Properties []byte
	// PayloadLength bytes of payload follow the header.
	PayloadLength uint64
	// Status is on the wire only when PayloadLength is 0.
	Status ObjectStatus
}

// MaxObjectHeader bounds the length of an object header, its properties left out: in a subgroup, in a fetch, and in a
// datagram.
const MaxObjectHeader = 64

// String is the name of the status in the draft's text (draft-14 §10.2.1.1, draft-19 §15.9), or its number.
func (s ObjectStatus) String() string {
	switch s {
	case StatusNormal:
		return "Normal"
	case StatusDoesNotExist:
		return "Object Does Not Exist"
	case StatusEndOfGroup:
		return "End of Group"
	case StatusEndOfTrack:
		return "End of Track"
	}
	return typeValue(uint64(s))
}

// Defined reports whether the draft has the status: 0x1 ends with 15.
func (s ObjectStatus) Defined(d Draft) bool {
	switch s {
	case StatusNormal, StatusEndOfGroup, StatusEndOfTrack:
		return true
	case StatusDoesNotExist:
		return d <= Draft15
	}
	return false
}

// allowsProperties: in 14 every object but one that does not exist may have extensions (draft-14 §10.2.1.2), later only
// Normal ones (draft-15 §10.2.1.2).
func (s ObjectStatus) allowsProperties(d Draft) bool {
	if d == Draft14 {
		return s != StatusDoesNotExist
	}
	return s == StatusNormal
}

// checkStatus judges a status read at offset at, with a block of properties of that length.
func (c *cursor) checkStatus(message string, s ObjectStatus, properties, at int) error {
	if c.stop != running {
		return nil
	}
	if !s.Defined(c.d) {
		return c.fail(message, "object_status", at, rules.StatusUnknown, "0x%x is not defined", uint64(s))
	}
	if properties > 0 && !s.allowsProperties(c.d) {
		return c.fail(message, "object_status", at, rules.StatusProperties, "an object with status %s has %s", s,
			propertiesField(c.d))
	}
	return nil
}

// checkProperties judges the form of an object's properties, which end at c.n. No type has a value rule for objects, so
// the pairs alone are looked at.
func (c *cursor) checkProperties(message string, raw []byte, opt *Options) error {
	for r := (kvReader{b: raw, d: c.d}); r.more(); {
		if err := r.next(); err != nil {
			if c.tolerates(opt, LenientExtensions) {
				return nil
			}
			e := err.(*Error)
			e.Message, e.Field, e.WouldPass = message, propertiesField(c.d)+"."+e.Field, LenientExtensions
			e.Offset += c.n - len(raw)
			return e
		}
	}
	return nil
}

// objectProperties reads a length and that many bytes. A length above limit (0 = none) is refused before the bytes are
// there.
func (c *cursor) objectProperties(message string, limit uint64, opt *Options) ([]byte, error) {
	at := c.n
	length := c.varint(propertiesLengthField(c.d))
	if c.stop != running {
		return nil, nil
	}
	if limit > 0 && length > limit {
		e := unencodable(c.d, message, propertiesLengthField(c.d), "%d bytes, this endpoint takes at most %d", length,
			limit).(*Error)
		e.Offset = at
		return nil, e
	}
	raw := c.bytes(propertiesField(c.d), length)
	if len(raw) == 0 {
		return nil, nil
	}
	return raw, c.checkProperties(message, raw, opt)
}
