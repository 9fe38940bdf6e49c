package wire

import (
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// RangeFilter is the value of SUBGROUP_FILTER, OBJECTID_FILTER, PRIORITY_FILTER, OBJECT_PROPERTY_FILTER and
// TRACK_PROPERTY_FILTER (draft-19 §5.1.3).
type RangeFilter struct {
	// Remove is Length 0: the filter is taken away by an update. The other fields do not count then.
	Remove bool
	SetID  uint8
	// PropertyType counts for the two property filters.
	PropertyType uint64
	Ranges       []Range
	// Invalid says why the value cannot be met; it is for the session to refuse the request with INVALID_FILTER, so
	// decoding goes on.
	Invalid string
}

// Range is inclusive. Open means that it has no end.
type Range struct {
	Start, End uint64
	Open       bool
}

// Contains reports whether v is in one of the ranges.
func (f RangeFilter) Contains(v uint64) bool {
	for _, r := range f.Ranges {
		if v >= r.Start && (r.Open || v <= r.End) {
			return true
		}
	}
	return false
}

func (t ParameterType) hasPropertyType() bool {
	return t == ParamObjectPropertyFilter || t == ParamTrackPropertyFilter
}

// rangeFilter stands inside its Length. Each Start is relative to the End before, each End to its own Start.
func (c *coder) rangeFilter(t ParameterType, f *RangeFilter) {
	switch c.op {
	case opDecode:
		f.Remove = c.pos == len(c.in)
	case opParse:
		f.Remove = len(c.used) == len(c.desc)
	}
	if f.Remove || c.err != nil {
		return
	}
	c.uint8("set_id", &f.SetID)
	if t.hasPropertyType() {
		c.varint("property_type", &f.PropertyType)
	}
	switch c.op {
	case opDecode:
		c.decodeRanges(f)
	case opEncode:
		c.encodeRanges(f)
	case opDescribe:
		list := []any{}
		var prev uint64
		for _, r := range f.Ranges {
			one := Fields{{"start_delta", uintValue(r.Start - prev)}}
			if !r.Open {
				one = append(one, Field{"end_delta", uintValue(r.End - r.Start)})
			}
			one = append(one, Field{"start", uintValue(r.Start)})
			if !r.Open {
				one = append(one, Field{"end", uintValue(r.End)})
			}
			prev = r.End
			list = append(list, one)
		}
		c.state("ranges", list)
	case opParse:
		c.parseRanges(f)
	}
	f.check(t)
}

func (c *coder) decodeRanges(f *RangeFilter) {
	var prev uint64
	for c.err == nil && c.pos < len(c.in) {
		r := Range{Start: prev + c.readVarint("start_delta")}
		if r.Start < prev {
			f.Invalid = "a range starts past 2^64-1"
		}
		if r.Open = c.pos == len(c.in); !r.Open {
			r.End = r.Start + c.readVarint("end_delta")
			if r.End < r.Start {
				f.Invalid = "a range ends past 2^64-1"
			}
		}
		prev = r.End
		f.Ranges = append(f.Ranges, r)
	}
}

func (c *coder) encodeRanges(f *RangeFilter) {
	var prev uint64
	for i, r := range f.Ranges {
		if r.Open && i < len(f.Ranges)-1 {
			c.fail("ranges", InternalError, rules.RangeFilterBound, "only the last range may have no end")
		}
		// modulo 2^64: what overflows was Invalid when it was read, and comes back as it was
		c.writeVarint("start_delta", r.Start-prev)
		if !r.Open {
			c.writeVarint("end_delta", r.End-r.Start)
		}
		prev = r.End
	}
}

func (c *coder) parseRanges(f *RangeFilter) {
	list, ok := c.take("ranges").([]any)
	if !ok {
		c.fail("ranges", InternalError, "", "want a list")
	}
	var prev uint64
	for _, x := range list {
		one, ok := x.(Fields)
		start, hasStart := one.Get("start_delta")
		delta, err := parseUint(start)
		if !ok || !hasStart || err != nil {
			c.fail("ranges", InternalError, "", "want objects with start_delta and end_delta")
			return
		}
		r := Range{Start: prev + delta, Open: true}
		if end, ok := one.Get("end_delta"); ok {
			delta, err := parseUint(end)
			if err != nil {
				c.fail("ranges", InternalError, "", err.Error())
			}
			r.End, r.Open = r.Start+delta, false
		}
		prev = r.End
		f.Ranges = append(f.Ranges, r)
	}
}

// check finds what makes a filter INVALID_FILTER on its own (draft-19 §5.1.3, §10.2.12-10.2.14).
func (f *RangeFilter) check(t ParameterType) {
	if t.hasPropertyType() && f.PropertyType%2 != 0 {
		f.Invalid = fmt.Sprintf("Property Type 0x%x is odd", f.PropertyType)
	}
	if t == ParamPriorityFilter {
		for _, r := range f.Ranges {
			if r.Start > 255 || !r.Open && r.End > 255 {
				f.Invalid = "a priority above 255"
			}
		}
	}
}
