package wire

import "github.com/moqinterop/moq-interop-client/moqt/rules"

// FilterForm is the form of a location filter, in draft 22's order of types (draft-22 §9.20.9).
type FilterForm uint8

// The forms. Up to 19 only FilterRelative with StartGroup 0 (Next Group Start), FilterNextObject (Largest Object),
// FilterAbsoluteStart and FilterGroupEnd (AbsoluteRange) can be expressed (draft-18 §5.1.2).
const (
	FilterNone FilterForm = iota
	// FilterRelative starts at {Largest.Group + 1 - StartGroup, 0}: StartGroup 0 is the next group, 1 the current one.
	FilterRelative
	// FilterAbsoluteStart starts at {StartGroup, StartObject} and has no end.
	FilterAbsoluteStart
	// FilterGroupEnd ends with the last object of EndGroup.
	FilterGroupEnd
	// FilterRange ends with {EndGroup, EndObject}, inclusive.
	FilterRange
	// FilterNextObject starts at {Largest.Group, Largest.Object + 1}, {0,0} if there is nothing yet.
	FilterNextObject
)

// String is the newest draft's name of the form (draft-22 §9.20.9).
func (f FilterForm) String() string {
	switch f {
	case FilterNone:
		return "None"
	case FilterRelative:
		return "Relative Start"
	case FilterAbsoluteStart:
		return "Absolute Start"
	case FilterGroupEnd:
		return "Absolute Start, Group End"
	case FilterRange:
		return "Absolute Range"
	case FilterNextObject:
		return "Next Object"
	}
	return uintValue(uint64(f))
}

// LocationFilter limits a subscription, fetch or fill to a range of locations. EndGroup is absolute in every draft's
// struct, whatever the wire has.
type LocationFilter struct {
	Form                    FilterForm
	StartGroup, StartObject uint64
	EndGroup, EndObject     uint64
}

// String is for people.
func (f LocationFilter) String() string {
	start := Location{f.StartGroup, f.StartObject}
	switch f.Form {
	case FilterNone:
		return "none"
	case FilterRelative:
		return "relative " + uintValue(f.StartGroup)
	case FilterNextObject:
		return "next object"
	case FilterGroupEnd:
		return start.String() + " to the end of group " + uintValue(f.EndGroup)
	case FilterRange:
		return start.String() + " to " + Location{f.EndGroup, f.EndObject}.String()
	}
	return start.String() + " on"
}

// String is "{group,object}".
func (l Location) String() string { return "{" + uintValue(l.Group) + "," + uintValue(l.Object) + "}" }

// Bounds gives the first and last location of the filter against what has been published: largest is ignored unless the
// form needs it. open is true when there is no end.
func (f LocationFilter) Bounds(largest Location, hasLargest bool) (start, end Location, open bool) {
	switch f.Form {
	case FilterRelative: // clamped at 0 and 2^64-1 (draft-22 §9.20.9)
		if !hasLargest {
			return Location{}, end, true
		}
		next := largest.Group
		if next != 1<<64-1 {
			next++
		}
		if f.StartGroup > next {
			return Location{}, end, true
		}
		return Location{Group: next - f.StartGroup}, end, true
	case FilterNextObject:
		if !hasLargest {
			return Location{}, end, true
		}
		return Location{largest.Group, largest.Object + 1}, end, true
	case FilterAbsoluteStart:
		return Location{f.StartGroup, f.StartObject}, end, true
	case FilterGroupEnd:
		return Location{f.StartGroup, f.StartObject}, Location{f.EndGroup, 1<<64 - 1}, false
	case FilterRange:
		return Location{f.StartGroup, f.StartObject}, Location{f.EndGroup, f.EndObject}, false
	}
	return Location{}, end, true
}

// oldFilterType are the Filter Types of 14-19 (draft-18 §5.1.2).
var oldFilterTypes = map[uint64]FilterForm{1: FilterRelative, 2: FilterNextObject, 3: FilterAbsoluteStart,
	4: FilterGroupEnd}

