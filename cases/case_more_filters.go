package cases

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Subscription filters. The track is at {2, 2} when the subscriber comes, in the midst of group 2, whose rest and the
// groups 3 and 4 follow. A publisher must send what passes a filter and must not send anything else (draft-18 §5.1.2);
// what of the past passes may come or not.

// largestAtFilter is the Largest Object when the subscriber with the filter comes.
var largestAtFilter = wire.Location{Group: 2, Object: 2}

// halfway publishes the groups 0 and 1 and the first objects of group 2 to a subscriber who stays and is held against
// everything. rest is what is to follow.
func halfway(ctx context.Context, e *Env) (p *publisher, control *audience, rest layout) {
	p = announced(ctx, e)
	l := pastGroups(e, 0, 4)
	control = attend(ctx, "subscriber", p, l, checks{})
	p.waitForward(ctx)
	first := l.within(wire.Location{}, largestAtFilter)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, first, objectPace) })
	control.reach(ctx, largestAtFilter)
	return p, control, l.within(wire.Location{Group: 2, Object: 3}, wire.Location{Group: 4, Object: 4})
}

// filterCase is a case of one filter: which of the objects that follow must pass.
func filterCase(id, title string, f wire.LocationFilter, first wire.Draft, faults []string,
	passes func(at wire.Location) bool) Case {
	return Case{
		ID: id, Title: title, First: first,
		Topics: []wire.Topic{wire.TopicLocationFilter, wire.TopicSubscribe, wire.TopicSubscribeOK},
		Level:  Must, Suite: SuiteAll, Tags: []string{"data", "filter", "subscribe"},
		Roles: []string{"publisher", "subscriber", "filtered"}, Timeout: caseLimit,
		Faults: faults,
		Run: func(ctx context.Context, e *Env) error {
			p, control, rest := halfway(ctx, e)
			var want layout
			for _, x := range rest {
				if passes(x.location()) {
					want = append(want, x)
				}
			}
			// Objects of the past that pass are not asked for, but may come.
			may := func(at wire.Location) bool { return at.Compare(largestAtFilter) <= 0 && passes(at) }
			a := attend(ctx, "filtered", p, want, checks{may: may}, filterBy(f))
			a.wantLargest(largestAtFilter)
			e.Go(ctx, func(ctx context.Context) { p.publish(ctx, rest, objectPace) })
			a.served(ctx)
			control.served(ctx)
			p.end()
			a.exactly(ctx)
			return nil
		},
	}
}

func from(group, object uint64) func(at wire.Location) bool {
	return func(at wire.Location) bool { return at.Compare(wire.Location{Group: group, Object: object}) >= 0 }
}

func inRange(start, end wire.Location) func(at wire.Location) bool {
	return func(at wire.Location) bool { return at.Compare(start) >= 0 && at.Compare(end) <= 0 }
}

var (
	filterNextGroup = filterCase("filter-next-group", "a filter for the next group lets the rest of the current one "+
		"not pass",
		wire.LocationFilter{Form: wire.FilterRelative}, 0, []string{"filter-ignored", "largest-missing",
			"second-subscriber-starved"}, from(3, 0))
	filterNextObject = filterCase("filter-next-object", "a filter for what comes next (Largest Object up to 19) "+
		"starts behind the Largest Object",
		wire.LocationFilter{Form: wire.FilterNextObject}, 0, []string{"largest-missing", "second-subscriber-starved"},
		from(2, 3))
	filterAbsoluteStart = filterCase("filter-absolute-start", "a filter with a start lets nothing before it pass",
		wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 3, StartObject: 2}, 0,
		[]string{"filter-ignored", "second-subscriber-starved"}, from(3, 2))
	filterAbsoluteRange = filterCase("filter-absolute-range", "a filter with a start and a last group lets nothing "+
		"else pass",
		wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 3, StartObject: 1, EndGroup: 3}, 0,
		[]string{"filter-ignored", "second-subscriber-starved"},
		inRange(wire.Location{Group: 3, Object: 1}, wire.Location{Group: 3, Object: 4}))
	filterObjectRange = filterCase("filter-object-range", "a filter with a start and a last object lets nothing else "+
		"pass",
		wire.LocationFilter{Form: wire.FilterRange, StartGroup: 3, StartObject: 1, EndGroup: 4, EndObject: 2},
		wire.Draft20, []string{"filter-ignored", "second-subscriber-starved"},
		inRange(wire.Location{Group: 3, Object: 1}, wire.Location{Group: 4, Object: 2}))
	filterRelative = filterCase("filter-relative", "a relative filter for the current group lets all that follows pass",
		wire.LocationFilter{Form: wire.FilterRelative, StartGroup: 1}, wire.Draft20,
		[]string{"largest-missing", "second-subscriber-starved"}, from(2, 0))
)

