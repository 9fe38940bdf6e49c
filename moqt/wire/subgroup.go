package wire

import "github.com/moqinterop/moq-interop-client/moqt/rules"

// StreamType is what a unidirectional stream carries.
type StreamType uint8

// The unidirectional streams (draft-18 §3.4).
const (
	SubgroupStream   StreamType = iota + 1
	FetchStream                 // FETCH_HEADER, 0x5
	ControlUniStream            // SETUP, 0x2F00: the type is the first message's, not written twice (17 and later)
	PaddingStream               // to be discarded (18 and later)
)

// Types of padding (18 and later): the type as an integer of the draft, then zero bytes.
const (
	TypePaddingStream   = 0x132B3E28 // draft-18 §11.5.1
	TypePaddingDatagram = 0x132B3E29 // draft-18 §11.5.2
)

const (
	typeFetch = 0x05
	typeSetup = 0x2F00
)

// Bits of the type of a SUBGROUP_HEADER (draft-16 §10.4.2, draft-18 §11.4.2).
const (
	subgroupProperties      = 0x01
	subgroupIDMode          = 0x06
	subgroupEndOfGroup      = 0x08
	subgroupForm            = 0x10
	subgroupDefaultPriority = 0x20 // 15 and later
	subgroupFirstObject     = 0x40 // 18 and later
)

// validSubgroupType reports whether the draft defines t as a SUBGROUP_HEADER.
func validSubgroupType(d Draft, t uint64) bool {
	switch {
	case t >= 0x80, t&subgroupForm == 0, t&subgroupIDMode == subgroupIDMode:
		return false
	case t&subgroupDefaultPriority != 0 && d < Draft15:
		return false
	}
	return t&subgroupFirstObject == 0 || d >= Draft18
}

// ParseStreamType tells what a unidirectional stream carries by its first bytes; n is the length of the type, which the
// functions that parse headers read again. ErrTruncated means that more must be read. An *Error with ErrUnknownType
// means that the session must be closed (draft-18 §3.4).
func ParseStreamType(b []byte, d Draft) (t StreamType, n int, err error) {
	c := cursor{b: b, d: d}
	v := c.varint("type")
	switch {
	case c.stop != running:
	case v == typeFetch:
		t = FetchStream
	case validSubgroupType(d, v):
		t = SubgroupStream
	case v == typeSetup && d >= Draft17:
		t = ControlUniStream
	case v == TypePaddingStream && d >= Draft18:
		t = PaddingStream
	default:
		return 0, 0, unknownType(d, "unidirectional stream", rules.StreamType, v)
	}
	n, err = c.result("unidirectional stream", nil)
	return t, n, err
}

// unknownType is the error for a type that the draft does not define.
func unknownType(d Draft, message string, rule rules.ID, t uint64) error {
	return &Error{Draft: d, Message: message, Field: "type", Code: ProtocolViolation, Rule: rule,
		Reason: "unknown type " + typeValue(t), Err: ErrUnknownType}
}

// SubgroupIDMode says where the Subgroup ID of a stream comes from.
type SubgroupIDMode uint8

// The modes; the zero value is Subgroup 0.
const (
	SubgroupIDZero        SubgroupIDMode = iota // 0, no field
	SubgroupIDFirstObject                       // the first object's ID, no field
	SubgroupIDPresent                           // the field
)

// SubgroupHeader is SUBGROUP_HEADER, every type of it (draft-18 §11.4.2).
type SubgroupHeader struct {
	TrackAlias uint64
	GroupID    uint64
	// SubgroupID is written in mode SubgroupIDPresent only; in mode SubgroupIDFirstObject parsing leaves it 0 and the
	// first object gives it.
	SubgroupID uint64
	IDMode     SubgroupIDMode
	// Priority is the Publisher Priority; not on the wire with DefaultPriority, which 14 does not have.
	Priority        uint8
	DefaultPriority bool
	// HasProperties: every object of the stream has a block of properties, be it empty.
	HasProperties bool
	// EndOfGroup: the last object before FIN is the last of the group.
	EndOfGroup bool
	// FirstObject: the stream starts with the first object ever published in the subgroup. On the wire from 18 on,
	// ignored before.
	FirstObject bool
}

// Type is the type code in the draft.
func (h *SubgroupHeader) Type(d Draft) uint64 {
	t := uint64(subgroupForm) | uint64(h.IDMode)<<1
	for _, bit := range [...]struct {
		set bool
		bit uint64
	}{
		{h.HasProperties, subgroupProperties},
		{h.EndOfGroup, subgroupEndOfGroup},
		{h.DefaultPriority, subgroupDefaultPriority},
		{h.FirstObject && d >= Draft18, subgroupFirstObject},
	} {
		if bit.set {
			t |= bit.bit
		}
	}
	return t
}

// Objects is the state to write or read the objects that follow the header.
func (h *SubgroupHeader) Objects(d Draft) SubgroupObjects {
	return SubgroupObjects{Draft: d, HasProperties: h.HasProperties}
}

