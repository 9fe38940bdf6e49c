package moqt

import (
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// RangeFilters are the range filters in effect of a subscription, fetch or SUBSCRIBE_TRACKS (draft-19 §5.1.3). A
// publisher or relay uses them to decide what to send. The zero value lets everything pass. A value is immutable and
// safe for concurrent use.
type RangeFilters struct {
	params wire.Parameters // range filters only
	sets   []filterSet
}

// filterSet is the filters with one SetID: all must hold.
type filterSet struct {
	id      uint8
	filters []wire.Parameter
}

// isRangeFilter reports whether a parameter is one that the draft could decode.
func isRangeFilter(p wire.Parameter) bool {
	return p.Type >= wire.ParamSubgroupFilter && p.Type <= wire.ParamTrackPropertyFilter && !p.Raw
}

// RangeFiltersOf gives the range filters among the parameters of a request.
func RangeFiltersOf(ps wire.Parameters) RangeFilters { return RangeFilters{}.Updated(ps) }

// Updated gives the filters after an update with these parameters. Each type of filter in the update replaces all
// filters of that type, or removes them.
func (f RangeFilters) Updated(ps wire.Parameters) RangeFilters {
	if !slices.ContainsFunc(ps, isRangeFilter) {
		return f
	}
	return filtersFrom(mergedRanges(f.params.Clone(), ps))
}

func filtersFrom(ps wire.Parameters) (f RangeFilters) {
	f.params = ps
next:
	for _, p := range ps {
		if !isRangeFilter(p) {
			continue
		}
		for i := range f.sets {
			if f.sets[i].id == p.Ranges.SetID {
				f.sets[i].filters = append(f.sets[i].filters, p)
				continue next
			}
		}
		f.sets = append(f.sets, filterSet{p.Ranges.SetID, []wire.Parameter{p}})
	}
	return f
}

// mergedRanges takes the range filters of an update over into ps, which it may change: those of a type replace all of
// that type, and one of Length 0 removes them (draft-19 §5.1.3).
func mergedRanges(ps, update wire.Parameters) wire.Parameters {
	ps = slices.DeleteFunc(ps, func(q wire.Parameter) bool {
		return isRangeFilter(q) && slices.ContainsFunc(update, func(p wire.Parameter) bool {
			return p.Type == q.Type &&
				isRangeFilter(p)
		})
	})
	for _, p := range update {
		if isRangeFilter(p) && !p.Ranges.Remove {
			ps.Add(p)
		}
	}
	return ps
}

// Empty reports whether there are no filters, so that everything passes.
func (f RangeFilters) Empty() bool { return len(f.sets) == 0 }

// ForTrack applies the filters to a track. props are its properties, in the newest draft's shape. It gives the filters
// that are left for the track's objects, and reports false when none of them can pass. The TRACK_PROPERTY_FILTERs of a
// set hold only for a track that has the property.
func (f RangeFilters) ForTrack(props wire.Properties) (left RangeFilters, passes bool) {
	if f.Empty() {
		return f, true
	}
	var kept wire.Parameters
	for _, s := range f.sets {
		holds, objects := true, wire.Parameters(nil)
		for _, p := range s.filters {
			if p.Type != wire.ParamTrackPropertyFilter {
				objects = append(objects, p)
				continue
			}
			v, has := props.Lookup(wire.Newest, p.Ranges.PropertyType)
			holds = holds && has && p.Ranges.Contains(v.Uint)
		}
		switch {
		case holds && len(objects) == 0: // so all objects pass
			return RangeFilters{}, true
		case holds:
			kept, passes = append(kept, objects...), true
		}
	}
	return filtersFrom(kept), passes
}

// Pass reports whether an object passes: if there are sets of filters, one of them must hold. A datagram has no
// Subgroup ID, so it passes no filter of Subgroup IDs. subgroup and priority are the object's Subgroup ID and Publisher
// Priority. d is the draft of the object's properties if o.Draft is 0.
func (f RangeFilters) Pass(d wire.Draft, o *Object, subgroup uint64, priority uint8) bool {
	if f.Empty() {
		return true
	}
	for i := range f.sets {
		if f.sets[i].holds(d, o, subgroup, priority) {
			return true
		}
	}
	return false
}

func (s *filterSet) holds(d wire.Draft, o *Object, subgroup uint64, priority uint8) bool {
	for i := range s.filters {
		r := &s.filters[i].Ranges
		var ok bool
		switch s.filters[i].Type {
		case wire.ParamSubgroupFilter:
			ok = !o.Datagram && r.Contains(subgroup)
		case wire.ParamObjectIDFilter:
			ok = r.Contains(o.ObjectID)
		case wire.ParamPriorityFilter:
			ok = r.Contains(uint64(priority))
		case wire.ParamTrackPropertyFilter: // judged with the track
			ok = true
		default:
			if o.Draft.Valid() {
				d = o.Draft
			}
			p, has := wire.LookupProperty(o.Properties, d, r.PropertyType)
			ok = has && r.Contains(p.Uint)
		}
		if !ok {
			return false
		}
	}
	return true
}
