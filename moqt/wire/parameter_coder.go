package wire

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// parameters is a block: a count, then the parameters (draft-16 §9.2.2, draft-18 §10.2). In 14 those that stood in
// fixed fields are left out.
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
				c.failf("type", ProtocolViolation, rules.ParameterRepeated, "%s stands twice", p.Type.label(c.draft))
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
	rule := rules.ParameterOrder
	if c.draft == Draft16 { // parameters are Key-Value-Pairs there
		rule = rules.KeyValueType
	}
	c.fail("type", ProtocolViolation, rule, "the type passes 2^64-1")
	return 0
}

func (c *coder) writeParameterType(prev, t ParameterType) {
	if c.draft <= Draft15 {
		c.writeVarint("type", uint64(t))
		return
	}
	if t < prev && !c.unchecked {
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
// the misplaced ones in 16), and refused after (draft-14 §9.2, draft-16 §9.2, draft-17 §9.3.1).
func (c *coder) parameterValue(p *Parameter, where place, last bool) {
	if c.err != nil {
		return
	}
	r := parameterRowOf(c.draft, p.Type)
	if c.op == opDecode && !p.Raw {
		switch {
		case r == nil && c.draft >= Draft16:
			c.failf("type", ProtocolViolation, rules.ParameterUnknown, "unknown parameter 0x%x", uint64(p.Type))
			return
		case r == nil:
			p.Raw = true
		case r.where&where == 0 && (c.draft >= Draft17 || c.draft == Draft16 && c.row.kind == KindRequestUpdate):
			c.misplaced(r)
		}
	}
	if c.op == opEncode && !p.Raw && !c.unchecked && (r == nil || c.draft >= Draft17 && r.where&where == 0) {
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
	// Up to 16 a parameter that may not stand in a message is ignored there, whatever its value (draft-16 §9.2.2). So a
	// value is not judged while a REQUEST_OK may answer something where it is ignored.
	ignorable := c.draft <= Draft16 && c.row.kind == KindRequestOK && r.where&where != where
	if c.err == nil && r.where&where != 0 && !ignorable && (r.min > 0 && p.Uint < r.min || r.max > 0 &&
		p.Uint > r.max) {
		c.failf("value", ProtocolViolation, valueRules[p.Type], "%s is %d, want %s", r.name, p.Uint,
			r.bounds())
	}
}

func (r *parameterRow) bounds() string {
	if r.max == 0 {
		return fmt.Sprintf("%d or more", r.min)
	}
	return fmt.Sprintf("%d to %d", r.min, r.max)
}

// misplaced is a known parameter in a message that it is not defined for: PROTOCOL_VIOLATION from 17 on (draft-17
// §9.3.1), in 16 only in a REQUEST_UPDATE (draft-16 §9.11).
func (c *coder) misplaced(r *parameterRow) {
	rule := rules.ParameterScope
	if c.draft == Draft16 {
		rule = rules.UpdateRequest
	}
	t := MisplacedParameters
	if r.t == ParamGroupOrder {
		t = GroupOrderInReplies
	}
	if !c.tolerate(t, r.name) && (t == MisplacedParameters || !c.tolerate(MisplacedParameters, r.name)) {
		c.failf("type", ProtocolViolation, rule, "%s is not allowed in %s", r.name, c.row.name)
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

// withoutName is the value of a parameter or option, without its type and name.
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