const subgroupMessage = "SUBGROUP_HEADER"

// AppendSubgroupHeader appends the header with its type. The error is an *Error: what the draft has no form for.
func AppendSubgroupHeader(b []byte, d Draft, h *SubgroupHeader) ([]byte, error) {
	t := h.Type(d)
	if !validSubgroupType(d, t) {
		return b, unencodable(d, subgroupMessage, "type", "0x%x is not defined", t)
	}
	if !fits(d, h.TrackAlias, h.GroupID) || h.IDMode == SubgroupIDPresent && !fits(d, h.SubgroupID) {
		return b, unencodable(d, subgroupMessage, "", "integer above 2^62-1")
	}
	b = AppendVarint(b, d, t)
	b = AppendVarint(b, d, h.TrackAlias)
	b = AppendVarint(b, d, h.GroupID)
	if h.IDMode == SubgroupIDPresent {
		b = AppendVarint(b, d, h.SubgroupID)
	}
	if !h.DefaultPriority {
		b = append(b, h.Priority)
	}
	return b, nil
}

// ParseSubgroupHeader reads the header with its type and tells how many bytes it took. ErrTruncated means that more
// must be read; any other error is an *Error. h is set on success only.
func ParseSubgroupHeader(b []byte, d Draft, h *SubgroupHeader) (int, error) {
	c := cursor{b: b, d: d}
	v, err := c.subgroupHeader()
	n, err := c.result(subgroupMessage, err)
	if err == nil {
		*h = v
	}
	return n, err
}

func (c *cursor) subgroupHeader() (h SubgroupHeader, err error) {
	t := c.varint("type")
	if c.stop == running && !validSubgroupType(c.d, t) {
		return h, unknownType(c.d, subgroupMessage, rules.SubgroupTypeBits, t)
	}
	h.HasProperties = t&subgroupProperties != 0
	h.EndOfGroup = t&subgroupEndOfGroup != 0
	h.DefaultPriority = t&subgroupDefaultPriority != 0
	h.FirstObject = t&subgroupFirstObject != 0
	h.IDMode = SubgroupIDMode(t & subgroupIDMode >> 1)
	h.TrackAlias = c.varint("track_alias")
	h.GroupID = c.varint("group_id")
	if h.IDMode == SubgroupIDPresent {
		h.SubgroupID = c.varint("subgroup_id")
	}
	if !h.DefaultPriority {
		h.Priority = c.uint8("publisher_priority")
	}
	return h, nil
}

// SubgroupObjects is the state of one subgroup stream, for reading or for writing; SubgroupHeader.Objects makes it. It
// is a small value, not safe for concurrent use.
type SubgroupObjects struct {
	Draft         Draft
	HasProperties bool
	// MaxProperties bounds the bytes of an object's properties that ParseHeader waits for, 0 = no bound. What is longer
	// is refused by its length alone.
	MaxProperties uint64
	// Options are for parsing.
	Options Options

	started bool
	last    uint64 // Object ID
}

const objectMessage = "OBJECT"

// ParseHeader reads the next object's header from the start of b and tells how many bytes it took; h.PayloadLength
// bytes of payload follow and are the caller's to consume. ErrTruncated means that the header is not complete: read
// more and parse again. Any other error is an *Error, and the stream is of no further use. Nothing is allocated but the
// *Error.
func (o *SubgroupObjects) ParseHeader(b []byte, h *ObjectHeader) (int, error) {
	if n := o.parseUsual(b, h); n > 0 {
		return n, nil
	}
	c := cursor{b: b, d: o.Draft}
	return c.result(objectMessage, o.parse(&c, h))
}

// usualID bounds the Object IDs of headers that are written and read without looking at the draft's limits.
const usualID = 1 << 40

// parseUsual reads what most headers are: no properties, some payload, and numbers of one or two bytes. It gives 0, and
// does nothing, for any other; parse reads those.
func (o *SubgroupObjects) parseUsual(b []byte, h *ObjectHeader) int {
	if !o.started || o.HasProperties || o.last >= usualID {
		return 0
	}
	two := twoBytes(o.Draft)
	delta, n := shortVarint(b, two)
	if n == 0 {
		return 0
	}
	size, m := shortVarint(b[n:], two)
	if m == 0 || size == 0 {
		return 0
	}
	o.last += delta + 1
	*h = ObjectHeader{Delta: delta, ObjectID: o.last, PayloadLength: size}
	return n + m
}

