package wire

import (
	"encoding/hex"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// rawParameter is a value that is not interpreted; its form follows the type's parity (drafts up to 16 only).
func (c *coder) rawParameter(p *Parameter) {
	if c.unchecked && c.draft >= Draft17 {
		if p.Wrapped {
			c.writeVarint("length", uint64(len(p.Bytes)))
		}
		c.out = append(c.out, p.Bytes...)
		return
	}
	if c.draft >= Draft17 {
		c.failf("type", InternalError, "", "parameter 0x%x cannot be coded raw: from 17 on only its definition tells "+
			"its length", uint64(p.Type))
		return
	}
	if c.op == opParse || c.op == opDescribe {
		c.describeRaw(uint64(p.Type), &p.Uint, &p.Bytes)
		return
	}
	if p.Type%2 == 0 {
		c.varint("value", &p.Uint)
		return
	}
	c.valueBytes(&p.Bytes)
}

// describeRaw shows an unknown type as length and hex, an integer also as its value.
func (c *coder) describeRaw(t uint64, v *uint64, b *[]byte) {
	even := t%2 == 0
	if c.op == opDescribe {
		raw := *b
		if even {
			raw = AppendVarint(nil, c.draft, *v)
		}
		c.state("length", uintValue(uint64(len(raw))))
		c.state("hex", hex.EncodeToString(raw))
		if even {
			c.state("value", uintValue(*v))
		}
		return
	}
	raw, err := parseHex(c.take("hex"))
	if err != nil {
		c.fail("hex", InternalError, "", err.Error())
		return
	}
	c.used = append(c.used, "length", "value") // they repeat what hex says
	if !even {
		*b = raw
		return
	}
	n := 0
	if *v, n = Varint(raw, c.draft); n != len(raw) || n == 0 {
		c.fail("hex", InternalError, "", "want one whole integer for an even type")
	}
}

// valueBytes is the value of an odd Key-Value-Pair: length and bytes.
func (c *coder) valueBytes(b *[]byte) {
	if c.op == opDecode {
		n := c.readVarint("length")
		if c.err == nil && n > maxKeyValue {
			c.failf("length", ProtocolViolation, rules.KeyValueLength,
				"value of %d bytes, at most %d are allowed", n, maxKeyValue)
		}
		*b = append([]byte{}, c.readBytes("value", n)...)
		return
	}
	c.writeVarint("length", uint64(len(*b)))
	c.out = append(c.out, *b...)
}

// keyValue is a defined parameter of 14-16: an integer for even types, a structure inside a length for odd ones. One
// that is ignored because it stands in the wrong message must not fail the message, so it falls back to raw.
func (c *coder) keyValue(p *Parameter, r *parameterRow, where place) {
	if p.Type%2 == 0 {
		c.varint("value", &p.Uint)
		return
	}
	ignored := c.op == opDecode && r.where&where == 0
	code, rule := KeyValueFormattingError, rules.KeyValueForm
	switch r.enc {
	case encFilter: // draft-15 §9.2.1.7, draft-16 §9.2.2.5
		code, rule = ProtocolViolation, rules.FilterLength
	case encToken:
		rule = rules.TokenForm
	}
	start := *c
	c.within(code, rule, func() { c.structured(p, r) })
	if ignored && c.err != nil {
		*c = start
		*p = Parameter{Type: p.Type, Raw: true}
		c.valueBytes(&p.Bytes)
	}
}

// typedValue is a parameter of 17 and later: its definition says its form.
func (c *coder) typedValue(p *Parameter, r *parameterRow, last bool) {
	switch r.enc {
	case encVarint:
		c.varint("value", &p.Uint)
	case encUint8:
		v := uint8(p.Uint)
		if uint64(v) != p.Uint {
			c.failf("value", InternalError, "", "%d does not fit one byte", p.Uint)
		}
		c.uint8("value", &v)
		p.Uint = uint64(v)
	case encLocation:
		if c.op == opDecode && c.lengthBeforeLocation() {
			c.readVarint("length")
		}
		c.structured(p, r)
	case encNamespace:
		c.prefixParameter(p, last)
	case encFilter:
		if c.draft >= Draft22 {
			c.typedFilter(&p.Filter)
			return
		}
		c.within(ProtocolViolation, rules.FilterLength, func() { c.structured(p, r) })
	case encToken:
		c.within(KeyValueFormattingError, rules.TokenForm, func() { c.structured(p, r) })
	case encInner:
		c.fillParameters(p)
	default:
		c.within(ProtocolViolation, rules.RangeFilterBound, func() { c.structured(p, r) })
	}
}

// structured codes the fields inside a value.
func (c *coder) structured(p *Parameter, r *parameterRow) {
	switch r.enc {
	case encLocation:
		c.varint("group", &p.Location.Group)
		c.varint("object", &p.Location.Object)
	case encToken:
		c.token(&p.Token)
	case encFilter:
		switch {
		case c.draft <= Draft19:
			c.oldFilter(&p.Filter)
		default:
			c.countedFilter(&p.Filter)
		}
	case encRanges:
		c.rangeFilter(p.Type, &p.Ranges)
	}
}

// lengthBeforeLocation sees a peer that writes LARGEST_OBJECT with a length (tolerance largest-object-length): the
// length is then exactly that of the two integers behind it.
func (c *coder) lengthBeforeLocation() bool {
	if c.opt == nil || !c.opt.Tolerate.Has(LargestObjectLength) {
		return false
	}
	b := c.in[c.pos:]
	n, size := Varint(b, c.draft)
	if size <= 0 || n == 0 || n > uint64(len(b)-size) {
		return false
	}
	inner := b[size : size+int(n)]
	_, n1 := Varint(inner, c.draft)
	if n1 <= 0 {
		return false
	}
	_, n2 := Varint(inner[n1:], c.draft)
	return n2 > 0 && n1+n2 == len(inner) && c.tolerate(LargestObjectLength, "LARGEST_OBJECT")
}

// prefixParameter is TRACK_NAMESPACE_PREFIX. The draft has the namespace alone; some peers put a length before it.
func (c *coder) prefixParameter(p *Parameter, last bool) {
	const name = "track_namespace_prefix"
	if c.op == opDecode && c.lengthBeforePrefix(last) {
		p.Wrapped = true
		c.within(ProtocolViolation, "", func() { c.namespace(name, &p.Namespace, 0) })
		return
	}
	if c.op == opParse {
		_, p.Wrapped = c.desc.Get("length")
	}
	if p.Wrapped && c.op == opEncode {
		c.within(ProtocolViolation, "", func() { c.namespace(name, &p.Namespace, 0) })
		return
	}
	if p.Wrapped {
		size := coder{op: opEncode, draft: c.draft, row: c.row}
		size.namespace(name, &p.Namespace, 0)
		n := uint64(len(size.out))
		c.varint("length", &n)
	}
	c.namespace(name, &p.Namespace, 0)
}

// lengthBeforePrefix sees a peer that writes a length before TRACK_NAMESPACE_PREFIX (tolerance
// namespace-prefix-length): the bytes are no namespace that ends where the message does, and the length is that of the
// namespace behind it. last says that the message ends with the parameter.
func (c *coder) lengthBeforePrefix(last bool) bool {
	if c.opt == nil || !c.opt.Tolerate.Has(NamespacePrefixLength) {
		return false
	}
	var n TrackNamespace
	bare, wrapped := *c, *c
	if bare.namespace("", &n, 0); bare.err == nil && (!last || bare.pos == len(bare.in)) {
		return false
	}
	wrapped.within(ProtocolViolation, "", func() { wrapped.namespace("", &n, 0) })
	return wrapped.err == nil && c.tolerate(NamespacePrefixLength, "TRACK_NAMESPACE_PREFIX")
}

// fillParameters is a parameter block inside a length (draft-20 §10.2.15), with a scope of its own.
func (c *coder) fillParameters(p *Parameter) {
	block := func() {
		if c.op == opDecode && c.pos == len(c.in) { // Length 0: an empty block without a count
			p.Wrapped = true
			return
		}
		if _, empty := c.desc.Get("length"); empty && c.op == opParse {
			p.Wrapped = true
			c.take("length")
			return
		}
		if p.Wrapped && len(p.Inner) == 0 && c.op != opDecode {
			if c.op == opDescribe {
				c.state("length", "0")
			}
			return
		}
		c.parameterBlock("parameters", &p.Inner, inFP)
	}
	if c.op == opDecode && c.opt != nil && c.opt.Tolerate.Has(FillWithoutLength) {
		start := *c
		if c.within(ProtocolViolation, rules.FillParametersScope, block); c.err == nil {
			return
		}
		*c = start
		p.Inner = nil
		if block(); c.err == nil {
			c.tolerate(FillWithoutLength, "FILL_PARAMETERS")
		}
		return
	}
	c.within(ProtocolViolation, rules.FillParametersScope, block)
}

// within codes fields that stand inside a length. What does not fit the length exactly breaks the rule with the code
// given.
func (c *coder) within(code SessionError, rule rules.ID, fields func()) {
	if c.err != nil {
		return
	}
	switch c.op {
	case opDecode:
		n := c.readVarint("length")
		if c.err == nil && c.draft <= Draft16 && n > maxKeyValue {
			c.failf("length", ProtocolViolation, rules.KeyValueLength,
				"value of %d bytes, at most %d are allowed", n, maxKeyValue)
		}
		inner := c.readBytes("value", n)
		if c.err != nil {
			return
		}
		in, pos, base, part := c.in, c.pos, c.base, c.part
		c.in, c.pos, c.base, c.part = inner, 0, base+pos-len(inner), "parameter"
		fields()
		if c.err != nil {
			if c.err.Code == ProtocolViolation && c.err.Rule == rules.MessageType &&
				strings.HasPrefix(c.err.Reason, "truncated") {
				c.err.Code, c.err.Rule = code, rule
			}
		} else if c.pos < len(c.in) {
			c.at = c.base + c.pos
			c.failf("value", code, rule, "%d bytes left over behind the value", len(c.in)-c.pos)
		}
		c.in, c.pos, c.base, c.part = in, pos, base, part
	case opEncode:
		out := c.out
		c.out = nil
		fields()
		inner := c.out
		c.out = out
		c.writeVarint("length", uint64(len(inner)))
		c.out = append(c.out, inner...)
	default:
		fields()
	}
}
