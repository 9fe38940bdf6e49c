package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Range filters of FETCH, of several sets, and of tracks (draft-19 §5.1.3, draft-22 §3.3.2).

// rangesCase is a case of range filters, for relays that take some.
func rangesCase(id, title string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "data", "filter").from(wire.Draft19)
}

// takesRanges says that the case does not apply where the relay takes fewer ranges.
func (s *Session) takesRanges(n uint64) {
	if limit, _ := s.PeerSetup().Options.Get(wire.OptionMaxFilterRanges); limit.Uint < n {
		s.e.NotApplicable("the relay takes %d ranges in filters: MAX_FILTER_RANGES", limit.Uint)
	}
}

var rangeFilterFetch = rangesCase("range-filter-fetch", "A FETCH with a filter returns the objects of one subgroup",
	[]Fault{
		dataFault("range-filter-ignored", "unexpected {0, 0}"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := twoSubgroups(e, 0, 1)
		a := e.Follow(ctx, "subscriber", p, l, Checks{})
		p.WaitForward(ctx)
		e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
		a.WaitAll(ctx)
		s := e.Dial(ctx, "fetcher")
		s.takesRanges(1)
		s.FetchExactly(ctx, p, p.FetchOf(WholeGroups(0, 0), subgroupFilter(wire.Range{Start: 1, End: 1})),
			twoSubgroups(e, 0, 0).OfSubgroup(1), Checks{})
		return nil
	}, rules.RangeFilter, rules.Fetch).among("publisher", "subscriber", "fetcher")

var rangeFilterSets = rangesCase("range-filter-sets", "An object passes that passes all filters of one set",
	[]Fault{
		dataFault("range-filter-ignored", "unexpected {0, 4}"),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
	}, runRangeFilterSets, rules.RangeFilter).among("publisher", "subscriber", "filtered")

// runRangeFilterSets: the filters of a set must all pass, and one set is enough: objects 0 to 2 of subgroup 0, or
// whatever is in subgroup 1.
func runRangeFilterSets(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := twoSubgroups(e, 0, 0)
	control := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	s := e.Dial(ctx, "filtered")
	s.takesRanges(3)
	want := append(l.OfSubgroup(1), l.OfSubgroup(0)[:2]...)
	inSet := func(t wire.ParameterType, set uint8, first, last uint64) wire.Parameter {
		return wire.Parameter{Type: t, Ranges: wire.RangeFilter{SetID: set, Ranges: []wire.Range{
			{Start: first, End: last}}}}
	}
	a := s.Follow(ctx, p, want, Checks{}, inSet(wire.ParamSubgroupFilter, 0, 0, 0),
		inSet(wire.ParamSubgroupFilter, 1, 1, 1), inSet(wire.ParamObjectIDFilter, 0, 0, 2))
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	control.WaitAll(ctx)
	p.End()
	a.WantExactly(ctx)
	return nil
}

var trackFilter = rangesCase("track-filter", "SUBSCRIBE_TRACKS with a filter brings only tracks that pass",
	[]Fault{
		requestFault("range-filter-ignored", "PUBLISH of namespace"),
		requestFault("tracks-silent", "nothing for 5000 ms after SUBSCRIBE_TRACKS"),
	}, runTrackFilter, rules.RangeFilter, rules.SubscribeTracks)

// runTrackFilter: two tracks differ in a property; the filter is for the value of the second one.
func runTrackFilter(ctx context.Context, e *Env) error {
	source, s := e.Dial(ctx, "publisher"), e.Dial(ctx, "subscriber")
	s.takesRanges(1)
	step, cancel := e.Step(ctx)
	defer cancel()
	t := s.FollowTracks(step, e.Namespace(), wire.Parameter{Type: wire.ParamTrackPropertyFilter,
		Ranges: wire.RangeFilter{PropertyType: propSmallEven, Ranges: []wire.Range{{Start: 2, End: 2}}}})
	var both [2]*Publisher
	for i := range both {
		both[i] = source.Publisher(e.Namespace("studio"), fmt.Sprint(e.TrackName(), "-", i+1))
		both[i].Properties = wire.Properties{{Type: propSmallEven, Uint: uint64(i + 1)}}
		both[i].OfferBeside(ctx)
	}
	t.Take(step, t.WantPublish(step, both[1], "PUBLISH"))
	t.WantNone(ctx, "no PUBLISH of a track that does not pass the filter")
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}

var tokenNotCopied = requestsCase("token-not-copied",
	"The token of SUBSCRIBE_TRACKS is not in the PUBLISHes that it leads to",
	[]Fault{
		requestFault("token-copied", "PUBLISH with the subscriber's token"),
		requestFault("tracks-silent", "nothing for 5000 ms after SUBSCRIBE_TRACKS"),
	},
	func(ctx context.Context, e *Env) error {
		source, s := e.Dial(ctx, "publisher"), e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		const secret = "the subscriber's own"
		t := s.FollowTracks(step, e.Namespace(), TokenParameter(wire.Token{AliasType: wire.TokenUseValue,
			Value: []byte(secret)}))
		p := source.Publisher(e.Namespace("studio"), e.TrackName())
		p.OfferBeside(ctx)
		r := t.WantPublish(step, p, "PUBLISH")
		for _, token := range r.Tokens() {
			if string(token.Value) == secret {
				e.Fail(transport.LayerRequest, "PUBLISH without the token of SUBSCRIBE_TRACKS",
					"PUBLISH with the subscriber's token")
			}
		}
		t.Take(step, r)
		return nil
	}, rules.TokenNotCopied).from(wire.Draft20)