func (o *SubgroupObjects) parse(c *cursor, h *ObjectHeader) (err error) {
	var v ObjectHeader
	v.Delta = c.varint("object_id_delta")
	v.ObjectID = v.Delta
	if o.started {
		limit := o.Draft.MaxVarint()
		if c.stop == running && (o.last == limit || v.Delta > limit-o.last-1) { // draft-18 §11.4.2
			return c.fail(objectMessage, "object_id_delta", 0, rules.SubgroupObjectBound, "Object ID passes %d", limit)
		}
		v.ObjectID = o.last + v.Delta + 1
	}
	if o.HasProperties {
		if v.Properties, err = c.objectProperties(objectMessage, o.MaxProperties, &o.Options); err != nil {
			return err
		}
	}
	v.PayloadLength = c.varint("payload_length")
	if v.PayloadLength == 0 {
		at := c.n
		v.Status = ObjectStatus(c.varint("object_status"))
		if err := c.checkStatus(objectMessage, v.Status, len(v.Properties), at); err != nil {
			return err
		}
	}
	if c.stop == running {
		*h, o.last, o.started = v, v.ObjectID, true
		o.Options.tell(c.passed, objectMessage)
	}
	return nil
}

// AppendHeader appends the header of an object. The caller appends or streams the payload. The error is an *Error, and
// nothing is appended: an Object ID not above the last one, properties in a stream without, a status that the draft
// does not have or that cannot have a payload or properties.
func (o *SubgroupObjects) AppendHeader(b []byte, h *ObjectHeader) ([]byte, error) {
	d := o.Draft
	if o.started && h.ObjectID-o.last-1 < 1<<6 && h.ObjectID < usualID && h.Status == StatusNormal &&
		h.PayloadLength-1 < 1<<14-1 && !o.HasProperties && len(h.Properties) == 0 { // as most are: see parseUsual
		b = append(b, byte(h.ObjectID-o.last-1))
		o.last = h.ObjectID
		if two := twoBytes(d); h.PayloadLength >= uint64(two) {
			return append(b, two|byte(h.PayloadLength>>8), byte(h.PayloadLength)), nil
		}
		return append(b, byte(h.PayloadLength)), nil
	}
	delta := h.ObjectID
	if o.started {
		if h.ObjectID <= o.last {
			return b, unencodable(d, objectMessage, "object_id", "%d after %d: Object IDs must ascend in a subgroup",
				h.ObjectID, o.last)
		}
		delta = h.ObjectID - o.last - 1
	}
	if err := checkObject(d, h.Status, h.PayloadLength, len(h.Properties)); err != nil {
		return b, err
	}
	if !fits(d, h.ObjectID, h.PayloadLength) {
		return b, unencodable(d, objectMessage, "", "integer above 2^62-1")
	}
	if len(h.Properties) > 0 && !o.HasProperties {
		return b, unencodable(d, objectMessage, propertiesField(d), "the stream's type says that objects have none")
	}
	b = AppendVarint(b, d, delta)
	if o.HasProperties {
		b = AppendVarint(b, d, uint64(len(h.Properties)))
		b = append(b, h.Properties...)
	}
	b = AppendVarint(b, d, h.PayloadLength)
	if h.PayloadLength == 0 {
		b = AppendVarint(b, d, uint64(h.Status))
	}
	o.last, o.started = h.ObjectID, true
	return b, nil
}

// checkObject judges what the encoders are given.
func checkObject(d Draft, s ObjectStatus, payload uint64, properties int) error {
	switch {
	case !s.Defined(d):
		return unencodable(d, objectMessage, "object_status", "0x%x is not defined", uint64(s))
	case s != StatusNormal && payload > 0:
		return unencodable(d, objectMessage, "object_status", "an object with status %s has no payload", s)
	case properties > 0 && !s.allowsProperties(d):
		return unencodable(d, objectMessage, "object_status", "an object with status %s has no %s", s,
			propertiesField(d))
	}
	return nil
}

// EndOfStream judges the bytes left when the stream ended: nil if there are none, else an *Error that says where in the
// object's header it ended (draft-18 §11.4). For a stream that ended inside a payload the caller uses TruncatedPayload.
func (o *SubgroupObjects) EndOfStream(rest []byte) error {
	return endOfStream(o.Draft, rest, func(c *cursor) (payload uint64, err error) {
		var h ObjectHeader
		next := *o
		err = next.parse(c, &h)
		return h.PayloadLength, err
	})
}

// endOfStream judges the rest of a stream of objects that ended; parse reads an object's header.
func endOfStream(d Draft, rest []byte, parse func(*cursor) (payload uint64, err error)) error {
	if len(rest) == 0 {
		return nil
	}
	c := cursor{b: rest, d: d}
	payload, err := parse(&c)
	if err != nil {
		return err
	}
	if err := c.stopped(objectMessage); err != nil {
		err.(*Error).Rule = rules.StreamCut
		return err
	}
	return TruncatedPayload(d, c.n, payload, uint64(len(rest)-c.n))
}

// TruncatedPayload is the error for a stream that ended inside a payload, after got of its want bytes (draft-18 §11.4).
// offset is where the payload starts.
func TruncatedPayload(d Draft, offset int, want, got uint64) error {
	e := unencodable(d, objectMessage, "payload", "the stream ended after %d of %d bytes", got, want).(*Error)
	e.Offset, e.Code, e.Rule, e.Err = offset, ProtocolViolation, rules.StreamCut, ErrTruncated
	return e
}
