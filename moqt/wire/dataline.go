package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
)

// Types of lines that are not names of messages.
const (
	rangeMessage   = "END_OF_RANGE"
	paddingMessage = "PADDING"
)

// dataStream describes one unidirectional stream of data, and reads back what was written from a description.
type dataStream struct {
	d      Draft
	opt    Options
	kind   StreamType
	typ    uint64
	header SubgroupHeader
	sub    SubgroupObjects
	fetch  FetchObjects
	order  objectOrder
	// request is the Request ID of a fetch stream.
	request uint64
}

func (s *dataStream) line(typ string, fields Fields) Line {
	return Line{Type: typ, TypeID: uintValue(s.typ), Draft: int(s.d), Fields: fields}
}

// start describes the header, with its type, and gives its length. What a padding stream has behind it, and control
// streams, are for the caller.
func (s *dataStream) start(b []byte) (line Line, n int, err error) {
	s.kind, _, err = ParseStreamType(b, s.d)
	c := cursor{b: b, d: s.d}
	s.typ = c.varint("type")
	if errors.Is(err, ErrTruncated) {
		return line, 0, c.stopped("unidirectional stream")
	}
	if err != nil {
		return line, 0, err
	}
	c.n = 0
	switch s.kind {
	case SubgroupStream:
		if s.header, err = c.subgroupHeader(); err == nil {
			err = c.stopped(subgroupMessage)
		}
		s.sub = s.header.Objects(s.d)
		s.sub.Options, s.sub.MaxProperties = s.opt, maxDescribedProperties
		s.order = objectOrder{d: s.d}
		line = s.line(subgroupMessage, describeSubgroupHeader(&s.header))
	case FetchStream:
		var id uint64
		if id, err = c.fetchHeader(); err == nil {
			err = c.stopped(fetchMessage)
		}
		s.request = id
		s.fetch = FetchObjects{Draft: s.d, Options: s.opt, MaxProperties: maxDescribedProperties}
		s.order = objectOrder{d: s.d, fetch: true, descending: s.opt.Descending}
		line = s.line(fetchMessage, Fields{{"request_id", uintValue(id)}})
	case PaddingStream:
		c.varint("type")
		line = s.line(paddingMessage, nil)
	}
	line.Length = c.n
	return line, c.n, err
}

// object reads the header of the next object, or a marker, and gives its length, that of the payload behind it, and
// what describes the whole by the beginning of the payload. A b that ends inside the header is an error.
func (s *dataStream) object(b []byte) (line Line, n int, payload uint64, fields describe, err error) {
	c := cursor{b: b, d: s.d}
	typ := objectMessage
	var malformed error
	if s.kind == FetchStream {
		var h FetchObject
		err = s.fetch.parse(&c, &h)
		payload = h.PayloadLength
		if h.Range != NoRange {
			typ = rangeMessage
		}
		fields = func(p []byte) Fields { return describeFetchObject(s.d, &s.opt, &h, p) }
		if err == nil && c.stop == running {
			malformed = s.order.fetched(&h)
		}
	} else {
		var h ObjectHeader
		first := !s.sub.started
		err = s.sub.parse(&c, &h)
		payload = h.PayloadLength
		fields = func(p []byte) Fields {
			f := describeObject(s.d, s.sub.HasProperties, &h, p)
			if first && s.header.IDMode == SubgroupIDFirstObject {
				f = append(f, Field{"subgroup_id", uintValue(h.ObjectID)})
			}
			return f
		}
		if err == nil && c.stop == running {
			malformed = s.order.object(Location{s.header.GroupID, h.ObjectID}, h.Status, h.Properties)
		}
	}
	if err == nil {
		err = c.stopped(objectMessage)
	}
	if err != nil {
		return line, 0, 0, nil, err
	}
	line = s.line(typ, nil)
	line.malformed(s.d, malformed)
	return line, c.n, payload, fields, nil
}

