package cases

import (
	"context"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breachesOfAnswers are breaches in what a client answers to the relay's requests, and in what it adds to its own
// (draft-18 §10.5-10.13, draft-22 §9.3-9.12).
var breachesOfAnswers = []breach{
	{
		rule: rules.TrackAliasDuplicate, what: "a SUBSCRIBE_OK with the Track Alias of another track",
		as: asPublisher, want: closedWithCode(wire.DuplicateTrackAlias),
		good: answersAnother(func(s *scene, theirs *asked) wire.Message {
			return &wire.SubscribeOK{RequestID: theirs.id, TrackAlias: s.alias + 1}
		}),
		bad: answersAnother(func(s *scene, theirs *asked) wire.Message {
			return &wire.SubscribeOK{RequestID: theirs.id, TrackAlias: s.alias}
		}),
	},
	{
		rule: rules.ErrorNotPassedOn, what: "a datagram that closes its publisher's session", as: asPublisher,
		want: anyClose, seen: rules.DatagramTypeBits,
		good: goodDatagram,
		bad:  datagrams(func(s *scene) []byte { return append(s.numbers(0x10, s.alias, s.group(), 0), 128, 'x') }),
	},
	{
		rule: rules.RequestOKProperties, what: "a REQUEST_OK with track properties in answer to PUBLISH",
		as: asOffered, want: violation,
		bad: replies(func(s *scene) wire.Message {
			return &wire.RequestOK{RequestID: s.theirs.id, Answers: wire.KindPublish}
		}, func(_ wire.Draft, body []byte) []byte { return append(body, 0x38, 1) }),
	},
	{
		rule: rules.ParameterScope, of: "publish-ok", what: "FORWARD in PUBLISH_OK", first: wire.Draft20, as: asOffered,
		want: violation,
		bad: replies(func(s *scene) wire.Message {
			return &wire.RequestOK{RequestID: s.theirs.id, Answers: wire.KindPublish,
				Parameters: wire.Parameters{number(wire.ParamForward, 1)}}
		}),
	},
	field14(rules.FieldsPublishOK, "order", "Group Order 0 in PUBLISH_OK", asOffered, nil,
		replies(publishOK, func(_ wire.Draft, body []byte) []byte {
			body[len(body)-3] = 0 // Group Order, in front of Filter Type and the number of parameters
			return body
		})),
	field14(rules.FieldsFetchOK, "order", "Group Order 3 in FETCH_OK", asFetched, nil,
		replies(fetchOK, func(_ wire.Draft, body []byte) []byte {
			body[1] = 3 // behind the Request ID
			return body
		})),
	{
		rule: "graceful-fin", of: "publisher", what: "FIN behind SUBSCRIBE_OK without PUBLISH_DONE", as: asPublisher,
		want: tolerated, good: goodStream,
		bad: func(_ context.Context, s *scene) (*asked, error) {
			s.x.note("-> (breaks rule graceful-fin: FIN without PUBLISH_DONE)")
			return nil, s.theirs.on.Close()
		},
	},
	{
		rule: "graceful-fin", of: "unanswered", what: "FIN in place of an answer to SUBSCRIBE", as: asAsked,
		want: tolerated,
		bad: func(_ context.Context, s *scene) (*asked, error) {
			s.x.note("-> (breaks rule graceful-fin: FIN without an answer)")
			return nil, s.theirs.on.Close()
		},
	},
	{
		rule: "update-failed", what: "an update with a token alias that is not registered", as: asSubscriber,
		want: reaction{refused: true, done: wire.NameUpdateFailed}, alone: true,
		seen: rules.ID(wire.NameMalformedAuthToken),
		good: adds(anUpdate()),
		bad:  adds(anUpdate(TokenParameter(wire.Token{AliasType: wire.TokenUseAlias, Alias: 9}))),
	},
	{
		rule: rules.PrefixUpdateOverlap, what: "an update to a prefix that another subscription has", as: asWatcher,
		want: refusedAs(wire.NamePrefixOverlap), alone: true,
		good: asks(func(s *scene) wire.Message {
			m := s.subscribeNamespace()
			m.Prefix = s.beside()
			return m
		}),
		bad: adds(func(s *scene) wire.Message {
			return &wire.RequestUpdate{RequestID: s.x.id(), ExistingRequestID: s.mine.id,
				Parameters: prefixParameter(s.beside())}
		}),
	},
	{
		rule: rules.RangeFilterBound, what: "a subgroup filter that passes the largest number", as: asClient,
		want: refusedAs(wire.NameInvalidFilter), alone: true,
		good: asks(aSubscribe(subgroups(1, 2))),
		bad: asks(aSubscribe(wire.Parameter{Type: wire.ParamSubgroupFilter, Ranges: wire.RangeFilter{
			Ranges: []wire.Range{{Start: 5, End: 3}}}})), // written as a delta modulo 2^64
	},
	{
		rule: "priority-filter-bound", what: "a priority filter up to 256", as: asClient,
		want: refusedAs(wire.NameInvalidFilter), alone: true,
		good: asks(aSubscribe(wire.Parameter{Type: wire.ParamPriorityFilter, Ranges: wire.RangeFilter{
			Ranges: []wire.Range{{Start: 1, End: 255}}}})),
		bad: asks(aSubscribe(wire.Parameter{Type: wire.ParamPriorityFilter, Ranges: wire.RangeFilter{
			Ranges: []wire.Range{{Start: 1, End: 256}}}})),
	},
	{
		rule: "property-filter-type", what: "a filter of an object property that is no number", as: asClient,
		want: refusedAs(wire.NameInvalidFilter), alone: true,
		good: asks(aSubscribe(propertyFilter(0x38))),
		bad:  asks(aSubscribe(propertyFilter(0x39))),
	},
	{
		rule: rules.RangeFilterLimit, what: "one range more than the peer takes", as: asClient,
		want: refusedAs(wire.NameInvalidFilter), alone: true,
		good: asks(aSubscribe()),
		bad: asks(func(s *scene) wire.Message {
			limit, _ := s.innocent.PeerSetup().Options.Get(wire.OptionMaxFilterRanges)
			return s.unknown(wire.Parameter{Type: wire.ParamSubgroupFilter, Ranges: wire.RangeFilter{
				Ranges: manyRanges(min(limit.Uint, mostRanges) + 1)}})
		}),
	},
	{
		rule: rules.MandatoryProperties, also: []rules.ID{rules.MandatoryNotForwarded}, of: "session",
		what: "a SUBSCRIBE_OK with an unknown Mandatory Track Property", as: asAsked, want: tolerated,
		bad: replies(func(s *scene) wire.Message {
			return &wire.SubscribeOK{RequestID: s.theirs.id, TrackAlias: 1,
				Properties: wire.Properties{{Type: mandatoryType, Uint: 1}}}
		}),
	},
	{
		rule: rules.MandatoryFetchOK, also: []rules.ID{rules.MandatoryNotForwarded}, of: "session",
		what: "a FETCH_OK with an unknown Mandatory Track Property", as: asFetched, want: tolerated,
		bad: replies(func(s *scene) wire.Message {
			return &wire.FetchOK{RequestID: s.theirs.id, End: wire.Location{Group: fetchedGroup, Object: 1},
				Properties: wire.Properties{{Type: mandatoryType, Uint: 1}}}
		}),
	},
	{
		rule: rules.TokenRegisterAlways, what: "a token alias again that a refused request has registered",
		as: asClient, want: closedWithCode(wire.DuplicateAuthTokenAlias), seen: rules.TokenAlias, needsTokens: true,
		alone: true,
		good:  asks(registering),
		bad:   asks(registering),
	},
	{
		rule: "joining-filter", what: "a joining FETCH of a subscription with an absolute start", as: asSubscriber,
		want: violation, subscribes: wire.Parameters{startAt(7)},
		bad: asks(func(s *scene) wire.Message { return s.joining(wire.FetchRelativeJoining, s.mine.id) }),
	},
	{
		rule: rules.JoiningForward, what: "a joining FETCH of a paused subscription", last: wire.Draft17,
		as: asSubscriber, want: violation, subscribes: wire.Parameters{number(wire.ParamForward, 0), nextObject},
		good: asks(aFetch()),
		bad:  asks(func(s *scene) wire.Message { return s.joining(wire.FetchRelativeJoining, s.mine.id) }),
	},
	{
		rule: rules.JoiningForward, of: "refused", what: "a joining FETCH of a paused subscription",
		first: wire.Draft18, as: asSubscriber, want: refusedAs(wire.NameInvalidRange), alone: true,
		subscribes: wire.Parameters{number(wire.ParamForward, 0), nextObject},
		good:       asks(aFetch()),
		bad:        asks(func(s *scene) wire.Message { return s.joining(wire.FetchRelativeJoining, s.mine.id) }),
	},
	{
		rule: rules.UpdateRange, what: "an update whose end group is before its start", as: asSubscriber,
		want:  violation,
		level: Probe,
		good:  adds(anUpdate(startAt(8))),
		bad: adds(anUpdate(wire.Parameter{Type: wire.ParamLocationFilter, Filter: wire.LocationFilter{
			Form: wire.FilterGroupEnd, StartGroup: 9, EndGroup: 8}})),
	},
	{
		rule: "fetch-range", what: "a FETCH whose end is before its start", as: asClient, want: anyError,
		level: Probe, seen: rules.ID(wire.NameInvalidRange), alone: true,
		good: asks(aFetch()),
		bad: asks(func(s *scene) wire.Message {
			m := s.fetchOf(s.another(), "t")
			m.Start, m.End = wire.Location{Group: 7}, wire.Location{Group: 3}
			return m
		}),
	},
	{
		rule: rules.FilterBound, of: "before", what: "a filter whose end group is before its start", last: wire.Draft16,
		as: asClient, want: anyError, level: Probe, seen: rules.ID(wire.NameInvalidRange), alone: true,
		good: asks(aSubscribe(startAt(8))),
		bad: asks(aSubscribe(wire.Parameter{Type: wire.ParamLocationFilter, Filter: wire.LocationFilter{
			Form: wire.FilterGroupEnd, StartGroup: 9, EndGroup: 8}})),
	},
}

func publishOK(s *scene) wire.Message {
	return &wire.RequestOK{RequestID: s.theirs.id, Answers: wire.KindPublish, Parameters: wire.Parameters{nextObject}}
}

func fetchOK(s *scene) wire.Message {
	return &wire.FetchOK{RequestID: s.theirs.id, End: wire.Location{Group: fetchedGroup, Object: 1}}
}

// registering is a SUBSCRIBE to an unknown track that registers a token.
func registering(s *scene) wire.Message {
	m := s.unknown()
	m.Parameters = wire.Parameters{TokenParameter(wire.Token{AliasType: wire.TokenRegister, Alias: 6,
		Value: []byte{1}})}
	return m
}

// beside is a namespace that does not overlap with the scene's.
func (s *scene) beside() wire.TrackNamespace {
	ns := slices.Clone(s.namespace)
	ns[len(ns)-1] += "-beside"
	return ns
}

// propertyFilter is a filter of objects whose property of a type is 1.
func propertyFilter(t uint64) wire.Parameter {
	return wire.Parameter{Type: wire.ParamObjectPropertyFilter, Ranges: wire.RangeFilter{PropertyType: t,
		Ranges: []wire.Range{{Start: 1, End: 1}}}}
}

// mostRanges fit into one message.
const mostRanges = 10_000

// manyRanges are n ranges of one number each.
func manyRanges(n uint64) []wire.Range {
	all := make([]wire.Range, n)
	for i := range all {
		all[i] = wire.Range{Start: uint64(2 * i), End: uint64(2 * i)}
	}
	return all
}
