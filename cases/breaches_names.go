package cases

import (
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breachesOfNames are breaches of the rules of namespaces and names (draft-18 §2.4.1, draft-22 §8.7).
var breachesOfNames = []breach{
	{
		rule: rules.NameFieldCount, of: "publish-namespace", what: "a namespace of 33 fields in PUBLISH_NAMESPACE",
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return named(s.publishNamespace(), fields(32)) }),
		bad:  asks(func(s *scene) wire.Message { return named(s.publishNamespace(), fields(33)) }),
	},
	{
		rule: rules.NameFieldCount, of: "subscribe", what: "a namespace of 33 fields in SUBSCRIBE",
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.subscribeTo(fields(32), "t") }),
		bad:  asks(func(s *scene) wire.Message { return s.subscribeTo(fields(33), "t") }),
	},
	{
		rule: rules.NameFieldCount, of: "publish", what: "a namespace of 33 fields in PUBLISH",
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.publish() }),
		bad: asks(func(s *scene) wire.Message {
			m := s.publish()
			m.TrackNamespace = fields(33)
			return m
		}),
	},
	{
		rule: rules.NameFieldCount, of: "none", what: "a namespace without fields in SUBSCRIBE", last: wire.Draft16,
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.unknown() }),
		bad:  asks(func(s *scene) wire.Message { return s.subscribeTo(nil, "t") }),
	},
	{
		rule: rules.NameFieldEmpty, of: "publish-namespace", what: "an empty namespace field in PUBLISH_NAMESPACE",
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.publishNamespace() }),
		bad: asks(func(s *scene) wire.Message {
			m := s.publishNamespace()
			return named(m, m.TrackNamespace.Join(""))
		}),
	},
	{
		rule: rules.NameFieldEmpty, of: "subscribe", what: "an empty namespace field in SUBSCRIBE",
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.unknown() }),
		bad:  asks(func(s *scene) wire.Message { return s.subscribeTo(s.another().Join(""), "t") }),
	},
	{
		rule: rules.NameFieldEmpty, of: "prefix", what: "an empty field in the prefix of SUBSCRIBE_NAMESPACE",
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.subscribeNamespace() }),
		bad: asks(func(s *scene) wire.Message {
			m := s.subscribeNamespace()
			m.Prefix = m.Prefix.Join("")
			return m
		}),
	},
	{
		rule: rules.NameLength, of: "track", what: "a Full Track Name of 4097 bytes in SUBSCRIBE",
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.subscribeTo(wire.TrackNamespace{"n"}, long(4095)) }),
		bad:  asks(func(s *scene) wire.Message { return s.subscribeTo(wire.TrackNamespace{"n"}, long(4096)) }),
	},
	{
		rule: rules.NameLength, of: "namespace", what: "a namespace of 4097 bytes in PUBLISH_NAMESPACE",
		first: wire.Draft16, as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return named(s.publishNamespace(), wire.TrackNamespace{long(4096)}) }),
		bad:  asks(func(s *scene) wire.Message { return named(s.publishNamespace(), wire.TrackNamespace{long(4097)}) }),
	},
	{
		rule: rules.PrefixFieldCount, of: "many", what: "a prefix of 33 fields in SUBSCRIBE_NAMESPACE",
		last: wire.Draft20, as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.subscribeNamespace() }),
		bad: asks(func(s *scene) wire.Message {
			m := s.subscribeNamespace()
			m.Prefix = fields(33)
			return m
		}),
	},
	{
		rule: rules.NameFieldCount, also: []rules.ID{rules.PrefixFieldCount}, of: "prefix",
		what:  "a prefix of 33 fields in SUBSCRIBE_NAMESPACE",
		first: wire.Draft21, as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.subscribeNamespace() }),
		bad: asks(func(s *scene) wire.Message {
			m := s.subscribeNamespace()
			m.Prefix = fields(33)
			return m
		}),
	},
	{
		rule: rules.PrefixFieldCount, of: "none", what: "an empty prefix in SUBSCRIBE_NAMESPACE", last: wire.Draft15,
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.subscribeNamespace() }),
		bad: asks(func(s *scene) wire.Message {
			m := s.subscribeNamespace()
			m.Prefix = nil
			return m
		}),
	},
	{
		rule: rules.TracksPrefixFieldCount, of: "name", what: "a prefix of 33 fields in SUBSCRIBE_TRACKS",
		first: wire.Draft21, as: asClient, want: violation, seen: rules.NameFieldCount,
		good: asks(func(s *scene) wire.Message { return s.subscribeTracks() }),
		bad: asks(func(s *scene) wire.Message {
			m := s.subscribeTracks()
			m.Prefix = fields(33)
			return m
		}),
	},
	{
		rule: rules.TracksPrefixFieldCount, what: "a prefix of 33 fields in SUBSCRIBE_TRACKS", last: wire.Draft20,
		as: asClient, want: violation,
		good: asks(func(s *scene) wire.Message { return s.subscribeTracks() }),
		bad: asks(func(s *scene) wire.Message {
			m := s.subscribeTracks()
			m.Prefix = fields(33)
			return m
		}),
	},
}

// named gives a PUBLISH_NAMESPACE another namespace.
func named(m *wire.PublishNamespace, ns wire.TrackNamespace) *wire.PublishNamespace {
	m.TrackNamespace = ns
	return m
}