var filterPast = Case{
	ID: "filter-past", Title: "a filter whose range is over: refused up to 19, accepted without objects from 20 on",
	Topics: []wire.Topic{wire.TopicLocationFilter, wire.TopicSubscribe, wire.TopicRequestError},
	Level:  Must, Suite: SuiteAll, Tags: []string{"filter", "subscribe"}, Roles: []string{"publisher", "subscriber",
		"filtered"}, Timeout: caseLimit,
	Faults: []string{"past-range-accepted", "past-range-refused", "subscribe-silent"},
	Run:    runFilterPast,
}

// runFilterPast: up to 19 a publisher SHOULD refuse a range that has been published (draft-18 §5.1.2); from 20 on it
// accepts it and has nothing to send. That it may not refuse it then is said nowhere, so there that is judged no
// harder. Objects of other groups may never come.
func runFilterPast(ctx context.Context, e *Env) error {
	p, control, rest := halfway(ctx, e)
	s := e.Dial(ctx, "filtered")
	step, cancel := e.Step(ctx)
	defer cancel()
	m := s.subscribeMessage(p.ns, p.name)
	m.Parameters.Set(filterBy(wholeGroups(0, 1)))
	sub, err := s.Subscribe(step, m)
	var refused *moqt.RequestError
	code, _ := wire.RequestErrorFor(s.Draft(), wire.KindSubscribe, wire.NameInvalidRange)
	old := s.Draft() <= wire.Draft19
	expected := "SUBSCRIBE refused with " + code.In(s.Draft(), wire.KindSubscribe) +
		": all of its range has been published"
	switch {
	case errors.As(err, &refused) && old:
		e.Should(refused.Code == uint64(code), transport.LayerRequest, expected, refusal(refused))
		return nil
	case errors.As(err, &refused):
		e.Should(false, transport.LayerRequest, "SUBSCRIBE_OK for a range that is over", refusal(refused))
		return nil
	case err != nil:
		panic(s.unanswered(step, err, "SUBSCRIBE_OK for a range that is over", p))
	case old:
		e.Should(false, transport.LayerRequest, expected, "SUBSCRIBE_OK")
	}
	k := newChecker(nil, checks{may: func(at wire.Location) bool { return at.Group <= 1 }})
	r := s.read(ctx, "SUBSCRIBE", k, sub.Next)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, rest, objectPace) })
	control.served(ctx)
	p.end()
	s.exact(ctx, k, lateTime, r)
	return nil
}

var rangeFilter = Case{
	ID: "range-filter", Title: "a filter for one of two subgroups is heeded, or refused with INVALID_FILTER where " +
		"the relay takes none",
	Topics: []wire.Topic{wire.TopicRangeFilters, wire.TopicSubscribe, wire.TopicRequestError}, First: wire.Draft19,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "filter", "subscribe"},
	Roles: []string{"publisher", "subscriber", "filtered"}, Timeout: caseLimit,
	Faults: []string{"range-filter-ignored", "subscribe-silent"},
	Run:    runRangeFilter,
}

