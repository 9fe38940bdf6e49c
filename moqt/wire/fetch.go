package wire

import "github.com/moqinterop/moq-interop-client/moqt/rules"

// RangeKind says whether an item of a fetch stream is an object or the end of a range without objects (draft-18
// §11.4.4.2).
type RangeKind uint8

// The kinds; the zero value is an object.
const (
	NoRange          RangeKind = iota
	NonExistentRange           // flags 0x8C: the objects do not exist (16 and later)
	UnknownRange               // flags 0x10C: their status is unknown (16 and later)
	TimedOutRange              // flags 0x20C: not known in time (20 and later)
)

// flags is the Serialization Flags value of a marker.
func (r RangeKind) flags() uint64 {
	switch r {
	case NonExistentRange:
		return 0x8C
	case UnknownRange:
		return 0x10C
	case TimedOutRange:
		return 0x20C
	}
	return 0
}

// String is the name of the flags value: "End of Unknown Range".
func (r RangeKind) String() string {
	switch r {
	case NonExistentRange:
		return "End of Non-Existent Range"
	case UnknownRange:
		return "End of Unknown Range"
	case TimedOutRange:
		return "End of Timed-Out Range"
	}
	return "object"
}

// rangeOf finds the marker of a flags value.
func rangeOf(d Draft, flags uint64) RangeKind {
	switch {
	case d < Draft16:
	case flags == NonExistentRange.flags():
		return NonExistentRange
	case flags == UnknownRange.flags():
		return UnknownRange
	case flags == TimedOutRange.flags() && d >= Draft20:
		return TimedOutRange
	}
	return NoRange
}

// Bits of the Serialization Flags (draft-15 §10.4.4, draft-18 §11.4.4.1).
const (
	fetchSubgroupMode = 0x03
	fetchObjectID     = 0x04
	fetchGroupID      = 0x08
	fetchPriority     = 0x10
	fetchProperties   = 0x20
	fetchDatagram     = 0x40 // 16 and later
)

// Values of the two lowest bits.
const (
	fetchSubgroupZero = iota
	fetchSubgroupPrior
	fetchSubgroupNext
	fetchSubgroupPresent
)

const fetchMessage = "FETCH_HEADER"

// AppendFetchHeader appends FETCH_HEADER with its type. The error is an *Error: the Request ID has no form in the
// draft.
func AppendFetchHeader(b []byte, d Draft, requestID uint64) ([]byte, error) {
	if !fits(d, requestID) {
		return b, unencodable(d, fetchMessage, "request_id", "integer above 2^62-1")
	}
	return AppendVarint(AppendVarint(b, d, typeFetch), d, requestID), nil
}

// ParseFetchHeader reads FETCH_HEADER with its type and tells how many bytes it took. ErrTruncated means that more must
// be read; any other error is an *Error.
func ParseFetchHeader(b []byte, d Draft) (requestID uint64, n int, err error) {
	c := cursor{b: b, d: d}
	requestID, err = c.fetchHeader()
	n, err = c.result(fetchMessage, err)
	return requestID, n, err
}

func (c *cursor) fetchHeader() (requestID uint64, err error) {
	t := c.varint("type")
	if c.stop == running && t != typeFetch {
		return 0, unknownType(c.d, fetchMessage, rules.FetchFlags, t)
	}
	return c.varint("request_id"), nil
}

// FetchObject is one item of a fetch stream: an object's header, or the end of a range.
type FetchObject struct {
	// Group and Object are absolute in every draft.
	Group, Object uint64
	// Subgroup is 0 for a Datagram object of 16 and later; up to 15 such an object has its Object ID here (draft-14
	// §10.4.4) and cannot be told apart.
	Subgroup uint64
	Priority uint8
	// Datagram: the Forwarding Preference is Datagram. Parsing sets it from 16 on.
	Datagram bool
	// Properties is the encoded block without its length: a view into the parsed buffer. HasProperties: the block is
	// there, be it empty (14: always).
	Properties    []byte
	HasProperties bool
	// PayloadLength bytes of payload follow the header. 0 in a marker, which has no such field.
	PayloadLength uint64
	// Status is on the wire up to 15, when PayloadLength is 0.
	Status ObjectStatus
	// Range is not NoRange for a marker, which has only Group and Object.
	Range RangeKind
	// Flags are the Serialization Flags as read (none in 14). Appending chooses them, unless KeepFlags is set.
	Flags     uint64
	KeepFlags bool
	// GroupDelta and ObjectDelta are the fields as read where Flags say that they are there (18 and later). Appending
	// computes them and ignores these.
	GroupDelta, ObjectDelta uint64
}

// FetchObjects is the state of one fetch stream, for reading or for writing. It is a small value, not safe for
// concurrent use.
type FetchObjects struct {
	Draft Draft
	// MaxProperties bounds the bytes of an object's properties that ParseHeader waits for, 0 = no bound. What is longer
	// is refused by its length alone.
	MaxProperties uint64
	// Options: Descending is needed from 18 on, in both directions; the others are for parsing.
	Options Options

	items         bool // an object or marker came before: there is a prior Group ID and Object ID
	objects       bool // an object came before: there is a prior Subgroup ID and Priority
	datagram      bool // the last object was a Datagram object
	group, object uint64
	subgroup      uint64
	priority      uint8
}

// took makes an item the prior one. After a marker, Subgroup and Priority are those of the last object (draft-17
// §10.4.4.2; 16 is silent). What the prior Subgroup ID is after a Datagram object, which has none, no draft says: it
// reads as 0, and is never referred to in writing.
func (o *FetchObjects) took(h *FetchObject) {
	o.items, o.group, o.object = true, h.Group, h.Object
	if h.Range != NoRange {
		return
	}
	o.objects, o.priority, o.datagram, o.subgroup = true, h.Priority, h.Datagram, h.Subgroup
	if h.Datagram {
		o.subgroup = 0
	}
}

// EndOfStream is SubgroupObjects.EndOfStream for a fetch stream.
func (o *FetchObjects) EndOfStream(rest []byte) error {
	return endOfStream(o.Draft, rest, func(c *cursor) (payload uint64, err error) {
		var h FetchObject
		next := *o
		err = next.parse(c, &h)
		return h.PayloadLength, err
	})
}