// oldFilter is the filter of 14-19, as fields in a row. groupEnd names the last field; it is a delta from 17 on.
func (c *coder) oldFilter(f *LocationFilter) {
	var t uint64
	if !c.reading() {
		for old, form := range oldFilterTypes {
			if form == f.Form {
				t = old
			}
		}
		if t == 0 || t == 1 && f.StartGroup != 0 {
			c.failf("filter_type", InternalError, rules.FilterType,
				"the draft cannot express the filter %s", f)
			return
		}
	}
	c.varint("filter_type", &t)
	if c.err != nil {
		return
	}
	if c.reading() {
		form, ok := oldFilterTypes[t]
		if !ok {
			c.failf("filter_type", ProtocolViolation, rules.FilterType, "want 1 to 4, got %d", t)
			return
		}
		f.Form = form
	}
	if f.Form == FilterAbsoluteStart || f.Form == FilterGroupEnd {
		start := Location{f.StartGroup, f.StartObject}
		c.location("start_location", &start)
		f.StartGroup, f.StartObject = start.Group, start.Object
	}
	if f.Form == FilterGroupEnd {
		c.endGroup(f)
	}
}

// endGroup is the last group of a range: absolute up to 16, a delta from Start.Group after.
func (c *coder) endGroup(f *LocationFilter) {
	if c.draft <= Draft16 {
		c.varint("end_group", &f.EndGroup)
		return
	}
	if !c.reading() && f.EndGroup < f.StartGroup {
		c.failf("end_group_delta", InternalError, rules.FilterBound,
			"end group %d is before start group %d", f.EndGroup, f.StartGroup)
		return
	}
	delta := f.EndGroup - f.StartGroup
	c.varint("end_group_delta", &delta)
	f.EndGroup = f.StartGroup + delta
	if c.err == nil && f.EndGroup < f.StartGroup {
		c.fail("end_group_delta", ProtocolViolation, rules.FilterBound, "the end group passes 2^64-1")
	}
}

// countedFilter is the filter of 20-21: how many integers stand in its Length decides the form (draft-20 §5.1.2).
func (c *coder) countedFilter(f *LocationFilter) {
	if c.op == opDecode {
		n := 0
		for rest := c.in[c.pos:]; len(rest) > 0; n++ {
			_, size := Varint(rest, c.draft)
			if size <= 0 || n == 4 {
				c.fail("", ProtocolViolation, rules.FilterType,
					"want 0 to 4 whole integers in the length given")
				return
			}
			rest = rest[size:]
		}
		f.Form = FilterForm(n)
	}
	if c.op == opParse {
		given := len(c.desc) - len(c.used)
		if _, named := c.desc.Get(formField); named {
			given--
		}
		f.Form = FilterForm(given)
		if f.Form > FilterRange {
			c.fail("", InternalError, "", "want at most start_group, start_object, end_group_delta, end_object")
			return
		}
	}
	zero := LocationFilter{Form: FilterAbsoluteStart}
	form := f.Form
	switch {
	case c.reading(): // two zeros are Next Object
	case f.Form == FilterNextObject:
		f = &zero
	case *f == zero:
		c.fail("", InternalError, rules.FilterType,
			"the draft cannot express absolute {0,0} without an end: it reads as Next Object")
		return
	}
	c.filterFields(f)
	if c.reading() && *f == zero {
		f.Form = FilterNextObject
	}
	c.filterForm(form)
}

// typedFilter is the filter of 22: a type, then its fields, no length (draft-22 §9.20.9).
func (c *coder) typedFilter(f *LocationFilter) {
	t := uint64(f.Form)
	c.varint("location_filter_type", &t)
	if c.err == nil && t > uint64(FilterNextObject) {
		c.failf("location_filter_type", ProtocolViolation, rules.FilterType, "want 0 to 5, got %d", t)
		return
	}
	f.Form = FilterForm(t)
	c.filterFields(f)
	c.filterForm(f.Form)
}

// formField names the form of a filter in a description. It is not on the wire.
const formField = "form"

// filterForm describes the form of a filter by name.
func (c *coder) filterForm(form FilterForm) {
	switch c.op {
	case opDescribe:
		c.state(formField, form.String())
	case opParse:
		c.used = append(c.used, formField) // it repeats what the fields say
	}
}

// filterFields are the fields that the forms of 20 and later share.
func (c *coder) filterFields(f *LocationFilter) {
	if f.Form == FilterNone || f.Form == FilterNextObject {
		return
	}
	c.varint("start_group", &f.StartGroup)
	if f.Form >= FilterAbsoluteStart {
		c.varint("start_object", &f.StartObject)
	}
	if f.Form >= FilterGroupEnd {
		c.endGroup(f)
	}
	if f.Form == FilterRange {
		c.varint("end_object", &f.EndObject)
	}
}
