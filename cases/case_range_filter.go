package cases

import (
	"context"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var rangeFilter = Case{
	ID: "range-filter", Title: "A filter for one of two subgroups is heeded, or refused with INVALID_FILTER",
	Rules: []rules.ID{rules.RangeFilter, rules.RangeFilterLimit}, First: wire.Draft19,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "filter", "subscribe"},
	Roles: []string{"publisher", "subscriber", "filtered"}, Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("range-filter-ignored", "unexpected {0, 0}"),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
	},
	Run: runRangeFilter,
}

// runRangeFilter: a relay without MAX_FILTER_RANGES in its SETUP must refuse range filters (draft-19 §5.1.3). A relay
// with it must not forward what does not pass.
func runRangeFilter(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := twoSubgroups(e, 0, 2)
	control := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	filter := subgroupFilter(wire.Range{Start: 1, End: 1})
	s := e.Dial(ctx, "filtered")
	if limit, _ := s.PeerSetup().Options.Get(wire.OptionMaxFilterRanges); limit.Uint == 0 {
		step, cancel := e.Step(ctx)
		defer cancel()
		m := s.SubscribeMessage(p.Namespace, p.Name)
		m.Parameters.Set(filter)
		_, err := s.Subscribe(step, m)
		s.WantRefusal(step, err, wire.KindSubscribe, wire.NameInvalidFilter,
			"SUBSCRIBE_OK without MAX_FILTER_RANGES in SETUP")
		e.Annotate("the relay takes no range filters, and says so")
		e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
		control.WaitAll(ctx)
		return nil
	}
	a := s.Follow(ctx, p, l.OfSubgroup(1), Checks{}, filter)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	control.WaitAll(ctx)
	p.End()
	a.WantExactly(ctx)
	return nil
}

// subgroupFilter is a filter by Subgroup ID. Without ranges it removes the filter.
func subgroupFilter(ranges ...wire.Range) wire.Parameter {
	return wire.Parameter{Type: wire.ParamSubgroupFilter, Ranges: wire.RangeFilter{Ranges: ranges,
		Remove: len(ranges) == 0}}
}

// twoSubgroups is groups of six objects each: even objects in subgroup 0, odd ones in subgroup 1.
func twoSubgroups(e *Env, first, last uint64) Layout {
	return NewLayout(Span(first, last), Span(0, 5),
		LayoutOptions{Payload: e.NamedPayload, Subgroup: func(o uint64) uint64 { return o % 2 }})
}

// OfSubgroup is the part of a layout that belongs to one subgroup.
func (l Layout) OfSubgroup(id uint64) (part Layout) {
	for _, x := range l {
		if x.Subgroup == id {
			part = append(part, x)
		}
	}
	return part
}

var rangeFilterUpdate = Case{
	ID: "range-filter-update", Title: "One update replaces a range filter, the next removes it",
	Rules: []rules.ID{rules.RangeFilter, rules.Update}, First: wire.Draft19,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "filter", "subscribe", "update"},
	Roles: []string{"publisher", "subscriber", "filtered"}, Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("range-filter-update-ignored", "came, {1, 0}"),
		dataFault("range-filter-ignored", "unexpected {0, 0}"),
		requestFault("update-silent", "nothing for 5000 ms after REQUEST_UPDATE"),
	},
	Run: runRangeFilterUpdate,
}

// runRangeFilterUpdate: one group is sent under each filter. A relay may apply the new filter to objects that it has
// not filtered yet, so objects of a group that pass the next filter may come too.
func runRangeFilterUpdate(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	control := e.Follow(ctx, "subscriber", p, twoSubgroups(e, 0, 2), Checks{})
	p.WaitForward(ctx)
	s := e.Dial(ctx, "filtered")
	if limit, _ := s.PeerSetup().Options.Get(wire.OptionMaxFilterRanges); limit.Uint == 0 {
		e.NotApplicable("the relay takes no range filters: its SETUP has no MAX_FILTER_RANGES")
	}
	want := append(append(twoSubgroups(e, 0, 0).OfSubgroup(1), twoSubgroups(e, 1, 1).OfSubgroup(0)...),
		twoSubgroups(e, 2, 2)...)
	var heeded atomic.Int32 // how many updates were sent
	may := func(at wire.Location) bool { return uint64(heeded.Load()) > at.Group }
	a := s.Follow(ctx, p, want, Checks{May: may}, subgroupFilter(wire.Range{Start: 1, End: 1}))
	for group, next := range []wire.Parameter{subgroupFilter(wire.Range{Start: 0, End: 0}), subgroupFilter(), {}} {
		g := uint64(group)
		e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, twoSubgroups(e, g, g), ObjectPace) })
		control.WaitTo(ctx, wire.Location{Group: g, Object: 5})
		a.WaitTo(ctx, wire.Location{Group: g, Object: 5})
		if next.Type != 0 {
			heeded.Add(1)
			a.Update(ctx, next)
		}
	}
	control.WaitAll(ctx)
	p.End()
	a.WantExactly(ctx)
	return nil
}
