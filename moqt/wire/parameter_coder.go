package wire

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parameters is a block: a count, then the parameters (WIRE sections 6.1, 6.2). In 14 those that stood in fixed fields
// are left out.
func (c *coder) parameters(ps *Parameters) {
	c.parameterBlock("parameters", ps, placeOf(c.row, c.opt))
}

func (c *coder) parameterBlock(name string, ps *Parameters, where place) {
	if c.err != nil {
		return
	}
	path, fixed := c.path, c.fixed
	switch c.op {
	case opDecode:
		count := c.readVarint(name)
		var prev ParameterType
		for i := uint64(0); i < count && c.err == nil; i++ {
			c.path = path + name + "[" + strconv.FormatUint(i, 10) + "]."
			p := Parameter{Type: c.parameterType(prev)}
			prev = p.Type
			if c.err == nil && !p.Type.repeatable() && parameterRowOf(c.draft, p.Type) != nil &&
				slices.ContainsFunc(*ps, func(q Parameter) bool {
					return q.Type == p.Type &&
						!slices.Contains(fixed, p.Type)
				}) {
				c.failf("type", ProtocolViolation, c.section(TopicParameters), "%s stands twice", p.Type.label(c.draft))
			}
			last := i == count-1
			c.parameterValue(&p, where, last)
			*ps = append(*ps, p)
		}
	case opEncode:
		count := uint64(0)
		for _, p := range *ps {
			if !c.isFixed(p) {
				count++
			}
		}
		c.writeVarint(name, count)
		var prev ParameterType
		for i, p := range *ps {
			if c.isFixed(p) {
				continue
			}
			c.path = path + name + "[" + strconv.Itoa(i) + "]."
			c.writeParameterType(prev, p.Type)
			prev = p.Type
			c.parameterValue(&p, where, i == len(*ps)-1)
		}
	case opDescribe:
		list := []any{}
		outer := c.desc
		for _, p := range *ps {
			if !c.isFixed(p) {
				c.desc = Fields{{"type", typeValue(uint64(p.Type))}}
				c.parameterValue(&p, where, false)
				list = append(list, c.desc)
			}
		}
		c.desc = outer
		c.state(name, list)
	case opParse:
		c.parseParameters(name, ps, where)
	}
	c.path = path
}

// isFixed reports that draft 14 has this parameter as a field of the message.
func (c *coder) isFixed(p Parameter) bool { return !p.Raw && slices.Contains(c.fixed, p.Type) }

// parameterType reads a type: absolute up to 15, a delta from 16 on.
func (c *coder) parameterType(prev ParameterType) ParameterType {
	v := ParameterType(c.readVarint("type"))
	if c.draft <= Draft15 {
		return v
	}
	if sum := prev + v; sum >= prev {
		return sum
	}
	c.fail("type", ProtocolViolation, c.section(TopicParameters), "the type passes 2^64-1")
	return 0
}

func (c *coder) writeParameterType(prev, t ParameterType) {
	if c.draft <= Draft15 {
		c.writeVarint("type", uint64(t))
		return
	}
	if t < prev {
		c.failf("type", InternalError, "", "parameter 0x%x stands behind 0x%x: types must ascend", uint64(t),
			uint64(prev))
		return
	}
	c.writeVarint("type", uint64(t-prev))
}

func (t ParameterType) label(d Draft) string {
	if name := t.Name(d); name != "" {
		return name
	}
	return fmt.Sprintf("parameter 0x%x", uint64(t))
}

