package cases

import (
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breachesRefused are requests that must be refused with an error of their own, while the session lives on.
var breachesRefused = []breach{
	{
		rule: "reserved-dot", of: "subscribe", what: "SUBSCRIBE to a namespace whose first field is a period",
		as: asClient, want: refusedAs(wire.NameDoesNotExist), alone: true,
		good: asks(aSubscribe()),
		bad:  asks(func(s *scene) wire.Message { return s.subscribeTo(wire.TrackNamespace{".", "x"}, "t") }),
	},
	{
		rule: "reserved-namespace", what: "SUBSCRIBE to a namespace that begins with a period and is not registered",
		as: asClient, want: tolerated, alone: true,
		bad: asks(func(s *scene) wire.Message { return s.subscribeTo(wire.TrackNamespace{".moq-interop", "x"}, "t") }),
	},
	{
		rule: "session-namespace-unknown", of: "subscribe", what: "SUBSCRIBE to an unknown track under .session",
		as: asClient, want: refusedAs(wire.NameDoesNotExist), alone: true,
		good: asks(aSubscribe()),
		bad:  asks(func(s *scene) wire.Message { return s.subscribeTo(wire.TrackNamespace{".session"}, "unknown") }),
	},
	{
		rule: "session-namespace-empty", what: "SUBSCRIBE to the empty track name under .session", as: asClient,
		want: refusedAs(wire.NameDoesNotExist), alone: true,
		good: asks(aSubscribe()),
		bad:  asks(func(s *scene) wire.Message { return s.subscribeTo(wire.TrackNamespace{".session"}, "") }),
	},
	{
		rule: "session-namespace-unknown", of: "fetch", what: "FETCH of an unknown track under .session",
		as:   asClient,
		want: refusedAs(wire.NameDoesNotExist), alone: true,
		good: asks(aFetch()),
		bad:  asks(func(s *scene) wire.Message { return s.fetchOf(wire.TrackNamespace{".session"}, "unknown") }),
	},
	{
		rule: "rendezvous-zero", what: "SUBSCRIBE with RENDEZVOUS_TIMEOUT 0 and no publisher", as: asClient,
		want: refusedAs(wire.NameDoesNotExist), alone: true,
		bad: asks(aSubscribe(number(wire.ParamRendezvousTimeout, 0))),
	},
	{
		rule: "duplicate-subscription", what: "a second SUBSCRIBE to a track", first: wire.Draft16, as: asSubscriber,
		want: refusedAs(wire.NameDuplicateSubscription), alone: true,
		good: asks(aSubscribe()),
		bad:  asks(func(s *scene) wire.Message { return s.subscribeMessage(s.namespace, s.track) }),
	},
	{
		rule: rules.PrefixOverlap, of: "longer", what: "SUBSCRIBE_NAMESPACE below a prefix that is subscribed",
		as: asWatcher, want: refusedAs(wire.NamePrefixOverlap), alone: true,
		bad: asks(aPrefix),
	},
	{
		rule: rules.PrefixOverlap, of: "same", what: "SUBSCRIBE_NAMESPACE with a prefix that is subscribed",
		as: asWatcher, want: refusedAs(wire.NamePrefixOverlap), alone: true,
		bad: asks(func(s *scene) wire.Message {
			m := s.subscribeNamespace()
			m.Prefix = s.namespace
			return m
		}),
	},
	{
		rule: rules.TracksOverlap, of: "same", what: "SUBSCRIBE_TRACKS with a prefix that is subscribed",
		as:   asClient,
		want: refusedAs(wire.NamePrefixOverlap), alone: true,
		good: asks(func(s *scene) wire.Message {
			m := s.subscribeTracks()
			m.Prefix = s.namespace.Join("tracks")
			return m
		}),
		bad: asks(func(s *scene) wire.Message {
			m := s.subscribeTracks()
			m.Prefix = s.namespace.Join("tracks")
			return m
		}),
	},
	{
		rule: "mandatory-publish", what: "PUBLISH with an unknown Mandatory Track Property", as: asClient,
		want: refusedAs(wire.NameUnsupportedExtension), alone: true,
		good: asks(aPublish()),
		bad: asks(func(s *scene) wire.Message {
			m := s.publish()
			m.Properties = wire.Properties{{Type: mandatoryType, Uint: 1}}
			return m
		}),
	},
	{
		rule: rules.JoiningFetch, of: "unknown", what: "a joining FETCH of a request that does not exist",
		as:   asSubscriber,
		want: refusedAs(wire.NameInvalidJoiningRequestID), alone: true,
		good: asks(aFetch()),
		bad:  asks(func(s *scene) wire.Message { return s.joining(wire.FetchRelativeJoining, 500) }),
	},
	{
		rule: rules.JoiningFetch, of: "nothing", what: "a joining FETCH of a track without objects",
		first: wire.Draft17,
		as:    asSubscriber,
		want:  refusedAs(wire.NameInvalidRange), alone: true,
		good: asks(aFetch()),
		bad:  asks(func(s *scene) wire.Message { return s.joining(wire.FetchRelativeJoining, s.mine.id) }),
	},
	{
		rule: rules.FetchInvalidRange, of: "empty", what: "a FETCH of a track without objects", first: wire.Draft18,
		as: asSubscriber, want: refusedAs(wire.NameInvalidRange), alone: true,
		good: asks(aFetch()),
		bad:  asks(func(s *scene) wire.Message { return s.fetchOf(s.namespace, s.track) }),
	},
	{
		rule: rules.RangeFilterRepeated, what: "the same range filter twice in SUBSCRIBE", as: asClient,
		want: refusedAs(wire.NameInvalidFilter), alone: true,
		good: asks(aSubscribe()),
		bad:  asks(aSubscribe(subgroups(1, 2), subgroups(1, 2))),
	},
	{
		rule: "token-unknown-alias", what: "USE_ALIAS of a token alias that is not registered", as: asClient,
		want: anyError, alone: true, seen: rules.ID(wire.NameMalformedAuthToken),
		good: asks(aNamespace),
		bad:  asks(withToken(wire.Token{AliasType: wire.TokenUseAlias, Alias: 9})),
	},
	{
		rule: "token-delete", what: "USE_ALIAS of a token alias that was deleted", as: asClient, want: anyError,
		needsTokens: true, alone: true, seen: rules.ID(wire.NameMalformedAuthToken),
		good: inTurn(asks(withToken(wire.Token{AliasType: wire.TokenRegister, Alias: 3, Value: []byte{1}})),
			asks(withToken(wire.Token{AliasType: wire.TokenDelete, Alias: 3}))),
		bad: asks(withToken(wire.Token{AliasType: wire.TokenUseAlias, Alias: 3})),
	},
	{
		rule: rules.UnknownTrack, of: "subscribe", what: "SUBSCRIBE to a track that does not exist", as: asClient,
		want: anyError, alone: true, seen: rules.ID(wire.NameDoesNotExist),
		bad: asks(aSubscribe()),
	},
	{
		rule: rules.UnknownTrack, of: "fetch", what: "FETCH of a track that does not exist",
		as: asClient, want: anyError,
		alone: true, seen: rules.ID(wire.NameDoesNotExist),
		bad: asks(aFetch()),
	},
	{
		rule: rules.UnknownTrack, of: "status", what: "TRACK_STATUS of a track that does not exist", as: asClient,
		want: anyError, alone: true, seen: rules.ID(wire.NameDoesNotExist),
		bad: asks(aStatus()),
	},
}

// mandatoryType is a Mandatory Track Property that no draft defines (draft-18 §2.5.1).
const mandatoryType = 0x4006

// joining is a joining FETCH from the current group on.
func (s *scene) joining(t wire.FetchType, id uint64) *wire.Fetch {
	return &wire.Fetch{RequestID: s.x.id(), Type: t, JoiningRequestID: id, Parameters: s.parameters()}
}

// subgroups is a range filter of subgroups.
func subgroups(first, last uint64) wire.Parameter {
	return wire.Parameter{Type: wire.ParamSubgroupFilter, Ranges: wire.RangeFilter{
		Ranges: []wire.Range{{Start: first, End: last}}}}
}