func describeSubgroupHeader(h *SubgroupHeader) Fields {
	f := Fields{{"track_alias", uintValue(h.TrackAlias)}, {"group_id", uintValue(h.GroupID)}}
	if h.IDMode == SubgroupIDPresent {
		f = append(f, Field{"subgroup_id", uintValue(h.SubgroupID)})
	}
	if !h.DefaultPriority {
		f = append(f, Field{"publisher_priority", uintValue(uint64(h.Priority))})
	}
	if h.IDMode == SubgroupIDZero {
		f = append(f, Field{"subgroup_id", "0"})
	}
	if h.EndOfGroup {
		f = append(f, Field{"end_of_group", true})
	}
	if h.FirstObject {
		f = append(f, Field{"first_object", true})
	}
	return f
}

func describeObject(d Draft, hasProperties bool, h *ObjectHeader, payload []byte) Fields {
	f := Fields{{"object_id_delta", uintValue(h.Delta)}}
	if hasProperties {
		f = append(f, describeObjectProperties(d, h.Properties)...)
	}
	f = append(f, Field{"payload_length", uintValue(h.PayloadLength)})
	if h.PayloadLength == 0 {
		f = append(f, Field{"object_status", uintValue(uint64(h.Status))})
	}
	return append(f, payloadField(payload, h.PayloadLength), Field{"object_id", uintValue(h.ObjectID)})
}

// payloadField shows a payload of that size, or the beginning of one.
func payloadField(shown []byte, size uint64) Field {
	if uint64(len(shown)) < size {
		return Field{"payload_start_hex", hex.EncodeToString(shown)}
	}
	return Field{"payload_hex", hex.EncodeToString(shown)}
}

// What is described of an object's properties: a longer block is refused by its length, more than so many are shown as
// bytes alone.
const (
	maxDescribedProperties = 1 << 20
	maxListedProperties    = 1000
)

// describeObjectProperties gives the length, the list if the block is not empty, and the bytes too where the list alone
// would not give them back.
func describeObjectProperties(d Draft, raw []byte) Fields {
	f := Fields{{propertiesLengthField(d), uintValue(uint64(len(raw)))}}
	if len(raw) == 0 {
		return f
	}
	// What does not parse was judged before: where it was let pass, the bytes show it.
	props, _ := ParseProperties(raw, d, ObjectScope, Options{Tolerate: LenientExtensions})
	props = props[:min(len(props), maxListedProperties)]
	f = append(f, Field{propertiesField(d), describeProperties(d, props, ObjectScope)})
	if again, err := AppendProperties(nil, d, props); err != nil || !bytes.Equal(again, raw) {
		f = append(f, Field{propertiesField(d) + "_hex", hex.EncodeToString(raw)})
	}
	return f
}