// runRangeFilter: without MAX_FILTER_RANGES in its SETUP a relay must refuse range filters (draft-19 §5.1.3), with it
// what does not pass must not come.
func runRangeFilter(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	l := twoSubgroups(e, 0, 2)
	control := attend(ctx, "subscriber", p, l, checks{})
	p.waitForward(ctx)
	filter := subgroupFilter(wire.Range{Start: 1, End: 1})
	s := e.Dial(ctx, "filtered")
	if limit, _ := s.PeerSetup().Options.Get(wire.OptionMaxFilterRanges); limit.Uint == 0 {
		step, cancel := e.Step(ctx)
		defer cancel()
		m := s.subscribeMessage(p.ns, p.name)
		m.Parameters.Set(filter)
		_, err := s.Subscribe(step, m)
		s.wantRefusal(step, err, wire.KindSubscribe, wire.NameInvalidFilter,
			"SUBSCRIBE_OK without MAX_FILTER_RANGES in SETUP")
		e.Annotate("the relay takes no range filters, and says so")
		e.Go(ctx, func(ctx context.Context) { p.publish(ctx, l, objectPace) })
		control.served(ctx)
		return nil
	}
	a := s.attend(ctx, p, l.ofSubgroup(1), checks{}, filter)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, l, objectPace) })
	a.served(ctx)
	control.served(ctx)
	p.end()
	a.exactly(ctx)
	return nil
}

// subgroupFilter is a filter by Subgroup ID; without ranges it takes the filter away.
func subgroupFilter(ranges ...wire.Range) wire.Parameter {
	return wire.Parameter{Type: wire.ParamSubgroupFilter, Ranges: wire.RangeFilter{Ranges: ranges,
		Remove: len(ranges) == 0}}
}

// twoSubgroups is groups of six objects, the even ones in subgroup 0 and the odd ones in subgroup 1.
func twoSubgroups(e *Env, first, last uint64) layout {
	return newLayout(span(first, last), span(0, 5),
		layoutOptions{payload: e.namedPayload, subgroup: func(o uint64) uint64 { return o % 2 }})
}

// ofSubgroup is the part of a layout that is in a subgroup.
func (l layout) ofSubgroup(id uint64) (part layout) {
	for _, x := range l {
		if x.subgroup == id {
			part = append(part, x)
		}
	}
	return part
}

var rangeFilterUpdate = Case{
	ID: "range-filter-update", Title: "an update puts another range filter in the place of the first, the next takes " +
		"it away",
	Topics: []wire.Topic{wire.TopicRangeFilters, wire.TopicRequestUpdate}, First: wire.Draft19,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "filter", "subscribe", "update"},
	Roles: []string{"publisher", "subscriber", "filtered"}, Timeout: caseLimit,
	Faults: []string{"range-filter-update-ignored", "range-filter-ignored", "update-silent"},
	Run:    runRangeFilterUpdate,
}

// runRangeFilterUpdate: one group under each filter. What a relay has not judged when it heeds an update may pass by
// the new filter, so objects of a group that the next filter lets pass may come too.
func runRangeFilterUpdate(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	control := attend(ctx, "subscriber", p, twoSubgroups(e, 0, 2), checks{})
	p.waitForward(ctx)
	s := e.Dial(ctx, "filtered")
	if limit, _ := s.PeerSetup().Options.Get(wire.OptionMaxFilterRanges); limit.Uint == 0 {
		e.Skip("the relay takes no range filters: its SETUP has no MAX_FILTER_RANGES")
	}
	want := append(append(twoSubgroups(e, 0, 0).ofSubgroup(1), twoSubgroups(e, 1, 1).ofSubgroup(0)...),
		twoSubgroups(e, 2, 2)...)
	var heeded atomic.Int32 // how many updates were sent
	may := func(at wire.Location) bool { return uint64(heeded.Load()) > at.Group }
	a := s.attend(ctx, p, want, checks{may: may}, subgroupFilter(wire.Range{Start: 1, End: 1}))
	for group, next := range []wire.Parameter{subgroupFilter(wire.Range{Start: 0, End: 0}), subgroupFilter(), {}} {
		g := uint64(group)
		e.Go(ctx, func(ctx context.Context) { p.publish(ctx, twoSubgroups(e, g, g), objectPace) })
		control.reach(ctx, wire.Location{Group: g, Object: 5})
		a.reach(ctx, wire.Location{Group: g, Object: 5})
		if next.Type != 0 {
			heeded.Add(1)
			a.update(ctx, next)
		}
	}
	control.served(ctx)
	p.end()
	a.exactly(ctx)
	return nil
}
