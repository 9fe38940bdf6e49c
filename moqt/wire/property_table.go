package wire

import (
	"encoding/hex"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// propertyRow names a type of property for a range of drafts and the scopes it is defined for, with the rule that its
// value must keep.
type propertyRow struct {
	typ         uint64
	name        string
	first, last Draft
	scope       Scope
	rule        *valueRule
}

// valueRule is a rule whose breach closes the session.
type valueRule struct {
	ok   func(v uint64) bool
	want string
	code SessionError
	rule rules.ID
}

const bothScopes = TrackScope | ObjectScope

// propertyRows is the table of properties (draft-14 §11, draft-18 §12, draft-22 §10). Provisional registrations of
// other documents come last (draft-18 §15.8, draft-22 §16.8): where one type is registered twice, as 0x06 in 19, the
// transport's own meaning wins.
var propertyRows = []propertyRow{
	{0x02, "DELIVERY_TIMEOUT", 16, 16, TrackScope, &valueRule{func(v uint64) bool { return v > 0 }, "above 0",
		ProtocolViolation, rules.DeliveryTimeoutProperty}},
	{0x02, "DELIVERY_TIMEOUT", 17, 17, TrackScope, nil},
	{0x02, "OBJECT_DELIVERY_TIMEOUT", 18, 18, TrackScope, nil},
	{0x02, "OBJECT_DELIVERY_TIMEOUT", 19, Newest, bothScopes, nil},
	{0x04, "MAX_CACHE_DURATION", 16, Newest, TrackScope, nil},
	{0x06, "SUBGROUP_DELIVERY_TIMEOUT", 18, 18, TrackScope, nil},
	{0x06, "SUBGROUP_DELIVERY_TIMEOUT", 19, Newest, bothScopes, nil},
	{0x0B, "IMMUTABLE_EXTENSIONS", 14, 15, ObjectScope, nil},
	{0x0B, "IMMUTABLE_EXTENSIONS", 16, 16, bothScopes, nil},
	{0x0B, "IMMUTABLE_PROPERTIES", 17, Newest, bothScopes, nil},
	// "Priorities above 255 are invalid": the value does not fit its definition (draft-18 §1.4.3).
	{0x0E, "DEFAULT_PUBLISHER_PRIORITY", 16, Newest, TrackScope, &valueRule{func(v uint64) bool { return v <= 255 },
		"0 to 255", KeyValueFormattingError, rules.PublisherPriorityValue}},
	{0x22, "DEFAULT_PUBLISHER_GROUP_ORDER", 16, Newest, TrackScope,
		&valueRule{func(v uint64) bool { return v == 1 || v == 2 }, "1 or 2", ProtocolViolation,
			rules.DefaultGroupOrderValue}},
	{0x30, "DYNAMIC_GROUPS", 16, Newest, TrackScope, &valueRule{func(v uint64) bool { return v <= 1 }, "0 or 1",
		ProtocolViolation, rules.DynamicGroupsValue}},
	{0x3C, "PRIOR_GROUP_ID_GAP", 14, Newest, ObjectScope, nil},
	{0x3E, "PRIOR_OBJECT_ID_GAP", 14, Newest, ObjectScope, nil},

	{0x06, "TIMESTAMP", 18, 19, ObjectScope, nil},
	{0x0A, "VIDEO_FRAME_MARKING", 18, 19, ObjectScope, nil},
	{0x08, "TIMESCALE", 18, Newest, bothScopes, nil},
	{0x09, "VIDEO_FRAME_MARKING", 20, Newest, ObjectScope, nil},
	{0x0A, "ENCRYPTED_LIST", 20, Newest, ObjectScope, nil},
	{0x0C, "AUDIO_LEVEL", 18, Newest, ObjectScope, nil},
	{0x0D, "VIDEO_CONFIG", 18, 19, ObjectScope, nil},
	{0x0D, "VIDEO_CONFIG", 20, Newest, bothScopes, nil},
	{0x0F, "AUDIO_CONFIG", 20, Newest, bothScopes, nil},
	{0x10, "TIMESTAMP", 20, Newest, ObjectScope, nil},
	{0x32, "PADDING", 20, Newest, ObjectScope, nil},
}

// propertyRowOf finds the row of a type, preferring the scope; a type known for the other scope only is named too, but
// has no rule.
func propertyRowOf(d Draft, scope Scope, t uint64) (found *propertyRow, inScope bool) {
	for i := range propertyRows {
		r := &propertyRows[i]
		if r.typ != t || d < r.first || r.last < d {
			continue
		}
		if r.scope&scope != 0 {
			return r, true
		}
		if found == nil {
			found = r
		}
	}
	return found, false
}

// PropertyName is the draft's name of a property type, "" if the draft has none.
func PropertyName(d Draft, scope Scope, t uint64) string {
	if r, _ := propertyRowOf(d, scope, t); r != nil {
		return r.name
	}
	return ""
}

// MandatoryProperty reports whether the type is a Mandatory Track Property: who does not know it must not use the track
// (18 and later, draft-18 §2.5.1).
func MandatoryProperty(d Draft, t uint64) bool {
	return d >= Draft18 && 0x4000 <= t && t <= 0x7FFF
}

// checkProperty judges the value of the pair just read (draft-16 §11, draft-18 §12), also inside Immutable Properties,
// where from 16 on track properties may stand.
func checkProperty(r *kvReader, d Draft, scope Scope) error {
	if scope != TrackScope {
		return nil // no property of objects has a rule that closes the session
	}
	if r.pair.Type == PropImmutable {
		for in := (kvReader{b: r.pair.Bytes, d: d}); in.more(); {
			if in.next() != nil || in.pair.Type == PropImmutable {
				return nil // a malformed track, see Properties.Malformed
			}
			if err := checkProperty(&in, d, scope); err != nil {
				err.(*Error).Offset += r.n - len(r.pair.Bytes)
				return err
			}
		}
		return nil
	}
	row, inScope := propertyRowOf(d, scope, r.pair.Type)
	if !inScope || row.rule == nil || row.rule.ok(r.pair.Uint) {
		return nil
	}
	return &Error{Draft: d, Message: "properties", Field: row.name, Offset: r.value, Code: row.rule.code,
		Rule:   row.rule.rule,
		Reason: fmt.Sprintf("want %s, got %d", row.rule.want, r.pair.Uint)}
}

// describeProperties lists properties in wire order: {"type","name","value"} or {"type","name","length","hex"}; unknown
// ones have no name, and even unknown ones show both value and bytes. Immutable Properties that parse are listed behind
// their hex as well.
func describeProperties(d Draft, props Properties, scope Scope) []any {
	return describeBlock(d, props, scope, false)
}

// describeBlock is describeProperties; nested is the block inside Immutable Properties, where no other may be.
func describeBlock(d Draft, props Properties, scope Scope, nested bool) []any {
	out := []any{}
	for _, x := range props {
		f := Fields{{"type", typeValue(x.Type)}}
		name := PropertyName(d, scope, x.Type)
		if name != "" {
			f = append(f, Field{"name", name})
		}
		value := x.Bytes
		if x.Type%2 == 0 {
			value = AppendVarint(nil, d, x.Uint)
		}
		if x.Type%2 == 1 || name == "" {
			f = append(f, Field{"length", uintValue(uint64(len(value)))}, Field{"hex", hex.EncodeToString(value)})
		}
		if x.Type%2 == 0 {
			f = append(f, Field{"value", uintValue(x.Uint)})
		}
		if x.Type == PropImmutable && scope != 0 && !nested {
			if inner, err := ParseProperties(x.Bytes, d, ObjectScope, Options{}); err == nil {
				inner = inner[:min(len(inner), maxListedProperties)]
				f = append(f, Field{propertiesField(d), describeBlock(d, inner, scope, true)})
			}
		}
		out = append(out, f)
	}
	return out
}

// parseDescribedProperties reads what describeProperties wrote. Types and values decide; names, lengths and the hex of
// integers are not read.
func parseDescribedProperties(d Draft, list []any, scope Scope) (Properties, error) {
	props := Properties{}
	for i, v := range list {
		f, ok := v.(Fields)
		if !ok {
			return nil, fmt.Errorf("properties[%d]: want an object", i)
		}
		x, err := parseDescribedProperty(d, f, scope)
		if err != nil {
			return nil, fmt.Errorf("properties[%d]: %w", i, err)
		}
		props = append(props, x)
	}
	return props, nil
}

func parseDescribedProperty(d Draft, f Fields, scope Scope) (x Property, err error) {
	t, ok := f.Get("type")
	if !ok {
		return x, fmt.Errorf("type: missing")
	}
	if x.Type, err = parseCode(t); err != nil {
		return x, fmt.Errorf("type: %w", err)
	}
	value, hasValue := f.Get("value")
	text, hasHex := f.Get("hex")
	inner, hasInner := f.Get(propertiesField(d))
	switch {
	case x.Type%2 == 0 && hasValue:
		if x.Uint, err = parseUint(value); err != nil {
			return x, fmt.Errorf("value: %w", err)
		}
	case x.Type%2 == 0:
		return x, fmt.Errorf("value: missing, the type is even")
	case hasHex:
		s, ok := text.(string)
		if !ok {
			return x, fmt.Errorf("hex: want a string")
		}
		if x.Bytes, err = hex.DecodeString(s); err != nil {
			return x, fmt.Errorf("hex: %w", err)
		}
	case x.Type == PropImmutable && scope != 0 && hasInner:
		list, ok := inner.([]any)
		if !ok {
			return x, fmt.Errorf("%s: want a list", propertiesField(d))
		}
		nested, err := parseDescribedProperties(d, list, scope)
		if err != nil {
			return x, err
		}
		x.Bytes, err = AppendProperties(nil, d, nested)
		return x, err
	default:
		return x, fmt.Errorf("hex: missing, the type is odd")
	}
	return x, nil
}
