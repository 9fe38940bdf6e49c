package wire

import (
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// Property is one Key-Value-Pair of a track or an object (called extension header in drafts 14-16, draft-18 §2.5), or
// one setup parameter or option. Even types carry Uint, odd types carry Bytes (draft-18 §1.4.3).
type Property struct {
	Type  uint64
	Uint  uint64
	Bytes []byte
}

// Properties is a list in wire order. From draft 16 on types are written as deltas, so encoding needs ascending order.
type Properties []Property

// Scope says whether properties belong to a track or to an object (draft-18 §15.8). Zero is neither: plain
// Key-Value-Pairs, as setup options are.
type Scope uint8

// The two scopes.
const (
	TrackScope Scope = 1 << iota
	ObjectScope
)

// Property types of tracks and objects (draft-18 §12, draft-22 §10). The names are the newest draft's.
const (
	PropObjectDeliveryTimeout    = 0x02
	PropMaxCacheDuration         = 0x04
	PropSubgroupDeliveryTimeout  = 0x06
	PropImmutable                = 0x0B
	PropDefaultPublisherPriority = 0x0E
	PropDefaultGroupOrder        = 0x22
	PropDynamicGroups            = 0x30
	PropPriorGroupIDGap          = 0x3C
	PropPriorObjectIDGap         = 0x3E
)

// maxKeyValue is the longest byte value of a Key-Value-Pair (draft-18 §1.4.3).
const maxKeyValue = 1<<16 - 1

// Get finds the first property of a type in the list itself. For tracks and objects use Lookup, which also looks inside
// Immutable Properties. It is the caller's to know whether to read Uint or Bytes.
func (p Properties) Get(t uint64) (Property, bool) {
	for _, x := range p {
		if x.Type == t {
			return x, true
		}
	}
	return Property{}, false
}

// Lookup finds a property of a track or an object, also inside Immutable Properties when not found outside (draft-18
// §12.7 wants both searched).
func (p Properties) Lookup(d Draft, t uint64) (Property, bool) {
	if x, ok := p.Get(t); ok {
		return x, true
	}
	for _, x := range p {
		if x.Type == PropImmutable {
			if y, ok := findKeyValue(x.Bytes, d, t); ok {
				return y, true
			}
		}
	}
	return Property{}, false
}

// LookupProperty is Properties.Lookup on an encoded block, without allocating. Bytes of the result is a view into raw.
func LookupProperty(raw []byte, d Draft, t uint64) (Property, bool) {
	if x, ok := findKeyValue(raw, d, t); ok {
		return x, true
	}
	for r := (kvReader{b: raw, d: d}); r.more(); {
		if r.next() != nil {
			break
		}
		if r.pair.Type == PropImmutable {
			if x, ok := findKeyValue(r.pair.Bytes, d, t); ok {
				return x, true
			}
		}
	}
	return Property{}, false
}

func findKeyValue(raw []byte, d Draft, t uint64) (Property, bool) {
	for r := (kvReader{b: raw, d: d}); r.more(); {
		if r.next() != nil {
			break
		}
		if r.pair.Type == t {
			return r.pair, true
		}
	}
	return Property{}, false
}

// ParseProperties reads a whole block of Key-Value-Pairs: the properties of an object, or those that end a control
// message. The result shares no memory with b; an empty value is nil. Values that close the session are judged by the
// scope (draft-16 §11, draft-18 §12); a block inside Immutable Properties that cannot be parsed is not an error here,
// see Properties.Malformed. Offsets of an *Error count from the start of b.
func ParseProperties(b []byte, d Draft, scope Scope, opt Options) (Properties, error) {
	var props Properties
	for r := (kvReader{b: b, d: d}); r.more(); {
		if err := r.next(); err != nil {
			if scope != 0 && opt.Tolerate.Has(LenientExtensions) {
				opt.tell(LenientExtensions, "properties")
				return props, nil
			}
			return props, err
		}
		if err := checkProperty(&r, d, scope); err != nil {
			return props, err
		}
		x := r.pair
		x.Bytes = append([]byte(nil), x.Bytes...)
		props = append(props, x)
	}
	return props, nil
}

// AppendProperties appends a block of Key-Value-Pairs, without a length before it. The error is an *Error: types not
// ascending (16 and later), an odd type with Uint, an even one with Bytes, a value too long or too large for the draft.
// The values' meaning is not judged.
func AppendProperties(b []byte, d Draft, props Properties) ([]byte, error) {
	out := b
	var prev uint64
	for i, x := range props {
		reason := ""
		switch {
		case d >= Draft16 && x.Type < prev:
			reason = fmt.Sprintf("type 0x%x after 0x%x: types must ascend, they are written as deltas", x.Type, prev)
		case !fits(d, typeField(d, prev, x.Type), x.Uint):
			reason = "integer above 2^62-1"
		case x.Type%2 == 0 && len(x.Bytes) > 0:
			reason = fmt.Sprintf("type 0x%x is even and carries an integer, not bytes", x.Type)
		case x.Type%2 == 1 && x.Uint != 0:
			reason = fmt.Sprintf("type 0x%x is odd and carries bytes, not an integer", x.Type)
		case len(x.Bytes) > maxKeyValue:
			reason = fmt.Sprintf("value of %d bytes, at most %d", len(x.Bytes), maxKeyValue)
		}
		if reason != "" {
			return b, &Error{Draft: d, Message: "properties", Field: fmt.Sprintf("properties[%d]", i),
				Offset: len(out) - len(b),
				Code:   InternalError, Rule: rules.KeyValueForm, Reason: reason}
		}
		out = appendKeyValue(out, d, prev, x)
		prev = x.Type
	}
	return out, nil
}

// typeField is what stands for a type after the previous one. Deltas may add up to more than one integer of 16 can
// hold, up to 2^64-1 (draft-16 §1.4.2).
func typeField(d Draft, prev, t uint64) uint64 {
	if d >= Draft16 {
		return t - prev
	}
	return t
}

// appendKeyValue writes one pair whose fitness was checked.
func appendKeyValue(b []byte, d Draft, prev uint64, x Property) []byte {
	b = AppendVarint(b, d, typeField(d, prev, x.Type))
	if x.Type%2 == 0 {
		return AppendVarint(b, d, x.Uint)
	}
	return append(AppendVarint(b, d, uint64(len(x.Bytes))), x.Bytes...)
}

// kvReader steps through a sequence of Key-Value-Pairs (draft-14 §1.4.2, draft-16 §1.4.2, draft-18 §1.4.3): absolute
// types in 14-15, deltas after. It allocates nothing but its error.
type kvReader struct {
	b []byte
	d Draft
	// n bytes are read; the current pair starts at start, its value at value.
	n, start, value int
	pair            Property
}

func (r *kvReader) more() bool { return r.n < len(r.b) }

// next reads a pair into r.pair; Bytes is a view. The result is an *Error or nil.
func (r *kvReader) next() error {
	c := cursor{b: r.b, d: r.d, n: r.n}
	r.start = r.n
	t := c.varint("type")
	if r.d >= Draft16 {
		if t > 1<<64-1-r.pair.Type { // draft-16 §1.4.2
			return r.fail("type", rules.KeyValueType, "type passes 2^64-1")
		}
		t += r.pair.Type
	}
	r.value = c.n
	x := Property{Type: t}
	if t%2 == 0 {
		x.Uint = c.varint("value")
	} else {
		length := c.varint("length")
		if c.stop == running && length > maxKeyValue {
			return r.fail("length", rules.KeyValueLength, fmt.Sprintf("%d bytes, at most %d", length, maxKeyValue))
		}
		x.Bytes = c.bytes("value", length)
	}
	switch c.stop {
	case short:
		return r.fail(c.field, rules.KeyValueForm, "truncated: the block ends here")
	case invalid:
		return r.fail(c.field, rules.Integers, "invalid integer")
	}
	r.n, r.pair = c.n, x
	return nil
}

// fail is never ErrTruncated: a block's length is known, so there is nothing more to read.
func (r *kvReader) fail(field string, rule rules.ID, reason string) error {
	return &Error{Draft: r.d, Message: "properties", Field: field, Offset: r.start, Code: ProtocolViolation,
		Rule: rule, Reason: reason}
}