// parameterValue codes the value behind the type. Types that are not defined, or not here, are kept raw up to 15 (and
// the misplaced ones in 16), and refused after (WIRE section 6.4).
func (c *coder) parameterValue(p *Parameter, where place, last bool) {
	if c.err != nil {
		return
	}
	r := parameterRowOf(c.draft, p.Type)
	if c.op == opDecode && !p.Raw {
		switch {
		case r == nil && c.draft >= Draft16:
			c.failf("type", ProtocolViolation, c.section(TopicParameters), "unknown parameter 0x%x", uint64(p.Type))
			return
		case r == nil:
			p.Raw = true
		case r.where&where == 0 && (c.draft >= Draft17 || c.draft == Draft16 && c.row.kind == KindRequestUpdate):
			c.misplaced(r)
		}
	}
	if c.op == opEncode && !p.Raw && (r == nil || c.draft >= Draft17 && r.where&where == 0) {
		c.failf("type", InternalError, "", "%s is not allowed in %s", p.Type.label(c.draft), c.row.name)
		return
	}
	if c.op == opDescribe && r != nil {
		c.state("name", r.name)
	}
	if p.Raw || r == nil {
		c.rawParameter(p)
		return
	}
	if c.draft <= Draft16 {
		c.keyValue(p, r, where)
	} else {
		c.typedValue(p, r, last)
	}
	// While it is not known what a REQUEST_OK answers, decoding judges a value that has a meaning in answer to
	// something; encoding leaves it alone, because up to 16 it is ignored in answer to something else.
	ignorable := c.op != opDecode && c.draft <= Draft16 && c.row.kind == KindRequestOK && r.where&where != where
	if c.err == nil && r.where&where != 0 && !ignorable && (r.min > 0 && p.Uint < r.min || r.max > 0 &&
		p.Uint > r.max) {
		c.failf("value", ProtocolViolation, valueSection(c.draft, p.Type), "%s is %d, want %s", r.name, p.Uint,
			r.bounds())
	}
}

func (r *parameterRow) bounds() string {
	if r.max == 0 {
		return fmt.Sprintf("%d or more", r.min)
	}
	return fmt.Sprintf("%d to %d", r.min, r.max)
}

// misplaced is a known parameter in a message that it is not defined for: PROTOCOL_VIOLATION from 17 on (rule 31), in
// 16 only in a REQUEST_UPDATE (draft-16 §9.11).
func (c *coder) misplaced(r *parameterRow) {
	topic := TopicParameterScope
	if c.draft == Draft16 {
		topic = TopicRequestUpdate
	}
	t := MisplacedParameters
	if r.t == ParamGroupOrder {
		t = GroupOrderInReplies
	}
	if !c.tolerate(t, r.name) && (t == MisplacedParameters || !c.tolerate(MisplacedParameters, r.name)) {
		c.failf("type", ProtocolViolation, c.section(topic), "%s is not allowed in %s", r.name, c.row.name)
	}
}

func (c *coder) tolerate(t Tolerance, where string) bool {
	if c.opt == nil || !c.opt.Tolerate.Has(t) {
		return false
	}
	if c.opt.Tolerated != nil {
		c.opt.Tolerated(t, c.row.name+" "+c.path+where)
	}
	return true
}

