package wire

import "github.com/moqinterop/moq-interop-client/moqt/rules"

// Draft 14 has fields where later drafts have parameters. These functions code such a field from and to the parameter,
// so that a struct has one shape for all drafts. parameters() leaves out what was coded here.

// rule8 says which values a one-byte field may have.
type rule8 uint8

const (
	any8     rule8 = iota
	bool8          // 0 or 1 (draft-14 §9.7, §9.8)
	order8         // 1 or 2 (draft-14 §9.8)
	orderOr0       // 0, 1 or 2 (draft-14 §9.7); 0 leaves the choice to the publisher and is no parameter
)

func (c *coder) fixed8(name string, t ParameterType, ps *Parameters, def uint8, rule rule8) {
	if c.err != nil {
		return
	}
	c.fixed = append(c.fixed, t)
	v64 := ps.UintOr(t, uint64(def))
	v := uint8(v64)
	if uint64(v) != v64 {
		c.failf(name, InternalError, "", "%d does not fit one byte", v64)
		return
	}
	c.uint8(name, &v)
	var ok bool
	switch rule {
	case bool8:
		ok = v <= 1
	case order8:
		ok = v == Ascending || v == Descending
	case orderOr0:
		ok = v <= Descending
	default:
		ok = true
	}
	if !ok {
		c.failf(name, ProtocolViolation, c.row.fieldRule(), "value %d is a protocol error", v)
		return
	}
	if c.reading() && !(rule == orderOr0 && v == 0) {
		ps.Add(Parameter{Type: t, Uint: uint64(v)})
	}
}

func (c *coder) fixedVarint(name string, t ParameterType, ps *Parameters, none uint64) {
	c.fixed = append(c.fixed, t)
	v := ps.UintOr(t, none)
	c.varint(name, &v)
	if c.reading() && v != none {
		ps.Add(Parameter{Type: t, Uint: v})
	}
}

// fixedLargest is Content Exists and, if 1, the Largest Location.
func (c *coder) fixedLargest(ps *Parameters) {
	c.fixed = append(c.fixed, ParamLargestObject)
	l, ok := ps.Largest()
	var exists uint8
	if ok {
		exists = 1
	}
	c.uint8("content_exists", &exists)
	if exists > 1 {
		c.failf("content_exists", ProtocolViolation, c.row.fieldRule(), "want 0 or 1, got %d", exists)
	}
	if exists == 0 || c.err != nil {
		return
	}
	c.location("largest_location", &l)
	if c.reading() {
		ps.Add(Parameter{Type: ParamLargestObject, Location: l})
	}
}

// fixedFilter is Filter Type, Start Location and End Group. Without a filter, Largest Object is written: 14 cannot say
// "unfiltered".
func (c *coder) fixedFilter(ps *Parameters) {
	c.fixed = append(c.fixed, ParamLocationFilter)
	f, ok := ps.Filter()
	if !ok || f.Form == FilterNone {
		f = LocationFilter{Form: FilterNextObject}
	}
	c.oldFilter(&f)
	if c.reading() {
		ps.Add(Parameter{Type: ParamLocationFilter, Filter: f})
	}
}

// fixedUpdateRange is the Start Location and End Group of SUBSCRIBE_UPDATE; the End Group is the group plus 1, 0 = open
// (draft-14 §9.10). An update states the whole range again, so the filter must be an absolute one.
func (c *coder) fixedUpdateRange(ps *Parameters) {
	c.fixed = append(c.fixed, ParamLocationFilter)
	f, _ := ps.Filter()
	var end uint64
	if !c.reading() {
		switch {
		case f.Form == FilterGroupEnd && f.EndGroup < 1<<62-1:
			end = f.EndGroup + 1
		case f.Form != FilterAbsoluteStart:
			c.failf("start_location", InternalError, rules.FieldsSubscribeUpdate,
				"an update states the whole range: want an absolute filter, got %s", f)
			return
		}
	}
	start := Location{f.StartGroup, f.StartObject}
	c.location("start_location", &start)
	c.varint("end_group", &end)
	if c.reading() {
		f = LocationFilter{Form: FilterAbsoluteStart, StartGroup: start.Group, StartObject: start.Object}
		if end > 0 {
			f.Form, f.EndGroup = FilterGroupEnd, end-1
		}
		ps.Add(Parameter{Type: ParamLocationFilter, Filter: f})
	}
}

// fieldRule is draft 14's rule of the values that a message's one-byte fields may have. TRACK_STATUS and its OK
// have the fields of SUBSCRIBE and its OK.
func (r *row) fieldRule() rules.ID {
	switch {
	case r.kind == KindPublish:
		return rules.FieldsPublish
	case r.kind == KindRequestOK && r.answers.has(KindPublish):
		return rules.FieldsPublishOK
	case r.kind == KindSubscribeOK, r.kind == KindRequestOK:
		return rules.FieldsSubscribeOK
	case r.kind == KindRequestUpdate:
		return rules.FieldsSubscribeUpdate
	case r.kind == KindFetch:
		return rules.FieldsFetch
	case r.kind == KindFetchOK:
		return rules.FieldsFetchOK
	}
	return rules.FieldsSubscribe
}
