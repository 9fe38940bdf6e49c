package cases

import (
	"context"
	"errors"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Subscription filters. The subscriber comes when the track is at {2, 2}, in the middle of group 2. The rest of group 2
// and groups 3 and 4 follow. A publisher must send what passes a filter and nothing else (draft-18 §5.1.2). Past
// objects that pass may come or not.

// largestAtFilter is the Largest Object when the subscriber with the filter comes.
var largestAtFilter = wire.Location{Group: 2, Object: 2}

// halfway publishes groups 0 and 1 and the first objects of group 2 to a subscriber that stays and must receive
// everything. rest is what follows.
func halfway(ctx context.Context, e *Env) (p *Publisher, control *Subscriber, rest Layout) {
	p = e.Announced(ctx)
	l := e.Groups(0, 4)
	control = e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	first := l.Within(wire.Location{}, largestAtFilter)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, first, ObjectPace) })
	control.WaitTo(ctx, largestAtFilter)
	return p, control, l.Within(wire.Location{Group: 2, Object: 3}, wire.Location{Group: 4, Object: 4})
}

// filterCase is a case of one filter. It says which of the objects that follow must pass.
func filterCase(id, title string, f wire.LocationFilter, first wire.Draft, faults []Fault,
	passes func(at wire.Location) bool) Case {
	return Case{
		ID: id, Title: title, First: first,
		Rules: []rules.ID{rules.LocationFilter, rules.LargestObject},
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "filter", "subscribe"},
		Roles: []string{"publisher", "subscriber", "filtered"}, Timeout: CaseLimit,
		Faults: faults,
		Run: func(ctx context.Context, e *Env) error {
			p, control, rest := halfway(ctx, e)
			var want Layout
			for _, x := range rest {
				if passes(x.Location()) {
					want = append(want, x)
				}
			}
			// Past objects that pass were not asked for, but may come.
			may := func(at wire.Location) bool { return at.Compare(largestAtFilter) <= 0 && passes(at) }
			a := e.Follow(ctx, "filtered", p, want, Checks{May: may}, FilterParameter(f))
			a.WantLargest(largestAtFilter)
			e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, rest, ObjectPace) })
			a.WaitAll(ctx)
			control.WaitAll(ctx)
			p.End()
			a.WantExactly(ctx)
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
	filterNextGroup = filterCase("filter-next-group",
		"A filter for the next group holds back the rest of the current one",
		wire.LocationFilter{Form: wire.FilterRelative}, 0, []Fault{
			dataFault("filter-ignored", "unexpected {2, 3}"),
			requestFault("largest-missing", "SUBSCRIBE_OK that says that nothing was published"),
			dataFault("second-subscriber-starved", "0 of 10 objects came, {3, 0}"),
		}, from(3, 0))
	filterNextObject = filterCase("filter-next-object",
		"A filter for the next object (Largest Object up to 19) starts after the Largest Object",
		wire.LocationFilter{Form: wire.FilterNextObject}, 0, []Fault{
			requestFault("largest-missing", "SUBSCRIBE_OK that says that nothing was published"),
			dataFault("second-subscriber-starved", "0 of 12 objects came, {2, 3}"),
		},
		from(2, 3))
	filterAbsoluteStart = filterCase("filter-absolute-start",
		"A filter with an absolute start holds back what lies before it",
		wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 3, StartObject: 2}, 0,
		[]Fault{
			dataFault("filter-ignored", "unexpected {2, 3}"),
			dataFault("second-subscriber-starved", "0 of 8 objects came, {3, 2}"),
		}, from(3, 2))
	filterAbsoluteRange = filterCase("filter-absolute-range",
		"A filter with an absolute range of groups holds back everything else",
		wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 3, StartObject: 1, EndGroup: 3}, 0,
		[]Fault{
			dataFault("filter-ignored", "unexpected {2, 3}"),
			dataFault("second-subscriber-starved", "0 of 4 objects came, {3, 1}"),
		},
		inRange(wire.Location{Group: 3, Object: 1}, wire.Location{Group: 3, Object: 4}))
	filterObjectRange = filterCase("filter-object-range",
		"A filter whose range ends at an object holds back everything else",
		wire.LocationFilter{Form: wire.FilterRange, StartGroup: 3, StartObject: 1, EndGroup: 4, EndObject: 2},
		wire.Draft20, []Fault{
			dataFault("filter-ignored", "unexpected {2, 3}"),
			dataFault("second-subscriber-starved", "0 of 7 objects came, {3, 1}"),
		},
		inRange(wire.Location{Group: 3, Object: 1}, wire.Location{Group: 4, Object: 2}))
	filterRelative = filterCase("filter-relative",
		"A relative filter for the current group passes everything that follows",
		wire.LocationFilter{Form: wire.FilterRelative, StartGroup: 1}, wire.Draft20,
		[]Fault{
			requestFault("largest-missing", "SUBSCRIBE_OK that says that nothing was published"),
			dataFault("second-subscriber-starved", "0 of 12 objects came, {2, 3}"),
		}, from(2, 0))
)

var filterPast = Case{
	ID: "filter-past", Title: "A filter whose range is over is refused up to 19, and brings no objects from 20 on",
	Rules: []rules.ID{rules.LocationFilter, rules.PastRange},
	Level: Must, Suite: SuiteAll, Tags: []string{"filter", "subscribe"}, Roles: []string{"publisher", "subscriber",
		"filtered"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("past-range-accepted", "SUBSCRIBE_OK").until(wire.Draft19).should(),
		requestFault("past-range-refused", "REQUEST_ERROR 0x11 INVALID_RANGE").from(wire.Draft20).should(),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
	},
	Run: runFilterPast,
}

// runFilterPast: up to 19 a publisher SHOULD refuse a range that is already published (draft-18 §5.1.2). From 20 on it
// accepts the range and has nothing to send; no text forbids a refusal there, so a refusal is judged as a SHOULD too.
// Objects of other groups must never come.
func runFilterPast(ctx context.Context, e *Env) error {
	p, control, rest := halfway(ctx, e)
	s := e.Dial(ctx, "filtered")
	step, cancel := e.Step(ctx)
	defer cancel()
	m := s.SubscribeMessage(p.Namespace, p.Name)
	m.Parameters.Set(FilterParameter(WholeGroups(0, 1)))
	sub, err := s.Subscribe(step, m)
	var refused *moqt.RequestError
	code, _ := wire.RequestErrorFor(s.Draft(), wire.KindSubscribe, wire.NameInvalidRange)
	old := s.Draft() <= wire.Draft19
	expected := "SUBSCRIBE refused with " + code.In(s.Draft(), wire.KindSubscribe) +
		": all of its range has been published"
	switch {
	case errors.As(err, &refused) && old:
		e.Should(refused.Code == uint64(code), transport.LayerRequest, expected, RefusalText(refused))
		return nil
	case errors.As(err, &refused):
		e.Should(false, transport.LayerRequest, "SUBSCRIBE_OK for a range that is over", RefusalText(refused))
		return nil
	case err != nil:
		panic(s.unanswered(step, err, "SUBSCRIBE_OK for a range that is over", p))
	case old:
		e.Should(false, transport.LayerRequest, expected, "SUBSCRIBE_OK")
	}
	k := NewChecker(nil, Checks{May: func(at wire.Location) bool { return at.Group <= 1 }})
	r := s.Read(ctx, "SUBSCRIBE", k, sub.Next)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, rest, ObjectPace) })
	control.WaitAll(ctx)
	p.End()
	s.Exactly(ctx, k, LateTime, r)
	return nil
}