// describeFetchObject tells apart what is on the wire, by the flags, and what follows from it.
func describeFetchObject(d Draft, opt *Options, h *FetchObject, payload []byte) Fields {
	var wire, derived Fields
	deltas := d >= Draft18
	id := func(present bool, name string, value, delta uint64) {
		switch {
		case present && deltas:
			wire = append(wire, Field{name + "_delta", uintValue(delta)})
			derived = append(derived, Field{name, uintValue(value)})
		case present:
			wire = append(wire, Field{name, uintValue(value)})
		default:
			derived = append(derived, Field{name, uintValue(value)})
		}
	}
	if d >= Draft15 {
		wire = append(wire, Field{"serialization_flags", uintValue(h.Flags)})
	}
	flags := h.Flags
	if d == Draft14 {
		flags = fetchGroupID | fetchSubgroupPresent | fetchObjectID | fetchPriority
	}
	if h.Range != NoRange {
		asObject := opt.Tolerate.Has(EndOfRangeDeltas)
		deltas = deltas && asObject
		id(true, "group_id", h.Group, h.GroupDelta)
		id(true, "object_id", h.Object, h.ObjectDelta)
		if asObject {
			wire = append(wire, Field{"payload_length", "0"})
		}
		return append(append(wire, derived...), Field{"range", h.Range.String()})
	}
	id(flags&fetchGroupID != 0, "group_id", h.Group, h.GroupDelta)
	switch {
	case h.Datagram:
		derived = append(derived, Field{"datagram", true})
	case flags&fetchSubgroupMode == fetchSubgroupPresent:
		wire = append(wire, Field{"subgroup_id", uintValue(h.Subgroup)})
	default:
		derived = append(derived, Field{"subgroup_id", uintValue(h.Subgroup)})
	}
	id(flags&fetchObjectID != 0, "object_id", h.Object, h.ObjectDelta)
	priority := Field{"publisher_priority", uintValue(uint64(h.Priority))}
	if flags&fetchPriority != 0 {
		wire = append(wire, priority)
	} else {
		derived = append(derived, priority)
	}
	if h.HasProperties {
		wire = append(wire, describeObjectProperties(d, h.Properties)...)
	}
	wire = append(wire, Field{"payload_length", uintValue(h.PayloadLength)})
	if h.PayloadLength == 0 && (d <= Draft15 || opt.Tolerate.Has(FetchObjectStatus)) {
		wire = append(wire, Field{"object_status", uintValue(uint64(h.Status))})
	}
	wire = append(wire, payloadField(payload, h.PayloadLength))
	return append(wire, derived...)
}

// describePadding shows how much padding there is, and the first bytes where not all are zero (shown is nil if they
// are).
func describePadding(size uint64, shown []byte) Fields {
	f := Fields{{"padding_length", uintValue(size)}}
	switch {
	case shown == nil:
		return f
	case uint64(len(shown)) < size:
		return append(f, Field{"padding_start_hex", hex.EncodeToString(shown)})
	}
	return append(f, Field{"padding_hex", hex.EncodeToString(shown)})
}

// describeAllPadding is describePadding for all of it.
func describeAllPadding(b []byte) Fields {
	if allZero(b) {
		return describePadding(uint64(len(b)), nil)
	}
	return describePadding(uint64(len(b)), b)
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// describeDatagram describes one datagram, padding included, with the first max bytes of its payload (0 = all).
func describeDatagram(d Draft, b []byte, opt Options, max int) (Line, error) {
	c := cursor{b: b, d: d}
	t := c.varint("type")
	line := Line{Type: datagramMessage, TypeID: uintValue(t), Draft: int(d), Length: len(b)}
	var g Datagram
	switch err := ParseDatagram(b, d, opt, &g); {
	case errors.Is(err, ErrPadding):
		line.Type, line.Fields = paddingMessage, describeAllPadding(b[c.n:])
		return line, nil
	case err != nil:
		return line, err
	}
	f := Fields{{"track_alias", uintValue(g.TrackAlias)}, {"group_id", uintValue(g.GroupID)}}
	if !g.ZeroObjectID {
		f = append(f, Field{"object_id", uintValue(g.ObjectID)})
	}
	if !g.DefaultPriority {
		f = append(f, Field{"publisher_priority", uintValue(uint64(g.Priority))})
	}
	if len(g.Properties) > 0 {
		f = append(f, describeObjectProperties(d, g.Properties)...)
	}
	if g.HasStatus {
		f = append(f, Field{"object_status", uintValue(uint64(g.Status))})
	} else {
		shown := g.Payload
		if max > 0 && len(shown) > max {
			shown = shown[:max]
		}
		f = append(f, payloadField(shown, uint64(len(g.Payload))))
	}
	if g.ZeroObjectID {
		f = append(f, Field{"object_id", "0"})
	}
	if g.EndOfGroup {
		f = append(f, Field{"end_of_group", true})
	}
	line.Fields = f
	line.malformed(d, MalformedObject(g.Properties, d, Location{g.GroupID, g.ObjectID}))
	return line, nil
}