// rawParameter is a value that is not interpreted; its form follows the type's parity (drafts up to 16 only).
func (c *coder) rawParameter(p *Parameter) {
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
			c.failf("length", ProtocolViolation, c.section(TopicKeyValuePairs),
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
	code, section := KeyValueFormattingError, c.section(TopicKeyValuePairs)
	switch r.enc {
	case encFilter: // draft-15 §9.2.1.7, draft-16 §9.2.2.5
		code, section = ProtocolViolation, valueSection(c.draft, p.Type)
	case encToken:
		section = c.section(TopicTokens)
	}
	start := *c
	c.within(code, section, func() { c.structured(p, r) })
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
		c.within(ProtocolViolation, c.section(TopicLocationFilter), func() { c.structured(p, r) })
	case encToken:
		c.within(KeyValueFormattingError, c.section(TopicTokens), func() { c.structured(p, r) })
	case encInner:
		c.fillParameters(p)
	default:
		c.within(ProtocolViolation, c.section(TopicRangeFilters), func() { c.structured(p, r) })
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

// prefixParameter is TRACK_NAMESPACE_PREFIX: bare; 18-21 have peers that put a length before it (WIRE-20-22 section
// 11.4), seen by where the message ends.
func (c *coder) prefixParameter(p *Parameter, last bool) {
	const name = "track_namespace_prefix"
	if c.op == opDecode && last && Draft18 <= c.draft && c.draft <= Draft21 {
		trial := *c
		var bare TrackNamespace
		trial.namespace(name, &bare, 0)
		// A bare one that breaks a rule, as an empty field does, is not taken for a wrapped one.
		if cut := trial.err != nil && strings.HasPrefix(trial.err.Reason, "truncated"); cut ||
			trial.pos != len(trial.in) {
			trial = *c
			n := trial.readVarint("length")
			if rest := uint64(len(trial.in) - trial.pos); trial.err == nil && n == rest {
				trial.namespace(name, &p.Namespace, 0)
				if trial.err == nil && trial.pos == len(trial.in) {
					p.Wrapped, c.pos = true, trial.pos
					return
				}
				p.Namespace = nil
			}
		}
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
		if c.within(ProtocolViolation, c.section(TopicFillParameters), block); c.err == nil {
			return
		}
		*c = start
		p.Inner = nil
		if block(); c.err == nil {
			c.tolerate(FillWithoutLength, "FILL_PARAMETERS")
		}
		return
	}
	c.within(ProtocolViolation, c.section(TopicFillParameters), block)
}

// within codes fields that stand inside a length. What does not fit the length exactly breaks the rule with the code
// given, which stands in section.
func (c *coder) within(code SessionError, section string, fields func()) {
	if c.err != nil {
		return
	}
	switch c.op {
	case opDecode:
		n := c.readVarint("length")
		if c.err == nil && c.draft <= Draft16 && n > maxKeyValue {
			c.failf("length", ProtocolViolation, c.section(TopicKeyValuePairs),
				"value of %d bytes, at most %d are allowed", n, maxKeyValue)
		}
		inner := c.readBytes("value", n)
		if c.err != nil {
			return
		}
		in, pos, base := c.in, c.pos, c.base
		c.in, c.pos, c.base = inner, 0, base+pos-len(inner)
		fields()
		if c.err != nil {
			if c.err.Code == ProtocolViolation && c.err.Section == c.section(TopicMessages) &&
				strings.HasPrefix(c.err.Reason, "truncated") {
				c.err.Code, c.err.Section = code, section
			}
		} else if c.pos < len(c.in) {
			c.at = c.base + c.pos
			c.failf("value", code, section, "%d bytes left over behind the value", len(c.in)-c.pos)
		}
		c.in, c.pos, c.base = in, pos, base
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

// parseParameters reads a list of {"type": …, …} back.
func (c *coder) parseParameters(name string, ps *Parameters, where place) {
	list, ok := c.take(name).([]any)
	if c.err == nil && !ok {
		c.fail(name, InternalError, "", "want a list")
	}
	path, desc, used := c.path, c.desc, c.used
	for i, x := range list {
		c.path = path + name + "[" + strconv.Itoa(i) + "]."
		one, _ := x.(Fields)
		t, err := parseType(one)
		if err != nil {
			c.fail("type", InternalError, "", err.Error())
		}
		p := Parameter{Type: ParameterType(t)}
		c.desc, c.used = withoutName(one), nil
		_, p.Raw = c.desc.Get("hex")
		c.parameterValue(&p, where, false)
		c.allTaken()
		*ps = append(*ps, p)
	}
	c.path, c.desc, c.used = path, desc, used
}

// withoutName is the value of a parameter or option: what stands behind its type and name.
func withoutName(one Fields) Fields {
	return slices.DeleteFunc(slices.Clone(one), func(f Field) bool { return f.Name == "type" || f.Name == "name" })
}

// parseType reads "0x21", or a decimal number.
func parseType(f Fields) (uint64, error) {
	v, _ := f.Get("type")
	s, ok := v.(string)
	if !ok {
		return 0, fmt.Errorf(`want "type":"0x…", got %v`, v)
	}
	return strconv.ParseUint(s, 0, 64)
}
