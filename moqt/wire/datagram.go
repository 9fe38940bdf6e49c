package wire

import (
	"errors"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// Bits of the type of an OBJECT_DATAGRAM (draft-16 §10.3.1, draft-18 §11.3.1).
const (
	datagramProperties      = 0x01
	datagramEndOfGroup      = 0x02
	datagramZeroObjectID    = 0x04
	datagramDefaultPriority = 0x08 // 15 and later
	datagramStatus          = 0x20
)

// ErrPadding is what ParseDatagram returns for a padding datagram: discard it (draft-18 §11.5.2).
var ErrPadding = errors.New("padding datagram")

// validDatagramType reports whether the draft defines t as an OBJECT_DATAGRAM.
func validDatagramType(d Draft, t uint64) bool {
	const all = datagramProperties | datagramEndOfGroup | datagramZeroObjectID | datagramDefaultPriority |
		datagramStatus
	switch {
	case t&^uint64(all) != 0:
		return false
	case t&datagramStatus != 0 && t&datagramEndOfGroup != 0:
		return false
	case d == Draft14: // draft-14 §10.3.1: 0x00-0x07, 0x20, 0x21
		return t&datagramDefaultPriority == 0 && (t&datagramStatus == 0 || t&datagramZeroObjectID == 0)
	}
	return true
}

// Datagram is OBJECT_DATAGRAM, every type of it (draft-18 §11.3.1): one object with its header.
type Datagram struct {
	TrackAlias uint64
	GroupID    uint64
	ObjectID   uint64
	// ZeroObjectID leaves out the Object ID, which is 0 then. 14 cannot leave it out with HasStatus.
	ZeroObjectID bool
	// Priority is the Publisher Priority; not on the wire with DefaultPriority, which 14 does not have.
	Priority        uint8
	DefaultPriority bool
	// EndOfGroup: the object is the last of its group. Not with HasStatus.
	EndOfGroup bool
	// Properties is the encoded block without its length, a view into the parsed datagram; none when empty.
	Properties []byte
	// HasStatus: the datagram has Status instead of a payload.
	HasStatus bool
	Status    ObjectStatus
	// Payload is a view into the parsed datagram.
	Payload []byte
}

// Type is the type code.
func (g *Datagram) Type() uint64 {
	var t uint64
	for _, bit := range [...]struct {
		set bool
		bit uint64
	}{
		{len(g.Properties) > 0, datagramProperties},
		{g.EndOfGroup, datagramEndOfGroup},
		{g.ZeroObjectID, datagramZeroObjectID},
		{g.DefaultPriority, datagramDefaultPriority},
		{g.HasStatus, datagramStatus},
	} {
		if bit.set {
			t |= bit.bit
		}
	}
	return t
}

const datagramMessage = "OBJECT_DATAGRAM"

// AppendDatagram appends the whole datagram. The error is an *Error, and nothing is appended: a combination that the
// draft has no type for, a status with a payload, properties on an object whose status does not allow them.
func AppendDatagram(b []byte, d Draft, g *Datagram) ([]byte, error) {
	t := g.Type()
	switch {
	case !validDatagramType(d, t):
		return b, unencodable(d, datagramMessage, "type", "0x%x is not defined", t)
	case !fits(d, g.TrackAlias, g.GroupID, g.ObjectID):
		return b, unencodable(d, datagramMessage, "", "integer above 2^62-1")
	case g.ZeroObjectID && g.ObjectID != 0:
		return b, unencodable(d, datagramMessage, "object_id", "%d cannot be left out, only 0 can", g.ObjectID)
	case g.HasStatus && len(g.Payload) > 0:
		return b, unencodable(d, datagramMessage, "object_status", "stands in place of a payload")
	case !g.HasStatus && g.Status != StatusNormal:
		return b, unencodable(d, datagramMessage, "object_status", "%s needs HasStatus", g.Status)
	}
	if err := checkObject(d, g.Status, 0, len(g.Properties)); err != nil {
		return b, err
	}
	b = AppendVarint(b, d, t)
	b = AppendVarint(b, d, g.TrackAlias)
	b = AppendVarint(b, d, g.GroupID)
	if !g.ZeroObjectID {
		b = AppendVarint(b, d, g.ObjectID)
	}
	if !g.DefaultPriority {
		b = append(b, g.Priority)
	}
	if len(g.Properties) > 0 {
		b = AppendVarint(b, d, uint64(len(g.Properties)))
		b = append(b, g.Properties...)
	}
	if g.HasStatus {
		return AppendVarint(b, d, uint64(g.Status)), nil
	}
	return append(b, g.Payload...), nil
}

// ParseDatagram reads a whole datagram. ErrPadding means that it is padding; any other error is an *Error, with
// ErrTruncated as its cause when the datagram is too short. g is set on success only; nothing is allocated but the
// *Error.
func ParseDatagram(b []byte, d Draft, opt Options, g *Datagram) error {
	c := cursor{b: b, d: d}
	v, err := c.datagram(&opt)
	if err == nil {
		err = c.stopped(datagramMessage)
	}
	if err == nil {
		*g = v
		opt.tell(c.passed, datagramMessage)
	}
	return err
}

func (c *cursor) datagram(opt *Options) (g Datagram, err error) {
	t := c.varint("type")
	if c.stop == running && !validDatagramType(c.d, t) {
		if t == TypePaddingDatagram && c.d >= Draft18 {
			return g, ErrPadding
		}
		return g, unknownType(c.d, datagramMessage, rules.DatagramTypeBits, t)
	}
	g.EndOfGroup = t&datagramEndOfGroup != 0
	g.ZeroObjectID = t&datagramZeroObjectID != 0
	g.DefaultPriority = t&datagramDefaultPriority != 0
	g.HasStatus = t&datagramStatus != 0
	g.TrackAlias = c.varint("track_alias")
	g.GroupID = c.varint("group_id")
	if !g.ZeroObjectID {
		g.ObjectID = c.varint("object_id")
	}
	if !g.DefaultPriority {
		g.Priority = c.uint8("publisher_priority")
	}
	if t&datagramProperties != 0 {
		at := c.n
		if g.Properties, err = c.objectProperties(datagramMessage, 0, opt); err != nil {
			return g, err
		}
		if c.stop == running && len(g.Properties) == 0 {
			return g, c.fail(datagramMessage, propertiesLengthField(c.d), at, rules.DatagramPropertiesEmpty,
				"0, but the type says that there are %s", propertiesField(c.d))
		}
	}
	if !g.HasStatus {
		g.Payload = c.bytes("payload", uint64(len(c.b)-c.n))
		return g, nil
	}
	at := c.n
	g.Status = ObjectStatus(c.varint("object_status"))
	if err := c.checkStatus(datagramMessage, g.Status, len(g.Properties), at); err != nil {
		return g, err
	}
	if c.stop == running && c.n < len(c.b) {
		return g, c.fail(datagramMessage, "object_status", c.n, rules.StatusEmpty,
			"%d bytes after the status, which has no payload", len(c.b)-c.n)
	}
	return g, nil
}
