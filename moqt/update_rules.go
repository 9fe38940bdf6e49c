package moqt

import (
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// restate fills an update of 14, which has every field: what is left out stays as it is (draft-14 §9.10).
func (r *Request) restate(m *wire.RequestUpdate) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ps := m.Parameters.Clone()
	if f, ok := ps.Filter(); !ok || f.Form == wire.FilterNone {
		if !r.bounds.known {
			return fmt.Errorf("SUBSCRIBE_UPDATE before the response: %s restates the range, which is not known yet",
				r.s.draft)
		}
		filter := wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: r.bounds.start.Group,
			StartObject: r.bounds.start.Object}
		if r.bounds.hasEnd {
			filter.Form, filter.EndGroup = wire.FilterGroupEnd, r.bounds.endGroup
		}
		ps.SetFilter(filter)
	}
	for _, t := range []wire.ParameterType{wire.ParamSubscriberPriority, wire.ParamForward} {
		if _, ok := ps.Get(t); ok {
			continue
		}
		if v, ok := r.params.Uint(t); ok {
			ps.SetUint(t, v)
		}
	}
	m.Parameters = ps
	return nil
}

// checkUpdate judges what an update of the peer's asks for (draft-14 §9.10, draft-15 §9.11).
// Which parameters an update may have is judged by package wire, which is told what is updated.
func (r *Request) checkUpdate(name string, m *wire.RequestUpdate) error {
	d := r.s.draft
	switch {
	case d <= wire.Draft15:
		return r.checkNarrowing(name, m)
	case d >= wire.Draft20 && r.fromPublisher():
		for _, p := range m.Parameters {
			if wire.ParamSubgroupFilter <= p.Type && p.Type <= wire.ParamTrackPropertyFilter {
				return r.s.breach(name, wire.ProtocolViolation, rules.RangeFilterRepeated,
					"%s in an update by the publisher", p.Type.Name(d))
			}
		}
	}
	return nil
}

func (r *Request) checkNarrowing(name string, m *wire.RequestUpdate) error {
	f, ok := m.Parameters.Filter()
	if !ok {
		return nil
	}
	r.mu.Lock()
	old := r.bounds
	r.mu.Unlock()
	next := bounds{}
	next.update(m.Parameters)
	if !old.known || !next.known {
		return nil // relative filters cannot be compared here
	}
	switch {
	case next.hasEnd && next.endGroup < next.start.Group:
		return r.s.breach(name, wire.ProtocolViolation, rules.UpdateRange, "the end group %d is before the start %s",
			next.endGroup, next.start)
	case next.start.Compare(old.start) < 0:
		return r.s.breach(name, wire.ProtocolViolation, rules.UpdateNarrows, "the start goes down from %s to %s",
			old.start, next.start)
	case r.s.draft == wire.Draft14 && old.hasEnd && (!next.hasEnd || next.endGroup > old.endGroup):
		return r.s.breach(name, wire.ProtocolViolation, rules.UpdateNarrows, "the end goes up from group %d to %s",
			old.endGroup, f)
	}
	return nil
}

// checkFilters judges the range filters of a request, or of an update to what is in effect (draft-19 §5.1.3). "" means
// that they can stand.
func (s *Session) checkFilters(before, ps wire.Parameters) (invalid string) {
	if s.draft < wire.Draft19 {
		return ""
	}
	limit, _ := s.setup.own.Options.Get(wire.OptionMaxFilterRanges)
	type key struct {
		t        wire.ParameterType
		set      uint8
		property uint64
	}
	seen := map[key]bool{}
	for _, p := range ps {
		if p.Type < wire.ParamSubgroupFilter || p.Type > wire.ParamTrackPropertyFilter || p.Ranges.Remove {
			continue
		}
		k := key{p.Type, p.Ranges.SetID, p.Ranges.PropertyType}
		switch {
		case p.Ranges.Invalid != "":
			return p.Type.Name(s.draft) + ": " + p.Ranges.Invalid
		case seen[k]:
			return fmt.Sprintf("%s comes twice with SetID %d", p.Type.Name(s.draft), k.set)
		}
		seen[k] = true
	}
	total := uint64(0)
	for _, p := range MergeParameters(before, ps) {
		total += uint64(len(p.Ranges.Ranges))
	}
	if len(seen) > 0 && total > limit.Uint {
		return fmt.Sprintf("%d ranges, MAX_FILTER_RANGES is %d", total, limit.Uint)
	}
	return ""
}
